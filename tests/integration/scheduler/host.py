"""A scheduler or worker on a host of a test: the real thing, at another time of day.

Run as ``python -m tests.integration.scheduler.host scheduler``. The clock is ahead by
``AHEAD`` seconds, so that it is a working day; jobs come five times as often.
"""

import logging
import os
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from config import Config
from outreach import orm, sealing, tables
from outreach.clock import utc_now
from outreach.scheduler.leader import leadership_for
from outreach.scheduler.runner import Runner
from outreach.scheduler.schedule import periodic_jobs
from outreach.scheduler.worker import Worker
from outreach.telephony.console_gateway import ConsoleGateway

_loaded = tables


def main(kind: str) -> None:
    """Run until killed, or until the seat is lost."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    ahead = timedelta(seconds=float(os.environ["AHEAD"]))

    def clock() -> datetime:
        return utc_now() + ahead

    folder = Path(os.environ["INSTANCE_PATH"])
    sealing.use(Config.from_environment().data_keys)
    engine = orm.make_engine(os.environ["DATABASE_URL"])
    sessions = orm.make_sessions(engine)
    gateway = ConsoleGateway(folder / "carrier.jsonl", clock)
    if kind == "worker":
        Worker(sessions, gateway, clock).run()
    jobs = [
        replace(job, every_seconds=job.every_seconds / 5)
        for job in periodic_jobs(sessions, gateway, clock, folder / "uploads")
    ]
    Runner(jobs, leadership_for(engine, folder)).run()


if __name__ == "__main__":
    main(sys.argv[1])
