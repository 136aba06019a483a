"""The share of a panel in poor glycaemic control or unknown, as quality measures ask it. Pure.

Source: domain.md E4, CMS122 and HEDIS GSD. Ours is "CMS122-style": of the programme's panel,
since neither visits nor claims are known here, and so no exclusion for hospice, palliative
care or frailty either.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from outreach.reports.rules.statistics import Share

YOUNGEST, OLDEST = 18, 75
LOOKED_BACK = timedelta(days=365)
ABOVE = Decimal(9)


class GlycaemicGroup(enum.StrEnum):
    """Patients behind a figure. The value travels in addresses."""

    PANEL = "panel"
    POOR_OR_MISSING = "poor_or_missing"
    POOR = "poor"
    MISSING = "missing"


@dataclass(frozen=True)
class Glycaemic:
    """One patient of the panel, with their newest HbA1c or GMI of the year, in percent."""

    patient_id: int
    value: Decimal | None
    on: date | None


@dataclass(frozen=True)
class GlycaemicStatus:
    """Everybody who counts; so many ``of_other_age`` don't. Lower shares are better."""

    patients: Sequence[Glycaemic]
    of_other_age: int = 0

    def of(self, group: GlycaemicGroup) -> list[Glycaemic]:
        """Return the patients of a group: the list behind a figure."""
        return [each for each in self.patients if _is_in(group, each.value)]

    def share(self, group: GlycaemicGroup) -> Share:
        """Return how many of the panel are in ``group``."""
        return Share(len(self.of(group)), len(self.patients))


def age_on(born_on: date, day: date) -> int:
    """Return age in whole years. Somebody born on a leap day turns on March 1."""
    return day.year - born_on.year - ((day.month, day.day) < (born_on.month, born_on.day))


def counts(born_on: date, day: date) -> bool:
    """Say whether a patient is of the measure's age on ``day``, the last one of its year."""
    return YOUNGEST <= age_on(born_on, day) <= OLDEST


def _is_in(group: GlycaemicGroup, value: Decimal | None) -> bool:
    is_poor = value is not None and value > ABOVE
    return {
        GlycaemicGroup.PANEL: True,
        GlycaemicGroup.POOR_OR_MISSING: value is None or is_poor,
        GlycaemicGroup.POOR: is_poor,
        GlycaemicGroup.MISSING: value is None,
    }[group]
