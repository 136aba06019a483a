"""Dates of a search, compared as the standard compares them: as spans of time. Pure.

Source: hl7.org/fhir/R4/search.html#date. Spans are half-open: their end is not in them.
"""

import enum
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from outreach.fhir.rules import NotUnderstood
from outreach.fhir.rules.resources import Measured

_DATE = re.compile(
    r"(?P<prefix>eq|ge|gt|le|lt)?(?P<year>[0-9]{4})(-(?P<month>[0-9]{2})(-(?P<day>[0-9]{2})"
    r"(T(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(:(?P<second>[0-9]{2})(\.(?P<part>[0-9]{1,6}))?)?"
    r"(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?"
)
_YEARS = range(1900, 2200)
_DECEMBER = 12
_MOMENT = timedelta(microseconds=1)


class Prefix(enum.StrEnum):
    """How what was measured stands to the date, in the standard's words."""

    EQ = "eq"
    GE = "ge"
    GT = "gt"
    LE = "le"
    LT = "lt"


@dataclass(frozen=True)
class Span:
    """From ``begins`` to just before ``ends``."""

    begins: datetime
    ends: datetime

    def holds(self, other: "Span") -> bool:
        """Say whether ``other`` lies wholly in this one."""
        return self.begins <= other.begins and other.ends <= self.ends


@dataclass(frozen=True)
class DateAsked:
    """A date of a search; how long it lasts depends on how much of it was written."""

    prefix: Prefix
    _begins: datetime
    _unit: str
    _zone: tzinfo | None

    @classmethod
    def of(cls, text: str, name: str = "date") -> "DateAsked":
        """Return the date that ``text`` asks for as the parameter ``name``.

        Raises:
            NotUnderstood
        """
        found = _DATE.fullmatch(text)
        if found is None or int(found["year"]) not in _YEARS:
            raise NotUnderstood(f"{name}: write it as ge2026-01-31, or with a time and its zone.")
        units = ("year", "month", "day", "minute", "second", "part")
        unit = [each for each in units if found[each]][-1]
        try:
            begins = datetime(
                int(found["year"]),
                int(found["month"] or 1),
                int(found["day"] or 1),
                int(found["hour"] or 0),
                int(found["minute"] or 0),
                int(found["second"] or 0),
                int((found["part"] or "0").ljust(6, "0")),
                tzinfo=UTC,  # in the place of one that may be the patient's, not known yet
            )
            zone = _zone(found["zone"])
        except ValueError as error:
            raise NotUnderstood(f"{name}: there is no such day or time.") from error
        return cls(Prefix(found["prefix"] or "eq"), begins, unit, zone)

    def span(self, zone: ZoneInfo) -> Span:
        """Return the span, on the clock of ``zone`` where the date names none."""
        there = self._zone or zone
        ends = _end(self._begins, self._unit)
        return Span(_instant(self._begins, there), _instant(ends, there))

    def is_met(self, measured: Span, zone: ZoneInfo) -> bool:
        """Say whether what was measured in a span stands so to the date."""
        asked = self.span(zone)
        match self.prefix:
            case Prefix.EQ:
                return asked.holds(measured)
            case Prefix.GT:
                return measured.ends > asked.ends
            case Prefix.LT:
                return measured.begins < asked.begins
            case Prefix.GE:
                return measured.ends > asked.ends or asked.holds(measured)
            case Prefix.LE:
                return measured.begins < asked.begins or asked.holds(measured)


def moment_of(at: datetime) -> Span:
    """Return an instant that is known to the microsecond."""
    return Span(at, at + _MOMENT)


def span_of(reading: Measured) -> Span:
    """Return when something was measured: at a moment, on a day, or over several days."""
    there = reading.taken_at.astimezone(reading.zone)
    if reading.is_time_known and reading.begins_on is None:
        return moment_of(reading.taken_at)
    first = reading.begins_on or there.date()
    return Span(_midnight(first, reading.zone), _midnight(_after(there.date()), reading.zone))


def _midnight(day: date, zone: tzinfo) -> datetime:
    return _instant(datetime.combine(day, time()), zone)


def _after(day: date) -> date:
    return day + timedelta(days=1)


def _instant(wall: datetime, zone: tzinfo) -> datetime:
    return wall.replace(tzinfo=zone).astimezone(UTC)


def _end(begins: datetime, unit: str) -> datetime:
    match unit:
        case "year":
            return begins.replace(year=begins.year + 1)
        case "month":
            is_last = begins.month == _DECEMBER
            return begins.replace(
                year=begins.year + is_last, month=1 if is_last else begins.month + 1
            )
        case "part":
            return begins + _MOMENT
        case _:
            return begins + timedelta(**{f"{unit}s": 1})


def _zone(text: str | None) -> tzinfo | None:
    if text is None:
        return None
    return datetime.fromisoformat(f"2000-01-01T00:00:00{text}").tzinfo
