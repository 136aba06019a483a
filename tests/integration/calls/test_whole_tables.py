"""No page that is loaded all day reads from end to end a table that grows with patients."""

import re
from collections.abc import Iterator, Sequence

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine

from outreach.accounts.models import StaffMember
from outreach.accounts.rules import Role
from outreach.db import db
from outreach.orm import Model, Sessions
from tests.builders import make_staff
from tests.conftest import HASH, sign_in
from tests.counting import statements
from tests.integration.calls.conftest import Day

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
# However many patients there are, there are few of these: who works here, what was set, what
# fails just now. Of texts that were not written down, a page asks whether there is any.
FEW = {
    "caller_absence", "clinic", "hours_rule", "instrument_permission", "membership",
    "outbox_hold", "planner_interruption", "programme", "programme_version",
    "retention_setting", "sender_pace", "staff_member", "support_request", "unrecorded_text",
}  # fmt: skip
TABLES = Model.metadata.tables
SCANNED = re.compile(r"^SCAN (\w+?)(_\d+)?( |$)")


def test_saving_a_call_looks_rows_up_by_an_index(app: Flask, client: FlaskClient, day: Day) -> None:
    sign_in(client, day.ana)

    with app.app_context(), statements(db.engine) as seen:
        answers = day.form(reached="yes", minutes="12", note="We talked.")
        assert client.post(f"/calls/{day.rosa.ref}", data=answers).status_code == 302
        scanned = set(_scanned(db.engine, seen))

    assert len(seen) > 20
    assert scanned <= FEW, scanned - FEW


@pytest.mark.parametrize("role", [Role.CALLER, Role.NURSE, Role.MANAGER])
def test_pages_look_rows_up_by_an_index(
    app: Flask, sessions: Sessions, client: FlaskClient, day: Day, role: Role
) -> None:
    """Without one on roles each page of 36,000 people read all of theirs: 3 of 8 ms."""
    sign_in(client, _one(sessions, day, role))
    pages = [f"/calls/{day.rosa.ref}", f"/patients/{day.rosa.ref}", *_plain_pages(app)]
    shown, scanned = 0, set()

    for page in pages:
        with app.app_context(), statements(db.engine) as seen:
            if client.get(page).status_code == 200:
                shown += 1
                scanned |= {(table, page) for table in _scanned(db.engine, seen)}

    assert shown > 5
    assert {(table, page) for table, page in scanned if table not in FEW} == set()


def _one(sessions: Sessions, day: Day, role: Role) -> StaffMember:
    if role is Role.CALLER:
        return day.ana
    with sessions.begin() as session:
        return make_staff(session, day.clinic, role, password_hash=HASH)


def _plain_pages(app: Flask) -> list[str]:
    """Return every page that needs no more than its address; of others, machines
    ask, or they count everybody who ever came.
    """
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    others = {"/readyz", "/metrics", "/healthz", "/reports/cohort"}
    return sorted({rule.rule for rule in rules if not rule.arguments} - others)


def _scanned(engine: Engine, asked: Sequence[str]) -> Iterator[str]:
    """Yield the tables that are read from end to end for any of these questions."""
    with engine.connect() as connection:
        for each in asked:
            if each.startswith("SELECT"):
                plan = f"EXPLAIN QUERY PLAN {each}"
                for line in connection.exec_driver_sql(plan, (None,) * each.count("?")):
                    found = SCANNED.match(line.detail)
                    if found and found[1] in TABLES:
                        yield found[1]
