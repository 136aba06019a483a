"""Texts by the hundred thousand: written twice, sent by many workers, or at a sender's pace.

``outbox-many``: two dispatchers, each started twice, write the same texts while workers send
them; each text must be taken once. Beside it the bare driver sends the same rows by as many
workers, when all are written already. ``outbox-pace``: workers send by one sender with a pace; no
ten seconds may see more than ten times that. PostgreSQL only.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.orm import configure_mappers

from outreach import orm, sealing, tables
from outreach.messaging import outbox
from outreach.messaging.jobs import send_due_messages, send_in_turn
from outreach.messaging.rules import MessageKind, MessageStatus
from outreach.telephony.console_gateway import ConsoleGateway
from outreach.telephony.gateway import OutboundSms, ProviderReceipt
from scripts.benches import databases, plan_rows
from scripts.benches import outbox as outbox_bench
from scripts.benches.measure import Result, Sample
from scripts.benches.outbox import NeedsPostgresql, Wrong, fill

NOW = plan_rows.NOW
DISPATCHERS, STARTS, CHUNK = 2, 2, 1_000
IDLE_S, LOOKS_EVERY_S, WINDOW_S = 0.1, 0.5, 10.0
RATE = 100  # segments a second of a short code
BEGAN = "OUTREACH_BENCH_BEGAN_US"  # on the clock that all processes of a machine share
BEGAN_US = int(os.environ.setdefault(BEGAN, str(time.monotonic_ns() // 1000)))


class TimingCarrier(ConsoleGateway):
    """Appends the id of each text to a file, and when it came."""

    name = "timing"

    def __init__(self, path: Path) -> None:
        super().__init__(path, lambda: NOW)
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def send_sms(self, sms: OutboundSms) -> ProviderReceipt:
        """Take one text."""
        os.write(self._handle, b"%d %d\n" % (sms.reference, time.monotonic_ns()))
        return ProviderReceipt(f"stub-{sms.reference}")


def run_many(count: int | None, url: str | None, workers: int | None, _rate: int | None) -> Result:
    """Let dispatchers write texts twice over while ``workers`` send them."""
    texts, hands = count or 200_000, workers or 8
    with tempfile.TemporaryDirectory(prefix="outreach-bench-") as folder:
        taken, address = Path(folder) / "taken", _prepared(url, Path(folder))
        fill(address, texts, has_texts=False)
        began = time.perf_counter()
        senders = [_start("send", address, taken, 0) for _each in range(hands)]
        for _start_again in range(STARTS):
            for writer in [_start("write", address, taken, texts) for _e in range(DISPATCHERS)]:
                if writer.wait():
                    raise Wrong("a dispatcher failed")
        _wait_until_all_are_taken(address, texts)
        took = Sample(time.perf_counter() - began)
        _stop(senders)
        _check(taken, texts)
        outbox_bench.forget(address, taken)
        bare = outbox_bench.time_of("bare", hands, address, taken)
        databases.empty(address)
    extra = {
        "texts": f"{texts:,}",
        "workers": str(hands),
        "dispatchers, starts": f"{DISPATCHERS}, {STARTS}",
        "texts/s": f"{texts / took.value:,.0f}",
        "bare limit, texts/s": f"{texts / bare.value:,.0f}",
        "lost, twice": "0, 0",
    }
    return Result("outbox-many", "seconds", [took], [bare], extra)


def run_pace(count: int | None, url: str | None, workers: int | None, rate: int | None) -> Result:
    """Let ``workers`` send by one sender that may send ``rate`` segments a second."""
    per_second, hands = rate or RATE, workers or 4
    texts = count or per_second * 40
    with tempfile.TemporaryDirectory(prefix="outreach-bench-") as folder:
        taken, address = Path(folder) / "taken", _prepared(url, Path(folder))
        fill(address, texts)
        with closing(databases.connect(address)) as connection:
            connection.execute(
                "INSERT INTO sender_pace (sender, per_second, turns, by_staff_id, changed_at) "
                "SELECT '', %s, '{}', min(id), now() FROM staff_member",
                (per_second,),
            )
            connection.commit()
        senders = [_start("pace", address, taken, 0) for _each in range(hands)]
        _wait_until_all_are_taken(address, texts)
        _stop(senders)
        _check(taken, texts)
        at = sorted(int(line.split()[1]) / 1e9 for line in taken.read_text().splitlines())
        databases.empty(address)
    most, least = _windows(at)
    if most > per_second * WINDOW_S:
        raise Wrong(f"{most} in {WINDOW_S} s, at {per_second} a second")
    took = Sample(at[-1] - at[0])
    extra = {
        "texts": f"{texts:,}",
        "workers": str(hands),
        "pace, a second": str(per_second),
        "most in 10 s, of it": f"{most / per_second / WINDOW_S:.3f}",
        "least in 10 s, of it": f"{least / per_second / WINDOW_S:.3f}",
        "lost, twice": "0, 0",
    }
    return Result("outbox-pace", "seconds", [took], [Sample(texts / per_second)], extra)


def _prepared(url: str | None, folder: Path) -> str:
    if not url or databases.is_sqlite(url):
        raise NeedsPostgresql("Name an empty PostgreSQL database with --database.")
    return databases.prepare(url, folder)


def _windows(at: Sequence[float]) -> tuple[int, int]:
    """Return the most and the least texts in ten seconds, the last ten aside."""
    counts, end = [], 0
    for place, begins in enumerate(at):
        while end < len(at) and at[end] < begins + WINDOW_S:
            end += 1
        if begins + WINDOW_S <= at[-1]:
            counts.append(end - place)
    return max(counts, default=0), min(counts, default=0)


def _start(how: str, address: str, taken: Path, texts: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", __name__, how, address, str(taken), str(texts)],
        cwd=Path(__file__).resolve().parents[2],
    )


def _stop(workers: Sequence[subprocess.Popen[bytes]]) -> None:
    for worker in workers:
        worker.terminate()
        worker.wait()


def _wait_until_all_are_taken(address: str, texts: int) -> None:
    with closing(databases.connect(address)) as connection:
        connection.autocommit = True
        while True:
            query = "SELECT count(*) FROM message WHERE status = 'accepted'"
            if connection.execute(query).fetchone()[0] >= texts:
                return
            time.sleep(LOOKS_EVERY_S)


def _check(taken: Path, texts: int) -> None:
    times = Counter(line.split()[0] for line in taken.read_text().splitlines())
    if len(times) != texts or set(times.values()) != {1}:
        twice = sum(each > 1 for each in times.values())
        raise Wrong(f"{len(times)} of {texts} taken, {twice} twice")


def _row(number: int) -> dict[str, Any]:
    at = NOW - timedelta(days=1)
    return {
        "clinic_id": plan_rows.clinic_of(number),
        "patient_id": number,
        "kind": MessageKind.REMINDER,
        "dedupe_key": f"bench:{number}",
        "cause": "bench",
        "to_number": f"+1202{number:07d}",
        "language": "en",
        "body": "Bench 1, (202) 555-0100: Pat will call you on Tue, Nov 24.",
        "status": MessageStatus.SCHEDULED,
        "failure": "",
        "send_after": at,
        "tries": 0,
        "created_at": at,
    }


def _write(sessions: orm.Sessions, texts: int) -> None:
    """Be a dispatcher: write the texts that are due, as if nobody else did."""
    for first in range(1, texts + 1, CHUNK):
        with sessions.begin() as session:
            outbox.write(session, [_row(n) for n in range(first, min(first + CHUNK, texts + 1))])


def _work(how: str, address: str, taken: Path, texts: int) -> None:
    sealing.use(databases.KEYS)
    sessions = orm.make_sessions(orm.make_engine(address))
    configure_mappers()
    if how == "write":
        _write(sessions, texts)
        return

    def clock() -> datetime:  # by day whenever the bench runs, and the same in every process
        return NOW + timedelta(microseconds=time.monotonic_ns() // 1000 - BEGAN_US)

    carrier = TimingCarrier(taken)
    send: Callable[..., int] = send_in_turn if how == "pace" else send_due_messages
    while True:
        send(sessions, carrier, clock)
        time.sleep(IDLE_S)


if __name__ == "__main__":
    assert tables.ALL  # noqa: S101 - every table is known to the others by then
    _work(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
