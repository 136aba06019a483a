"""Times in which the planner itself did not run, and what it did when it came back.

Its ticks leave a beat, one row. A tick that finds the last beat long ago moves it by a
conditional UPDATE, so that of several planners that come back at once only one writes the
interruption down. What catching up does is counted in the transactions that do it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from outreach.orm import insert_new
from outreach.planning import next_call
from outreach.planning.models import Beat, Interruption, PlannedCall
from outreach.planning.rules import CallStatus

_ONLY = 1
# Ours. A restart or a release takes a minute or two, and planning a large installation's
# day a few more; only what is longer is worth a manager's time.
AWAY_AFTER = timedelta(minutes=10)
BEAT_EVERY = timedelta(seconds=30)
# Ours. Within these, gaps in the plan are filled that opened while the planner was away.
CATCHING_UP_FOR = timedelta(minutes=10)
SHOWN_FOR = timedelta(days=3)


def needs_beat(session: Session, *, now: datetime) -> bool:
    """Say whether the last beat is older than a beat's time, or lies ahead; reads only."""
    seen_at = session.scalar(select(Beat.at).where(Beat.id == _ONLY))
    return seen_at is None or abs(now - seen_at) >= BEAT_EVERY


def beat(session: Session, *, host: str | None = None, now: datetime) -> bool:
    """Note that the planner runs, on ``host``; say whether it comes back from an interruption.

    A clock that was set back only sets the beat back. Does not commit.
    """
    seen_at = session.scalar(select(Beat.at).where(Beat.id == _ONLY))
    if seen_at is None:
        insert_new(session, Beat, [{"id": _ONLY, "at": now, "host": host}])
        return False
    moved = session.execute(
        update(Beat)
        .where(Beat.id == _ONLY, Beat.at == seen_at)
        .values(at=now, host=host)
        .returning(Beat.id)
    )
    if moved.first() is None or now - seen_at < AWAY_AFTER:
        return False
    session.add(Interruption(from_at=seen_at, until_at=now, moved=0, missed=0, planned=0))
    session.flush()
    return True


def caught_up_on(session: Session, *, now: datetime) -> Interruption | None:
    """Return the interruption that the planner is just coming back from, if any."""
    return session.scalar(
        select(Interruption)
        .where(Interruption.until_at <= now, Interruption.until_at > now - CATCHING_UP_FOR)
        .order_by(Interruption.until_at.desc(), Interruption.id.desc())
        .limit(1)
    )


def recent(session: Session, *, now: datetime) -> Sequence[Interruption]:
    """Return the interruptions of the last days, the newest first."""
    return session.scalars(
        select(Interruption)
        .where(Interruption.until_at > now - SHOWN_FOR, Interruption.until_at <= now)
        .order_by(Interruption.until_at.desc(), Interruption.id.desc())
    ).all()


def count_planned(session: Session, interruption_id: int, planned: int) -> None:
    """Count calls that were planned to fill gaps. Does not commit."""
    _count(session, interruption_id, planned=planned)


def count_caught_up(session: Session, interruption_id: int, call: PlannedCall) -> None:
    """Count what became of a call whose time passed meanwhile. Does not commit."""
    if call.is_open:
        _count(session, interruption_id, moved=1)
    elif call.status is CallStatus.MISSED:
        following = next_call.open_call(session, call.enrolment_id)
        _count(session, interruption_id, missed=1, planned=int(following is not None))


def _count(
    session: Session, interruption_id: int, *, moved: int = 0, missed: int = 0, planned: int = 0
) -> None:
    session.execute(
        update(Interruption)
        .where(Interruption.id == interruption_id)
        .values(
            moved=Interruption.moved + moved,
            missed=Interruption.missed + missed,
            planned=Interruption.planned + planned,
        )
        .execution_options(synchronize_session=False)
    )
