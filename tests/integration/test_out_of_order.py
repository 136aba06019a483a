"""A database that is away, full, or takes no changes: people are told, and nothing is lost."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, func, select, text

from config import Config
from outreach import orm
from outreach.app import create_app
from outreach.calls.models import Attempt, CallNote
from outreach.db import db
from outreach.deps import Deps
from outreach.orm import Sessions
from outreach.scheduler.leader import DatabaseLeadership
from outreach.scheduler.schedule import periodic_jobs
from outreach.upkeep import promises
from tests.conftest import FAST_HASHER, migrate, sign_in
from tests.fakes import MONDAY_10_CHICAGO, FakeClock, FakeGateway
from tests.integration.calls.conftest import Day
from tests.postgres import Server

NOTE = "Walked twice, and <b>slept</b> well."
Trouble = Callable[[Engine, Engine], AbstractContextManager[None]]


@contextmanager
def read_only(engine: Engine, outside: Engine) -> Iterator[None]:
    """Let the database take no changes, as a replica does that was not made a primary yet."""
    if engine.dialect.name == "sqlite":
        with _pragma(engine, "query_only=ON"):
            yield
        return
    name = engine.url.database
    with outside.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'))
        engine.dispose()
        yield
        connection.execute(text("SET default_transaction_read_only = off"))
        connection.execute(text(f'ALTER DATABASE "{name}" RESET default_transaction_read_only'))
    engine.dispose()


@contextmanager
def full(engine: Engine, outside: Engine) -> Iterator[None]:
    """Let there be no room for another page, or for another row."""
    if engine.dialect.name == "sqlite":
        with _pragma(engine, "max_page_count=1"):
            yield
        return
    with outside.begin() as connection:
        connection.execute(text(_REFUSES_ROWS))
    yield
    with outside.begin() as connection:
        connection.execute(text("DROP FUNCTION no_room CASCADE"))


# PostgreSQL's own error, raised where a full disk raises it: when a table has to grow.
_REFUSES_ROWS = """
CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100';
END $$;
CREATE TRIGGER no_room BEFORE INSERT ON attempt EXECUTE FUNCTION no_room();
"""


@contextmanager
def _pragma(engine: Engine, pragma: str) -> Iterator[None]:
    def set_it(connection: object, _record: object) -> None:
        connection.execute(f"PRAGMA {pragma}")  # type: ignore[attr-defined]

    event.listen(engine, "connect", set_it)
    engine.dispose()
    yield
    event.remove(engine, "connect", set_it)
    engine.dispose()


TROUBLES: dict[str, tuple[Trouble, str]] = {
    "read-only": (read_only, "The database takes no changes at the moment."),
    "full": (full, "There is no room left on the disk."),
}


@pytest.mark.parametrize(("trouble", "words"), TROUBLES.values(), ids=TROUBLES)
def test_what_was_typed_is_on_the_page_and_saved_once_it_is_sent_again(
    trouble: Trouble, words: str, app: Flask, client: FlaskClient, engine: Engine, day: Day
) -> None:
    sign_in(client, day.ana)
    with app.app_context():
        inside = db.engine
    # Longer than what the last page of a table has room for.
    long_note = NOTE + " And so on." * 400
    form = day.form(reached="yes", minutes="9", note=long_note)
    with trouble(inside, engine):
        answer = client.post(f"/calls/{day.rosa.ref}", data=form)
        assert answer.status_code == 503
        assert words in answer.text
        assert answer.headers["Retry-After"]
        assert answer.headers["X-Request-Id"] in answer.text
        assert _saved(engine) == (0, [])
    again = client.post(f"/calls/{day.rosa.ref}", data=fields_of(answer.text))

    assert again.status_code == 302
    assert _saved(engine) == (1, [long_note])
    _assert_every_promise_holds(engine)


def test_a_page_whose_look_cant_be_noted_says_why_and_keeps_what_was_typed(
    app: Flask, client: FlaskClient, engine: Engine, day: Day
) -> None:
    """A form that is refused shows the patient again, so that look is noted too, or not shown."""
    sign_in(client, day.ana)
    with app.app_context():
        inside = db.engine
    refused = day.form(reached="yes", minutes="no number", note=NOTE)
    with read_only(inside, engine):
        looked = client.get(f"/calls/{day.rosa.ref}")
        answer = client.post(f"/calls/{day.rosa.ref}", data=refused)

    assert (looked.status_code, answer.status_code) == (503, 503)
    assert fields_of(answer.text)["note"] == NOTE
    assert TROUBLES["read-only"][1] in looked.text
    assert day.rosa.family_name not in looked.text + answer.text
    _assert_every_promise_holds(engine)


def fields_of(page: str) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page)
    return {unescape(name): unescape(value) for name, value in found}


def _assert_every_promise_holds(engine: Engine) -> None:
    with orm.reading(), orm.make_sessions(engine)() as session:
        assert promises.breaches(session, now=MONDAY_10_CHICAGO) == []


def _saved(engine: Engine) -> tuple[int, list[str]]:
    with orm.reading(), orm.make_sessions(engine)() as session:
        count = session.scalars(select(func.count()).select_from(Attempt)).one()
        return count, list(session.scalars(select(CallNote.text)))


@pytest.fixture
def day(sessions: Sessions) -> Day:
    return Day(sessions)


def test_jobs_go_on_once_there_is_room_again(
    engine: Engine, sessions: Sessions, day: Day, clock: FakeClock, tmp_path: object
) -> None:
    del day
    gateway = FakeGateway(clock)
    jobs = periodic_jobs(sessions, gateway, clock, tmp_path)  # type: ignore[arg-type]
    other = orm.make_engine(str(engine.url.render_as_string(hide_password=False)))
    with read_only(engine, other):
        failed = 0
        for job in jobs:
            try:
                job.run()
            except Exception:  # noqa: BLE001 - as the runner does
                failed += 1
        assert failed > 0
    other.dispose()

    assert sum(job.run() for job in jobs) > 0
    _assert_every_promise_holds(engine)


@pytest.fixture(scope="module")
def own_server() -> Iterator[Server]:
    """A PostgreSQL that may be stopped."""
    server = Server(is_durable=True)
    server.start()
    server.create("clinic")
    migrate(server.url("clinic"))
    yield server
    server.stop()


def test_after_a_restart_of_the_database_every_process_goes_on_by_itself(
    own_server: Server, clock: FakeClock, tmp_path: object
) -> None:
    url = own_server.url("clinic")
    config = Config(database_url=url, instance_path=tmp_path, secret_key="test " * 8)  # type: ignore[arg-type]
    app = create_app(Deps(config, clock, FakeGateway(clock)))
    app.config["WTF_CSRF_ENABLED"] = False
    app.extensions["password_hasher"] = FAST_HASHER
    engine = orm.make_engine(url)
    day = Day(orm.make_sessions(engine))
    client = app.test_client()
    sign_in(client, day.ana)
    seat = DatabaseLeadership(engine)
    assert seat.acquire()
    form = day.form(reached="yes", minutes="9", note=NOTE)

    own_server.pull_the_plug()
    page = client.get("/queue/")
    answer = client.post(f"/calls/{day.rosa.ref}", data=form)
    was_held = seat.still_held()
    own_server.go_on()

    assert (page.status_code, answer.status_code, was_held) == (503, 503, False)
    assert "The database does not answer." in answer.text
    assert client.post(f"/calls/{day.rosa.ref}", data=fields_of(answer.text)).status_code == 302
    assert _saved(engine) == (1, [NOTE])
    _assert_every_promise_holds(engine)
    seat.release()
    assert seat.acquire()
    seat.release()
    engine.dispose()
    with app.app_context():
        db.engine.dispose()


def test_a_password_is_never_put_on_a_page(
    app: Flask, client: FlaskClient, engine: Engine, day: Day
) -> None:
    with app.app_context():
        inside = db.engine
    with read_only(inside, engine):
        answer = client.post("/sign-in", data={"email": day.ana.email, "password": "a secret"})

    assert answer.status_code == 503
    assert "a secret" not in answer.text
    assert fields_of(answer.text) == {}
    _assert_every_promise_holds(engine)
