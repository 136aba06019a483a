"""A clinic carried over from one kind of database to the other, whole or not at all."""

import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import (
    Connection,
    Engine,
    Numeric,
    Text,
    delete,
    func,
    insert,
    select,
    text,
    type_coerce,
)

from outreach import orm
from outreach.audit.jobs import link_events
from outreach.measures.models import Reading
from outreach.orm import Model, Sessions
from outreach.planning.jobs import plan_missing_calls
from outreach.planning.models import PlannedCall
from outreach.searching import directory, index
from outreach.searching.jobs import index_backlog
from outreach.upkeep import copying, promises
from outreach.upkeep.copying import CannotCopy
from tests.builders import make_clinic, make_enrolment, make_patient, make_reading, make_staff
from tests.fakes import FakeClock
from tests.integration.planning import busy
from tests.postgres import Server

NOW = FakeClock()()


@pytest.fixture
def other_url(database_url: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty, migrated database of the other kind."""
    if database_url.startswith("postgresql"):
        path = tmp_path / "other.sqlite3"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server: Server = request.getfixturevalue("postgres")
    with server.database("template_outreach") as url:
        yield url


@pytest.fixture
def other(other_url: str) -> Iterator[Engine]:
    engine = orm.make_engine(other_url)
    yield engine
    engine.dispose()


def carry_over(engine: Engine, other: Engine) -> int:
    with orm.reading(), engine.connect() as source, other.connect() as target:
        return copying.copy(source, target, tell=lambda _line: None)


# Made anew in the copy, from the rows that arrived.
ROLLED = (
    "report_day",
    "report_dial",
    "report_week",
    "report_rolled",
    "report_touched_days",
    "report_touched_enrolment",
)


def everything(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    with engine.connect() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in Model.metadata.sorted_tables
            if not table.name.startswith(("search_", "directory_")) and table.name not in ROLLED
        }


def test_every_row_arrives_as_it_was(
    engine: Engine, sessions: Sessions, other: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "PAGE", 3)
    busy.fill(sessions, now=NOW)
    plan_missing_calls(sessions, FakeClock())
    link_events(sessions)

    copied = carry_over(engine, other)
    index_backlog(orm.make_sessions(other))

    here = everything(engine)
    assert everything(other) == here
    assert copied == sum(map(len, here.values()))
    with orm.make_sessions(other)() as session:
        assert (index.waiting(session), index.missing(session)) == (False, 0)
        assert directory.differing(session) == []


def test_the_copy_lives_on(engine: Engine, sessions: Sessions, other: Engine) -> None:
    busy.fill(sessions, now=NOW)
    carry_over(engine, other)
    there = orm.make_sessions(other)

    with there.begin() as session:
        clinic = make_clinic(session)
        caller = make_staff(session, clinic)
        new = make_enrolment(session, make_patient(session, clinic), caller=caller).id
    plan_missing_calls(there, FakeClock())

    with there() as session:
        planned = select(func.count()).where(PlannedCall.enrolment_id == new)
        assert session.scalar(planned) == 1
        broken = {each.promise for each in promises.breaches(session, now=NOW)}
    with sessions() as session:
        assert broken <= {each.promise for each in promises.breaches(session, now=NOW)}


def test_a_database_with_people_in_it_is_left_alone(
    engine: Engine, sessions: Sessions, other: Engine
) -> None:
    busy.fill(sessions, now=NOW)
    there = orm.make_sessions(other)
    with there.begin() as session:
        make_clinic(session)
    before = everything(other)

    with pytest.raises(CannotCopy, match="Name an empty database"):
        carry_over(engine, other)

    assert everything(other) == before


def test_databases_of_two_versions_are_told_apart(engine: Engine, other: Engine) -> None:
    with other.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001_older'"))

    with pytest.raises(CannotCopy, match="0001_older there"):
        carry_over(engine, other)


def test_a_copy_that_lost_a_row_is_not_kept(
    engine: Engine, sessions: Sessions, other: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy.fill(sessions, now=NOW)
    empty = everything(other)
    set_right = copying._prove

    def lose_one(source: object, target: object, table: object) -> None:
        if table is PlannedCall.__table__:
            last = select(func.max(PlannedCall.id)).scalar_subquery()
            target.execute(delete(PlannedCall).where(PlannedCall.id == last))  # type: ignore[attr-defined]
        set_right(source, target, table)  # type: ignore[arg-type]

    monkeypatch.setattr(copying, "_prove", lose_one)

    with pytest.raises(CannotCopy, match="planned_call differs in rows"):
        carry_over(engine, other)

    assert everything(other) == empty


def test_a_text_that_was_changed_on_the_way_is_found(
    engine: Engine, sessions: Sessions, other: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy.fill(sessions, now=NOW)
    patients = Model.metadata.tables["patient"]

    cut = copying._copy_table

    def cut_names(source: object, target: object, table: object) -> int:
        count = cut(source, target, table)  # type: ignore[arg-type]
        if table is patients:
            target.execute(patients.update().values(about="Likes tea"))  # type: ignore[attr-defined]
        return count

    monkeypatch.setattr(copying, "_copy_table", cut_names)

    with pytest.raises(CannotCopy, match="patient differs in about"):
        carry_over(engine, other)


def test_two_names_that_changed_places_on_the_way_are_found(
    engine: Engine, sessions: Sessions, other: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are as many and as long as before."""
    with sessions.begin() as session:
        clinic = make_clinic(session)
        ids = [make_patient(session, clinic).id for _each in range(2)]
    patients = Model.metadata.tables["patient"]
    kept = type_coerce(patients.c.family_name, Text())
    set_right = copying._prove

    def exchange(source: object, target: Connection, table: object) -> None:
        if table is patients:
            names = [target.scalar(select(kept).where(patients.c.id == each)) for each in ids]
            for each, name in zip(ids, reversed(names), strict=True):
                target.execute(
                    text("UPDATE patient SET family_name = :name WHERE id = :id"),
                    {"name": name, "id": each},
                )
        set_right(source, target, table)  # type: ignore[arg-type]

    monkeypatch.setattr(copying, "_prove", exchange)

    with pytest.raises(CannotCopy, match=r"patient differs in family_name\."):
        carry_over(engine, other)


def fill_with_readings(sessions: Sessions, values: list[Decimal]) -> None:
    with sessions.begin() as session:
        patient = make_patient(session, make_clinic(session))
        first = make_reading(session, patient, value="5.5")
        columns = Reading.__table__.columns
        row = {name: getattr(first, name) for name in columns.keys() if name != "id"}  # noqa: SIM118
        session.execute(insert(Reading), [row | {"value": value} for value in values])


# Added as floats, one after the other, these miss their sum by four thousandths; so do one or two
# million of the size that people have.
MANY = [Decimal("999999.954")] * 12_000


def test_a_right_copy_of_many_readings_is_taken_for_one(
    engine: Engine, sessions: Sessions, other: Engine
) -> None:
    fill_with_readings(sessions, MANY)

    carry_over(engine, other)

    with other.connect() as connection:
        there = connection.scalars(select(Reading.value)).all()
    assert sum(there) == sum(MANY) + Decimal("5.5")


def test_one_reading_among_many_that_differs_by_the_least_is_found(
    engine: Engine, sessions: Sessions, other: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_with_readings(sessions, MANY)
    set_right = copying._prove

    def shift_one(source: object, target: object, table: object) -> None:
        if table is Reading.__table__:
            last = select(func.max(Reading.id)).scalar_subquery()
            value = Reading.value + Decimal("0.001")
            target.execute(Reading.__table__.update().where(Reading.id == last).values(value=value))  # type: ignore[attr-defined]
        set_right(source, target, table)  # type: ignore[arg-type]

    monkeypatch.setattr(copying, "_prove", shift_one)

    with pytest.raises(CannotCopy, match=r"reading differs in value\."):
        carry_over(engine, other)


def test_every_decimal_says_how_many_places_it_keeps() -> None:
    """To which both kinds of database are read; what is kept as a float could not be compared."""
    columns = [column for table in Model.metadata.sorted_tables for column in table.columns]
    decimals = [column.type for column in columns if isinstance(column.type, Numeric)]

    assert len(decimals) > 4
    assert all(each.scale is not None and each.asdecimal for each in decimals)


def test_the_command_copies_and_says_so(
    app: Flask, sessions: Sessions, other: Engine, other_url: str
) -> None:
    busy.fill(sessions, now=NOW)

    done = app.test_cli_runner().invoke(args=["db", "copy", other_url])
    again = app.test_cli_runner().invoke(args=["db", "copy", other_url])

    assert done.exit_code == 0, done.output
    assert "every value is the same there" in done.output
    assert again.exit_code == 1
    assert "Name an empty database" in again.output
