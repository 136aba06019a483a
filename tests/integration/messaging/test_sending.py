"""Sending texts: once, to those who agreed, at a decent hour, whatever fails."""

from datetime import date, time, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from outreach.errors import OutreachError, ProviderUnavailable
from outreach.messaging.jobs import send_due_messages, settle_lost_messages
from outreach.messaging.models import Message
from outreach.messaging.rules import LEASE, SETTLE_AFTER, MessageStatus, SkipReason
from outreach.orm import Sessions
from outreach.patients import consent, registry
from outreach.patients.models import Patient, PhoneNumber
from outreach.patients.rules import Channel, ConsentSource, NumberHealth
from outreach.planning import next_call, retrying
from outreach.planning.jobs import write_reminders
from outreach.planning.models import PlannedCall
from outreach.planning.retrying import Agreed
from outreach.planning.rules import CallStatus
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus
from outreach.telephony.gateway import (
    InvalidRecipient,
    OptedOut,
    OutcomeUnknown,
    Refused,
    TooFast,
)
from tests.builders import (
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.fakes import FakeClock, FakeGateway

NUMBER = "+15125550147"


def make_reminder(sessions: Sessions, clock: FakeClock, **patient: object) -> int:
    """Write the reminder of a call at 10 tomorrow; the time is Monday 10 in Chicago."""
    with sessions.begin() as session:
        clinic = make_clinic(session, name="Cedar Creek Clinic")
        caller = make_staff(session, clinic, name="Ana Morales")
        options = {"sms_consent": True} | patient
        one = make_patient(session, clinic, **options)  # type: ignore[arg-type]
        call = make_planned_call(session, make_enrolment(session, one, caller=caller))
        call.dial_from_at = clock() + timedelta(hours=23)
        call.dial_until_at = clock() + timedelta(hours=26)
    assert write_reminders(sessions, clock) == 1
    return one.id


def only_message(session: Session) -> Message:
    return session.scalars(select(Message)).one()


def test_a_reminder_names_clinic_caller_and_time_and_nothing_about_health(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    make_reminder(sessions, clock)

    assert send_due_messages(sessions, gateway, clock) == 1

    (sms,) = gateway.sent
    assert sms.to == NUMBER
    assert sms.body == (
        "Cedar Creek Clinic: Ana will call you on Tue, Nov 24, between 9 AM and 12 PM. "
        "Reply STOP to get no more texts."
    )


def test_a_spanish_speaker_is_reminded_in_spanish(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    make_reminder(sessions, clock, language="es")

    send_due_messages(sessions, gateway, clock)

    assert "le llama" in gateway.sent[0].body


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


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(TooFast("20429"), id="429"),
        pytest.param(ProviderUnavailable("no connection"), id="no connection"),
    ],
)
def test_what_certainly_did_not_go_out_is_tried_again_later(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock, trouble: OutreachError
) -> None:
    make_reminder(sessions, clock)
    gateway.troubles = [trouble]

    assert send_due_messages(sessions, gateway, clock) == 0
    assert send_due_messages(sessions, gateway, clock) == 0
    clock.advance(timedelta(minutes=1))
    assert send_due_messages(sessions, gateway, clock) == 1

    assert len(gateway.sent) == 1


def test_a_lost_answer_is_looked_up_and_never_sent_again(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    make_reminder(sessions, clock)
    gateway.troubles = [OutcomeUnknown("timeout")]

    send_due_messages(sessions, gateway, clock)
    clock.advance(SETTLE_AFTER)
    settle_lost_messages(sessions, gateway, clock)
    send_due_messages(sessions, gateway, clock)

    assert len(gateway.sent) == 1
    with sessions() as session:
        assert only_message(session).status is MessageStatus.ACCEPTED


def test_a_lost_answer_to_a_text_that_never_arrived_is_sent_once_more(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    make_reminder(sessions, clock)
    gateway.troubles, gateway.takes_unknown = [OutcomeUnknown("timeout")], False

    send_due_messages(sessions, gateway, clock)
    settle_lost_messages(sessions, gateway, clock)
    assert send_due_messages(sessions, gateway, clock) == 0, "too soon to conclude"
    clock.advance(SETTLE_AFTER)
    settle_lost_messages(sessions, gateway, clock)
    clock.advance(timedelta(minutes=1))
    send_due_messages(sessions, gateway, clock)

    assert len(gateway.sent) == 1


def test_a_process_that_dies_while_sending_leaves_a_text_to_look_up(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    make_reminder(sessions, clock)
    gateway.troubles = [KilledError()]

    with pytest.raises(KilledError):
        send_due_messages(sessions, gateway, clock)
    assert send_due_messages(sessions, gateway, clock) == 0
    clock.advance(LEASE + SETTLE_AFTER)
    settle_lost_messages(sessions, gateway, clock)
    send_due_messages(sessions, gateway, clock)
    settle_lost_messages(sessions, gateway, clock)

    assert len(gateway.sent) == 1


class KilledError(BaseException):
    """The process ends right after the carrier took the text."""


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(Refused("21606"), id="a setting is wrong"),
        pytest.param(InvalidRecipient("21614"), id="a landline"),
        pytest.param(OptedOut("21610"), id="said stop to the carrier"),
    ],
)
def test_a_permanent_refusal_stops_at_once(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock, trouble: OutreachError
) -> None:
    make_reminder(sessions, clock)
    gateway.troubles = [trouble]

    send_due_messages(sessions, gateway, clock)
    clock.advance(timedelta(hours=1))
    send_due_messages(sessions, gateway, clock)

    assert gateway.sent == []
    with sessions() as session:
        assert only_message(session).status is MessageStatus.FAILED


def test_stop_said_to_the_carrier_is_a_withdrawn_consent_here(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    patient_id = make_reminder(sessions, clock)
    gateway.troubles = [OptedOut("21610")]

    send_due_messages(sessions, gateway, clock)

    with sessions() as session:
        assert not consent.is_given(session, patient_id, Channel.SMS, NUMBER)


def test_a_landline_gets_no_more_texts_but_is_still_called(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    make_reminder(sessions, clock)
    gateway.troubles = [InvalidRecipient("21614")]

    send_due_messages(sessions, gateway, clock)

    with sessions() as session:
        number = session.scalars(select(PhoneNumber)).one()
        assert (number.can_text, number.health) == (False, NumberHealth.WORKING)


@pytest.mark.parametrize("trouble", [TooFast("20429"), OutcomeUnknown("timeout")])
def test_a_text_in_trouble_is_not_sent_once_its_call_is_over(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock, trouble: OutreachError
) -> None:
    make_reminder(sessions, clock)
    gateway.troubles, gateway.takes_unknown = [trouble], False
    send_due_messages(sessions, gateway, clock)
    with sessions.begin() as session:
        call = session.scalars(select(PlannedCall)).one()
        next_call.close(session, call, CallStatus.COMPLETED, now=clock())

    clock.advance(SETTLE_AFTER)
    settle_lost_messages(sessions, gateway, clock)
    clock.advance(timedelta(hours=1))
    send_due_messages(sessions, gateway, clock)

    assert gateway.sent == []


def test_a_text_to_a_number_that_was_replaced_is_not_sent(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    patient_id = make_reminder(sessions, clock)
    with sessions.begin() as session:
        patient = session.get_one(Patient, patient_id)
        registry.add_number(session, patient, "+15125550199", now=clock())

    send_due_messages(sessions, gateway, clock)

    assert gateway.sent == []


def test_a_carrier_that_does_not_answer_is_asked_once_a_round(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    for last_digits in range(40, 44):
        make_reminder(sessions, clock, phone=f"+151255501{last_digits}")
    gateway.troubles = [ProviderUnavailable("down")] * 4

    send_due_messages(sessions, gateway, clock)

    assert len(gateway.troubles) == 3


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

    assert "as you asked" in gateway.sent[-1].body


def test_one_text_that_breaks_never_stops_the_others(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    make_reminder(sessions, clock)
    make_reminder(sessions, clock, phone="+15125550148")
    with sessions.begin() as session:
        first = session.scalars(select(Message).order_by(Message.id)).first()
        assert first is not None
        session.get_one(Patient, first.patient_id).zone = "Not/AZone"

    assert send_due_messages(sessions, gateway, clock) == 1


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
