"""Ends a process before any statement and commit, and puts a database back as it was."""

import enum
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn

from sqlalchemy import Connection, Engine, event

from outreach import orm
from outreach.orm import Model


class Killed(BaseException):
    """The end of our own process: nothing catches it."""


class Unwell(Exception):
    """A statement that fails while the process lives on."""


@dataclass(eq=False)
class Fate:
    """Counts statements and commits, and raises before the one whose time has come."""

    trouble: type[BaseException] = Killed
    strikes_at: int | None = None
    steps: int = 0

    def __call__(self, *_arguments: Any) -> None:
        self.steps += 1
        if self.steps == self.strikes_at:
            raise self.trouble


@contextmanager
def fated(engine: Engine, fate: Fate) -> Iterator[None]:
    """Let ``fate`` look at all that goes to the database."""
    names = ("before_cursor_execute", "commit")
    for name in names:
        event.listen(engine, name, fate)
    try:
        yield
    finally:
        for name in names:
            event.remove(engine, name, fate)


class Point(enum.Enum):
    """Where a process can end."""

    STATEMENT = "before a statement"
    WRITE = "before a statement that writes"
    COMMIT = "before a commit"
    COMMITTED = "after a commit"


def _end_here() -> NoReturn:
    raise Killed


@dataclass(eq=False)
class Death:
    """Lists the points that a process passes, and ends it ``at`` one; the dead do nothing more."""

    at: int | None = None
    end: Callable[[], NoReturn] = _end_here
    points: list[Point] = field(default_factory=list)

    def passes(self, point: Point) -> None:
        """Go past a point, or end there."""
        self.points.append(point)
        if self.at is not None and len(self.points) >= self.at:
            self.end()


@contextmanager
def deadly(engine: Engine, death: Death) -> Iterator[None]:
    """Let ``death`` wait before each statement and commit, and after each commit."""
    dialect: Any = engine.dialect
    commit = dialect.do_commit

    def committed(connection: Any) -> None:
        commit(connection)
        death.passes(Point.COMMITTED)

    def executes(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        is_reading = statement.lstrip(" (").startswith(("SELECT", "BEGIN"))
        death.passes(Point.STATEMENT if is_reading else Point.WRITE)

    listeners = {
        "before_cursor_execute": executes,
        "commit": lambda *_arguments: death.passes(Point.COMMIT),
    }
    for name, listener in listeners.items():
        event.listen(engine, name, listener)
    dialect.do_commit = committed
    try:
        yield
    finally:
        dialect.do_commit = commit
        for name, listener in listeners.items():
            event.remove(engine, name, listener)


class Kept:
    """A database that can be had again as it is now: a file, or tables beside the tables."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.sessions = orm.make_sessions(engine)
        self._file = engine.url.database if engine.dialect.name == "sqlite" else None
        if self._file:
            engine.dispose()
            shutil.copy(self._file, f"{self._file}_kept")
        else:
            with engine.begin() as connection:
                connection.exec_driver_sql("CREATE SCHEMA kept")
                self._names = _filled(connection)
                _each(connection, "CREATE TABLE kept.{0} AS TABLE {0}", self._names)

    def restore(self) -> None:
        """Put every row back; other connections to a file must be closed."""
        if self._file:
            self.engine.dispose()
            shutil.copy(f"{self._file}_kept", self._file)
            return
        with self.engine.begin() as connection:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            _each(connection, "DELETE FROM {0}", _filled(connection))
            _each(connection, "INSERT INTO {0} SELECT * FROM kept.{0}", self._names)


_ANY_ROW = "SELECT '{0}' WHERE EXISTS (SELECT FROM {0})"


def _filled(connection: Connection) -> list[str]:
    """Return the tables that have rows: most have none, and there are more than a hundred."""
    each = (_ANY_ROW.format(table.name) for table in Model.metadata.sorted_tables)
    return list(connection.exec_driver_sql(" UNION ALL ".join(each)).scalars())


def _each(connection: Connection, of_table: str, names: list[str]) -> None:
    connection.exec_driver_sql("; ".join(map(of_table.format, names)))


def hasty(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")  # a power cut is not what is tried here
