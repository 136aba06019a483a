"""What sending would be with one job of APScheduler for each text, all due at once."""

import os
import time
from pathlib import Path

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler

from outreach.clock import utc_now

TABLE = "bench_job"
THREADS = 10
LONGEST_S = 300


def take(path: str, number: int) -> None:
    """Be the carrier: append the number of one text."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(handle, b"%d\n" % number)
    os.close(handle)


def texts_a_second(url: str, folder: Path, count: int) -> float:
    """Return how many of ``count`` jobs are done a second, once all are stored."""
    taken = folder / "taken-by-jobs"
    taken.touch()
    address = url.replace("postgresql://", "postgresql+psycopg://")
    store = SQLAlchemyJobStore(url=address, tablename=TABLE)
    scheduler = BackgroundScheduler(
        jobstores={"default": store}, executors={"default": ThreadPoolExecutor(THREADS)}
    )
    scheduler.start(paused=True)
    for number in range(count):
        scheduler.add_job(
            take,
            "date",
            run_date=utc_now(),
            args=[str(taken), number],
            id=str(number),
            misfire_grace_time=None,
        )
    began = time.perf_counter()
    scheduler.resume()
    while taken.read_bytes().count(b"\n") < count:
        if time.perf_counter() - began > LONGEST_S:
            raise RuntimeError("The scheduler lost jobs.")
        time.sleep(0.002)
    seconds = time.perf_counter() - began
    scheduler.shutdown()
    store.jobs_t.drop(store.engine)
    store.engine.dispose()
    return count / seconds
