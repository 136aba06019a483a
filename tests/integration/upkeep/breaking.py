"""Rows that break the promises, one each."""

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.calls.models import CallNote
from outreach.calls.rules import Outcome
from outreach.concerns.models import Concern
from outreach.concerns.rules import ConcernKind, ConcernStatus, Urgency
from outreach.messaging.models import DeliveryEvent, Message, SendTry
from outreach.messaging.rules import MessageKind, MessageStatus, TryResult
from outreach.patients import consent
from outreach.patients.models import Anonymised, Patient, PhoneNumber
from outreach.patients.rules import Cause, Channel, ConsentSource
from outreach.phoning.models import PhoneCall
from outreach.phoning.rules import Direction
from outreach.planning.rules import CallStatus
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus
from outreach.telephony.gateway import LegStatus
from tests.builders import (
    make_attempt,
    make_enrolment,
    make_planned_call,
    make_staff,
)
from tests.fakes import FakeClock

NOW = FakeClock()()
AN_HOUR = timedelta(hours=1)
NUMBER = "+15125550147"


def text_to(session: Session, patient: Patient, **deviations: object) -> int:
    message = Message(
        **{
            "clinic_id": patient.clinic_id,
            "patient_id": patient.id,
            "kind": MessageKind.REMINDER,
            "dedupe_key": f"key {len(session.scalars(select(Message.id)).all())}",
            "cause": "planned_call:1",
            "to_number": NUMBER,
            "language": "en",
            "body": "We call tomorrow.",
            "status": MessageStatus.DELIVERED,
            "failure": "",
            "send_after": NOW - AN_HOUR,
            "calling_at": NOW - AN_HOUR,
            "tries": 1,
            "created_at": NOW - AN_HOUR,
        }
        | deviations
    )
    session.add(message)
    session.flush()
    return message.id


def held_too_long(session: Session, patient: Patient) -> int:
    return text_to(
        session, patient, status=MessageStatus.CALLING, lease_until=NOW - timedelta(hours=2)
    )


def _never_looked_up(session: Session, patient: Patient) -> int:
    return text_to(session, patient, status=MessageStatus.UNKNOWN)


def tried(session: Session, patient: Patient, *tries: tuple[int, TryResult]) -> int:
    """Return a text that the carrier was asked about so many hours ago, with what came of it."""
    found = text_to(session, patient)
    for hours, result in tries:
        at = NOW - hours * AN_HOUR
        session.add(SendTry(message_id=found, at=at, answered_at=at, result=result, detail=""))
    session.flush()
    return found


def _taken_twice(session: Session, patient: Patient) -> int:
    tries = ((2, TryResult.TAKEN), (1, TryResult.NO_ANSWER), (1, TryResult.FOUND))
    return tried(session, patient, *tries)


def _past_its_end(session: Session, patient: Patient) -> int:
    return text_to(session, patient, status=MessageStatus.SCHEDULED, expires_at=NOW - AN_HOUR)


def _forgotten(session: Session, patient: Patient) -> int:
    return text_to(
        session, patient, status=MessageStatus.SCHEDULED, send_after=NOW - timedelta(days=9)
    )


def _sent_twice(session: Session, patient: Patient) -> int:
    text_to(session, patient)
    return text_to(session, patient)


def too_many(*hours_ago: int) -> Callable[[Session, Patient], int]:
    """Return what sends texts so many hours ago, and returns who got them."""

    def send(session: Session, patient: Patient) -> int:
        for number, hours in enumerate(hours_ago):
            at = NOW - hours * AN_HOUR
            text_to(session, patient, cause=f"planned_call:{number}", calling_at=at)
        return patient.id

    return send


def _at_night(session: Session, patient: Patient) -> int:
    return text_to(session, patient, calling_at=NOW - 3 * AN_HOUR)  # 7 in the morning


def _late_at_night(session: Session, patient: Patient) -> int:
    return text_to(session, patient, calling_at=NOW - 13 * AN_HOUR)  # 21:00 of the day before


def _gone_back(session: Session, patient: Patient) -> int:
    found = text_to(session, patient, status=MessageStatus.SENT)
    session.add(DeliveryEvent(message_id=found, status="delivered", received_at=NOW))
    session.flush()
    return found


def _sent_after_stop(session: Session, patient: Patient) -> int:
    consent.note(
        session, patient, Channel.SMS, NUMBER,
        is_given=False, source=ConsentSource.SMS, by_staff_id=None, now=NOW - 2 * AN_HOUR,
    )  # fmt: skip
    return text_to(session, patient)


def _sent_to_another_number(session: Session, patient: Patient) -> int:
    return text_to(session, patient, to_number="+15125550190")


def _counted_without_attempt(session: Session, patient: Patient) -> int:
    return make_planned_call(session, _enrolled(session, patient), dials=1).id


def _completed_without_words(session: Session, patient: Patient) -> int:
    call = make_planned_call(session, _enrolled(session, patient), status=CallStatus.COMPLETED)
    caller = make_staff(session, session.get_one(Clinic, patient.clinic_id))
    make_attempt(session, call, caller, Outcome.NO_ANSWER)
    return call.id


def _on_the_line_for_ever(session: Session, patient: Patient) -> int:
    call = PhoneCall(
        press_key="one press",
        direction=Direction.OUT,
        clinic_id=patient.clinic_id,
        patient_id=patient.id,
        number=NUMBER,
        shown_number="+15125550100",
        may_leave_voicemail=False,
        staff_leg=LegStatus.ANSWERED,
        patient_leg=LegStatus.ANSWERED,
        asked_at=NOW - timedelta(days=1),
        heard_at=NOW - timedelta(days=1),
        failure="",
    )
    session.add(call)
    session.flush()
    return call.id


def _told_nobody(session: Session, patient: Patient) -> int:
    concern = Concern(
        clinic_id=patient.clinic_id,
        patient_id=patient.id,
        kind=ConcernKind.SAFETY,
        urgency=Urgency.NOW,
        status=ConcernStatus.OPEN,
        raised_at=NOW - 2 * AN_HOUR,
        times_reopened=0,
    )
    session.add(concern)
    session.flush()
    return concern.id


def _enrolled(session: Session, patient: Patient) -> Enrolment:
    clinic = session.get_one(Clinic, patient.clinic_id)
    return make_enrolment(session, patient, caller=make_staff(session, clinic))


def _anonymised(session: Session, patient: Patient) -> None:
    session.add(
        Anonymised(
            patient_id=patient.id, clinic_id=patient.clinic_id, cause=Cause.SCHEDULE, at=NOW
        )
    )  # fmt: skip
    session.flush()


def _number_of_nobody(session: Session, patient: Patient) -> int:
    _anonymised(session, patient)
    return session.scalars(select(PhoneNumber.id).where(PhoneNumber.patient_id == patient.id)).one()


def _enrolled_nobody(session: Session, patient: Patient) -> int:
    _anonymised(session, patient)
    return make_enrolment(session, patient).id


def _note_of_nobody(session: Session, patient: Patient) -> int:
    _anonymised(session, patient)
    caller = make_staff(session, session.get_one(Clinic, patient.clinic_id))
    enrolment = make_enrolment(session, patient, status=EnrolmentStatus.COMPLETED)
    make_attempt(session, make_planned_call(session, enrolment), caller, note="Likes tea")
    return session.scalars(select(CallNote.id)).one()


BREAKS: dict[str, Callable[[Session, Patient], int]] = {
    "no worker holds a text for longer than its lease": held_too_long,
    "a lost answer is looked up at the carrier": _never_looked_up,
    "no text waits past its end": _past_its_end,
    "no text waits past its end (forgotten)": _forgotten,
    "a text goes out once": _sent_twice,
    "the carrier takes a text once": _taken_twice,
    "nobody is texted without consent or after saying stop": _sent_after_stop,
    "nobody is texted without consent or after saying stop (number)": _sent_to_another_number,
    "nobody gets more texts unasked than their clinic sends": too_many(1, 2),
    "nobody gets more texts unasked than their clinic sends (week)": too_many(1, 49, 97, 166),
    "nobody is texted unasked at night": _at_night,
    "nobody is texted unasked at night (late)": _late_at_night,
    "a text never stands behind what the carrier reported of it": _gone_back,
    "every dial that counts was recorded": _counted_without_attempt,
    "a completed call was a conversation": _completed_without_words,
    "no call stays on the line for ever": _on_the_line_for_ever,
    "somebody is told of every urgent concern": _told_nobody,
    "of who was anonymised no number is left": _number_of_nobody,
    "who was anonymised is in no programme": _enrolled_nobody,
    "of who was anonymised no note is left": _note_of_nobody,
}
