"""Correcting a reading: a new one stands in its place and says why; the old one stays."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.accounts.rules import Actor, Role
from outreach.audit import trail
from outreach.concerns import raising
from outreach.concerns.at_once import Urgent
from outreach.concerns.models import Concern
from outreach.concerns.rules import ConcernStatus, Trigger, Urgency
from outreach.errors import NotAllowed, NotFound, Stale
from outreach.measures import newest, readings
from outreach.measures.models import Reading
from outreach.measures.readings import ReportedReading
from outreach.measures.rules import REGISTRY, ReadingSource, in_both_units
from outreach.orm import insert_new
from outreach.patients.models import Patient
from outreach.results import entering


class NoSuchReading(NotFound):
    """This patient has no reading of that number."""


class NotYoursToCorrect(NotAllowed):
    """Nurses correct every reading, callers those that they entered."""


class AlreadyCorrected(Stale):
    """Somebody corrected this reading first."""


@dataclass(frozen=True)
class Correction:
    """A reading as it should have been, None where it was entered in error; and why."""

    reported: ReportedReading | None
    reason: str


def by_id(session: Session, patient: Patient, reading_id: int) -> Reading:
    """Return one reading of a patient, or raise NoSuchReading."""
    found = session.scalar(
        select(Reading).where(
            Reading.id == reading_id, Reading.patient_id == patient.id, Reading.is_void.is_(False)
        )
    )
    if found is None:
        raise NoSuchReading("There is no such reading.")
    return found


def may_correct(actor: Actor, reading: Reading) -> bool:
    """Say whether ``actor`` may correct a reading: a nurse, or the caller who entered it."""
    is_own = reading.recorded_by_id == actor.staff_id
    is_nurse = Role.NURSE in entering.roles_at(actor, reading.clinic_id)
    return is_nurse or (is_own and entering.may_enter(actor, reading.kind, reading.clinic_id))


def refuse_others(actor: Actor, reading: Reading) -> None:
    """Raise NotYoursToCorrect where ``actor`` may not correct a reading."""
    if not may_correct(actor, reading):
        raise NotYoursToCorrect("Only a nurse, or the caller who entered it, corrects this.")


def correct(
    session: Session,
    patient: Patient,
    reading: Reading,
    correction: Correction,
    *,
    actor: Actor,
    now: datetime,
    told: Sequence[Concern] = (),
) -> Reading:
    """Put a correction in place of a reading, and judge it by its own time.

    A concern that the reading raised is told of the correction; a new one is raised only
    where the correction asks for more than was asked before. ``told`` are the concerns by
    which a nurse was told of it before it was saved. Does not commit.

    Raises:
        NotYoursToCorrect: ``actor`` neither is a nurse nor entered the reading.
        AlreadyCorrected: somebody was first; nothing is changed.
    """
    refuse_others(actor, reading)
    if not insert_new(session, Reading, [_row(reading, correction, actor=actor, now=now)]):
        raise AlreadyCorrected("Somebody corrected this reading already.")
    newest.find_again(session, patient.id, [reading.kind])
    made = session.scalars(select(Reading).where(Reading.supersedes_id == reading.id)).one()
    known = _concerns_of(session, reading)
    words = (
        "entered in error"
        if made.is_void
        else in_both_units(made.kind, made.entered_value, made.entered_unit, made.value)
    )
    note = f"Reading corrected: {words}. {correction.reason}"
    for concern in known:
        if concern.status is not ConcernStatus.CLOSED:
            raising.note(session, concern, note, by_staff_id=actor.staff_id, now=now)
    judged = None if made.is_void else entering.judge(session, made, now=now)
    if judged and not any(_covers(concern, judged.trigger) for concern in known):
        entering.raise_worst(
            session, patient, [judged], note=note, by_staff_id=actor.staff_id, now=now, told=told
        )
    trail.record(
        session,
        "corrected a reading",
        actor_id=actor.staff_id,
        now=now,
        clinic_id=patient.clinic_id,
        patient_id=patient.id,
        about=("reading", made.id),
    )
    return made


def untold(session: Session, reading: Reading, found: Sequence[Urgent]) -> list[Urgent]:
    """Return what a nurse has not been told of by the reading that is corrected."""
    known = _concerns_of(session, reading)
    return [
        each
        for each in found
        if not any(_covers(concern, Trigger(each.kind, Urgency.NOW)) for concern in known)
    ]


def add_overtaken(
    session: Session, reading: Reading, found: Sequence[Urgent], *, by_staff_id: int, now: datetime
) -> None:
    """Say of a correction that came second what is urgent in it, where a nurse is told already.

    Does not commit.
    """
    for concern in _concerns_of(session, reading):
        words = "\n".join(each.words for each in found if each.kind is concern.kind)
        if words and concern.status is not ConcernStatus.CLOSED:
            note = f"A second correction, not kept, said: {words}"
            raising.note(session, concern, note, by_staff_id=by_staff_id, now=now)


def _row(
    reading: Reading, correction: Correction, *, actor: Actor, now: datetime
) -> dict[str, Any]:
    reported = correction.reported or ReportedReading(
        reading.kind,
        reading.value,
        REGISTRY[reading.kind].unit,
        reading.taken_at,
        reading.is_time_known,
        reading.bound,
    )
    measure = REGISTRY[reading.kind]
    return {
        "clinic_id": reading.clinic_id,
        "patient_id": reading.patient_id,
        "attempt_id": reading.attempt_id,
        "supersedes_id": reading.id,
        "kind": reading.kind,
        "value": measure.in_canonical_unit(reported.value, reported.unit),
        "entered_value": readings.entered(reported),
        "entered_unit": reported.unit,
        "taken_at": reported.taken_at,
        "is_time_known": reported.is_time_known,
        "recorded_at": now,
        "recorded_by_id": actor.staff_id,
        "source": ReadingSource.STAFF,
        "bound": reported.bound,
        "signs": sorted(reading.said),
        "begins_on": reading.begins_on,
        "is_unreliable": reading.is_unreliable,
        "is_void": correction.reported is None,
        "reason": correction.reason.strip(),
    }


def _concerns_of(session: Session, reading: Reading) -> Sequence[Concern]:
    """Return what a reading, those that it corrected and those that correct it have raised."""
    ids = readings.same_as(session, reading.patient_id, reading.id)
    return session.scalars(
        select(Concern).where(Concern.reading_id.in_(ids)).order_by(Concern.id)
    ).all()


def _covers(concern: Concern, trigger: Trigger) -> bool:
    order = list(Urgency)
    is_as_urgent = order.index(concern.urgency) <= order.index(trigger.urgency)
    return concern.kind is trigger.kind and is_as_urgent
