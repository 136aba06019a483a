"""Scales of charts: days and values to percent, and where to put the ticks. Pure."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

WHOLE = 100.0
MOST_X_TICKS = 6  # What fits beside each other on a telephone.
Y_INTERVALS = 5
MONTHS = 12
_NICE = (Decimal(1), Decimal(2), Decimal(5), Decimal(10))
_DAY_STEPS = (1, 2, 7, 14)
_MONTH_STEPS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 2400, 6000, 12000, 24000)

Value = Decimal | float


@dataclass(frozen=True)
class YTick:
    """A horizontal grid line."""

    y: float
    value: Decimal


@dataclass(frozen=True)
class XTick:
    """A day on the time axis; ``pattern`` says how to write it (Unicode date pattern)."""

    x: float
    day: date
    pattern: str


class XScale:
    """Days to percent; ``room`` days stay free on both sides."""

    def __init__(self, days: Sequence[float], room: float = 0.0) -> None:
        self.first, self.last = min(days) - room, max(days) + room
        if self.last - self.first < 1:
            self.first, self.last = self.first - 1, self.last + 1

    def at(self, days: float) -> float:
        """Return where a day lies, in percent from the left."""
        return percent(days - self.first, self.last - self.first)

    def ticks(self) -> Iterator[XTick]:
        """Yield the days to write under the axis, oldest first."""
        begins = date.fromordinal(max(math.ceil(self.first), 1))
        ends = date.fromordinal(min(math.floor(self.last), date.max.toordinal()))
        days, pattern = _tick_days(begins, ends)
        for index, day in enumerate(days):
            needs_year = pattern == "MMM" and (index == 0 or day.month == 1)
            written = "MMM ''yy" if needs_year else pattern
            yield XTick(self.at(day.toordinal()), day, written)


class YScale:
    """Values to percent from the top, between two nice numbers."""

    def __init__(self, values: Sequence[float]) -> None:
        lowest, highest = (Decimal(repr(value)) for value in (min(values), max(values)))
        if lowest == highest:
            room = abs(lowest) / 20 or Decimal(1)
            lowest, highest = lowest - room, highest + room
        step = _nice_step((highest - lowest) / Y_INTERVALS)
        first = int((lowest / step).to_integral_value(ROUND_FLOOR))
        last = int((highest / step).to_integral_value(ROUND_CEILING))
        self.ticks = [step * index for index in range(first, last + 1)]
        exponent = step.normalize().as_tuple().exponent
        self.decimals = max(0, -exponent) if isinstance(exponent, int) else 0

    def at(self, value: Value) -> float:
        """Return where a value lies, in percent from the top."""
        bottom, top = self.ticks[0], self.ticks[-1]
        above = (Decimal(repr(float(value))) - bottom) / (top - bottom)
        return round(WHOLE - min(max(float(above), 0.0), 1.0) * WHOLE, 2)


def _nice_step(rough: Decimal) -> Decimal:
    power = Decimal(1).scaleb(rough.adjusted())
    return next(nice * power for nice in _NICE if nice * power >= rough)


def _tick_days(begins: date, ends: date) -> tuple[list[date], str]:
    """Return the days to write under an axis and their pattern: the finest that fit."""
    for step in _DAY_STEPS:
        first = begins.toordinal() + (1 - begins.toordinal()) % step  # weeks begin on Mondays
        days = range(first, ends.toordinal() + 1, step)
        if len(days) <= MOST_X_TICKS:
            return [date.fromordinal(day) for day in days], "MMM d"
    for step in _MONTH_STEPS:
        months = _months(begins, ends, step)
        if len(months) <= MOST_X_TICKS:
            first_days = [date(at // MONTHS, at % MONTHS + 1, 1) for at in months]
            return first_days, "MMM" if step < MONTHS else "y"
    raise AssertionError("unreachable: 24,000 months are longer than the calendar")


def _months(begins: date, ends: date, step: int) -> range:
    """Return every ``step``-th month that begins within [begins, ends], counted from year 0."""
    from_month = begins.year * MONTHS + begins.month - 1 + (begins.day > 1)
    until_month = ends.year * MONTHS + ends.month - 1
    return range(from_month + -from_month % step, until_month + 1, step)


def percent(part: float, whole: float) -> float:
    """Return ``part`` of ``whole`` in percent, from 0 to 100."""
    return round(min(max(WHOLE * part / whole, 0.0), WHOLE), 2)


def finite(value: Value) -> float:
    """Return ``value`` as a number, or raise ValueError where it is none."""
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("A chart can't show a value that is no number.")
    return number


def day_of(at: date) -> date:
    """Return the day of a day or an instant, on its own clock."""
    return at.date() if isinstance(at, datetime) else at


def days_of(at: date) -> float:
    """Return days since the year 1 on the clock of ``at``."""
    if not isinstance(at, datetime):
        return float(at.toordinal())
    if at.tzinfo is None:
        raise ValueError("An instant must be aware.")
    passed = timedelta(hours=at.hour, minutes=at.minute, seconds=at.second)
    return at.toordinal() + passed / timedelta(days=1)
