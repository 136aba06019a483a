"""Two pieces of work at the same moment, as near to each other as the database lets them be.

Each waits before it commits until the other is as far, has come to its end, or waits for a lock
of the first. So neither sees what the other wrote, unless a lock or a unique key makes it.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, Engine, event

from outreach import orm
from outreach.turns import Turns

T = TypeVar("T")

LONGEST = 30  # seconds, until a test gives up
_WAITING = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


class Meeting:
    """Two threads that wait for each other before they commit."""

    def __init__(self, engine: Engine) -> None:
        self._watcher = orm.make_engine(engine.url.render_as_string(hide_password=False))
        self._is_sqlite = engine.dialect.name == "sqlite"
        self._at_commit: dict[int, int] = {}
        self._begins: set[int] = set()
        self._ended: set[int] = set()
        self._both: set[int] = set()

    def begin(self) -> None:
        """Come to the meeting."""
        self._both.add(threading.get_ident())
        _until(lambda: len(self._both) == 2)

    def end(self) -> None:
        """Leave it."""
        self._ended.add(threading.get_ident())

    @contextmanager
    def noting_who_begins(self) -> Iterator[None]:
        """Note who waits for a turn to write where only one may."""
        begin = Turns.begin

        def begins(turns: Turns, connection: Connection) -> None:
            self._begins.add(threading.get_ident())
            try:
                begin(turns, connection)
            finally:
                self._begins.discard(threading.get_ident())

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Turns, "begin", begins)
            yield

    def commits(self, _connection: Any) -> None:
        """Wait for the other."""
        me = threading.get_ident()
        if me not in self._both:
            return
        number = self._at_commit[me] = self._at_commit.get(me, 0) + 1
        (other,) = self._both - {me}
        _until(
            lambda: (
                other in self._ended
                or self._at_commit.get(other, 0) >= number
                or self._waits(other)
            )
        )

    def close(self) -> None:
        """Let go of what it looks on with."""
        self._watcher.dispose()

    def _waits(self, other: int) -> bool:
        return other in self._begins if self._is_sqlite else _is_any_waiting(self._watcher)


def while_held(engine: Engine, waiting: Callable[[], T], held: Callable[[], None]) -> T:
    """Begin ``waiting`` beside a transaction of the caller's; where it waits, go on with ``held``.

    ``held`` goes on in that transaction and ends it. On SQLite, where one writes at a time,
    ``waiting`` begins when that is over.
    """
    watcher = orm.make_engine(engine.url.render_as_string(hide_password=False))
    try:
        with ThreadPoolExecutor(1) as threads:
            begun = threads.submit(waiting)
            if engine.dialect.name == "postgresql":
                _until(lambda: begun.done() or _is_any_waiting(watcher))
            held()
            return begun.result(LONGEST)
    finally:
        watcher.dispose()


def at_once(engine: Engine, *works: Callable[[], T]) -> list[T]:
    """Do two pieces of work, which both use ``engine``, at the same moment."""

    def go(work: Callable[[], T]) -> T:
        meeting.begin()
        try:
            return work()
        finally:
            meeting.end()

    with _met(engine) as meeting, ThreadPoolExecutor(len(works)) as threads:
        return [each.result() for each in [threads.submit(go, work) for work in works]]


@contextmanager
def _met(engine: Engine) -> Iterator[Meeting]:
    meeting = Meeting(engine)
    event.listen(engine, "commit", meeting.commits)
    try:
        with meeting.noting_who_begins():
            yield meeting
    finally:
        event.remove(engine, "commit", meeting.commits)
        meeting.close()


def _is_any_waiting(watcher: Engine) -> bool:
    with watcher.connect() as connection:
        return bool(connection.exec_driver_sql(_WAITING).scalar_one())


def _until(is_so: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + LONGEST
    while not is_so():
        assert time.monotonic() < ends_at, "the two never met"
        time.sleep(0.002)
