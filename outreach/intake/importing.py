"""Bringing the patients of files into a clinic: all the good ones, in one transaction."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.audit import trail
from outreach.intake import csv_rows, csv_visits, fhir, files, merging
from outreach.intake.files import BadFile, Source, Watch
from outreach.intake.merging import Occasion
from outreach.intake.models import ImportRun
from outreach.intake.rules import (
    Absent,
    FileKind,
    Frame,
    Incoming,
    IncomingPatient,
    LooseReading,
    LooseVisit,
    Note,
    PassedOver,
    Problem,
    Report,
    VisitOf,
)
from outreach.intake.spool import Spool, open_spool


@dataclass(frozen=True)
class Target:
    """The clinic that patients are brought into."""

    clinic_id: int
    region: str
    zone: str

    @classmethod
    def of(cls, clinic: Clinic) -> "Target":
        """Return ``clinic`` as a value that outlives its transaction."""
        return cls(clinic.id, clinic.region, clinic.zone)


@dataclass
class Checked:
    """Files that were read: what is in them, and what was said about them so far."""

    kind: FileKind
    sha256: str
    spool: Spool
    report: Report


def unwatched(_done: int) -> None:
    """Watch nothing."""


@contextmanager
def read(
    sources: Sequence[Source], target: Target, *, now: datetime, watch: Watch = unwatched
) -> Iterator[Checked]:
    """Read and check files, without a database; ``watch`` is told each line's bytes.

    Raises:
        BadFile: one can't be read at all, or they are not of one kind.
    """
    kinds = {files.kind_of(source) for source in sources}
    if len(kinds) != 1:
        raise BadFile("Bring in one kind of file at a time: tables, Bundles or NDJSON.")
    kind = kinds.pop()
    frame = Frame(now, target.region, target.zone)
    with open_spool() as spool:
        report = Report()
        for source in sources:
            name = source.name if len(sources) > 1 else ""
            for found in _incoming(kind, source, frame, watch):
                _keep(found, name, spool, report)
        _note_orphans(spool, report)
        yield Checked(kind, files.sha256_of(list(sources)), spool, report)


def preview(session: Session, checked: Checked, target: Target, *, now: datetime) -> Report:
    """Return what carrying it out would do. Reads only."""
    occasion = Occasion(target.clinic_id, None, now)
    merging.merge(session, checked.spool, checked.report, occasion, is_dry=True)
    return checked.report


def carry_out(
    session: Session,
    checked: Checked,
    target: Target,
    *,
    by_staff_id: int | None,
    now: datetime,
    watch: Watch = unwatched,
) -> ImportRun:
    """Write what was read, and that it was; ``watch`` is told how many patients are done.

    Does not commit: either all of it stands or nothing.
    """
    report = checked.report
    occasion = Occasion(target.clinic_id, by_staff_id, now)
    merging.merge(session, checked.spool, report, occasion, is_dry=False, watch=watch)
    run = ImportRun(
        clinic_id=target.clinic_id,
        by_staff_id=by_staff_id,
        kind=checked.kind,
        sha256=checked.sha256,
        counts=report.counts,
        problems=report.remarks,
        at=now,
    )
    session.add(run)
    session.flush()
    trail.record(
        session,
        "imported patients",
        actor_id=by_staff_id,
        clinic_id=target.clinic_id,
        about=("import run", run.id),
        now=now,
    )
    return run


def _incoming(kind: FileKind, source: Source, frame: Frame, watch: Watch) -> Iterator[Incoming]:
    match kind:
        case FileKind.CSV:
            return csv_rows.incoming(files.lines(source, watch), frame)
        case FileKind.CSV_VISITS:
            return csv_visits.incoming(files.lines(source, watch), frame)
        case FileKind.FHIR_BUNDLE:
            return fhir.from_bundle(files.bundle(source, watch), frame)
        case FileKind.FHIR_NDJSON:
            return fhir.from_lines(files.lines(source, watch), frame)


def _keep(found: Incoming, name: str, spool: Spool, report: Report) -> None:
    match found:
        case IncomingPatient():
            _keep_patient(replace(found, file=name) if name else found, spool, report)
        case LooseReading():
            spool.add_reading(found)
        case LooseVisit():
            spool.add_visit(found)
        case VisitOf():
            report.repeated += not spool.add_visit_of(replace(found, file=name))
        case Absent():
            spool.add_absent(found.external_ids)
            report.deceased += found.is_deceased
        case PassedOver():
            report.passed_over += 1
        case Problem() | Note():
            report.add(replace(found, file=name) if name else found)


def _keep_patient(patient: IncomingPatient, spool: Spool, report: Report) -> None:
    earlier = spool.add_patient(patient)
    if earlier is None:
        return
    where = f"line {earlier.line}" + (f" of {earlier.file}" if earlier.file else "")
    if earlier == patient:
        report.repeated += 1
        reason = f"says the same as {where}; taken once"
        report.add(Note(patient.line, "mrn", reason, patient.file))
    else:
        reason = f"the record number is already on {where}, which says something else"
        report.add(Problem(patient.line, "mrn", reason, patient.file))


def _note_orphans(spool: Spool, report: Report) -> None:
    orphans = spool.orphans
    if orphans:
        reason = (
            f"readings of patients who are not in these files, passed over: {orphans}; "
            "bring in Patient and Observation together"
        )
        report.add(Note(0, "Observation", reason))
    if spool.orphan_visits:
        reason = (
            f"visits of patients who are not in these files, passed over: {spool.orphan_visits}; "
            "bring in Patient and Encounter together"
        )
        report.add(Note(0, "Encounter", reason))
