"""What was read and checked, kept outside memory until it is written.

A nameless temporary SQLite database: it spills to a file that the operating system has
already unlinked, so nothing of it outlives the process, whatever happens.
"""

import pickle
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import groupby

from outreach.intake.rules import IncomingPatient, LooseReading

_TABLES = """
CREATE TABLE patient (place INTEGER PRIMARY KEY, record_number TEXT UNIQUE, content BLOB);
CREATE TABLE alias (external_id TEXT PRIMARY KEY, place INTEGER) WITHOUT ROWID;
CREATE TABLE reading (external_id TEXT, key TEXT, content BLOB, PRIMARY KEY (external_id, key))
WITHOUT ROWID;
"""


class Spool:
    """Patients by record number, in the order of the file, and the readings apart from them."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        database.executescript(_TABLES)
        database.execute("BEGIN")

    def add_patient(self, patient: IncomingPatient) -> IncomingPatient | None:
        """Keep ``patient``; return the earlier one of the same record number instead, if any.

        Readings that name ``patient`` go to the earlier one where the two are equal.
        """
        added = self._database.execute(
            "INSERT OR IGNORE INTO patient (record_number, content) VALUES (?, ?)",
            (patient.record_number, pickle.dumps(patient, pickle.HIGHEST_PROTOCOL)),
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

    @property
    def patients(self) -> int:
        """How many patients are kept."""
        return int(self._count("SELECT count(*) FROM patient"))

    @property
    def orphans(self) -> int:
        """How many readings name somebody who is nowhere in the files."""
        return int(
            self._count(
                "SELECT count(*) FROM reading WHERE external_id NOT IN"
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
            yield list(self._with_readings(rows, first, last))

    def _with_readings(
        self, rows: list[tuple[int, bytes]], first: int, last: int
    ) -> Iterator[IncomingPatient]:
        found = self._database.execute(
            "SELECT alias.place, reading.content FROM alias JOIN reading USING (external_id)"
            " WHERE alias.place BETWEEN ? AND ? ORDER BY alias.place, reading.key",
            (first, last),
        )
        loose = {
            place: tuple(pickle.loads(content) for _place, content in group)  # noqa: S301
            for place, group in groupby(found, key=lambda row: row[0])
        }
        for place, content in rows:
            patient = _loaded(content)
            if place in loose:
                patient = replace(patient, readings=patient.readings + loose[place])
            yield patient

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


def _loaded(content: bytes) -> IncomingPatient:
    # Our own bytes, from a file that no other process can open.
    patient: IncomingPatient = pickle.loads(content)  # noqa: S301
    return patient
