"""The scheduler beside the server under load: ``python -m scripts.load.beside``.

Started by :mod:`scripts.load.run`. Its jobs are the product's, by the clock of the load test. The
carrier takes every text at once and then reports, as Twilio does, that it was sent and that it
arrived: into LOAD_REPORTED it is written how many reports were taken, and how many were not. With
``--settle`` all that a database which was just filled brings is done once, before anybody works.
"""

import json
import logging
import os
import signal
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from queue import SimpleQueue

from sqlalchemy import delete, select, update

from outreach import garbage, orm, sealing
from outreach.accounts.models import Clinic
from outreach.clock import utc_now
from outreach.orm import Sessions
from outreach.reports.models import RolledClinic, TouchedDays, TouchedEnrolment
from outreach.scheduler.leader import leadership_for
from outreach.scheduler.runner import Runner
from outreach.scheduler.schedule import PeriodicJob, periodic_jobs
from outreach.telephony.gateway import OutboundSms, ProviderReceipt
from scripts.benches import databases
from scripts.benches.outbox import StubCarrier
from scripts.load import work
from scripts.load.work import Answer

log = logging.getLogger(__name__)

REPORTS = ("sent", "delivered")
MOST_ROUNDS = 100  # of settling: a job that always finds something would never end
Report = Callable[[int, str, str], Answer]  # of a text of ours: its sid, and what became of it


class ReportingCarrier(StubCarrier):
    """Takes a text and tells what became of it, from a thread of its own."""

    def __init__(self, path: Path, report: Report) -> None:
        super().__init__(path)
        self.reported: Counter[str] = Counter()
        self._report = report
        self._taken: SimpleQueue[tuple[int, str] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._tell, name="reports")
        self._thread.start()

    def send_sms(self, sms: OutboundSms) -> ProviderReceipt:
        """Take one text."""
        receipt = super().send_sms(sms)
        self._taken.put((sms.reference, receipt.provider_id))
        return receipt

    def close(self) -> None:
        """Tell of what was taken, and end."""
        self._taken.put(None)
        self._thread.join()

    def _tell(self) -> None:
        while (taken := self._taken.get()) is not None:
            for status in REPORTS:
                answer = self._report(*taken, status)
                is_taken = answer.status < 300  # noqa: PLR2004 - as HTTP counts
                self.reported["taken" if is_taken else "failed"] += 1


class _Wire:
    """Posts to the server under load, each time by a connection of its own, as a carrier does."""

    def __init__(self, address: str) -> None:
        self._address = address

    def get(self, path: str, name: str) -> Answer:
        del name
        return self._answer(urllib.request.Request(self._address + path))  # noqa: S310 - our own

    def post(
        self, path: str, data: Mapping[str, str], name: str, headers: Mapping[str, str]
    ) -> Answer:
        del name
        body = urllib.parse.urlencode(data).encode()
        return self._answer(
            urllib.request.Request(self._address + path, body, dict(headers))  # noqa: S310 - our own
        )

    def _answer(self, request: urllib.request.Request) -> Answer:
        try:
            with urllib.request.urlopen(request, timeout=30) as got:  # noqa: S310 - our own
                return Answer(got.status, got.read().decode())
        except urllib.error.HTTPError as error:
            return Answer(error.code, "")
        except OSError:
            return Answer(0, "")


def settle(jobs: Iterable[PeriodicJob]) -> None:
    """Run every job in order until none finds anything, but what comes hours after an upgrade."""
    of_a_day = [job for job in jobs if job.every_seconds < sealing.RENEWED_WITHIN_SECONDS]
    for _round in range(MOST_ROUNDS):
        done = {job.name: job.run() for job in of_a_day}
        log.info("settled: %s", {name: count for name, count in done.items() if count})
        if not any(done.values()):
            return


def leave_history(sessions: Sessions, *, now: datetime) -> None:
    """Let the reports of a filled database begin today.

    To roll up a million patients takes an hour, once, and is no part of a day.
    """
    rolled = {"weeks_until_on": now.date() - timedelta(days=1)}
    with sessions.begin() as session:
        session.execute(delete(TouchedDays))
        session.execute(delete(TouchedEnrolment))
        clinics = session.scalars(select(Clinic.id).order_by(Clinic.id)).all()
        orm.insert_new(session, RolledClinic, [{"clinic_id": each} | rolled for each in clinics])
        session.execute(update(RolledClinic).values(rolled))


def main() -> None:
    """Do what is due, once or until told to stop."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    ahead = timedelta(seconds=float(os.environ["LOAD_AHEAD"]))
    instance, wire = Path(os.environ["INSTANCE_PATH"]), _Wire(os.environ["LOAD_SERVER"])
    sealing.use(databases.KEYS)
    engine, stopping = orm.make_engine(os.environ["DATABASE_URL"]), threading.Event()
    carrier = ReportingCarrier(
        instance / "taken", lambda reference, sid, status: work.report(wire, reference, sid, status)
    )

    def clock() -> datetime:
        return utc_now() + ahead

    sessions = orm.make_sessions(engine)
    jobs = periodic_jobs(
        sessions,
        carrier,
        clock,
        instance / "uploads",
        go_on=lambda: not stopping.is_set(),
        audit_head=instance / "audit_head",
    )
    garbage.leave_what_is_loaded()
    if "--settle" in sys.argv:
        leave_history(sessions, now=clock())
        settle(jobs)
    else:
        runner = Runner(jobs, leadership_for(engine, instance), stopping)
        signal.signal(signal.SIGTERM, runner.stop)
        runner.run()
    carrier.close()
    Path(os.environ["LOAD_REPORTED"]).write_text(json.dumps(carrier.reported))
    engine.dispose()


if __name__ == "__main__":
    main()
