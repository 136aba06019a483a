"""When callers work, and who takes over whose calls. Pure."""

import enum
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from outreach.patients.rules import Sex, Slot

MOST_WEEKLY_HOURS = 60
DAYS_A_WEEK = 7

_STRETCH = re.compile(
    r"\s*(\d{1,2})(?:[:.](\d{2}))?\s*([ap]m)?\s*(?:-|–|—|to)\s*"
    r"(\d{1,2})(?:[:.](\d{2}))?\s*([ap]m)?\s*",
    re.IGNORECASE,
)
_NOON = 12


class NotHours(ValueError):
    """A text that doesn't say from when to when, or says the same time twice."""


@dataclass(frozen=True, order=True)
class Stretch:
    """Some hours of one day on a caller's own wall clock, [begins, ends)."""

    begins: time
    ends: time

    @property
    def minutes(self) -> int:
        """How long it is."""
        return _minute_of(self.ends) - _minute_of(self.begins)


def read_stretches(text: str) -> tuple[Stretch, ...]:
    """Return the hours of one day as written: '9:00-12:00, 13-17' or '9am-1pm'; in order.

    Raises:
        NotHours: it can't be read, ends before it begins, or two overlap.

    """
    stretches = sorted(_stretch(part) for part in text.split(",") if part.strip())
    for earlier, later in pairwise(stretches):
        if later.begins < earlier.ends:
            raise NotHours("overlap")
    return tuple(stretches)


def written(stretches: Iterable[Stretch]) -> str:
    """Return hours of one day as :func:`read_stretches` reads them: '9:00-12:00, 13:00-17:00'."""
    return ", ".join(
        f"{each.begins.hour}:{each.begins:%M}-{each.ends.hour}:{each.ends:%M}"
        for each in sorted(stretches)
    )


def span_of(from_on: date, last_on: date, zone: ZoneInfo) -> Slot:
    """Return the instants of whole days in ``zone``, both included, whatever its clocks do."""
    ends_on = last_on + timedelta(days=1)
    return Slot(
        datetime.combine(from_on, time(), tzinfo=zone).astimezone(UTC),
        datetime.combine(ends_on, time(), tzinfo=zone).astimezone(UTC),
    )


def days_of(span: Slot, zone: ZoneInfo) -> tuple[date, date]:
    """Return the first and the last day of ``span`` in ``zone``; undoes :func:`span_of`."""
    return span.from_at.astimezone(zone).date(), last_day_of(span.until_at, zone)


def last_day_of(until_at: datetime, zone: ZoneInfo) -> date:
    """Return the last day in ``zone`` of a time that is over at ``until_at``."""
    return (until_at - timedelta(microseconds=1)).astimezone(zone).date()


def minutes_in(weekly_minutes: int, days: int) -> int:
    """Return how many of somebody's weekly minutes lie in so many days."""
    return weekly_minutes * days // DAYS_A_WEEK


class NotPlaced(enum.StrEnum):
    """Why nobody is proposed: the first rule, in this order, that leaves nobody."""

    NO_SHARED_LANGUAGE = "no shared language"
    NOT_TRAINED = "not trained"
    AWAY = "away"
    PANELS_FULL = "panels full"
    HOURS_FULL = "hours full"


@dataclass(frozen=True)
class Need:
    """One patient who needs somebody, and the minutes of calls due in the time in question.

    ``parted``: the callers after whom they asked for somebody else.
    """

    enrolment_id: int
    language: str
    wished: Sex | None
    minutes: int
    parted: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Helper:
    """Somebody who may take calls over.

    ``minutes`` are of their own calls in the time in question, ``most_minutes`` their hours;
    ``room`` is how many more patients fit their panel, None where the cap doesn't matter.
    """

    caller_id: int
    languages: frozenset[str]
    gender: Sex | None
    is_trained: bool
    is_away: bool
    minutes: int
    most_minutes: int
    room: int | None = None

    def may_take(self, language: str, *, even_away: bool = False) -> bool:
        """Say whether they may call somebody who speaks ``language``, however busy they are."""
        is_here = even_away or not self.is_away
        return language in self.languages and self.is_trained and is_here

    def meets(self, wished: Sex | None) -> bool:
        """Say whether they are whom a patient would rather speak with."""
        return wished is None or wished is self.gender


@dataclass(frozen=True)
class Shared:
    """Who takes whom over, by enrolment id, or the rule that left them out."""

    caller_of: Mapping[int, int] = field(default_factory=dict)
    left_out: Mapping[int, NotPlaced] = field(default_factory=dict)


def share(needs: Sequence[Need], helpers: Sequence[Helper]) -> Shared:
    """Propose somebody for each of ``needs``.

    Language, training, absence, room and hours are kept; a wish is met where it can be, first
    of all that it be none of those after whom the patient asked for somebody else;
    then the one whose hours are the least filled takes the calls. Those with the fewest
    possible helpers choose first, then those with the most to do. Ties go to the lower id.
    """
    minutes = {helper.caller_id: helper.minutes for helper in helpers}
    taken = dict.fromkeys(minutes, 0)
    caller_of: dict[int, int] = {}
    left_out: dict[int, NotPlaced] = {}
    fitting = {
        language: sum(helper.may_take(language) for helper in helpers)
        for language in {need.language for need in needs}
    }
    for need in sorted(
        needs, key=lambda each: (fitting[each.language], -each.minutes, each.enrolment_id)
    ):
        able, reason = _able(need, helpers, minutes, taken)
        if not able:
            left_out[need.enrolment_id] = reason
            continue
        chosen = min(able, key=lambda each: _cost(need, each, minutes[each.caller_id]))
        caller_of[need.enrolment_id] = chosen.caller_id
        minutes[chosen.caller_id] += need.minutes
        taken[chosen.caller_id] += 1
    return Shared(caller_of, left_out)


def _able(
    need: Need, helpers: Sequence[Helper], minutes: Mapping[int, int], taken: Mapping[int, int]
) -> tuple[list[Helper], NotPlaced]:
    """Return who may take ``need``, or nobody and the first rule that leaves nobody."""
    able, reason = list(helpers), NotPlaced.NO_SHARED_LANGUAGE
    rules: dict[NotPlaced, Callable[[Helper], bool]] = {
        NotPlaced.NO_SHARED_LANGUAGE: lambda each: need.language in each.languages,
        NotPlaced.NOT_TRAINED: lambda each: each.is_trained,
        NotPlaced.AWAY: lambda each: not each.is_away,
        NotPlaced.PANELS_FULL: lambda each: each.room is None or taken[each.caller_id] < each.room,
        NotPlaced.HOURS_FULL: lambda each: (
            each.most_minutes > 0 and minutes[each.caller_id] + need.minutes <= each.most_minutes
        ),
    }
    for rule, keeps in rules.items():
        reason, able = rule, [each for each in able if keeps(each)]
        if not able:
            break
    return able, reason


def _cost(need: Need, helper: Helper, minutes: int) -> tuple[bool, bool, float, int]:
    filled = (minutes + need.minutes) / helper.most_minutes
    is_parted = helper.caller_id in need.parted
    return is_parted, not helper.meets(need.wished), filled, helper.caller_id


def _stretch(text: str) -> Stretch:
    match = _STRETCH.fullmatch(text)
    if match is None:
        raise NotHours("unreadable")
    hour, minute, half, end_hour, end_minute, end_half = match.groups()
    # '1-5pm' means the afternoon for both.
    begins = _time(hour, minute, half or end_half if _is_same_half(hour, end_hour) else half)
    ends = _time(end_hour, end_minute, end_half)
    if ends <= begins:
        raise NotHours("ends before it begins")
    return Stretch(begins, ends)


def _is_same_half(hour: str, end_hour: str) -> bool:
    return int(hour) % _NOON < int(end_hour) % _NOON


def _time(hour: str, minute: str | None, half: str | None) -> time:
    at = int(hour)
    if half:
        if not 1 <= at <= _NOON:
            raise NotHours("no such hour")
        at = at % _NOON + (_NOON if half.lower() == "pm" else 0)
    try:
        return time(at, int(minute or 0))
    except ValueError as error:
        raise NotHours("no such time") from error


def _minute_of(at: time) -> int:
    return at.hour * 60 + at.minute
