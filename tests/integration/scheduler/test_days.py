"""APScheduler itself drives two weeks that pass in seconds, while callers dial."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from outreach import orm
from outreach.accounts.rules import Actor
from outreach.calls import outcomes, queue
from outreach.calls.models import Attempt
from outreach.calls.outcomes import CallAlreadyClosed, CallReport
from outreach.calls.rules import Outcome, QueueGroup
from outreach.clock import Clock
from outreach.errors import RuleBroken
from outreach.orm import Sessions
from outreach.patients.models import Patient
from outreach.planning import checking
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from outreach.scheduler import runner as runner_module
from outreach.scheduler.leader import FileLeadership
from outreach.scheduler.runner import Runner
from outreach.scheduler.schedule import periodic_jobs
from tests.builders import actor_of, make_clinic, make_enrolment, make_patient, make_staff
from tests.fakes import FakeClock, FakeGateway
from tests.integration.scheduler.test_two_at_once import HASTE, HastyClock

PATIENTS, DAYS, MORE_WEEKS = 12, 14, 20
# A tick for each 3.6 hours of their time: each job of the product in turn, for ever late.
EVERY_SECONDS = 0.05
PATIENCE = 60.0
NO_ANSWER_EVERY = 3


def enrol(sessions: Sessions) -> Actor:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        caller = make_staff(session, clinic)
        for _each in range(PATIENTS):
            make_enrolment(session, make_patient(session, clinic), caller=caller)
        return actor_of(caller, clinic)


@contextmanager
def scheduler(sessions: Sessions, clock: Clock, folder: Path) -> Iterator[None]:
    """Run the real scheduler of the product beside the test, as fast as the clock runs."""
    jobs = [
        replace(job, every_seconds=EVERY_SECONDS)
        for job in periodic_jobs(sessions, FakeGateway(FakeClock()), clock, folder)
    ]
    runner = Runner(jobs, FileLeadership(folder / "scheduler.lock"))
    thread = threading.Thread(target=runner.run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        runner.stop()
        thread.join(PATIENCE)
    assert not thread.is_alive()


def dial(sessions: Sessions, actor: Actor, clock: Clock, dials: int) -> int:
    """Dial everybody whose call is due, while the scheduler moves calls; return how many."""
    now = clock()
    actor = replace(actor, as_of=now)
    with orm.reading(), sessions() as session:
        due = queue.queue_of(session, actor, now=now).of(QueueGroup.NOW)
    for entry in due:
        dials += 1
        outcome = Outcome.COMPLETED if dials % NO_ANSWER_EVERY else Outcome.NO_ANSWER
        report = CallReport(f"key {dials}", outcome, 10)
        try:
            with sessions.begin() as session:
                patient = session.scalars(select(Patient).where(Patient.ref == entry.ref)).one()
                outcomes.record(
                    session, patient, entry.planned_call_id, report, actor=actor, now=clock()
                )
        except (RuleBroken, CallAlreadyClosed):
            dials -= 1  # the scheduler was quicker: the call had been moved or closed
    return dials


def test_two_weeks_under_the_real_scheduler_keep_every_promise(
    sessions: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "POLL_SECONDS", 0.05)
    actor = enrol(sessions)
    clock = HastyClock(time.time())
    until, dials = clock() + timedelta(days=DAYS), 0
    # On a busy machine the scheduler gets little done in two weeks that pass in seconds.
    latest = until + timedelta(weeks=MORE_WEEKS)

    with scheduler(sessions, clock, tmp_path):
        while clock() < until or (dials <= PATIENTS and clock() < latest):
            dials = dial(sessions, actor, clock, dials)
            time.sleep(3600 / HASTE)

    stopped = FakeClock(clock())
    for job in periodic_jobs(sessions, FakeGateway(stopped), stopped, tmp_path):
        job.run()
    with orm.reading(), sessions() as session:
        assert checking.breaches(session, now=stopped()) == []
        assert session.scalar(select(func.count(Attempt.id))) == dials
        closed = session.scalar(
            select(func.count(PlannedCall.id)).where(PlannedCall.status != CallStatus.PLANNED)
        )
    assert dials > PATIENTS
    assert closed is not None
    assert closed > 0
