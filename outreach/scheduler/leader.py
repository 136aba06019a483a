"""Which of several schedulers leads.

Leading only saves work: what makes a second call or text impossible are keys in the
database. PostgreSQL: an advisory lock on a connection of its own. SQLite: a locked file.
A leader asks every second whether it still leads. When PostgreSQL hears nothing from it for
SILENCE_SECONDS, because its machine is cut off, frozen or dead, the seat is free again. A machine
whose clock is wrong does not lead, and none on a database that is not of this release's version:
one that is being put back, or migrated.
"""

import fcntl
import logging
import os
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from outreach import same_time, versions
from outreach.clock import Clock, utc_now

log = logging.getLogger(__name__)

SILENCE_SECONDS = 7
_LOCK = 7_206_250_001  # any number, the same in every scheduler


class Leadership(Protocol):
    """A seat that one process holds at a time."""

    def acquire(self) -> bool:
        """Take the seat if it is free; say whether this process now holds it."""
        ...

    def still_held(self) -> bool:
        """Say whether this process still holds the seat."""
        ...

    def release(self) -> None:
        """Give up the seat."""
        ...


class FileLeadership:
    """Leadership on one machine: whoever holds the lock on a file, until it dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def acquire(self) -> bool:
        """Lock the file unless another process has."""
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self._handle = handle
        return True

    def still_held(self) -> bool:
        """Return True: only this process can let the lock go."""
        return self._handle is not None

    def release(self) -> None:
        """Unlock the file."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


class DatabaseLeadership:
    """Leadership over machines: a PostgreSQL advisory lock, gone with its connection."""

    def __init__(self, engine: Engine, clock: Clock = utc_now) -> None:
        self._engine, self._clock = engine, clock
        self._connection: Connection | None = None
        self._said = ""

    def acquire(self) -> bool:
        """Lock, unless another connection has."""
        try:
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        except DBAPIError:
            return False
        try:
            connection.execute(text(f"SET idle_session_timeout = '{SILENCE_SECONDS}s'"))
            trouble = self._clock_trouble(connection) or versions.trouble(connection)
            is_ours = self._may_lead(trouble) and connection.scalar(
                text("SELECT pg_try_advisory_lock(:key)"), {"key": _LOCK}
            )
        except DBAPIError:
            is_ours = False
        if not is_ours:
            connection.invalidate()  # its time-out is not for others
            connection.close()
            return False
        self._connection = connection
        return True

    def still_held(self) -> bool:
        """Say whether the connection that holds the lock is alive, and the clock right."""
        if self._connection is None:
            return False
        try:
            return self._may_lead(self._clock_trouble(self._connection))
        except DBAPIError:
            return False

    def _clock_trouble(self, connection: Connection) -> str | None:
        return same_time.trouble(connection, self._clock())

    def _may_lead(self, trouble: str | None) -> bool:
        if trouble and not self._said:  # asked every second, said once
            log.error("%s This scheduler can't lead.", trouble)
        self._said = trouble or ""
        return not trouble

    def release(self) -> None:
        """Close the connection and with it the lock."""
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None


def leadership_for(engine: Engine, instance: Path) -> Leadership:
    """Return the kind of leadership that fits the database."""
    if engine.dialect.name == "postgresql":
        return DatabaseLeadership(engine)
    return FileLeadership(instance / "scheduler.lock")
