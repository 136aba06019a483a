"""Who is to be anonymised, and what keeps them from it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from outreach.calls.models import Attempt
from outreach.concerns.models import Concern, ConcernStep
from outreach.concerns.rules import ConcernStatus
from outreach.inbox.models import InboxItem
from outreach.measures.models import Reading
from outreach.messaging.models import Message
from outreach.messaging.rules import MessageStatus
from outreach.patients.models import Anonymised, ConsentEvent, Patient
from outreach.phoning.models import PhoneCall, ReturnedCall
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import OPEN_STATUSES
from outreach.questionnaires.models import Questionnaire
from outreach.retention.models import DeletionRequest, LegalHold, RetentionSetting
from outreach.retention.rules import Decision, Obstacle, cutoff
from outreach.visits.models import Visit

UNDER_WAY = (MessageStatus.SCHEDULED, MessageStatus.CALLING, MessageStatus.UNKNOWN)

_IS_HELD = exists().where(LegalHold.patient_id == Patient.id, LegalHold.lifted_at.is_(None))
_IS_IN_PROGRAMME = exists().where(
    Enrolment.patient_id == Patient.id, Enrolment.status.in_(OPEN_STATUSES)
)
_HAS_CONCERN = exists().where(
    Concern.patient_id == Patient.id, Concern.status != ConcernStatus.CLOSED
)
_HAS_TEXT = exists().where(Message.patient_id == Patient.id, Message.status.in_(UNDER_WAY))
_IS_ANONYMISED = exists().where(Anonymised.patient_id == Patient.id)
_IS_GRANTED = exists().where(
    DeletionRequest.patient_id == Patient.id,
    DeletionRequest.decision == Decision.GRANTED,
    DeletionRequest.done_at.is_(None),
)
# Whose, and when: what tells that a patient, or somebody about them, had to do with us. Law and
# the clinic count the years from the last of these.
HEARD: tuple[tuple[InstrumentedAttribute[Any], InstrumentedAttribute[Any]], ...] = (
    (Enrolment.patient_id, Enrolment.status_at),
    (Attempt.patient_id, Attempt.at),
    (PhoneCall.patient_id, PhoneCall.asked_at),
    (ReturnedCall.patient_id, ReturnedCall.at),
    (Reading.patient_id, Reading.recorded_at),
    (Questionnaire.patient_id, Questionnaire.at),
    (Visit.patient_id, Visit.recorded_at),
    (Message.patient_id, Message.created_at),
    (InboxItem.patient_id, InboxItem.at),
    (ConsentEvent.patient_id, ConsentEvent.at),
    (Concern.patient_id, Concern.raised_at),
    (DeletionRequest.patient_id, DeletionRequest.noted_at),
    (DeletionRequest.patient_id, DeletionRequest.decided_at),
    (LegalHold.patient_id, LegalHold.lifted_at),
)
_OBSTACLES = {
    Obstacle.HOLD: _IS_HELD,
    Obstacle.IN_PROGRAMME: _IS_IN_PROGRAMME,
    Obstacle.CONCERN: _HAS_CONCERN,
    Obstacle.TEXT: _HAS_TEXT,
}


def obstacles(session: Session, patient_id: int) -> frozenset[Obstacle]:
    """Return what keeps a patient from being anonymised."""
    columns = [condition.label(name.name) for name, condition in _OBSTACLES.items()]
    row = session.execute(select(*columns).where(Patient.id == patient_id)).one()
    return frozenset(name for name, found in zip(_OBSTACLES, row, strict=True) if found)


def page(session: Session, *, after: int, most: int, now: datetime) -> list[int]:
    """Return up to ``most`` patients that are due and free, by id, from ``after`` on."""
    query = (
        select(Patient.id)
        .where(Patient.id > after, _may_go(), _is_due(_years(session), now=now))
        .order_by(Patient.id)
        .limit(most)
    )
    return list(session.scalars(query))


def is_due(session: Session, patient_id: int, *, now: datetime) -> bool:
    """Say whether a patient is due and nothing keeps them from it."""
    found = select(Patient.id).where(
        Patient.id == patient_id, _may_go(), _is_due(_years(session), now=now)
    )
    return session.scalar(found) is not None


def is_asked(session: Session, patient_id: int) -> bool:
    """Say whether a request of this patient was granted and is not done."""
    return bool(session.scalar(select(Patient.id).where(Patient.id == patient_id, _IS_GRANTED)))


def waiting(session: Session, clinic_id: int, *, now: datetime) -> dict[Obstacle, int]:
    """Count those of a clinic who are due, by what keeps them; one may count more than once."""
    due = _of_clinic(session, clinic_id, now=now)
    counts = [
        func.count().filter(condition).label(name.name) for name, condition in _OBSTACLES.items()
    ]
    row = session.execute(due.with_only_columns(*counts)).one()
    return dict(zip(_OBSTACLES, row, strict=True))


def count(session: Session, clinic_id: int, *, now: datetime) -> int:
    """Count those of a clinic who are due, whatever keeps them."""
    due = _of_clinic(session, clinic_id, now=now)
    return session.scalar(due.with_only_columns(func.count())) or 0


def soon(
    session: Session, clinic_id: int, *, now: datetime, within: timedelta, most: int | None
) -> Sequence[Patient]:
    """Return those of a clinic who are not due yet and become so ``within``, if nothing happens."""
    years = _years(session)
    return session.scalars(
        _of_clinic(session, clinic_id, now=now + within)
        .with_only_columns(Patient)
        .where(~_is_due(years, now=now))
        .order_by(Patient.id)
        .limit(most)
    ).all()


def _of_clinic(session: Session, clinic_id: int, *, now: datetime) -> Select[int]:
    return select(Patient.id).where(
        Patient.clinic_id == clinic_id, ~_IS_ANONYMISED, _is_due(_years(session), now=now)
    )


def _years(session: Session) -> dict[int, int]:
    rows = session.execute(
        select(RetentionSetting.clinic_id, RetentionSetting.years).where(
            RetentionSetting.years.is_not(None)
        )
    )
    return {clinic_id: years for clinic_id, years in rows if years is not None}


def _may_go() -> ColumnElement[bool]:
    return and_(~_IS_ANONYMISED, *(~condition for condition in _OBSTACLES.values()))


def _is_due(years: dict[int, int], *, now: datetime) -> ColumnElement[bool]:
    """Say of a patient whether a request was granted, or nothing happened for long enough."""
    by_schedule = (
        and_(Patient.clinic_id == clinic_id, _is_quiet_since(cutoff(now, count)))
        for clinic_id, count in years.items()
    )
    return or_(_IS_GRANTED, *by_schedule)


def _is_quiet_since(at: datetime) -> ColumnElement[bool]:
    """Say of a patient whether they left before ``at``, and nothing was heard of them since."""
    step = exists().where(
        ConcernStep.concern_id == Concern.id,
        Concern.patient_id == Patient.id,
        ConcernStep.at >= at,
    )
    return and_(
        Patient.created_at < at,
        ~_IS_IN_PROGRAMME,
        ~step,
        *(~exists().where(whose == Patient.id, when >= at) for whose, when in HEARD),
    )
