"""What is said of how patients fare: baseline, months 3 and 6, and what became of each. Pure.

Source of windows, responders and levels: domain.md E4. An uncontrolled change is never called
an effect here or on the page.
"""

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from statistics import fmean

from outreach.measures.rules import REGISTRY, MeasureKind
from outreach.reports.rules.period import DAY
from outreach.reports.rules.statistics import Change, Share, change_of


class OutcomeMeasure(enum.StrEnum):
    """What patients are followed by. The value travels in addresses and downloads."""

    HBA1C = "hba1c"
    PHQ9 = "phq9"
    GAD7 = "gad7"
    GLUCOSE = "glucose"
    GLUCOSE_FASTING = "glucose_fasting"
    SYSTOLIC = "systolic"
    DIASTOLIC = "diastolic"
    WEIGHT = "weight"


# Like is compared with like: a fasting value never with one after a meal.
KINDS: Mapping[OutcomeMeasure, tuple[MeasureKind, ...]] = {
    OutcomeMeasure.HBA1C: (MeasureKind.HBA1C,),
    OutcomeMeasure.PHQ9: (MeasureKind.PHQ9_TOTAL,),
    OutcomeMeasure.GAD7: (MeasureKind.GAD7_TOTAL,),
    OutcomeMeasure.GLUCOSE: (MeasureKind.GLUCOSE, MeasureKind.GLUCOSE_LAB),
    OutcomeMeasure.GLUCOSE_FASTING: (
        MeasureKind.GLUCOSE_FASTING,
        MeasureKind.GLUCOSE_LAB_FASTING,
    ),
    OutcomeMeasure.SYSTOLIC: (MeasureKind.SYSTOLIC,),
    OutcomeMeasure.DIASTOLIC: (MeasureKind.DIASTOLIC,),
    OutcomeMeasure.WEIGHT: (MeasureKind.WEIGHT,),
}
MEASURE_OF: Mapping[MeasureKind, OutcomeMeasure] = {
    kind: measure for measure, kinds in KINDS.items() for kind in kinds
}


class Point(enum.StrEnum):
    """When patients are measured."""

    BASELINE = "baseline"
    MONTH_3 = "month_3"
    MONTH_6 = "month_6"


FOLLOW_UPS = (Point.MONTH_3, Point.MONTH_6)


@dataclass(frozen=True)
class Window:
    """Days since the first day of the programme, both ends included."""

    from_day: int
    target_day: int
    until_day: int


# Months 3 and 6: domain.md E4. The baseline is the one of the published programme: a
# laboratory's HbA1c up to three months old, or one of the first two weeks.
WINDOWS: Mapping[Point, Window] = {
    Point.BASELINE: Window(-90, 0, 14),
    Point.MONTH_3: Window(60, 91, 120),
    Point.MONTH_6: Window(150, 182, 210),
}
HBA1C_RESPONSE = Decimal("0.5")
HBA1C_LOW, HBA1C_HIGH = Decimal(8), Decimal(9)
PHQ9_POSITIVE, PHQ9_REMITTED = Decimal(10), Decimal(5)
_HALF = Decimal("0.5")


class Stratum(enum.StrEnum):
    """How low somebody felt at baseline. Each patient is in exactly one."""

    FROM_10 = "10 to 27"
    FROM_5 = "5 to 9"
    BELOW_5 = "0 to 4"
    UNKNOWN = "not asked"


# The first two together, by which the published trial was stratified. Source: domain.md E4.
FROM_5_ON = "5 to 27"


@dataclass(frozen=True)
class Taken:
    """A value, and the patient's local day on which it was taken."""

    on: date
    value: Decimal


@dataclass(frozen=True)
class Dose:
    """Completed calls and minutes of conversation."""

    calls: int
    minutes: int


@dataclass(frozen=True)
class Talk:
    """One conversation, on the patient's local day."""

    on: date
    minutes: int
    is_completed: bool


@dataclass(frozen=True)
class Followed:
    """One patient from the first day of their first enrolment on."""

    patient_id: int
    starts_on: date
    taken: Mapping[OutcomeMeasure, Sequence[Taken]]
    talks: Sequence[Talk] = ()

    def at(self, measure: OutcomeMeasure, point: Point) -> Taken | None:
        """Return what was measured within a window, nearest to its target.

        Of two as near, the later one counts; of two on one day, the one named last.
        """
        window = WINDOWS[point]
        found: Taken | None = None
        nearest: tuple[int, int] | None = None
        for each in self.taken.get(measure, ()):
            day = (each.on - self.starts_on).days
            if window.from_day <= day <= window.until_day:
                distance = (abs(day - window.target_day), -day)
                if nearest is None or distance <= nearest:
                    found, nearest = each, distance
        return found

    def is_eligible(self, point: Point, *, today: date) -> bool:
        """Say whether the whole window of ``point`` is over."""
        return self.starts_on + WINDOWS[point].until_day * DAY < today

    def dose_until(self, day: date) -> Dose:
        """Return what this patient was given from the first day to ``day``, it included."""
        talks = [each for each in self.talks if self.starts_on <= each.on <= day]
        return Dose(
            calls=sum(each.is_completed for each in talks),
            minutes=sum(each.minutes for each in talks),
        )

    @cached_property
    def stratum(self) -> Stratum:
        """Where this patient's PHQ-9 stood at baseline."""
        asked = self.at(OutcomeMeasure.PHQ9, Point.BASELINE)
        if asked is None:
            return Stratum.UNKNOWN
        if asked.value >= PHQ9_POSITIVE:
            return Stratum.FROM_10
        return Stratum.FROM_5 if asked.value >= PHQ9_REMITTED else Stratum.BELOW_5


@dataclass(frozen=True)
class Followup:
    """One patient at one point: both values where they are known."""

    patient: Followed
    before: Taken | None
    after: Taken | None

    @property
    def change(self) -> Decimal | None:
        """Follow-up less baseline."""
        if self.before is None or self.after is None:
            return None
        return self.after.value - self.before.value

    @property
    def dose(self) -> Dose | None:
        """What was given until the follow-up was measured."""
        return self.patient.dose_until(self.after.on) if self.after else None


class Group(enum.StrEnum):
    """Patients behind a figure. The value travels in addresses."""

    ELIGIBLE = "eligible"
    WINDOW_OPEN = "window_open"
    WITH_BASELINE = "with_baseline"
    MEASURED = "measured"
    MISSING = "missing"
    WITHOUT_BASELINE = "without_baseline"
    MAY_RESPOND = "may_respond"
    RESPONDED = "responded"
    REMITTED = "remitted"
    FROM_5 = "from_5"
    RESPONDED_FROM_5 = "responded_from_5"
    REMITTED_FROM_5 = "remitted_from_5"
    LOW_BEFORE = "low_before"
    LOW_AFTER = "low_after"
    HIGH_BEFORE = "high_before"
    HIGH_AFTER = "high_after"


@dataclass(frozen=True)
class Outcome:
    """One measure at one point: every eligible patient, and what is said of them.

    ``still_open`` are those who are in no figure, as their window is not over.

    A patient is eligible once the whole window is over, so that nobody counts as missing who
    may still be measured, and nobody as measured only because they came early.
    """

    measure: OutcomeMeasure
    point: Point
    followups: tuple[Followup, ...]
    still_open: tuple[Followup, ...]

    def of(self, group: Group) -> tuple[Followup, ...]:
        """Return the patients of a group: the list behind a figure."""
        return self._members[group]

    def count(self, group: Group) -> int:
        """Return how many patients a group has."""
        return len(self.of(group))

    def share(self, part: Group, whole: Group) -> Share:
        """Return how many of ``whole`` are in ``part``."""
        return Share(self.count(part), self.count(whole))

    @cached_property
    def _members(self) -> Mapping[Group, tuple[Followup, ...]]:
        found: dict[Group, list[Followup]] = {group: [] for group in Group}
        found[Group.WINDOW_OPEN] = list(self.still_open)
        for each in self.followups:
            for group in _groups_of(self.measure, each):
                found[group].append(each)
        return {group: tuple(members) for group, members in found.items()}

    @cached_property
    def change(self) -> Change | None:
        """The paired change."""
        return change_of([float(each) for each in self.changes])

    def change_in(self, group: Group) -> Change | None:
        """Return the paired change of part of them."""
        changes = [change for each in self.of(group) if (change := each.change) is not None]
        return change_of([float(each) for each in changes])

    @property
    def changes(self) -> list[Decimal]:
        """Follow-up less baseline of every pair."""
        return [change for each in self.followups if (change := each.change) is not None]

    def mean_before(self, group: Group) -> float | None:
        """Return the mean baseline of a group, None where nobody in it has one."""
        values = [float(each.before.value) for each in self.of(group) if each.before]
        return fmean(values) if values else None

    @property
    def mean_after(self) -> float | None:
        """The mean at follow-up of those with both values."""
        values = [float(each.after.value) for each in self.of(Group.MEASURED) if each.after]
        return fmean(values) if values else None

    def decimals(self, glucose_unit: str) -> int:
        """Return with how many decimals means are shown."""
        return decimals_of(self.measure, glucose_unit)

    @property
    def responders(self) -> Share | None:
        """How many responded of those who could; None where no rule is known."""
        if self.measure not in (OutcomeMeasure.HBA1C, OutcomeMeasure.PHQ9):
            return None
        return self.share(Group.RESPONDED, Group.MAY_RESPOND)


def outcome_of(
    patients: Sequence[Followed], measure: OutcomeMeasure, point: Point, *, today: date
) -> Outcome:
    """Return what is said of ``measure`` at ``point``.

    ``today``: the day after the last one that is known.
    """
    found: dict[bool, list[Followup]] = {True: [], False: []}
    for each in patients:
        both = Followup(each, each.at(measure, Point.BASELINE), each.at(measure, point))
        found[each.is_eligible(point, today=today)].append(both)
    return Outcome(measure, point, tuple(found[True]), tuple(found[False]))


def points_until(point: Point) -> tuple[Point, ...]:
    """Return when patients are measured, up to ``point``."""
    return tuple(each for each in Point if each is not Point.MONTH_6 or point is Point.MONTH_6)


def measured_throughout(
    patients: Sequence[Followed], measure: OutcomeMeasure, point: Point
) -> list[list[Decimal]]:
    """Return the values of everybody who was measured each time up to ``point``."""
    courses = []
    for patient in patients:
        found = [patient.at(measure, each) for each in points_until(point)]
        values = [each.value for each in found if each is not None]
        if len(values) == len(found):
            courses.append(values)
    return courses


def decimals_of(measure: OutcomeMeasure, glucose_unit: str) -> int:
    """Return with how many decimals means of a measure are shown: one more than its values."""
    row = REGISTRY[KINDS[measure][0]]
    unit = glucose_unit if glucose_unit in row.units else row.unit
    return min(2, row.units[unit].decimals + 1)


def grouped(patients: Sequence[Followed], groups: Mapping[int, str]) -> dict[str, list[Followed]]:
    """Return the patients of each group by its key, in order; "" for those in none."""
    found: dict[str, list[Followed]] = {}
    for each in patients:
        found.setdefault(groups.get(each.patient_id, ""), []).append(each)
    return dict(sorted(found.items()))


def by_stratum(patients: Sequence[Followed]) -> dict[str, list[Followed]]:
    """Return the patients of each stratum, those who felt lowest first; empty ones too."""
    found = grouped(patients, {each.patient_id: each.stratum.value for each in patients})
    return {stratum.value: found.get(stratum.value, []) for stratum in Stratum}


def _groups_of(measure: OutcomeMeasure, each: Followup) -> Iterator[Group]:
    """Yield every group that a patient is in."""
    yield Group.ELIGIBLE
    if each.before is None:
        yield Group.WITHOUT_BASELINE
        return
    yield Group.WITH_BASELINE
    if each.after is None:
        yield Group.MISSING
        return
    yield Group.MEASURED
    before, after = each.before.value, each.after.value
    may_respond = _may_respond(measure, before)
    # The stratum of the published trial (domain.md E4), told beside those from 10 on.
    from_5 = measure is OutcomeMeasure.PHQ9 and before >= PHQ9_REMITTED
    for group, is_in in (
        (Group.MAY_RESPOND, may_respond),
        (Group.RESPONDED, _has_responded(measure, before, after)),
        (Group.REMITTED, may_respond and after < PHQ9_REMITTED),
        (Group.FROM_5, from_5),
        (Group.RESPONDED_FROM_5, from_5 and after <= before * _HALF),
        (Group.REMITTED_FROM_5, from_5 and after < PHQ9_REMITTED),
        (Group.LOW_BEFORE, before < HBA1C_LOW),
        (Group.LOW_AFTER, after < HBA1C_LOW),
        (Group.HIGH_BEFORE, before > HBA1C_HIGH),
        (Group.HIGH_AFTER, after > HBA1C_HIGH),
    ):
        if is_in:
            yield group


def _may_respond(measure: OutcomeMeasure, before: Decimal) -> bool:
    """A PHQ-9 that was low to begin with can't fall by half in a way that says anything."""
    return measure is not OutcomeMeasure.PHQ9 or before >= PHQ9_POSITIVE


def _has_responded(measure: OutcomeMeasure, before: Decimal, after: Decimal) -> bool:
    if measure is OutcomeMeasure.HBA1C:
        return before - after >= HBA1C_RESPONSE
    if measure is OutcomeMeasure.PHQ9:
        return before >= PHQ9_POSITIVE and after <= before * _HALF
    return False
