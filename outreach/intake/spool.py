"""What was read and checked, kept outside memory until it is written.

A nameless temporary SQLite database: it spills to a file that the operating system has
already unlinked, so nothing of it outlives the process, whatever happens.
"""

import pickle
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import groupby
from typing import Any

from outreach.intake.rules import (
    IncomingPatient,
    IncomingReading,
    IncomingVisit,
    LooseReading,
    LooseVisit,
    VisitOf,
)

_TABLES = """
CREATE TABLE patient (place INTEGER PRIMARY KEY, record_number TEXT UNIQUE, content BLOB);
CREATE TABLE alias (external_id TEXT PRIMARY KEY, place INTEGER) WITHOUT ROWID;
CREATE TABLE reading (external_id TEXT, key TEXT, content BLOB, PRIMARY KEY (external_id, key))
WITHOUT ROWID;
CREATE TABLE visit (external_id TEXT, key TEXT, content BLOB, PRIMARY KEY (external_id, key))
WITHOUT ROWID;
CREATE TABLE visit_of (place INTEGER PRIMARY KEY, record_number TEXT, key TEXT, content BLOB,
UNIQUE (record_number, key));
"""


def _anywhere() -> int:
    """Return a place that nobody has: of so many, no two draw the same."""
    return 1 + secrets.randbits(62)


class Spool:
    """Patients by record number, in an order by chance, and the readings apart from them.

    Many files are sorted by name. Were rows written in that order, their ids would tell who comes
    before whom, though names are encrypted.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        database.executescript(_TABLES)
        database.execute("BEGIN")

    def add_patient(self, patient: IncomingPatient) -> IncomingPatient | None:
        """Keep ``patient``; return the earlier one of the same record number instead, if any.

        Readings that name ``patient`` go to the earlier one where the two are equal.
        """
        added = self._database.execute(
            "INSERT OR IGNORE INTO patient VALUES (?, ?, ?)",
            (_anywhere(), patient.record_number, pickle.dumps(patient, pickle.HIGHEST_PROTOCOL)),
        )
        if added.rowcount:
            self._name(patient.external_ids, added.lastrowid)
            return None
        place, content = self._database.execute(
            "SELECT place, content FROM patient WHERE record_number = ?", (patient.record_number,)
        ).fetchone()
        earlier = _loaded(content)
        self._name(patient.external_ids, place if earlier == patient else None)
        return earlier

    def add_absent(self, external_ids: tuple[str, ...]) -> None:
        """Remember that readings of these belong to somebody who does not come in."""
        self._name(external_ids, None)

    def add_reading(self, loose: LooseReading) -> None:
        """Keep a reading; the same one again changes nothing."""
        self._database.execute(
            "INSERT OR IGNORE INTO reading VALUES (?, ?, ?)",
            (loose.of, loose.reading.key, pickle.dumps(loose.reading, pickle.HIGHEST_PROTOCOL)),
        )

    def add_visit(self, loose: LooseVisit) -> None:
        """Keep a visit; the same one again changes nothing."""
        self._database.execute(
            "INSERT OR IGNORE INTO visit VALUES (?, ?, ?)",
            (loose.of, loose.visit.key, pickle.dumps(loose.visit, pickle.HIGHEST_PROTOCOL)),
        )

    def add_visit_of(self, found: VisitOf) -> bool:
        """Keep a visit of somebody the clinic has; False where the same one came before."""
        added = self._database.execute(
            "INSERT OR IGNORE INTO visit_of VALUES (?, ?, ?, ?)",
            (
                _anywhere(),
                found.record_number,
                found.visit.key,
                pickle.dumps(found, pickle.HIGHEST_PROTOCOL),
            ),
        )
        return added.rowcount == 1

    def visits_of(self, size: int) -> Iterator[list[VisitOf]]:
        """Yield all visits of people whom the clinic has, in lists of at most ``size``."""
        last = 0
        while rows := self._database.execute(
            "SELECT place, content FROM visit_of WHERE place > ? ORDER BY place LIMIT ?",
            (last, size),
        ).fetchall():
            last = rows[-1][0]
            yield [pickle.loads(content) for _place, content in rows]  # noqa: S301

    @property
    def patients(self) -> int:
        """How many patients are kept."""
        return int(self._count("SELECT count(*) FROM patient"))

    @property
    def orphans(self) -> int:
        """How many readings name somebody who is nowhere in the files."""
        return self._orphans("reading")

    @property
    def orphan_visits(self) -> int:
        """How many visits name somebody who is nowhere in the files."""
        return self._orphans("visit")

    def _orphans(self, table: str) -> int:
        return int(
            self._count(
                f"SELECT count(*) FROM {table} WHERE external_id NOT IN"  # noqa: S608 - ours
                " (SELECT external_id FROM alias)"
            )
        )

    def batches(self, size: int) -> Iterator[list[IncomingPatient]]:
        """Yield all patients in lists of at most ``size``, each with all their readings."""
        last = 0
        while rows := self._database.execute(
            "SELECT place, content FROM patient WHERE place > ? ORDER BY place LIMIT ?",
            (last, size),
        ).fetchall():
            first, last = rows[0][0], rows[-1][0]
            readings, visits = (self._loose(table, first, last) for table in ("reading", "visit"))
            yield [
                _with(_loaded(content), readings.get(place, ()), visits.get(place, ()))
                for place, content in rows
            ]

    def _loose(self, table: str, first: int, last: int) -> dict[int, tuple[Any, ...]]:
        """Return what is kept apart from the patients of some places."""
        found = self._database.execute(
            f"SELECT alias.place, {table}.content FROM alias JOIN {table} USING (external_id)"  # noqa: S608 - ours
            f" WHERE alias.place BETWEEN ? AND ? ORDER BY alias.place, {table}.key",
            (first, last),
        )
        return {
            place: tuple(pickle.loads(content) for _place, content in group)  # noqa: S301
            for place, group in groupby(found, key=lambda row: row[0])
        }

    def _name(self, external_ids: tuple[str, ...], place: int | None) -> None:
        for each in external_ids:
            self._database.execute("INSERT OR IGNORE INTO alias VALUES (?, ?)", (each, place))

    def _count(self, statement: str) -> int:
        return int(self._database.execute(statement).fetchone()[0])


@contextmanager
def open_spool() -> Iterator[Spool]:
    """Open an empty spool; it is gone afterwards."""
    with closing(sqlite3.connect("", isolation_level=None)) as database:
        database.execute("PRAGMA synchronous=OFF")
        database.execute("PRAGMA journal_mode=OFF")
        yield Spool(database)


def _with(
    patient: IncomingPatient,
    readings: tuple[IncomingReading, ...],
    visits: tuple[IncomingVisit, ...],
) -> IncomingPatient:
    if not readings and not visits:
        return patient
    return replace(patient, readings=patient.readings + readings, visits=patient.visits + visits)


def _loaded(content: bytes) -> IncomingPatient:
    # Our own bytes, from a file that no other process can open.
    patient: IncomingPatient = pickle.loads(content)  # noqa: S301
    return patient
