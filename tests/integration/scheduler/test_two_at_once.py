"""Two schedulers at once, one of them killed again and again; clocks that jump or stood still."""

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from sqlalchemy import func, select

from config import ROOT
from outreach import orm, sealing
from outreach.orm import Sessions
from outreach.planning import checking
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from outreach.scheduler.schedule import periodic_jobs
from outreach.upkeep import job_ends
from tests.conftest import KEYS, KEYS_WRITTEN
from tests.fakes import FakeClock, FakeGateway
from tests.integration.planning import busy

Keys = tuple[tuple[str, bytes], ...]

PATIENCE = 60.0  # seconds: a busy machine takes its time to start a process
ROUNDS = 8
# So much faster does time pass for the schedulers: three days in a second.
HASTE = 3 * 24 * 3600
BEGINS_AT = FakeClock()()


class HastyClock:
    """A clock that two processes share and that runs HASTE times as fast as it should."""

    def __init__(self, began: float) -> None:
        self._began = began

    def __call__(self) -> datetime:
        return BEGINS_AT + timedelta(seconds=(time.time() - self._began) * HASTE)


def tick_for_ever(url: str, began: float, uploads: Path, keys: Keys) -> None:
    """Run every job of the product over and over, without asking who leads."""
    sealing.use(keys)
    clock = HastyClock(began)
    sessions = orm.make_sessions(orm.make_engine(url))
    jobs = periodic_jobs(sessions, FakeGateway(FakeClock()), clock, uploads)
    while True:
        for job in jobs:
            job.run()


def test_two_schedulers_that_both_believe_to_lead_and_are_killed_lose_nothing(
    database_url: str, sessions: Sessions, tmp_path: Path
) -> None:
    busy.fill(sessions, now=BEGINS_AT)
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload([__name__])
    began, rng = time.time(), random.Random(7)  # noqa: S311

    def start() -> BaseProcess:
        process = processes.Process(
            target=tick_for_ever, args=(database_url, began, tmp_path, KEYS), daemon=True
        )
        process.start()
        return process

    pair = [start(), start()]
    for round_ in range(ROUNDS):
        time.sleep(rng.uniform(0.05, 0.4))
        assert all(each.is_alive() for each in pair), "a scheduler died by itself"
        _kill(pair[round_ % 2])
        pair[round_ % 2] = start()
    time.sleep(0.5)
    for each in pair:
        _kill(each)

    clock = FakeClock(HastyClock(began)())
    _run(sessions, clock, tmp_path)
    _check(sessions, clock)
    with sessions() as session:
        assert session.scalars(select(func.max(PlannedCall.sequence))).one() >= 3


def _kill(process: BaseProcess) -> None:
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join(PATIENCE)
    assert process.exitcode == -signal.SIGKILL


@contextmanager
def schedulers(url: str, folder: Path, count: int) -> Iterator[list[subprocess.Popen[str]]]:
    """Start the real thing ``count`` times for one installation."""
    environment = os.environ | {"DATABASE_URL": url, "INSTANCE_PATH": str(folder)}
    environment["DATA_KEYS"] = KEYS_WRITTEN
    with ExitStack() as stack:
        found = []
        for number in range(count):
            log = stack.enter_context((folder / f"scheduler{number}.log").open("w"))
            process = subprocess.Popen(
                [sys.executable, "-m", "outreach.scheduler.runner"],
                cwd=ROOT,
                env=environment,
                stderr=log,
                text=True,
            )
            stack.callback(process.wait, PATIENCE)
            stack.callback(process.kill)
            found.append(process)
        yield found


def test_when_the_leader_is_killed_the_other_one_takes_over(
    database_url: str, sessions: Sessions, tmp_path: Path
) -> None:
    def leaders() -> list[int]:
        logs = [tmp_path / f"scheduler{number}.log" for number in range(2)]
        return [each for each, log in enumerate(logs) if "this scheduler leads" in log.read_text()]

    with schedulers(database_url, tmp_path, 2) as pair:
        assert _eventually(lambda: len(leaders()) == 1)
        (leader,) = leaders()
        pair[leader].send_signal(signal.SIGKILL)
        pair[leader].wait(PATIENCE)
        busy.fill(sessions, now=BEGINS_AT)

        assert _eventually(lambda: len(leaders()) == 2)
        assert _eventually(lambda: _open_calls(sessions) > 0)
        assert _eventually(lambda: "plan missing calls" in _noted(sessions))
        assert pair[1 - leader].poll() is None


JUMPS = {
    "asleep for three days": ["1h", "72h", "1h"],
    "an hour ahead and back": ["1h", "-1h", "1h", "-1h"],
    "an hour back first": ["-1h", "2h"],
    "a day ahead and back": ["24h", "-24h", "1h", "24h"],
    "a day back first": ["-24h", "1h", "24h"],
    "a month ahead and back": ["720h", "-720h", "24h"],
}


@pytest.mark.parametrize("jumps", JUMPS.values(), ids=JUMPS)
def test_a_clock_that_jumps_makes_nothing_be_planned_twice_or_lost_or_in_the_past(
    jumps: Sequence[str], sessions: Sessions, clock: FakeClock, tmp_path: Path
) -> None:
    busy.fill(sessions, now=clock())
    _run(sessions, clock, tmp_path)
    for jump in jumps:
        clock.advance(timedelta(hours=int(jump.removesuffix("h"))))
        _run(sessions, clock, tmp_path)
        _check(sessions, clock)


def _run(sessions: Sessions, clock: FakeClock, uploads: Path) -> None:
    """Let the jobs come twice, as they do within a minute."""
    jobs = periodic_jobs(sessions, FakeGateway(clock), clock, uploads)
    for _time in range(2):
        for job in jobs:
            job.run()


def _check(sessions: Sessions, clock: FakeClock) -> None:
    with orm.reading(), sessions() as session:
        assert checking.breaches(session, now=clock()) == []
        past = select(PlannedCall.id).where(
            PlannedCall.status == CallStatus.PLANNED, PlannedCall.dial_until_at <= clock()
        )
        assert session.scalars(past).all() == []


def _open_calls(sessions: Sessions) -> int:
    with sessions() as session:
        return session.scalars(
            select(func.count(PlannedCall.id)).where(PlannedCall.planned_at > BEGINS_AT)
        ).one()


def _noted(sessions: Sessions) -> list[str]:
    with orm.reading(), sessions() as session:
        return [job.name for job in job_ends.every(session)]


def _eventually(holds: object) -> bool:
    assert callable(holds)
    until = time.monotonic() + PATIENCE
    while not holds() and time.monotonic() < until:
        time.sleep(0.05)
    return bool(holds())
