"""Texts around calls: where the clinic wants them, about what happened, once."""

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Role, Scope
from outreach.calls import courtesies
from outreach.calls.jobs import write_courtesies
from outreach.calls.models import Attempt
from outreach.calls.rules import UNDO_FOR, Outcome
from outreach.messaging import setting
from outreach.messaging.jobs import send_due_messages
from outreach.messaging.models import Message
from outreach.messaging.rules import BY_CHOICE, MessageKind
from outreach.orm import Sessions
from outreach.patients import consent, registry
from outreach.patients.models import Patient
from outreach.patients.rules import TOPICS, Channel, ConsentSource
from outreach.planning.models import PlannedCall
from outreach.programmes.models import CadenceChoice, Enrolment
from tests.builders import (
    make_attempt,
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.conftest import HASH, sign_in
from tests.fakes import PUBLIC_URL, FakeClock, FakeGateway

EVERYTHING = Scope(everything=True, clinic_ids=frozenset(), staff_id=0)


class Place:
    """A clinic that wants every text, and one patient of its with an open call."""

    def __init__(self, sessions: Sessions, gateway: FakeGateway, clock: FakeClock) -> None:
        self.sessions, self.gateway, self.clock = sessions, gateway, clock
        with sessions.begin() as session:
            self.clinic: Clinic = make_clinic(session, name="Cedar Creek Clinic")
            self.caller: StaffMember = make_staff(session, self.clinic, name="Ana Morales")
            self.manager: StaffMember = make_staff(
                session, self.clinic, Role.MANAGER, phone="+12025550155", password_hash=HASH
            )
            self.patient: Patient = make_patient(session, self.clinic)
            number = registry.numbers_of(session, self.patient.id)[0].e164
            consent.agree(
                session,
                self.patient,
                number,
                frozenset(TOPICS[Channel.SMS]),
                source=ConsentSource.FORM,
                by_staff_id=None,
                now=clock(),
            )
            self.enrolment: Enrolment = make_enrolment(session, self.patient, caller=self.caller)
            self.call: PlannedCall = make_planned_call(session, self.enrolment)
            self.call.dial_from_at = clock() + timedelta(days=1)
            self.call.dial_until_at = clock() + timedelta(days=1, hours=1)
            self._choose(session, BY_CHOICE)

    def choose(self, *kinds: MessageKind) -> None:
        with self.sessions.begin() as session:
            self._choose(session, kinds)

    def _choose(self, session: Session, kinds: tuple[MessageKind, ...]) -> None:
        setting.choose(
            session,
            EVERYTHING,
            self.clinic.id,
            kinds,
            by_staff_id=self.manager.id,
            now=self.clock(),
        )

    def dial(self, outcome: Outcome) -> Attempt:
        with self.sessions.begin() as session:
            return make_attempt(session, self.call, self.caller, outcome=outcome, at=self.clock())

    def dial_again(self, outcome: Outcome) -> Attempt:
        """Try for the second time, three hours after the first."""
        before = self.clock() - timedelta(hours=3)
        with self.sessions.begin() as session:
            make_attempt(session, self.call, self.caller, outcome=Outcome.NO_ANSWER, at=before)
        return self.dial(outcome)

    def texts(self) -> list[str]:
        write_courtesies(self.sessions, self.clock)
        assert write_courtesies(self.sessions, self.clock) == 0, "written twice"
        send_due_messages(self.sessions, self.gateway, self.clock)
        return [sms.body for sms in self.gateway.sent if sms.to == "+15125550147"]


@pytest.fixture
def place(sessions: Sessions, gateway: FakeGateway, clock: FakeClock) -> Place:
    found = Place(sessions, gateway, clock)
    found.choose(*(kind for kind in BY_CHOICE if kind is not MessageKind.DIGEST))
    return found


def test_whom_nobody_reached_is_told_that_we_tried_and_will_again(place: Place) -> None:
    place.dial(Outcome.NO_ANSWER)
    place.clock.advance(timedelta(hours=3))
    assert place.texts() == [], "once is not worth a text"
    place.dial(Outcome.NO_ANSWER)
    assert place.texts() == [], "it may still be taken back"
    place.clock.advance(UNDO_FOR)

    (text,) = place.texts()

    assert text.startswith("Cedar Creek Clinic, (")
    assert "Ana tried to call you today" in text


def reach(place: Place) -> None:
    place.clock.advance(timedelta(minutes=1))
    place.dial(Outcome.DECLINED_TODAY)


def take_back(place: Place) -> None:
    with place.sessions.begin() as session:
        newest = select(Attempt).order_by(Attempt.id.desc()).limit(1)
        session.scalars(newest).one().superseded_at = place.clock()


def want_none(place: Place) -> None:
    place.choose()


def next_day(place: Place) -> None:
    place.clock.advance(timedelta(hours=15))


@pytest.mark.parametrize("then", [reach, take_back, want_none, next_day])
def test_no_missed_you_where_it_would_be_wrong(place: Place, then: Callable[[Place], None]) -> None:
    place.dial_again(Outcome.NO_ANSWER)
    then(place)
    place.clock.advance(UNDO_FOR)

    assert place.texts() == []


def test_a_voicemail_says_enough(place: Place) -> None:
    place.dial_again(Outcome.VOICEMAIL_LEFT)
    place.clock.advance(UNDO_FOR)

    assert place.texts() == []


def test_an_agreed_time_is_confirmed(place: Place) -> None:
    place.dial(Outcome.CALL_BACK)
    with place.sessions.begin() as session:
        session.get_one(PlannedCall, place.call.id).is_agreed = True
    place.clock.advance(UNDO_FOR)

    (text,) = place.texts()

    assert "Ana will call you back on Tue, Nov 24 at 10 AM" in text


def test_who_chose_a_rhythm_is_thanked_with_it(place: Place) -> None:
    with place.sessions.begin() as session:
        session.add(
            CadenceChoice(
                clinic_id=place.clinic.id,
                patient_id=place.patient.id,
                enrolment_id=place.enrolment.id,
                phase="weeks_2_4",
                value=3,
                chosen_at=place.clock(),
            )
        )
    place.clock.advance(UNDO_FOR)

    (text,) = place.texts()

    assert "as you chose:" in text


def test_managers_get_one_word_a_week_and_no_figure(place: Place) -> None:
    place.choose(MessageKind.DIGEST)
    for _hour in range(24 * 8):
        write_courtesies(place.sessions, place.clock)
        send_due_messages(place.sessions, place.gateway, place.clock)
        place.clock.advance(timedelta(hours=1))

    bodies = [sms.body for sms in place.gateway.sent if sms.to == "+12025550155"]
    words = (
        "Cedar Creek Clinic: the week in numbers is ready. Please sign in to Outreach to read it."
    )
    assert bodies == [words] * 2


def test_the_weekly_word_leads_to_the_report(place: Place, client: FlaskClient) -> None:
    place.choose(MessageKind.DIGEST)
    write_courtesies(place.sessions, place.clock, PUBLIC_URL)
    send_due_messages(place.sessions, place.gateway, place.clock)

    (body,) = [sms.body for sms in place.gateway.sent if sms.to == "+12025550155"]
    words, link = body.rsplit(" ", 1)
    assert words.endswith("Please sign in to Outreach to read it.")
    assert link.startswith(f"{PUBLIC_URL}/")
    asked = client.get(link.removeprefix(PUBLIC_URL))
    assert asked.status_code == 302, "they sign in first, and get there then"
    assert parse_qs(urlsplit(asked.location).query)["next"] == [link.removeprefix(PUBLIC_URL)]
    sign_in(client, place.manager)
    assert client.get(link.removeprefix(PUBLIC_URL)).status_code == 200


def test_a_manager_chooses_what_is_sent(place: Place, client: FlaskClient) -> None:
    sign_in(client, place.manager)

    page = client.post(
        f"/messages/clinics/{place.clinic.id}/kinds",
        data={"kinds": ["missed_you"]},
        follow_redirects=True,
    ).text

    assert page.count(" checked") == 1
    with place.sessions() as session:
        assert setting.kinds_of(session, place.clinic.id) == {MessageKind.MISSED_YOU}
        assert session.scalars(select(Message.id)).all() == []


def test_many_of_yesterday_hold_up_nobody_of_today(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courtesies, "BATCH", 1)
    with place.sessions.begin() as session:  # no text of theirs was written in time
        late = make_patient(session, place.clinic, phone="+15125550148")
        consent.agree(
            session,
            late,
            "+15125550148",
            frozenset(TOPICS[Channel.SMS]),
            source=ConsentSource.FORM,
            by_staff_id=None,
            now=place.clock(),
        )
        call = make_planned_call(session, make_enrolment(session, late, caller=place.caller))
        for hours in (18, 15):
            at = place.clock() - timedelta(hours=hours)
            make_attempt(session, call, place.caller, outcome=Outcome.NO_ANSWER, at=at)
    place.dial_again(Outcome.NO_ANSWER)
    place.clock.advance(UNDO_FOR)

    assert len(place.texts()) == 1
