"""Planning every missing call, beside one statement of the database that does as much.

The limit finds who lacks a call and inserts, in one INSERT .. SELECT, the same rows into the
same table: its indexes, keys and triggers cost both alike. What was decided for each it takes
from a table, as if deciding were free. Beside it stands the same statement that also reads
what a decision depends on: the latest call, the newest choices, the patient's place; and the
plan as a tutorial writes it, of as many patients as are enough to tell.
"""

import json
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from scripts.benches import databases, plan_loop, plan_rows
from scripts.benches.measure import Result, Sample, alternate, backend_pid, cpu_seconds

DECIDED = "bench_decided"
COLUMNS = (
    "clinic_id, patient_id, enrolment_id, sequence, phase, due_on, complete_by_on, dial_from_at, "
    "dial_until_at, is_agreed, dials, status, planned_at, version_id"
)
LACKING = """
    enrolment.status = 'active'
    AND EXISTS (SELECT 1 FROM panel_membership AS member
        WHERE member.enrolment_id = enrolment.id AND member.until_at IS NULL)
    AND NOT EXISTS (SELECT 1 FROM planned_call AS open
        WHERE open.enrolment_id = enrolment.id AND open.status = 'planned')
"""
# What else the planner reads, by the plainest joins. The conditions hold for every row.
FACTS = """
    JOIN patient ON patient.id = enrolment.patient_id
    JOIN planned_call AS latest ON latest.enrolment_id = enrolment.id AND latest.sequence = (
        SELECT max(sequence) FROM planned_call AS any_call
        WHERE any_call.enrolment_id = enrolment.id AND any_call.status <> 'cancelled')
    JOIN cadence_choice AS choice ON choice.id = (
        SELECT max(newest.id) FROM cadence_choice AS newest
        WHERE newest.enrolment_id = enrolment.id)
"""
FITTING = """
    AND decided.sequence > latest.sequence AND decided.due_on > latest.due_on
    AND choice.value > 0 AND patient.zone <> '' AND patient.weekdays >= 0
"""
MANY = 500_000  # from here on two rounds, not three


class Unlike(RuntimeError):
    """The planner did not plan one call for every enrolment, or planned again."""


@dataclass
class Measured:
    """Ours and the statements over the same rows; ``again``: seconds of a second run of ours."""

    ours: list[Sample] = field(default_factory=list)
    limit: list[Sample] = field(default_factory=list)
    reading: list[Sample] = field(default_factory=list)
    again: list[float] = field(default_factory=list)


def run(enrolments: int | None, url: str | None) -> Result:
    """Plan for ``enrolments`` that lack a call, and insert the rows that came of it."""
    count = enrolments or 100_000
    with tempfile.TemporaryDirectory(prefix="outreach-bench-") as folder:
        address = databases.prepare(url, Path(folder))
        fill(address, count)
        forget(address)
        one_by_one = plan_loop.seconds_for(address, count)
        _check_alike(address)
        found = measured(address, count)
        drop_decided(address)
        databases.empty(address)
    ours, limit, reading, again = found.ours, found.limit, found.reading, found.again
    best, read = (min(each.value for each in samples) for samples in (ours, reading))
    cpu, bare_cpu, read_cpu = (
        min(each.cpu_seconds for each in samples) for samples in (ours, limit, reading)
    )
    extra = {
        "reading the facts, seconds": f"{read:.2f}",
        "ours / reading the facts": f"{best / read:.2f}",
        "CPU seconds, ours": f"{cpu:.2f}",
        "CPU, ours / limit": f"{cpu / bare_cpu:.2f}",
        "CPU, ours / reading": f"{cpu / read_cpu:.2f}",
        "enrolments": f"{count:,}",
        "calls a second": f"{count / best:,.0f}",
        "peak memory, MB": f"{max(sample.peak_mb for sample in ours):,.0f}",
        "again: new rows": "0",
        "again: seconds": f"{min(again):.2f}",
        "again / first": f"{min(again) / best:.2f}",
        "one by one: seconds": f"{one_by_one:,.1f}",
        "one by one / ours": f"{one_by_one / best:,.0f}",
    }
    return Result("plan", "seconds", ours, limit, extra)


def fill(address: str, count: int) -> None:
    """Write ``count`` enrolments, and keep what the planner makes of them: it stands planned."""
    plan_rows.fill(address, count)
    _plan(address, count)
    _keep_decided(address)


def measured(address: str, count: int) -> Measured:
    """Plan for the enrolments of :func:`fill`, and insert the same rows, in turns."""
    found = Measured()
    found.ours, found.limit = alternate(
        lambda: _ours(address, count, found.again),
        lambda: _limits(address, count, found.reading),
        rounds=2 if count >= MANY else 3,
    )
    return found


def _ours(address: str, count: int, again: list[float]) -> Sample:
    forget(address)
    sample, second = _plan(address, count)
    again.append(second)
    return sample


def _plan(address: str, count: int) -> tuple[Sample, float]:
    """Plan in a process of its own for the sake of its memory."""
    done = subprocess.run(
        [sys.executable, "-m", "scripts.benches.plan_twice", address, plan_rows.NOW.isoformat()],
        cwd=Path(__file__).resolve().parents[2],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    planned, seconds, cpu, peak_mb, again = json.loads(done.stdout)
    if planned != count:
        raise Unlike(f"{planned} calls were planned for {count} enrolments")
    return Sample(seconds, peak_mb, cpu), again


def _limits(address: str, count: int, reading: list[Sample]) -> Sample:
    reading.append(_insert(address, count, FACTS, FITTING))
    return _insert(address, count)


def _insert(address: str, count: int, facts: str = "", fitting: str = "") -> Sample:
    """Find who lacks a call and insert the same rows, by one statement."""
    forget(address)
    columns = ", ".join(f"decided.{column}" for column in COLUMNS.split(", "))
    with closing(databases.connect(address)) as connection:
        pid = backend_pid(connection)
        began, cpu_began = time.perf_counter(), cpu_seconds(pid)
        inserted = connection.execute(
            f"INSERT INTO planned_call ({COLUMNS}) SELECT {columns} FROM enrolment "  # noqa: S608
            f"JOIN {DECIDED} AS decided ON decided.enrolment_id = enrolment.id "
            f"{facts} WHERE {LACKING} {fitting} ORDER BY enrolment.id"
        )
        connection.commit()
        sample = Sample(time.perf_counter() - began, cpu_seconds=cpu_seconds(pid) - cpu_began)
    if inserted.rowcount != count:
        raise Unlike(f"The statement inserted {inserted.rowcount} rows for {count} enrolments")
    return sample


def _keep_decided(address: str) -> None:
    with closing(databases.connect(address)) as connection:
        connection.execute(f"DROP TABLE IF EXISTS {DECIDED}")
        connection.execute(
            f"CREATE TABLE {DECIDED} AS SELECT {COLUMNS} FROM planned_call "  # noqa: S608
            "WHERE status = 'planned'"
        )
        connection.execute(f"CREATE UNIQUE INDEX ix_{DECIDED} ON {DECIDED} (enrolment_id)")
        connection.commit()


def drop_decided(address: str) -> None:
    """Drop the table of what was decided, which is no table of the product."""
    with closing(databases.connect(address)) as connection:
        connection.execute(f"DROP TABLE {DECIDED}")
        connection.commit()


def forget(address: str, besides: int = 0) -> None:
    """Take the planned calls away again, so that both begin with the same tables.

    Args:
        address: of the database.
        besides: a caller who keeps theirs.
    """
    with closing(databases.connect(address)) as connection:
        connection.execute(
            "DELETE FROM planned_call WHERE status = 'planned' AND enrolment_id NOT IN "  # noqa: S608
            f"(SELECT enrolment_id FROM panel_membership WHERE caller_id = {int(besides)})"
        )
        connection.commit()
    databases.settle(address)


def unlike_decided(address: str) -> int:
    """Count the planned calls that are not what the planner made of the same rows before."""
    with closing(databases.connect(address)) as connection:
        (count,) = connection.execute(
            f"SELECT count(*) FROM (SELECT {COLUMNS} FROM planned_call "  # noqa: S608
            f"WHERE status = 'planned' EXCEPT SELECT {COLUMNS} FROM {DECIDED}) AS other"
        ).fetchone()
    return int(count)


def _check_alike(address: str) -> None:
    """Both plan by the same rule; if not, they are not to be compared."""
    unlike = unlike_decided(address)
    if unlike:
        raise Unlike(f"One by one, {unlike} enrolments got another call")
