"""Load a server of one's own: ``python -m scripts.load.run --callers 20 --seconds 60``.

Fills an empty database with callers and their panels, starts the web server as in production,
measures one caller alone, lets each caller work at a person's pace while patients write texts and
a scheduler beside them sends answers, whose carrier reports on each, and at the end holds every
promise against the rows. Ends with one line of JSON, the time in which
all arrive apart from their day; exits 1 where a request failed or a promise broke. ``--pace`` is
the mean of seconds between two things that a caller does: 10 is a person, 1 is ten of them.
"""

import argparse
import csv
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from sqlalchemy import func, select

from config import ROOT, Config
from outreach import orm
from outreach.accounts.models import StaffMember
from outreach.accounts.sign_in import has_email
from outreach.clock import utc_now
from outreach.patients.models import Patient
from outreach.upkeep import promises
from scripts.benches import databases, queue_rows
from scripts.benches.queue_rows import LARGE, NOW, PASSWORD, SMALL, USUAL, email_of

# Accounts begin after those of the small, the large and the first usual panel.
BEFORE = SMALL + LARGE + USUAL
# Signing in is made slow on purpose; a load of calls is not about it.
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
START_SECONDS = 60


@dataclass(frozen=True)
class Load:
    """Who works on the server, at which pace (seconds between two things), for how long."""

    callers: int
    carriers: int
    pace: float
    seconds: int


ALONE = Load(callers=1, carriers=0, pace=0.5, seconds=60)  # what a page takes without others
# Staff of many clinics do not sign in within the same second.
ARRIVE_A_SECOND = 10


def main() -> int:
    """Fill, serve, load, check; return an exit status."""
    asked = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        address, patients = _filled(asked, Path(folder))
        ahead = NOW - utc_now()
        broken_before = _broken(address, ahead)
        environment = os.environ | {
            "DATABASE_URL": address,
            "INSTANCE_PATH": folder,
            "LOAD_AHEAD": str(ahead.total_seconds()),
            "LOAD_PASSWORD": PASSWORD,
            "LOAD_PATIENTS": str(patients),
            "LOAD_SERVER": f"http://127.0.0.1:{asked.port}",
            "LOAD_REPORTED": str(Path(folder) / "reported.json"),
        }
        line = {"name": "load", "callers": asked.callers, "patients": patients, "pace": asked.pace}
        _settle(environment)
        line |= _worked(asked, environment, Path(folder))
        print("before the promises are held against the rows:", json.dumps(line), file=sys.stderr)
        line["broken"] = sorted(_broken(address, ahead) - broken_before)
        if asked.database and not asked.keep:
            databases.empty(address)
    print(json.dumps(line))
    return 1 if line["broken"] or line["failed"] else 0


def _worked(asked: argparse.Namespace, environment: dict[str, str], folder: Path) -> dict[str, Any]:
    """Serve, let one caller work alone and then all of them; return what was measured."""
    server = _serve(asked, environment, folder)
    try:
        _wait(asked.port, server)
        alone = _load(ALONE, asked.port, environment, folder / "alone")
        day = Load(asked.callers, max(1, asked.callers // 200), asked.pace, asked.seconds)
        scheduler = _beside(environment)
        try:
            found = _load(day, asked.port, environment, folder / "day")
        finally:
            scheduler_s = _ended(scheduler)
    finally:
        web_s = _ended(server)
    times = [alone, found["arriving"], found]  # a failure counts whenever it came
    asked_for = sum(each.get("requests", 0) for each in times)
    found["failed"] = sum(each.get("failed", 0) for each in times)
    reported = json.loads(Path(environment["LOAD_REPORTED"]).read_text())
    found["failed"] += reported.get("failed", 0)
    return found | {
        "reports": reported.get("taken", 0),
        "scheduler_cpu_s": round(scheduler_s),
        "alone_ms_half": alone["ms_half"],
        "slowest_to_alone": round(found["ms_of_99_percent"] / alone["ms_half"], 1),
        "cpu_ms_a_request": round(web_s * 1000 / asked_for, 1),
    }


def _settle(environment: dict[str, str]) -> None:
    """Let what a database that was just filled brings be done before anybody works."""
    subprocess.run([*_BESIDE, "--settle"], cwd=ROOT, env=environment, check=True)


def _beside(environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(_BESIDE, cwd=ROOT, env=environment)


_BESIDE = (sys.executable, "-m", "scripts.load.beside")


def _ended(process: subprocess.Popen[bytes]) -> float:
    """End a process; return what CPU it took, in seconds."""
    before = _cpu_seconds()
    process.terminate()
    process.wait(60)
    return _cpu_seconds() - before


def _cpu_seconds() -> float:
    """Return what the processes took that this one has seen end; without the database's."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--callers", type=int, default=20)
    parser.add_argument("--patients", type=int, default=0, help="at least; more than they call")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--pace", type=float, default=10.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=Config.web_threads)
    parser.add_argument("--port", type=int, default=8089)
    parser.add_argument("--database", help="an empty database; it is emptied again")
    parser.add_argument(
        "--keep", action="store_true", help="leave what was filled in, and use it the next time"
    )
    return parser.parse_args()


def _filled(asked: argparse.Namespace, folder: Path) -> tuple[str, int]:
    """Return a database full of patients, and how many those are: filled now, or kept."""
    wanted = max(asked.patients, BEFORE + USUAL * asked.callers)
    try:
        address = databases.prepare(asked.database, folder)
    except databases.NotEmpty:
        address = databases.for_sqlalchemy(asked.database)
        kept = _kept_patients(address)
        if not asked.keep or kept <= wanted - USUAL:  # panels are made whole
            raise
        databases.migrate(address)
        return address, kept
    queue_rows.fill(address, wanted, QUICK.hash(PASSWORD))
    return address, wanted


def _kept_patients(address: str) -> int:
    """Return how many patients an earlier load test left; 0 where they are somebody's."""
    engine = orm.make_engine(address)
    with orm.reading(), orm.make_sessions(engine)() as session:
        made_up = session.scalar(select(StaffMember.id).where(has_email(email_of(USUAL))))
        count = session.scalar(select(func.count()).select_from(Patient)) or 0
    engine.dispose()
    return count if made_up else 0


# Callers here are quicker than people.
UNBRAKED = "looks=1000000 lists=1000000 searches=1000000 texts=1000000"


def _serve(
    asked: argparse.Namespace, environment: dict[str, str], folder: Path
) -> subprocess.Popen[bytes]:
    times = folder / "times"
    times.mkdir()
    return subprocess.Popen(
        [
            sys.executable, "-m", "gunicorn", "scripts.load.served:app()",
            "--bind", f"127.0.0.1:{asked.port}", "--worker-class", "outreach.web.arriving.Worker",
            "--workers", str(asked.workers), "--threads", str(asked.threads), "--preload",
            "--no-control-socket", "--log-level", "warning", "--graceful-timeout", "10",
        ],
        cwd=ROOT,
        env=environment | {"PROMETHEUS_MULTIPROC_DIR": str(times), "RATE_LIMITS": UNBRAKED},
    )  # fmt: skip


def _wait(port: int, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and server.poll() is None:
        asked = subprocess.run(
            [sys.executable, "-m", "scripts.healthy"],
            cwd=ROOT,
            env=os.environ | {"PORT": str(port), "INSTANCE_PATH": tempfile.gettempdir()},
            capture_output=True,
            check=False,
        )
        if asked.returncode == 0:
            return
        time.sleep(0.5)
    raise RuntimeError("The server does not answer.")


def _load(load: Load, port: int, environment: dict[str, str], folder: Path) -> dict[str, Any]:
    """Let them work; return what locust counted of it."""
    folder.mkdir()
    locust = os.environ.get("LOCUST") or shutil.which("locust") or "locust"
    people, arrived = load.callers + load.carriers, folder / "arrived.json"
    subprocess.run(
        [
            locust, "-f", str(ROOT / "scripts" / "load" / "users.py"), "--headless",
            "--host", f"http://127.0.0.1:{port}", "--users", str(people),
            "--spawn-rate", str(min(ARRIVE_A_SECOND, max(1, people // 5))),
            "--run-time", f"{load.seconds}s",
            "--csv", str(folder / "load"), "--only-summary", "--exit-code-on-error", "0",
            "--stop-timeout", "20",
        ],
        cwd=ROOT,
        env=environment
        | {
            "PYTHONPATH": str(ROOT),
            "LOAD_CALLERS": str(load.callers),
            "LOAD_CARRIERS": str(load.carriers),
            "LOAD_PACE": str(load.pace),
            "LOAD_ARRIVED": str(arrived),
        },
        check=True,
    )  # fmt: skip
    counted = json.loads(arrived.read_text()) if arrived.exists() else {}
    return _figures(folder / "load_stats.csv") | {"arriving": counted}


def _figures(file: Path) -> dict[str, Any]:
    """Return what locust counted: of all requests, and of each kind the slow end."""
    with file.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    total = next(row for row in rows if row["Name"] == "Aggregated")
    kinds = {
        row["Name"]: {"requests": int(row["Request Count"])} | _times(row)
        for row in rows
        if row["Name"] != "Aggregated" and int(row["Request Count"])
    }
    return {
        "requests": int(total["Request Count"]),
        "failed": int(total["Failure Count"]),
        "a_second": round(float(total["Requests/s"]), 1),
        **_times(total),
        "kinds": kinds,
    }


def _times(row: dict[str, str]) -> dict[str, int]:
    slow = {"ms_half": "50%", "ms_of_95_percent": "95%", "ms_of_99_percent": "99%"}
    return {name: int(float(row[column])) for name, column in slow.items()}


def _broken(address: str, ahead: timedelta) -> set[str]:
    """Return the promises that the rows break, with how many rows do."""
    engine = orm.make_engine(address)
    with orm.reading(), orm.make_sessions(engine)() as session:
        found = promises.breaches(session, now=utc_now() + ahead)
    engine.dispose()
    return {f"{each.promise} ({len(each.ids)})" for each in found}


if __name__ == "__main__":
    sys.exit(main())
