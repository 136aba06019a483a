"""The role of the web: made by a command, refused where nothing binds it, off until named."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import make_url

from config import BadSetting, Config
from outreach import orm
from outreach.app import create_app
from outreach.deps import Deps
from outreach.upkeep import second_wall
from outreach.upkeep.second_wall import NoWall
from tests.conftest import KEYS_WRITTEN, migrate, raise_wall
from tests.fakes import FakeClock, FakeGateway
from tests.postgres import Server

ROLE = "outreach_web"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Settings for a database that each test names itself."""
    return Config(database_url="", instance_path=tmp_path, secret_key="test " * 8)


@pytest.fixture
def fresh(postgres: Server) -> Iterator[str]:
    """A database as the migrations leave it: the policies asleep."""
    with postgres.database() as url:
        migrate(url)
        yield url


@pytest.fixture
def role(postgres: Server) -> Iterator[str]:
    """A role of this test alone: roles are the whole cluster's."""
    yield "outreach_other"
    with postgres.database() as url:
        _run(url, "DROP ROLE IF EXISTS outreach_other")


def _run(url: str, *statements: str) -> None:
    engine = orm.make_engine(url)
    with engine.begin() as connection:
        for each in statements:
            connection.exec_driver_sql(each)
    engine.dispose()


def _trouble(url: str, role: str | None) -> str | None:
    engine = orm.make_engine(url)
    with engine.connect() as connection:
        found = second_wall.trouble(connection, role)
    engine.dispose()
    return found


def _settings(url: str, config: Config, **more: str) -> dict[str, str]:
    told = {"DATABASE_URL": url, "INSTANCE_PATH": str(config.instance_path)}
    return told | {"DATA_KEYS": KEYS_WRITTEN, "SECRET_KEY": "test " * 8} | more


def _command(
    url: str, config: Config, monkeypatch: pytest.MonkeyPatch, *words: str
) -> tuple[int, str]:
    for name, value in _settings(url, config).items():
        monkeypatch.setenv(name, value)
    done = create_app().test_cli_runner().invoke(args=["db", "web-role", *words])
    return done.exit_code, done.output


def test_a_migration_alone_hides_nothing_from_anybody(fresh: str) -> None:
    _run(
        fresh,
        "CREATE ROLE outreach_reader",
        "GRANT SELECT ON clinic TO outreach_reader",
        "INSERT INTO clinic SELECT 1, 'A', 'A', 'UTC', 'US', '+15125550100', NULL,"
        " '09:00', '17:00', 'x', false, NULL, NULL",
    )
    engine = orm.make_engine(fresh)
    with engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL ROLE outreach_reader")
        assert connection.exec_driver_sql("SELECT count(*) FROM clinic").scalar() == 1
    engine.dispose()
    _run(fresh, "DROP OWNED BY outreach_reader", "DROP ROLE outreach_reader")


def test_the_command_makes_the_role_and_can_be_run_again(
    fresh: str, role: str, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "does not exist" in (_trouble(fresh, role) or "")
    for _time in range(2):
        code, said = _command(fresh, config, monkeypatch, role)
        assert (code, f"WEB_DATABASE_ROLE={role}" in said) == (0, True), said
        assert _trouble(fresh, role) is None

    code, said = _command(fresh, config, monkeypatch, role, "--remove")
    assert (code, said) == (0, "Row-level security is off.\n")
    assert "Row-level security is off on access_key, anonymised" in (_trouble(fresh, role) or "")
    _run(fresh, f"DROP OWNED BY {role}")


def test_the_command_takes_the_role_that_the_settings_name(
    fresh: str, role: str, config: Config, clock: FakeClock, gateway: FakeGateway
) -> None:
    """So units and containers run it after each migration, whether there is a wall or none."""

    def done(named: str | None) -> tuple[int, str]:
        told = replace(config, database_url=fresh, web_database_role=named)
        app = create_app(Deps(told, clock, gateway))
        ended = app.test_cli_runner().invoke(args=["db", "web-role"])
        return ended.exit_code, ended.output

    code, said = done(None)
    assert (code, "stays as it is" in said) == (0, True), said
    assert "does not exist" in (_trouble(fresh, role) or "")

    code, said = done(role)
    assert (code, f"WEB_DATABASE_ROLE={role}" in said) == (0, True), said
    assert _trouble(fresh, role) is None
    _run(fresh, f"DROP OWNED BY {role}")


def test_an_account_that_may_make_no_roles_builds_the_wall_with_one_it_was_given(
    postgres: Server, role: str, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As docs/operations.md has both made: createuser, and createuser -g."""
    with postgres.database() as url:
        name = make_url(url).database
        _run(url, f"CREATE ROLE {role} NOLOGIN", f"CREATE ROLE outreach_owner LOGIN IN ROLE {role}")
        _run(url, f'ALTER DATABASE "{name}" OWNER TO outreach_owner')
        as_owner = make_url(url).set(username="outreach_owner")
        owned = as_owner.render_as_string(hide_password=False)
        migrate(owned)

        code, said = _command(owned, config, monkeypatch, role)

        assert (code, _trouble(owned, role)) == (0, None), said
        _run(url, "DROP OWNED BY outreach_owner CASCADE", f"DROP OWNED BY {role}")
        _run(url, f'ALTER DATABASE "{name}" OWNER TO postgres', "DROP ROLE outreach_owner")


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ("ALTER ROLE outreach_other BYPASSRLS", "No policy binds the role"),
        ("ALTER ROLE outreach_other SUPERUSER", "No policy binds the role"),
        ("ALTER TABLE patient OWNER TO outreach_other", "tables that it owns: patient"),
        ("REVOKE SELECT ON visit FROM outreach_other", "may not read visit"),
        ("GRANT UPDATE ON audit_event TO outreach_other", "may change the audit trail"),
        ("DROP POLICY second_wall ON message", "Tables without a policy: message"),
        ("DROP POLICY second_wall_to_read ON membership", "without a policy: membership"),
        ("ALTER TABLE reading DISABLE ROW LEVEL SECURITY", "is off on reading"),
    ],
)
def test_a_role_that_is_not_bound_is_told(fresh: str, role: str, broken: str, words: str) -> None:
    raise_wall(fresh, role)
    assert _trouble(fresh, role) is None
    _run(fresh, broken)

    assert words in (_trouble(fresh, role) or "")
    _run(fresh, f"REASSIGN OWNED BY {role} TO postgres", f"DROP OWNED BY {role}")


def test_the_web_does_not_start_with_a_role_that_is_not_there(
    fresh: str, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in _settings(fresh, config, WEB_DATABASE_ROLE="nobody_there").items():
        monkeypatch.setenv(name, value)

    with pytest.raises(NoWall, match="WEB_DATABASE_ROLE names a role nobody_there"):
        create_app()


def test_sqlite_has_no_second_wall(tmp_path: Path) -> None:
    told = {"INSTANCE_PATH": str(tmp_path), "WEB_DATABASE_ROLE": ROLE}
    with pytest.raises(BadSetting, match="needs PostgreSQL"):
        Config.from_environment(told)


def test_readiness_tells_of_a_wall_that_came_down(
    fresh: str, config: Config, clock: FakeClock, gateway: FakeGateway
) -> None:
    raise_wall(fresh, ROLE)
    behind = replace(config, database_url=fresh, web_database_role=ROLE)
    client = create_app(Deps(behind, clock, gateway)).test_client()
    assert client.get("/readyz").status_code == 200
    _run(fresh, "ALTER TABLE patient DISABLE ROW LEVEL SECURITY")

    answer = client.get("/readyz")

    assert (answer.status_code, "is off on patient" in answer.text) == (503, True)
