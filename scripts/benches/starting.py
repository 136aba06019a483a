"""From ``scripts/run`` to the first pages, beside a bare gunicorn with one line of text."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from config import ROOT
from scripts.benches import databases
from scripts.benches.measure import Result, Sample, alternate, pss_mb

LONGEST = 120  # seconds
HELLO = """
from flask import Flask
app = Flask("hello")
app.add_url_rule("/", "hello", lambda: "hello")
"""


def run(_patients: int | None, url: str | None) -> Result:
    """Start both three times, after a first start of ours that migrates and fills."""
    with tempfile.TemporaryDirectory(prefix="outreach-bench-") as folder:
        (Path(folder) / "hello.py").write_text(HELLO)
        environment = _as_people_have_it(folder)
        if url:
            environment["DATABASE_URL"] = databases.prepare(url, Path(folder))
        command = _command()
        first = _started(command, environment, ("/healthz", "/sign-in"))
        ours, limit = alternate(
            lambda: _started(command, environment, ("/healthz", "/sign-in")),
            lambda: _started(_bare(), environment | {"PYTHONPATH": folder}, ("/",)),
            rounds=3,
        )
        if url:
            databases.empty(environment["DATABASE_URL"])
    extra = {"very first start, seconds": f"{first.value:.2f}", "started by": command[-1]}
    return Result("start", "seconds", ours, limit, extra)


def _as_people_have_it(folder: str) -> dict[str, str]:
    """Return the environment of both: Python keeps what it compiled, as it does by itself.

    Told not to, every start would compile our modules anew, and no library's.
    """
    others = {name: each for name, each in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return others | {"INSTANCE_PATH": folder, "HOST": "127.0.0.1"}


def _command() -> list[str]:
    """Return how to start: as people do, where the environment was installed that way.

    In an environment made by hand ``scripts/run`` would install first; then without it.
    """
    environment = ROOT / os.environ.get("ENVIRONMENT", ".venv")
    if (environment / ".installed").exists():
        return [str(ROOT / "scripts" / "run")]
    return [sys.executable, "-m", "scripts.serve"]


def _bare() -> list[str]:
    return [
        sys.executable, "-m", "gunicorn", "hello:app", "--worker-class", "gthread",
        "--workers", "2", "--threads", "8", "--log-level", "warning", "--no-control-socket",
    ]  # fmt: skip


def _started(command: Sequence[str], environment: dict[str, str], paths: Sequence[str]) -> Sample:
    """Start ``command``; return the seconds until all ``paths`` answered, and its memory."""
    port = _free_port()
    bind = ["--bind", f"127.0.0.1:{port}"] if "gunicorn" in command else []
    began = time.perf_counter()
    server = subprocess.Popen(
        [*command, *bind],
        cwd=ROOT,
        env=environment | {"PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for path in paths:
            _wait_for(f"http://127.0.0.1:{port}{path}", server)
        return Sample(time.perf_counter() - began, pss_mb(server.pid))
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    ends_at = time.monotonic() + LONGEST
    while time.monotonic() < ends_at:
        if server.poll() is not None:
            raise RuntimeError(f"The server ended with status {server.returncode}.")
        try:
            urllib.request.urlopen(address, timeout=5).close()  # noqa: S310 - our own
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.005)
        else:
            return
    raise RuntimeError(f"Nothing answered at {address}.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
