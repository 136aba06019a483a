"""Work the scheduler starts for the plan."""

import logging
from collections.abc import Sequence
from datetime import datetime

from outreach.clock import Clock
from outreach.messaging import outbox
from outreach.orm import Sessions, for_each, reading
from outreach.planning import courses, next_call, reminders

log = logging.getLogger(__name__)

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
        planned += _plan_batch(sessions, ids, now=clock())
        after_id = ids[-1]


def _plan_batch(sessions: Sessions, ids: Sequence[int], *, now: datetime) -> int:
    """Plan for a batch in one transaction; where a row breaks it, each by itself."""

    def plan_one(enrolment_id: int) -> int:
        with sessions.begin() as session:
            return next_call.plan(session, [enrolment_id], now=now)

    try:
        with sessions.begin() as session:
            return next_call.plan(session, ids, now=now)
    except Exception:
        log.exception("planning a batch failed; planning one by one")
        return for_each(ids, plan_one)


def write_reminders(sessions: Sessions, clock: Clock) -> int:
    """Write the reminders whose time has come into the outbox; return how many are new."""
    now, count = clock(), 0
    after: tuple[datetime, int] | None = None
    while True:
        with reading(), sessions() as session:
            batch = reminders.due(session, now=now, after=after)
        if batch.messages:
            with sessions.begin() as session:
                count += outbox.write(session, batch.messages)
        if batch.last is None:
            return count
        after = batch.last
