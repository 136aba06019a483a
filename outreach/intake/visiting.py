"""Visits of files beside those we have: new ones are added, in batches, by set-wise statements."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from outreach.intake.rules import IncomingPatient, IncomingVisit, Note, Report, VisitOf
from outreach.intake.spool import Spool
from outreach.patients.models import Patient
from outreach.visits.models import Visit


@dataclass(frozen=True)
class Of:
    """A visit with whose it is. ``patient_id`` None: of somebody whom a dry run adds."""

    patient_id: int | None
    record_number: str
    zone: str
    visit: IncomingVisit


@dataclass(frozen=True)
class Into:
    """Where, when and by whom visits are brought in; ``is_dry``: they are only counted."""

    clinic_id: int
    by_staff_id: int | None
    now: datetime
    is_dry: bool


def keep(
    session: Session,
    taken: Sequence[IncomingPatient],
    ids: Mapping[str, int],
    into: Into,
    report: Report,
) -> None:
    """Add the visits of patients of a file, and count them in ``report``. Does not commit."""
    found = (
        Of(ids.get(each.record_number), each.record_number, each.zone, visit)
        for each in taken
        for visit in each.visits
    )
    _add(session, found, into, report)


def keep_named(session: Session, spool: Spool, into: Into, report: Report, *, size: int) -> None:
    """Add visits of patients whom the clinic has by record number. Does not commit.

    A record number that nobody has is noted, and its visits are passed over.
    """
    for batch in spool.visits_of(size):
        numbers = {each.record_number for each in batch}
        rows = session.execute(
            select(Patient.record_number, Patient.id, Patient.zone)
            .where(Patient.clinic_id == into.clinic_id, Patient.record_number.in_(sorted(numbers)))
            .order_by(Patient.id)
        )
        known = {number: (patient_id, zone) for number, patient_id, zone in rows}
        _add(session, _of_known(batch, known, report), into, report)
        report.known += len(known)


def _of_known(
    batch: Sequence[VisitOf], known: Mapping[str, tuple[int, str]], report: Report
) -> Iterable[Of]:
    for each in batch:
        if each.record_number in known:
            patient_id, zone = known[each.record_number]
            yield Of(patient_id, each.record_number, zone, each.visit)
        else:
            reason = "nobody at this clinic has this record number; passed over"
            report.add(Note(each.line, "mrn", reason, each.file))


def _add(session: Session, found: Iterable[Of], into: Into, report: Report) -> None:
    by_key = {(each.record_number, each.visit.key): each for each in found}
    if not by_key:
        return
    ids = {each.patient_id for each in by_key.values() if each.patient_id is not None}
    there = session.execute(
        select(Visit.patient_id, Visit.external_key)
        .where(Visit.patient_id.in_(sorted(ids)))
        .order_by(Visit.id)
    )
    present = {(patient_id, key) for patient_id, key in there}
    new = [each for each in by_key.values() if (each.patient_id, each.visit.key) not in present]
    if new and not into.is_dry:
        session.connection().execute(
            insert(Visit),
            [
                {
                    "clinic_id": into.clinic_id,
                    "patient_id": each.patient_id,
                    "took_place_on": each.visit.on,
                    "at": each.visit.began_at(each.zone),
                    "kind": each.visit.kind,
                    "external_key": each.visit.key,
                    "recorded_at": into.now,
                    "recorded_by_id": into.by_staff_id,
                }
                for each in new
            ],
        )
    report.visits += len(new)
    report.visits_read += len(by_key)
