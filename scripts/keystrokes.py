"""How many keys, and how much of the server's time, one logged call takes.

    python scripts/keystrokes.py [--calls 20]

A real browser logs calls in a row by keyboard alone, on a server and a database of its own:
once calls that nobody answers, once the common call (we talked, a note). Keys are counted
without the letters of the note: those are the caller's own words.
"""

import argparse
import json
import logging
import os
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config as AlembicConfig
from argon2 import PasswordHasher
from flask import Flask
from playwright.sync_api import Page, sync_playwright
from werkzeug.serving import make_server

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from config import ROOT, Config
from outreach import orm
from outreach.accounts.models import StaffMember
from outreach.app import create_app
from outreach.deps import Deps
from outreach.orm import Sessions
from scripts.screenshots import CHROMIUM_FLAGS
from tests.builders import (
    PASSWORD,
    make_clinic,
    make_enrolment,
    make_on_call,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.fakes import FakeClock, FakeGateway

NOTE = "Her sister came to visit."
MONDAY_10_CHICAGO = datetime(2026, 11, 23, 16, tzinfo=UTC)
QUICK_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass(frozen=True)
class Spent:
    """Seconds of the server: on the clock, and of the processor, which a busy machine spares."""

    clock: float = 0.0
    processor: float = 0.0

    def __sub__(self, other: "Spent") -> "Spent":
        return Spent(self.clock - other.clock, self.processor - other.processor)


@dataclass(frozen=True)
class Logged:
    """What one call took: keys beside the note, and the server's time, waiting included."""

    keys: int
    spent: "Spent"


@dataclass
class Timed:
    """A WSGI app that adds up how long it works, from a request to its last byte."""

    app: Callable[..., Iterable[bytes]]
    spent: Spent = field(default_factory=Spent)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, environ: Any, start_response: Any) -> list[bytes]:
        """Answer, and count what it took."""
        began, worked = time.perf_counter(), time.thread_time()
        answer = self.app(environ, start_response)
        try:
            return list(answer)
        finally:
            if hasattr(answer, "close"):
                answer.close()
            took = Spent(began - time.perf_counter(), worked - time.thread_time())
            with self.lock:
                self.spent -= took


class Keyboard:
    """A keyboard that counts: a key held down with another one is two."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.pressed = 0

    def press(self, *keys: str) -> None:
        """Press keys one after the other."""
        for key in keys:
            self.page.keyboard.press(key)
            self.pressed += key.count("+") + 1


def no_answer(keyboard: Keyboard) -> None:
    """Nobody picks up."""
    keyboard.press("2", "Enter")


def common_call(keyboard: Keyboard) -> None:
    """A conversation and a note about it; its minutes are the clock's."""
    keyboard.press("1")
    keyboard.page.keyboard.type(NOTE)
    keyboard.press("Control+Enter")


def log_calls(
    page: Page, said: Callable[[Keyboard], None], calls: int, server: Callable[[], Spent]
) -> list[Logged]:
    """Log ``calls`` calls in a row, from a queue that holds as many, by keyboard alone."""
    page.goto("/queue/")
    page.keyboard.press("Enter")
    logged = []
    for _call in range(calls):
        page.wait_for_url("**/calls/*")
        page.locator("#report[data-ready]").wait_for()
        keyboard, began, address = Keyboard(page), server(), page.url
        keyboard.press("c")
        page.locator("[data-timer]").wait_for()
        page.locator("#report[data-ready]").wait_for()
        said(keyboard)
        page.wait_for_function("before => location.href !== before", arg=address)
        page.wait_for_load_state()
        logged.append(Logged(keyboard.pressed, server() - began))
    return logged


def make_queue(sessions: Sessions, calls: int, password_hash: str) -> StaffMember:
    """Make a caller with ``calls`` patients to call now."""
    with sessions.begin() as session:
        clinic = make_clinic(session)
        make_on_call(session, clinic)
        caller = make_staff(session, clinic, password_hash=password_hash)
        for number in range(calls):
            patient = make_patient(session, clinic, phone=f"+1512555{1000 + number}")
            make_planned_call(session, make_enrolment(session, patient, caller=caller))
        return caller


def main() -> None:
    """Log calls and print the medians."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--calls", type=int, default=20, help="how many calls in a row")
    calls = parser.parse_args().calls
    found = {}
    with tempfile.TemporaryDirectory(prefix="outreach-keys-") as folder:
        app, sessions = _product(Path(folder))
        timed = Timed(app)
        with _served(timed) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"),
                args=CHROMIUM_FLAGS,
            )
            for name, said in (("no answer", no_answer), ("common call", common_call)):
                caller = make_queue(sessions, calls, QUICK_HASHER.hash(PASSWORD))
                page = browser.new_context(base_url=address).new_page()
                _sign_in(page, caller)
                found[name] = log_calls(page, said, calls, lambda: timed.spent)
                page.context.close()
            browser.close()
    print_medians(found, calls)


def print_medians(found: dict[str, list[Logged]], calls: int) -> None:
    """Print the medians of each kind of call: a table, and last one JSON line."""
    print(f"{'':14}{'keys':>6}{'server, s':>12}{'of it CPU':>12}   medians of {calls} calls")
    medians = {}
    for name, logged in found.items():
        keys = statistics.median(each.keys for each in logged)
        clock = statistics.median(each.spent.clock for each in logged)
        processor = statistics.median(each.spent.processor for each in logged)
        print(f"{name:14}{keys:6g}{clock:12.3f}{processor:12.3f}")
        medians[name] = {
            "keys": keys,
            "server_seconds": round(clock, 4),
            "processor_seconds": round(processor, 4),
        }
    print(json.dumps({"name": "keystrokes", "calls": calls, **medians}))


def _product(folder: Path) -> tuple[Flask, Sessions]:
    """Return a new installation on a stopped clock, and its sessions."""
    url = f"sqlite:///{folder / 'outreach.sqlite3'}"
    alembic = AlembicConfig(toml_file=ROOT / "pyproject.toml")
    alembic.attributes["url"] = url
    command.upgrade(alembic, "head")
    clock = FakeClock(MONDAY_10_CHICAGO)
    config = Config(database_url=url, instance_path=folder, secret_key="keystrokes " * 4)
    # In a thread of its own: Playwright's event loop may not share the app's.
    with ThreadPoolExecutor(1) as thread:
        app = thread.submit(create_app, Deps(config, clock, FakeGateway(clock))).result()
    app.extensions["password_hasher"] = QUICK_HASHER
    return app, orm.make_sessions(orm.make_engine(url))


@contextmanager
def _served(app: Timed) -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


def _sign_in(page: Page, person: StaffMember) -> None:
    page.goto("/sign-in")
    page.get_by_label("E-mail address").fill(person.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Sign out").wait_for()


if __name__ == "__main__":
    main()
