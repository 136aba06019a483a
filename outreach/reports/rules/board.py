"""The cohort board: who under care is controlled, month by month and cohort by cohort. Pure.

In the manner of the WHO HEARTS dashboards: patients registered long enough to have been seen
again, judged by their newest value of the last three calendar months, and lost where nothing
was heard of them in twelve. Theirs is of blood pressure; ours is of HbA1c, controlled below 8%
(domain.md C).
"""

import enum
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import TYPE_CHECKING

from outreach.programmes.rules import EnrolmentStatus
from outreach.reports.rules.outcomes import (
    HBA1C_LOW,
    WINDOWS,
    Followed,
    OutcomeMeasure,
    Point,
    thousandths,
)
from outreach.reports.rules.period import DAY

if TYPE_CHECKING:
    from outreach.reports.rules.people import People
    from outreach.reports.rules.watched import Watched

MONTHS_SHOWN = 12
READ_WITHIN = 3  # calendar months, the one that is looked at included
LOST_AFTER = 12
# Who died or asked to leave is under nobody's care here. Who went through to the end stays:
# what became of them is the question.
GONE = frozenset({EnrolmentStatus.DIED, EnrolmentStatus.WITHDRAWN})
_MONTHS_A_YEAR = 12


@cache
def _first_on(number: int) -> date:
    return date(number // _MONTHS_A_YEAR, number % _MONTHS_A_YEAR + 1, 1)


class Standing(enum.StrEnum):
    """Where a registered patient stands at the end of a month. Each is in exactly one."""

    CONTROLLED = "controlled"
    UNCONTROLLED = "not controlled"
    UNREAD = "no reading"
    LOST = "lost"


class Exclusion(enum.StrEnum):
    """Why somebody who had begun by the end of a month is not counted in it."""

    NEW = "new"
    GONE = "gone"


class MonthTotal(enum.StrEnum):
    """Several standings of a month together: what its shares are of."""

    UNDER_CARE = "under care"
    REGISTERED = "registered"


UNDER_CARE = (Standing.CONTROLLED, Standing.UNCONTROLLED, Standing.UNREAD)
_TOGETHER: Mapping[MonthTotal, Sequence[Standing]] = {
    MonthTotal.UNDER_CARE: UNDER_CARE,
    MonthTotal.REGISTERED: tuple(Standing),
}


class CohortStanding(enum.StrEnum):
    """What became of somebody by month 6. Each is in exactly one."""

    CONTROLLED = "controlled"
    UNCONTROLLED = "not controlled"
    UNREAD = "no reading"
    OPEN = "window still open"


class CohortTotal(enum.StrEnum):
    """Several standings of a cohort together: what its shares are of."""

    BEGAN = "began"
    KNOWN = "window over"


_COHORT_TOGETHER: Mapping[CohortTotal, Sequence[CohortStanding]] = {
    CohortTotal.BEGAN: tuple(CohortStanding),
    CohortTotal.KNOWN: tuple(each for each in CohortStanding if each is not CohortStanding.OPEN),
}
# Every figure of the board is one of these: how many it says, and who they are.
MonthPart = Standing | Exclusion | MonthTotal
CohortPart = CohortStanding | CohortTotal
_MONTH_PARTS: Mapping[str, MonthPart] = {
    each.value: each for kind in (Standing, Exclusion, MonthTotal) for each in kind
}
_COHORT_PARTS: Mapping[str, CohortPart] = {
    each.value: each for kind in (CohortStanding, CohortTotal) for each in kind
}


@dataclass(frozen=True, order=True)
class Month:
    """A calendar month, counted from the year 0 so that months can be added."""

    number: int

    @classmethod
    def of(cls, day: date) -> "Month":
        """Return the month that ``day`` lies in."""
        return cls(day.year * _MONTHS_A_YEAR + day.month - 1)

    def __add__(self, months: int) -> "Month":
        return Month(self.number + months)

    @property
    def first_on(self) -> date:
        """Its first day."""
        return _first_on(self.number)

    @property
    def last_on(self) -> date:
        """Its last day."""
        return _first_on(self.number + 1) - DAY

    def __contains__(self, day: date) -> bool:
        return self.first_on <= day <= self.last_on


@dataclass(frozen=True)
class BoardFigure:
    """One figure of the board: of the end of a month, or of those who began in it.

    Of no month: everybody who was ever enrolled.
    """

    month: Month | None = None
    part: MonthPart | CohortPart | None = None


def figure_named(of: str | None, month: str | None, part: str | None) -> BoardFigure:
    """Return the figure that an address names.

    Args:
        of: "month", "cohort" or "everybody"; missing: "month".
        month: year and month, "2026-10".
        part: the value of a part of a month or of a cohort.

    Raises:
        ValueError: there is no such figure.
    """
    if of == "everybody":
        return BoardFigure()
    parts: Mapping[str, MonthPart | CohortPart] = _COHORT_PARTS if of == "cohort" else _MONTH_PARTS
    if part is None or part not in parts:
        raise ValueError(part)
    return BoardFigure(Month.of(date.fromisoformat(f"{month}-01")), parts[part])


@dataclass(frozen=True)
class Cared:
    """One patient with the statuses of their enrolments, (day, status) in order."""

    followed: Followed
    statuses: Sequence[tuple[date, EnrolmentStatus]]


@dataclass(frozen=True)
class BoardMonth:
    """Everybody registered by a month, by where they stood at its end.

    ``excluded``: who had begun and is not counted, by why.
    """

    month: Month
    patients: Mapping[Standing, Sequence[int]]
    excluded: Mapping[Exclusion, Sequence[int]]

    def who(self, part: MonthPart) -> Sequence[int]:
        """Return the patients behind a figure of the month."""
        if isinstance(part, MonthTotal):
            return [each for standing in _TOGETHER[part] for each in self.patients[standing]]
        return self.excluded[part] if isinstance(part, Exclusion) else self.patients[part]

    def count(self, part: MonthPart) -> int:
        """Return how many are behind a figure."""
        return len(self.who(part))

    @property
    def under_care(self) -> int:
        """How many are under care: registered, and not lost."""
        return self.count(MonthTotal.UNDER_CARE)

    @property
    def registered(self) -> int:
        """How many were registered."""
        return self.count(MonthTotal.REGISTERED)


@dataclass(frozen=True)
class BoardCohort:
    """Everybody who began in a month, by what became of them by month 6."""

    month: Month
    patients: Mapping[CohortStanding, Sequence[int]]

    def who(self, part: CohortPart) -> Sequence[int]:
        """Return the patients behind a figure of the cohort."""
        if isinstance(part, CohortTotal):
            return [each for way in _COHORT_TOGETHER[part] for each in self.patients[way]]
        return self.patients[part]

    def count(self, part: CohortPart) -> int:
        """Return how many are behind a figure."""
        return len(self.who(part))

    @property
    def size(self) -> int:
        """How many began."""
        return self.count(CohortTotal.BEGAN)

    @property
    def known(self) -> int:
        """Of how many the window is over."""
        return self.count(CohortTotal.KNOWN)


def months_until(today: date) -> list[Month]:
    """Return the last months that were over by ``today``, oldest first."""
    last = Month.of(today) + -1
    return [last + -back for back in reversed(range(MONTHS_SHOWN))]


def by_month(watched: "Watched", months: Sequence[Month]) -> Iterator[BoardMonth]:
    """Yield where everybody stood at the end of each month.

    Registered is who began before the last three months, and neither died nor left. The newest
    value of those months decides; lost is who was neither spoken with nor measured in twelve
    months, nor new in them.
    """
    for month in months:
        last_on = month.last_on.toordinal()
        since, heard_since = (
            (month + (1 - back)).first_on.toordinal() for back in (READ_WITHIN, LOST_AFTER)
        )
        has_begun, is_gone = watched.starts <= last_on, watched.is_gone(last_on)
        is_new = ~is_gone & (watched.starts >= since)
        counts = has_begun & ~is_gone & ~is_new
        has_value, values = watched.newest(since, last_on)
        is_controlled = has_value & (values < thousandths(HBA1C_LOW))
        is_lost = ~has_value & (watched.starts < heard_since)
        is_lost &= ~watched.is_heard_of(heard_since, last_on)
        stands = {
            Standing.CONTROLLED: is_controlled,
            Standing.UNCONTROLLED: has_value & ~is_controlled,
            Standing.UNREAD: ~has_value & ~is_lost,
            Standing.LOST: is_lost,
        }
        excluded = {Exclusion.NEW: has_begun & is_new, Exclusion.GONE: has_begun & is_gone}
        yield BoardMonth(
            month,
            {each: watched.ids[counts & stood].tolist() for each, stood in stands.items()},
            {each: watched.ids[is_out].tolist() for each, is_out in excluded.items()},
        )


def together(boards: Iterable[Sequence[BoardMonth]]) -> list[BoardMonth]:
    """Return the months of several clinics as those of one, oldest first."""
    found: defaultdict[Month, list[BoardMonth]] = defaultdict(list)
    for months in boards:
        for each in months:
            found[each.month].append(each)
    return [
        BoardMonth(
            month,
            {way: [who for each in some for who in each.patients[way]] for way in Standing},
            {why: [who for each in some for who in each.excluded[why]] for why in Exclusion},
        )
        for month, some in sorted(found.items())
    ]


def by_cohort(people: "People", months: Sequence[Month], *, today: date) -> Iterator[BoardCohort]:
    """Yield what became by month 6 of those who began in each month.

    ``today`` follows what is known.
    """
    days, values = people.at(OutcomeMeasure.HBA1C, Point.MONTH_6)
    is_over = people.starts + WINDOWS[Point.MONTH_6].until_day < today.toordinal()
    is_measured, is_low = days > 0, values < thousandths(HBA1C_LOW)
    stands = {
        CohortStanding.CONTROLLED: is_over & is_measured & is_low,
        CohortStanding.UNCONTROLLED: is_over & is_measured & ~is_low,
        CohortStanding.UNREAD: is_over & ~is_measured,
        CohortStanding.OPEN: ~is_over,
    }
    for month in months:
        first, last = month.first_on.toordinal(), month.last_on.toordinal()
        began = (people.starts >= first) & (people.starts <= last)
        yield BoardCohort(
            month, {each: people.ids[began & stood].tolist() for each, stood in stands.items()}
        )
