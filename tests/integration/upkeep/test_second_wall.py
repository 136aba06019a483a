"""PostgreSQL itself shows the web no row of another clinic, whatever a query forgets."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Date,
    Enum,
    Executable,
    Integer,
    Table,
    Time,
    delete,
    insert,
    inspect,
    select,
    text,
    update,
)
from sqlalchemy.exc import NoResultFound, ProgrammingError

from config import Config
from outreach import orm, sealing, seeing
from outreach.app import create_app
from outreach.db import db, see
from outreach.deps import Deps
from outreach.orm import Model, UTCDateTime
from outreach.seeing import NOTHING, Reach, Sees
from outreach.upkeep import second_wall
from outreach.upkeep.second_wall import (
    ALL_RIGHTS,
    OPEN,
    POLICY,
    POLICY_TO_READ,
    READ_ALSO,
    RIGHTS,
    NoWall,
    policies,
)
from tests.fakes import FakeClock, FakeGateway
from tests.postgres import Server

ROLE = "outreach_web"
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
HERE, THERE = 1, 2
# What is open until somebody is known: who they are, and whom they may see.
OF_SIGN_IN = {"membership", "emergency_access", "access_key"}
OF_HERE = Sees(frozenset({HERE}), HERE)
ELSEWHERE = 3


@pytest.fixture(scope="module")
def walled(postgres: Server) -> Iterator[str]:
    """A database with row-level security on, and in each table a row of each of two clinics."""
    with postgres.database("template_outreach") as url:
        engine = orm.make_engine(url)
        with engine.begin() as connection:
            second_wall.build(connection, ROLE)
            _let_any_row_in(connection)
            for table in Model.metadata.sorted_tables:
                if table.name in policies():
                    connection.execute(insert(table), [_row(table, HERE), _row(table, THERE)])
        engine.dispose()
        yield url


def _let_any_row_in(connection: Connection) -> None:
    _forget_foreign_keys(connection)
    for table, name in connection.execute(
        text("SELECT conrelid::regclass, conname FROM pg_constraint WHERE contype = 'c'")
    ).all():
        if not table.startswith(("information_schema", "-")):
            connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {name}")


def _forget_foreign_keys(connection: Connection) -> None:
    connection.execute(text("SET LOCAL session_replication_role = replica"))


@pytest.fixture
def connection(walled: str) -> Iterator[Connection]:
    engine = orm.make_engine(walled)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def _row(table: Table, number: int) -> dict[str, Any]:
    """Return a row whose every id, and every word, is ``number``."""
    return {
        column.name: _value(column, number)
        for column in table.columns
        if column.foreign_keys or column.name == "clinic_id" or not column.nullable
    }


def _value(column: Column[Any], number: int) -> Any:
    kind = column.type
    if column.foreign_keys or isinstance(kind, Integer):
        return number
    if isinstance(kind, Enum):
        return next(iter(kind.enum_class or ()))
    for known, value in _VALUES:
        if isinstance(kind, known) or isinstance(getattr(kind, "impl", None), known):
            return value
    return str(number)


_VALUES: tuple[tuple[Any, Any], ...] = (
    (Boolean, False),
    (Date, date(2026, 1, 1)),
    (Time, time(1)),
    (UTCDateTime, NOW),
    (JSON, {}),
    (sealing.SealedJSON, {}),
)


def _as(connection: Connection, sees: Sees) -> None:
    seeing._say(connection, sees, ROLE)


def _numbers(connection: Connection, table: Table) -> set[Any]:
    return set(connection.scalars(select(_number(table))))


def _number(table: Table) -> Column[Any]:
    return next(
        column
        for column in table.columns
        if column.name == "clinic_id" or column.foreign_keys or column.primary_key
        if table.name != "unrecorded_text" or column.primary_key
    )


TABLE = Model.metadata.tables


# Rows of these may be of no clinic; the trail's can be added, and are changed by nobody.
OF_NO_CLINIC = sorted(
    name for name in set(policies()) - {"audit_event"}
    if "clinic_id" in TABLE[name].columns and TABLE[name].columns["clinic_id"].nullable
)  # fmt: skip


def test_every_table_has_a_policy_or_a_reason(connection: Connection) -> None:
    names = set(inspect(connection).get_table_names())

    assert names == set(policies()) | set(OPEN)
    assert not set(policies()) & set(OPEN)
    assert all(OPEN.values())
    assert set(RIGHTS) <= names


def test_the_database_has_the_policies_of_the_list(connection: Connection) -> None:
    query = text("SELECT tablename, policyname, cmd, qual, with_check FROM pg_policies")
    there = connection.execute(query).all()
    for table, condition in policies().items():
        connection.exec_driver_sql(f"ALTER POLICY {POLICY} ON {table} USING ({condition})")
    for table, condition in READ_ALSO.items():
        connection.exec_driver_sql(f"ALTER POLICY {POLICY_TO_READ} ON {table} USING ({condition})")

    assert sorted(there) == sorted(connection.execute(query).all())
    assert sorted((each.tablename, each.policyname, each.cmd) for each in there) == sorted(
        [(table, POLICY, "ALL") for table in policies()]
        + [(table, POLICY_TO_READ, "SELECT") for table in READ_ALSO]
    )


def _seen(connection: Connection) -> dict[str, set[Any]]:
    return {name: _numbers(connection, TABLE[name]) for name in sorted(policies())}


def test_a_query_without_a_filter_shows_only_ones_own_clinic(connection: Connection) -> None:
    _as(connection, OF_HERE)

    of_no_clinic: dict[str, set[int]] = {"unrecorded_text": set(), "region_membership": set()}
    assert _seen(connection) == {key: {HERE} for key in policies()} | of_no_clinic


def test_whoever_says_nothing_sees_nothing(connection: Connection) -> None:
    connection.execute(text(f"SET LOCAL ROLE {ROLE}"))
    assert _seen(connection) == {key: set() for key in policies()}

    _as(connection, NOTHING)
    assert _seen(connection) == {key: set() for key in policies()}


def test_who_signs_in_sees_accounts_and_no_patient(connection: Connection) -> None:
    _as(connection, Sees(reach=Reach.SIGN_IN))

    seen = {name for name, numbers in _seen(connection).items() if numbers}
    assert seen == OF_SIGN_IN


@pytest.mark.parametrize("reach", [Reach.CARRIER, Reach.EVERY_CLINIC])
def test_the_carrier_and_administrators_see_every_clinic(
    connection: Connection, reach: Reach
) -> None:
    _as(connection, Sees(reach=reach))

    assert _seen(connection) == {key: {HERE, THERE} for key in policies()}


@pytest.mark.parametrize("sees", [OF_HERE, Sees(reach=Reach.SIGN_IN), NOTHING])
def test_nothing_of_another_clinic_can_be_changed(connection: Connection, sees: Sees) -> None:
    _as(connection, sees)
    for name in policies():
        table = TABLE[name]
        number = _number(table)
        changes = (
            update(table).where(number == THERE).values({number.name: number}),
            delete(table).where(number == THERE),
        )
        if "UPDATE" in RIGHTS.get(name, ALL_RIGHTS):
            assert [connection.execute(each).rowcount for each in changes] == [0, 0], name
        else:
            for each in changes:
                _refused(connection, each, "permission denied")
        _refused(
            connection,
            insert(table).values(_row(table, THERE)),
            "violates row-level security|permission denied",
        )


@pytest.mark.parametrize("sees", [OF_HERE, Sees(reach=Reach.SIGN_IN), NOTHING])
def test_what_is_of_no_clinic_is_not_changed_either(connection: Connection, sees: Sees) -> None:
    """Administrators' roles are such rows: who could write one would be one."""
    _forget_foreign_keys(connection)
    without = {"clinic_id": None, "staff_id": ELSEWHERE}
    for name in OF_NO_CLINIC:
        table = TABLE[name]
        connection.execute(insert(table).values(_row(table, ELSEWHERE) | without))
    _as(connection, sees)
    for name in OF_NO_CLINIC:
        table = TABLE[name]
        changes = (
            update(table).where(table.c.clinic_id.is_(None)).values(clinic_id=HERE),
            delete(table).where(table.c.clinic_id.is_(None)),
        )
        assert [connection.execute(each).rowcount for each in changes] == [0, 0], name
        new = insert(table).values(_row(table, ELSEWHERE + 1) | without)
        _refused(connection, new, "violates row-level security")


def test_what_anybody_does_is_noted(connection: Connection) -> None:
    _forget_foreign_keys(connection)
    noted = _row(TABLE["audit_event"], ELSEWHERE) | {"clinic_id": None}
    _as(connection, Sees(reach=Reach.SIGN_IN))
    connection.execute(insert(TABLE["audit_event"]).values(noted))

    assert None in set(connection.scalars(select(TABLE["audit_event"].c.clinic_id)))


def _refused(connection: Connection, change: Executable, words: str) -> None:
    with pytest.raises(ProgrammingError, match=words), connection.begin_nested():
        connection.execute(change)


def test_what_is_ones_own_can_t_be_given_away(connection: Connection) -> None:
    _as(connection, OF_HERE)
    with pytest.raises(ProgrammingError, match="row-level security"):
        connection.execute(text("UPDATE patient SET clinic_id = 2"))


def test_it_ends_with_the_transaction(connection: Connection) -> None:
    _as(connection, OF_HERE)
    assert connection.scalar(text("SELECT count(*) FROM patient")) == 1
    connection.rollback()

    assert connection.scalar(text("SELECT current_user")) == "postgres"
    assert connection.scalar(text("SELECT count(*) FROM patient")) == 2
    assert not connection.scalar(text("SELECT current_setting('outreach.clinics', true)"))


@pytest.mark.parametrize("name", ["Outreach", "a-b", "1web", 'web"; DROP TABLE patient; --', ""])
def test_a_name_that_is_none_makes_no_role(walled: str, name: str) -> None:
    engine = orm.make_engine(walled)
    with engine.connect() as connection, pytest.raises(NoWall, match="small letters"):
        second_wall.build(connection, name)
    engine.dispose()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Settings for a database that each test names itself."""
    return Config(database_url="", instance_path=tmp_path, secret_key="test " * 8)


@pytest.fixture
def walled_app(walled: str, config: Config, clock: FakeClock, gateway: FakeGateway) -> Flask:
    behind = replace(config, database_url=walled, web_database_role=ROLE)
    return create_app(Deps(behind, clock, gateway))


def test_a_request_takes_the_role_and_a_command_stays_the_owner(walled_app: Flask) -> None:
    asked = text("SELECT current_user, (SELECT count(*) FROM patient)")
    with walled_app.app_context():
        assert db.session.execute(asked).one() == ("postgres", 2)
    with walled_app.test_request_context("/queue/"):
        assert db.session.execute(asked).one() == (ROLE, 0)
        see(Sees(frozenset({HERE})))
        assert db.session.execute(asked).one() == (ROLE, 1)
        db.session.commit()
        assert db.session.execute(asked).one() == (ROLE, 1)
        with db.engine.connect() as connection:
            assert connection.execute(asked).one() == (ROLE, 1)


def test_a_look_over_clinics_ends_where_it_says(walled_app: Flask) -> None:
    count = text("SELECT count(*) FROM patient")
    with walled_app.test_request_context("/queue/"):
        see(Sees(frozenset({HERE})))
        with seeing.every_clinic(db.session, "to see"):
            assert db.session.scalar(count) == 2
        assert db.session.scalar(count) == 1
        with pytest.raises(NoResultFound), seeing.every_clinic(db.session, "to find none"):
            db.session.execute(text("SELECT 1 WHERE false")).one()
        assert db.session.scalar(count) == 1
        with pytest.raises(ProgrammingError), seeing.every_clinic(db.session, "to fail"):
            db.session.execute(text("SELECT 1 FROM nowhere"))
        db.session.rollback()
        assert db.session.scalar(count) == 1
        with pytest.raises(ValueError, match="says why"), seeing.every_clinic(db.session, ""):
            pass


def test_each_open_page_says_how_far_it_sees(walled_app: Flask) -> None:
    far = {
        name: getattr(view, "reach", None)
        for name, view in walled_app.view_functions.items()
        if getattr(view, "allowed_roles", ()) is None
    }
    assert {name for name, reach in far.items() if reach is Reach.EVERY_CLINIC} == {
        "upkeep.readyz",
        "upkeep.metrics",
    }
    assert {name.split(".")[0] for name, reach in far.items() if reach is Reach.CARRIER} == {
        "messaging_webhooks",
        "phoning_webhooks",
        "inbox_webhooks",
    }
    assert set(far.values()) == {Reach.EVERY_CLINIC, Reach.CARRIER, Reach.SIGN_IN}
