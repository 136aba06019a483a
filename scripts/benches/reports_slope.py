"""The report of a clinic of one size among ever more others: it should take no longer.

Beside it the bare statements over the roll-ups, as ``reports`` has them. Read in a process of its
own, so that its memory is that of a report.
"""

import json
import math
import subprocess
import sys
import tempfile
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from config import ROOT
from outreach import orm, tables
from outreach.reports import jobs
from scripts.benches import databases, reports
from scripts.benches.measure import Result, Sample
from scripts.benches.plan_rows import NOW

OF_A_CLINIC = 20_000  # dials of 26 weeks, of some 900 patients
PARTS = (20, 4, 1)  # of all of them


def run(calls: int | None, url: str | None) -> Result:
    """Measure one clinic's report among a twentieth, a quarter and all of so many calls."""
    every = calls or 1_000_000
    found: list[tuple[int, Sample, Sample]] = []
    for count in sorted({max(min(every, OF_A_CLINIC), every // part) for part in PARTS}):
        with tempfile.TemporaryDirectory(prefix="outreach-bench-") as folder:
            address = databases.prepare(url, Path(folder))
            try:
                found.append((count, *_apart(address, count)))
            finally:
                databases.empty(address)
    (first, few, _bare), (last, many, limit) = found[0], found[-1]
    steps = math.log(last / first)
    slope = math.log(many.value / few.value) / steps if steps else 0.0
    extra = {
        f"among {count:,}": f"{ours.value:.1f} ms, limit {limit.value:.1f} ms"
        for count, ours, limit in found
    }
    extra |= {"slope": f"{slope:.3f}", "memory": f"{many.peak_mb:.0f} MB"}
    return Result("reports-slope", "ms of CPU for a clinic's report", [many], [limit], extra)


def _apart(address: str, calls: int) -> tuple[Sample, Sample]:
    """Fill, and read in a process of its own; return the best of ours and of the limit."""
    fill(address, calls)
    told = subprocess.run(
        [sys.executable, "-m", "scripts.benches.reports_slope", address],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
    ).stdout
    ours, limit = (Sample(**each) for each in json.loads(told))
    return ours, limit


def fill(address: str, calls: int) -> None:
    """Write so many calls, of clinics of one size, and roll them up."""
    engine = orm.make_engine(address)
    sessions = orm.make_sessions(engine)
    reports.fill(address, sessions, calls, clinics=max(1, calls // OF_A_CLINIC))
    for _ in range(reports.MOST_ROUNDS):
        jobs.roll_up(sessions, lambda: NOW)
    databases.settle(address)
    engine.dispose()


def main() -> None:
    """Read the report of a database that is filled, and print the best samples of both."""
    databases.use_keys()
    address = sys.argv[1]
    engine = orm.make_engine(address)
    with closing(databases.connect(address)) as connection:
        found = reports.sides(address, orm.make_sessions(engine), connection)
    best = [min(side, key=lambda each: each.value) for side in found]
    print(json.dumps([asdict(each) for each in best]))


if __name__ == "__main__":
    assert tables.ALL  # noqa: S101 - every table is known to the others by then
    main()
