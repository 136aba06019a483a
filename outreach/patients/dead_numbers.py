"""What is found out about a number that is wrong or disconnected, until it is resolved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from outreach.accounts.rules import Actor
from outreach.patients import registry
from outreach.patients.models import NumberNote, Patient, PhoneNumber
from outreach.patients.rules import NumberHealth
from outreach.sent_again import said_before


@dataclass(frozen=True)
class Learnt:
    """What somebody found out; ``new_number`` (E.164) resolves it by itself."""

    words: str
    is_resolved: bool
    new_number: str | None = None


@dataclass(frozen=True)
class DeadNumber:
    """A number that must not be dialled, with what was learnt, the oldest first."""

    number: PhoneNumber
    notes: Sequence[NumberNote]

    @property
    def is_resolved(self) -> bool:
        """Whether nothing is left to find out since it went dead."""
        since = self.number.health_at
        return any(note.is_resolved and note.at >= since for note in self.notes)


def of(session: Session, patient_id: int, numbers: Sequence[PhoneNumber]) -> Sequence[DeadNumber]:
    """Return those of a patient's ``numbers`` that are dead. One statement; none where none is."""
    dead = [each for each in numbers if each.health is not NumberHealth.WORKING]
    if not dead:
        return []
    notes: Mapping[int, list[NumberNote]] = {each.id: [] for each in dead}
    for note in session.scalars(
        select(NumberNote)
        .options(joinedload(NumberNote.by))
        .where(NumberNote.patient_id == patient_id, NumberNote.number_id.in_(notes))
        .order_by(NumberNote.id)
    ):
        notes[note.number_id].append(note)
    return [DeadNumber(each, notes[each.id]) for each in dead]


def keep(
    session: Session,
    patient: Patient,
    number: PhoneNumber,
    learnt: Learnt,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Keep what was learnt, once if sent twice, and put a new number first. Does not commit."""
    note = NumberNote(
        clinic_id=patient.clinic_id,
        patient_id=patient.id,
        number_id=number.id,
        text=learnt.words,
        is_resolved=learnt.is_resolved or learnt.new_number is not None,
        at=now,
        by_staff_id=actor.staff_id,
    )
    if said_before(session, note) is None:
        session.add(note)
    if learnt.new_number is not None:
        registry.add_number(session, patient, learnt.new_number, now=now)
    session.flush()
