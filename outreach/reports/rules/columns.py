"""Values and conversations by the hundred thousand, kept as columns of numbers. Pure.

Rows become values of ``rules/outcomes.py`` only where somebody looks at them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any, overload
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from outreach.reports.rules.outcomes import WINDOWS, Talk
from outreach.reports.rules.period import begin_of

Numbers = NDArray[np.int64]
_A_DAY = 86_400  # seconds
_EPOCH = date(1970, 1, 1)


def columns_of(rows: Sequence[Sequence[Any]], width: int) -> tuple[Sequence[Any], ...]:
    """Return rows as columns; ``width`` empty ones where there are no rows."""
    found = tuple(zip(*rows, strict=True))
    return found or ((),) * width


def runs_of(keys: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Yield (key, first, after the last) of keys that stand together."""
    if not keys:
        return
    numbers = np.asarray(keys)
    edges = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(keys)]
    for first, last in pairwise(edges):
        yield keys[first], first, last


@dataclass(frozen=True)
class Days:
    """On which local day of its patient each row lies, as ordinals; 0: of no known patient."""

    places: Numbers
    ordinals: Numbers
    since_start: Numbers

    def day(self, row: int) -> date | None:
        """Return the day of a row; None where its patient is none of the known ones."""
        ordinal = int(self.ordinals[row])
        return date.fromordinal(ordinal) if ordinal else None

    def nearest(self, kinds: Sequence[int]) -> list[int]:
        """Return the rows that count, in order: of each window the one nearest to its target.

        Of each patient and kind; by the rule of ``Followed.at``, of which this is the form for
        all of them at once.
        """
        kept: list[Numbers] = []
        kind = np.asarray(kinds, dtype=np.int64)
        for window in WINDOWS.values():
            day = self.since_start
            inside = np.flatnonzero(
                (day >= window.from_day) & (day <= window.until_day) & (self.ordinals > 0)
            )
            distance = np.abs(day[inside] - window.target_day)
            order = np.lexsort((-inside, -day[inside], distance, kind[inside], self.places[inside]))
            ranked = inside[order]
            group = self.places[ranked] * (len(kinds) + 1) + kind[ranked]
            kept.append(ranked[np.diff(group, prepend=-1) != 0])
        rows: list[int] = np.sort(np.concatenate(kept)).tolist()
        return rows


class Places:
    """The patients of a report: their ids in order, first days and zones."""

    def __init__(
        self, ids: Sequence[int], starts_on: Sequence[date], zones: Sequence[ZoneInfo]
    ) -> None:
        names = list(dict.fromkeys(zones))
        self._ids = np.asarray(ids, dtype=np.int64)
        self._starts = np.asarray([day.toordinal() for day in starts_on], dtype=np.int64)
        self._zones, self._zone = names, np.asarray([names.index(zone) for zone in zones])

    def days(self, patient_ids: Sequence[int], instants: Sequence[int]) -> Days:
        """Return the local days of rows. ``instants`` are seconds since 1970."""
        patients = np.asarray(patient_ids, dtype=np.int64)
        seconds = np.asarray(instants, dtype=np.int64)
        place = np.minimum(np.searchsorted(self._ids, patients), len(self._ids) - 1)
        ordinals = np.zeros(len(seconds), dtype=np.int64)
        for number, zone in enumerate(self._zones):
            there = np.flatnonzero((self._zone[place] == number) & (self._ids[place] == patients))
            if there.size:
                ordinals[there] = _ordinals(seconds[there], zone)
        return Days(place, ordinals, ordinals - self._starts[place])


class Talks(Sequence[Talk]):
    """The conversations of one patient, made of the columns once somebody asks."""

    def __init__(
        self, days: Days, minutes: Sequence[int], completed: Sequence[int], rows: range
    ) -> None:
        self._days, self._minutes, self._completed, self._rows = days, minutes, completed, rows

    @cached_property
    def _made(self) -> list[Talk]:
        return [
            Talk(day, self._minutes[row], bool(self._completed[row]))
            for row in self._rows
            if (day := self._days.day(row)) is not None
        ]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._made == list(other)

    def __hash__(self) -> int:
        return hash(tuple(self._made))

    def __len__(self) -> int:
        return len(self._made)

    @overload
    def __getitem__(self, index: int) -> Talk: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Talk]: ...
    def __getitem__(self, index: int | slice) -> Talk | Sequence[Talk]:
        return self._made[index]

    def __iter__(self) -> Iterator[Talk]:
        return iter(self._made)


def _ordinals(seconds: Numbers, zone: ZoneInfo) -> Numbers:
    """Return the local days of instants, by the instants at which the zone's days begin."""
    first = _EPOCH + timedelta(days=int(seconds.min()) // _A_DAY - 1)
    count = (int(seconds.max()) - int(seconds.min())) // _A_DAY + 4
    begins = [int(begin_of(first + timedelta(days=day), zone).timestamp()) for day in range(count)]
    return first.toordinal() - 1 + np.searchsorted(np.asarray(begins), seconds, side="right")
