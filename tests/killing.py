"""Ends a process before any statement and commit, and puts a database back as it was."""

import enum
import os
import shutil
import signal
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.default import DefaultDialect

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
def deadly(engine: Engine | type[Engine], death: Death) -> Iterator[None]:
    """Let ``death`` wait before each statement and commit, and after each commit.

    Of one engine, or of whatever engines there will be.
    """
    dialect: Any = engine.dialect if isinstance(engine, Engine) else DefaultDialect
    commit = dialect.do_commit

    def committed(*of_dialect: Any) -> None:
        commit(*of_dialect)
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


# Where a process is killed by the system; elsewhere an exception that nothing catches will do.
AROUND_COMMITS = (Point.COMMIT, Point.COMMITTED)


def apart(work: Callable[[], object]) -> int:
    """Let a process of its own do ``work``; return how it ended, as ``os.waitpid`` says it.

    The caller lets go of every connection before: one belongs to one process.
    """
    child = os.fork()
    if child == 0:
        came_to_its_end = False
        try:
            work()
            came_to_its_end = True
        except Exception:  # noqa: BLE001 - whoever forked it is told below
            traceback.print_exc()
        finally:
            os._exit(0 if came_to_its_end else 1)
    return os.waitpid(child, 0)[1]


def kill(engine: Engine | type[Engine], work: Callable[[], object], at: int) -> None:
    """Let a process of its own do ``work``, which the system kills at a point, as ``kill -9`` does.

    Nothing of it runs any further, and its connection and files stay as they are.
    """

    def until_killed() -> None:
        with deadly(engine, Death(at, _kill_me)):
            work()

    status = apart(until_killed)
    assert os.WIFSIGNALED(status), "it came to its end"
    assert os.WTERMSIG(status) == signal.SIGKILL


def first_writes_and_commits(points: Sequence[Point]) -> list[int]:
    """Return numbers of points: first writing statements of transactions, both sides of commits."""
    found, is_written = [], False
    for number, point in enumerate(points, start=1):
        if point in AROUND_COMMITS or (point is Point.WRITE and not is_written):
            found.append(number)
        is_written = point is Point.WRITE or (is_written and point not in AROUND_COMMITS)
    return found


def spread(numbers: Sequence[int], most: int) -> Sequence[int]:
    """Return so many at most, and the last among them: alike steps of one loop are alike."""
    every = -(-len(numbers) // most)
    return numbers[(len(numbers) - 1) % every :: every]


def _kill_me() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("still alive")


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
