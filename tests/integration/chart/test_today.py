"""The patient's page says why there is no call, and no text, today: as the rules decide."""

from datetime import timedelta
from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from outreach.accounts.models import StaffMember
from outreach.accounts.rules import Role
from outreach.messaging.jobs import send_due_messages
from outreach.orm import Sessions
from outreach.patients.models import Patient, PhoneNumber
from outreach.planning.jobs import write_reminders
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus
from tests.builders import make_clinic, make_enrolment, make_patient, make_planned_call, make_staff
from tests.conftest import HASH, sign_in
from tests.fakes import FakeClock, FakeGateway


@pytest.fixture
def page(sessions: Sessions, clock: FakeClock, client: FlaskClient) -> "Page":
    with sessions.begin() as session:
        clinic = make_clinic(session)
        patient = make_patient(session, clinic, sms_consent=True)
        enrolment = make_enrolment(session, patient, caller=make_staff(session, clinic))
        call = make_planned_call(session, enrolment)
        call.due_on = (clock() + timedelta(days=2)).date()
        call.dial_from_at = clock() + timedelta(days=2)
        call.dial_until_at = clock() + timedelta(days=2, hours=3)
        manager = make_staff(session, clinic, Role.MANAGER, password_hash=HASH)
    return Page(client, manager, patient.ref)


class Page:
    """The patient's page, as words."""

    def __init__(self, client: FlaskClient, reader: StaffMember, ref: str) -> None:
        self._client, self._reader, self._address = client, reader, f"/patients/{ref}"

    def __contains__(self, words: str) -> bool:
        sign_in(self._client, self._reader)  # a day passes between looks
        answer = self._client.get(self._address)
        assert answer.status_code == 200
        return words in " ".join(unescape(answer.text).split())


def test_what_the_page_announces_is_what_is_sent(
    page: Page, sessions: Sessions, clock: FakeClock, gateway: FakeGateway
) -> None:
    assert "No call: the next one is due Wed, Nov 25, 10:00" in page
    assert "the reminder goes out Tue, Nov 24, 10:00" in page

    clock.advance(timedelta(hours=23, minutes=59))
    assert write_reminders(sessions, clock) == 0
    clock.advance(timedelta(minutes=1))
    assert "A text goes out within a minute." in page
    assert write_reminders(sessions, clock) == 1
    assert "A text goes out within a minute." in page
    assert send_due_messages(sessions, gateway, clock) == 1

    assert "A text went out today" in page


def test_who_is_paused_gets_neither(page: Page, sessions: Sessions) -> None:
    with sessions.begin() as session:
        session.execute(update(Enrolment).values(status=EnrolmentStatus.PAUSED))

    assert "No call: calls are paused." in page
    assert "No text: not in the programme then." in page


def test_a_number_that_takes_no_texts_is_the_reason(page: Page, sessions: Sessions) -> None:
    with sessions.begin() as session:
        session.execute(update(PhoneNumber).values(can_text=False))
        assert session.scalars(select(Patient)).one()

    assert "No text: the number does not work for texts." in page
