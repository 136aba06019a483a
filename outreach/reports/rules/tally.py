"""What is counted for a caller or a clinic, and the measures made of it. Pure.

Source of the definitions: domain.md E3.
"""

import enum
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from itertools import chain
from statistics import median
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from outreach.reports.rules.period import DAY

FIRST_CALL_DAYS = 2  # Source: domain.md E3: first completed call within 2 business days.
FRIDAY = 4
_SURELY_IN_TIME, _SURELY_LATE = timedelta(hours=47), timedelta(days=6)
Key = TypeVar("Key")


class Measure(enum.StrEnum):
    """What is measured. The value is the name in downloads."""

    COMPLETION = "scheduled-call completion"
    STILL_OPEN = "calls still open"
    CANCELLED = "calls cancelled"
    REACH_PER_DIAL = "reach rate per dial"
    REACH_PER_PATIENT = "reach rate per patient"
    PROTOCOL = "protocol adherence"
    WEEKS_OPEN = "patient-weeks not judged yet"
    CHOSEN = "patient-weeks within the chosen dose"
    DIALS_PER_REACH = "attempts per reach"
    MINUTES = "minutes per patient-week, median"
    MINUTES_LOW = "minutes per patient-week, 25th percentile"
    MINUTES_HIGH = "minutes per patient-week, 75th percentile"
    MINUTES_MEAN = "minutes per patient-week, mean"
    CALLS = "calls per patient-week, median"
    CALLS_LOW = "calls per patient-week, 25th percentile"
    CALLS_HIGH = "calls per patient-week, 75th percentile"
    CALLS_MEAN = "calls per patient-week, mean"
    FIRST_CALL = "first completed call within 2 business days"
    FIRST_WAITING = "first calls that still have time"
    FIRST_CALL_MEDIAN = "days to first completed call, median"
    CONTINUITY = "continuity"


@dataclass(frozen=True)
class Figure:
    """One measure as it is downloaded. ``value`` is a proportion where there is a rate."""

    measure: Measure
    numerator: int | None
    denominator: int | None
    value: float | None


@dataclass(frozen=True)
class Wait:
    """From enrolment to first completed call in days; None: none yet, and the time is over."""

    days: float | None
    is_in_time: bool


@dataclass(frozen=True)
class Spread:
    """Median and quartiles."""

    low: float
    median: float
    high: float


@dataclass(frozen=True)
class Cell:
    """Where something counted belongs. None: not asked for, or nobody and nowhere.

    ``week_on`` is the Monday of the clinic's week it falls in.
    """

    caller_id: int | None
    patient_id: int | None = None
    phase: str | None = None
    week_on: date | None = None


@dataclass(frozen=True)
class Tally:
    """Everything counted for one caller, or for all of them: tallies can be added.

    ``chosen_kept`` and ``chosen_judged`` are those of ``weeks_kept`` and ``weeks_judged`` in
    which patients choose how often they are called.
    ``first_waiting`` counts those who wait for their first call and still have time for it.
    ``minutes`` and ``calls`` (completed ones) have one entry for each patient-week, zeros
    included.
    """

    completed: int = 0
    missed: int = 0
    still_open: int = 0
    cancelled: int = 0
    completed_by_primary: int = 0
    dials: int = 0
    reached: int = 0
    patients: int = 0
    patients_reached: int = 0
    weeks_kept: int = 0
    weeks_judged: int = 0
    chosen_kept: int = 0
    chosen_judged: int = 0
    first_waiting: int = 0
    minutes: tuple[int, ...] = ()
    calls: tuple[int, ...] = ()
    waits: tuple[Wait, ...] = ()

    def __add__(self, other: "Tally") -> "Tally":
        return total_of([self, other])

    def __bool__(self) -> bool:
        return any(vars(self).values())

    @property
    def due(self) -> int:
        """Calls whose outcome is known: completed or missed, never cancelled ones."""
        return self.completed + self.missed

    @property
    def planned(self) -> int:
        """Calls that came due, whatever became of them: those of no rate too."""
        return self.due + self.still_open + self.cancelled

    @property
    def weeks_open(self) -> int:
        """Patient-weeks that are over and not judged, as the second one of two is not."""
        return len(self.minutes) - self.weeks_judged

    @property
    def quartiles(self) -> tuple[float | None, float | None, float | None]:
        """25th percentile, median and 75th percentile of minutes, None where no week counts."""
        found = self.minutes_spread
        return (found.low, found.median, found.high) if found else (None, None, None)

    @property
    def minutes_spread(self) -> Spread | None:
        """Median and quartiles of minutes over patient-weeks."""
        return spread(self.minutes)

    @property
    def calls_spread(self) -> Spread | None:
        """Median and quartiles of completed calls over patient-weeks."""
        return spread(self.calls)

    @property
    def in_time(self) -> int:
        """Enrolments with a completed call within FIRST_CALL_DAYS business days."""
        return sum(wait.is_in_time for wait in self.waits)

    @property
    def median_wait(self) -> float | None:
        """Median days to first completed call; None too where half of them have none yet."""
        if not self.waits:
            return None
        days = median(math.inf if wait.days is None else wait.days for wait in self.waits)
        return None if math.isinf(days) else days


_COUNTS = tuple(each.name for each in fields(Tally) if each.default == 0)
_LISTS = tuple(each.name for each in fields(Tally) if each.default == ())


def total_of(tallies: Iterable[Tally]) -> Tally:
    """Return the sum of tallies, in one go: added one by one, long lists are copied each time."""
    found = [vars(each) for each in tallies]
    added: dict[str, Any] = {name: sum([each[name] for each in found]) for name in _COUNTS}
    for name in _LISTS:
        added[name] = tuple(chain.from_iterable([each[name] for each in found]))
    return Tally(**added)


def sum_by(found: Iterable[tuple[Cell, Tally]], key: Callable[[Cell], Key]) -> dict[Key, Tally]:
    """Return the sum of the tallies of each group that ``key`` puts cells into."""
    groups: defaultdict[Key, list[Tally]] = defaultdict(list)
    for cell, tally in found:
        groups[key(cell)].append(tally)
    return {group: total_of(tallies) for group, tallies in groups.items()}


def measure_named(typed: str | None) -> Measure | None:
    """Return the measure that an address names; None where it names none with a list behind it."""
    found = {each.name.lower(): each for each in Measure}.get(typed or "")
    return found if found is not None and parts_of(found, Tally()) is not None else None


def parts_of(measure: Measure, tally: Tally) -> tuple[int, int] | None:
    """Return (numerator, denominator) of a measure that has both, None of any other.

    What stands on a card and in each line of the list behind it comes from here.
    """
    weeks = len(tally.minutes)
    return {
        Measure.COMPLETION: (tally.completed, tally.due),
        Measure.STILL_OPEN: (tally.still_open, tally.planned),
        Measure.CANCELLED: (tally.cancelled, tally.planned),
        Measure.REACH_PER_DIAL: (tally.reached, tally.dials),
        Measure.REACH_PER_PATIENT: (tally.patients_reached, tally.patients),
        Measure.PROTOCOL: (tally.weeks_kept, tally.weeks_judged),
        Measure.WEEKS_OPEN: (tally.weeks_open, weeks),
        Measure.CHOSEN: (tally.chosen_kept, tally.chosen_judged),
        Measure.DIALS_PER_REACH: (tally.dials, tally.reached),
        Measure.MINUTES_MEAN: (sum(tally.minutes), weeks),
        Measure.CALLS_MEAN: (sum(tally.calls), weeks),
        Measure.FIRST_CALL: (tally.in_time, len(tally.waits)),
        Measure.FIRST_WAITING: (tally.first_waiting, tally.first_waiting + len(tally.waits)),
        Measure.CONTINUITY: (tally.completed_by_primary, tally.completed),
    }.get(measure)


def figures(tally: Tally) -> Iterator[Figure]:
    """Yield every measure of ``tally``, in the order of the page."""
    low, middle, high = tally.quartiles
    calls = tally.calls_spread
    weeks = len(tally.minutes)
    lone = {
        Measure.STILL_OPEN: Figure(Measure.STILL_OPEN, tally.still_open, None, tally.still_open),
        Measure.MINUTES: Figure(Measure.MINUTES, None, weeks, middle),
        Measure.MINUTES_LOW: Figure(Measure.MINUTES_LOW, None, weeks, low),
        Measure.MINUTES_HIGH: Figure(Measure.MINUTES_HIGH, None, weeks, high),
        Measure.CALLS: Figure(Measure.CALLS, None, weeks, calls.median if calls else None),
        Measure.CALLS_LOW: Figure(Measure.CALLS_LOW, None, weeks, calls.low if calls else None),
        Measure.CALLS_HIGH: Figure(Measure.CALLS_HIGH, None, weeks, calls.high if calls else None),
        Measure.FIRST_CALL_MEDIAN: Figure(
            Measure.FIRST_CALL_MEDIAN, None, len(tally.waits), tally.median_wait
        ),
    }
    for measure in Measure:
        parts = parts_of(measure, tally)
        yield lone[measure] if measure in lone or not parts else _rate(measure, *parts)


def _rate(measure: Measure, numerator: int, denominator: int) -> Figure:
    value = numerator / denominator if denominator else None
    return Figure(measure, numerator, denominator, value)


def spread(values: Sequence[float]) -> Spread | None:
    """Return median and quartiles, interpolated between neighbours; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)

    def at(share: float) -> float:
        place = share * (len(ordered) - 1)
        below = math.floor(place)
        above = min(below + 1, len(ordered) - 1)
        return ordered[below] + (ordered[above] - ordered[below]) * (place - below)

    return Spread(at(0.25), at(0.5), at(0.75))


def business_days(after: date, until: date) -> int:
    """Return how many days from Monday to Friday lie after ``after``, up to ``until``."""
    whole, rest = divmod(max(0, (until - after).days), 7)
    days = (after + timedelta(days=ahead) for ahead in range(1, rest + 1))
    return 5 * whole + sum(day.weekday() <= FRIDAY for day in days)


def wait_of(
    since: datetime, completed_at: datetime | None, *, zone: ZoneInfo, now: datetime
) -> Wait | None:
    """Return how long a patient waited for the first completed call.

    Args:
        since: the enrolment, or the start of the programme where that is later.
        completed_at: the first completed call, if there is one.
        zone: where the patient lives; business days are counted there.
        now: the instant of the report.

    Returns:
        None while there is still time.
    """
    is_in_time = _is_in_time(since, completed_at or now, zone)
    if completed_at is None:
        return None if is_in_time else Wait(None, is_in_time=False)
    return Wait(max(0.0, (completed_at - since) / DAY), is_in_time)


def _is_in_time(since: datetime, until: datetime, zone: ZoneInfo) -> bool:
    """Say whether at most FIRST_CALL_DAYS business days lie between, where a patient lives.

    Most waits are so short or so long that no clock need be asked: where it was put forward or
    back by an hour, 47 hours are at most 2 days later, and 6 days at least 5, of which 3 are
    business days.
    """
    passed = until - since
    if passed < _SURELY_IN_TIME or passed >= _SURELY_LATE:
        return passed < _SURELY_IN_TIME
    days = (since.astimezone(zone).date(), until.astimezone(zone).date())
    return business_days(*days) <= FIRST_CALL_DAYS
