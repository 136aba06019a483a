"""Whether a protocol makes sense, field by field. Pure."""

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

from outreach.programmes.rules import DAYS_A_WEEK, MeasurePoint, Phase, Protocol, Rhythm

MOST_WEEKS = 104
MOST_DAYS_BETWEEN = 28
LONGEST_NAME = 60
_FARTHEST_DAY = MOST_WEEKS * DAYS_A_WEEK + 90

# (part, field): the least and the most that make sense. Ours, wide enough for any protocol
# in domain.md; a reminder goes out an hour to a week ahead.
BOUNDS: dict[tuple[str, str], tuple[int, int]] = {
    ("attempts", "max_dials"): (1, 10),
    ("attempts", "max_dials_per_day"): (1, 5),
    ("attempts", "min_days"): (1, 7),
    ("attempts", "min_dayparts"): (1, 3),
    ("attempts", "hours_between"): (0, 24),
    ("follow_up", "missed_to_review"): (1, 20),
    ("follow_up", "missed_to_check"): (1, 20),
    ("follow_up", "silent_days_early"): (1, 365),
    ("follow_up", "silent_days_late"): (1, 365),
    ("follow_up", "early_weeks"): (0, MOST_WEEKS),
    ("follow_up", "unreachable_days"): (7, 365),
    ("follow_up", "missed_to_welfare"): (0, 50),
    ("follow_up", "silent_days_welfare"): (0, 365),
    ("", "reminder_lead_minutes"): (60, DAYS_A_WEEK * 24 * 60),
    ("", "minutes_per_call"): (5, 240),
    ("", "measure_lead_days"): (0, 90),
}


class Flaw(enum.StrEnum):
    """What is wrong with one field."""

    NO_PHASE = "no phase"
    NO_NAME = "no name"
    SAME_CODE = "same code"
    BAD_CODE = "bad code"
    GAP = "gap"
    TOO_SHORT = "too short"
    TOO_LONG = "too long"
    NO_CHOICE = "no choice"
    CHOICES_OUTSIDE = "choices outside"
    DEFAULT_NOT_OFFERED = "default not offered"
    OUT_OF_BOUNDS = "out of bounds"
    MORE_THAN_DIALS = "more than dials"
    CHECK_BEFORE_REVIEW = "check before review"
    UNREACHABLE_TOO_SOON = "unreachable too soon"
    NOTHING_MEASURED = "nothing measured"
    TARGET_OUTSIDE = "target outside"
    ENDS_BEFORE_IT_BEGINS = "ends before it begins"
    DAY_TOO_FAR = "day too far"
    WINDOWS_OVERLAP = "windows overlap"
    AFTER_THE_END = "after the end"


@dataclass(frozen=True)
class Problem:
    """A flaw and where it is.

    ``part`` is 'phases', 'measure_points', 'milestones', 'attempts', 'follow_up' or '' for
    the whole; ``index`` counts within the first three, from 0. ``bounds`` says what is
    allowed where that is a range.
    """

    part: str
    index: int | None
    field: str
    flaw: Flaw
    bounds: tuple[int, int] | None = None


def problems(protocol: Protocol) -> list[Problem]:
    """Return everything that is wrong with ``protocol``; a sane one has nothing."""
    return [
        *_named("phases", protocol.phases),
        *_named("measure_points", protocol.measure_points),
        *_named("milestones", protocol.milestones),
        *_phases(protocol.phases),
        *_numbers(protocol),
        *_attempts(protocol),
        *_follow_up(protocol),
        *_measure_points(protocol.measure_points),
        *_milestones(protocol),
    ]


def _named(part: str, entries: Sequence[Any]) -> Iterator[Problem]:
    """Every entry has a name and a code of its own."""
    seen: set[str] = set()
    for index, each in enumerate(entries):
        if not each.name.strip() or len(each.name) > LONGEST_NAME:
            yield Problem(part, index, "name", Flaw.NO_NAME, (1, LONGEST_NAME))
        if not each.code or len(each.code) > 40:  # noqa: PLR2004 - as the columns are
            yield Problem(part, index, "name", Flaw.BAD_CODE)
        elif each.code in seen:
            yield Problem(part, index, "name", Flaw.SAME_CODE)
        seen.add(each.code)


def _phases(phases: Sequence[Phase]) -> Iterator[Problem]:
    """Phases follow each other from week 1 on; what they offer makes sense."""
    if not phases:
        yield Problem("", None, "phases", Flaw.NO_PHASE)
        return
    if phases[0].first_week != 1:
        yield Problem("phases", 0, "weeks", Flaw.GAP)
    for index, (before, after) in enumerate(pairwise(phases), start=1):
        if after.first_week != before.last_week + 1:
            yield Problem("phases", index, "weeks", Flaw.GAP)
    for index, phase in enumerate(phases):
        if phase.weeks < 1:
            yield Problem("phases", index, "weeks", Flaw.TOO_SHORT)
        elif phase.last_week > MOST_WEEKS:
            yield Problem("phases", index, "weeks", Flaw.TOO_LONG, (1, MOST_WEEKS))
        yield from _choices(index, phase)


def _choices(index: int, phase: Phase) -> Iterator[Problem]:
    most = DAYS_A_WEEK if phase.rhythm is Rhythm.CALLS_PER_WEEK else MOST_DAYS_BETWEEN
    if not phase.choices:
        yield Problem("phases", index, "choices", Flaw.NO_CHOICE)
    elif any(not 1 <= each <= most for each in phase.choices):
        yield Problem("phases", index, "choices", Flaw.CHOICES_OUTSIDE, (1, most))
    elif phase.default not in phase.choices:
        yield Problem("phases", index, "default", Flaw.DEFAULT_NOT_OFFERED)


def _numbers(protocol: Protocol) -> Iterator[Problem]:
    for (part, field), (low, high) in BOUNDS.items():
        value = getattr(getattr(protocol, part) if part else protocol, field)
        if value is not None and not low <= value <= high:
            yield Problem(part, None, field, Flaw.OUT_OF_BOUNDS, (low, high))


def _attempts(protocol: Protocol) -> Iterator[Problem]:
    """No more days, parts of the day or dials a day than there are dials."""
    policy = protocol.attempts
    for field in ("max_dials_per_day", "min_days", "min_dayparts"):
        if getattr(policy, field) > policy.max_dials:
            yield Problem("attempts", None, field, Flaw.MORE_THAN_DIALS)


def _follow_up(protocol: Protocol) -> Iterator[Problem]:
    policy = protocol.follow_up
    if policy.missed_to_check < policy.missed_to_review:
        yield Problem("follow_up", None, "missed_to_check", Flaw.CHECK_BEFORE_REVIEW)
    if policy.unreachable_days < max(policy.silent_days_early, policy.silent_days_late):
        yield Problem("follow_up", None, "unreachable_days", Flaw.UNREACHABLE_TOO_SOON)


def _measure_points(points: Sequence[MeasurePoint]) -> Iterator[Problem]:
    for index, point in enumerate(points):
        if not point.measures:
            yield Problem("measure_points", index, "measures", Flaw.NOTHING_MEASURED)
        if max(abs(point.from_day), abs(point.until_day)) > _FARTHEST_DAY:
            yield Problem("measure_points", index, "until_day", Flaw.DAY_TOO_FAR)
        if point.until_day < point.from_day:
            yield Problem("measure_points", index, "until_day", Flaw.ENDS_BEFORE_IT_BEGINS)
        elif not point.from_day <= point.target_day <= point.until_day:
            yield Problem("measure_points", index, "target_day", Flaw.TARGET_OUTSIDE)
    for (_, one), (index, other) in combinations(enumerate(points), 2):
        overlap = one.from_day <= other.until_day and other.from_day <= one.until_day
        if overlap and set(one.measures) & set(other.measures):
            yield Problem("measure_points", index, "from_day", Flaw.WINDOWS_OVERLAP)


def _milestones(protocol: Protocol) -> Iterator[Problem]:
    days = max((phase.last_week for phase in protocol.phases), default=0) * DAYS_A_WEEK
    for index, each in enumerate(protocol.milestones):
        if each.until_day < each.from_day:
            yield Problem("milestones", index, "until_day", Flaw.ENDS_BEFORE_IT_BEGINS)
        if not 0 <= each.from_day < max(days, 1):
            yield Problem("milestones", index, "from_day", Flaw.AFTER_THE_END, (0, days - 1))
        if abs(each.until_day) > _FARTHEST_DAY:
            yield Problem("milestones", index, "until_day", Flaw.DAY_TOO_FAR)
