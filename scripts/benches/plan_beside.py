"""A caller's queue page while everybody else is planned for, beside the same page at rest.

Asked for at a person's pace, over and over, of two workers as in earnest; what counts is how
long the slowest one in a hundred takes. At last the planner is killed midway and run again.
"""

import gc
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from math import ceil
from multiprocessing.context import ForkProcess
from pathlib import Path

from argon2 import PasswordHasher
from flask import Flask

from outreach import orm
from outreach.accounts.rules import Role
from outreach.db import db
from outreach.planning.jobs import plan_missing_calls
from outreach.sealing import STAFF_EMAILS
from scripts.benches import databases, page_server, plan, plan_rows, queue_page
from scripts.benches.measure import Result, Sample, alternate
from scripts.benches.page_server import PageServer
from scripts.benches.plan_rows import NOW, PANEL, TODAY
from scripts.benches.queue_rows import PASSWORD

WORKERS, ROUNDS = 2, 3
PAUSE_SECONDS = 0.02  # between two pages
AT_LEAST = 50  # pages a round
EMAIL = "viewer@bench.example"
# Forked: what the product loaded is not loaded again, as the scheduler has it.
_FORK = multiprocessing.get_context("fork")


@dataclass
class Beside:
    """The page of one caller, and what was seen: pages and seconds of each run of the planner."""

    served: PageServer
    address: str
    caller_id: int
    pages: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def planning(self) -> Sample:
        """Ask for pages as long as the planner runs."""
        plan.forget(self.address, besides=self.caller_id)
        self.served.get(queue_page.QUEUE)
        began = time.perf_counter()
        planner = _started(self.address)
        sample = self._ask(planner.is_alive)
        planner.join()
        self.seconds.append(time.perf_counter() - began)
        _check(self.address)
        return sample

    def at_rest(self) -> Sample:
        """Ask for as many pages as the planner left time for."""
        most = max(AT_LEAST, self.pages[-1])
        asked = iter(range(most))
        return self._ask(lambda: next(asked, None) is not None, is_counted=False)

    def _ask(self, goes_on: Callable[[], bool], *, is_counted: bool = True) -> Sample:
        waits: list[float] = []
        while goes_on() or not waits:
            began = time.perf_counter()
            self.served.get(queue_page.QUEUE)
            waits.append((time.perf_counter() - began) * 1000)
            time.sleep(PAUSE_SECONDS)
        if is_counted:
            self.pages.append(len(waits))
        return Sample(sorted(waits)[ceil(0.99 * len(waits)) - 1])


def run(enrolments: int | None, url: str | None) -> Result:
    """Measure pages of one caller while the calls of all others are planned, and at rest."""
    count = max(enrolments or 100_000, 3 * PANEL)
    caller_id = count // PANEL // 2
    with tempfile.TemporaryDirectory(prefix="outreach-bench-") as folder:
        address = databases.prepare(url, Path(folder))
        plan.fill(address, count)
        app = queue_page.app_of(address, Path(folder))
        with _served(app, address, caller_id) as served:
            rows = served.get(queue_page.QUEUE).count(queue_page.ROW_MARK)
            found = Beside(served, address, caller_id)
            beside, at_rest = alternate(found.planning, found.at_rest, rounds=ROUNDS)
        left = _kill_midway(address, min(found.seconds) / 2)
        plan.drop_decided(address)
        databases.empty(address)
    if not rows:
        raise RuntimeError("The queue is empty.")
    extra = {
        "enrolments": f"{count:,}",
        "rows on the page": str(rows),
        "pages while planning": f"{sum(found.pages):,}",
        "planning, seconds": f"{min(found.seconds):.2f}",
        "killed midway: left": f"{left:,}",
        "run again: calls that differ": "0",
    }
    return Result("plan-beside-pages", "ms, 99 of 100 pages", beside, at_rest, extra)


@contextmanager
def _served(app: Flask, address: str, caller_id: int) -> Iterator[PageServer]:
    """Serve the pages of one caller, who gets an account of their own."""
    with closing(databases.connect(address)) as connection:
        password_hash = PasswordHasher().hash(PASSWORD)
        email = STAFF_EMAILS.sealed(EMAIL)
        clinic_id = plan_rows.clinic_of(caller_id * PANEL - 1)
        is_sqlite = databases.is_sqlite(address)
        role = {"staff_id": caller_id, "clinic_id": clinic_id, "role": Role.CALLER.value}
        own = {"membership": [role | {"from_on": TODAY.isoformat()}]}
        databases.write(connection, own, is_sqlite=is_sqlite)
        connection.execute(
            f"UPDATE staff_member SET email = '{email}', password_hash = '{password_hash}'"  # noqa: S608
            f" WHERE id = {caller_id}"
        )
        connection.commit()
    headers = queue_page.headers_of(queue_page.signed_in(app, EMAIL))
    with app.app_context():
        db.engine.dispose()  # the server opens its own connections
    with page_server.serving(app, address, "/healthz", headers, workers=WORKERS) as served:
        yield served


def _started(address: str) -> ForkProcess:
    planner = _FORK.Process(target=_plan, args=(address,))
    planner.start()
    return planner


def _plan(address: str) -> None:
    gc.freeze()  # as the scheduler does
    engine = orm.make_engine(address)
    plan_missing_calls(orm.make_sessions(engine), lambda: NOW)
    engine.dispose()


def _check(address: str) -> None:
    """Whatever came between, everybody has the call that an undisturbed planner gave them."""
    missing = _missing(address)
    unlike = plan.unlike_decided(address)
    if missing or unlike:
        raise plan.Unlike(f"{missing} calls are missing and {unlike} differ")


def _kill_midway(address: str, seconds: float) -> int:
    """Kill a planner after some seconds, and run another; return how many calls were left."""
    plan.forget(address)
    planner = _started(address)
    time.sleep(seconds)
    planner.kill()
    planner.join()
    left = _missing(address)
    planner = _started(address)
    planner.join()
    _check(address)
    return left


def _missing(address: str) -> int:
    with closing(databases.connect(address)) as connection:
        (missing,) = connection.execute(
            f"SELECT (SELECT count(*) FROM {plan.DECIDED}) - count(*) FROM planned_call "  # noqa: S608
            "WHERE status = 'planned'"
        ).fetchone()
    return int(missing)
