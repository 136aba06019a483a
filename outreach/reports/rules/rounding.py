"""Means of groups, rounded until two reports of neighbouring days tell nobody's value. Pure.

Who has the mean of 11 patients today and of 12 tomorrow works out the twelfth value: to 12 mean
steps of the last digit, and less. A mean rounded to ``step`` leaves it open by
(n + n + 1) * step / 2 in either direction. With FEWEST_SHOWN patients, the least that are shown,
every step below leaves open more than a clinician would call a difference: docs/decisions/0019.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from outreach.measures.rules import GLUCOSE
from outreach.reports.rules.outcomes import KINDS, Group, Outcome, OutcomeMeasure
from outreach.reports.rules.statistics import Change, Interval

STEPS: Mapping[OutcomeMeasure, Decimal] = {
    OutcomeMeasure.HBA1C: Decimal("0.1"),
    OutcomeMeasure.PHQ9: Decimal("0.5"),
    OutcomeMeasure.GAD7: Decimal("0.5"),
    OutcomeMeasure.GLUCOSE: Decimal(5),
    OutcomeMeasure.GLUCOSE_FASTING: Decimal(5),
    OutcomeMeasure.SYSTOLIC: Decimal(1),
    OutcomeMeasure.DIASTOLIC: Decimal(1),
    OutcomeMeasure.WEIGHT: Decimal(1),
}
MMOL = "mmol/L"
MMOL_STEP = Decimal("0.2")


def step_of(measure: OutcomeMeasure, glucose_unit: str) -> Decimal:
    """Return to what means of a group are rounded, in the unit in which they are shown."""
    is_mmol = KINDS[measure][0] in GLUCOSE and glucose_unit == MMOL
    return MMOL_STEP if is_mmol else STEPS[measure]


@dataclass(frozen=True)
class OfAGroup(Outcome):
    """An outcome of some kind of people: its means and spread are multiples of ``step``.

    Counts and the patients themselves are as they are.
    """

    step: Decimal

    @classmethod
    def of_outcome(cls, outcome: Outcome, step: Decimal) -> "OfAGroup":
        """Return ``outcome`` as it is told of a group."""
        return cls(outcome.measure, outcome.point, outcome.patients, outcome.is_eligible, step)

    def decimals(self, glucose_unit: str) -> int:  # noqa: ARG002 - the step is of that unit
        """Return with how many decimals means are shown: those of the step."""
        exponent = self.step.as_tuple().exponent
        return max(0, -exponent) if isinstance(exponent, int) else 0

    @cached_property
    def change(self) -> Change | None:
        """The paired change; the interval lies around the rounded mean and holds the exact one."""
        exact = super().change_in(Group.MEASURED)
        if exact is None:
            return None
        mean = self._round(exact.mean)
        interval = None
        if exact.interval:
            half = (exact.interval.high - exact.interval.low) / 2
            half = math.ceil(half / float(self.step) + 0.5) * float(self.step)
            interval = Interval(self._round(mean - half), self._round(mean + half))
        sd = None if exact.sd is None else self._round(exact.sd)
        return Change(exact.n, mean, self._round(exact.median), sd, interval)

    def mean_before(self, group: Group) -> float | None:
        """Return the mean baseline of part of the group, None where nobody in it has one."""
        exact = super().mean_before(group)
        return None if exact is None else self._round(exact)

    @property
    def mean_after(self) -> float | None:
        """The mean at follow-up of those with both values."""
        exact = super().mean_after
        return None if exact is None else self._round(exact)

    def _round(self, value: float) -> float:
        return float(round(Decimal(repr(value)) / self.step) * self.step)
