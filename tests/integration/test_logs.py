"""What is logged, and that the watch over all tests would see a person in it."""

import json
import logging
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from outreach import logs
from outreach.app import create_app
from outreach.deps import Deps
from outreach.orm import Sessions
from outreach.patients.models import Patient
from tests.builders import make_clinic, make_patient
from tests.log_watch import watch


def record(message: str, error: BaseException | None = None) -> logging.LogRecord:
    told = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("outreach.calls", logging.ERROR, "x.py", 1, message, (), told)


def a_refused_key(sessions: Sessions) -> IntegrityError:
    """Return the error of a row that is there already: PostgreSQL tells its values."""
    with sessions() as session:
        patient = make_patient(session, make_clinic(session))
        values = {
            column.name: getattr(patient, column.name)
            for column in Patient.__table__.columns
            if column.name not in ("id", "ref")
        }
        with pytest.raises(IntegrityError) as raised:
            session.execute(insert(Patient).values(values | {"ref": patient.ref}))
    return raised.value


@pytest.mark.parametrize("formatter", [logs.JsonLine("web"), logs.PlainLine("web")])
def test_what_an_exception_says_is_not_logged_but_its_kind_and_place_are(
    formatter: logging.Formatter, sessions: Sessions
) -> None:
    error = a_refused_key(sessions)

    line = formatter.format(record("storing failed", error))

    assert "sqlalchemy.exc.IntegrityError" in line
    assert "a_refused_key" in line
    assert "23505" in line or "SQLITE_CONSTRAINT_UNIQUE" in line
    assert not watch.tells(line)
    assert error.orig is not None
    assert str(error.orig) not in line


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\x0b", "\x85", "\u2028", "\x1b[2K"])
@pytest.mark.parametrize("formatter", [logs.JsonLine("web"), logs.PlainLine("web")])
def test_no_message_forges_a_line(formatter: logging.Formatter, end: str) -> None:
    line = formatter.format(record(f"refused{end}2026-11-28 web signed in as administrator"))

    assert len(line.splitlines()) == 1
    assert "\x1b" not in line
    assert "refused" in line
    assert "signed in as administrator" in line


def test_a_line_is_json_with_the_number_of_its_request() -> None:
    logs.request_id.set("0123456789abcdef")
    told = json.loads(logs.JsonLine("web").format(record("call 3: dialed\nonce")))
    logs.request_id.set(None)
    later = json.loads(logs.JsonLine("web").format(record("call 4")))

    assert told.pop("at").endswith("+00:00")
    assert told == {
        "level": "error",
        "process": "web",
        "logger": "outreach.calls",
        "message": "call 3: dialed\nonce",
        "request": "0123456789abcdef",
    }
    assert "request" not in later


def test_each_answer_carries_a_number_of_its_own(client: FlaskClient) -> None:
    numbers = {client.get("/sign-in").headers["X-Request-Id"] for _time in range(3)}

    assert len(numbers) == 3
    told = client.get("/sign-in", headers={"X-Request-Id": "from-anybody"})
    assert told.headers["X-Request-Id"] != "from-anybody"


@pytest.fixture
def behind_proxy(app: Flask) -> Flask:
    outside: Deps = app.extensions["outreach"]
    return create_app(replace(outside, config=replace(outside.config, trusted_proxies=1)))


def test_a_trusted_proxy_numbers_requests_if_the_number_is_one(behind_proxy: Flask) -> None:
    def answered(told: str) -> str:
        answer = behind_proxy.test_client().get("/healthz", headers={"X-Request-Id": told})
        return answer.headers["X-Request-Id"]

    assert answered("7f3c-aa01-proxy") == "7f3c-aa01-proxy"
    assert answered("<script>alert(1)</script>") != "<script>alert(1)</script>"


@pytest.fixture
def _root_as_before() -> Iterator[None]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)


@pytest.mark.usefixtures("_root_as_before")
def test_a_process_logs_what_we_say_and_not_what_the_carriers_client_does(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.begin("scheduler", as_json=True)
    logging.getLogger("outreach.x").info("planned 3")
    logging.getLogger("twilio.http_client").info("POST body +1512")
    sys.stderr.flush()

    assert [json.loads(line)["message"] for line in capsys.readouterr().err.splitlines()] == [
        "planned 3"
    ]
