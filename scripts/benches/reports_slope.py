"""The report of a clinic of one size among ever more others: it should take no longer.

Beside it the bare statements over the roll-ups, as ``reports`` has them. Read in a process of its
own, so that its memory is that of a report.
"""

import math
import multiprocessing
import tempfile
from contextlib import closing
from pathlib import Path

from outreach import orm
from outreach.reports import jobs
from scripts.benches import databases, reports
from scripts.benches.measure import Result, Sample
from scripts.benches.plan_rows import NOW

OF_A_CLINIC = 20_000  # dials of 26 weeks, of some 900 patients
PARTS = (20, 4, 1)  # of all of them
_SPAWN = multiprocessing.get_context("spawn")


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
    """Fill in one process and read in another; return the best of ours and of the limit."""
    for work in (_fill, _measure):
        receiving, sending = _SPAWN.Pipe(duplex=False)
        process = _SPAWN.Process(target=work, args=(address, calls, sending))
        process.start()
        sending.close()
        try:
            found = receiving.recv()
        except EOFError as error:
            raise SystemExit("A process of the bench failed.") from error
        process.join()
    ours, limit = found
    return ours, limit


def _fill(address: str, calls: int, told: "multiprocessing.connection.Connection") -> None:
    databases.use_keys()
    engine = orm.make_engine(address)
    sessions = orm.make_sessions(engine)
    reports.fill(address, sessions, calls, clinics=max(1, calls // OF_A_CLINIC))
    for _ in range(reports.MOST_ROUNDS):
        jobs.roll_up(sessions, lambda: NOW)
    databases.settle(address)
    engine.dispose()
    told.send(None)


def _measure(address: str, _calls: int, told: "multiprocessing.connection.Connection") -> None:
    databases.use_keys()
    engine = orm.make_engine(address)
    with closing(databases.connect(address)) as connection:
        ours, limit = reports.sides(address, orm.make_sessions(engine), connection)
    engine.dispose()
    told.send([min(side, key=lambda each: each.value) for side in (ours, limit)])
