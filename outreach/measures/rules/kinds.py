"""The kinds of measures and what is known of each. Pure."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

from outreach.accounts.rules import Role

_STORED = Decimal("0.001")  # what the column of values keeps


class MeasureKind(enum.StrEnum):
    """What a reading is of. Also its local code, where there is no LOINC."""

    HBA1C = "hba1c"
    GMI = "gmi"
    GLUCOSE = "glucose"
    GLUCOSE_FASTING = "glucose_fasting"
    GLUCOSE_LAB = "glucose_lab"
    GLUCOSE_LAB_FASTING = "glucose_lab_fasting"
    SYSTOLIC = "systolic"
    DIASTOLIC = "diastolic"
    PULSE = "pulse"
    WEIGHT = "weight"
    HEIGHT = "height"
    BMI = "bmi"
    PHQ2_TOTAL = "phq2_total"
    PHQ9_TOTAL = "phq9_total"
    GAD7_TOTAL = "gad7_total"
    PEG_MEAN = "peg_mean"
    PAIN = "pain"
    DDS2_MEAN = "dds2_mean"
    DDS17_MEAN = "dds17_mean"
    UCLA3_TOTAL = "ucla3_total"
    CARE_TOTAL = "care_total"
    EQ_VAS = "eq_vas"
    PROMIS_MENTAL = "promis_mental"
    PROMIS_PHYSICAL = "promis_physical"
    SELF_RATED_HEALTH = "self_rated_health"
    PDSMS_TOTAL = "pdsms_total"
    SDSCA_GENERAL_DIET = "sdsca_general_diet"
    SDSCA_SPECIFIC_DIET = "sdsca_specific_diet"
    SDSCA_EXERCISE = "sdsca_exercise"
    SDSCA_TESTING = "sdsca_testing"
    SDSCA_FEET = "sdsca_feet"


GLUCOSE = (
    MeasureKind.GLUCOSE,
    MeasureKind.GLUCOSE_FASTING,
    MeasureKind.GLUCOSE_LAB,
    MeasureKind.GLUCOSE_LAB_FASTING,
)
FASTING = (MeasureKind.GLUCOSE_FASTING, MeasureKind.GLUCOSE_LAB_FASTING)


class ReadingSource(enum.StrEnum):
    """Where a reading came from."""

    CALL = "call"
    STAFF = "staff"
    CSV = "csv"
    FHIR = "fhir"
    SMS = "sms"


class Bound(enum.StrEnum):
    """What a meter shows instead of a number: the value lies beyond what it can show."""

    HIGH = "HI"
    LOW = "LO"


class Sign(enum.StrEnum):
    """What was said with a reading. Source: domain.md C2."""

    DANGER = "danger"
    ILLNESS = "illness"
    KETONES = "ketones"
    HELP_NEEDED = "help_needed"


class Place(enum.StrEnum):
    """Where a measure shows."""

    CALL = "call"
    CHART = "chart"
    REPORT = "report"


class Side(enum.StrEnum):
    """On which side of its value a threshold is met."""

    BELOW = "below"
    FROM = "from"
    ABOVE = "above"


class Level(enum.StrEnum):
    """What it means to be beyond a threshold."""

    VERY_LOW = "very_low"
    LOW = "low"
    GOAL = "goal"
    GOOD = "good"
    TRIAL_ENTRY = "trial_entry"
    HIGH = "high"
    POOR = "poor"
    NURSE_SAME_DAY = "nurse_same_day"
    NURSE_NOW = "nurse_now"
    STAGE_1 = "stage_1"
    STAGE_2 = "stage_2"
    URGENT = "urgent"
    OVERWEIGHT = "overweight"
    OBESE = "obese"
    OBESE_2 = "obese_2"
    OBESE_3 = "obese_3"
    POSITIVE = "positive"
    MILD = "mild"
    MODERATE = "moderate"
    MODERATELY_SEVERE = "moderately_severe"
    SEVERE = "severe"
    LONELY = "lonely"
    VERY_EMPATHIC = "very_empathic"
    FAIR_OR_POOR = "fair_or_poor"


# To be within these is what is hoped for; all the others are worth a look.
WELL = frozenset({Level.GOAL, Level.GOOD, Level.TRIAL_ENTRY, Level.VERY_EMPATHIC})


@dataclass(frozen=True)
class Range:
    """Bounds in the canonical unit, both included."""

    low: Decimal
    high: Decimal

    def holds(self, value: Decimal) -> bool:
        """Say whether ``value`` lies within; never for NaN."""
        return value.is_finite() and self.low <= value <= self.high


@dataclass(frozen=True)
class Unit:
    """One unit of a measure: canonical = value x ``factor`` + ``offset``.

    ``back`` is (factor, offset) of the way back, ``hard`` and ``soft`` the ranges in this
    unit, each where it was published by itself. ``decimals`` is how many are shown.
    """

    factor: Decimal
    offset: Decimal
    decimals: int
    back: tuple[Decimal, Decimal] | None = None
    hard: Range | None = None
    soft: Range | None = None

    def to_canonical(self, value: Decimal) -> Decimal:
        """Return ``value`` of this unit in the canonical one, to 3 decimals."""
        return (value * self.factor + self.offset).quantize(_STORED, ROUND_HALF_UP)

    def from_canonical(self, value: Decimal) -> Decimal:
        """Return a canonical ``value`` in this unit, as it is shown."""
        if self.back:
            factor, offset = self.back
            return self._shown(value * factor + offset)
        return self._shown((value - self.offset) / self.factor)

    def difference(self, change: Decimal) -> Decimal:
        """Return a difference of canonical values in this unit: the factor, no offset."""
        return self._shown(change * self.back[0] if self.back else change / self.factor)

    def _shown(self, value: Decimal) -> Decimal:
        return value.quantize(Decimal(1).scaleb(-self.decimals), ROUND_HALF_UP)


@dataclass(frozen=True)
class Threshold:
    """A value from which, above which or below which a reading means ``level``.

    ``is_verified``: domain.md C has a source for it; the others are from memory, marked [M]
    there, and the clinic's medical lead must confirm them. ``is_drawn``: a line in charts.
    """

    side: Side
    value: Decimal
    level: Level
    is_verified: bool
    is_drawn: bool

    def is_met(self, value: Decimal) -> bool:
        """Say whether a canonical ``value`` lies beyond this threshold."""
        match self.side:
            case Side.BELOW:
                return value < self.value
            case Side.ABOVE:
                return value > self.value
            case Side.FROM:
                return value >= self.value


@dataclass(frozen=True)
class Change:
    """From which difference on two values differ by what people feel: points, or a share.

    ``share`` is of the earlier value. ``is_verified`` as in `Threshold`.
    """

    points: Decimal | None
    share: Decimal | None
    is_verified: bool

    def is_met(self, before: Decimal, after: Decimal) -> bool:
        """Say whether canonical values differ by so much, either way."""
        difference = abs(after - before)
        is_so_many = self.points is not None and difference >= self.points
        return is_so_many or (
            self.share is not None and before > 0 and difference >= before * self.share
        )


@dataclass(frozen=True)
class Measure:
    """One kind of measure: its code, units (UCUM), ranges, thresholds, and who deals with it.

    Outside ``hard`` a value is refused; outside ``soft`` it is asked once more. What nobody
    enters is worked out or imported. ``unverified`` says what else of this row is from memory.
    ``has_period``: a value over several days, whose first one is kept. ``change``: which
    difference between two values counts, where a source says so. ``apart``: how long after one
    value another tells something new.
    """

    kind: MeasureKind
    loinc: str | None
    unit: str
    units: Mapping[str, Unit]
    hard: Range
    soft: Range
    thresholds: tuple[Threshold, ...] = ()
    entered_by: frozenset[Role] = frozenset()
    shown_on: frozenset[Place] = frozenset({Place.CHART})
    is_whole: bool = False
    has_period: bool = False
    change: Change | None = None
    apart: timedelta | None = None
    unverified: str = ""

    @property
    def decimals(self) -> int:
        """How many decimals a value in the canonical unit is shown with."""
        return self.units[self.unit].decimals

    @property
    def code(self) -> str:
        """LOINC, or our own code where there is none."""
        return self.loinc or self.kind.value

    def in_canonical_unit(self, value: Decimal, unit: str) -> Decimal:
        """Return ``value`` given in ``unit`` in the canonical unit, to 3 decimals.

        Raises:
            KeyError: ``unit`` is not one of this measure's.
        """
        return self.units[unit].to_canonical(value)

    def is_possible(self, value: Decimal, unit: str) -> bool:
        """Say whether ``value`` in ``unit`` lies within the hard range."""
        own = self.units[unit].hard
        return own.holds(value) if own else self.hard.holds(self.in_canonical_unit(value, unit))

    def is_usual(self, value: Decimal, unit: str) -> bool:
        """Say whether ``value`` in ``unit`` lies within the soft range."""
        own = self.units[unit].soft
        return own.holds(value) if own else self.soft.holds(self.in_canonical_unit(value, unit))

    def level_of(self, value: Decimal) -> Level | None:
        """Return what a canonical ``value`` means, by the farthest threshold that it meets."""
        worth_a_look = [each for each in self.thresholds if each.level not in WELL]
        met = [each for each in worth_a_look if each.is_met(value)]
        low = [each for each in met if each.side is Side.BELOW]
        if low:
            return min(low, key=lambda each: each.value).level
        return max(met, key=lambda each: each.value).level if met else None
