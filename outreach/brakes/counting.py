"""Counting, and saying when it is too often. One statement, whatever was counted before."""

from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from outreach import sealing
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
        "who_hash": sealing.keyed_hash(who, place="brake_count.who_hash"),
        "began_at": begin_of(limit, now),
        "count": 1,
    }
    connection = session.connection()
    counted = connection.scalar(_counting(connection.dialect.name), row)
    if counted is None or counted > limit.most:
        raise TooOften(wait_of(limit, now))


@cache
def _counting(dialect: str) -> Any:
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    return (
        insert(BrakeCount)
        .on_conflict_do_update(
            index_elements=["who_hash", "what", "began_at"], set_={"count": BrakeCount.count + 1}
        )
        .returning(BrakeCount.count)
    )
