"""How long an access key holds, how it is written, and how often it may ask. Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

# How long a key holds where nobody says otherwise, and at most.
USUAL_DAYS = 365
MOST_DAYS = 2 * 365
# How long before its end the page says that a key ends soon.
SOON = timedelta(days=30)

# Requests of one key in one minute of the clock.
MOST_A_MINUTE = 120

# Programs that look for secrets in files know ours by the word in front.
_KEY = re.compile(r"(outreach-[0-9a-f]{8})-[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class Minute:
    """A minute of the clock, in which requests are counted."""

    began_at: datetime

    @classmethod
    def of(cls, now: datetime) -> "Minute":
        """Return the minute that ``now`` is in."""
        return cls(now.astimezone(UTC).replace(second=0, microsecond=0))

    def seconds_left(self, now: datetime) -> int:
        """Return after how many whole seconds the next one has begun, at least 1."""
        left = self.began_at + timedelta(minutes=1) - now
        return max(1, -int(-left.total_seconds() // 1))


def written(number: str, secret: str) -> str:
    """Return a key as it is handed over: ``number`` 8 hexadecimal digits, ``secret`` 43 letters."""
    return f"outreach-{number}-{secret}"


def prefix_of(key: str) -> str | None:
    """Return the beginning by which a key is known and shown; None: it is no key of ours."""
    found = _KEY.fullmatch(key)
    return found.group(1) if found else None


def last_day(today: date, *, days: int = USUAL_DAYS) -> date:
    """Return the last day on which a key of today holds."""
    return today + timedelta(days=days)


def end_of(last: date, zone: ZoneInfo) -> datetime:
    """Return the instant at which ``last`` is over in ``zone``, in UTC."""
    return datetime.combine(last + timedelta(days=1), time(), tzinfo=zone).astimezone(UTC)
