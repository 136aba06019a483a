"""What a clinic chooses about its texts holds wherever texts are judged."""

from dataclasses import replace
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from config import Config, SmtpServer
from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Role, Scope
from outreach.messaging import receipts, setting, today
from outreach.messaging.jobs import send_due_messages, settle_lost_messages
from outreach.messaging.models import Message
from outreach.messaging.rules import LIMITS, Limits, MessageKind, MessageStatus, SkipReason
from outreach.orm import Sessions
from outreach.patients.models import Patient, PhoneNumber
from outreach.telephony.gateway import DeliveryReport, DeliveryStatus, OutcomeUnknown
from tests.builders import make_clinic, make_enrolment, make_patient, make_staff
from tests.conftest import HASH, sign_in
from tests.fakes import FakeClock, FakeGateway
from tests.integration.messaging.conftest import make_message, make_reminder, only_message

EVERYTHING = Scope(everything=True, clinic_ids=frozenset(), staff_id=0)
SETTLE_AFTER = timedelta(minutes=LIMITS.settle_minutes)
MAIL = SmtpServer(host="mail.example", port=587, sender="Outreach <o@clinic.example>")
WHY_NO_EMAIL = NO_SERVER, IN_TRIAL = (
    "no mail server is set up yet",
    "no e-mail goes out in a trial",
)


class Place:
    """A clinic, its manager, and a patient who agreed to reminders."""

    def __init__(self, sessions: Sessions, clock: FakeClock) -> None:
        self.sessions, self.clock = sessions, clock
        with sessions.begin() as session:
            self.clinic: Clinic = make_clinic(session)
            self.manager: StaffMember = make_staff(
                session, self.clinic, Role.MANAGER, password_hash=HASH
            )
            self.patient: Patient = make_patient(session, self.clinic, sms_consent=True)
            make_enrolment(session, self.patient, caller=make_staff(session, self.clinic))

    def limit(self, **limits: int) -> None:
        with self.sessions.begin() as session:
            setting.limit(
                session,
                EVERYTHING,
                self.clinic.id,
                Limits(**limits),
                by_staff_id=self.manager.id,
                now=self.clock(),
            )

    def sent(self, *ago: timedelta) -> None:
        with self.sessions.begin() as session:
            for each in ago:
                make_message(session, self.patient, calling_at=self.clock() - each)

    def waiting(self, kind: MessageKind = MessageKind.REMINDER, **deviations: object) -> int:
        values = {
            "kind": kind,
            "status": MessageStatus.SCHEDULED,
            "send_after": self.clock(),
            "provider_id": None,
            "tries": 0,
        }
        with self.sessions.begin() as session:
            return make_message(session, self.patient, **(values | deviations)).id

    def outlook(self) -> today.TextOutlook:
        with self.sessions() as session:
            patient = session.get_one(Patient, self.patient.id)
            return today.outlook(session, patient, now=self.clock())


@pytest.fixture
def config(config: Config, request: pytest.FixtureRequest) -> Config:
    """The settings of every test, and what a test sets itself."""
    return replace(config, **getattr(request, "param", {}))


@pytest.fixture
def place(sessions: Sessions, clock: FakeClock) -> Place:
    return Place(sessions, clock)


@pytest.mark.parametrize(("per_day", "goes_out"), [(1, False), (2, True)])
def test_a_clinic_says_how_many_a_day(
    place: Place, gateway: FakeGateway, per_day: int, *, goes_out: bool
) -> None:
    place.limit(per_day=per_day)
    place.sent(timedelta(hours=1))
    place.waiting()

    assert place.outlook().decision.is_send is goes_out
    assert send_due_messages(place.sessions, gateway, place.clock) == goes_out


def test_past_the_weeks_limit_a_text_waits_until_the_week_frees_or_is_dropped(
    place: Place, gateway: FakeGateway
) -> None:
    place.limit(per_week=2)
    place.sent(timedelta(days=6), timedelta(days=3))
    long = place.waiting()
    short = place.waiting(expires_at=place.clock() + timedelta(hours=5))

    assert send_due_messages(place.sessions, gateway, place.clock) == 0

    with place.sessions() as session:
        assert session.get_one(Message, short).skip_reason is SkipReason.WEEK_LIMIT
        assert session.get_one(Message, long).send_after == place.clock() + timedelta(days=1)
    place.clock.advance(timedelta(days=1))
    assert send_due_messages(place.sessions, gateway, place.clock) == 1


def test_why_no_text_is_the_weeks_limit_where_none_is_written(place: Place) -> None:
    place.sent(timedelta(days=6), timedelta(days=4), timedelta(days=2))

    assert place.outlook().decision.skip is SkipReason.WEEK_LIMIT
    place.limit(per_week=4)
    assert place.outlook().decision.is_send


@pytest.mark.parametrize(("times", "can_text"), [(2, False), (3, True)])
def test_a_clinic_says_how_often_a_number_may_find_nobody(
    place: Place, times: int, *, can_text: bool
) -> None:
    place.limit(unreachable_times=times)
    with place.sessions.begin() as session:
        for number in range(2):
            message = make_message(session, place.patient, status=MessageStatus.SENT)
            report = DeliveryReport(
                f"SM{number}", DeliveryStatus.UNDELIVERED, 30005, is_unreachable=True
            )
            receipts.apply(session, message.id, report, now=place.clock())
        number_row = session.scalars(select(PhoneNumber)).one()
        session.refresh(number_row)
        assert number_row.can_text is can_text


def test_why_no_text_is_asked_of_the_one_whose_turn_it_is(place: Place) -> None:
    """The sender goes by what matters most: so does the page."""
    place.waiting(MessageKind.THANK_YOU, send_after=place.clock() - timedelta(hours=2))
    place.waiting(MessageKind.REMINDER, send_after=place.clock() - timedelta(hours=1))

    found = place.outlook()

    assert found.decision.is_send, "the reminder; to thank-yous they did not agree"
    assert found.waiting_at == place.clock() - timedelta(hours=1)


def lose(sessions: Sessions, gateway: FakeGateway, clock: FakeClock) -> None:
    """Hand over a reminder of which no answer and no trace ever comes."""
    make_reminder(sessions, clock)
    gateway.troubles, gateway.takes_unknown = [OutcomeUnknown("timeout")], False
    send_due_messages(sessions, gateway, clock)


def test_what_is_lost_and_of_no_use_any_more_is_shown_to_people(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock, client: FlaskClient
) -> None:
    lose(sessions, gateway, clock)
    clock.advance(timedelta(hours=23))  # the call begins

    assert settle_lost_messages(sessions, gateway, clock) == 1
    clock.advance(timedelta(hours=1))
    assert send_due_messages(sessions, gateway, clock) == 0

    with sessions.begin() as session:
        message = only_message(session)
        assert message.status is MessageStatus.LOST
        manager = make_staff(session, None, Role.ADMINISTRATOR, password_hash=HASH)
    sign_in(client, manager)
    page = client.get("/messages/delivery").text
    assert "Nobody knows whether these went out" in page
    assert f"/messages/{message.id}" in page
    assert "Rosa Nguyen" in page


def test_a_report_may_still_tell_what_became_of_a_lost_one(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    lose(sessions, gateway, clock)
    clock.advance(timedelta(hours=23))
    settle_lost_messages(sessions, gateway, clock)

    with sessions.begin() as session:
        report = DeliveryReport("SM9", DeliveryStatus.DELIVERED)
        receipts.apply(session, only_message(session).id, report, now=clock())

    with sessions() as session:
        assert only_message(session).status is MessageStatus.DELIVERED


def test_a_list_that_never_answers_lets_nothing_out_and_ends_in_lost(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    lose(sessions, gateway, clock)
    gateway.silent = True
    clock.advance(SETTLE_AFTER * 2)

    assert settle_lost_messages(sessions, gateway, clock) == 0
    assert send_due_messages(sessions, gateway, clock) == 0
    clock.advance(timedelta(hours=23))
    assert settle_lost_messages(sessions, gateway, clock) == 1

    with sessions() as session:
        assert only_message(session).status is MessageStatus.LOST


def test_a_clinic_says_how_long_a_lost_text_is_looked_for(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    lose(sessions, gateway, clock)
    with sessions.begin() as session:
        clinic = session.scalars(select(Clinic)).one()
        by = session.scalars(select(StaffMember.id)).one()
        limits = Limits(settle_minutes=60)
        setting.limit(session, EVERYTHING, clinic.id, limits, by_staff_id=by, now=clock())

    clock.advance(timedelta(minutes=59))
    assert settle_lost_messages(sessions, gateway, clock) == 0
    clock.advance(timedelta(minutes=1))
    assert settle_lost_messages(sessions, gateway, clock) == 1


def test_a_manager_sets_the_limits_and_slips_are_told(place: Place, client: FlaskClient) -> None:
    sign_in(client, place.manager)
    good = {"per_day": "2", "per_week": "5", "unreachable_times": "4", "settle_minutes": "45"}

    wrong = client.post("/messages/settings", data=good | {"per_week": "70"})
    assert wrong.status_code == 422
    assert "Use a number from 1 to 10." in wrong.text
    assert 'value="70"' in wrong.text
    right = client.post("/messages/settings", data=good, follow_redirects=True)

    assert "Saved." in right.text
    with place.sessions() as session:
        assert setting.limits_by(session)[place.clinic.id] == Limits(2, 5, 4, 45)


def test_nobody_sets_another_clinics_limits(place: Place, client: FlaskClient) -> None:
    with place.sessions.begin() as session:
        other = make_clinic(session)
    sign_in(client, place.manager)

    assert client.get(f"/messages/settings?clinic={other.code}").status_code == 404
    assert client.post(f"/messages/settings?clinic={other.code}", data={}).status_code == 404


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"smtp": MAIL}, None),
        ({}, NO_SERVER),
        ({"smtp": MAIL, "is_trial": True}, IN_TRIAL),
        ({"is_trial": True}, IN_TRIAL),
    ],
    indirect=["config"],
)
def test_the_page_says_why_no_email_goes_out(
    place: Place, client: FlaskClient, said: str | None
) -> None:
    sign_in(client, place.manager)

    page = client.get("/messages/settings").text

    assert [each for each in WHY_NO_EMAIL if each in page] == ([said] if said else [])
