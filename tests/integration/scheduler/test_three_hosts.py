"""Three hosts with a scheduler and a worker each, on one PostgreSQL.

The leader is killed; it is cut off from the database, by a refusal and by a black hole; it
comes back. Another one leads within 15 seconds, no call is planned twice and no text is sent
twice, and none is lost. With networks of their own where that is allowed, and through a proxy.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import TextIO

import pytest
from sqlalchemy import func, select

from config import ROOT
from outreach import orm
from outreach.clock import utc_now
from outreach.messaging import outbox
from outreach.messaging.models import Message
from outreach.messaging.rules import MessageKind, MessageStatus
from outreach.orm import Sessions
from outreach.planning.models import PlannedCall
from outreach.scheduler.schedule import periodic_jobs
from outreach.telephony.console_gateway import ConsoleGateway
from outreach.upkeep import promises
from tests import networks
from tests.builders import make_clinic, make_enrolment, make_patient, make_staff
from tests.conftest import KEYS_WRITTEN, migrate
from tests.fakes import MONDAY_10_CHICAGO, FakeClock
from tests.networks import Cut, Line
from tests.postgres import Server

PATIENCE = 90.0  # seconds: a busy machine takes its time to start six processes
HAND_OVER_SECONDS = 15.0
TRIES = 3  # of each trouble: what a busy machine does to one of them says nothing
PEOPLE = 30  # who wait for a text and a call at each trouble
LEADS = "this scheduler leads"


class Host:
    """A machine: its line to the database, and what keeps a scheduler and a worker up."""

    def __init__(self, line: Line, folder: Path, number: int, ahead: float) -> None:
        self.line, self.number = line, number
        self._environment = os.environ | {
            "DATABASE_URL": line.url,
            "INSTANCE_PATH": str(folder),
            "DATA_KEYS": KEYS_WRITTEN,
            "AHEAD": str(ahead),
        }
        self._log_file = folder / f"host{number}.log"
        self._log: TextIO = self._log_file.open("a")
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.is_down = False
        self.keep_up()

    def keep_up(self) -> None:
        """Start again what ended, as systemd would."""
        for kind in ("scheduler", "worker"):
            process = self._processes.get(kind)
            if not self.is_down and (process is None or process.poll() is not None):
                self._processes[kind] = subprocess.Popen(
                    [*self.line.inside, sys.executable, "-m", f"{__package__}.host", kind],
                    cwd=ROOT,
                    env=self._environment,
                    stderr=self._log,
                )

    def times_led(self) -> int:
        return self._log_file.read_text().count(LEADS)

    def kill(self) -> None:
        """Take the power from it."""
        self.is_down = True
        for process in self._processes.values():
            process.send_signal(signal.SIGKILL)
            process.wait(PATIENCE)

    def end(self) -> None:
        self.kill()
        self._log.close()

    def freeze(self) -> None:
        for process in self._processes.values():
            process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        for process in self._processes.values():
            process.send_signal(signal.SIGCONT)


class Hosts:
    """Three of them, and which one leads."""

    def __init__(self, hosts: list[Host]) -> None:
        self._all = hosts
        self._led = [0] * len(hosts)
        self.leader = hosts[0]

    def next_leader(self) -> float:
        """Wait until another one leads; return how long it took, in seconds."""
        began = time.monotonic()
        while time.monotonic() - began < PATIENCE:
            for host in self._all:
                host.keep_up()
                if host.times_led() > self._led[host.number]:
                    self.leader = host
                    self._led = [each.times_led() for each in self._all]
                    return time.monotonic() - began
            time.sleep(0.05)
        raise AssertionError("nobody leads")

    def wait_until(self, holds: Callable[[], bool]) -> None:
        until = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < until
            for host in self._all:
                host.keep_up()
            time.sleep(0.1)


@pytest.fixture(params=networks.kinds(), ids=lambda kind: kind.__name__.lower())
def installation(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[Hosts, Sessions, float]]:
    ahead = (MONDAY_10_CHICAGO + timedelta(days=7) - utc_now()).total_seconds()
    with ExitStack() as stack:
        server = Server(network=networks.NETWORK)
        server.start()
        stack.callback(server.stop)
        server.create("clinic")
        migrate(server.url("clinic"))
        hosts = []
        for number in range(3):
            line: Line = request.param(server, "clinic", number)
            stack.callback(line.close)
            hosts.append(Host(line, tmp_path, number, ahead))
            stack.callback(hosts[-1].end)
        engine = orm.make_engine(server.url("clinic"))
        stack.callback(engine.dispose)
        yield Hosts(hosts), orm.make_sessions(engine), ahead


def _kill(host: Host) -> Callable[[], None]:
    host.kill()

    def start_again() -> None:
        host.is_down = False

    return start_again


def _cut(how: Cut) -> Callable[[Host], Callable[[], None]]:
    def cut(host: Host) -> Callable[[], None]:
        host.line.cut(how)
        return host.line.mend

    return cut


def _freeze(host: Host) -> Callable[[], None]:
    host.freeze()
    return host.thaw


TROUBLES: dict[str, Callable[[Host], Callable[[], None]]] = {
    "killed": _kill,
    "cut off, black hole": _cut(Cut.BLACK_HOLE),
    "cut off, refused": _cut(Cut.REFUSED),
    "frozen": _freeze,
}


def test_another_host_leads_in_time_and_nothing_is_done_twice(
    installation: tuple[Hosts, Sessions, float], tmp_path: Path
) -> None:
    hosts, sessions, ahead = installation
    hosts.next_leader()
    expected = 0
    for name, trouble in TROUBLES.items():
        for _try in range(TRIES):
            _give_work(sessions, now=utc_now() + timedelta(seconds=ahead))
            expected += PEOPLE
            mend = trouble(hosts.leader)
            took = hosts.next_leader()
            print(f"leader {name}: another one led after {took:.1f} s")  # noqa: T201
            mend()
            if took < HAND_OVER_SECONDS:
                break
        else:
            raise AssertionError(f"{name}: nobody led within {HAND_OVER_SECONDS} s")
        hosts.wait_until(lambda: _planned(sessions) == expected)  # noqa: B023

    for host in hosts._all:
        host.kill()
    now = utc_now() + timedelta(seconds=ahead)
    _settle(sessions, tmp_path, now)
    _check(sessions, tmp_path, expected, now)


def _give_work(sessions: Sessions, *, now: datetime) -> None:
    """Add patients of whom each is to get a call planned, and one text sent."""
    with sessions.begin() as session:
        clinic = make_clinic(session)
        caller = make_staff(session, clinic)
        texts = []
        for number in range(PEOPLE):
            phone = f"+1512{clinic.id:03d}{number:04d}"
            patient = make_patient(session, clinic, phone=phone, sms_consent=True)
            make_enrolment(session, patient, caller=caller, starts_on=now.date())
            texts.append(
                outbox.new_message(
                    patient,
                    MessageKind.REMINDER,
                    "Hello",
                    dedupe_key=f"one:{patient.id}",
                    cause="one",
                    to_number=phone,
                    window=(now, None),
                    now=now,
                )
            )
        outbox.write(session, texts)


def _planned(sessions: Sessions) -> int:
    with orm.reading(), sessions() as session:
        return session.scalars(select(func.count()).select_from(PlannedCall)).one()


def _settle(sessions: Sessions, folder: Path, now: datetime) -> None:
    """Let whoever is left look up, within hours, what the dead were about."""
    clock = FakeClock(now)
    gateway = ConsoleGateway(folder / "carrier.jsonl", clock)
    for _round in range(8):
        clock.advance(timedelta(minutes=15))
        for job in periodic_jobs(sessions, gateway, clock, folder / "uploads"):
            if job.name in ("send due messages", "settle lost messages", "link audit events"):
                job.run()


def _check(sessions: Sessions, folder: Path, expected: int, now: datetime) -> None:
    with (folder / "carrier.jsonl").open() as lines:
        taken = Counter(json.loads(line)["reference"] for line in lines)
    with orm.reading(), sessions() as session:
        texts = session.scalars(
            select(Message.id).where(
                Message.cause == "one", Message.status == MessageStatus.ACCEPTED
            )
        ).all()
        calls = session.scalars(select(PlannedCall.enrolment_id)).all()
        found = promises.breaches(session, now=now)
    assert set(taken.values()) == {1}, "a text was sent twice"
    assert set(texts) <= set(taken)
    assert len(texts) == expected, "a text was lost"
    assert len(set(calls)) == len(calls) == expected
    assert found == []
