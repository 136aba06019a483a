"""What is told of patients as FHIR, read from the database: to files and to other systems alike.

Who was anonymised is no person to other systems any more; whoever asks here leaves them out
first (:func:`anonymised`).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, aliased

from outreach.accounts.models import StaffMember
from outreach.among import among
from outreach.calls.models import Attempt, AttemptCorrection
from outreach.calls.rules import Outcome
from outreach.fhir.rules import resources
from outreach.fhir.rules.resources import (
    PRESSURES,
    Conversation,
    Measured,
    Person,
    Resource,
    Status,
)
from outreach.measures.models import Reading
from outreach.measures.readings import firsts, is_last_word
from outreach.orm import UTCDateTime
from outreach.patients.models import Anonymised, Patient, PhoneNumber

# One that stands in the place of another has the time at which that one was saved: it changed
# when it was put there.
CALL_CHANGED_AT = func.coalesce(
    Attempt.superseded_at, AttemptCorrection.at, Attempt.saved_at, Attempt.at
)
_COMPLETING = tuple(outcome for outcome in Outcome if outcome.completes)


def anonymised(session: Session, ids: Sequence[int]) -> set[int]:
    """Return those of the patients ``ids`` who were anonymised."""
    gone = select(Anonymised.patient_id).where(among(Anonymised.patient_id, ids))
    return set(session.scalars(gone))


def patients(
    session: Session, some: Sequence[Patient], clinics: Mapping[int, str]
) -> Iterator[Resource]:
    """Yield ``some`` as Patients, in their order. ``clinics`` are the names, by id."""
    found = [patient.id for patient in some]
    numbers: dict[int, list[PhoneNumber]] = {patient_id: [] for patient_id in found}
    for number in session.scalars(
        select(PhoneNumber)
        .where(among(PhoneNumber.patient_id, found))
        .order_by(PhoneNumber.patient_id, PhoneNumber.position, PhoneNumber.id)
    ):
        numbers[number.patient_id].append(number)
    for patient in some:
        yield resources.patient(
            Person(
                patient.ref,
                patient.record_number,
                clinics[patient.clinic_id],
                patient.given_name,
                patient.family_name,
                patient.preferred_name,
                patient.sex,
                patient.date_of_birth,
                patient.language,
                [(each.e164, each.health) for each in numbers[patient.id]],
            )
        )


def observations(session: Session, ids: Sequence[int]) -> Iterator[Resource]:
    """Yield the Observations of the patients ``ids``, one patient after the other."""
    for _ref, group in groupby(measured(session, ids), key=lambda each: each.ref):
        yield from resources.observations(group)


def measured(
    session: Session, ids: Sequence[int], *conditions: ColumnElement[bool]
) -> Iterator[Measured]:
    """Yield the last word on each reading of the patients ``ids``, by patient and time.

    ``conditions`` narrow the readings. They are read as they are asked for.
    """
    first, left = firsts(session, ids), _left(session, ids)
    rows = session.execute(
        select(Reading, Patient.ref, Patient.zone)
        .join(Patient, Patient.id == Reading.patient_id)
        .where(among(Reading.patient_id, ids), is_last_word(), *conditions)
        .order_by(Reading.patient_id, Reading.taken_at, Reading.attempt_id, Reading.id)
        .execution_options(yield_per=1000)
    )
    for reading, ref, zone in rows:
        yield Measured(
            first.get(reading.id, reading.id),
            ref,
            ZoneInfo(zone),
            reading.kind,
            reading.value,
            reading.bound,
            reading.taken_at,
            reading.is_time_known,
            reading.begins_on,
            max(reading.recorded_at, reading.withdrawn_at or reading.recorded_at),
            reading.attempt_id,
            reading.source,
            _status(reading),
            reading.is_unreliable,
            left.get((reading.patient_id, reading.taken_at, reading.attempt_id))
            if reading.kind in PRESSURES
            else None,
        )


def _left(session: Session, ids: Sequence[int]) -> dict[tuple[int, datetime, int | None], datetime]:
    """Return when a blood pressure was last corrected, by where it had stood: one may have moved.

    What had been taken together with it then stands alone.
    """
    later = aliased(Reading)
    rows = session.execute(
        select(
            Reading.patient_id,
            Reading.taken_at,
            Reading.attempt_id,
            func.max(later.recorded_at, type_=UTCDateTime()),
        )
        .join(later, later.supersedes_id == Reading.id)
        .where(among(Reading.patient_id, ids), Reading.kind.in_(PRESSURES))
        .group_by(Reading.patient_id, Reading.taken_at, Reading.attempt_id)
    )
    return {(patient_id, at, attempt_id): left_at for patient_id, at, attempt_id, left_at in rows}


def _status(reading: Reading) -> Status:
    if reading.is_void or reading.withdrawn_at is not None:
        return Status.IN_ERROR
    return Status.FINAL if reading.supersedes_id is None else Status.CORRECTED


def communications(
    session: Session,
    ids: Sequence[int],
    *conditions: ColumnElement[bool],
    most: int | None = None,
    has_taken_back: bool = False,
) -> Iterator[tuple[Conversation, Resource]]:
    """Yield the completed calls of the patients ``ids``, by patient and time, and as FHIR.

    ``conditions`` narrow the calls; ``most`` is how many there are at most. Those that were
    taken back, or recorded wrongly, are among them only if ``has_taken_back``.
    """
    if not has_taken_back:
        conditions = (*conditions, Attempt.superseded_at.is_(None))
    rows = session.execute(
        select(
            Attempt.id,
            Patient.ref,
            Patient.zone,
            Attempt.at,
            StaffMember.name,
            Attempt.minutes,
            CALL_CHANGED_AT,
            Attempt.superseded_at,
        )
        .join(Patient, Patient.id == Attempt.patient_id)
        .join(StaffMember, StaffMember.id == Attempt.caller_id)
        .outerjoin(AttemptCorrection, AttemptCorrection.replaced_by_id == Attempt.id)
        .where(
            among(Attempt.patient_id, ids),
            Attempt.outcome.in_(_COMPLETING),
            *conditions,
        )
        .order_by(Attempt.patient_id, Attempt.at, Attempt.id)
        .limit(most)
    )
    for attempt_id, ref, zone, at, caller, minutes, changed_at, taken_back_at in rows:
        call = Conversation(
            attempt_id, ref, ZoneInfo(zone), at, caller, minutes, changed_at,
            is_taken_back=taken_back_at is not None,
        )  # fmt: skip
        yield call, resources.communication(call)
