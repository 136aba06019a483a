"""What a nurse is told of a call before it is saved: a level 2 low, which can't wait for that."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from outreach.accounts.rules import Actor
from outreach.calls.models import Attempt
from outreach.concerns import low_sugar, raising
from outreach.concerns.models import Concern
from outreach.measures.readings import ReportedReading
from outreach.patients.models import Patient
from outreach.results import entering


def tell_of_low(
    session: Session,
    patient: Patient,
    low: ReportedReading,
    form_key: str,
    *,
    actor: Actor,
    now: datetime,
) -> Concern:
    """Tell a nurse at once of a level 2 low on a call that can't be saved yet. No commit."""
    return low_sugar.tell_at_once(
        session,
        patient,
        entering.told_words(low),
        form_key=form_key,
        by_staff_id=actor.staff_id,
        since=last_recorded(session, patient.id, actor.staff_id),
        now=now,
    )


def of_low(
    session: Session, patient: Patient, attempt: Attempt, *, now: datetime
) -> Concern | None:
    """Return the concern that `tell_of_low` raised in the call of ``attempt``, if it did."""
    by_staff_id = attempt.caller_id
    since = last_recorded(session, patient.id, by_staff_id, besides=attempt.id)
    return low_sugar.told_in_call(
        session, patient.id, by_staff_id=by_staff_id, since=since, now=now
    )


def of_none_after_all(session: Session, told: Concern, *, by_staff_id: int, now: datetime) -> None:
    """Add to a concern that its call was saved without a low: a nurse decides. No commit."""
    words = "The call was saved without a low blood sugar."
    raising.add_words(session, told, words, by_staff_id=by_staff_id, now=now)


def last_recorded(
    session: Session, patient_id: int, staff_id: int, *, besides: int | None = None
) -> datetime | None:
    """Return when somebody last recorded a call with a patient, but that of attempt ``besides``."""
    found = select(func.max(Attempt.recorded_at)).where(
        Attempt.patient_id == patient_id,
        Attempt.caller_id == staff_id,
        Attempt.superseded_at.is_(None),
    )
    return session.scalar(found if besides is None else found.where(Attempt.id != besides))
