"""A database that is put back between two kills, and what can be seen of it.

Only what changed is put back and read: a killed process has mostly changed nothing.
"""

import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Engine, Table, literal, select

from outreach import orm
from outreach.orm import Model

Marks = Mapping[str, object]  # by table: the same as long as its rows are
Rows = list[tuple[Any, ...]]

# Made anew each time, or told apart by what is: the rest must be the same row for row.
CHANCE = {
    "answers_hash",
    "audit_event.id",
    "audit_event.object_id",
    "call_draft.form_key",
    "challenge_hash",
    "code_hash",
    "credential_id",
    "access_key.prefix",
    "digest",
    "directory_page.id",
    "directory_page.names",
    "directory_page.version",
    "key_hash",
    "password_hash",
    "public_key",
    "ref",
    "secret",
    "secret_hash",
    "token",
    "token_hash",
}
# Where keys of other rows stand in words, or without a foreign key.
KEYS = {"cause", "dedupe_key", "enrolment_id", "form_key", "source_id"}
TABLES = Model.metadata.sorted_tables


class Database(Protocol):
    """What the walk needs of an engine."""

    engine: Engine

    def marks(self) -> Marks:
        """Return a mark of each table that changes with its rows."""

    def keep(self) -> None:
        """Let :meth:`restore` lead back here from now on."""

    def restore(self, *, to_the_first: bool = False) -> None:
        """Put every row back as it was kept the last time, or the first time."""

    def close(self) -> None:
        """Let go of what it looks on with."""


class SQLite:
    """A file, and copies of it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.file = Path(str(engine.url.database))
        self.first, self.last = self.file.with_suffix(".first"), self.file.with_suffix(".last")
        self._watcher: sqlite3.Connection | None = None
        self._known: tuple[int, Marks] | None = None
        self._copy_to(self.first)
        self.keep()

    def marks(self) -> Marks:
        """Return the rows themselves, as the file holds them; read anew once it was written to."""
        if self._watcher is None:
            self._watcher = sqlite3.connect(self.file)
        (version,) = self._watcher.execute("PRAGMA data_version").fetchone()
        if self._known is None or self._known[0] != version:
            read = self._watcher.execute
            self._known = version, {name: read(every).fetchall() for name, every in _ALL.items()}
        return self._known[1]

    def keep(self) -> None:
        self._copy_to(self.last)

    def restore(self, *, to_the_first: bool = False) -> None:
        self._look_away()
        for left in ("-wal", "-shm"):
            Path(f"{self.file}{left}").unlink(missing_ok=True)
        shutil.copy(self.first if to_the_first else self.last, self.file)
        if to_the_first:
            shutil.copy(self.first, self.last)

    def close(self) -> None:
        self._look_away()

    def _copy_to(self, other: Path) -> None:
        self._look_away()  # the last connection brings what is beside the file into it
        shutil.copy(self.file, other)

    def _look_away(self) -> None:
        self.engine.dispose()
        if self._watcher is not None:
            self._watcher.close()
        self._watcher = self._known = None


_ALL = {table.name: f'SELECT * FROM "{table.name}" ORDER BY 1, 2' for table in TABLES}  # noqa: S608


class PostgreSQL:
    """Tables, and copies of them in two schemas: all as at first, and what changed since."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        names = [table.name for table in TABLES]
        with engine.begin() as connection:
            copies = [f'CREATE TABLE first."{name}" AS TABLE public."{name}"' for name in names]
            connection.exec_driver_sql(";".join(["CREATE SCHEMA first", *copies]))
            connection.exec_driver_sql("CREATE SCHEMA last")
        self._watcher = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        self._watcher.exec_driver_sql("SET jit = off")
        self._first = self._last = self.marks()
        self._in_last: set[str] = set()

    def marks(self) -> Marks:
        """Return a sum over the rows of each table, over one connection that knows the plan."""
        return {str(row[0]): row[1] for row in self._watcher.exec_driver_sql(_MARKS)}

    def keep(self) -> None:
        now = self.marks()
        changed = _changed(self._first, now)
        with self.engine.begin() as connection:
            for name in sorted(changed):
                connection.exec_driver_sql(
                    f'DROP TABLE IF EXISTS last."{name}";'
                    f'CREATE TABLE last."{name}" AS TABLE public."{name}"'
                )
        self._last, self._in_last = now, changed

    def close(self) -> None:
        self._watcher.close()

    def restore(self, *, to_the_first: bool = False) -> None:
        if to_the_first:
            self._last, self._in_last = self._first, set()
        changed = sorted(_changed(self._last, self.marks()))
        if not changed:
            return
        with self.engine.begin() as connection:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            for name in changed:
                of = "last" if name in self._in_last else "first"
                connection.exec_driver_sql(
                    f'DELETE FROM public."{name}";'  # noqa: S608 - our own tables
                    f'INSERT INTO public."{name}" SELECT * FROM {of}."{name}"'
                )


_MARKS = " UNION ALL ".join(
    f"SELECT '{table.name}', md5(string_agg(each.mark, '' ORDER BY each.mark)) FROM "  # noqa: S608
    f'(SELECT md5(t::text) AS mark FROM public."{table.name}" t) each'
    for table in TABLES
)


def database_of(engine: Engine) -> Database:
    """Return the database behind ``engine``."""
    return SQLite(engine) if engine.dialect.name == "sqlite" else PostgreSQL(engine)


def _changed(before: Marks, after: Marks) -> set[str]:
    return {name for name, mark in after.items() if mark != before[name]}


def seen(
    engine: Engine, before: Marks, after: Marks, without: frozenset[str] = frozenset()
) -> dict[str, Rows]:
    """Return the rows of every table that changed, without what is made by chance.

    ``without``: more tables, and columns of one, that are not looked at.
    """
    names = _changed(before, after) - without
    found = {}
    with orm.reading(), orm.make_sessions(engine)() as session:
        for table in TABLES:
            if table.name in names:
                rows: Sequence[Any] = session.execute(
                    select(*_columns(table, engine, without)).select_from(table)
                ).all()
                found[table.name] = sorted((tuple(row) for row in rows), key=repr)
    return found


def _columns(table: Table, engine: Engine, without: frozenset[str]) -> list[Any]:
    """Return what is compared. PostgreSQL leaves gaps in its keys where a process died or lost.

    Of a table of nothing but keys, there, how many rows it has.
    """
    with_keys = engine.dialect.name == "sqlite"
    return [
        column
        for column in table.columns
        if not (CHANCE | without) & {column.name, f"{table.name}.{column.name}"}
        and (with_keys or not (column.primary_key or column.foreign_keys or column.name in KEYS))
    ] or [literal(1)]
