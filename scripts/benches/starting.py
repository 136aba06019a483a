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
from collections.abc import Callable, Sequence
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
    port = free_port()
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
            wait_for(f"http://127.0.0.1:{port}{path}", lambda: server.poll() is None)
        return Sample(time.perf_counter() - began, pss_mb(server.pid))
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)


def wait_for(address: str, is_alive: Callable[[], bool]) -> None:
    """Wait until something answers at ``address``, with a page.

    Raises:
        RuntimeError: the server ended, or took too long.
    """
    ends_at = time.monotonic() + LONGEST
    while time.monotonic() < ends_at:
        if not is_alive():
            raise RuntimeError("The server ended.")
        try:
            urllib.request.urlopen(address, timeout=5).close()  # noqa: S310 - our own
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.005)
        else:
            return
    raise RuntimeError(f"Nothing answered at {address}.")


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
