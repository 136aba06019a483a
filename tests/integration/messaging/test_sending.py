"""Sending texts: once, to those who agreed, at a decent hour, whatever fails."""

from datetime import date, time, timedelta

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from outreach.messaging import outbox
from outreach.messaging.jobs import send_due_messages
from outreach.messaging.models import Message
from outreach.messaging.rules import SkipReason
from outreach.orm import Sessions, failing_rows
from outreach.patients import consent, registry
from outreach.patients.models import Patient
from outreach.patients.rules import Channel, ConsentSource, NumberHealth
from outreach.planning import next_call, retrying
from outreach.planning.jobs import write_reminders
from outreach.planning.models import PlannedCall
from outreach.planning.retrying import Agreed
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus
from tests.builders import (
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.fakes import FakeClock, FakeGateway
from tests.integration.messaging.conftest import NUMBER, make_reminder, only_message


def test_a_reminder_names_clinic_caller_and_time_and_nothing_about_health(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    make_reminder(sessions, clock)

    assert send_due_messages(sessions, gateway, clock) == 1

    (sms,) = gateway.sent
    assert sms.to == NUMBER
    assert sms.body == (
        "Cedar Creek Clinic, (512) 555-0100: Ana calls Tue, Nov 24, "
        "9 AM-12 PM. Reply C to confirm, 2 for another time, STOP for no more."
    )


def test_a_spanish_speaker_is_reminded_in_spanish(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    make_reminder(sessions, clock, language="es")

    send_due_messages(sessions, gateway, clock)

    assert "Responda C si confirma" in gateway.sent[0].body


def test_what_would_be_due_on_a_sunday_goes_out_on_saturday_evening(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    clock.advance(timedelta(days=5, hours=9))  # Saturday, 7 p.m. there
    with sessions.begin() as session:
        clinic = make_clinic(session)
        one = make_patient(session, clinic, sms_consent=True)
        call = make_planned_call(
            session, make_enrolment(session, one, caller=make_staff(session, clinic))
        )
        call.dial_from_at = clock() + timedelta(hours=38)  # Monday, 9 a.m.
        call.dial_until_at = clock() + timedelta(hours=41)

    clock.advance(timedelta(minutes=-1))
    assert write_reminders(sessions, clock) == 0
    clock.advance(timedelta(minutes=1))
    assert write_reminders(sessions, clock) == 1

    assert send_due_messages(sessions, gateway, clock) == 1


def test_who_has_one_wrong_number_and_one_that_works_is_reminded_on_that_one(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        one = make_patient(session, clinic, sms_consent=True)
        wrong = registry.add_number(session, one, "+15125550199", now=clock())
        registry.spoil_number(session, one.id, wrong.id, NumberHealth.WRONG, now=clock())
        call = make_planned_call(
            session, make_enrolment(session, one, caller=make_staff(session, clinic))
        )
        call.dial_from_at = clock() + timedelta(hours=23)
        call.dial_until_at = clock() + timedelta(hours=26)

    write_reminders(sessions, clock)
    send_due_messages(sessions, gateway, clock)

    assert [sms.to for sms in gateway.sent] == [NUMBER]


def test_one_reminder_that_breaks_never_stops_the_others(
    sessions: Sessions, clock: FakeClock
) -> None:
    make_reminder(sessions, clock)
    with sessions.begin() as session:
        session.execute(delete(Message))
        session.scalars(select(Patient)).one().zone = "Not/AZone"
        broken = session.scalars(select(PlannedCall.id)).one()

    with failing_rows() as failed:
        make_reminder(sessions, clock, phone="+15125550148")

    assert failed == [broken]


def test_writing_and_sending_again_does_nothing(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    make_reminder(sessions, clock)

    send_due_messages(sessions, gateway, clock)

    assert write_reminders(sessions, clock) == 0
    assert send_due_messages(sessions, gateway, clock) == 0
    assert len(gateway.sent) == 1


def test_without_consent_there_is_no_reminder(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    with pytest.raises(AssertionError):
        make_reminder(sessions, clock, sms_consent=False)

    assert gateway.sent == []


def withdraw(session: Session, patient_id: int, clock: FakeClock) -> None:
    consent.note(
        session,
        session.get_one(Patient, patient_id),
        Channel.SMS,
        NUMBER,
        is_given=False,
        source=ConsentSource.CALL,
        by_staff_id=None,
        now=clock(),
    )


def spoil(session: Session, patient_id: int, clock: FakeClock) -> None:
    (number,) = registry.numbers_of(session, patient_id)
    registry.spoil_number(session, patient_id, number.id, NumberHealth.WRONG, now=clock())


def pause(session: Session, patient_id: int, clock: FakeClock) -> None:
    session.execute(update(Enrolment).values(status=EnrolmentStatus.PAUSED))


def move_call(session: Session, patient_id: int, clock: FakeClock) -> None:
    enrolment_id = session.scalars(select(Enrolment.id)).one()
    pause(session, patient_id, clock)
    next_call.replan(session, enrolment_id, now=clock())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param(withdraw, SkipReason.NO_CONSENT, id="stop said meanwhile"),
        pytest.param(spoil, SkipReason.NUMBER_UNFIT, id="wrong number meanwhile"),
        pytest.param(pause, SkipReason.NOT_ENROLLED, id="paused meanwhile"),
        pytest.param(move_call, SkipReason.CALL_CHANGED, id="call cancelled meanwhile"),
    ],
)
def test_what_changed_since_it_was_written_is_seen_when_it_is_sent(
    sessions: Sessions,
    gateway: FakeGateway,
    clock: FakeClock,
    change: object,
    reason: SkipReason,
) -> None:
    patient_id = make_reminder(sessions, clock)
    with sessions.begin() as session:
        change(session, patient_id, clock)  # type: ignore[operator]

    send_due_messages(sessions, gateway, clock)

    assert gateway.sent == []
    with sessions() as session:
        assert only_message(session).skip_reason is reason


def test_a_scheduler_that_wakes_up_at_night_waits_for_morning(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    make_reminder(sessions, clock)
    clock.advance(timedelta(hours=12))  # 10 p.m. there

    send_due_messages(sessions, gateway, clock)
    assert gateway.sent == []
    clock.advance(timedelta(hours=10, minutes=59))  # 8:59
    send_due_messages(sessions, gateway, clock)
    assert gateway.sent == []

    # At 9:00 the call itself may begin: the reminder is too late and is dropped.
    clock.advance(timedelta(minutes=1))
    send_due_messages(sessions, gateway, clock)
    assert gateway.sent == []
    with sessions() as session:
        assert only_message(session).skip_reason is SkipReason.TOO_LATE


def test_a_text_to_a_number_that_was_replaced_is_not_sent(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    patient_id = make_reminder(sessions, clock)
    with sessions.begin() as session:
        patient = session.get_one(Patient, patient_id)
        registry.add_number(session, patient, "+15125550199", now=clock())

    send_due_messages(sessions, gateway, clock)

    assert gateway.sent == []


def test_a_time_that_the_patient_asked_for_is_reminded_of(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    make_reminder(sessions, clock)
    send_due_messages(sessions, gateway, clock)
    with sessions.begin() as session:
        call = session.scalars(select(PlannedCall)).one()
        call.dials = 1
        retrying.agree(session, call, Agreed(date(2026, 11, 26), time(15)), now=clock())
    clock.advance(timedelta(days=2, hours=5))

    assert write_reminders(sessions, clock) == 1
    send_due_messages(sessions, gateway, clock)

    assert "as agreed" in gateway.sent[-1].body


def test_a_call_that_comes_back_to_its_time_is_reminded_of_once(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    make_reminder(sessions, clock)
    with sessions.begin() as session:  # moved away, and back, before the text went out
        call = session.scalars(select(PlannedCall)).one()
        outbox.cancel(session, next_call.cause_of(call.id), now=clock())
    clock.advance(timedelta(minutes=1))

    written = [write_reminders(sessions, clock) for _twice in range(2)]
    send_due_messages(sessions, gateway, clock)

    assert written == [1, 0]
    assert len(gateway.sent) == 1
    assert write_reminders(sessions, clock) == 0


def test_a_patient_gets_one_text_a_day(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    make_reminder(sessions, clock)
    with sessions.begin() as session:
        first = only_message(session)
        again = {c.name: getattr(first, c.name) for c in Message.__table__.columns}
        again |= {"id": None, "dedupe_key": "another"}
        session.add(Message(**again))

    send_due_messages(sessions, gateway, clock)

    with sessions() as session:
        reasons = session.scalars(select(Message.skip_reason).order_by(Message.id)).all()
    assert len(gateway.sent) == 1
    assert reasons == [None, SkipReason.DAY_LIMIT]


def test_an_open_call_keeps_one_reminder_when_only_its_slot_was_used_up(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    make_reminder(sessions, clock)
    send_due_messages(sessions, gateway, clock)
    with sessions.begin() as session:
        call = session.scalars(select(PlannedCall)).one()
        call.dial_from_at += timedelta(days=1)
        call.dial_until_at += timedelta(days=1)
    clock.advance(timedelta(days=1))

    assert write_reminders(sessions, clock) == 0
