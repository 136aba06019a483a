"""The research file: de-identified tables of patients and measurements, with a codebook."""

import os
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.accounts.rules import Actor, Scope
from outreach.accounts.scoping import visible
from outreach.among import among
from outreach.calls.models import Attempt
from outreach.calls.rules import REACHED, Outcome
from outreach.exports import sheets
from outreach.exports.rules import Trouble
from outreach.exports.rules import research as rules
from outreach.exports.rules.cells import Column, Table, Value
from outreach.exports.rules.research import Coarsened, Identifiers, Person
from outreach.measures.models import Reading
from outreach.measures.readings import is_current
from outreach.measures.rules import REGISTRY, Bound, MeasureKind
from outreach.patients import finding
from outreach.patients.models import Patient
from outreach.patients.rules import age_on
from outreach.programmes.models import Enrolment

Tell = Callable[[int, int | None], None]
PATIENTS_AT_ONCE = 500
# What everybody sees of a body.
SEEN = (MeasureKind.HEIGHT, MeasureKind.WEIGHT, MeasureKind.BMI)
_DAY = "day, moved by this patient's own number of days"

PATIENTS = (
    Column("patient", "Another name for the patient, the same in every file of this product."),
    Column("site", "A clinic, numbered for this file alone; hidden where cells were small."),
    Column("age", "At the first day, in the bands that the codebook names."),
    Column("sex", "female, male, other, unknown; hidden where cells were small."),
    Column("language", "ISO 639-1; rare ones together or hidden where cells were small."),
    Column("first_day", f"First day of the latest enrolment: {_DAY}."),
    Column("status", "Where that enrolment stood when the file was made; hidden where few did."),
    Column("status_on", f"Since when it stood there: {_DAY}."),
    Column("dials", "Dials in that enrolment. Taken-back ones count nowhere."),
    Column("reached", "Dials in which the caller spoke with the patient."),
    Column("completed", "Conversations that were completed."),
    Column("minutes", "Minutes of conversation in all."),
)
MEASUREMENTS = (
    Column("patient", "As in patients.csv."),
    Column("measure", "Code of what was measured."),
    Column("value", "In the unit beside it."),
    Column("unit", "The unit that all values of this measure are kept in."),
    Column("taken_on", f"When it was measured: {_DAY}."),
    Column("day", "Days from the first day of the enrolment; negative before it."),
    Column("source", "call, staff, csv, fhir or sms."),
    Column("beyond", "HI or LO: the value is the end of what the meter shows, or of what is told."),
    Column("is_doubtful", "Whether the body makes the value doubtful."),
)


@dataclass(frozen=True)
class Subject:
    """One patient of the file, as nobody outside sees them."""

    patient_id: int
    person: Person
    zone: ZoneInfo
    starts_on: date
    status: str
    status_on: date
    calls: tuple[int, int, int, int]


def write_zip(
    session: Session, actor: Actor, path: Path, key: bytes, *, now: datetime, tell: Tell
) -> tuple[Trouble | None, int]:
    """Write the research file to ``path``; return what forbids it, if anything, and its rows.

    Nothing is written where so few patients are enrolled that somebody could be known.
    """
    scope = finding.managing(actor)
    subjects = _subjects(session, scope, now=now)
    coarsened = rules.coarsen([each.person for each in subjects])
    if coarsened is None:
        return Trouble.TOO_FEW, 0
    by_id = {each.patient_id: each for each in subjects}
    tables = {
        "patients.csv": _patients(subjects, coarsened, key),
        "measurements.csv": _measurements(session, scope, by_id, key, now=now),
    }
    done = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, table in tables.items():
            before = done

            def watch(rows: int, before: int = before) -> None:
                tell(before + rows, None)

            part = path.with_name(f"{path.name.split('.')[0]}.{name}.part")
            os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
            try:
                done += sheets.write_csv(table, part, watch)
                file.write(part, name)
            finally:
                part.unlink(missing_ok=True)
        file.writestr("codebook.txt", _codebook(coarsened, len(subjects), now=now))
    return None, done


def _subjects(session: Session, scope: Scope, *, now: datetime) -> list[Subject]:
    """Return everybody in scope who was ever enrolled, in an order that tells nothing."""
    last = (
        select(func.max(Enrolment.id))
        .where(Enrolment.patient_id == Patient.id)
        .correlate(Patient)
        .scalar_subquery()
    )
    rows = session.execute(
        select(
            Patient.id,
            Patient.date_of_birth,
            Patient.sex,
            Patient.language,
            Patient.zone,
            Clinic.id.label("clinic_id"),
            Enrolment.id.label("enrolment_id"),
            Enrolment.starts_on,
            Enrolment.status,
            Enrolment.status_at,
        )
        .join(Clinic, Clinic.id == Patient.clinic_id)
        .join(Enrolment, Enrolment.id == last)
        .where(visible(scope, Patient.clinic_id, Patient.id), Enrolment.enrolled_at <= now)
        .order_by(Patient.id)
    ).all()
    sites = {clinic_id: f"site {n}" for n, clinic_id in
             enumerate(sorted({row.clinic_id for row in rows}), start=1)}  # fmt: skip
    calls = _calls(session, scope)
    return [
        Subject(
            row.id,
            Person(
                sites[row.clinic_id],
                age_on(row.starts_on, row.date_of_birth),
                row.sex.value,
                row.language,
            ),
            ZoneInfo(row.zone),
            row.starts_on,
            row.status.value,
            row.status_at.astimezone(ZoneInfo(row.zone)).date(),
            calls.get(row.enrolment_id, (0, 0, 0, 0)),
        )
        for row in rows
    ]


def _calls(session: Session, scope: Scope) -> dict[int, tuple[int, int, int, int]]:
    """Return (dials, reached, completed, minutes) of every enrolment in scope."""

    def counted(*outcomes: Outcome) -> object:
        return func.sum(case((Attempt.outcome.in_(outcomes), 1), else_=0))

    rows = session.execute(
        select(
            Attempt.enrolment_id,
            func.count(Attempt.id),
            counted(*REACHED),
            counted(Outcome.COMPLETED),
            func.sum(Attempt.minutes),
        )  # type: ignore[call-overload]
        .where(
            visible(scope, Attempt.clinic_id, Attempt.patient_id), Attempt.superseded_at.is_(None)
        )
        .group_by(Attempt.enrolment_id)
    )
    return {row[0]: (row[1], int(row[2]), int(row[3]), int(row[4])) for row in rows}


def _patients(subjects: Sequence[Subject], coarsened: Coarsened, key: bytes) -> Table:
    # By their other names: the order of the rows tells nothing of who came first.
    statuses = rules.told_statuses([each.status for each in subjects])
    told = zip(subjects, coarsened.told, statuses, strict=True)
    rows = sorted(
        (_patient(subject, cell, status, key) for subject, cell, status in told), key=_first
    )
    return Table("patients", PATIENTS, rows, len(rows))


def _first(row: tuple[Value, ...]) -> str:
    return str(row[0])


def _patient(subject: Subject, cell: Identifiers, status: str, key: bytes) -> tuple[Value, ...]:
    is_hidden = status == rules.HIDDEN
    shift = rules.shift_of(key, subject.patient_id)
    return (
        rules.other_name(key, subject.patient_id),
        *cell,
        rules.shifted(subject.starts_on, shift),
        status,
        None if is_hidden else rules.shifted(subject.status_on, shift),
        *subject.calls,
    )


def _measurements(
    session: Session, scope: Scope, subjects: Mapping[int, Subject], key: bytes, *, now: datetime
) -> Table:
    bounds = {kind: _bounds(session, scope, kind) for kind in SEEN}

    def rows() -> Iterator[Sequence[Value]]:
        # By their other names, as the patients: ids would tell who came first.
        names = sorted((rules.other_name(key, each), each) for each in subjects)
        for at in range(0, len(names), PATIENTS_AT_ONCE):
            some = {number: name for name, number in names[at : at + PATIENTS_AT_ONCE]}
            found = session.execute(_readings(list(some))).all()
            for row in sorted(found, key=lambda each: (some[each.patient_id], each.kind)):
                subject = subjects[row.patient_id]
                until = now - rules.withheld(key, row.patient_id)
                told = _told(row, bounds)
                if told is not None and row.taken_at <= until:
                    yield some[row.patient_id], *_measurement(row, told, subject, key)

    return Table("measurements", MEASUREMENTS, rows(), None)


def _bounds(session: Session, scope: Scope, kind: MeasureKind) -> tuple[Decimal, Decimal] | None:
    rows = session.execute(
        select(func.min(Reading.value), func.max(Reading.value))
        .where(
            visible(scope, Reading.clinic_id, Reading.patient_id),
            Reading.kind == kind,
            is_current(),
        )
        .group_by(Reading.patient_id)
        .order_by(Reading.patient_id)
    )
    return rules.visible_bounds([(low, high) for low, high in rows])


def _told(
    row: Any, bounds: Mapping[MeasureKind, tuple[Decimal, Decimal] | None]
) -> tuple[Decimal, Bound | None] | None:
    """Return the value and bound of a reading as they may be told, None where they may not."""
    if row.kind not in bounds:
        return row.value, row.bound
    edges = bounds[row.kind]
    if edges is None:
        return None
    low, high = edges
    if row.value > high:
        return high, Bound.HIGH
    return (low, Bound.LOW) if row.value < low else (row.value, row.bound)


def _readings(patient_ids: Sequence[int]) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Reading.patient_id,
            Reading.kind,
            Reading.value,
            Reading.taken_at,
            Reading.source,
            Reading.bound,
            Reading.is_unreliable,
        )
        .where(among(Reading.patient_id, patient_ids), is_current())
        .order_by(Reading.taken_at, Reading.id)
    )


def _measurement(
    row: Any, told: tuple[Decimal, Bound | None], subject: Subject, key: bytes
) -> tuple[Value, ...]:
    value, bound = told
    day = row.taken_at.astimezone(subject.zone).date()
    passed: timedelta = day - subject.starts_on
    return (
        row.kind.value,
        value,
        REGISTRY[row.kind].unit,
        rules.shifted(day, rules.shift_of(key, row.patient_id)),
        passed.days,
        row.source.value,
        bound.value if bound else None,
        row.is_unreliable,
    )


def _codebook(coarsened: Coarsened, patients: int, *, now: datetime) -> str:
    smallest = [f"  {step}: {size}" for step, size in coarsened.smallest.items()]
    lines = [
        "CODEBOOK",
        "",
        f"Made {now:%Y-%m-%d} of {patients} patients who were ever enrolled.",
        "One row a patient in patients.csv, one a measurement in measurements.csv (UTF-8).",
        "An empty cell is a missing value.",
        "",
        "How it was de-identified",
        "  Left out: names, record and telephone numbers, places, free text, dates of birth.",
        "  All days of a patient are moved by the same number of days, at most half a year,",
        "  drawn from a key that is not in this file. Times between days stay what they were;",
        "  seasons and calendar years don't.",
        f"  Ages from {rules.OLDEST + 1} on are '{rules.OLDEST + 1}+'.",
        f"  Site, age, sex and language together: no cell of fewer than {rules.SMALLEST_CELL}.",
        f"  Step taken: {coarsened.step}.",
        f"  Patients of whom nothing of this is told: {coarsened.hidden}.",
        "  Smallest cell at each step that was tried:",
        *smallest,
        "  Statuses that few have are hidden. Heights, weights and body mass indices are cut where",
        f"  fewer than {rules.SMALLEST_CELL} patients lie beyond. What was measured in the last",
        f"  days before the file, up to {rules.MOST_WITHHELD}, another number for each patient, is",
        "  left out: it would tell by how much days are moved.",
        "  Who has two files of different days can compare them and narrow days down; values of",
        "  blood and calls are as exact as in the record, and known to who keeps it.",
        "  Moved days are no Safe Harbor (45 CFR 164.514(b)(2)): the file needs an expert's",
        "  determination or a data use agreement. Don't try to find out who anybody is.",
        "",
    ]
    for name, columns in (("patients.csv", PATIENTS), ("measurements.csv", MEASUREMENTS)):
        lines += [name, *(f"  {column.name}: {column.meaning}" for column in columns), ""]
    lines += ["Measures", *(f"  {kind.value}: {REGISTRY[kind].unit}" for kind in REGISTRY)]
    return "\n".join(lines) + "\n"
