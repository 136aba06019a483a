"""A process may die at any statement: done again, everything is as if it had not.

Each job of the plan, applying a proposal and saving a call are ended before every statement
and every commit in turn. Each time the same work is then done once more.
"""

import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from outreach import orm
from outreach.calls import outcomes
from outreach.calls.outcomes import CallReport
from outreach.calls.rules import Outcome
from outreach.orm import Model, Sessions
from outreach.panels import applying
from outreach.patients.models import Patient
from outreach.planning import checking
from outreach.scheduler.schedule import periodic_jobs
from tests.fakes import FakeClock, FakeGateway
from tests.integration.planning import busy
from tests.integration.planning.busy import Busy

# What talks to the carrier, reads files or searches has its own trouble, and its own tests.
NOT_OF_THE_PLAN = {
    "write measure reminders",
    "index backlog",
    "forget searches",
    "send due messages",
    "settle lost messages",
    "write courtesies",
    "settle lost calls",
    "sweep uploads",
    "alert unanswered concerns",
}
Work = Callable[[Sessions, Busy], object]


class Killed(BaseException):
    """The end of our own process: nothing catches it."""


class Unwell(Exception):
    """A statement that fails while the process lives on."""


@dataclass(eq=False)
class Fate:
    """Counts statements and commits, and raises before the one whose time has come."""

    trouble: type[BaseException] = Killed
    strikes_at: int | None = None
    steps: int = 0

    def __call__(self, *_arguments: Any) -> None:
        self.steps += 1
        if self.steps == self.strikes_at:
            raise self.trouble


@contextmanager
def fated(engine: Engine, fate: Fate) -> Iterator[None]:
    """Let ``fate`` look at all that goes to the database."""
    names = ("before_cursor_execute", "commit")
    for name in names:
        event.listen(engine, name, fate)
    try:
        yield
    finally:
        for name in names:
            event.remove(engine, name, fate)


class Clinic:
    """A busy clinic that can be had again as it was: a file, or tables beside the tables."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.sessions = orm.make_sessions(engine)
        self.people = busy.fill(self.sessions, now=FakeClock()())
        self._file = engine.url.database if engine.dialect.name == "sqlite" else None
        if self._file:
            engine.dispose()
            shutil.copy(self._file, f"{self._file}_kept")
        else:
            self._run("CREATE SCHEMA kept", "CREATE TABLE kept.{0} AS TABLE {0}")

    def restore(self) -> None:
        """Put every row back as it was at first."""
        if self._file:
            self.engine.dispose()
            shutil.copy(f"{self._file}_kept", self._file)
        else:
            self._run(
                "SET LOCAL session_replication_role = replica",
                "DELETE FROM {0}; INSERT INTO {0} SELECT * FROM kept.{0}",
            )

    def _run(self, first: str, of_table: str) -> None:
        names = [table.name for table in Model.metadata.sorted_tables]
        with self.engine.begin() as connection:
            connection.exec_driver_sql("; ".join([first, *map(of_table.format, names)]))


def _hasty(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")  # a power cut is not what is tried here


@pytest.fixture
def clinic(engine: Engine) -> Clinic:
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _hasty)
    return Clinic(engine)


def _job(name: str) -> Work:
    return lambda sessions, _people: {job.name: job for job in _jobs(sessions)}[name].run()


def _jobs(sessions: Sessions) -> Any:
    clock = FakeClock()
    jobs = periodic_jobs(sessions, FakeGateway(clock), clock, Path("nowhere"))
    return [job for job in jobs if job.name not in NOT_OF_THE_PLAN]


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
