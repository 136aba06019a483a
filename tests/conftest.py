"""One real database a test, a stopped clock and a carrier that keeps what it is given.

Tests that take ``database_url`` (directly or through ``sessions``, ``app``, ``client``) run
on SQLite and on PostgreSQL.
"""

import base64
import logging
import os
import shutil
from collections.abc import Generator, Iterator
from itertools import count
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config as AlembicConfig
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import settings
from jinja2 import BytecodeCache, FileSystemBytecodeCache
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from config import ROOT, Config
from outreach import orm, sealing
from outreach.accounts.models import StaffMember
from outreach.app import create_app
from outreach.db import db
from outreach.deps import Deps
from outreach.intake import spool
from outreach.orm import Sessions
from outreach.upkeep import second_wall
from tests import garbage, in_memory
from tests.builders import PASSWORD
from tests.fakes import FakeClock, FakeGateway
from tests.log_watch import watch
from tests.postgres import Server
from tests.remembering import remember

# The only tests that may be skipped, each with its reason. Any other skip fails the run.
ALLOWED_SKIPS = {
    "tests/integration/intake/test_files.py::test_the_example_files_come_in": (
        "the example files lie beside the project, not in it"
    ),
}

# Whom the policies of PostgreSQL bind; empty for tests of how it is without the second wall.
WEB_ROLE = "outreach_web" if os.environ.get("OUTREACH_TEST_WEB_ROLE") else None

# How long an example takes says how busy the machine is, not whether the rule holds.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

FAST_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


# Tests that make rows without an app use the keys of those with one.
KEYS = Config(database_url="", instance_path=Path(), secret_key="").data_keys
# The same for processes that a test starts.
KEYS_WRITTEN = ",".join(f"{name}:{base64.b64encode(secret).decode()}" for name, secret in KEYS)
sealing.use(KEYS)
remember()
watch.listen()
garbage.none_yet()
in_memory.settle()


@pytest.fixture(scope="session", autouse=True)
def _watched_logs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Read along with all that is logged; it is in ``lines.jsonl`` of each worker's folder."""
    watch.file = tmp_path_factory.getbasetemp() / "lines.jsonl"
    logging.getLogger().addHandler(watch)
    yield
    logging.getLogger().removeHandler(watch)
    assert watch.found_in_the_file() == [], "somebody is told of in the log"


@pytest.fixture(autouse=True)
def _nothing_about_people_is_logged(_watched_logs: None) -> Iterator[None]:
    watch.begin()
    yield
    assert watch.found() == [], "somebody is told of in the log"


@pytest.fixture(autouse=True)
def _files_come_in_as_they_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give patients of a file their ids in its order, so that a test knows whose is whose."""
    monkeypatch.setattr(spool, "_anywhere", count(1).__next__)


def migrate(url: str) -> None:
    alembic = AlembicConfig(toml_file=ROOT / "pyproject.toml")
    alembic.attributes["url"] = url
    command.upgrade(alembic, "head")


def raise_wall(url: str, role: str) -> None:
    engine = orm.make_engine(url)
    with engine.begin() as connection:
        second_wall.build(connection, role)
    engine.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "template.sqlite3"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    server = Server()
    server.start()
    server.create("template_outreach")
    migrate(server.url("template_outreach"))
    if WEB_ROLE:
        raise_wall(server.url("template_outreach"), WEB_ROLE)
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        path = tmp_path / "outreach.sqlite3"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server: Server = request.getfixturevalue("postgres")
    with server.database("template_outreach") as url:
        yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = orm.make_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def sessions(engine: Engine) -> Sessions:
    return orm.make_sessions(engine)


@pytest.fixture
def session(sessions: Sessions) -> Iterator[Session]:
    with sessions() as session:
        yield session


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def gateway(clock: FakeClock) -> FakeGateway:
    return FakeGateway(clock)


@pytest.fixture
def config(database_url: str, tmp_path: Path) -> Config:
    role = WEB_ROLE if database_url.startswith("postgresql") else None
    return Config(
        database_url=database_url,
        instance_path=tmp_path,
        secret_key="test " * 8,
        web_database_role=role,
    )


@pytest.fixture(scope="session")
def compiled_templates(tmp_path_factory: pytest.TempPathFactory) -> BytecodeCache:
    """Templates that were compiled before, by any worker: a quarter of the run otherwise."""
    folder = tmp_path_factory.getbasetemp().parent / "compiled templates"
    folder.mkdir(exist_ok=True)
    return FileSystemBytecodeCache(str(folder))


@pytest.fixture
def app(
    config: Config, clock: FakeClock, gateway: FakeGateway, compiled_templates: BytecodeCache
) -> Iterator[Flask]:
    app = create_app(Deps(config, clock, gateway))
    app.testing = True
    app.jinja_env.bytecode_cache = compiled_templates
    app.config["WTF_CSRF_ENABLED"] = False
    app.extensions["password_hasher"] = FAST_HASHER
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def sign_in(client: FlaskClient, person: StaffMember) -> None:
    """Sign ``person`` in; their row must have been made with ``password_hash=HASH``."""
    answer = client.post("/sign-in", data={"email": person.email, "password": PASSWORD})
    assert answer.status_code == 302, answer.text


HASH = FAST_HASHER.hash(PASSWORD)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    garbage.seldom()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Read what processes that a test started wrote: into its folder, and to our standard error."""
    report = yield
    folder = getattr(item, "funcargs", {}).get("tmp_path")
    if call.when == "call" and folder:
        watch.hear_files(folder)
    if call.when == "teardown" and report.passed:
        said = "".join(text for name, text in report.sections if "stderr" in name)
        if told := watch.told_in(said.splitlines()):
            report.outcome, report.longrepr = "failed", f"somebody is told of: {told}"
    return report


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run in which a test was skipped that nobody allowed to be."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or hasattr(session.config, "workerinput"):
        return
    skipped = {report.nodeid.split("[")[0] for report in reporter.stats.get("skipped", [])}
    silent = sorted(skipped - set(ALLOWED_SKIPS))
    if silent:
        reporter.write_line(f"Skipped without leave: {', '.join(silent)}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
