"""Everybody of a cohort board as columns: what was measured and said, and who left. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from outreach.reports.rules.board import GONE, Cared
from outreach.reports.rules.columns import Flags, Numbers
from outreach.reports.rules.outcomes import OutcomeMeasure, thousandths


@dataclass(frozen=True)
class Dated:
    """Something of some patients, in order of each: whose (their places), on which days, what."""

    places: Numbers
    ordinals: Numbers
    values: Numbers

    @classmethod
    def of(cls, rows: Sequence[tuple[int, int, int]]) -> "Dated":
        """Return (place, ordinal, value) rows."""
        return cls(*np.asarray(rows, dtype=np.int64).reshape(-1, 3).T)

    def within(self, since: int, until: int) -> Numbers:
        """Return the rows of some days, both ends included."""
        return np.flatnonzero((self.ordinals >= since) & (self.ordinals <= until))


@dataclass(frozen=True)
class Watched:
    """Patients in order, with every HbA1c (in thousandths), conversation and status.

    Values and statuses of one patient are in order; a status is 1 where it means that they are
    under nobody's care.
    """

    ids: Numbers
    starts: Numbers
    values: Dated
    talks: Dated
    statuses: Dated

    @classmethod
    def of(cls, people: Sequence[Cared]) -> "Watched":
        """Return patients as columns."""
        followed = [each.followed for each in people]
        values = [
            (place, each.on.toordinal(), thousandths(each.value))
            for place, patient in enumerate(followed)
            for each in sorted(
                patient.taken.get(OutcomeMeasure.HBA1C, ()), key=lambda each: each.on
            )
        ]
        talks = [
            (place, each.on.toordinal(), 0)
            for place, patient in enumerate(followed)
            for each in patient.talks
        ]
        statuses = [
            (place, on.toordinal(), int(status in GONE))
            for place, patient in enumerate(people)
            for on, status in patient.statuses
        ]
        return cls(
            np.asarray([each.patient_id for each in followed], dtype=np.int64),
            np.asarray([each.starts_on.toordinal() for each in followed], dtype=np.int64),
            Dated.of(values),
            Dated.of(talks),
            Dated.of(statuses),
        )

    def is_gone(self, last_on: int) -> Flags:
        """Say of each whether they had died or left by the end of a day."""
        _known, is_gone = self._last(self.statuses, 0, last_on)
        return is_gone > 0

    def newest(self, since: int, last_on: int) -> tuple[Flags, Numbers]:
        """Say of each whether they have a value of some days, and return the newest."""
        return self._last(self.values, since, last_on)

    def is_heard_of(self, since: int, last_on: int) -> Flags:
        """Say of each whether they were measured or spoken with on some days."""
        found = np.zeros(len(self.ids), dtype=np.bool_)
        for kind in (self.values, self.talks):
            found[kind.places[kind.within(since, last_on)]] = True
        return found

    def _last(self, kind: Dated, since: int, last_on: int) -> tuple[Flags, Numbers]:
        rows = kind.within(since, last_on)
        is_known, values = np.zeros(len(self.ids), dtype=np.bool_), np.zeros_like(self.ids)
        places = kind.places[rows]
        is_known[places] = True
        values[places] = kind.values[rows]  # of a place named twice NumPy keeps the last
        return is_known, values
