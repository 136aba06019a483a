"""Plan every missing call of a database, and once more, with no more loaded than that needs.

``python -m scripts.benches.plan_twice ADDRESS NOW``: a process of its own for the sake of its
memory, in which neither the rows of the bench nor what migrates its database may count.
"""

import json
import sys
import time
from datetime import datetime

from sqlalchemy import event

from outreach import garbage, orm, tables
from outreach.patients import hours
from outreach.planning.jobs import plan_missing_calls
from scripts.benches import databases
from scripts.benches.measure import backend_pid, cpu_seconds, peak_mb


def plan_twice(address: str, now: datetime) -> tuple[int, float, float, float, float]:
    """Return how many were planned, seconds, those of CPU, memory in MB, and seconds again."""
    engine, pids = orm.make_engine(address), list[int | None]()
    # Of each connection that is opened: one reads while another writes.
    event.listen(
        engine, "connect", lambda connection, _record: pids.append(backend_pid(connection))
    )
    sessions = orm.make_sessions(engine)
    with orm.reading(), sessions() as session:
        hours.book_of(session, today=now.date())  # loads a calendar, once a process
    garbage.leave_what_is_loaded()  # as the scheduler does
    began, cpu_began = time.perf_counter(), cpu_seconds(*pids)
    planned = plan_missing_calls(sessions, lambda: now)
    seconds, cpu = time.perf_counter() - began, cpu_seconds(*pids) - cpu_began
    peak = peak_mb()
    began = time.perf_counter()
    planned += plan_missing_calls(sessions, lambda: now)
    again = time.perf_counter() - began
    engine.dispose()
    return planned, seconds, cpu, peak, again


if __name__ == "__main__":
    assert tables.ALL  # noqa: S101 - every table is known to the others by then
    databases.use_keys()
    print(json.dumps(plan_twice(sys.argv[1], datetime.fromisoformat(sys.argv[2]))))
