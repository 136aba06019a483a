"""A concern reaches somebody within minutes, whoever sleeps and whatever is restarted."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Role
from outreach.concerns import raising, rota
from outreach.concerns.jobs import alert_unanswered
from outreach.concerns.models import Alert, Concern, OnCall
from outreach.concerns.rota import Duty
from outreach.concerns.rules import ConcernKind, OnCallRank, Trigger, Urgency
from outreach.messaging.jobs import send_due_messages, settle_lost_messages
from outreach.messaging.models import Message
from outreach.messaging.rules import MessageStatus, SkipReason
from outreach.orm import Sessions
from outreach.patients.models import Patient
from outreach.telephony.gateway import OptedOut, OutcomeUnknown
from tests.builders import make_clinic, make_enrolment, make_patient, make_staff
from tests.conftest import HASH, sign_in
from tests.fakes import FakeClock, FakeGateway

QUARTER = timedelta(minutes=15)
FIRST, BACKUP, LEAD = "+15125550111", "+15125550122", "+15125550133"


@dataclass
class Clinicians:
    """A clinic with three people who can be on call, and a patient somebody worries about."""

    sessions: Sessions
    clock: FakeClock
    clinic: Clinic
    nurse: StaffMember
    backup: StaffMember
    lead: StaffMember
    patient: Patient

    def on_call(self) -> None:
        """Put all three on call for the day."""
        ranked = zip(OnCallRank, (self.nurse, self.backup, self.lead), strict=True)
        with self.sessions.begin() as session:
            for rank, person in ranked:
                until = self.clock() + timedelta(hours=12)
                session.add(
                    OnCall(
                        clinic_id=self.clinic.id,
                        staff_id=person.id,
                        rank=rank,
                        from_at=self.clock() - timedelta(hours=1),
                        until_at=until,
                    )
                )

    def worry(self, urgency: Urgency = Urgency.NOW) -> int:
        """Raise a concern and return its id."""
        raised = raising.Raised(Trigger(ConcernKind.GLUCOSE_LOW, urgency), "48 mg/dL")
        with self.sessions.begin() as session:
            patient = session.get_one(Patient, self.patient.id)
            return raising.raise_concern(
                session, patient, raised, by_staff_id=None, now=self.clock()
            ).id


@pytest.fixture
def place(sessions: Sessions, clock: FakeClock) -> Clinicians:
    with sessions.begin() as session:
        clinic = make_clinic(session, name="Cedar Creek Clinic")
        nurse = make_staff(session, clinic, Role.NURSE, phone=FIRST, password_hash=HASH)
        backup = make_staff(session, clinic, Role.NURSE, phone=BACKUP)
        lead = make_staff(session, clinic, Role.MANAGER, phone=LEAD, password_hash=HASH)
        patient = make_patient(session, clinic, given_name="Lena", family_name="Ortiz")
        make_enrolment(session, patient, caller=make_staff(session, clinic))
        return Clinicians(sessions, clock, clinic, nurse, backup, lead, patient)


def ticks(place: Clinicians, gateway: FakeGateway) -> list[str]:
    """Run both jobs once; return the numbers that were texted by it."""
    before = len(gateway.sent)
    alert_unanswered(place.sessions, place.clock)
    send_due_messages(place.sessions, gateway, place.clock)
    return [sms.to for sms in gateway.sent[before:]]


def test_the_first_on_call_is_told_at_once_without_a_word_about_health(
    place: Clinicians, gateway: FakeGateway, clock: FakeClock
) -> None:
    place.on_call()
    place.worry()

    assert send_due_messages(place.sessions, gateway, clock) == 1

    (sms,) = gateway.sent
    assert sms.to == FIRST
    assert sms.body == (
        "Cedar Creek Clinic: a concern is waiting for you. "
        "Please sign in to Outreach now and take it on."
    )


def test_it_goes_up_the_ladder_until_somebody_takes_it_on(
    place: Clinicians, gateway: FakeGateway, clock: FakeClock
) -> None:
    place.on_call()
    place.worry()

    told = []
    for _minute in range(50):
        told.append(sorted(ticks(place, gateway)))
        clock.advance(timedelta(minutes=1))

    assert {minute: told[minute] for minute in range(50) if told[minute]} == {
        0: [FIRST],
        15: [BACKUP],
        30: [LEAD],
        45: [FIRST, BACKUP, LEAD],
    }


def test_nobody_is_told_once_somebody_has_taken_it_on(
    place: Clinicians, gateway: FakeGateway, clock: FakeClock
) -> None:
    place.on_call()
    concern_id = place.worry()
    with place.sessions.begin() as session:
        concern = session.get_one(Concern, concern_id)
        raising.acknowledge(session, concern, by_staff_id=place.nurse.id, now=clock())

    clock.advance(QUARTER)

    assert ticks(place, gateway) == []
    with place.sessions() as session:
        message = session.scalars(select(Message)).one()
        assert (message.status, message.skip_reason) == (
            MessageStatus.SKIPPED,
            SkipReason.TAKEN_ON,
        )


def test_with_nobody_on_call_every_nurse_and_manager_is_told(
    place: Clinicians, gateway: FakeGateway
) -> None:
    place.worry()

    assert sorted(ticks(place, gateway)) == [FIRST, BACKUP, LEAD]


def test_an_empty_rank_is_passed_over(place: Clinicians, gateway: FakeGateway) -> None:
    place.on_call()
    with place.sessions.begin() as session:
        first = session.scalars(select(OnCall).where(OnCall.rank == OnCallRank.FIRST)).one()
        session.delete(first)

    place.worry()

    assert sorted(ticks(place, gateway)) == [BACKUP, LEAD]


def test_a_second_tick_or_a_second_scheduler_tells_nobody_twice(
    place: Clinicians, gateway: FakeGateway
) -> None:
    place.on_call()
    place.worry()

    assert [ticks(place, gateway) for _time in range(3)] == [[FIRST], [], []]


def test_a_night_without_a_scheduler_ends_in_one_round_not_in_ten(
    place: Clinicians, gateway: FakeGateway, clock: FakeClock
) -> None:
    place.on_call()
    place.worry()
    clock.advance(timedelta(hours=8))

    assert sorted(ticks(place, gateway)) == [FIRST, BACKUP, LEAD]
    with place.sessions() as session:
        first = session.scalars(select(Message).order_by(Message.id)).first()
        assert first is not None
        assert first.skip_reason is SkipReason.TOO_LATE


def test_a_process_that_dies_while_texting_is_settled_and_not_doubled(
    place: Clinicians, gateway: FakeGateway, clock: FakeClock
) -> None:
    place.on_call()
    place.worry()
    gateway.troubles = [OutcomeUnknown("no answer")]

    send_due_messages(place.sessions, gateway, clock)
    clock.advance(timedelta(minutes=6))
    settle_lost_messages(place.sessions, gateway, clock)
    ticks(place, gateway)

    assert [sms.to for sms in gateway.sent] == [FIRST]


def test_an_alert_goes_out_at_night_and_before_any_reminder(
    place: Clinicians, gateway: FakeGateway, clock: FakeClock
) -> None:
    clock.advance(timedelta(hours=16))  # 2 in the morning there
    place.worry()

    assert ticks(place, gateway) != []


@pytest.mark.parametrize(
    ("urgency", "hours", "expected"),
    [
        (Urgency.SAME_DAY, 0, 1),
        (Urgency.SAME_DAY, 3, 1),
        (Urgency.SAME_DAY, 4, 2),
        (Urgency.NEXT_BUSINESS_DAY, 30, 0),
    ],
)
def test_what_is_less_urgent_is_told_less_often(
    place: Clinicians, clock: FakeClock, urgency: Urgency, hours: int, expected: int
) -> None:
    place.on_call()
    place.worry(urgency)
    clock.advance(timedelta(hours=hours))

    alert_unanswered(place.sessions, clock)

    with place.sessions() as session:
        assert len(session.scalars(select(Alert)).all()) == expected


def test_where_the_first_has_no_number_the_others_are_told_at_once(
    place: Clinicians, gateway: FakeGateway
) -> None:
    place.on_call()
    without_number(place, place.nurse)
    place.worry()

    assert sorted(ticks(place, gateway)) == [BACKUP, LEAD]
    with place.sessions() as session:
        told = {alert.staff_id for alert in session.scalars(select(Alert))}
        assert told == {place.nurse.id, place.backup.id, place.lead.id}


def test_where_nobody_on_call_has_a_number_the_clinic_is_told(
    place: Clinicians, gateway: FakeGateway
) -> None:
    place.on_call()
    without_number(place, place.nurse, place.backup, place.lead)
    with place.sessions.begin() as session:
        make_staff(session, place.clinic, Role.NURSE, phone="+15125550188")
    place.worry()

    assert ticks(place, gateway) == ["+15125550188"]


def without_number(place: Clinicians, *people: StaffMember) -> None:
    with place.sessions.begin() as session:
        for person in people:
            session.get_one(StaffMember, person.id).phone = None


def test_a_staff_number_that_says_stop_changes_no_patients_consent(
    place: Clinicians, gateway: FakeGateway, clock: FakeClock
) -> None:
    place.on_call()
    place.worry()
    gateway.troubles = [OptedOut("21610")]

    send_due_messages(place.sessions, gateway, clock)

    with place.sessions() as session:
        assert session.scalars(select(Message.status)).all() == [MessageStatus.FAILED]


def test_a_manager_puts_people_on_call_and_ends_it(place: Clinicians, client: FlaskClient) -> None:
    sign_in(client, place.lead)
    assert "Nobody is on call now" in client.get("/concerns/on-call").text
    wanted = {
        "staff_id": str(place.nurse.id),
        "rank": "first",
        "from_at": "2026-11-23T08:00",
        "until_at": "2026-11-23T18:00",
    }

    assert client.post("/concerns/on-call", data=wanted).status_code == 302

    page = client.get("/concerns/on-call").text
    assert "Nobody is on call now" not in page
    with place.sessions() as session:
        duty = session.scalars(select(OnCall)).one()
        assert (duty.from_at.hour, duty.until_at.hour) == (14, 0)  # Chicago's 8 and 18 in UTC
    assert client.post(f"/concerns/on-call/{duty.id}/end").status_code == 302
    assert "Nobody is on call now" in client.get("/concerns/on-call").text


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"until_at": "2026-11-23T07:00"}, "before it begins"),
        ({"from_at": ""}, "Write from when"),
        ({"staff_id": "999999"}, "Not a valid choice"),
    ],
)
def test_a_time_on_call_that_cannot_be_is_refused_beside_its_field(
    place: Clinicians, client: FlaskClient, changed: dict[str, str], words: str
) -> None:
    sign_in(client, place.lead)
    wanted = {
        "staff_id": str(place.nurse.id),
        "rank": "first",
        "from_at": "2026-11-23T08:00",
        "until_at": "2026-11-23T18:00",
    }

    answer = client.post("/concerns/on-call", data=wanted | changed)

    assert answer.status_code == 422
    assert words in answer.text


def test_two_people_are_never_first_at_the_same_time(
    place: Clinicians, client: FlaskClient
) -> None:
    place.on_call()
    sign_in(client, place.lead)

    answer = client.post(
        "/concerns/on-call",
        data={
            "staff_id": str(place.backup.id),
            "rank": "first",
            "from_at": "2026-11-23T12:00",
            "until_at": "2026-11-23T18:00",
        },
    )

    assert answer.status_code == 422
    assert f"{place.nurse.name} is on call in this place then." in answer.text


def test_only_nurses_and_managers_of_the_clinic_can_be_on_call(
    place: Clinicians, clock: FakeClock
) -> None:
    with place.sessions.begin() as session:
        stranger = make_staff(session, make_clinic(session), Role.NURSE)
        duty = Duty(stranger.id, OnCallRank.FIRST, clock(), clock() + timedelta(hours=1))
        with pytest.raises(rota.UnfitForDuty):
            rota.add(
                session,
                session.get_one(Clinic, place.clinic.id),
                duty,
                by_staff_id=place.lead.id,
                now=clock(),
            )


def test_a_number_for_alerts_is_kept_as_dialled_from_anywhere(
    place: Clinicians, client: FlaskClient
) -> None:
    sign_in(client, place.lead)

    client.post(f"/concerns/on-call/numbers/{place.nurse.id}", data={"phone": "(512) 555-0199"})
    refused = client.post(
        f"/concerns/on-call/numbers/{place.backup.id}", data={"phone": "nonsense"}
    )

    assert refused.status_code == 302
    with place.sessions() as session:
        assert session.get_one(StaffMember, place.nurse.id).phone == "+15125550199"
        assert session.get_one(StaffMember, place.backup.id).phone == BACKUP


def test_the_page_of_a_concern_says_who_was_told_and_when(
    place: Clinicians, client: FlaskClient
) -> None:
    place.on_call()
    concern_id = place.worry()
    sign_in(client, place.nurse)

    page = client.get(f"/concerns/{concern_id}").text

    assert "Who was told" in page
    assert place.nurse.name in page


def test_messages_lists_alerts_to_staff_beside_texts_to_patients(
    place: Clinicians, client: FlaskClient
) -> None:
    place.on_call()
    place.worry()
    sign_in(client, place.lead)

    page = client.get("/messages/").text

    assert "alert to staff" in page
    assert place.nurse.name in page
