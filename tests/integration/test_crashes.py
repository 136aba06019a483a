"""A process may die at any statement: done again, everything is as if it had not.

Each job of the plan, applying a proposal and saving a call are ended before every statement
and every commit in turn. Each time the same work is then done once more.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, select

from config import SmtpServer
from outreach import orm
from outreach.calls import outcomes
from outreach.calls.outcomes import CallReport
from outreach.calls.rules import Outcome
from outreach.messaging.models import Message
from outreach.messaging.rules import MessageKind, MessageStatus
from outreach.orm import Sessions
from outreach.panels import applying
from outreach.patients.models import Patient
from outreach.scheduler.schedule import periodic_jobs
from outreach.telephony.mail import SmtpMailer
from outreach.upkeep import promises
from tests.fakes import FakeClock, FakeGateway
from tests.integration.planning import busy
from tests.killing import Fate, Kept, Killed, Unwell, fated, hasty
from tests.smtp import LocalSmtp

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


class Clinic(Kept):
    """A busy clinic that can be had again as it was, and the mail server that it hands over to."""

    def __init__(self, engine: Engine, mail: LocalSmtp) -> None:
        self.mail = mail
        self.people = busy.fill(orm.make_sessions(engine), now=FakeClock()())
        super().__init__(engine)


Work = Callable[[Clinic], object]


@pytest.fixture
def clinic(engine: Engine) -> Iterator[Clinic]:
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", hasty)
    with LocalSmtp() as mail:
        yield Clinic(engine, mail)


def _job(name: str) -> Work:
    def run(clinic: Clinic) -> object:
        jobs = {job.name: job for job in _jobs(clinic.sessions, clinic.mail.port)}
        return jobs[name].run()

    return run


def _jobs(sessions: Sessions, port: int) -> Any:
    clock = FakeClock()
    sender = "Us <us@clinic.example>"
    mailer = SmtpMailer(SmtpServer(host="127.0.0.1", port=port, sender=sender, security="none"))
    jobs = periodic_jobs(sessions, FakeGateway(clock), clock, Path("nowhere"), mailer=mailer)
    return [job for job in jobs if job.name not in {*ELSEWHERE, "sweep uploads"}]


def _apply(clinic: Clinic) -> int:
    people = clinic.people
    with clinic.sessions.begin() as session:
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
    def record(clinic: Clinic) -> int:
        report = CallReport("the one form", outcome, 12, note="Slept well.", promise="The dentist")
        with clinic.sessions.begin() as session:
            patient = session.get_one(Patient, clinic.people.patient.id)
            call_id, actor, now = clinic.people.call_id, clinic.people.actor, FakeClock()()
            return outcomes.record(session, patient, call_id, report, actor=actor, now=now).id

    return record


JOBS = {job.name: _job(job.name) for job in _jobs(Sessions(), 0)}
# What these hand over can't be taken back: they have a test of their own.
LETTERS = {"mail digests": MessageKind.DIGEST_EMAIL, "mail support": MessageKind.SUPPORT_EMAIL}
CALLS = {
    f"record {outcome.value}": _record(outcome)
    for outcome in (Outcome.COMPLETED, Outcome.NO_ANSWER, Outcome.OPTED_OUT)
}
OF_ROWS = {name: work for name, work in JOBS.items() if name not in LETTERS}
WORKS: dict[str, Work] = OF_ROWS | {"apply a proposal": _apply} | CALLS


# What reads as it goes leaves its cursor open; a real process takes its connection along.
@pytest.mark.filterwarnings("ignore:.*ServerCursor:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("work", WORKS.values(), ids=WORKS)
def test_a_process_killed_at_any_statement_leaves_nothing_half_done(
    work: Work, clinic: Clinic
) -> None:
    _strike(work, clinic, Killed)


@pytest.mark.parametrize("work", OF_ROWS.values(), ids=OF_ROWS)
def test_a_job_whose_statement_fails_makes_up_for_it_the_next_time(
    work: Work, clinic: Clinic, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)  # each failure is logged, as it should be

    _strike(work, clinic, Unwell, every=3)


@pytest.mark.parametrize("trouble", [Killed, Unwell])
@pytest.mark.parametrize("name", LETTERS)
def test_a_letter_goes_out_once_or_its_row_shows_that_nobody_knows(
    name: str, trouble: type[BaseException], clinic: Clinic
) -> None:
    undisturbed = Fate()
    with fated(clinic.engine, undisturbed):
        JOBS[name](clinic)
    due = _letters_of(clinic)
    assert due
    assert _states(clinic, LETTERS[name]) == {MessageStatus.ACCEPTED: due.total()}
    for step in range(1, undisturbed.steps + 1):
        clinic.restore()
        clinic.mail.letters.clear()
        with fated(clinic.engine, Fate(trouble, step)):
            _until_struck(JOBS[name], clinic, trouble)
        JOBS[name](clinic)
        sent, states = _letters_of(clinic), _states(clinic, LETTERS[name])
        assert sent <= due, f"struck at step {step}: twice, or to somebody else"
        assert states.total() == due.total()
        assert due.total() - sent.total() <= states[MessageStatus.LOST] <= 1
    _check_promises(clinic)


def _letters_of(clinic: Clinic) -> Counter[str]:
    return Counter(str(letter["Message-ID"]) for _to, letter in clinic.mail.letters)


def _states(clinic: Clinic, kind: MessageKind) -> Counter[MessageStatus]:
    with orm.reading(), clinic.sessions() as session:
        return Counter(session.scalars(select(Message.status).where(Message.kind == kind)))


def _strike(work: Work, clinic: Clinic, trouble: type[BaseException], *, every: int = 1) -> None:
    """Strike before each statement and commit in turn (or each third); then do it again."""
    before = busy.seen(clinic.sessions)
    undisturbed = Fate()
    with fated(clinic.engine, undisturbed):
        work(clinic)
    expected = busy.seen(clinic.sessions)
    assert expected != before
    _check_promises(clinic)
    for step in range(1, undisturbed.steps + 1, every):
        clinic.restore()
        fate = Fate(trouble, step)
        with fated(clinic.engine, fate):
            _until_struck(work, clinic, trouble)
        assert fate.steps >= step
        work(clinic)
        assert busy.seen(clinic.sessions) == expected, f"struck at step {step}"


def _until_struck(work: Work, clinic: Clinic, trouble: type[BaseException]) -> None:
    try:
        work(clinic)
    except trouble:
        return
    assert trouble is Unwell, "somebody caught the end of the process"


def _check_promises(clinic: Clinic) -> None:
    """Let every job run: no promise is broken, and in the end nothing changes any more.

    One job may leave work to another that ran before it, so it takes them two rounds.
    """
    for _time in range(3):
        settled = busy.seen(clinic.sessions)
        for job in _jobs(clinic.sessions, clinic.mail.port):
            job.run()
    assert busy.seen(clinic.sessions) == settled
    with orm.reading(), clinic.sessions() as session:
        assert promises.breaches(session, now=FakeClock()()) == []
