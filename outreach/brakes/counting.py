"""Counting, and saying when it is too often. One statement, whatever was counted before."""

import hashlib
from datetime import datetime

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from outreach.brakes.models import BrakeCount
from outreach.brakes.rules import Braked, Limit, begin_of, wait_of
from outreach.errors import TooOften


def count(session: Session, what: Braked, who: str, limit: Limit, *, now: datetime) -> None:
    """Count once more that ``who`` does ``what``. Does not commit.

    Two at the same moment wait for each other, so that none slips through uncounted.

    Raises:
        TooOften: it was done as often as may be; the message says when it goes on.
    """
    row = {
        "what": what,
        "who_hash": hashlib.sha256(who.encode()).hexdigest(),
        "began_at": begin_of(limit, now),
        "count": 1,
    }
    dialect = session.get_bind().dialect.name
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    counted = session.scalar(
        insert(BrakeCount)
        .values(row)
        .on_conflict_do_update(
            index_elements=["who_hash", "what", "began_at"], set_={"count": BrakeCount.count + 1}
        )
        .returning(BrakeCount.count)
    )
    if counted is None or counted > limit.most:
        raise TooOften(wait_of(limit, now))
