"""Work the scheduler starts for calling hours."""

from outreach.calling_hours import refitting
from outreach.clock import Clock
from outreach.orm import Sessions, for_batches, reading

PAGE = 1000
MOVED = 50  # a transaction: each of these is planned anew by itself


def refit_changed_hours(sessions: Sessions, clock: Clock) -> int:
    """Move open calls that stand outside changed hours; return how many.

    Killed half-way it begins again: whoever was moved stands within the hours by then.
    """
    moved = 0
    with reading(), sessions() as session:
        changed = refitting.changed(session)
    for each in changed:
        moved += _refit(sessions, each, clock)
        with sessions.begin() as session:
            refitting.settle(session, each)
    return moved


def _refit(sessions: Sessions, changed: refitting.Changed, clock: Clock) -> int:
    now, moved = clock(), 0
    after_id: int | None = 0
    while after_id is not None:
        with reading(), sessions() as session:
            page = refitting.page_of(
                session, changed.clinic_id, now=now, after_id=after_id, limit=PAGE
            )
        moved += for_batches(
            sessions, page.ids, MOVED, lambda session, ids: refitting.refit(session, ids, now=now)
        )
        after_id = page.next_after_id
    return moved
