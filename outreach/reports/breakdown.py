"""Adherence by group: callers, phases, weeks, and who patients are.

Sums of the same cells as the page's totals (``adherence.cells``), so groups add up to them,
and the list behind a figure is the sum by patient.
"""

import enum
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

from sqlalchemy import SQLColumnExpression, select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.accounts.rules import in_order_of_names
from outreach.errors import NotFound
from outreach.patients.models import Patient
from outreach.programmes.models import ProgrammeVersion
from outreach.reports import adherence, known, outcomes, places
from outreach.reports.asked import Asked, Here
from outreach.reports.rules.glycaemic import age_on
from outreach.reports.rules.outcomes import OutcomeMeasure, Stratum
from outreach.reports.rules.strata import strata_of
from outreach.reports.rules.suppression import hidden
from outreach.reports.rules.tally import Cell, Measure, Tally, parts_of, sum_by, total_of

# Of which measures others are told with: who is behind the mean is behind the median.
PARENTS: Mapping[Measure, Measure] = {
    Measure.FIRST_CALL_MEDIAN: Measure.FIRST_CALL,
    **dict.fromkeys(
        (Measure.MINUTES, Measure.MINUTES_LOW, Measure.MINUTES_HIGH), Measure.MINUTES_MEAN
    ),
    **dict.fromkeys((Measure.CALLS, Measure.CALLS_LOW, Measure.CALLS_HIGH), Measure.CALLS_MEAN),
}
AGE_BANDS = ((0, 39), (40, 54), (55, 64), (65, 74), (75, 199))
Kind = TypeVar("Kind")


class NoSuchGroup(NotFound):
    """No group goes by that key, or so few are in it that it is hidden."""


class Dimension(enum.StrEnum):
    """What a breakdown goes by. The value travels in addresses."""

    REGION = "region"
    CLINIC = "clinic"
    CALLER = "caller"
    PHASE = "phase"
    WEEK = "week"
    LANGUAGE = "language"
    SEX = "sex"
    AGE = "age"
    PHQ9 = "phq9"

    @property
    def is_over_clinics(self) -> bool:
        """Whether groups are clinics, or several of them, and not parts of one."""
        return self in (Dimension.REGION, Dimension.CLINIC)

    @property
    def groups_patients(self) -> bool:
        """Whether each patient is in one group of it: callers, phases and weeks share them."""
        return self.is_over_clinics or self.is_about_patients

    @property
    def is_about_patients(self) -> bool:
        """Whether groups are kinds of people, of whom few are not to be recognised."""
        return self in (Dimension.LANGUAGE, Dimension.SEX, Dimension.AGE, Dimension.PHQ9)


@dataclass(frozen=True)
class GroupLine:
    """One group. ``key`` is what addresses carry; "" is for what belongs nowhere.

    ``few``: measures behind which there are so few of its patients that they are not told.
    """

    key: str
    name: str
    tally: Tally
    patients: int
    is_hidden: bool
    few: frozenset[Measure] = frozenset()

    def tells(self, measure: Measure) -> bool:
        """Say whether a measure of this group may be shown."""
        return not self.is_hidden and PARENTS.get(measure, measure) not in self.few


@dataclass(frozen=True)
class Breakdown:
    """Every group and their total."""

    dimension: Dimension
    lines: Sequence[GroupLine]
    total: Tally


@dataclass(frozen=True)
class Behind:
    """What one patient adds to a figure."""

    patient_id: int
    numerator: int
    denominator: int


def by(session: Session, asked: Asked, dimension: Dimension) -> Breakdown:
    """Return every measure by group."""
    found = list(adherence.cells(session, asked, fine=True))
    key = key_of(session, asked, dimension)
    people: defaultdict[str, set[int]] = defaultdict(set)
    for cell, _tally in found:
        if cell.patient_id is not None:
            people[key(cell)].add(cell.patient_id)
    tallies = {group: tally for group, tally in sum_by(found, key).items() if tally}
    kept: frozenset[str] = frozenset()
    few: Mapping[Measure, frozenset[str]] = {}
    if dimension.is_about_patients:
        kept = hidden({group: len(people[group]) for group in tallies})
        few = _few(found, key, tallies)
    named = names(session, dimension, tallies)
    lines = [
        GroupLine(
            group,
            named.get(group, group),
            tally,
            len(people[group]),
            group in kept,
            frozenset(measure for measure, groups in few.items() if group in groups),
        )
        for group, tally in tallies.items()
    ]
    lines.sort(key=lambda line: _place_of(line.key, named))
    return Breakdown(dimension, lines, total_of(tally for _cell, tally in found))


def _few(
    found: Iterable[tuple[Cell, Tally]], key: Callable[[Cell], str], groups: Collection[str]
) -> Mapping[Measure, frozenset[str]]:
    """Return by measure the groups of whose patients too few are behind it.

    A group may be large, and one of it alone have enrolled in these days.
    """
    behind = {measure: dict.fromkeys(groups, 0) for measure in Measure}
    by_patient = sum_by(found, lambda cell: (key(cell), cell.patient_id))
    for (group, patient_id), tally in by_patient.items():
        if patient_id is not None and group in groups:
            for measure in Measure:
                parts = parts_of(measure, tally)
                behind[measure][group] += bool(parts and parts[1])
    return {measure: hidden(counts) for measure, counts in behind.items()}


def lines_of(
    session: Session,
    clinics: Sequence[Clinic],
    report: adherence.Report,
    asked: Asked,
    dimension: Dimension,
) -> Sequence[GroupLine]:
    """Return the rows of the report's table below its total, which ``report`` holds."""
    if dimension is Dimension.CALLER:
        return [
            GroupLine(str(line.caller_id or ""), line.name, line.tally, 0, is_hidden=False)
            for line in report.lines
        ]
    if dimension.is_over_clinics:
        return by_place(session, clinics, asked, dimension)
    return by(session, asked, dimension).lines


def shown(session: Session, asked: Asked, dimension: Dimension, key: str) -> GroupLine:
    """Return one group whose patients may be listed.

    Raises:
        NoSuchGroup: it is none, it is hidden, or it is a clinic or a region: each clinic has a
            report of its own.
    """
    if not dimension.is_over_clinics:
        for line in by(session, asked, dimension).lines:
            if line.key == key and not line.is_hidden:
                return line
    raise NoSuchGroup("There is no such group.")


def behind(
    session: Session, asked: Asked, measure: Measure, group: tuple[Dimension, str] | None
) -> list[Behind]:
    """Return what each patient adds to a figure, those who add least of what they could first.

    ``group``: a dimension and the key of one of its groups, None for the total.
    """
    found: Iterable[tuple[Cell, Tally]] = adherence.cells(session, asked, fine=True)
    if group is not None:
        key = key_of(session, asked, group[0])
        found = [(cell, tally) for cell, tally in found if key(cell) == group[1]]
    rows = []
    for patient_id, tally in sum_by(found, lambda cell: cell.patient_id).items():
        parts = parts_of(measure, tally)
        if patient_id is not None and parts is not None and any(parts):
            rows.append(Behind(patient_id, *parts))
    return sorted(rows, key=lambda row: (row.numerator - row.denominator, row.patient_id))


def key_of(session: Session, asked: Asked, dimension: Dimension) -> Callable[[Cell], str]:
    """Return what says which group a cell belongs to."""
    if dimension is Dimension.CALLER:
        return lambda cell: _written(cell.caller_id)
    if dimension is Dimension.PHASE:
        return lambda cell: _written(cell.phase)
    if dimension is Dimension.WEEK:
        return lambda cell: _written(cell.week_on)
    groups = patient_groups(session, asked, dimension, on=asked.period.until_on, then=asked.past)
    return lambda cell: "" if cell.patient_id is None else groups.get(cell.patient_id, "")


def patient_groups(
    session: Session, here: Here, dimension: Dimension, *, on: date, then: datetime | None
) -> Mapping[int, str]:
    """Return which group of a kind of people each patient of the clinic belongs to on a day.

    ``then``: as the record had it at that moment; None: as it has it.
    """
    if dimension is Dimension.PHQ9:
        cohort = outcomes.cohort(
            session, here, on, measures=[OutcomeMeasure.PHQ9], with_talks=False
        )
        strata = (each.value for each in strata_of(cohort.patients))
        return dict(zip(cohort.patients.ids.tolist(), strata, strict=True))
    if dimension is Dimension.LANGUAGE:
        return dict(_of_patients(session, here, known.language(then)))
    if dimension is Dimension.SEX:
        return {each: sex.value for each, sex in _of_patients(session, here, known.sex(then))}
    births = _of_patients(session, here, known.date_of_birth(then))
    return {patient_id: _age_band(born_on, on) for patient_id, born_on in births}


def _of_patients(
    session: Session, here: Here, column: SQLColumnExpression[Kind]
) -> Iterator[tuple[int, Kind]]:
    rows = session.execute(
        select(Patient.id, column).where(here.within(Patient.clinic_id)).order_by(Patient.id)
    )
    return ((patient_id, of_patient) for patient_id, of_patient in rows)


def _age_band(born_on: date, day: date) -> str:
    age = age_on(born_on, day)
    return next(f"{low}-{high}" for low, high in AGE_BANDS if low <= max(age, 0) <= high)


def names(session: Session, dimension: Dimension, groups: Iterable[str]) -> Mapping[str, str]:
    """Return names of groups that are data, in the order in which groups are shown."""
    if dimension is Dimension.CALLER:
        ids = [int(group) for group in groups if group]
        called = adherence.names_of(session, ids)
        by_name = sorted(called, key=lambda each: in_order_of_names(called[each], each))
        return {str(caller_id): called[caller_id] for caller_id in by_name}
    if dimension is Dimension.PHASE:
        versions = session.scalars(select(ProgrammeVersion).order_by(ProgrammeVersion.id))
        phases = [phase for version in versions for phase in version.protocol.phases]
        phases.sort(key=lambda phase: phase.first_week)
        return {phase.code: phase.name or phase.code for phase in phases}
    if dimension is Dimension.PHQ9:
        return {stratum.value: stratum.value for stratum in Stratum}
    return {}


def in_order(groups: Iterable[str], named: Mapping[str, str]) -> list[str]:
    """Return the keys of groups in the order in which they are shown; ``named``: see names."""
    return sorted(groups, key=lambda key: _place_of(key, named))


def _place_of(key: str, named: Mapping[str, str]) -> tuple[bool, int, str]:
    """Return what groups are sorted by: those that are data as they are named, then by key.

    What belongs nowhere comes last.
    """
    return (not key, list(named).index(key) if key in named else len(named), key)


def _written(part: Hashable) -> str:
    return "" if part is None else str(part)


def by_place(
    session: Session, clinics: Sequence[Clinic], asked: Asked, dimension: Dimension
) -> list[GroupLine]:
    """Return every measure by clinic or by region, for the days ``asked`` is about.

    A report for each clinic, by its own calendar and clock: their days begin at different
    instants, and there are few of them. As of an earlier day it is the end of that day at each;
    where that has not come yet, as far as it went. A region is the sum of its clinics.
    """
    lines = []
    for place in places.of(session, clinics, by_region=dimension is Dimension.REGION):
        tally = total_of(
            tally
            for clinic in place.clinics
            for _cell, tally in adherence.cells(session, asked.at(clinic))
        )
        lines.append(GroupLine(place.key, place.name, tally, tally.patients, is_hidden=False))
    return lines
