"""The same said twice: who saw an error, or no answer, sends the same form once more.

For rows that are only appended and have no form's key of their own.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import func, inspect, select
from sqlalchemy.orm import Session

from outreach.orm import Model

# Long enough to try again after an error; whoever says the same later than that means it anew.
WITHIN = timedelta(minutes=10)

Row = TypeVar("Row", bound=Model)

# Advisory locks of PostgreSQL by two numbers: this one keeps ours apart from all others.
_LOCKS = 7


def one_at_a_time(session: Session, *about: object) -> None:
    """Let nobody else go past here about the same until this transaction ends.

    What is only appended locks no row: of two at the same moment on PostgreSQL, neither would
    find the other's. SQLite has one writer anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        digest = hashlib.sha256(repr(about).encode()).digest()
        number = int.from_bytes(digest[:4], signed=True)
        session.execute(select(func.pg_advisory_xact_lock(_LOCKS, number)))


def said_before(session: Session, row: Row, *, at: str = "at") -> Row | None:
    """Return the last row about the same, where the same person said in it what ``row`` says.

    None where anybody has said something else since, or nobody anything for a while: what
    holds by now may differ. ``row`` is not added yet; ``at`` names when it is said. Words are
    compared here: stored, they are encrypted. Nobody else looks before this transaction ends.
    """
    said = {name: value for name, value in vars(row).items() if not name.startswith("_")}
    now: datetime = said.pop(at)
    columns = inspect(type(row)).columns
    subject = {name: said[name] for name in sorted(said) if _names_a_subject(columns[name])}
    one_at_a_time(session, type(row).__tablename__, subject)
    about = [columns[name] == value for name, value in subject.items()]
    key = next(iter(inspect(type(row)).primary_key))
    last = session.scalar(
        select(type(row)).where(columns[at] > now - WITHIN, *about).order_by(key.desc()).limit(1)
    )
    if last is None or any(getattr(last, name) != value for name, value in said.items()):
        return None
    return last


def _names_a_subject(column: Any) -> bool:
    """Say whether a column names what a row is about, and not who said it."""
    return bool(column.foreign_keys) and not any(
        key.target_fullname.startswith("staff_member.") for key in column.foreign_keys
    )
