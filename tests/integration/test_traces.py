"""What a collector of traces is told, over the protocol itself, and what it is not."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from flask import Flask
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from config import Config
from outreach import orm, traces
from outreach.accounts import access_links
from outreach.accounts.rules import Role
from outreach.app import create_app
from outreach.deps import Deps
from outreach.orm import Sessions
from outreach.scheduler import runner
from outreach.scheduler.schedule import PeriodicJob
from tests.builders import make_clinic, make_patient, make_staff
from tests.conftest import HASH, sign_in
from tests.fakes import FakeClock, FakeGateway

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class Collector:
    """Takes what is sent to it, as a real one does."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        bodies = self.bodies

        class Taking(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_arguments: object) -> None:
                """Say nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Taking)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1/traces"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def spans(self) -> list[Span]:
        """Return all spans, sent until now by a process that ends."""
        traces.end()
        return [
            span
            for body in self.bodies
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    traces.begin("web", made.url)
    yield made
    traces.end()
    made.server.shutdown()
    made.server.server_close()


def traced_app(config: Config, clock: FakeClock) -> Flask:
    app = create_app(Deps(config, clock, FakeGateway(clock)))
    app.config["WTF_CSRF_ENABLED"] = False
    return app


def told(span: Span) -> dict[str, str | int]:
    return {each.key: each.value.string_value or each.value.int_value for each in span.attributes}


def test_a_page_and_its_statements_are_told_by_name(
    collector: Collector, config: Config, clock: FakeClock, sessions: Sessions
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        nurse = make_staff(session, clinic, Role.NURSE, password_hash=HASH)
        patient = make_patient(session, clinic, given_name="Philomena", record_number="MRN-7788")
    client = traced_app(config, clock).test_client()
    sign_in(client, nurse)

    page = client.get(f"/patients/{patient.ref}")
    client.get("/patients/?search=Philomena")

    assert "Philomena" in page.text
    spans = collector.spans()
    (shown,) = [each for each in spans if each.name == "GET chart.patient"]
    assert told(shown) == {
        "http.request.method": "GET",
        "http.route": "/patients/<ref>",
        "http.response.status_code": 200,
        "outreach.request": page.headers["X-Request-Id"],
    }
    below = [each for each in spans if each.parent_span_id == shown.span_id]
    assert any(each.name.startswith("SELECT ") and "patient" in each.name for each in below)
    assert all(each.kind == Span.SPAN_KIND_CLIENT for each in below)
    sent = b"".join(collector.bodies)
    for word in ("Philomena", "Nguyen", patient.ref, "MRN-7788", "5125550147", nurse.email):
        assert word.encode() not in sent


def test_the_token_of_a_link_is_not_told(
    collector: Collector, config: Config, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_session: object, token: str, **_more: object) -> None:
        raise RuntimeError(f"nothing comes of {token}")

    client = traced_app(config, clock).test_client()

    client.get("/welcome/rT5b0q2Lz8nQ")
    monkeypatch.setattr(access_links, "owner", fails)
    client.get("/welcome/rT5b0q2Lz8nQ")

    found = [each for each in collector.spans() if each.name == "GET accounts.welcome"]
    assert [told(each)["http.response.status_code"] for each in found] == [404, 500]
    assert b"rT5b0q2Lz8nQ" not in b"".join(collector.bodies)


def test_a_proxy_that_is_trusted_begins_the_trace_and_a_stranger_does_not(
    collector: Collector, config: Config, clock: FakeClock
) -> None:
    alone = traced_app(config, clock).test_client()
    alone.get("/healthz", headers={"traceparent": PARENT})
    behind = Config(**(vars(config) | {"trusted_proxies": 1}))
    traced_app(behind, clock).test_client().get("/healthz", headers={"traceparent": PARENT})

    strangers, proxied = [each for each in collector.spans() if each.name.startswith("GET ")]
    assert strangers.parent_span_id == b""
    assert proxied.parent_span_id.hex() == "00f067aa0ba902b7"
    assert proxied.trace_id.hex() == "4bf92f3577b34da6a3ce929d0e0e4736"


def test_a_job_that_fails_tells_the_kind_of_error_and_not_its_words(
    collector: Collector, sessions: Sessions
) -> None:
    def run() -> int:
        with sessions() as session:
            session.execute(text("SELECT 'Philomena' FROM patients_of_nobody"))
        return 0

    runner._tick(PeriodicJob("poisoned", 60, run))

    spans = {each.name: each for each in collector.spans()}
    job, statement = spans["job poisoned"], spans["SELECT"]
    assert job.status.code == Status.STATUS_CODE_ERROR
    assert told(job)["error.type"] in {"OperationalError", "ProgrammingError"}
    assert statement.parent_span_id == job.span_id
    assert statement.status.code == Status.STATUS_CODE_ERROR
    assert b"Philomena" not in b"".join(collector.bodies)


def test_what_nobody_asked_for_is_not_told(collector: Collector, sessions: Sessions) -> None:
    with sessions() as session:  # as a leader asks every second whether it still leads
        session.execute(text("SELECT 1"))

    assert collector.spans() == []


def test_a_collector_that_is_away_stops_nothing(config: Config, clock: FakeClock) -> None:
    traces.begin("web", "http://127.0.0.1:9/v1/traces")
    try:
        assert traced_app(config, clock).test_client().get("/healthz").status_code == 200
    finally:
        traces.end()
    assert not traces.is_on()


def test_without_a_collector_nothing_is_wrapped(app: Flask, database_url: str) -> None:
    traces.begin("web", None)

    assert not traces.is_on()
    assert app.wsgi_app.__name__ == "wsgi_app"
    engine = orm.make_engine(database_url)
    with pytest.raises(DBAPIError), engine.connect() as connection:
        connection.execute(text("SELECT * FROM patients_of_nobody"))
    engine.dispose()


@pytest.mark.parametrize(
    ("statement", "summary"),
    [
        ("SELECT a.x FROM patient AS a JOIN clinic ON a.id = clinic.id", "SELECT patient clinic"),
        ('INSERT INTO "message" (id) VALUES (?)', "INSERT message"),
        ("update planned_call SET status = ?", "UPDATE planned_call"),
        ("DELETE FROM attempt WHERE name = 'x FROM Philomena'", "DELETE attempt"),
        ("WITH due AS (SELECT 1 FROM patient) SELECT 1 FROM due", "WITH patient"),
        ("COMMIT", "COMMIT"),
    ],
)
def test_a_statement_is_summed_up_by_its_verb_and_our_tables(statement: str, summary: str) -> None:
    assert traces.summary_of(statement) == summary
