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
from typing import TYPE_CHECKING

from outreach.measures.rules import REGISTRY, MeasureKind
from outreach.reports.rules.period import DAY
from outreach.reports.rules.statistics import Change, Share, change_of

if TYPE_CHECKING:
    from outreach.reports.rules.columns import Flags, Numbers
    from outreach.reports.rules.people import People


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
_THOUSAND = 1000
_LEAST = -(10**9)  # less than any value


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
    """One measure at one point: what is said of those patients who are eligible.

    A patient is eligible once the whole window is over, so that nobody counts as missing who
    may still be measured, and nobody as measured only because they came early. The others are in
    no figure.
    """

    measure: OutcomeMeasure
    point: Point
    patients: "People"
    is_eligible: "Flags"

    @property
    def eligible(self) -> "People":
        """Those whose window is over."""
        return self.patients.some(self.is_eligible)

    def of(self, group: Group) -> tuple[Followup, ...]:
        """Return the patients of a group: the list behind a figure."""
        who = self._is_in[group]
        return self.patients.followups(self.measure, self.point, who)

    def count(self, group: Group) -> int:
        """Return how many patients a group has."""
        return int(self._is_in[group].sum())

    def share(self, part: Group, whole: Group) -> Share:
        """Return how many of ``whole`` are in ``part``."""
        return Share(self.count(part), self.count(whole))

    @cached_property
    def _values(self) -> "tuple[Numbers, Numbers]":
        """Return both values of each patient, in thousandths."""
        _days, before = self.patients.at(self.measure, Point.BASELINE)
        _days, after = self.patients.at(self.measure, self.point)
        return before, after

    @cached_property
    def _is_in(self) -> "Mapping[Group, Flags]":
        began, ended = (
            self.patients.at(self.measure, each)[0] > 0 for each in (Point.BASELINE, self.point)
        )
        with_baseline = self.is_eligible & began
        is_measured = with_baseline & ended
        found = {
            Group.ELIGIBLE: self.is_eligible,
            Group.WINDOW_OPEN: ~self.is_eligible,
            Group.WITH_BASELINE: with_baseline,
            Group.WITHOUT_BASELINE: self.is_eligible & ~began,
            Group.MISSING: with_baseline & ~ended,
            Group.MEASURED: is_measured,
        }
        for group, is_in in _ways(self.measure, *self._values):
            found[group] = is_measured & is_in
        return found

    @cached_property
    def change(self) -> Change | None:
        """The paired change."""
        return self.change_in(Group.MEASURED)

    def change_in(self, group: Group) -> Change | None:
        """Return the paired change of part of them."""
        return change_of((self._changes(group) / _THOUSAND).tolist())

    @property
    def changes(self) -> list[Decimal]:
        """Follow-up less baseline of every pair."""
        return [from_thousandths(each) for each in self._changes(Group.MEASURED).tolist()]

    @property
    def doses(self) -> list[tuple[int, int, float]]:
        """Completed calls, minutes until the follow-up, and the change, of every pair."""
        days, _values = self.patients.at(self.measure, self.point)
        is_measured = self._is_in[Group.MEASURED]
        calls, minutes = self.patients.doses_until(days)
        changes = self._changes(Group.MEASURED) / _THOUSAND
        columns = (calls[is_measured], minutes[is_measured], changes)
        return list(zip(*(each.tolist() for each in columns), strict=True))

    def _changes(self, group: Group) -> "Numbers":
        before, after = self._values
        return (after - before)[self._is_in[group] & self._is_in[Group.MEASURED]]

    def mean_before(self, group: Group) -> float | None:
        """Return the mean baseline of a group, None where nobody in it has one."""
        is_known = self._is_in[group] & self._is_in[Group.WITH_BASELINE]
        return _mean(self._values[0][is_known])

    @property
    def mean_after(self) -> float | None:
        """The mean at follow-up of those with both values."""
        return _mean(self._values[1][self._is_in[Group.MEASURED]])

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
    people = as_columns(patients)
    is_over = people.starts + WINDOWS[point].until_day < today.toordinal()
    return Outcome(measure, point, people, is_over)


def together(several: Sequence[Outcome], measure: OutcomeMeasure, point: Point) -> Outcome:
    """Return the outcomes of some people as that of all of them."""
    from outreach.reports.rules.people import People, joined  # noqa: PLC0415 - NumPy, as above

    people = People.together([each.patients for each in several])
    return Outcome(measure, point, people, joined([each.is_eligible for each in several]))


def thousandths(value: Decimal) -> int:
    """Return a value in thousandths: none is kept more finely."""
    return int(value * _THOUSAND)


def from_thousandths(number: int) -> Decimal:
    """Return a value that is kept in thousandths."""
    return Decimal(number).scaleb(-3)


def _mean(values: "Numbers") -> float | None:
    return fmean((values / _THOUSAND).tolist()) if len(values) else None


def as_columns(patients: Sequence[Followed]) -> "People":
    """Return patients as columns, by which everything is worked out."""
    from outreach.reports.rules.people import People  # noqa: PLC0415 - NumPy, which few pages need

    return People.of(patients)


def points_until(point: Point) -> tuple[Point, ...]:
    """Return when patients are measured, up to ``point``."""
    return tuple(each for each in Point if each is not Point.MONTH_6 or point is Point.MONTH_6)


def measured_throughout(
    patients: Sequence[Followed], measure: OutcomeMeasure, point: Point
) -> list[list[float]]:
    """Return the values of everybody who was measured each time up to ``point``."""
    return as_columns(patients).throughout(measure, points_until(point))


def decimals_of(measure: OutcomeMeasure, glucose_unit: str) -> int:
    """Return with how many decimals means of a measure are shown: one more than its values."""
    row = REGISTRY[KINDS[measure][0]]
    unit = glucose_unit if glucose_unit in row.units else row.unit
    return min(2, row.units[unit].decimals + 1)


def _ways(
    measure: OutcomeMeasure, before: "Numbers", after: "Numbers"
) -> "Iterator[tuple[Group, Flags]]":
    """Yield of whom else each group is, of those measured twice; values in thousandths."""
    positive, remitted, low, high, response = map(
        thousandths, (PHQ9_POSITIVE, PHQ9_REMITTED, HBA1C_LOW, HBA1C_HIGH, HBA1C_RESPONSE)
    )
    is_phq9 = measure is OutcomeMeasure.PHQ9
    # A PHQ-9 that was low to begin with can't fall by half in a way that says anything.
    may_respond = before >= (positive if is_phq9 else _LEAST)
    # The stratum of the published trial (domain.md E4), told beside those from 10 on.
    from_5 = (before >= remitted) & is_phq9
    is_half = 2 * after <= before
    has_fallen = (before - after >= response) & (measure is OutcomeMeasure.HBA1C)
    yield Group.MAY_RESPOND, may_respond
    yield Group.RESPONDED, may_respond & is_half if is_phq9 else has_fallen
    yield Group.REMITTED, may_respond & (after < remitted)
    yield Group.FROM_5, from_5
    yield Group.RESPONDED_FROM_5, from_5 & is_half
    yield Group.REMITTED_FROM_5, from_5 & (after < remitted)
    yield Group.LOW_BEFORE, before < low
    yield Group.LOW_AFTER, after < low
    yield Group.HIGH_BEFORE, before > high
    yield Group.HIGH_AFTER, after > high
