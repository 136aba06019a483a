"""Patients from a file beside those we have: who is new, what is added.

Existing patients are never overwritten; they gain readings and visits and nothing else, but for a
'no' to texts, and for the state they live in where nobody knew it. Readings of the last days are
judged as on a call (``judging``). Written with set-wise statements, a batch at a time.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from outreach import bulk
from outreach.accounts.models import Clinic
from outreach.among import among
from outreach.calling_hours import refitting
from outreach.clock import local_day
from outreach.intake import judging, visiting
from outreach.intake.files import Watch
from outreach.intake.known import Known, find, is_refused, is_removed, note_corrected, removed
from outreach.intake.rules import IncomingPatient, Report, readings
from outreach.intake.spool import Spool
from outreach.intake.visiting import Into
from outreach.measures import newest
from outreach.measures.models import Reading
from outreach.patients import consent, registry
from outreach.patients.models import ConsentEvent, Patient, PhoneNumber, tail_of
from outreach.patients.rules import (
    Channel,
    ConsentSource,
    ConsentTopic,
    NumberHealth,
    mask_of_weekdays,
)
from outreach.programmes import enrolment as enrolments
from outreach.programmes import protocol
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus
from outreach.searching import index

BATCH = 1000
Row = dict[str, Any]


@dataclass(frozen=True)
class Occasion:
    """Where, when and by whom something is brought in; None: by a command."""

    clinic_id: int
    by_staff_id: int | None
    now: datetime


def merge(
    session: Session,
    spool: Spool,
    report: Report,
    occasion: Occasion,
    *,
    is_dry: bool,
    watch: Watch = lambda _done: None,
) -> None:
    """Add the patients of ``spool``, and count it all in ``report``.

    Does not commit. ``is_dry``: the same, without writing.
    """
    version_id, said = None, (len(report.problems), len(report.notes))
    into = Into(occasion.clinic_id, occasion.by_staff_id, occasion.now, is_dry)
    if not is_dry:
        _wait_for_other_imports(session, occasion.clinic_id)
        version_id = protocol.newest_version(session, now=occasion.now).id
    for batch in spool.batches(BATCH):
        known = find(session, occasion.clinic_id, batch)
        gone = removed(session, occasion.clinic_id, batch)
        taken = [
            each
            for each in batch
            if not is_removed(each, gone, report)
            and not is_refused(each, known.get(each.record_number), report)
        ]
        fresh = [each for each in taken if each.record_number not in known]
        ids = {number: found.id for number, found in known.items()}
        if version_id is not None and fresh:
            ids |= _add_patients(session, occasion, fresh, version_id)
        rows = list(_new_readings(occasion, taken, ids, _present(session, known, taken)))
        if rows and not is_dry:
            bulk.write_new(session.connection(), Reading, rows)
            newest.follow(session, sorted({row["patient_id"] for row in rows}))
            report.concerns += judging.judge(
                session, rows, by_staff_id=occasion.by_staff_id, now=occasion.now
            )
        if not is_dry:
            _fill_states(session, taken, known, occasion)
        note_corrected(session, taken, known, report)
        visiting.keep(session, taken, ids, into, report)
        withdrawals = list(_withdrawal_rows(occasion, taken, known))
        if withdrawals and not is_dry:
            bulk.write_new(session.connection(), ConsentEvent, withdrawals)
        report.new += len(fresh)
        report.known += len(taken) - len(fresh)
        report.enrolled += sum(each.enrolled_on is not None for each in fresh)
        report.readings += len(rows)
        report.withdrawn += len({row["patient_id"] for row in withdrawals})
        watch(len(batch))
    visiting.keep_named(session, spool, into, report, size=BATCH)
    report.put_in_order(*said)


def _fill_states(
    session: Session,
    taken: Sequence[IncomingPatient],
    known: Mapping[str, Known],
    occasion: Occasion,
) -> None:
    """Write in which state those live of whom nobody knew it; its law holds for their calls."""
    by_state: dict[str, list[int]] = defaultdict(list)
    for each in taken:
        have = known.get(each.record_number)
        if each.state and have and have.state is None:
            by_state[each.state].append(have.id)
    for state, ids in sorted(by_state.items()):
        session.execute(
            update(Patient)
            .where(among(Patient.id, ids), Patient.state.is_(None))
            .values(state=state)
            .execution_options(synchronize_session=False)
        )
    if by_state:
        refitting.mark(session, Clinic.id == occasion.clinic_id, now=occasion.now)


def _wait_for_other_imports(session: Session, clinic_id: int) -> None:
    # Two imports of one file at the same time would both find nobody. SQLite has one
    # writer anyway; on PostgreSQL this row is the queue, without stopping other writers.
    session.execute(select(Clinic.id).where(Clinic.id == clinic_id).with_for_update(key_share=True))


def _add_patients(
    session: Session, occasion: Occasion, fresh: Sequence[IncomingPatient], version_id: int
) -> dict[str, int]:
    """Write new patients with all that is theirs; return their ids by record number."""
    connection = session.connection()
    bulk.write_new(connection, Patient, [_patient_row(each, occasion) for each in fresh])
    found = session.execute(
        select(Patient.record_number, Patient.id)
        .where(
            Patient.clinic_id == occasion.clinic_id,
            Patient.record_number.in_([each.record_number for each in fresh]),
        )
        .order_by(Patient.id)
    ).all()
    ids = {row.record_number: row.id for row in found}
    for table, rows_of in (
        (PhoneNumber, _number_rows),
        (ConsentEvent, _consent_rows),
        (Enrolment, partial(_enrolment_rows, version_id=version_id)),
    ):
        rows = [
            {"clinic_id": occasion.clinic_id, "patient_id": ids[each.record_number], **row}
            for each in fresh
            for row in rows_of(each, occasion)
        ]
        bulk.write_new(connection, table, rows)
    enrolments.begin_histories(session, list(ids.values()), by_staff_id=occasion.by_staff_id)
    index.add_named(session, sorted(_named(each, ids, occasion) for each in fresh))
    return ids


def _named(incoming: IncomingPatient, ids: Mapping[str, int], occasion: Occasion) -> index.Named:
    return index.Named(
        ids[incoming.record_number],
        occasion.clinic_id,
        incoming.given_name,
        incoming.family_name,
        incoming.preferred_name,
        incoming.record_number,
    )


def _present(
    session: Session, known: Mapping[str, Known], taken: Sequence[IncomingPatient]
) -> set[tuple[int | None, str | None]]:
    """Return (patient id, key) of every imported reading of those we have, and of own ones."""
    if not known:
        return set()
    rows = session.execute(
        select(Reading.patient_id, Reading.external_key)
        .where(
            Reading.patient_id.in_([found.id for found in known.values()]),
            Reading.external_key.is_not(None),
        )
        .order_by(Reading.id)
    )
    return {(patient_id, key) for patient_id, key in rows} | _own(session, known, taken)


def _own(
    session: Session, known: Mapping[str, Known], taken: Sequence[IncomingPatient]
) -> set[tuple[int, str]]:
    """Return (patient id, key) of what was taken away from here as FHIR and is brought back."""
    named = [
        (have.id, reading_id, reading.key)
        for each in taken
        if (have := known.get(each.record_number))
        for reading in each.readings
        if (reading_id := readings.own_id(reading, have.ref)) is not None
    ]
    if not named:
        return set()
    rows = session.execute(
        select(Reading.patient_id, Reading.id)
        .where(among(Reading.patient_id, sorted({patient_id for patient_id, *_ in named})))
        .order_by(Reading.id)
    )
    theirs = {(patient_id, reading_id) for patient_id, reading_id in rows}
    return {(patient_id, key) for patient_id, own, key in named if (patient_id, own) in theirs}


def _new_readings(
    occasion: Occasion,
    taken: Sequence[IncomingPatient],
    ids: dict[str, int],
    present: set[tuple[int | None, str | None]],
) -> Iterator[Row]:
    """Yield the rows of readings that we don't have. In a dry run new patients have no id."""
    for each in taken:
        patient_id = ids.get(each.record_number)
        for key, reading in {reading.key: reading for reading in each.readings}.items():
            if (patient_id, key) in present:
                continue
            yield {
                "clinic_id": occasion.clinic_id,
                "patient_id": patient_id,
                "kind": reading.kind,
                "value": reading.value,
                "entered_value": reading.entered_value,
                "entered_unit": reading.entered_unit,
                "taken_at": reading.taken_at(each.zone),
                "is_time_known": reading.at is not None,
                "recorded_at": occasion.now,
                "recorded_by_id": occasion.by_staff_id,
                "source": reading.source,
                "external_key": key,
                "begins_on": reading.begins_on,
                "is_unreliable": reading.is_unreliable,
                "signs": [],
            }


def _withdrawal_rows(
    occasion: Occasion, taken: Sequence[IncomingPatient], known: Mapping[str, Known]
) -> Iterator[Row]:
    """Yield an event for each number of those we have who want no texts any more."""
    for each in taken:
        have = known.get(each.record_number)
        if have is None:
            continue
        for number in have.numbers_to_withdraw(each):
            theirs = {"clinic_id": occasion.clinic_id, "patient_id": have.id}
            yield theirs | _consent_row(occasion, number, is_given=False)


def _patient_row(incoming: IncomingPatient, occasion: Occasion) -> Row:
    return {
        "ref": registry.new_ref(),
        "clinic_id": occasion.clinic_id,
        "record_number": incoming.record_number,
        "given_name": incoming.given_name,
        "family_name": incoming.family_name,
        "preferred_name": incoming.preferred_name,
        "date_of_birth": incoming.date_of_birth,
        "sex": incoming.sex,
        "language": incoming.language,
        "zone": incoming.zone,
        "weekdays": mask_of_weekdays(incoming.weekdays),
        "dayparts": [part.value for part in incoming.dayparts],
        "is_voicemail_allowed": incoming.is_voicemail_allowed,
        "is_welfare_check_agreed": incoming.is_welfare_check_agreed,
        "wished_caller": incoming.wished_caller,
        "state": incoming.state,
        "about": "",
        "created_at": occasion.now,
    }


def _number_rows(incoming: IncomingPatient, occasion: Occasion) -> Iterator[Row]:
    for position, e164 in enumerate(incoming.phones, start=1):
        yield {
            "e164": e164,
            "tail": tail_of(e164),
            "position": position,
            "health": NumberHealth.WORKING,
            "health_at": occasion.now,
        }


def _consent_rows(incoming: IncomingPatient, occasion: Occasion) -> Iterator[Row]:
    if incoming.is_text_agreed is not None:
        yield _consent_row(occasion, incoming.phones[0], is_given=incoming.is_text_agreed)


def _consent_row(occasion: Occasion, number: str, *, is_given: bool) -> Row:
    return {
        "channel": Channel.SMS,
        "topic": ConsentTopic.REMINDERS,
        "is_given": is_given,
        "number": number,
        "source": ConsentSource.IMPORT,
        "wording": consent.WORDING,
        "by_staff_id": occasion.by_staff_id,
        "at": occasion.now,
    }


def _enrolment_rows(
    incoming: IncomingPatient, occasion: Occasion, *, version_id: int
) -> Iterator[Row]:
    starts_on = incoming.starts_on(local_day(occasion.now, ZoneInfo(incoming.zone)))
    if starts_on is not None:
        yield {
            "version_id": version_id,
            "starts_on": starts_on,
            "status": EnrolmentStatus.ACTIVE,
            "status_at": occasion.now,
            "status_reason": "",
            "enrolled_at": occasion.now,
        }
