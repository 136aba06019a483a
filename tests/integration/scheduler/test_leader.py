"""One scheduler leads, whatever becomes of the one before."""

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from config import ROOT
from outreach import orm
from outreach.clock import utc_now
from outreach.scheduler.leader import (
    DatabaseLeadership,
    FileLeadership,
    Leadership,
    leadership_for,
)

HOLDER = """
import sys, time
from pathlib import Path
from outreach.scheduler.leader import FileLeadership
assert FileLeadership(Path(sys.argv[1])).acquire()
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def seats(database_url: str, tmp_path: Path) -> Iterator[tuple[Leadership, Leadership]]:
    """The leaderships of two schedulers of one installation."""
    engines = [orm.make_engine(database_url) for _ in range(2)]
    first, second = (leadership_for(engine, tmp_path) for engine in engines)
    yield first, second
    for seat in (first, second):
        seat.release()
    for engine in engines:
        engine.dispose()


def test_the_database_says_which_kind_of_leadership_fits(engine: Engine, tmp_path: Path) -> None:
    kind = DatabaseLeadership if engine.dialect.name == "postgresql" else FileLeadership

    assert isinstance(leadership_for(engine, tmp_path), kind)


def test_a_second_one_waits_until_the_first_lets_go(seats: tuple[Leadership, Leadership]) -> None:
    first, second = seats

    assert first.acquire()
    assert not second.acquire()
    assert (first.still_held(), second.still_held()) == (True, False)

    first.release()

    assert not first.still_held()
    assert _eventually_acquires(second)
    assert not first.acquire()


def test_letting_go_of_nothing_is_no_trouble(seats: tuple[Leadership, Leadership]) -> None:
    first, second = seats
    first.release()
    first.release()

    assert _eventually_acquires(second)


def test_a_seat_is_free_again_when_its_connection_dies(
    engine: Engine, seats: tuple[Leadership, Leadership]
) -> None:
    first, second = seats
    if engine.dialect.name != "postgresql":
        return  # below: the process that locks the file is killed
    assert first.acquire()
    with engine.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_locks "
                "WHERE locktype = 'advisory' AND database = "
                "(SELECT oid FROM pg_database WHERE datname = current_database())"
            )
        )

    assert not first.still_held()
    assert _eventually_acquires(second)


def test_a_seat_is_free_again_when_its_process_is_killed(tmp_path: Path) -> None:
    lock = tmp_path / "scheduler.lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(lock)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    seat = FileLeadership(lock)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert not seat.acquire()
    finally:
        holder.kill()
        holder.communicate()

    assert _eventually_acquires(seat)
    seat.release()


def test_a_database_that_does_not_answer_gives_no_seat(tmp_path: Path) -> None:
    nowhere = orm.make_engine(f"postgresql+psycopg://nobody@/nothing?host={tmp_path}")

    seat = leadership_for(nowhere, tmp_path)

    assert not seat.acquire()
    assert not seat.still_held()


def _eventually_acquires(seat: Leadership) -> bool:
    """Try for a few seconds: the server notices a closed connection by itself, not at once."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        if seat.acquire():
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("seconds", [-3600, -40, 40, 86_400])
def test_a_machine_whose_clock_is_wrong_neither_leads_nor_goes_on_leading(
    engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture, seconds: int
) -> None:
    if engine.dialect.name != "postgresql":  # the file's machine is this one
        assert leadership_for(engine, tmp_path).acquire()
        return
    wrong_by = [timedelta(seconds=seconds)]
    seat = DatabaseLeadership(engine, lambda: utc_now() + wrong_by[0])

    assert [seat.acquire(), seat.acquire()] == [False, False]
    assert len(caplog.messages) == 1
    wrong_by[0] = timedelta(seconds=2)
    assert seat.acquire()
    assert seat.still_held()
    wrong_by[0] = timedelta(seconds=seconds)
    assert not seat.still_held()
    seat.release()
