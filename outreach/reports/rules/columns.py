"""Values and conversations by the hundred thousand, kept as columns of numbers. Pure.

Rows become values of ``rules/outcomes.py`` only where somebody looks at them: ``rules/people.py``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from outreach.reports.rules.outcomes import WINDOWS, OutcomeMeasure, Point
from outreach.reports.rules.period import begin_of

Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]
MEASURES, POINTS = tuple(OutcomeMeasure), tuple(Point)
_A_SECOND = 1_000_000  # microseconds
_A_DAY = 86_400 * _A_SECOND
_EPOCH = date(1970, 1, 1)
_NEAR = 512  # more than any distance from a target, twice


def columns_of(packed: str | None, width: int) -> list[Numbers]:
    """Return the columns of rows that the database wrote one after the other (``sql.packed``)."""
    numbers = np.fromstring(packed or "", dtype=np.int64, sep=" ")
    return list(numbers.reshape(-1, width).T)


def empty() -> Numbers:
    """Return a column without a row."""
    return np.zeros(0, dtype=np.int64)


def placed(count: int, where: Numbers, column: Numbers) -> Numbers:
    """Return what ``Days.nearest`` found of so many patients, by measure, point and patient."""
    table = np.zeros((count, len(MEASURES), len(POINTS)), dtype=np.int64)
    table.reshape(-1)[where] = column
    return np.ascontiguousarray(table.transpose(1, 2, 0))


@dataclass(frozen=True)
class Days:
    """On which local day of its patient each row lies, as ordinals; 0: of no known patient."""

    places: Numbers
    ordinals: Numbers
    since_start: Numbers

    def in_order(self, order: tuple[Numbers, ...]) -> Numbers:
        """Return the rows of known patients, by patient, in ``order`` as ``lexsort`` takes it."""
        rows = np.lexsort((*order, self.places))
        return rows[self.ordinals[rows] > 0]

    def nearest(self, kinds: Numbers, order: tuple[Numbers, ...]) -> tuple[Numbers, Numbers]:
        """Return the rows that count, and where each does: of a window the nearest to its target.

        Of each patient and kind; by the rule of ``Followed.at``, of which this is the form for
        all of them at once.

        Args:
            kinds: the place of each row's measure among ``MEASURES``.
            order: what comes later of rows of one day, as ``lexsort`` takes it.
        """
        day = self.since_start
        point, distance = np.full(len(day), -1), np.zeros(len(day), dtype=np.int64)
        for number, window in enumerate(WINDOWS.values()):
            inside = (day >= window.from_day) & (day <= window.until_day) & (self.ordinals > 0)
            point[inside] = number
            # Of two as near, the later one.
            distance[inside] = 2 * np.abs(day - window.target_day)[inside]
            distance[inside & (day < window.target_day)] += 1
        rows = np.flatnonzero(point >= 0)
        where = (self.places[rows] * len(MEASURES) + kinds[rows]) * len(POINTS) + point[rows]
        nearness = where * _NEAR - distance[rows]
        ranked = np.lexsort((*(each[rows] for each in order), nearness))
        where, rows = where[ranked], rows[ranked]
        is_last = np.diff(where, append=-1) != 0
        return rows[is_last], where[is_last]


class Places:
    """The patients of a report: their ids in order, first days and zones."""

    def __init__(self, ids: Sequence[int], starts_on: Sequence[date], zones: Sequence[str]) -> None:
        self._names = {name: number for number, name in enumerate(dict.fromkeys(zones))}
        self.ids = np.asarray(ids, dtype=np.int64)
        self.starts = np.asarray([day.toordinal() for day in starts_on], dtype=np.int64)
        self._zone = np.asarray([self._names[zone] for zone in zones])

    def days(self, patients: Numbers, instants: Numbers) -> Days:
        """Return the local days of rows. ``instants`` are microseconds since 1970."""
        place = np.minimum(np.searchsorted(self.ids, patients), len(self.ids) - 1)
        is_known, zone_of = self.ids[place] == patients, self._zone[place]
        ordinals = np.zeros(len(instants), dtype=np.int64)
        for name, number in self._names.items():
            there = np.flatnonzero((zone_of == number) & is_known)
            if there.size:
                ordinals[there] = _ordinals(instants[there], ZoneInfo(name))
        return Days(place, ordinals, ordinals - self.starts[place])


def _ordinals(instants: Numbers, zone: ZoneInfo) -> Numbers:
    """Return the local days of instants, by the instants at which the zone's days begin."""
    first = _EPOCH + timedelta(days=int(instants.min()) // _A_DAY - 1)
    count = (int(instants.max()) - int(instants.min())) // _A_DAY + 4
    begins = [int(begin_of(first + timedelta(days=day), zone).timestamp()) for day in range(count)]
    after = np.searchsorted(np.asarray(begins) * _A_SECOND, instants, side="right")
    return first.toordinal() - 1 + after
