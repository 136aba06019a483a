"""What load balancers and monitors are told."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from config import Config
from outreach.app import create_app
from outreach.db import db
from outreach.deps import Deps
from outreach.messaging import holding
from outreach.orm import Sessions
from outreach.planning import jobs as planning_jobs
from outreach.planning.jobs import beat
from outreach.upkeep import backups
from tests import postgres as embedded
from tests.builders import (
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.fakes import PUBLIC_URL, FakeClock, FakeGateway

NOW = FakeClock()()
AN_HOUR = timedelta(hours=1)


Starts = Callable[..., FlaskClient]


@pytest.fixture
def start(config: Config, clock: FakeClock, gateway: FakeGateway) -> Iterator[Starts]:
    """Start the application with other settings."""
    with ExitStack() as ends:

        def begin(**settings: object) -> FlaskClient:
            app = create_app(Deps(replace(config, **settings), clock, gateway))  # type: ignore[arg-type]
            with app.app_context():
                ends.callback(db.engine.dispose)
            return app.test_client()

        yield begin


def value(page: str, name: str) -> float:
    (line,) = [line for line in page.splitlines() if line.startswith(f"{name} ")]
    return float(line.split()[1])


def test_what_waits_is_counted_with_its_age(client: FlaskClient, sessions: Sessions) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        caller = make_staff(session, clinic)
        for from_at, until_at in (
            (NOW - AN_HOUR, NOW + AN_HOUR),
            (NOW + AN_HOUR, NOW + 2 * AN_HOUR),
            (NOW - 3 * AN_HOUR, NOW - 2 * AN_HOUR),
        ):
            enrolment = make_enrolment(session, make_patient(session, clinic), caller=caller)
            make_planned_call(session, enrolment, dial_from_at=from_at, dial_until_at=until_at)
    beat(sessions, now=NOW - timedelta(minutes=2))

    page = client.get("/metrics").text

    assert value(page, "outreach_calls_to_make") == 1
    assert value(page, "outreach_calls_to_make_oldest_seconds") == 3600
    assert value(page, "outreach_calls_overdue") == 1
    assert value(page, "outreach_calls_overdue_oldest_seconds") == 7200
    assert value(page, "outreach_texts_due") == 0
    assert value(page, "outreach_planner_silent_seconds") == 120
    assert 'outreach_concerns_open{urgency="now"} 0.0' in page


def test_the_machine_whose_scheduler_planned_lately_leads(
    client: FlaskClient, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    for host, seconds_ago, leads in (("elm", 150, 0), ("ash", 30, 1)):
        monkeypatch.setattr(planning_jobs, "HOST", host)
        beat(sessions, now=NOW - timedelta(seconds=seconds_ago))

        page = client.get("/metrics").text

        assert f'outreach_leader{{host="{host}"}} {leads}.0' in page
        assert page.count("outreach_leader{") == 1


def test_a_beat_from_the_future_is_as_bad_as_an_old_one(
    client: FlaskClient, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock was set back by an hour: nobody knows whether anybody planned since."""
    monkeypatch.setattr(planning_jobs, "HOST", "elm")
    beat(sessions, now=NOW + AN_HOUR)

    page = client.get("/metrics").text

    assert value(page, "outreach_planner_silent_seconds") == 3600
    assert 'outreach_leader{host="elm"} 0.0' in page


def test_how_old_the_newest_backup_is(
    client: FlaskClient,
    config: Config,
    sessions: Sessions,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(backups.PROGRAMS, str(embedded._binaries()))
    beat(sessions, now=NOW)
    assert "outreach_backup_age_seconds " not in client.get("/metrics").text

    for hours_ago in (3, 5):  # one that was begun earlier and ended later is not the newest
        backups.make(config.database_url, tmp_path, now=NOW - hours_ago * AN_HOUR)

    assert value(client.get("/metrics").text, "outreach_backup_age_seconds") == 3 * 3600


def test_how_long_texts_have_waited_since_a_restore(
    client: FlaskClient, sessions: Sessions
) -> None:
    assert value(client.get("/metrics").text, "outreach_outbox_held_seconds") == 0
    with sessions.begin() as session:
        holding.close(session, since=NOW - AN_HOUR, now=NOW - timedelta(minutes=20))

    assert value(client.get("/metrics").text, "outreach_outbox_held_seconds") == 1200


def test_before_the_first_plan_nothing_is_said_of_the_planner(client: FlaskClient) -> None:
    assert "planner" not in client.get("/metrics").text


def test_requests_are_timed_by_page_and_never_by_address(client: FlaskClient) -> None:
    client.get("/patients/0123456789abcdef")
    page = client.get("/metrics").text

    assert "outreach_request_seconds_bucket" in page
    assert "0123456789abcdef" not in page


@pytest.mark.parametrize(
    ("token", "given", "status"),
    [
        (None, None, 200),
        ("a secret", None, 404),
        ("a secret", "Bearer another", 404),
        ("a secret", "Bearer a secret", 200),
        ("a secret", "Bearer \N{SNOWMAN}", 404),
    ],
)
def test_figures_are_for_who_knows_the_token(
    start: Starts, token: str | None, given: str | None, status: int
) -> None:
    client = start(metrics_token=token)
    headers = {"Authorization": given.encode().decode("latin-1")} if given else {}

    assert client.get("/metrics", headers=headers).status_code == status


@pytest.mark.parametrize(("proxies", "address"), [(0, "10.0.0.7"), (1, "127.0.0.1")])
def test_without_a_token_only_this_machine_is_answered(
    start: Starts, proxies: int, address: str
) -> None:
    client = start(trusted_proxies=proxies)

    answer = client.get("/metrics", environ_base={"REMOTE_ADDR": address})

    assert answer.status_code == 404


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
def test_what_a_proxy_forwards_is_not_of_this_machine(client: FlaskClient, header: str) -> None:
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", headers={header: "203.0.113.7"}).status_code == 404


def test_ready_while_the_database_answers_and_fits(client: FlaskClient, sessions: Sessions) -> None:
    ready = client.get("/readyz")
    with sessions.begin() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0001_older'"))
    older = client.get("/readyz")

    assert (ready.status_code, ready.text) == (200, "ok\n")
    assert older.status_code == 503
    assert "0001_older" in older.text


def test_whoever_has_no_list_of_breached_passwords_is_told(start: Starts, tmp_path: Path) -> None:
    """Only where others come in: what one tries on one's own machine needs none."""
    reached = {"is_loopback": False, "public_url": PUBLIC_URL}
    (tmp_path / "list").write_text("")

    without = start(**reached).get("/readyz")

    words = "ok, but no list of breached passwords: BREACHED_PASSWORDS\n"
    assert (without.status_code, without.text) == (200, words)
    with_one = start(**reached, breached_passwords=tmp_path / "list")
    for client in (with_one, start()):
        assert client.get("/readyz").text == "ok\n"


def test_ready_on_the_database_of_a_newer_release(client: FlaskClient, sessions: Sessions) -> None:
    """While machines are brought up to date one by one, and after going back to the old one."""
    with sessions.begin() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999_newer'"))

    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert "9999_newer" in answer.text
    assert value(client.get("/metrics").text, "outreach_ready") == 1


def test_monitors_see_a_process_that_serves_no_pages_though_it_answers(
    client: FlaskClient, sessions: Sessions
) -> None:
    assert value(client.get("/metrics").text, "outreach_ready") == 1
    with sessions.begin() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0001_older'"))

    assert value(client.get("/metrics").text, "outreach_ready") == 0


def test_not_ready_without_a_database_but_alive(start: Starts) -> None:
    client = start(database_url="postgresql+psycopg://nobody@127.0.0.1:1/nothing")

    answer = client.get("/readyz")

    assert (answer.status_code, client.get("/healthz").status_code) == (503, 200)
    assert "does not answer" in answer.text
    assert "nobody" not in answer.text
