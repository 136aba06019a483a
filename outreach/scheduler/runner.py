"""The scheduler process: the only user of APScheduler, which is a clock here and no more.

Run as ``python -m outreach.scheduler.runner``. Any number may be started; one leads. One that
lost its seat ends, and whatever keeps processes up starts it again.
"""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from datetime import UTC, timedelta
from types import FrameType

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from config import Config
from outreach import garbage, logs, orm, tables, traces
from outreach.audit import keeping
from outreach.clock import NoTimeZones, Watch, need_time_zones, utc_now
from outreach.scheduler.leader import Leadership, leadership_for
from outreach.scheduler.noting import noted
from outreach.scheduler.schedule import Lane, PeriodicJob, exports_of, periodic_jobs
from outreach.telephony.carrier import carrier_of
from outreach.telephony.mail import mailer_of
from outreach.upkeep import fitting
from outreach.upkeep.fitting import KeysDontFit

log = logging.getLogger("outreach.scheduler.runner")  # run as a program, its name is __main__

POLL_SECONDS = 1.0
# Longer than a seat lasts without its holder: by then another scheduler leads.
GIVE_UP_SECONDS = 10.0
# A clock that is kept right is moved by milliseconds.
MOST_MOVED = timedelta(seconds=5)
_AT_ONCE = (Lane.SHORT, Lane.SENDING, Lane.SETTLING)  # by whoever begins to lead


class Runner:
    """Ticks the periodic jobs while this process leads."""

    def __init__(
        self,
        jobs: Sequence[PeriodicJob],
        leadership: Leadership,
        stopping: threading.Event | None = None,
    ) -> None:
        self._leadership = leadership
        self._stopping = stopping or threading.Event()
        # One worker a lane: jobs feed each other, and SQLite has one writer anyway.
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={lane.value: ThreadPoolExecutor(1) for lane in Lane},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._jobs = jobs
        self._heard_at = time.monotonic()

    def run(self) -> None:
        """Wait to lead, then tick until stopped or until leadership is lost."""
        while not self._stopping.is_set() and not self._leadership.acquire():
            self._stopping.wait(POLL_SECONDS)
        if self._stopping.is_set():
            return
        log.info("this scheduler leads")
        watch = Watch(utc_now)
        self._begin()
        while not self._stopping.wait(POLL_SECONDS):
            if not self._leadership.still_held():
                log.error("leadership lost; stopping")
                break
            self._heard_at = time.monotonic()
            self._follow_clock(watch.moved())
        self._stopping.set()  # for a job that lasts as long as there is work
        self._scheduler.shutdown(wait=True)
        self._leadership.release()

    def stop(self, *_signal: int | FrameType | None) -> None:
        """Stop after the tick that is running."""
        self._stopping.set()

    def _begin(self) -> None:
        """Start ticking, at once with what fell due while nobody was up, in the jobs' order."""
        now = utc_now()
        for place, job in enumerate(self._jobs):
            is_waited_for = job.lane in _AT_ONCE
            first = {"next_run_time": now + timedelta(microseconds=place)} if is_waited_for else {}
            self._scheduler.add_job(
                _tick,
                IntervalTrigger(seconds=job.every_seconds),
                args=[job],
                id=job.name,
                executor=job.lane.value,
                **first,
            )
        self._scheduler.start()
        self._heard_at = time.monotonic()
        threading.Thread(target=self._end_when_cut_off, name="watch", daemon=True).start()

    def _follow_clock(self, moved: timedelta) -> None:
        """Let every job run when it would have, by the clock as it was set.

        APScheduler waits for moments of the clock: set back by an hour, it would do nothing for
        an hour, and hold the seat meanwhile. One that ran since is due after its interval.
        """
        if abs(moved) <= MOST_MOVED:
            return
        log.error("the clock moved by %.0f s; the jobs follow it", moved.total_seconds())
        now = utc_now()
        for job in self._jobs:
            waits_until = self._scheduler.get_job(job.name).next_run_time
            after_interval = now + timedelta(seconds=job.every_seconds)
            due_at = min(waits_until + moved, after_interval)
            self._scheduler.modify_job(job.name, next_run_time=due_at)

    def _end_when_cut_off(self) -> None:
        """End this process when it heard nothing of its seat for too long.

        The question itself may hang, and so may a job: neither can be interrupted. Ending at
        any statement harms nothing.
        """
        while not self._stopping.wait(POLL_SECONDS):
            if time.monotonic() - self._heard_at > GIVE_UP_SECONDS:
                log.critical("cut off from the database; ending")
                _end()


def _end() -> None:
    os._exit(1)


def _tick(job: PeriodicJob) -> None:
    """Run one job once; log how it went; let nothing stop the others."""
    began = time.monotonic()
    try:
        with traces.span(f"job {job.name}"):
            done = job.run()
    except Exception:
        log.exception("job failed: %s", job.name)
        return
    if done:
        log.info("%s: %s in %.2f s", job.name, done, time.monotonic() - began)


def main() -> None:
    """Run the scheduler of this installation until told to stop."""
    config = Config.from_environment()
    logs.begin("scheduler", as_json=config.logs_are_json)
    try:
        need_time_zones()
        fitting.begin(config)
    except (KeysDontFit, NoTimeZones) as error:
        sys.exit(str(error))
    traces.begin("scheduler", config.traces_url)
    engine = orm.make_engine(config.database_url)
    sessions = orm.make_sessions(engine)
    log.debug("tables: %s", len(tables.ALL))
    stopping = threading.Event()
    jobs = periodic_jobs(
        sessions,
        carrier_of(config),
        utc_now,
        config.uploads,
        exports_of(config),
        config.public_url,
        mailer_of(config),
        go_on=lambda: not stopping.is_set(),
        audit_head=keeping.kept_in(config.instance_path),
    )
    jobs = noted(jobs, sessions, utc_now)
    runner = Runner(jobs, leadership_for(engine, config.instance_path), stopping)
    signal.signal(signal.SIGTERM, runner.stop)
    signal.signal(signal.SIGINT, runner.stop)
    garbage.leave_what_is_loaded()  # looking through it took a sixth of planning
    runner.run()
    engine.dispose()
    traces.end()


if __name__ == "__main__":
    main()
