"""Nobody who waits for the carrier holds up what tells a nurse; sending ends when told to."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from outreach.errors import ProviderUnavailable
from outreach.messaging.models import Message
from outreach.messaging.rules import MessageStatus
from outreach.orm import Sessions
from outreach.patients.models import Patient
from outreach.scheduler.schedule import Lane, PeriodicJob, periodic_jobs
from outreach.telephony.gateway import TelephonyGateway
from tests.fakes import FakeClock, FakeGateway
from tests.integration.messaging.conftest import make_message, make_reminder

DAYS_AGO = timedelta(days=2)


class Silent:
    """A carrier that answers nothing; ``asked`` is what of it."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> object:
        self.asked.append(name)
        raise ProviderUnavailable("It is silent.")


def jobs_of(
    sessions: Sessions, gateway: TelephonyGateway, clock: FakeClock, folder: Path, *, goes_on: bool
) -> dict[str, PeriodicJob]:
    jobs = periodic_jobs(sessions, gateway, clock, folder, go_on=lambda: goes_on)
    return {each.name: each for each in jobs}


@pytest.fixture
def clinic_with_texts(sessions: Sessions, clock: FakeClock) -> None:
    """One text is due, of another nobody knows whether it went out."""
    patient_id = make_reminder(sessions, clock)
    with sessions.begin() as session:
        asked_at = clock() - DAYS_AGO
        make_message(
            session, session.get_one(Patient, patient_id), status=MessageStatus.UNKNOWN,
            calling_at=asked_at, created_at=asked_at, provider_id=None,
        )  # fmt: skip


@pytest.mark.usefixtures("clinic_with_texts")
def test_what_tells_a_nurse_waits_for_no_carrier(
    sessions: Sessions, clock: FakeClock, tmp_path: Path
) -> None:
    silent = Silent()
    jobs = jobs_of(sessions, silent, clock, tmp_path, goes_on=True)  # type: ignore[arg-type]
    alerting = jobs["alert unanswered concerns"]
    beside = [each for each in jobs.values() if each.lane is alerting.lane]

    for each in beside:
        each.run()

    assert len(beside) > 10
    assert silent.asked == []
    for name in ("send due messages", "settle lost messages"):  # there is something for each
        jobs[name].run()
    assert set(silent.asked) == {"send_sms", "find_sms"}


@pytest.mark.usefixtures("clinic_with_texts")
def test_a_scheduler_that_was_told_to_stop_claims_no_more(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock, tmp_path: Path
) -> None:
    stopping = jobs_of(sessions, gateway, clock, tmp_path, goes_on=False)
    going_on = jobs_of(sessions, gateway, clock, tmp_path, goes_on=True)

    for name in ("send due messages", "send in turn"):
        assert stopping[name].run() == 0
    with sessions() as session:
        statuses = set(session.scalars(select(Message.status)))

    assert statuses == {MessageStatus.SCHEDULED, MessageStatus.UNKNOWN}
    assert going_on["send due messages"].run() == 1


def test_what_lasts_as_long_as_there_is_work_has_a_lane_to_itself(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock, tmp_path: Path
) -> None:
    jobs = jobs_of(sessions, gateway, clock, tmp_path, goes_on=True).values()

    for lane in (Lane.SENDING, Lane.PACED):
        assert len([each for each in jobs if each.lane is lane]) == 1
