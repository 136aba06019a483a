"""Which measurement points of a programme are open, and what is missing in each. Pure."""

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from types import MappingProxyType

from outreach.programmes.rules import MeasurePoint


class PointState(enum.StrEnum):
    """Where today stands against a window."""

    AHEAD = "ahead"
    OPEN = "open"
    OVER = "over"


@dataclass(frozen=True)
class Taken:
    """Something measured: the code of the measure, the patient's local day, and the value."""

    code: str
    on: date
    value: Decimal | None = None


@dataclass(frozen=True)
class PointStanding:
    """One measurement point of one enrolment: its window, what was measured in it, what not.

    ``found`` holds, of each measure, what was taken nearest to the target. ``told_more_from``:
    from which day of the window on a missing measure tells something new, where it was taken
    so lately that it hardly can today.
    """

    point: MeasurePoint
    from_on: date
    target_on: date
    until_on: date
    state: PointState
    found: tuple[Taken, ...]
    missing: tuple[str, ...]
    told_more_from: Mapping[str, date] = field(default_factory=dict)

    @property
    def is_due(self) -> bool:
        """Whether the window is open and something is missing."""
        return self.state is PointState.OPEN and bool(self.missing)


def is_time_to_say_so(standing: PointStanding, lead_days: int | None, *, today: date) -> bool:
    """Say whether a text may tell a patient that it is time to measure.

    From ``lead_days`` days before the best day on, while the window is open and something is
    missing; None: never.
    """
    if lead_days is None or not standing.is_due:
        return False
    return today >= standing.target_on - timedelta(days=lead_days)


def window(point: MeasurePoint, starts_on: date) -> tuple[date, date, date]:
    """Return first day, target and last day of a point, the first and last included."""
    first, target, last = (
        starts_on + timedelta(days=days)
        for days in (point.from_day, point.target_day, point.until_day)
    )
    return first, target, last


def stand(
    points: Iterable[MeasurePoint],
    starts_on: date,
    taken: Sequence[Taken],
    *,
    today: date,
    apart: Mapping[str, timedelta] = MappingProxyType({}),
) -> list[PointStanding]:
    """Return how each point stands on ``today``, in order. Source: domain.md E4.

    What is measured within the window counts, both ends included; nearest to the target is
    best, and of two as near the later one. ``apart``: how long after the last one of a measure
    another tells something new.
    """
    return [_standing(point, starts_on, taken, today=today, apart=apart) for point in points]


def _standing(
    point: MeasurePoint,
    starts_on: date,
    taken: Sequence[Taken],
    *,
    today: date,
    apart: Mapping[str, timedelta],
) -> PointStanding:
    first, target, last = window(point, starts_on)
    found, missing = [], []
    for code in point.measures:
        within = [each for each in taken if each.code == code and first <= each.on <= last]
        if within:
            found.append(
                min(within, key=lambda each: (abs(each.on - target), -each.on.toordinal()))
            )
        else:
            missing.append(code)
    state = PointState.OPEN if first <= today <= last else PointState.AHEAD
    state = PointState.OVER if today > last else state
    ahead = {
        code: from_on
        for code in missing
        if code in apart and (from_on := _tells_from(code, taken, apart[code], today=today))
    }
    waits = {code: from_on for code, from_on in ahead.items() if from_on <= last}
    return PointStanding(point, first, target, last, state, tuple(found), tuple(missing), waits)


def _tells_from(code: str, taken: Sequence[Taken], apart: timedelta, *, today: date) -> date | None:
    """Return the day from which another one tells something new, None where that is today."""
    days = [each.on for each in taken if each.code == code and each.on <= today]
    from_on = max(days) + apart if days else today
    return from_on if from_on > today else None
