"""Saving a call over HTTP, eight callers at a time, beside its seven rows in bare transactions.

Ours is the whole of Save: the session, the form, every rule, the plan of the next call, the
audit trail, and which patient comes next. The limit writes the rows that come of it by the bare
driver, a transaction an outcome, from as many threads (performance.md 2c, 6: rows 3a to 3c).
"""

import math
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import timedelta
from http.client import HTTPConnection
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from outreach.accounts.models import StaffMember
from outreach.db import db
from outreach.panels.models import PanelMembership
from outreach.patients.models import Patient
from outreach.planning.models import PlannedCall
from scripts.benches import databases, page_server, queue_page, queue_rows
from scripts.benches.measure import Result, Sample, alternate, pss_mb
from scripts.benches.queue_rows import LARGE, NOW, SMALL, TODAY, USUAL

CLIENTS, WORKERS, ROUNDS = 8, 2, 3
CALLS = 14  # of each client in a round
ANSWERS = {
    "reached": "yes", "minutes": "12", "note": "Walked to the church and back, twice.",
    "glucose": "132", "glucose_unit": "mg/dL", "weight": "89", "weight_unit": "kg",
    "hba1c_unit": "%",
}  # fmt: skip
_OF_THREAD = threading.local()
# Signing in is made slow on purpose, and is not what is measured.
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
# The rows of one outcome: the call, the dial, the note, two readings, the next call, the trail.
BARE = """
UPDATE planned_call SET status = 'completed', closed_at = '{now}', dials = dials + 1
 WHERE id = {call} AND status = 'planned';
INSERT INTO attempt (form_key, answers_hash, clinic_id, patient_id, enrolment_id, planned_call_id,
       caller_id, is_primary_caller, at, minutes, outcome)
VALUES ('{key}', '', {clinic}, {patient}, {enrolment}, {call},
       {caller}, true, '{now}', 12, 'reached_completed') RETURNING id;
INSERT INTO call_note (clinic_id, patient_id, attempt_id, by_staff_id, text, at)
VALUES ({clinic}, {patient}, {attempt}, {caller}, 'Walked to the church and back.', '{now}');
INSERT INTO reading (clinic_id, patient_id, attempt_id, kind, value, entered_value, entered_unit,
       taken_at, is_time_known, recorded_at, recorded_by_id, source, reason)
VALUES ({clinic}, {patient}, {attempt}, 'glucose', 132, '132', 'mg/dL',
       '{now}', true, '{now}', {caller}, 'call', '');
INSERT INTO reading (clinic_id, patient_id, attempt_id, kind, value, entered_value, entered_unit,
       taken_at, is_time_known, recorded_at, recorded_by_id, source, reason)
VALUES ({clinic}, {patient}, {attempt}, 'weight', 89, '89', 'kg',
       '{now}', true, '{now}', {caller}, 'call', '');
INSERT INTO planned_call (clinic_id, patient_id, enrolment_id, sequence, phase, due_on,
       complete_by_on, dial_from_at, dial_until_at, is_agreed, dials, status, planned_at)
VALUES ({clinic}, {patient}, {enrolment}, {sequence}, 'weeks_5_to_26', '{due}',
       '{due}', '{next}', '{next}', false, 0, 'planned', '{now}');
INSERT INTO audit_event (at, actor_id, clinic_id, patient_id, action, object_kind, object_id)
VALUES ('{now}', {caller}, {clinic}, {patient}, 'recorded a call', 'attempt', {attempt})
""".split(";")


@dataclass(frozen=True)
class Open:
    """One call that is to be made."""

    call: int
    clinic: int
    patient: int
    enrolment: int
    caller: int
    sequence: int
    ref: str


def run(patients: int | None, url: str | None) -> Result:
    """Measure both for callers with a usual panel; count what one outcome asks of the database."""
    panels = 1 + 2 * CLIENTS * math.ceil(ROUNDS * CALLS / USUAL)
    made = max(patients or 0, SMALL + LARGE + USUAL * panels)
    with tempfile.TemporaryDirectory(prefix="outreach-bench-") as folder:
        address = databases.prepare(url, Path(folder))
        queue_rows.fill(address, made, QUICK.hash(queue_rows.PASSWORD))
        app = queue_page.app_of(address, Path(folder))
        try:
            return _measured(app, address, made)
        finally:
            with app.app_context():
                db.engine.dispose()
            databases.empty(address)


def _measured(app: Flask, address: str, patients: int) -> Result:
    counted, *panels = _panels(app)
    statements = _statements(app, counted)
    ours, bare = panels[::2], panels[1::2]
    cookies = {panel[0].caller: queue_page.headers_of(_signed_in(app, panel)) for panel in ours}
    with app.app_context():
        db.engine.dispose()
    waits: dict[str, list[float]] = {"ours": [], "limit": []}
    with page_server.serving(app, address, "/healthz", workers=WORKERS) as served:
        browsers = [_Browser(served.port, cookies) for _client in range(CLIENTS)]
        writers = [_Writer(address) for _client in range(CLIENTS)]
        saved, written = alternate(
            _round([each.save for each in browsers], ours, waits["ours"]),
            _round([each.write for each in writers], bare, waits["limit"]),
            rounds=ROUNDS,
        )
        memory_mb = pss_mb(served.pid)
    extra = {
        "patients": f"{patients:,}",
        "clients": str(CLIENTS),
        "statements an outcome": str(statements),
        **{f"{name}, slowest, ms": f"{max(each) * 1000:.1f}" for name, each in waits.items()},
    }
    saved = [Sample(each.value, memory_mb) for each in saved]
    return Result("log-call", "ms an outcome, all clients together", saved, written, extra)


def _round(
    clients: Sequence[Callable[[Open], None]], panels: Sequence[Sequence[Open]], waits: list[float]
) -> Callable[[], Sample]:
    """Return what lets every client deal with its next calls at once and times them."""
    todo = [
        iter([each for panel in panels[number :: len(clients)] for each in panel])
        for number in range(len(clients))
    ]

    def timed(client: Callable[[Open], None], calls: Iterator[Open]) -> list[float]:
        found = []
        for _call in range(CALLS):
            began = time.perf_counter()
            client(next(calls))
            found.append(time.perf_counter() - began)
        return found

    def once() -> Sample:
        began = time.perf_counter()
        with ThreadPoolExecutor(len(clients)) as pool:
            for found in pool.map(timed, clients, todo):
                waits.extend(found)
        spent = time.perf_counter() - began
        return Sample(spent * 1000 / (len(clients) * CALLS))

    return once


class _Browser:
    """Saves calls over a connection of its own, each as its caller."""

    def __init__(self, port: int, headers: Mapping[int, Mapping[str, str]]) -> None:
        self._connection = HTTPConnection("127.0.0.1", port)
        self._headers = headers

    def save(self, call: Open) -> None:
        """Send the form of one call."""
        headers = {
            **self._headers[call.caller],
            "Content-Type": "application/x-www-form-urlencoded",
        }
        body = urlencode(_form(call))
        self._connection.request("POST", f"/calls/{call.ref}", body, headers)
        answer = self._connection.getresponse()
        answer.read()
        _check_saved(answer.status)


class _Writer:
    """Writes the rows of an outcome over a connection of its own."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._begin = "BEGIN IMMEDIATE" if databases.is_sqlite(address) else "BEGIN"

    def write(self, call: Open) -> None:
        """Write one transaction."""
        connection = self._connection()
        words = {
            **asdict(call), "key": uuid.uuid4().hex, "now": NOW.isoformat(" "), "attempt": 0,
            "due": TODAY + timedelta(days=7), "next": (NOW + timedelta(days=7)).isoformat(" "),
        }  # fmt: skip
        connection.execute(self._begin)
        for statement in BARE:
            found = connection.execute(statement.format(**words))
            if "RETURNING" in statement:
                words["attempt"] = found.fetchone()[0]
        connection.commit()

    def _connection(self) -> Any:
        # The driver of SQLite lets only the thread use a connection that opened it.
        if getattr(_OF_THREAD, "address", None) != self._address:
            _OF_THREAD.address, _OF_THREAD.connection = (
                self._address,
                databases.connect(self._address),
            )
        return _OF_THREAD.connection


def _form(call: Open) -> dict[str, str]:
    return ANSWERS | {"planned_call_id": str(call.call), "form_key": uuid.uuid4().hex}


def _check_saved(status: int) -> None:
    if status != 302:  # noqa: PLR2004 - sent on to the next patient
        raise RuntimeError(f"Saving a call answered {status}.")


def _panels(app: Flask) -> list[list[Open]]:
    """Return the open calls of each usual panel."""
    statement = (
        select(
            PlannedCall.id, PlannedCall.clinic_id, PlannedCall.patient_id,
            PlannedCall.enrolment_id, PanelMembership.caller_id, PlannedCall.sequence + 1,
            Patient.ref,
        )
        .join(PanelMembership, PanelMembership.enrolment_id == PlannedCall.enrolment_id)
        .join(Patient, Patient.id == PlannedCall.patient_id)
        .where(PlannedCall.is_open)
        .order_by(PlannedCall.id)
    )  # fmt: skip
    with app.app_context():
        found = [Open(*row) for row in db.session.execute(statement)]
    panels = [list(panel) for _caller, panel in groupby(found, key=lambda each: each.caller)]
    return [panel for panel in panels if len(panel) == USUAL]


def _signed_in(app: Flask, panel: Sequence[Open]) -> FlaskClient:
    """Return a browser of whoever has this panel."""
    with app.app_context():
        email = db.session.get_one(StaffMember, panel[0].caller).email
    return queue_page.signed_in(app, email)


def _statements(app: Flask, panel: Sequence[Open]) -> int:
    """Return how many statements one Save takes, looking for the next patient among them."""
    client = _signed_in(app, panel)
    with app.app_context(), queue_page.statements_of(db.engine) as seen:
        for call in panel[:2]:  # the first also notes that somebody is at the keyboard
            seen.clear()
            _check_saved(client.post(f"/calls/{call.ref}", data=_form(call)).status_code)
    return len(seen)
