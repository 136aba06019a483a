"""What a nurse is told of a call before it is saved: what is urgent can't wait for that."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from outreach import absent
from outreach.accounts.rules import Actor
from outreach.built_once import built_once
from outreach.calls.models import Attempt
from outreach.concerns import at_once, raising
from outreach.concerns.at_once import Urgent, page_of_call
from outreach.concerns.models import Concern
from outreach.concerns.rules import ConcernKind
from outreach.measures.models import Reading
from outreach.measures.readings import entered
from outreach.patients.models import Patient
from outreach.results.urgent import Typed


def tell(
    session: Session,
    patient: Patient,
    found: Sequence[Urgent],
    form_key: str,
    *,
    actor: Actor,
    now: datetime,
) -> list[Concern]:
    """Tell a nurse at once of what is urgent in a call that can't be saved yet. No commit."""
    since = last_recorded(session, patient.id, actor.staff_id)
    page = page_of_call(form_key, by_staff_id=actor.staff_id, since=since)
    return at_once.tell(session, patient, found, page, now=now)


def tell_worry(
    session: Session, patient: Patient, words: str, *, actor: Actor, now: datetime
) -> Concern:
    """Raise a caller's worry of a call that can't be saved yet, with its words. No commit."""
    return raising.raise_with_call(
        session,
        patient,
        words,
        by_staff_id=actor.staff_id,
        since=last_recorded(session, patient.id, actor.staff_id),
        now=now,
    )


def not_kept(session: Session, attempt: Attempt, typed: Typed) -> Typed:
    """Return ``typed`` without what was kept with an attempt, of which a nurse was told."""
    kept = session.scalars(select(Reading).where(Reading.attempt_id == attempt.id)).all()
    as_typed = {(each.kind, each.entered_value, each.entered_unit) for each in kept}
    rest = [
        each for each in typed.readings if (each.kind, entered(each), each.unit) not in as_typed
    ]
    said = frozenset().union(*(each.said for each in kept))
    return replace(typed, readings=rest, signs=typed.signs - said)


def kinds_told(
    session: Session, patient_id: int, form_key: str, actor: Actor, *, now: datetime
) -> frozenset[ConcernKind]:
    """Return the kinds of what a nurse was told of in a call that isn't saved yet."""
    since = last_recorded(session, patient_id, actor.staff_id)
    page = page_of_call(form_key, by_staff_id=actor.staff_id, since=since)
    return at_once.kinds_told(session, patient_id, page, now=now)


def of_call(
    session: Session, patient: Patient, attempt: Attempt, *, now: datetime
) -> list[Concern]:
    """Return the concerns that `tell` raised in the call of ``attempt``."""
    if absent.is_known(session, Concern.patient_id, patient.id):
        return []
    by_staff_id = attempt.caller_id
    since = last_recorded(session, patient.id, by_staff_id, besides=attempt.id)
    page = page_of_call(attempt.form_key, by_staff_id=by_staff_id, since=since)
    return at_once.told(session, patient.id, page, now=now)


def last_recorded(
    session: Session, patient_id: int, staff_id: int, *, besides: int | None = None
) -> datetime | None:
    """Return when somebody last recorded a call with a patient, but that of attempt ``besides``."""
    return session.scalar(*_last_recorded(patient_id, staff_id, besides or 0))


@built_once
def _last_recorded(patient_id: Any, staff_id: Any, besides: Any) -> Select[datetime | None]:
    return select(func.max(Attempt.recorded_at)).where(
        Attempt.patient_id == patient_id,
        Attempt.caller_id == staff_id,
        Attempt.superseded_at.is_(None),
        Attempt.id != besides,
    )
