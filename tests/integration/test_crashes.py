"""A process may die at any statement: done again, everything is as if it had not.

Each job of the plan, applying a proposal and saving a call are ended before every statement
and every commit in turn. Each time the same work is then done once more.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from outreach import orm
from outreach.calls import outcomes
from outreach.calls.outcomes import CallReport
from outreach.calls.rules import Outcome
from outreach.orm import Sessions
from outreach.panels import applying
from outreach.patients.models import Patient
from outreach.planning import checking
from outreach.scheduler.schedule import periodic_jobs
from tests.fakes import FakeClock, FakeGateway
from tests.integration.planning import busy
from tests.integration.planning.busy import Busy
from tests.killing import Fate, Kept, Killed, Unwell, fated, hasty

# What talks to the carrier or writes files has trouble of its own kind, and is killed there.
ELSEWHERE = {
    "send due messages": "integration/messaging/test_rough_year.py",
    "send in turn": "integration/messaging/test_pace.py",
    "settle lost messages": "integration/messaging/test_rough_year.py",
    "write courtesies": "integration/messaging/test_rough_year.py",
    "alert unanswered concerns": "integration/concerns/test_restarts.py",
    "settle lost calls": "integration/phoning/test_trouble.py",
    "write exports": "integration/exports/test_making.py",
    "expire exports": "integration/exports/test_making.py",
}
Work = Callable[[Sessions, Busy], object]


class Clinic(Kept):
    """A busy clinic that can be had again as it was."""

    def __init__(self, engine: Engine) -> None:
        self.people = busy.fill(orm.make_sessions(engine), now=FakeClock()())
        super().__init__(engine)


@pytest.fixture
def clinic(engine: Engine) -> Clinic:
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", hasty)
    return Clinic(engine)


def _job(name: str) -> Work:
    return lambda sessions, _people: {job.name: job for job in _jobs(sessions)}[name].run()


def _jobs(sessions: Sessions) -> Any:
    clock = FakeClock()
    jobs = periodic_jobs(sessions, FakeGateway(clock), clock, Path("nowhere"))
    return [job for job in jobs if job.name not in {*ELSEWHERE, "sweep uploads"}]


def _apply(sessions: Sessions, people: Busy) -> int:
    with sessions.begin() as session:
        return applying.apply(
            session,
            people.proposal_id,
            people.clinic,
            by_staff_id=people.manager.id,
            above_cap=False,
            seen=0,
            now=FakeClock()(),
        )


def _record(outcome: Outcome) -> Work:
    def record(sessions: Sessions, people: Busy) -> int:
        report = CallReport("the one form", outcome, 12, note="Slept well.", promise="The dentist")
        with sessions.begin() as session:
            patient = session.get_one(Patient, people.patient.id)
            now = FakeClock()()
            return outcomes.record(
                session, patient, people.call_id, report, actor=people.actor, now=now
            ).id

    return record


JOBS = {job.name: _job(job.name) for job in _jobs(Sessions())}
CALLS = {
    f"record {outcome.value}": _record(outcome)
    for outcome in (Outcome.COMPLETED, Outcome.NO_ANSWER, Outcome.OPTED_OUT)
}
WORKS: dict[str, Work] = JOBS | {"apply a proposal": _apply} | CALLS


# What reads as it goes leaves its cursor open; a real process takes its connection along.
@pytest.mark.filterwarnings("ignore:.*ServerCursor:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("work", WORKS.values(), ids=WORKS)
def test_a_process_killed_at_any_statement_leaves_nothing_half_done(
    work: Work, clinic: Clinic
) -> None:
    _strike(work, clinic, Killed)


@pytest.mark.parametrize("work", JOBS.values(), ids=JOBS)
def test_a_job_whose_statement_fails_makes_up_for_it_the_next_time(
    work: Work, clinic: Clinic, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)  # each failure is logged, as it should be

    _strike(work, clinic, Unwell, every=3)


def _strike(work: Work, clinic: Clinic, trouble: type[BaseException], *, every: int = 1) -> None:
    """Strike before each statement and commit in turn (or each third); then do it again."""
    before = busy.seen(clinic.sessions)
    undisturbed = Fate()
    with fated(clinic.engine, undisturbed):
        work(clinic.sessions, clinic.people)
    expected = busy.seen(clinic.sessions)
    assert expected != before
    _check_promises(clinic)
    for step in range(1, undisturbed.steps + 1, every):
        clinic.restore()
        fate = Fate(trouble, step)
        with fated(clinic.engine, fate):
            _until_struck(work, clinic, trouble)
        assert fate.steps >= step
        work(clinic.sessions, clinic.people)
        assert busy.seen(clinic.sessions) == expected, f"struck at step {step}"


def _until_struck(work: Work, clinic: Clinic, trouble: type[BaseException]) -> None:
    try:
        work(clinic.sessions, clinic.people)
    except trouble:
        return
    assert trouble is Unwell, "somebody caught the end of the process"


def _check_promises(clinic: Clinic) -> None:
    """Let every job run: no promise is broken, and in the end nothing changes any more.

    One job may leave work to another that ran before it, so it takes them two rounds.
    """
    for _time in range(3):
        settled = busy.seen(clinic.sessions)
        for job in _jobs(clinic.sessions):
            job.run()
    assert busy.seen(clinic.sessions) == settled
    with orm.reading(), clinic.sessions() as session:
        assert checking.breaches(session, now=FakeClock()()) == []
