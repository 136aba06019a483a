"""A carrier in trouble: nothing is sent twice, nothing is lost, and nothing holds up the rest."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from outreach.accounts.models import Clinic, StaffMember
from outreach.errors import OutreachError, ProviderUnavailable
from outreach.messaging import receipts
from outreach.messaging.jobs import send_due_messages, settle_lost_messages
from outreach.messaging.models import Message
from outreach.messaging.rules import (
    LEASE,
    LIMITS,
    MAX_TRIES,
    PRIORITY,
    MessageKind,
    MessageStatus,
    SkipReason,
)
from outreach.orm import Sessions, failing_rows
from outreach.patients import consent
from outreach.patients.models import Patient, PhoneNumber
from outreach.patients.rules import Channel, ConsentSource, NumberHealth
from outreach.planning import next_call
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from outreach.telephony.gateway import (
    DeliveryReport,
    DeliveryStatus,
    InvalidRecipient,
    OptedOut,
    OutboundSms,
    OutcomeUnknown,
    ProviderReceipt,
    Refused,
    TooFast,
)
from tests.builders import make_enrolment, make_patient
from tests.fakes import FakeClock, FakeGateway
from tests.integration.messaging.conftest import NUMBER, make_message, make_reminder, only_message

SETTLE_AFTER = timedelta(minutes=LIMITS.settle_minutes)


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


def test_a_carrier_that_does_not_answer_is_asked_once_a_round(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    for last_digits in range(40, 44):
        make_reminder(sessions, clock, phone=f"+151255501{last_digits}")
    gateway.troubles = [ProviderUnavailable("down")] * 4

    send_due_messages(sessions, gateway, clock)

    assert len(gateway.troubles) == 3


def test_one_text_that_breaks_never_stops_the_others(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    make_reminder(sessions, clock)
    make_reminder(sessions, clock, phone="+15125550148")
    with sessions.begin() as session:
        first = session.scalars(select(Message).order_by(Message.id)).first()
        assert first is not None
        session.get_one(Patient, first.patient_id).zone = "Not/AZone"

    with failing_rows() as failed:
        assert send_due_messages(sessions, gateway, clock) == 1
    assert failed == [first.id]


def test_a_text_that_always_breaks_is_given_up_at_last(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    make_reminder(sessions, clock)
    with sessions.begin() as session:
        message = only_message(session)
        message.expires_at = None
        session.get_one(Patient, message.patient_id).zone = "Not/AZone"

    for _round in range(MAX_TRIES):
        send_due_messages(sessions, gateway, clock)
        clock.advance(timedelta(minutes=20))

    with sessions() as session:
        assert only_message(session).status is MessageStatus.FAILED
    assert gateway.sent == []


def test_a_carrier_that_asks_for_patience_gets_it_from_all_that_wait(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    for last_digits in range(40, 44):
        make_reminder(sessions, clock, phone=f"+151255501{last_digits}")
    gateway.troubles = [TooFast("429", timedelta(minutes=10))]

    send_due_messages(sessions, gateway, clock)
    clock.advance(timedelta(minutes=9))
    assert send_due_messages(sessions, gateway, clock) == 0
    clock.advance(timedelta(minutes=1))

    assert send_due_messages(sessions, gateway, clock) == 4


def test_a_text_judged_too_long_ago_is_judged_again_before_it_goes_out(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    first_id = make_reminder(sessions, clock)
    second_id = make_reminder(sessions, clock, phone="+15125550148")
    slow = SlowCarrier(clock, sessions, {first_id: NUMBER, second_id: "+15125550148"})

    send_due_messages(sessions, slow, clock, connections=1)

    assert len(slow.sent) == 1
    with sessions() as session:
        reasons = session.scalars(select(Message.skip_reason).order_by(Message.id)).all()
    assert reasons == [None, SkipReason.NO_CONSENT]


def test_words_found_at_the_carrier_may_be_those_of_a_text_that_is_just_going_out(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    make_reminder(sessions, clock)
    gateway.troubles, gateway.takes_unknown = [OutcomeUnknown("timeout")], False
    send_due_messages(sessions, gateway, clock)
    with sessions.begin() as session:
        lost = only_message(session)
        twin = {c.name: getattr(lost, c.name) for c in Message.__table__.columns}
        twin |= {"id": None, "dedupe_key": "twin", "status": MessageStatus.CALLING}
        session.add(Message(**twin | {"lease_until": clock() + LEASE}))
        session.flush()
        gateway.taken.append((clock(), OutboundSms(lost.id + 1, lost.to_number, lost.body)))

    settle_lost_messages(sessions, gateway, clock)

    with sessions() as session:
        assert session.get_one(Message, lost.id).status is MessageStatus.UNKNOWN


class SlowCarrier(FakeGateway):
    """Takes 11 seconds for a text; meanwhile everybody says stop."""

    def __init__(self, clock: FakeClock, sessions: Sessions, people: dict[int, str]) -> None:
        super().__init__(clock)
        self._sessions, self._people = sessions, people

    def send_sms(self, sms: OutboundSms) -> ProviderReceipt:
        self.clock.advance(timedelta(seconds=11))
        with self._sessions.begin() as session:
            for patient_id, number in self._people.items():
                consent.note(
                    session,
                    session.get_one(Patient, patient_id),
                    Channel.SMS,
                    number,
                    is_given=False,
                    source=ConsentSource.CALL,
                    by_staff_id=None,
                    now=self.clock(),
                )
        return super().send_sms(sms)


def test_of_two_texts_with_the_same_words_the_one_that_did_not_go_out_is_found_out(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    """The list can't tell them apart; a report, which names our own id, can."""
    patient_id = make_reminder(sessions, clock)
    with sessions.begin() as session:
        first = only_message(session)
        first.kind = MessageKind.ALERT  # to one of the staff: no limits, and always the same words
        first.rank = PRIORITY[MessageKind.ALERT]
        first.staff_id = session.scalars(select(StaffMember.id)).one()
        first.patient_id = None
        twin = make_message(
            session,
            session.get_one(Patient, patient_id),
            kind=MessageKind.ALERT,
            patient_id=None,
            staff_id=first.staff_id,
            body=first.body,
            to_number=first.to_number,
            status=MessageStatus.SCHEDULED,
            provider_id=None,
            send_after=clock(),
        )
        first.send_after = clock() - timedelta(minutes=1)
        went_out, never = first.id, twin.id
    gateway.troubles, gateway.takes_unknown = [OutcomeUnknown("lost")], True
    send_due_messages(sessions, gateway, clock)
    clock.advance(timedelta(seconds=30))
    gateway.troubles, gateway.takes_unknown = [OutcomeUnknown("500")], False
    send_due_messages(sessions, gateway, clock)
    with sessions.begin() as session:  # the carrier's list is asked about the other one first
        session.get_one(Message, went_out).calling_at = clock() + timedelta(seconds=1)
        session.get_one(Message, went_out).expires_at = None
    settle_lost_messages(sessions, gateway, clock)

    with sessions.begin() as session:
        assert session.get_one(Message, never).provider_id == f"SM{went_out:032d}"
        report = DeliveryReport(f"SM{went_out:032d}", DeliveryStatus.DELIVERED)
        receipts.apply(session, went_out, report, now=clock())

    clock.advance(SETTLE_AFTER)
    settle_lost_messages(sessions, gateway, clock)
    clock.advance(timedelta(minutes=1))
    send_due_messages(sessions, gateway, clock)
    assert [sms.reference for sms in gateway.sent] == [went_out, never]


@pytest.mark.parametrize(
    "spoilt",
    [
        "UPDATE message SET body = 'v1.lost.AAAA' WHERE id = :text",
        "UPDATE message SET to_number = 's1.lost.AAAA' WHERE id = :text",
        "UPDATE phone_number SET e164 = 's1.lost.AAAA' WHERE patient_id = :patient",
        "UPDATE consent_event SET number = 's1.lost.AAAA' WHERE patient_id = :patient",
    ],
)
def test_what_cant_be_decrypted_holds_up_nobody_else(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock, spoilt: str
) -> None:
    patient_id = make_reminder(sessions, clock)
    with sessions.begin() as session:
        bad = only_message(session).id
        patient = session.get_one(Patient, patient_id)
        other = make_patient(session, session.get_one(Clinic, patient.clinic_id), sms_consent=True)
        make_enrolment(session, other)
        number = session.scalar(select(PhoneNumber.e164).where(PhoneNumber.patient_id == other.id))
        good = make_message(
            session,
            other,
            to_number=number,
            status=MessageStatus.SCHEDULED,
            send_after=clock(),
            provider_id=None,
            tries=0,
        ).id
        session.execute(text(spoilt), {"text": bad, "patient": patient_id})

    assert send_due_messages(sessions, gateway, clock) == 1

    query = select(Message.status, Message.tries, Message.send_after)
    with sessions() as session:
        assert session.execute(query.where(Message.id == good)).one()[0] is MessageStatus.ACCEPTED
        status, tries, send_after = session.execute(query.where(Message.id == bad)).one()
    assert (status, tries) == (MessageStatus.SCHEDULED, 1)
    assert send_after > clock()
