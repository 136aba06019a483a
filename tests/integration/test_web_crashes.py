"""A web process may die at any statement of a request: the browser sends it again, and all is
as if it had not died.

``WALKED`` is the table of requests that are killed before every statement and every commit of
theirs. Every fifth point is tried; all of them with ``OUTREACH_CRASHES=1``.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, select

from outreach import orm
from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Role
from outreach.concerns import raising
from outreach.concerns.models import Concern
from outreach.db import db
from outreach.messaging import outbox
from outreach.messaging.jobs import send_due_messages
from outreach.messaging.models import Message
from outreach.messaging.rules import MessageKind
from outreach.orm import Model, Sessions
from outreach.panels import proposals
from outreach.patients.models import Patient
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from outreach.scheduler.schedule import periodic_jobs
from outreach.upkeep import promises
from tests.builders import (
    make_attempt,
    make_clinic,
    make_enrolment,
    make_on_call,
    make_patient,
    make_planned_call,
    make_promise,
    make_staff,
)
from tests.conftest import HASH, sign_in
from tests.fakes import MONDAY_10_CHICAGO, FakeClock, FakeGateway
from tests.integration.phoning.conftest import add_phone
from tests.killing import Fate, Kept, Killed, fated, hasty

EVERY = 1 if os.environ.get("OUTREACH_CRASHES") else 5
BEFORE = date(2026, 11, 20)
SIGNED = {"X-Twilio-Signature": "valid"}


class Scene:
    """A caller with a patient to call, one called before, a nurse with a concern, a manager."""

    def __init__(self, sessions: Sessions) -> None:
        with sessions.begin() as session:
            self.clinic: Clinic = make_clinic(session, phone_number="+15125559999")
            self.nurse: StaffMember = make_on_call(
                session,
                self.clinic,
                make_staff(session, self.clinic, Role.NURSE, password_hash=HASH),
            )
            self.caller: StaffMember = make_staff(session, self.clinic, password_hash=HASH)
            self.manager: StaffMember = make_staff(
                session, self.clinic, Role.MANAGER, password_hash=HASH
            )
            self.patient: Patient = make_patient(session, self.clinic, sms_consent=True)
            enrolment = make_enrolment(session, self.patient, caller=self.caller)
            self.call: PlannedCall = make_planned_call(session, enrolment)
            self.promise_id = make_promise(session, self.patient, self.caller).id
            other = make_patient(session, self.clinic, phone="+15125550177")
            past = make_planned_call(
                session,
                make_enrolment(session, other, caller=self.caller, starts_on=BEFORE),
                BEFORE,
                status=CallStatus.COMPLETED,
            )
            past.closed_at = past.dial_from_at
            self.other: Patient = other
            self.attempt_id = make_attempt(session, past, self.caller).id
            self.concern: Concern = raising.raise_concern(
                session,
                self.patient,
                raising.safety("worrying"),
                by_staff_id=self.caller.id,
                now=MONDAY_10_CHICAGO,
            )
            add_phone(session, self.caller, "+15125550101")
            outbox.write(session, [_reminder(self.patient)])
            for _waits in range(2):
                make_enrolment(session, make_patient(session, self.clinic))
            proposals.make(session, self.clinic, by_staff_id=self.manager.id, now=MONDAY_10_CHICAGO)

    def is_texted(self, sessions: Sessions, gateway: FakeGateway, clock: FakeClock) -> None:
        """Send the patient's reminder, whose report the carrier still owes."""
        assert send_due_messages(sessions, gateway, clock) >= 1
        with sessions() as session:
            self.text_id = session.scalars(
                select(Message.id).where(Message.kind == MessageKind.REMINDER)
            ).one()

    def form(self, **answers: str) -> dict[str, str]:
        """Return what the call screen sends."""
        base = {"planned_call_id": str(self.call.id), "form_key": "one", "glucose_unit": "mg/dL"}
        return base | {"hba1c_unit": "%", "weight_unit": "kg"} | answers


def _reminder(patient: Patient) -> dict[str, Any]:
    return outbox.new_message(
        patient,
        MessageKind.REMINDER,
        "Ana will call you.",
        dedupe_key="one",
        cause="one",
        to_number="+15125550147",
        window=(MONDAY_10_CHICAGO, None),
        now=MONDAY_10_CHICAGO,
    )


@dataclass(frozen=True)
class Request:
    """What one person sends; ``role`` None: the carrier."""

    role: Role | None
    path: Callable[[Scene], str]
    data: Callable[[Scene], Mapping[str, Any]] = lambda _scene: {}


def _of_patient(path: str) -> Callable[[Scene], str]:
    return lambda scene: path.format(scene.patient.ref)


WALKED: dict[str, Request] = {
    "calls.record": Request(
        Role.CALLER,
        _of_patient("/calls/{}"),
        lambda scene: scene.form(
            reached="yes", minutes="9", note="Walked.", glucose="132", promise="The dentist"
        ),
    ),
    "calls.record, nobody answers": Request(
        Role.CALLER,
        _of_patient("/calls/{}"),
        lambda scene: scene.form(reached="no", outcome="no_answer"),
    ),
    "calls.record, safety": Request(
        Role.CALLER,
        _of_patient("/calls/{}"),
        lambda scene: scene.form(
            reached="yes", outcome="reached_safety", minutes="3", note="No way out."
        ),
    ),
    "calls.start": Request(Role.CALLER, _of_patient("/calls/{}/start")),
    "calls.stop": Request(Role.CALLER, _of_patient("/calls/{}/stop")),
    "calls.draft": Request(
        Role.CALLER,
        _of_patient("/calls/{}/draft"),
        lambda scene: scene.form(note="She said", version="0", tab="a"),
    ),
    "calls.not_today": Request(
        Role.CALLER, _of_patient("/calls/{}/not-today"), lambda _scene: {"reason": "At a wedding"}
    ),
    "calls.promise": Request(
        Role.CALLER, lambda scene: f"/promises/{scene.promise_id}", lambda _scene: {"done": "1"}
    ),
    "calls.done_for_today": Request(Role.CALLER, lambda _scene: "/queue/done-for-today"),
    "safety.raise_concern": Request(
        Role.CALLER,
        _of_patient("/safety/{}/raise"),
        lambda _scene: {
            "form_key": "one",
            "kind": "self_harm",
            "words": "Says she cannot go on.",
            "where_now": "12 Oak Street",
            "ring_back": "(512) 555-0147",
        },
    ),
    "concerns.acknowledge": Request(
        Role.NURSE, lambda scene: f"/concerns/{scene.concern.id}/acknowledge"
    ),
    "chart.rhythm": Request(
        Role.CALLER, _of_patient("/patients/{}/rhythm"), lambda _scene: {"value": "5"}
    ),
    "chart.status, pause": Request(
        Role.MANAGER,
        _of_patient("/patients/{}/status"),
        lambda _scene: {"seen": "active", "status": "paused", "pause_reason": "travel"},
    ),
    "chart.status, withdrawn": Request(
        Role.MANAGER,
        _of_patient("/patients/{}/status"),
        lambda _scene: {"seen": "active", "status": "withdrawn", "reason": "moved away"},
    ),
    "panels.propose": Request(
        Role.MANAGER,
        lambda _scene: "/panels/propose",
        lambda scene: {"clinic_id": str(scene.clinic.id)},
    ),
    "inbox.stop": Request(Role.CALLER, _of_patient("/texts/{}/stop")),
    "inbox_webhooks.incoming, stop": Request(
        None,
        lambda _scene: "/webhooks/texts/incoming",
        lambda scene: {
            "MessageSid": "SM" + "1" * 32,
            "From": "+15125550147",
            "To": scene.clinic.phone_number,
            "Body": "STOP",
        },
    ),
    "inbox_webhooks.incoming, danger": Request(
        None,
        lambda _scene: "/webhooks/texts/incoming",
        lambda scene: {
            "MessageSid": "SM" + "2" * 32,
            "From": "+15125550147",
            "To": scene.clinic.phone_number,
            "Body": "I want to kill myself",
        },
    ),
    "messaging_webhooks.sms_status": Request(
        None,
        lambda scene: f"/webhooks/sms-status/{scene.text_id}",
        lambda scene: {"MessageSid": f"SM{scene.text_id:032d}", "MessageStatus": "delivered"},
    ),
}


class Web:
    """The web process: one client that sends a request, and sends it again."""

    def __init__(self, app: Flask, engine: Engine, gateway: FakeGateway, clock: FakeClock) -> None:
        with app.app_context():
            self.engine = db.engine
        if engine.dialect.name == "sqlite":
            event.listen(self.engine, "connect", hasty)
        sessions = orm.make_sessions(engine)
        self.scene = Scene(sessions)
        self.scene.is_texted(sessions, gateway, clock)
        people = {
            Role.CALLER: self.scene.caller,
            Role.NURSE: self.scene.nurse,
            Role.MANAGER: self.scene.manager,
        }
        self.clients: dict[Role | None, FlaskClient] = {None: app.test_client()}
        for role, person in people.items():
            self.clients[role] = app.test_client()
            sign_in(self.clients[role], person)
        self.engine.dispose()
        self.kept = Kept(engine)

    def restore(self) -> None:
        self.engine.dispose()
        self.kept.restore()

    def send(self, request: Request) -> int:
        headers = SIGNED if request.role is None else {}
        answer = self.clients[request.role].post(
            request.path(self.scene), data=dict(request.data(self.scene)), headers=headers
        )
        return answer.status_code


@pytest.fixture
def web(app: Flask, engine: Engine, gateway: FakeGateway, clock: FakeClock) -> Web:
    return Web(app, engine, gateway, clock)


@pytest.mark.parametrize("request_", WALKED.values(), ids=WALKED)
def test_a_request_killed_at_any_statement_and_sent_again_is_as_if_it_had_not_been(
    request_: Request, web: Web, gateway: FakeGateway, clock: FakeClock, tmp_path: Path
) -> None:
    before = _seen(web.kept.sessions)
    whole = Fate()
    with fated(web.engine, whole):
        status = web.send(request_)
    assert status < 400
    expected = _seen(web.kept.sessions)
    assert expected != before
    for step in range(1, whole.steps + 1, EVERY):
        web.restore()
        fate = Fate(Killed, step)
        with fated(web.engine, fate), pytest.raises(Killed):
            web.send(request_)
        web.engine.dispose()  # the next process has connections of its own
        half = _seen(web.kept.sessions)
        web.send(request_)
        assert _seen(web.kept.sessions) == expected, f"killed at {step} of {whole.steps}"
        assert half == before or not _lost(before, half)
    for job in periodic_jobs(web.kept.sessions, gateway, clock, tmp_path):
        job.run()
    with orm.reading(), web.kept.sessions() as session:
        assert promises.breaches(session, now=clock()) == []


def test_the_table_has_points_enough(web: Web) -> None:
    points = {}
    for name, request in WALKED.items():
        web.restore()
        whole = Fate()
        with fated(web.engine, whole):
            assert web.send(request) < 400
        points[name] = whole.steps

    assert min(points.values()) > 3, points
    assert sum(points.values()) >= 200, points


def _lost(before: Mapping[str, list[Any]], after: Mapping[str, list[Any]]) -> list[str]:
    """Return the tables that hold fewer rows than before."""
    return [name for name, rows in before.items() if len(after[name]) < len(rows)]


_RANDOM = {
    "form_key",
    "token",
    "token_hash",
    "source_id",
    "object_id",
    "cause",
    "dedupe_key",
    "digest",
}


def _seen(sessions: Sessions) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table, without the keys that the database hands out."""
    found = {}
    with orm.reading(), sessions() as session:
        for table in Model.metadata.sorted_tables:
            columns = [
                column
                for column in table.columns
                if not column.primary_key and not column.foreign_keys and column.name not in _RANDOM
            ]
            rows: Sequence[Any] = session.execute(select(*columns)).all() if columns else ()
            found[table.name] = sorted((tuple(row) for row in rows), key=repr)
    return found
