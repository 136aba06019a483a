"""Patients: finding them within somebody's scope, and keeping their details."""

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import ScalarSelect, Select, bindparam, exists, select, update
from sqlalchemy.orm import Session, aliased, joinedload

from outreach import asked_once, sealing
from outreach.accounts.rules import Scope
from outreach.accounts.scoping import shape_of, values_of, visible_to_all_like
from outreach.among import among
from outreach.built_once import built_once
from outreach.errors import NotAllowed, NotFound
from outreach.orm import rows_of
from outreach.patients.models import Anonymised, Patient, PatientBefore, PhoneNumber
from outreach.patients.rules import Daypart, NumberHealth, Sex, Wishes, mask_of_weekdays


class NoSuchPatient(NotFound):
    """Nobody in the actor's scope has that reference."""


class IsAnonymised(NotAllowed):
    """What names this patient was removed: nothing is added to the record any more."""

    def __init__(self) -> None:
        super().__init__("This patient was anonymised. Nothing is added to the record any more.")


@dataclass(frozen=True)
class OfRecord:
    """What the clinic's record says of a patient, which a manager may correct here."""

    sex: Sex
    date_of_birth: date


@dataclass(frozen=True)
class Details:
    """What staff may change about a patient. ``record`` None: it stays as it is."""

    preferred_name: str | None
    pronouns: str | None
    language: str
    zone: str
    weekdays: frozenset[int]
    dayparts: tuple[Daypart, ...]
    is_voicemail_allowed: bool | None
    about: str
    said_as: str | None = None
    approach: str | None = None
    is_welfare_check_agreed: bool | None = None
    wished_caller: Sex | None = None
    state: str | None = None
    record: OfRecord | None = None


def new_ref() -> str:
    """Return a random reference for addresses of pages: 80 bits, no counter."""
    return secrets.token_hex(8)


def by_ref(session: Session, scope: Scope, ref: str) -> Patient:
    """Return the patient with ``ref`` and their clinic, or raise NoSuchPatient."""
    return _found(session, scope, ref)[0]


def to_write(session: Session, scope: Scope, ref: str) -> Patient:
    """Return the patient with ``ref`` and their clinic for whoever adds something to the record.

    Every page on which something is typed about a patient opens them by this.

    Raises:
        IsAnonymised
        NoSuchPatient: nobody in ``scope`` has that reference.
    """
    patient, is_anonymised = _found(session, scope, ref)
    if is_anonymised:
        raise IsAnonymised
    return patient


def _found(session: Session, scope: Scope, ref: str) -> tuple[Patient, bool]:
    """Return a patient, and whether what names them was removed; or raise NoSuchPatient."""
    wanted = values_of(scope) | {"ref": ref}
    row = session.execute(_by_ref(shape_of(scope)), wanted).one_or_none()
    if row is None:
        raise NoSuchPatient("There is no such patient.")
    patient, is_anonymised = row
    return patient, is_anonymised


@cache
def _by_ref(shape: Scope) -> Select[Patient, bool]:
    is_visible = visible_to_all_like(shape, Patient.clinic_id, Patient.id)
    return (
        select(Patient, exists().where(Anonymised.patient_id == Patient.id))
        .options(joinedload(Patient.clinic))
        .where(Patient.ref == bindparam("ref"), is_visible)
    )


def refuse_anonymised(session: Session, patient_id: int) -> None:
    """Raise IsAnonymised where what names a patient was removed."""
    gone = select(Anonymised.patient_id).where(Anonymised.patient_id == patient_id)
    if session.scalar(gone) is not None:
        raise IsAnonymised


def anonymised_as(record_number: str) -> str:
    """Return by what a record number is known again after its patient was anonymised."""
    return sealing.keyed_hash(record_number, place=Anonymised.__tablename__)


def numbers_of(session: Session, patient_id: int) -> Sequence[PhoneNumber]:
    """Return a patient's numbers in the order in which they are tried."""
    return asked_once.answer(
        session,
        (PhoneNumber, patient_id),
        lambda: session.scalars(*_numbers(patient_id)).all(),
    )


@built_once
def _numbers(patient_id: Any) -> Select[PhoneNumber]:
    return (
        select(PhoneNumber)
        .where(PhoneNumber.patient_id == patient_id)
        .order_by(PhoneNumber.position, PhoneNumber.id)
    )


def working_number(session: Session, patient_id: int) -> PhoneNumber | None:
    """Return the number to dial, or None when every known one is wrong or disconnected."""
    for number in numbers_of(session, patient_id):
        if number.health is NumberHealth.WORKING:
            return number
    return None


def working_number_id() -> ScalarSelect[int]:
    """Return the id of the number to dial, as :func:`working_number`, in SQL.

    The query around it has Patient.
    """
    number = aliased(PhoneNumber)
    return (
        select(number.id)
        .where(number.patient_id == Patient.id, number.health == NumberHealth.WORKING)
        .order_by(number.position, number.id)
        .limit(1)
        .correlate(Patient)
        .scalar_subquery()
    )


def textable_numbers(session: Session, patient_ids: Sequence[int]) -> dict[int, str]:
    """Return the number that each is reached at, of those whose it can receive texts."""
    rows = rows_of(session, *_working(patient_ids))
    first = {patient_id: (e164, can_text) for patient_id, e164, can_text in rows}
    return {patient_id: e164 for patient_id, (e164, can_text) in first.items() if can_text}


@built_once
def _working(patient_ids: Any) -> Select[int, str, bool]:
    return (
        select(PhoneNumber.patient_id, PhoneNumber.e164, PhoneNumber.can_text)
        .where(
            among(PhoneNumber.patient_id, patient_ids), PhoneNumber.health == NumberHealth.WORKING
        )
        .order_by(PhoneNumber.position.desc(), PhoneNumber.id.desc())
    )


def is_wrong(session: Session, patient_id: int, e164: str) -> bool:
    """Say whether a number that was a patient's turned out to be somebody else's."""
    found = select(PhoneNumber.id).where(
        PhoneNumber.patient_id == patient_id,
        PhoneNumber.e164 == e164,
        PhoneNumber.health == NumberHealth.WRONG,
    )
    return session.scalar(found) is not None


def add_number(session: Session, patient: Patient, e164: str, *, now: datetime) -> PhoneNumber:
    """Put ``e164`` first among a patient's numbers, working again if it was known.

    A new number begins without consent to texts. One that is first and works stays as it is.
    Does not commit.
    """
    known = session.scalar(
        select(PhoneNumber).where(PhoneNumber.patient_id == patient.id, PhoneNumber.e164 == e164)
    )
    if known is not None and (known.position, known.health) == (1, NumberHealth.WORKING):
        return known
    session.execute(
        update(PhoneNumber)
        .where(PhoneNumber.patient_id == patient.id)
        .values(position=PhoneNumber.position + 1)
    )
    if known is None:
        known = PhoneNumber(clinic_id=patient.clinic_id, patient_id=patient.id, e164=e164)
        session.add(known)
    known.position, known.health, known.health_at = 1, NumberHealth.WORKING, now
    session.flush()
    return known


def spoil_number(
    session: Session, patient_id: int, number_id: int, health: NumberHealth, *, now: datetime
) -> None:
    """Note that a number must not be dialled again. Does not commit."""
    session.execute(
        update(PhoneNumber)
        .where(PhoneNumber.id == number_id, PhoneNumber.patient_id == patient_id)
        .values(health=health, health_at=now)
    )


def change_details(session: Session, patient: Patient, details: Details, *, now: datetime) -> None:
    """Write ``details`` to a patient. Does not commit."""
    coming: dict[str, Any] = {"language": details.language, "zone": details.zone}
    if details.record is not None:
        coming |= asdict(details.record)
    _keep_before(session, patient, coming, now=now)
    if details.record is not None:
        patient.sex, patient.date_of_birth = details.record.sex, details.record.date_of_birth
    patient.preferred_name = details.preferred_name
    patient.pronouns = details.pronouns
    patient.language = details.language
    patient.zone = details.zone
    change_wishes(patient, Wishes(details.weekdays, details.dayparts))
    patient.is_voicemail_allowed = details.is_voicemail_allowed
    patient.is_welfare_check_agreed = details.is_welfare_check_agreed
    patient.wished_caller, patient.state = details.wished_caller, details.state
    patient.about = details.about
    patient.said_as, patient.approach = details.said_as, details.approach


def _keep_before(
    session: Session, patient: Patient, coming: dict[str, Any], *, now: datetime
) -> None:
    """Keep what reports group ``patient`` by, where ``coming`` changes any of it.

    Whoever writes one of these columns calls this first, in the same transaction: a report as of
    an earlier day asks for it. Read anew behind the lock: two at once keep what each one ended.
    """
    session.flush()
    stands = session.execute(
        select(Patient.date_of_birth, Patient.sex, Patient.language, Patient.zone)
        .where(Patient.id == patient.id)
        .with_for_update(key_share=True)
    ).one()
    before: dict[str, Any] = dict(stands._mapping)  # noqa: SLF001 - the row as a mapping, by SQLAlchemy's own name
    if before | coming == before:
        return
    theirs = {"clinic_id": patient.clinic_id, "patient_id": patient.id}
    session.add(PatientBefore(**theirs, **before, until_at=now))


def change_wishes(patient: Patient, wishes: Wishes) -> None:
    """Write when a patient likes to be called. Does not commit."""
    patient.weekdays = mask_of_weekdays(wishes.weekdays)
    patient.dayparts = [part.value for part in wishes.dayparts]
