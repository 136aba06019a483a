"""The only place that reads a clock. Everything else is told what time it is."""

import time as system_time
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Clock = Callable[[], datetime]


class NoTimeZones(RuntimeError):
    """This machine can't tell anybody's hours; the message says what to install."""


def need_time_zones() -> None:
    """Raise NoTimeZones unless zones are known, from the machine or from the package tzdata."""
    try:
        ZoneInfo("America/Chicago")
    except ZoneInfoNotFoundError:
        raise NoTimeZones(
            "This machine knows no time zones, and the package tzdata is not there:"
            " install what requirements.txt names."
        ) from None


def utc_now() -> datetime:
    """Return this instant, aware, in UTC."""
    return datetime.now(UTC)  # noqa: TID251


class Watch:
    """Notices when somebody sets the clock, or the machine slept.

    ``passed`` returns seconds by a clock that nobody can set, and that stands while it sleeps.
    """

    def __init__(self, clock: Clock, passed: Callable[[], float] = system_time.monotonic) -> None:
        self._clock, self._passed = clock, passed
        self._last = clock(), passed()

    def moved(self) -> timedelta:
        """Return by how much the clock has moved since the last look, besides what has passed."""
        shown, passed = self._last
        self._last = self._clock(), self._passed()
        return self._last[0] - shown - timedelta(seconds=self._last[1] - passed)


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """Return the calendar day that ``instant`` falls on in ``zone``."""
    return instant.astimezone(zone).date()


def day_began_at(instant: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant at which the calendar day of ``instant`` began in ``zone``, in UTC."""
    return datetime.combine(local_day(instant, zone), time(), tzinfo=zone).astimezone(UTC)
