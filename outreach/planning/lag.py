"""How far planning lags behind: for whom it should have planned and did not, and since when.

To look for who lacks a call takes a database of a million patients most of a second. The planner
looks anyway, and notes beside its beat what it left; monitors, who ask every few seconds, read
that. Where it does not run, or fails before it can note anything, the time since then grows all
the same.
"""

from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from outreach.planning import courses
from outreach.planning.interruption import BEAT_EVERY
from outreach.planning.models import Beat

MOST_COUNTED = 10_000


def left_by_one_that_broke_off(session: Session) -> int:
    """Count for whom a planner looks, that does not know how far it came: at most MOST_COUNTED.

    Among them are a few who need no call, such as those behind the last one of their programme.
    """
    return len(courses.unplanned_ids(session, after_id=0, limit=MOST_COUNTED))


def needs_note(session: Session, lacking: int, *, now: datetime) -> bool:
    """Say whether what is known is another count, or too old; reads only."""
    known = session.execute(select(Beat.lacking, Beat.complete_at)).first()
    if known is None or known.complete_at is None or known.lacking != lacking:
        return True
    return lacking == 0 and abs(now - known.complete_at) >= BEAT_EVERY


def note(session: Session, lacking: int, *, now: datetime) -> None:
    """Note how many a planner that began at ``now`` left without the call they should have.

    Does not commit.
    """
    complete_at = func.coalesce(Beat.complete_at, now) if lacking else now
    session.execute(update(Beat).values(lacking=lacking, complete_at=complete_at))
