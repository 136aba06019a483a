"""Work the scheduler starts for the plan."""

from datetime import datetime

from outreach.clock import Clock
from outreach.orm import Sessions, reading
from outreach.planning import courses, next_call, reminders

BATCH = 500


def plan_missing_calls(sessions: Sessions, clock: Clock) -> int:
    """Plan a call for every enrolment that should have one and has none; return how many.

    Batches of enrolments, a transaction each: a night's work never holds up a caller's save,
    and a process killed half-way leaves whole batches.
    """
    planned, after_id = 0, 0
    while True:
        with reading(), sessions() as session:
            ids = courses.unplanned_ids(session, after_id=after_id, limit=BATCH)
        if not ids:
            return planned
        with sessions.begin() as session:
            planned += next_call.plan(session, ids, now=clock())
        after_id = ids[-1]


def write_reminders(sessions: Sessions, clock: Clock) -> int:
    """Write the reminders whose time has come into the outbox; return how many are new."""
    now, count = clock(), 0
    after: tuple[datetime, int] | None = None
    while True:
        with sessions.begin() as session:
            written = reminders.write_due(session, now=now, after=after)
        count += written.count
        if written.last is None:
            return count
        after = written.last
