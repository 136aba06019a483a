"""The scheduler process: the only user of APScheduler, which is a clock here and no more.

Run as ``python -m outreach.scheduler.runner``. Any number may be started; one leads.
"""

import logging
import signal
import threading
import time
from collections.abc import Sequence
from datetime import UTC
from types import FrameType

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from config import Config
from outreach import orm, tables
from outreach.clock import utc_now
from outreach.scheduler.leader import Leadership, leadership_for
from outreach.scheduler.schedule import PeriodicJob, exports_of, periodic_jobs
from outreach.telephony.carrier import carrier_of

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
_SHORT, _LONG = "default", "long"


class Runner:
    """Ticks the periodic jobs while this process leads."""

    def __init__(self, jobs: Sequence[PeriodicJob], leadership: Leadership) -> None:
        self._leadership = leadership
        self._stopping = threading.Event()
        # One worker: jobs feed each other, and SQLite has one writer anyway. Another for what
        # takes minutes, and reads.
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={_SHORT: ThreadPoolExecutor(1), _LONG: ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        for job in jobs:
            self._scheduler.add_job(
                _tick,
                IntervalTrigger(seconds=job.every_seconds),
                args=[job],
                id=job.name,
                executor=_LONG if job.is_long else _SHORT,
            )
        self._jobs = jobs

    def run(self) -> None:
        """Wait to lead, then tick until stopped or until leadership is lost."""
        while not self._stopping.is_set() and not self._leadership.acquire():
            self._stopping.wait(POLL_SECONDS)
        if self._stopping.is_set():
            return
        log.info("this scheduler leads")
        for job in (each for each in self._jobs if not each.is_long):
            _tick(job)  # what fell due while nobody was up
        self._scheduler.start()
        while not self._stopping.wait(POLL_SECONDS):
            if not self._leadership.still_held():
                log.error("leadership lost; stopping")
                break
        self._scheduler.shutdown(wait=True)
        self._leadership.release()

    def stop(self, *_signal: int | FrameType | None) -> None:
        """Stop after the tick that is running."""
        self._stopping.set()


def _tick(job: PeriodicJob) -> None:
    """Run one job once; log how it went; let nothing stop the others."""
    began = time.monotonic()
    try:
        done = job.run()
    except Exception:
        log.exception("job failed: %s", job.name)
        return
    if done:
        log.info("%s: %s in %.2f s", job.name, done, time.monotonic() - began)


def main() -> None:
    """Run the scheduler of this installation until told to stop."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s scheduler %(message)s")
    for chatty in ("apscheduler", "twilio", "urllib3"):  # Twilio's client logs numbers
        logging.getLogger(chatty).setLevel(logging.WARNING)
    config = Config.from_environment()
    engine = orm.make_engine(config.database_url)
    sessions = orm.make_sessions(engine)
    log.debug("tables: %s", len(tables.ALL))
    jobs = periodic_jobs(sessions, carrier_of(config), utc_now, config.uploads, exports_of(config))
    runner = Runner(jobs, leadership_for(engine, config.instance_path))
    signal.signal(signal.SIGTERM, runner.stop)
    signal.signal(signal.SIGINT, runner.stop)
    runner.run()
    engine.dispose()


if __name__ == "__main__":
    main()
