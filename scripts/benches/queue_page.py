"""A caller's queue page, signed in, beside a bare page over one statement of SQLAlchemy Core.

Each behind a gunicorn of its own, as the goals have it (performance.md 3, 6: ``/queue/core``):
what counts is the CPU of the web process and of the database. ``extra`` has the same two without
a server, in this process.
"""

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, event

from config import Config
from outreach import orm
from outreach.app import create_app
from outreach.db import db
from outreach.deps import Deps
from outreach.telephony.console_gateway import ConsoleGateway
from scripts.benches import databases, page_server, queue_rows
from scripts.benches.measure import Result, Sample, alternate
from scripts.benches.queue_rows import LARGE, NOW, PASSWORD, SMALL, USUAL, email_of

ROUNDS, REQUESTS = 5, 60
QUEUE = "/queue/"
ROW_MARK = 'id="call-'
# What the rows of our page say, without layout, languages, icons and rules.
TEMPLATE = """<!doctype html><html lang="en"><title>My queue</title><h1>My queue</h1><ul>
{% for row in rows %}<li id="call-{{ row[0] }}"><details><summary>
<strong>{{ row[9] }} {{ row[10] }}</strong> <span>{{ now_there(row[13]) }} in {{ row[13] }}</span>
<span>until {{ row[5] | there(row[13]) }}</span>
<span>{% if row[20] %}{{ row[20] | truncate(60) }}{% else %}{{ row[18] | truncate(90) }}{% endif %}
</span></summary>
{% if row[20] %}<p>Promised: {{ row[20] }}</p>{% endif %}
<p>Last note <span>{{ row[19] | there(row[13]) }}</span> {{ row[18] }}</p>
<ul>{% for at, outcome, name in row[22] | tries %}<li>{{ at | there(row[13]) }}: {{ outcome }}
({{ name }})</li>{% else %}<li>Not tried yet for this call.</li>{% endfor %}</ul>
<p>This call counts until {{ row[3] }}.</p></details>
<a href="/calls/{{ row[8] }}">Open {{ row[9] }} {{ row[10] }}</a></li>
{% endfor %}</ul></html>"""
# The same rows in one statement, as performance.md 2(a) has it; {tries} differs by database.
STATEMENT = """
SELECT c.id, c.phase, c.sequence, c.complete_by_on, c.dial_from_at, c.dial_until_at,
       c.is_agreed, c.dials, p.ref, p.given_name, p.family_name, p.preferred_name, p.language,
       p.zone, p.weekdays, k.opens, k.closes,
       (SELECT n.id FROM phone_number n
         WHERE n.patient_id = p.id AND n.health = 'working' LIMIT 1),
       (SELECT o.text FROM call_note o WHERE o.patient_id = p.id ORDER BY o.at DESC LIMIT 1),
       (SELECT o.at FROM call_note o WHERE o.patient_id = p.id ORDER BY o.at DESC LIMIT 1),
       (SELECT r.text FROM promise r
         WHERE r.patient_id = p.id AND r.kept_at IS NULL ORDER BY r.due_on, r.id LIMIT 1),
       (SELECT e.status FROM planned_call e
         WHERE e.enrolment_id = c.enrolment_id AND e.sequence = c.sequence - 1),
       {tries}
  FROM panel_membership m
  JOIN planned_call c ON c.enrolment_id = m.enrolment_id AND c.status = 'planned'
  JOIN patient p ON p.id = c.patient_id
  JOIN clinic k ON k.id = c.clinic_id
 WHERE m.caller_id = {caller} AND m.until_at IS NULL
 ORDER BY c.dial_from_at, c.id
"""
_TRIES = "FROM attempt a JOIN staff_member s ON s.id = a.caller_id WHERE a.planned_call_id = c.id"
TRIES = {
    True: f"(SELECT json_group_array(json_array(a.at, a.outcome, s.name)) {_TRIES})",
    False: f"(SELECT json_agg(json_build_array(a.at, a.outcome, s.name)) {_TRIES})",
}


def run(patients: int | None, url: str | None) -> Result:
    """Measure both pages for one caller with a usual panel; count statements for 3 and 30."""
    count = patients or 10_000
    with tempfile.TemporaryDirectory(prefix="outreach-bench-") as folder:
        address = databases.prepare(url, Path(folder))
        caller_ids = queue_rows.fill(address, count, PasswordHasher().hash(PASSWORD))
        app = app_of(address, Path(folder))
        try:
            return _measured(app, address, count, caller_ids[USUAL])
        finally:
            with app.app_context():
                db.engine.dispose()
            databases.empty(address)


def _measured(app: Flask, address: str, count: int, caller_id: int) -> Result:
    ours = signed_in(app, email_of(USUAL))
    engine = orm.make_engine(address)
    bare = _bare_page(engine, address, caller_id)
    rows, shown = (
        client.get(path).text.count(ROW_MARK)
        for client, path in ((ours, QUEUE), (bare.test_client(), "/"))
    )
    if not rows == shown == USUAL:
        raise RuntimeError(f"Rows differ: ours {rows}, the limit {shown}, made {USUAL}.")
    extra = {"patients": f"{count:,}", "rows on the page": str(rows)}
    found = {size: _statements(app, size) for size in (SMALL, LARGE)}
    extra |= {f"statements for {size} rows": str(number) for size, number in found.items()}
    extra |= _without_server(ours, bare.test_client())
    engine.dispose()
    with app.app_context():
        db.engine.dispose()  # each server opens its own connections
    with (
        page_server.serving(app, address, "/healthz", headers_of(ours)) as served,
        page_server.serving(bare, address, "/") as limit,
    ):
        ours_ms, limit_ms = alternate(
            lambda: served.cpu_ms(QUEUE, REQUESTS),
            lambda: limit.cpu_ms("/", REQUESTS),
            rounds=ROUNDS,
        )
    return Result("queue-page", "ms of CPU a request", ours_ms, limit_ms, extra)


def _without_server(ours: FlaskClient, bare: FlaskClient) -> dict[str, str]:
    """Return what the pages alone take: no server, and of the database only the driver."""
    ours_ms, limit_ms = alternate(
        lambda: _cpu_ms(ours, QUEUE), lambda: _cpu_ms(bare, "/"), rounds=ROUNDS
    )
    best = [min(sample.value for sample in samples) for samples in (ours_ms, limit_ms)]
    return {
        "without server: ours": f"{best[0]:.2f}",
        "without server: limit": f"{best[1]:.2f}",
        "without server: ratio": f"{best[0] / best[1]:.2f}",
    }


def headers_of(client: FlaskClient) -> dict[str, str]:
    """Return what a signed-in browser sends."""
    name = client.application.config["SESSION_COOKIE_NAME"]
    cookie = client.get_cookie(name)
    if cookie is None:
        raise RuntimeError("Nobody is signed in.")
    return {"Cookie": f"{name}={cookie.value}", "Host": "localhost"}


def app_of(address: str, folder: Path) -> Flask:
    """Return the product over ``address``, at a moment that stands still."""
    config = Config(
        database_url=address,
        instance_path=folder,
        secret_key="bench " * 8,
        data_keys=databases.KEYS,
    )
    gateway = ConsoleGateway(folder / "console-sms.jsonl", _now)
    app = create_app(Deps(config, _now, gateway))
    app.config["WTF_CSRF_ENABLED"] = False  # for signing in; pages still make their tokens
    return app


def _now() -> datetime:
    return NOW


def signed_in(app: Flask, email: str) -> FlaskClient:
    """Return a browser of whoever has this address."""
    client = app.test_client()
    answer = client.post("/sign-in", data={"email": email, "password": PASSWORD})
    if answer.status_code != 302:  # noqa: PLR2004 - sent on to the first page
        raise RuntimeError(f"Signing in answered {answer.status_code}.")
    return client


def _bare_page(engine: Engine, address: str, caller_id: int) -> Flask:
    """Return the limit: no layout, no sign-in, no rules."""
    app = Flask("bare")
    app.jinja_env.globals["now_there"] = lambda zone: _there(NOW, zone)
    app.jinja_env.filters |= {"there": _there, "tries": _tries}
    template = app.jinja_env.from_string(TEMPLATE)
    statement = STATEMENT.format(tries=TRIES[databases.is_sqlite(address)], caller=int(caller_id))

    def page() -> str:
        with orm.reading(), engine.connect() as connection:
            return template.render(rows=connection.exec_driver_sql(statement).all())

    app.add_url_rule("/", "page", page)
    return app


def _there(at: datetime | str, zone: str) -> str:
    """Return a moment on the patient's clock; SQLite's driver gives text in UTC."""
    moment = at if isinstance(at, datetime) else datetime.fromisoformat(at)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(ZoneInfo(zone)).strftime("%a %I:%M %p")


def _tries(found: Any) -> Any:
    """Return the tries of a call: SQLite's driver gives JSON as text, the other as lists."""
    return json.loads(found) if isinstance(found, str) else found or []


def _cpu_ms(client: FlaskClient, path: str) -> Sample:
    """Return the CPU that one of ``REQUESTS`` requests took, after one to warm up."""
    _get(client, path)
    began = time.process_time()
    for _request in range(REQUESTS):
        _get(client, path)
    spent = (time.process_time() - began) * 1000 / REQUESTS
    return Sample(spent)


def _get(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    if answer.status_code != 200:  # noqa: PLR2004 - anything else is another page
        raise RuntimeError(f"{path} answered {answer.status_code}.")


def _statements(app: Flask, size: int) -> int:
    """Return how many statements the page of a queue with ``size`` rows takes."""
    client = signed_in(app, email_of(size))
    if client.get(QUEUE).text.count(ROW_MARK) != size:
        raise RuntimeError(f"The queue of {size} has another number of rows.")
    with app.app_context(), statements_of(db.engine) as seen:
        _get(client, QUEUE)
    return len(seen)


@contextmanager
def statements_of(engine: Engine) -> Iterator[list[str]]:
    """Return a list of what is asked of the database while in this context."""
    seen: list[str] = []

    def note(*arguments: Any) -> None:
        if not arguments[2].startswith("BEGIN"):
            seen.append(arguments[2])

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)
