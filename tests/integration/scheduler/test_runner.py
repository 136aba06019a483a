"""The scheduler ticks while it leads, and nothing that one job does stops the others."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Self

import pytest
from apscheduler.executors import base as executors_base
from apscheduler.schedulers import base as schedulers_base
from apscheduler.triggers import interval as triggers_interval

from outreach import orm
from outreach.orm import Sessions
from outreach.scheduler import runner as runner_module
from outreach.scheduler.leader import FileLeadership, leadership_for
from outreach.scheduler.runner import Runner
from outreach.scheduler.schedule import PeriodicJob, periodic_jobs
from tests.fakes import FakeClock, FakeGateway

PATIENCE = 10.0


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner_module, "POLL_SECONDS", 0.05)


@contextmanager
def running(*runners: Runner) -> Iterator[list[threading.Thread]]:
    """Run schedulers beside the test, and stop them whatever happens."""
    threads = [threading.Thread(target=each.run, daemon=True) for each in runners]
    for thread in threads:
        thread.start()
    try:
        yield threads
    finally:
        for each in runners:
            each.stop()
        for thread in threads:
            thread.join(PATIENCE)


def eventually(holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + PATIENCE
    while not holds() and time.monotonic() < until:
        time.sleep(0.01)
    return holds()


def ticking(name: str, ticks: list[str]) -> PeriodicJob:
    def tick() -> int:
        ticks.append(name)
        return 1

    return PeriodicJob(name, 1, tick)


def failing(tries: list[str]) -> PeriodicJob:
    def fail() -> int:
        tries.append("failing")
        raise RuntimeError("out of order")

    return PeriodicJob("failing", 1, fail)


def test_a_job_that_raises_stops_neither_itself_nor_the_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ticks: list[str] = []
    jobs = (failing(ticks), ticking("after it", ticks))
    runner = Runner(jobs, FileLeadership(tmp_path / "lock"))

    with caplog.at_level(logging.ERROR), running(runner) as (thread,):
        # Each once at the start, and again at its interval.
        assert eventually(lambda: ticks.count("after it") >= 2 and ticks.count("failing") >= 2)
        assert thread.is_alive()

    assert ticks[:2] == ["failing", "after it"]
    assert "job failed: failing" in caplog.text
    assert "RuntimeError: out of order" in caplog.text


def test_stopping_ends_the_run_quickly_and_frees_the_seat(tmp_path: Path) -> None:
    ticks: list[str] = []
    lock = tmp_path / "lock"
    runner = Runner((ticking("only", ticks),), FileLeadership(lock))

    with running(runner) as (thread,):
        assert eventually(lambda: bool(ticks))
        began = time.monotonic()
        runner.stop()
        thread.join(PATIENCE)
        took = time.monotonic() - began

    assert not thread.is_alive()
    assert took < 3
    assert FileLeadership(lock).acquire()


def test_one_that_waits_to_lead_can_be_stopped(tmp_path: Path) -> None:
    ticks: list[str] = []
    holder = FileLeadership(tmp_path / "lock")
    assert holder.acquire()

    with running(Runner((ticking("never", ticks),), FileLeadership(tmp_path / "lock"))) as (
        thread,
    ):
        time.sleep(0.2)
        assert thread.is_alive()

    assert not thread.is_alive()
    assert ticks == []
    holder.release()


def test_of_two_schedulers_one_ticks_and_the_other_follows(
    database_url: str, tmp_path: Path
) -> None:
    ticks: list[str] = []
    engines = [orm.make_engine(database_url) for _ in range(2)]
    first, second = (
        Runner((ticking(name, ticks),), leadership_for(engine, tmp_path))
        for name, engine in zip(("first", "second"), engines, strict=True)
    )

    with running(first):
        assert eventually(lambda: ticks.count("first") >= 1)
        with running(second):
            assert eventually(lambda: ticks.count("first") >= 2)
            assert "second" not in ticks
            first.stop()
            assert eventually(lambda: "second" in ticks)
    for engine in engines:
        engine.dispose()


class LostSeat(FileLeadership):
    """Leadership whose connection dies once a job ran."""

    def __init__(self, path: Path, ticks: list[str]) -> None:
        super().__init__(path)
        self._ticks = ticks

    def still_held(self) -> bool:
        return not self._ticks


def test_one_that_has_lost_its_seat_stops_by_itself(tmp_path: Path) -> None:
    ticks: list[str] = []
    seat = LostSeat(tmp_path / "lock", ticks)

    with running(Runner((ticking("only", ticks),), seat)) as (thread,):
        assert eventually(lambda: not thread.is_alive())

    assert ticks[0] == "only"


class SilentSeat(FileLeadership):
    """Leadership that does not answer when asked, until it is let go."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.goes_on = threading.Event()

    def still_held(self) -> bool:
        return not self.goes_on.wait(PATIENCE)


def test_one_whose_seat_does_not_answer_ends_and_does_not_wait_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seat = SilentSeat(tmp_path / "lock")
    monkeypatch.setattr(runner_module, "GIVE_UP_SECONDS", 0.2)
    monkeypatch.setattr(runner_module, "_end", seat.goes_on.set)

    with running(Runner((), seat)) as (thread,):
        assert seat.goes_on.wait(PATIENCE / 2)
        assert eventually(lambda: not thread.is_alive())


class SetClock(datetime):
    """The machine's clock, as APScheduler reads it, once somebody sets it."""

    ahead = timedelta(0)

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return cls.fromtimestamp(time.time(), tz) + cls.ahead


@pytest.mark.parametrize("hours", [-24, -1, 1, 24])
def test_a_clock_that_is_set_stops_no_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    for module in (schedulers_base, triggers_interval, executors_base):
        monkeypatch.setattr(module, "datetime", SetClock, raising=False)
    monkeypatch.setattr(runner_module, "utc_now", lambda: SetClock.now(UTC))
    monkeypatch.setattr(SetClock, "ahead", timedelta(0))
    ticks: list[str] = []

    with running(Runner((ticking("only", ticks),), FileLeadership(tmp_path / "lock"))):
        assert eventually(lambda: bool(ticks))
        monkeypatch.setattr(SetClock, "ahead", timedelta(hours=hours))
        before = len(ticks)
        assert eventually(lambda: len(ticks) >= before + 3)


def test_every_job_of_the_product_runs_on_an_empty_database(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock, tmp_path: Path
) -> None:
    jobs = periodic_jobs(sessions, gateway, clock, tmp_path / "uploads")

    assert [job.run() for job in jobs] == [0] * len(jobs)
    assert len({job.name for job in jobs}) == len(jobs)
