"""Stretches of local days that a report is about. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

DEFAULT_DAYS = 28
PRESET_DAYS = (7, 28, 13 * 7, 26 * 7)
LONGEST_DAYS = 731
EARLIEST = date(2000, 1, 1)
RUN_WEEKS = 26
WEEK = timedelta(weeks=1)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Period:
    """Local days, both ends included."""

    from_on: date
    until_on: date

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.until_on - self.from_on).days + 1

    def __contains__(self, day: date) -> bool:
        return self.from_on <= day <= self.until_on

    def each_day(self) -> Iterator[date]:
        """Yield its days in order."""
        for ahead in range(self.days):
            yield self.from_on + timedelta(days=ahead)

    def instants(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Return [begins, ends) as it is in ``zone``, in UTC."""
        return begin_of(self.from_on, zone), begin_of(self.until_on + DAY, zone)


def covered(stretches: Iterable[tuple[date, date | None]], period: Period) -> list[Period]:
    """Return the days of ``period`` that lie in any of ``stretches``, as periods in order.

    Both ends are included; a stretch without an end has none. Those that overlap, or have no
    day between them, become one.
    """
    clipped = sorted(
        (max(first, period.from_on), min(last or period.until_on, period.until_on))
        for first, last in stretches
    )
    found: list[Period] = []
    for first, last in clipped:
        if first > last:
            continue
        if found and first <= found[-1].until_on + DAY:
            found[-1] = Period(found[-1].from_on, max(found[-1].until_on, last))
        else:
            found.append(Period(first, last))
    return found


@lru_cache(maxsize=20_000)
def begin_of(day: date, zone: ZoneInfo) -> datetime:
    """Return the instant at which ``day`` begins in ``zone``, in UTC.

    Kept, as every statement of a report asks it of every day of its period.
    """
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def last_days(days: int, *, today: date) -> Period:
    """Return the last ``days`` whole days before ``today``."""
    return Period(today - timedelta(days=days), today - DAY)


def whole_weeks(count: int, *, until: date) -> Period:
    """Return the last ``count`` weeks, Monday to Sunday, that are over by the end of ``until``."""
    after = until + DAY
    ends = after - timedelta(days=after.weekday())
    return Period(ends - count * WEEK, ends - DAY)


def monday_of(day: date) -> date:
    """Return the Monday of the week that ``day`` lies in."""
    return day - timedelta(days=day.weekday())
