"""Writers of an SQLite file take turns: whoever came first writes first.

SQLite has one writer at a time and lets the others look again every 1 to 100 ms, whoever came
first: under load one of them waits for seconds. Here the threads of a process stand in line,
and only the first of them asks SQLite, every millisecond. Processes notice each other by a lock
on a file beside the database: one that has just written lets another one that waits go first.
"""

import fcntl
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event

_LOOKS_EVERY = 0.001  # seconds
_LETS_OTHERS = 0.003  # seconds: three looks of whoever waits


def prepare(engine: Engine, is_reading: Callable[[], bool]) -> None:
    """Begin readers of an SQLite ``engine`` at once, by ``is_reading``, and writers in turn."""
    turns = Turns(Path(engine.url.database or ""))

    def begin(connection: Connection) -> None:
        if is_reading():
            connection.exec_driver_sql("BEGIN")
        else:
            turns.begin(connection)

    event.listen(engine, "begin", begin)


class Writer(sqlite3.Connection):
    """A connection that gives its turn on when its transaction has ended, whichever way."""

    turns: "Turns | None" = None

    def commit(self) -> None:
        """Commit; what could not be committed is still its turn."""
        super().commit()
        self._give_on()

    def rollback(self) -> None:
        """Take back."""
        try:
            super().rollback()
        finally:
            self._give_on()

    def close(self) -> None:
        """Close; a transaction that was open is taken back."""
        try:
            super().close()
        finally:
            self._give_on()

    def _give_on(self) -> None:
        turns, self.turns = self.turns, None
        if turns is not None:
            turns.give_on()


class Turns:
    """The line of one process for one file."""

    def __init__(self, file: Path) -> None:
        self._line = threading.Semaphore()  # it wakes who came first
        self._beside = file.with_name(f"{file.name}-turns")
        self._wrote_at = 0.0  # of the monotonic clock

    def begin(self, connection: Connection) -> None:
        """Begin a transaction that may write, when its turn has come.

        Whoever waited as long as the connection's busy timeout gets SQLite's own error.
        """
        driver: Any = connection.connection.dbapi_connection
        (longest_ms,) = driver.execute("PRAGMA busy_timeout").fetchone()
        until = time.monotonic() + longest_ms / 1000
        if self._line.acquire(timeout=longest_ms / 1000):
            driver.turns = self
        try:
            with _not_waiting(driver, longest_ms):
                is_begun = driver.turns is self and self._begun(driver, until)
                if not is_begun:
                    connection.exec_driver_sql("BEGIN IMMEDIATE")  # says in its words why not
        except BaseException:
            driver.rollback()
            raise

    def give_on(self) -> None:
        """Let the next one begin."""
        self._wrote_at = time.monotonic()
        self._line.release()

    def _begun(self, driver: Writer, until: float) -> bool:
        """Try until ``until``, of the monotonic clock, to become the writer."""
        if time.monotonic() - self._wrote_at < _LETS_OTHERS and self._does_another_wait():
            time.sleep(_LETS_OTHERS)
        with suppress(sqlite3.Error):  # what is not a matter of waiting
            if _tried(driver):
                return True
            with self._waiting():
                while time.monotonic() < until:
                    time.sleep(_LOOKS_EVERY)
                    if _tried(driver):
                        return True
        return False

    def _waiting(self) -> AbstractContextManager[object]:
        """Be known to wait, to every process that has the file open, until this is closed."""
        try:
            beside = self._beside.open("a")
        except OSError:  # a full disk: then nobody lets it go first
            return nullcontext()
        fcntl.flock(beside, fcntl.LOCK_SH)
        return beside

    def _does_another_wait(self) -> bool:
        try:
            with self._beside.open() as beside:
                fcntl.flock(beside, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False  # nobody ever waited
        return False


@contextmanager
def _not_waiting(driver: Writer, usual_ms: int) -> Iterator[None]:
    """Let SQLite answer at once meanwhile."""
    driver.execute("PRAGMA busy_timeout=0")
    try:
        yield
    finally:
        driver.execute(f"PRAGMA busy_timeout={usual_ms}")


def _tried(driver: Writer) -> bool:
    try:
        driver.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as problem:
        if problem.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
            return False
        raise
    return True
