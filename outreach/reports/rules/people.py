"""The patients of a report as columns: what counted of each at each point, and what was said. Pure.

Five thousand patients with eight measures are two arrays; a ``Followed`` is made of them where
somebody looks at one.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import overload

import numpy as np

from outreach.reports.rules.columns import MEASURES, POINTS, Days, Flags, Numbers, empty
from outreach.reports.rules.outcomes import (
    Followed,
    Followup,
    OutcomeMeasure,
    Point,
    Taken,
    Talk,
    from_thousandths,
    thousandths,
)


def joined(several: Sequence[Flags]) -> Flags:
    """Return what is so of several people, one after the other."""
    return np.concatenate([np.zeros(0, dtype=np.bool_), *several])


@dataclass(frozen=True)
class Said:
    """Conversations: of whom (places among some people, in order), on which days, how long."""

    places: Numbers
    ordinals: Numbers
    minutes: Numbers
    completed: Numbers

    @classmethod
    def nothing(cls) -> "Said":
        """Return no conversation."""
        return cls(empty(), empty(), empty(), empty())

    @classmethod
    def of_rows(
        cls, days: Days, minutes: Numbers, completed: Numbers, order: tuple[Numbers, ...]
    ) -> "Said":
        """Return those of known patients, in ``order`` of each, as ``lexsort`` takes it."""
        rows = days.in_order(order)
        return cls(days.places[rows], days.ordinals[rows], minutes[rows], completed[rows])

    def of(self, place: int) -> tuple[Talk, ...]:
        """Return the conversations with one of them."""
        first, last = np.searchsorted(self.places, [place, place + 1]).tolist()
        rows = zip(
            self.ordinals[first:last].tolist(),
            self.minutes[first:last].tolist(),
            self.completed[first:last].tolist(),
            strict=True,
        )
        return tuple(
            Talk(date.fromordinal(day), minutes, bool(done)) for day, minutes, done in rows
        )

    def kept(self, is_kept: Flags, places: Numbers) -> "Said":
        """Return some of them, of people who stand at other ``places`` now."""
        return Said(
            places[is_kept], self.ordinals[is_kept], self.minutes[is_kept], self.completed[is_kept]
        )


class People(Sequence[Followed]):
    """Patients in order. ``days`` and ``values`` are by measure, point and patient.

    A day is an ordinal, 0 where nothing was measured; a value is in thousandths.
    """

    def __init__(
        self,
        ids: Numbers,
        starts: Numbers,
        measured: tuple[Numbers, Numbers],
        said: Said,
        made: Sequence[Followed] | None = None,
    ) -> None:
        self.ids, self.starts, self.said = ids, starts, said
        self.days, self.values = measured
        self._made = made

    @classmethod
    def of(cls, patients: Sequence[Followed]) -> "People":
        """Return patients as columns."""
        if isinstance(patients, People):
            return patients
        days = np.zeros((len(MEASURES), len(POINTS), len(patients)), dtype=np.int64)
        values = np.zeros_like(days)
        for place, patient in enumerate(patients):
            for number, measure in enumerate(MEASURES):
                for at, point in enumerate(POINTS):
                    taken = patient.at(measure, point)
                    if taken is not None:
                        days[number, at, place] = taken.on.toordinal()
                        values[number, at, place] = thousandths(taken.value)
        talks = [
            (place, each.on.toordinal(), each.minutes, int(each.is_completed))
            for place, patient in enumerate(patients)
            for each in patient.talks
        ]
        said = np.asarray(talks, dtype=np.int64).reshape(-1, 4).T
        ids = np.asarray([each.patient_id for each in patients], dtype=np.int64)
        starts = np.asarray([each.starts_on.toordinal() for each in patients], dtype=np.int64)
        return cls(ids, starts, (days, values), Said(*said), patients)

    @classmethod
    def together(cls, several: Sequence["People"]) -> "People":
        """Return the patients of several, one after the other."""
        if not several:
            return cls.of(())
        before = np.cumsum([0, *map(len, several)]).tolist()

        def of_all(part: Callable[[People], Numbers]) -> Numbers:
            return np.concatenate([part(each) for each in several], axis=-1)

        moved = [each.said.places + n for n, each in zip(before[:-1], several, strict=True)]
        said = Said(
            np.concatenate(moved),
            of_all(lambda each: each.said.ordinals),
            of_all(lambda each: each.said.minutes),
            of_all(lambda each: each.said.completed),
        )
        measured = of_all(lambda each: each.days), of_all(lambda each: each.values)
        return cls(of_all(lambda each: each.ids), of_all(lambda each: each.starts), measured, said)

    def some(self, rows: Numbers | Flags) -> "People":
        """Return those in some places, or of whom that is so; in the same order."""
        if rows.dtype == np.bool_:
            rows = np.flatnonzero(rows)
        place = np.full(len(self), -1, dtype=np.int64)
        place[rows] = np.arange(len(rows))
        places = place[self.said.places]
        made = None if self._made is None else [self._made[row] for row in rows.tolist()]
        return People(
            self.ids[rows],
            self.starts[rows],
            (self.days[..., rows], self.values[..., rows]),
            self.said.kept(places >= 0, places),
            made,
        )

    def at(self, measure: OutcomeMeasure, point: Point) -> tuple[Numbers, Numbers]:
        """Return the day of what counted of each at a point, 0 where nothing did, and the value."""
        where = MEASURES.index(measure), POINTS.index(point)
        return self.days[where], self.values[where]

    def doses_until(self, days: Numbers) -> tuple[Numbers, Numbers]:
        """Return completed calls and minutes of each, from the first day to one of ``days``."""
        said, n = self.said, len(self)
        day = said.ordinals
        is_given = (day >= self.starts[said.places]) & (day <= days[said.places])
        places = said.places[is_given]
        calls = np.bincount(places, said.completed[is_given], n).astype(np.int64)
        return calls, np.bincount(places, said.minutes[is_given], n).astype(np.int64)

    def throughout(self, measure: OutcomeMeasure, points: Sequence[Point]) -> list[list[float]]:
        """Return the values of everybody who was measured at each of ``points``."""
        measured = [self.at(measure, each) for each in points]
        is_whole = np.all([days > 0 for days, _values in measured], axis=0)
        columns = [(values[is_whole] / 1000).tolist() for _days, values in measured]
        return [list(values) for values in zip(*columns, strict=True)]

    def apart(self, keys: Sequence[str]) -> "dict[str, People]":
        """Return those of each key, in the order of keys; ``keys`` has one for each patient."""
        found: dict[str, list[int]] = {}
        for row, key in enumerate(keys):
            found.setdefault(key, []).append(row)
        return {key: self.some(np.asarray(rows)) for key, rows in sorted(found.items())}

    def none(self) -> "People":
        """Return nobody."""
        return self.some(empty())

    def followups(self, measure: OutcomeMeasure, point: Point, who: Flags) -> tuple[Followup, ...]:
        """Return those of whom ``who`` says so, with both their values."""
        found = []
        for row in np.flatnonzero(who).tolist():
            patient = self[row]
            both = (patient.at(measure, at) for at in (Point.BASELINE, point))
            found.append(Followup(patient, *both))
        return tuple(found)

    @cached_property
    def _all(self) -> Sequence[Followed]:
        if self._made is not None:
            return self._made
        return [self._make(row) for row in range(len(self))]

    def _make(self, row: int) -> Followed:
        taken: dict[OutcomeMeasure, list[Taken]] = {}
        days, values = self.days[..., row], self.values[..., row]
        for number, point in np.argwhere(days).tolist():
            day, value = int(days[number, point]), int(values[number, point])
            each = Taken(date.fromordinal(day), from_thousandths(value))
            taken.setdefault(MEASURES[number], []).append(each)
        starts_on = date.fromordinal(int(self.starts[row]))
        return Followed(int(self.ids[row]), starts_on, taken, self.said.of(row))

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, index: int) -> Followed: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Followed]: ...
    def __getitem__(self, index: int | slice) -> Followed | Sequence[Followed]:
        if isinstance(index, slice) or self._made is not None:
            return self._all[index]
        return self._make(range(len(self))[index])

    def __iter__(self) -> Iterator[Followed]:
        return iter(self._all)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(tuple(self))
