"""Sending texts with 1, 2 and 4 workers, beside the bare driver claiming and marking rows.

The carrier is a stub: one line appended to a file, which also tells at the end whether each
text was taken once, in runs in which workers are killed at random too. Then one that answers
after 50 ms, and one job of a scheduler for each text. PostgreSQL only.
"""

import gc
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.orm import configure_mappers

from outreach import orm, sealing, tables
from outreach.messaging.jobs import CONNECTIONS, send_due_messages, settle_lost_messages
from outreach.telephony.console_gateway import ConsoleGateway
from outreach.telephony.gateway import OutboundSms, ProviderReceipt
from scripts.benches import databases, job_each, plan_rows
from scripts.benches.measure import Result, Sample

NOW = plan_rows.NOW
WORKERS = (1, 2, 4)
ROUNDS = 3
BATCH = 100
KILLS, HANDS = 20, 8  # how often one of so many workers is killed
LATENCY_S, IN_FLIGHT, WAITING, JOBS = 0.05, 32, 4_000, 500
CLAIM = """
    UPDATE message SET status = 'calling', calling_at = %s, tries = tries + 1
    WHERE id IN (SELECT id FROM message WHERE status = 'scheduled' AND send_after <= %s
                 ORDER BY send_after, id LIMIT %s FOR UPDATE SKIP LOCKED)
    RETURNING id
"""
MARK = "UPDATE message SET status = 'accepted', accepted_at = %s WHERE id = ANY(%s)"


class NeedsPostgresql(RuntimeError):
    """Several workers on one SQLite file only wait for each other."""


class Wrong(RuntimeError):
    """A text was lost, or taken twice."""


class StubCarrier(ConsoleGateway):
    """Appends the id of each text to a file, at once; its list is that file."""

    name = "stub"

    def __init__(self, path: Path, latency_s: float = 0.0) -> None:
        super().__init__(path, lambda: NOW)
        self._file, self._latency_s = path, latency_s
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def send_sms(self, sms: OutboundSms) -> ProviderReceipt:
        """Take one text."""
        if self._latency_s:
            time.sleep(self._latency_s)
        os.write(self._handle, b"%d\n" % sms.reference)
        return ProviderReceipt(f"stub-{sms.reference}")

    def find_sms(
        self, sms: OutboundSms, *, since: datetime, not_these: Collection[str]
    ) -> ProviderReceipt | None:
        """Look a text up among those taken."""
        del since, not_these
        taken = self._file.read_text().split()
        return ProviderReceipt(f"stub-{sms.reference}") if str(sms.reference) in taken else None


@dataclass(frozen=True)
class _Sent(Sample):
    """How long it took, and the CPU of the workers, in seconds."""

    cpu_s: float = 0.0


def run(messages: int | None, url: str | None) -> Result:
    """Send ``messages`` texts by each number of workers, ours and bare, in turns."""
    if not url or databases.is_sqlite(url):
        raise NeedsPostgresql("Name an empty PostgreSQL database with --database.")
    count = messages or 10_000
    with tempfile.TemporaryDirectory(prefix="outreach-bench-") as folder:
        taken = Path(folder) / "taken"
        address = databases.prepare(url, Path(folder))
        fill(address, count)
        ours: dict[int, list[_Sent]] = {each: [] for each in WORKERS}
        limit: dict[int, list[_Sent]] = {each: [] for each in WORKERS}
        for _round in range(ROUNDS):
            for workers in WORKERS:
                for how, samples in (("ours", ours), ("bare", limit)):
                    forget(address, taken)
                    samples[workers].append(time_of(how, workers, address, taken))
                    _check(address, taken, count)
        forget(address, taken)
        in_flight = _with_kills(address, taken, count)
        forget(address, taken, waiting=min(count, WAITING))
        slow = time_of("slow", 1, address, taken).value
        _check(address, taken, min(count, WAITING))
        databases.empty(address)
        a_job_each = job_each.texts_a_second(databases.plain(address), Path(folder), JOBS)
    extra = {"texts": f"{count:,}"}
    for workers in WORKERS:
        own = min(sample.value for sample in ours[workers])
        bare = min(sample.value for sample in limit[workers])
        extra[f"{workers} workers, texts/s"] = f"{count / own:,.0f}"
        extra[f"{workers} workers, bare limit"] = f"{count / bare:,.0f}"
        extra[f"{workers} workers, of the limit"] = f"{bare / own:.2f}"
        cpu_s = min(sample.cpu_s for sample in ours[workers])
        extra[f"{workers} workers, CPU a text"] = f"{cpu_s / count * 1e6:.0f} us"
    at_best = min(count, WAITING) / IN_FLIGHT * LATENCY_S
    extra["50 ms, 32 in flight"] = f"{at_best / slow:.2f} of what waiting allows"
    best = count / min(sample.value for sample in ours[1])
    extra["one job of a scheduler each"] = f"{a_job_each:,.0f}/s, {best / a_job_each:.1f} x slower"
    extra |= {"workers, kills": f"{HANDS}, {KILLS}", "unknown after them": str(in_flight)}
    extra["lost, twice"] = "0, 0"
    return Result("outbox", "seconds", ours[1], limit[1], extra)


def fill(address: str, count: int, *, has_texts: bool = True) -> None:
    """Write patients with a number, consent to texts and, if so, one text due now each."""
    plan_rows.fill(address, count)
    at = databases.stored(NOW - timedelta(days=1))
    with closing(databases.connect(address)) as connection:
        connection.execute("SET TIME ZONE 'UTC'")
        connection.execute("UPDATE patient SET zone = 'America/Chicago'")
        for number in range(1, count + 1, plan_rows.CHUNK):
            numbers = range(number, min(number + plan_rows.CHUNK, count + 1))
            rows = {
                "phone_number": [_number(each, at) for each in numbers],
                "consent_event": [_consent(each, at) for each in numbers],
            }
            if has_texts:
                rows["message"] = [_message(each, at) for each in numbers]
            databases.write(connection, rows, is_sqlite=False)
        connection.commit()
    databases.settle(address)


def _owner(number: int) -> dict[str, object]:
    return {"clinic_id": plan_rows.clinic_of(number), "patient_id": number}


def _number(number: int, at: str) -> dict[str, object]:
    return _owner(number) | {
        "e164": f"+1202{number:07d}",
        "position": 1,
        "health": "working",
        "can_text": True,
        "health_at": at,
    }


def _consent(number: int, at: str) -> dict[str, object]:
    return _owner(number) | {
        "channel": "sms",
        "topic": "reminders",
        "is_given": True,
        "number": f"+1202{number:07d}",
        "source": "call",
        "wording": "2026-11",
        "at": at,
    }


def _message(number: int, at: str) -> dict[str, object]:
    return _owner(number) | {
        "kind": "reminder",
        "rank": 3,
        "dedupe_key": f"bench:{number}",
        "cause": "bench",
        "to_number": f"+1202{number:07d}",
        "language": "en",
        "body": "Bench 1, (202) 555-0100: Pat will call you on Tue, Nov 24.",
        "status": "scheduled",
        "failure": "",
        "send_after": at,
        "tries": 0,
        "created_at": at,
    }


def forget(address: str, taken: Path, waiting: int | None = None) -> None:
    """Let every text wait again, or the first ``waiting``; none of them is taken."""
    taken.unlink(missing_ok=True)
    with closing(databases.connect(address)) as connection:
        connection.execute("TRUNCATE send_try")
        connection.execute(
            "UPDATE message SET status = 'scheduled', calling_at = NULL, lease_until = NULL, "
            "accepted_at = NULL, provider_id = NULL, tries = 0"
        )
        if waiting is not None:
            connection.execute(
                "UPDATE message SET status = 'accepted' WHERE id NOT IN "
                "(SELECT id FROM message ORDER BY id LIMIT %s)",
                (waiting,),
            )
        connection.commit()
    databases.settle(address)


def _start(how: str, address: str, taken: Path) -> subprocess.Popen[str]:
    worker = subprocess.Popen(
        [sys.executable, "-m", "scripts.benches.outbox", how, address, str(taken)],
        cwd=Path(__file__).resolve().parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert worker.stdout is not None  # noqa: S101 - a pipe was asked for
    worker.stdout.readline()  # it is ready
    return worker


def _go(workers: list[subprocess.Popen[str]]) -> None:
    for worker in workers:
        assert worker.stdin is not None  # noqa: S101 - a pipe was asked for
        worker.stdin.write("go\n")
        worker.stdin.flush()


def time_of(how: str, number: int, address: str, taken: Path) -> _Sent:
    """Let so many workers send what waits, by ours or the bare driver, and end."""
    workers = [_start(how, address, taken) for _each in range(number)]
    began = time.perf_counter()
    _go(workers)
    told = [worker.communicate()[0] for worker in workers]
    return _Sent(time.perf_counter() - began, cpu_s=sum(map(float, told)))


def _with_kills(address: str, taken: Path, count: int) -> int:
    """Kill workers at random while they send; return how many texts were unknown afterwards."""
    rng = random.Random(1)
    workers = [_start("ours", address, taken) for _each in range(HANDS)]
    _go(workers)
    for _kill in range(KILLS):
        time.sleep(rng.random() * 0.05)
        victim = rng.randrange(len(workers))
        workers[victim].kill()
        workers[victim].wait()
        workers[victim] = _start("ours", address, taken)
        _go([workers[victim]])
    for worker in workers:
        worker.wait()
    engine = orm.make_engine(address)
    sessions, carrier = orm.make_sessions(engine), StubCarrier(taken)
    with closing(databases.connect(address)) as connection:
        row = connection.execute("SELECT count(*) FROM message WHERE status = 'calling'").fetchone()
    for minutes in (10, 20, 30, 40):
        later = NOW + timedelta(minutes=minutes)
        while settle_lost_messages(sessions, carrier, lambda at=later: at):  # type: ignore[misc]
            pass
        send_due_messages(sessions, carrier, lambda at=later: at)  # type: ignore[misc]
    engine.dispose()
    _check(address, taken, count)
    return int(row[0])


def _check(address: str, taken: Path, count: int) -> None:
    times = Counter(taken.read_text().split())
    with closing(databases.connect(address)) as connection:
        row = connection.execute(
            "SELECT count(*) FROM message WHERE status <> 'accepted'"
        ).fetchone()
    if len(times) != count or set(times.values()) != {1} or row[0]:
        twice = sum(each > 1 for each in times.values())
        raise Wrong(f"{len(times)} of {count} taken, {twice} twice, {row[0]} not marked")


def _work(how: str, address: str, taken: Path) -> None:
    """Be one worker: say that everything is loaded, wait for the word, and send."""
    carrier = StubCarrier(taken, LATENCY_S if how == "slow" else 0.0)
    connections = IN_FLIGHT if how == "slow" else CONNECTIONS
    if how != "bare":
        sealing.use(databases.KEYS)
        engine = orm.make_engine(address)
        sessions = orm.make_sessions(engine)
        with orm.reading(), sessions() as session:
            session.connection()
        configure_mappers()
        gc.freeze()  # as a worker does
        before = _wait_for_the_word()
        send_due_messages(sessions, carrier, lambda: NOW, connections=connections)
        print(time.process_time() - before)
        return
    with closing(databases.connect(address)) as connection:
        before = _wait_for_the_word()
        while rows := connection.execute(CLAIM, (NOW, NOW, BATCH)).fetchall():
            connection.commit()
            for (message_id,) in rows:
                carrier.send_sms(OutboundSms(message_id, "", ""))
            connection.execute(MARK, (NOW, [message_id for (message_id,) in rows]))
            connection.commit()
    print(time.process_time() - before)


def _wait_for_the_word() -> float:
    """Say that everything is loaded, and wait; return the CPU used until then."""
    print("ready", flush=True)
    sys.stdin.readline()
    return time.process_time()


if __name__ == "__main__":
    assert tables.ALL  # noqa: S101 - every table is known to the others by then
    _work(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
