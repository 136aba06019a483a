"""Whether this machine's clock agrees with the database's, which all machines share.

One whose clock is an hour ahead finds texts that are just being sent given up, dials at wrong
hours, and signs people out. So it does none of it until its clock is right.
"""

from datetime import datetime

from sqlalchemy import Connection, text

MOST_APART_SECONDS = 30  # machines that follow NTP are within one


def trouble(connection: Connection, now: datetime) -> str | None:
    """Say by how much this machine's clock, at which it is ``now``, is wrong; None where it is not.

    SQLite has no clock of its own: its file lies on this machine.
    """
    if connection.dialect.name != "postgresql":
        return None
    theirs = connection.scalar(text("SELECT clock_timestamp()"))
    ahead = (now - theirs).total_seconds()
    if abs(ahead) <= MOST_APART_SECONDS:
        return None
    which = "ahead of" if ahead > 0 else "behind"
    return f"This machine's clock is {abs(ahead):,.0f} seconds {which} the database's."
