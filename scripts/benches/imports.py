"""Bringing in a file of patients, beside the bare driver writing the same rows."""

import csv
import json
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from outreach import orm
from outreach.accounts import staff
from outreach.intake import importing
from outreach.intake.files import Source
from outreach.orm import Model
from outreach.reports.models import TouchedDays, TouchedEnrolment
from scripts.benches import databases
from scripts.benches.measure import Result, Sample, alternate
from scripts.demo import names

NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)
CODE = "BENCH"
HEADER = (
    "mrn given_name family_name date_of_birth phone time_zone language sex preferred_days "
    "preferred_dayparts sms_consent voicemail_ok enrolled_on hba1c_percent hba1c_date"
).split()
Written = dict[str, tuple[list[str], list[tuple[Any, ...]]]]


def run(patients: int | None, url: str | None) -> Result:
    """Import a table of ``patients`` rows three times, and write its rows three times."""
    count = patients or 20_000
    with tempfile.TemporaryDirectory(prefix="outreach-bench-") as folder:
        path = _table_of(count, Path(folder))
        address = databases.prepare(url, Path(folder))
        # Once beforehand: what the import makes of the file is what the driver writes.
        _import(address, path)
        written = _read_back(address)
        ours, limit = alternate(
            lambda: _import(address, path), lambda: _write(address, written), rounds=3
        )
        databases.empty(address)
    rows = sum(len(found) for _columns, found in written.values())
    how = "executemany" if databases.is_sqlite(address) else "COPY"
    extra = {"patients": f"{count:,}", "rows written": f"{rows:,}", "limit is": how}
    return Result("import", "seconds", ours, limit, extra)


def import_once(address: str, path: Path) -> Sample:
    """Import ``path`` in this process; return seconds and the most memory it took."""
    databases.use_keys()
    engine = orm.make_engine(address)
    sessions = orm.make_sessions(engine)
    with sessions.begin() as session:
        clinic = staff.add_clinic(
            session, CODE, "Bench", ZoneInfo("America/Chicago"), "+12025550100"
        )
        session.flush()
        target = importing.Target.of(clinic)
    began = time.perf_counter()
    with (
        importing.read([Source(path, path.name)], target, now=NOW) as checked,
        sessions.begin() as session,
    ):
        importing.carry_out(session, checked, target, by_staff_id=None, now=NOW)
        refused = checked.report.refused
    seconds = time.perf_counter() - began
    engine.dispose()
    if refused:
        raise RuntimeError(f"{refused} rows of the bench's own file were not taken")
    return Sample(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _import(address: str, path: Path) -> Sample:
    """Import into the emptied database, in a process of its own for the sake of its memory."""
    databases.empty(address)
    done = subprocess.run(
        [sys.executable, "-m", "scripts.benches.imports", address, str(path)],
        cwd=Path(__file__).resolve().parents[2],
        check=True,
        capture_output=True,
        text=True,
    )
    return Sample(*json.loads(done.stdout))


def _read_back(address: str) -> Written:
    """Return every table's columns and rows as the import left them."""
    written: Written = {}
    by_triggers = {TouchedDays.__tablename__, TouchedEnrolment.__tablename__}
    with closing(databases.connect(address)) as connection:
        for table in Model.metadata.sorted_tables:
            if table.name in by_triggers:  # they write them for the driver too
                continue
            columns = [f'"{column.name}"' for column in table.columns]  # one is called on
            text = f"SELECT {', '.join(columns)} FROM {table.name}"  # noqa: S608 - our own tables
            rows = connection.execute(text).fetchall()
            if rows:
                written[table.name] = (columns, rows)
    return written


def _write(address: str, written: Written) -> Sample:
    """Write the same rows by the bare driver, in one transaction."""
    databases.empty(address)
    with closing(databases.connect(address)) as connection:
        began = time.perf_counter()
        for table, (columns, rows) in written.items():
            names_of = f"{table} ({', '.join(columns)})"
            if databases.is_sqlite(address):
                marks = ", ".join("?" * len(columns))
                connection.executemany(f"INSERT INTO {names_of} VALUES ({marks})", rows)  # noqa: S608
                continue
            with (
                connection.cursor() as cursor,
                cursor.copy(f"COPY {names_of} FROM STDIN") as copy,
            ):
                for row in rows:
                    copy.write_row([_plain(value) for value in row])
        connection.commit()
        return Sample(time.perf_counter() - began)


def _plain(value: object) -> object:
    """Return JSON as text: the driver reads it as Python's own and writes it as text."""
    return json.dumps(value) if isinstance(value, (dict, list)) else value


def _table_of(count: int, folder: Path) -> Path:
    """Write a table of ``count`` believable patients."""
    rng, path = Random(1), folder / "patients.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for number in range(count):
            writer.writerow(_row(rng, number))
    return path


def _row(rng: Random, number: int) -> list[str]:
    language = rng.choice(("en", "es"))
    born_on = date(1956, 1, 1) + timedelta(days=rng.randrange(16_000))
    measured_on = NOW.date() - timedelta(days=rng.randrange(1, 200))
    return [
        f"B{number:07d}",
        rng.choice(names.WOMEN[language]),
        rng.choice(names.FAMILIES[language]),
        born_on.isoformat(),
        # Of the real form, since the importer refuses what cannot be a number.
        f"+1{rng.choice(('512', '202', '303'))}555{number % 10_000:04d}",
        rng.choice(("America/Chicago", "America/Denver", "America/New_York")),
        language,
        rng.choice(("female", "male")),
        rng.choice(("", "Mon Wed", "Tue Thu Sat")),
        rng.choice(("", "morning", "afternoon evening")),
        rng.choice(("yes", "no", "")),
        rng.choice(("yes", "no", "")),
        (NOW.date() - timedelta(days=rng.randrange(5))).isoformat(),
        f"{rng.uniform(7.5, 14):.1f}",
        measured_on.isoformat(),
    ]


if __name__ == "__main__":
    sample = import_once(sys.argv[1], Path(sys.argv[2]))
    print(json.dumps([sample.value, sample.peak_mb]))
