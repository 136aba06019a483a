"""The years of keeping are counted from the last that was heard of a patient, whatever it was."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.calls.models import Attempt
from outreach.concerns.models import Concern, ConcernStep
from outreach.concerns.rules import ConcernKind, ConcernStatus, StepKind, Urgency
from outreach.inbox.models import InboxItem
from outreach.measures.models import Reading
from outreach.messaging.models import Message
from outreach.messaging.rules import MessageStatus
from outreach.patients.models import ConsentEvent, PhoneNumber
from outreach.patients.rules import Channel, ConsentSource, ConsentTopic
from outreach.phoning.models import PhoneCall, ReturnedCall
from outreach.planning.models import PlannedCall
from outreach.programmes.models import Enrolment
from outreach.questionnaires.models import Questionnaire
from outreach.questionnaires.rules import InstrumentCode
from outreach.retention import due
from outreach.retention.models import DeletionRequest, LegalHold
from outreach.retention.rules import AskedBy, Decision, Ground
from outreach.visits.models import Visit
from outreach.visits.rules import VisitKind
from tests.builders import make_attempt, make_reading
from tests.integration.messaging.conftest import make_message
from tests.integration.retention.conftest import LATER, THEN, House
from tests.telephones import make_inbox_item, make_phone_call, make_returned_call

HEARD_AT = datetime(2027, 3, 1, 16, tzinfo=UTC)  # after LATER less seven years, before LATER
Heard = Callable[[Session, House], None]


def _enrolment(session: Session, house: House) -> Enrolment:
    return session.scalars(select(Enrolment).where(Enrolment.patient_id == house.patient.id)).one()


def _planned(session: Session, house: House) -> PlannedCall:
    return session.scalars(
        select(PlannedCall).where(PlannedCall.patient_id == house.patient.id)
    ).one()


def _left(session: Session, house: House) -> None:
    _enrolment(session, house).status_at = HEARD_AT


def _attempt(session: Session, house: House) -> None:
    make_attempt(session, _planned(session, house), house.caller, at=HEARD_AT)


def _phone_call(session: Session, house: House) -> None:
    make_phone_call(
        session, _planned(session, house), house.caller, asked_at=HEARD_AT, ended_at=HEARD_AT
    )


def _returned_call(session: Session, house: House) -> None:
    call = session.scalars(select(PhoneCall).where(PhoneCall.patient_id == house.patient.id)).one()
    make_returned_call(session, call, dedupe_key="again", at=HEARD_AT)


def _reading(session: Session, house: House) -> None:
    make_reading(session, house.patient, taken_at=THEN, recorded_at=HEARD_AT)


def _questionnaire(session: Session, house: House) -> None:
    session.add(
        Questionnaire(
            form_key="q", clinic_id=house.clinic.id, patient_id=house.patient.id,
            code=InstrumentCode.PHQ_9, answers={}, skipped={}, is_prorated=False,
            at=HEARD_AT, by_staff_id=house.caller.id,
        )
    )  # fmt: skip


def _visit(session: Session, house: House) -> None:
    session.add(
        Visit(
            clinic_id=house.clinic.id, patient_id=house.patient.id, at=HEARD_AT,
            took_place_on=HEARD_AT.date(), kind=VisitKind.IN_PERSON, recorded_at=HEARD_AT,
        )
    )  # fmt: skip


def _message(session: Session, house: House) -> None:
    number = session.scalars(
        select(PhoneNumber.e164).where(PhoneNumber.patient_id == house.patient.id)
    ).one()
    make_message(
        session, house.patient, to_number=number, status=MessageStatus.DELIVERED,
        created_at=HEARD_AT, send_after=HEARD_AT, cause="again",
    )  # fmt: skip


def _inbox_item(session: Session, house: House) -> None:
    make_inbox_item(session, house.patient, at=HEARD_AT)


def _consent(session: Session, house: House) -> None:
    session.add(
        ConsentEvent(
            clinic_id=house.clinic.id, patient_id=house.patient.id, channel=Channel.SMS,
            topic=ConsentTopic.REMINDERS, is_given=False, number="+15125550147",
            source=ConsentSource.FORM, wording="", at=HEARD_AT,
        )
    )  # fmt: skip


def _concern(session: Session, house: House, raised_at: datetime = HEARD_AT) -> Concern:
    concern = Concern(
        clinic_id=house.clinic.id, patient_id=house.patient.id, kind=ConcernKind.SAFETY,
        urgency=Urgency.NOW, status=ConcernStatus.CLOSED, raised_at=raised_at, closed_at=raised_at,
    )  # fmt: skip
    session.add(concern)
    session.flush()
    return concern


def _raised(session: Session, house: House) -> None:
    _concern(session, house)


def _step(session: Session, house: House) -> None:
    concern = _concern(session, house, raised_at=THEN)
    session.add(ConcernStep(concern_id=concern.id, kind=StepKind.CLOSED, note="", at=HEARD_AT))


def _request(session: Session, house: House, *, noted_at: datetime, decided_at: datetime) -> None:
    session.add(
        DeletionRequest(
            clinic_id=house.clinic.id, patient_id=house.patient.id, asked_by=AskedBy.PATIENT,
            asked_on=noted_at.date(), note="By letter", noted_at=noted_at,
            noted_by_id=house.caller.id, decision=Decision.REFUSED,
            ground=Ground.RECORD_KEEPING, decided_at=decided_at, decided_by_id=house.caller.id,
        )
    )  # fmt: skip


def _noted(session: Session, house: House) -> None:
    _request(session, house, noted_at=HEARD_AT, decided_at=THEN)


def _refused(session: Session, house: House) -> None:
    _request(session, house, noted_at=THEN, decided_at=HEARD_AT)


def _lifted(session: Session, house: House) -> None:
    session.add(
        LegalHold(
            clinic_id=house.clinic.id, patient_id=house.patient.id, reason="Lawsuit",
            placed_at=THEN, placed_by_id=house.caller.id, lifted_at=HEARD_AT,
            lifted_by_id=house.caller.id,
        )
    )  # fmt: skip


HEARD: dict[object, Heard] = {
    Enrolment.status_at: _left,
    Attempt.at: _attempt,
    PhoneCall.asked_at: _phone_call,
    ReturnedCall.at: _returned_call,
    Reading.recorded_at: _reading,
    Questionnaire.at: _questionnaire,
    Visit.recorded_at: _visit,
    Message.created_at: _message,
    InboxItem.at: _inbox_item,
    ConsentEvent.at: _consent,
    Concern.raised_at: _raised,
    ConcernStep.at: _step,
    DeletionRequest.noted_at: _noted,
    DeletionRequest.decided_at: _refused,
    LegalHold.lifted_at: _lifted,
}


@pytest.mark.parametrize("heard", HEARD.values(), ids=map(str, HEARD))
def test_nobody_is_due_while_the_last_that_was_heard_is_younger(house: House, heard: Heard) -> None:
    with house.sessions.begin() as session:
        heard(session, house)

    house.run(LATER)

    assert house.done().keys() == {house.neighbour.id}
    house.run(HEARD_AT.replace(year=HEARD_AT.year + 7, day=2))
    assert house.done().keys() == {house.neighbour.id, house.patient.id}


def test_all_that_is_asked_for_is_tried_here() -> None:
    asked = {str(when) for _whose, when in due.HEARD} | {str(ConcernStep.at)}
    assert asked == set(map(str, HEARD))
