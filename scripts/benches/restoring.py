"""A backup put back, beside the bare tool that brings back the same file.

That is pg_restore for PostgreSQL and a copy on disk for SQLite. Ours checks the file's sum, counts
every table and signs everybody out besides. ``extra`` has what a backup takes, and holding every
promise against what came back.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
from sqlalchemy.engine import make_url

from outreach import orm
from outreach.upkeep import backups, promises
from scripts.benches import databases, queue_rows
from scripts.benches.measure import Result, Sample, alternate, peak_mb
from scripts.benches.queue_rows import NOW

MOST_TO_REPEAT = 100_000  # patients; with more once has to do
NOBODYS_HASH = "-"  # nobody signs in


def run(patients: int | None, url: str | None) -> Result:
    """Back up a clinic of so many patients and put it back, in turns with the bare tool."""
    count = patients or 10_000
    with tempfile.TemporaryDirectory(prefix="outreach-bench-") as name:
        folder = Path(name)
        address = databases.prepare(url, folder)
        try:
            queue_rows.fill(address, count, NOBODYS_HASH)
            began = time.perf_counter()
            backup = backups.make(address, folder / "backups", now=NOW)
            backing_up = time.perf_counter() - began
            return _measured(address, backup, count, backing_up)
        finally:
            databases.empty(address)


def _measured(address: str, backup: Path, count: int, backing_up: float) -> Result:
    manifest = backups.read(backup)
    checked: list[float] = []
    ours, limit = alternate(
        lambda: _put_back(address, backup, checked),
        lambda: _bare(address, backup / manifest.file),
        rounds=1 if count > MOST_TO_REPEAT else 3,
    )
    extra = {
        "patients": f"{count:,}",
        "rows": f"{sum(manifest.rows.values()):,}",
        "size of the backup": f"{(backup / manifest.file).stat().st_size / 1e6:,.0f} MB",
        "backing up": f"{backing_up:.1f} s",
        "every promise checked": f"{min(checked):.1f} s",
    }
    return Result("restore", "seconds", ours, limit, extra)


def _put_back(address: str, backup: Path, checked: list[float]) -> Sample:
    """Restore as an operator does; note in ``checked`` how long all promises took."""
    with _empty_place(address) as place:
        began = time.perf_counter()
        backups.restore(backup, place, now=NOW)
        took = time.perf_counter() - began
        engine = orm.make_engine(place)
        began = time.perf_counter()
        with orm.reading(), orm.make_sessions(engine)() as session:
            promises.breaches(session, now=NOW)
        checked.append(time.perf_counter() - began)
        engine.dispose()
    return Sample(took, peak_mb())


def _bare(address: str, file: Path) -> Sample:
    with _empty_place(address) as place:
        began = time.perf_counter()
        if databases.is_sqlite(place):
            copy = Path(str(make_url(place).database))
            shutil.copyfile(file, copy)
            with copy.open("rb") as handle:
                os.fsync(handle.fileno())
        else:
            plain = databases.plain(place)
            command = [backups.program("pg_restore"), "--no-owner", f"--dbname={plain}", str(file)]
            subprocess.run(command, check=True)
        return Sample(time.perf_counter() - began)


@contextmanager
def _empty_place(address: str) -> Iterator[str]:
    """Yield the address of a database beside ``address`` that is empty, or not there yet."""
    name = f"bench_{uuid4().hex}"
    if databases.is_sqlite(address):
        path = Path(str(make_url(address).database)).with_name(f"{name}.sqlite3")
        try:
            yield f"sqlite:///{path}"
        finally:
            for each in path.parent.glob(f"{path.name}*"):
                each.unlink()
        return
    place = make_url(address).set(database=name).render_as_string(hide_password=False)
    with closing(psycopg.connect(databases.plain(address), autocommit=True)) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        try:
            yield place
        finally:
            connection.execute(f'DROP DATABASE "{name}"')
