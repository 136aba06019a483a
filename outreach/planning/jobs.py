"""Work the scheduler starts for the plan."""

import socket
from datetime import datetime

from outreach.clock import Clock
from outreach.messaging import outbox
from outreach.orm import Sessions, failing_rows, for_batches, for_each, reading
from outreach.planning import (
    caller_days,
    candidates,
    courses,
    follow_ups,
    interruption,
    lag,
    pauses,
    reminders,
    silence,
    versions,
)
from outreach.planning.filling import PAGE, Gaps

HOST = socket.gethostname()
REFITTED = 50  # a transaction: each of these is planned anew by itself


def plan_missing_calls(sessions: Sessions, clock: Clock) -> int:
    """Plan a call for every enrolment that should have one and has none; return how many.

    Notes how many it left without one, see :mod:`outreach.planning.lag`.
    """
    now, planned = clock(), 0
    away_id = beat(sessions, now=now)
    with reading(), sessions() as session:  # mostly there is nothing to write
        first = courses.unplanned_ids(session, after_id=0, limit=1)
        dialect = session.get_bind().dialect
    with failing_rows() as failed:
        try:
            if first:
                planned = Gaps(sessions, dialect, first[0] - 1, away_id, now).fill()
        except Exception:
            with reading(), sessions() as session:
                left = lag.left_by_one_that_broke_off(session)
            _note_lag(sessions, left, now=now)
            raise
    _note_lag(sessions, len(set(failed)), now=now)
    return planned


def _note_lag(sessions: Sessions, lacking: int, *, now: datetime) -> None:
    with reading(), sessions() as session:  # mostly there is nothing to write
        is_due = lag.needs_note(session, lacking, now=now)
    if is_due:
        with sessions.begin() as session:
            lag.note(session, lacking, now=now)


def beat(sessions: Sessions, *, now: datetime) -> int | None:
    """Note that the planner runs; return the id of what it is just coming back from, if any."""
    with reading(), sessions() as session:  # mostly there is nothing to write
        is_due = interruption.needs_beat(session, now=now)
        away = interruption.caught_up_on(session, now=now)
    if is_due:
        with sessions.begin() as session:
            interruption.beat(session, host=HOST, now=now)
            away = interruption.caught_up_on(session, now=now)
    return away.id if away else None


def end_pauses(sessions: Sessions, clock: Clock) -> int:
    """Make those active again whose pause is over, and plan their calls; return how many."""
    now = clock()
    with reading(), sessions() as session:
        ids = pauses.over_ids(session, now=now)

    def end(enrolment_id: int) -> bool:
        with sessions.begin() as session:
            return pauses.end(session, enrolment_id, now=now)

    return for_each(ids, end)


def begin_pauses(sessions: Sessions, clock: Clock) -> int:
    """Let the calls of those rest whose coming pause begins today; return how many."""
    now = clock()
    with reading(), sessions() as session:
        ids = pauses.begun_ids(session, now=now)

    def begin(enrolment_id: int) -> bool:
        with sessions.begin() as session:
            return pauses.begin(session, enrolment_id, now=now)

    return for_each(ids, begin)


def follow_silences(sessions: Sessions, clock: Clock) -> int:
    """Do what follows where calls don't get through; return how many steps were taken.

    A transaction for each enrolment that is concerned, so that one bad row never holds up
    the rest.
    """
    now = clock()
    with sessions.begin() as session:
        count = follow_ups.close_for_nobody(session, now=now)

    def settle(enrolment_id: int) -> int:
        with sessions.begin() as session:
            return silence.settle(session, enrolment_id, now=now)

    after_id: int | None = 0
    while after_id is not None:
        with reading(), sessions() as session:
            page = candidates.page_of(session, now=now, after_id=after_id, limit=PAGE)
        count, after_id = count + for_each(page.ids, settle), page.next_after_id
    return count


def refit_changed_versions(sessions: Sessions, clock: Clock) -> int:
    """Plan calls anew whose enrolments were moved to another version; return how many.

    Whoever publishes a version only moves the enrolments: there may be many.
    """
    now, count, after_id = clock(), 0, 0

    while True:
        with reading(), sessions() as session:
            ids = versions.overtaken_ids(session, after_id=after_id, limit=PAGE)
        if not ids:
            return count
        count += for_batches(
            sessions, ids, REFITTED, lambda session, batch: versions.refit(session, batch, now=now)
        )
        after_id = ids[-1]


def refit_callers_days(sessions: Sessions, clock: Clock) -> int:
    """Move calls off the days on which their caller does not work; return how many.

    Killed half-way it begins again: whoever was moved fits by then, or can't fit better.
    """
    now, moved = clock(), 0
    with reading(), sessions() as session:
        changed = caller_days.changed(session)
    for each in changed:
        with reading(), sessions() as session:
            ids = caller_days.misfits(session, each.staff_id, now=now)
        moved += for_batches(
            sessions, ids, REFITTED, lambda session, some: caller_days.refit(session, some, now=now)
        )
        with sessions.begin() as session:
            caller_days.settle(session, each)
    return moved


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
