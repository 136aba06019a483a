"""A page behind gunicorn, as people have it: the CPU that a request takes of all that serves it."""

import multiprocessing
import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from scripts.benches import databases
from scripts.benches.measure import Sample, processes_of, pss_mb
from scripts.benches.starting import free_port, wait_for

# Forked, so that what the product loaded is not loaded again; each opens its own connections.
_FORK = multiprocessing.get_context("fork")
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


class _Gunicorn(BaseApplication):  # type: ignore[misc]
    """As ``scripts/run`` has it."""

    def __init__(self, app: Flask, port: int, workers: int) -> None:
        self._app, self._port, self._workers = app, port, workers
        super().__init__()

    def load_config(self) -> None:
        """Say what a command line would."""
        settings = {
            "bind": f"127.0.0.1:{self._port}",
            "worker_class": "outreach.web.arriving.Worker",
            "workers": self._workers,
            "threads": 4,
            "loglevel": "warning",
            "control_socket_disable": True,
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Return what is served."""
        return self._app


class PageServer:
    """One page of a running server, and the CPU it took so far."""

    def __init__(self, pid: int, port: int, headers: Mapping[str, str], address: str) -> None:
        self.pid, self.port, self._headers, self._address = pid, port, headers, address
        self._connection = HTTPConnection("127.0.0.1", port)

    def get(self, path: str) -> str:
        """Return the page at ``path``."""
        self._connection.request("GET", path, headers=dict(self._headers))
        answer = self._connection.getresponse()
        page = answer.read().decode()
        if answer.status != 200:  # noqa: PLR2004 - anything else is another page
            raise RuntimeError(f"{path} answered {answer.status}.")
        return page

    def cpu_ms(self, path: str, requests: int) -> Sample:
        """Return the CPU that one of ``requests`` took of the web process and the database.

        A database on another machine is not in it.
        """
        self.get(path)
        before = self._spent_ms()
        for _request in range(requests):
            self.get(path)
        return Sample((self._spent_ms() - before) / requests, pss_mb(self.pid))

    def _spent_ms(self) -> float:
        pids = [*processes_of(self.pid), *_backends(self._address)]
        return sum(map(_ticks, pids)) * 1000 / _TICKS_A_SECOND


@contextmanager
def serving(
    app: Flask,
    address: str,
    first: str,
    headers: Mapping[str, str] | None = None,
    *,
    workers: int = 1,
) -> Iterator[PageServer]:
    """Serve ``app`` over the database at ``address`` while in this context.

    Args:
        app: what is served; it has no connection open.
        address: its database.
        first: a path that answers as soon as it is up.
        headers: of each request.
        workers: one, so that all requests meet the same caches; or as many as in earnest.
    """
    port = free_port()
    child = _FORK.Process(target=_Gunicorn(app, port, workers).run, daemon=False)
    child.start()
    try:
        wait_for(f"http://127.0.0.1:{port}{first}", child.is_alive)
        yield PageServer(_pid_of(child), port, headers or {}, address)
    finally:
        child.terminate()
        child.join(30)


def _pid_of(child: Any) -> int:
    pid: int = child.pid
    return pid


def _ticks(pid: int) -> int:
    """Return the CPU that a process took, itself and in the kernel (Linux); 0 if it ended."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0
    return int(words[11]) + int(words[12])


def _backends(address: str) -> list[int]:
    """Return the processes of a PostgreSQL on this machine that serve this database."""
    if databases.is_sqlite(address):
        return []
    with closing(databases.connect(address)) as connection:
        found = connection.execute(
            "SELECT pid FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchall()
    return [pid for (pid,) in found]
