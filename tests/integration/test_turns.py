"""Writers of an SQLite file take turns, and readers of PostgreSQL can only read."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, OperationalError

from outreach import orm, turns
from tests.postgres import Server


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database with one table, and nobody who has it open."""
    path = tmp_path / "clinic.sqlite"
    engine = orm.make_engine(f"sqlite:///{path}")
    orm.use_wal(engine)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE written (by_whom TEXT)"))
    engine.dispose()
    return path


@pytest.fixture
def engine(file: Path) -> Iterator[Engine]:
    """One process that has it open."""
    yield from _opened(file)


@pytest.fixture
def other(file: Path) -> Iterator[Engine]:
    """Another process, as far as turns are concerned: it has a line of its own."""
    yield from _opened(file)


def _opened(file: Path) -> Iterator[Engine]:
    engine = orm.make_engine(f"sqlite:///{file}")
    yield engine
    engine.dispose()


def _write(engine: Engine, name: str) -> None:
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO written VALUES (:name)"), {"name": name})


def _written(engine: Engine) -> list[str]:
    with orm.reading(), engine.connect() as connection:
        return list(connection.scalars(text("SELECT by_whom FROM written")))


def _waiting(engine: Engine, *names: str) -> list[threading.Thread]:
    """Let threads come to write one after the other, while somebody else writes."""
    threads = [threading.Thread(target=_write, args=(engine, name)) for name in names]
    for each in threads:
        each.start()
        time.sleep(0.05)
    return threads


def test_who_came_first_writes_first(engine: Engine) -> None:
    names = [f"thread {number}" for number in range(6)]
    with engine.begin():
        threads = _waiting(engine, *names)
        assert _written(engine) == []
    for each in threads:
        each.join(10)
    assert _written(engine) == names


def test_another_process_that_waits_goes_before_those_of_the_process_that_wrote(
    engine: Engine, other: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "_LETS_OTHERS", 0.5)  # however busy the machine is
    with engine.begin():
        threads = _waiting(other, "the other") + _waiting(engine, "ours")
    for each in threads:
        each.join(10)
    assert _written(engine) == ["the other", "ours"]


def test_two_processes_and_many_threads_lose_nothing_and_nobody_hears_of_a_lock(
    engine: Engine, other: Engine
) -> None:
    def often(which: Engine, name: str) -> None:
        for number in range(20):
            _write(which, f"{name} {number}")

    each_one = [(engine, "a"), (other, "b"), (engine, "c"), (other, "d"), (engine, "e")]
    threads = [threading.Thread(target=often, args=each) for each in each_one]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    expected = {f"{name} {number}" for _which, name in each_one for number in range(20)}
    found = _written(engine)
    assert len(found) == len(expected)
    assert set(found) == expected


def test_where_no_file_can_stand_beside_the_database_writers_wait_all_the_same(
    file: Path, engine: Engine, other: Engine
) -> None:
    file.with_name(f"{file.name}-turns").mkdir()  # as refused as on a full disk
    with engine.begin():
        (waiting,) = _waiting(other, "the other")
    waiting.join(10)
    assert _written(engine) == ["the other"]


def test_whoever_failed_gives_the_turn_on(engine: Engine) -> None:
    with pytest.raises(OperationalError, match="no such table"), engine.begin() as connection:
        connection.execute(text("INSERT INTO nowhere VALUES (1)"))
    _write(engine, "the next")
    assert _written(engine) == ["the next"]


def test_a_connection_that_is_closed_while_it_writes_gives_the_turn_on(engine: Engine) -> None:
    connection = engine.connect()
    connection.execute(text("INSERT INTO written VALUES ('never')"))
    connection.invalidate()
    _write(engine, "the next")
    assert _written(engine) == ["the next"]


@pytest.mark.parametrize("is_same_process", [True, False])
def test_whoever_waited_too_long_reads_why(
    engine: Engine, other: Engine, *, is_same_process: bool
) -> None:
    holder = engine if is_same_process else other
    with orm.reading(), engine.connect() as first, engine.connect() as second:
        for each in (first, second):
            each.exec_driver_sql("PRAGMA busy_timeout=50")
    with holder.begin() as holding:
        holding.execute(text("INSERT INTO written VALUES ('held')"))
        with pytest.raises(OperationalError, match="database is locked"):
            _write(engine, "too late")
    _write(engine, "now")
    assert _written(engine) == ["held", "now"]


def test_a_writer_of_a_file_that_may_only_be_read_reads_why(file: Path) -> None:
    readonly = orm.make_engine(f"sqlite:///file:{file}?mode=ro&uri=true")
    with pytest.raises(OperationalError, match="readonly"):
        _write(readonly, "never")
    readonly.dispose()


def test_a_timeout_is_as_it_was_after_a_turn(engine: Engine) -> None:
    with engine.begin() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 30_000


@pytest.fixture
def postgresql(postgres: Server) -> Iterator[Engine]:
    """A database of PostgreSQL with one table."""
    with postgres.database() as url:
        engine = orm.make_engine(url)
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE written (by_whom TEXT)"))
        yield engine
        engine.dispose()


def test_postgresql_refuses_what_a_reader_writes(postgresql: Engine) -> None:
    with (
        orm.reading(),
        pytest.raises(DBAPIError, match="read-only transaction"),
        postgresql.begin() as connection,
    ):
        connection.execute(text("INSERT INTO written VALUES ('by a page')"))
    _write(postgresql, "by a writer")
    assert _written(postgresql) == ["by a writer"]


def test_postgresql_plans_once_what_pages_ask_again_and_again(postgresql: Engine) -> None:
    for _page in range(8):
        _written(postgresql)
    with orm.reading(), postgresql.connect() as connection:
        kept = list(connection.scalars(text("SELECT statement FROM pg_prepared_statements")))
    assert any("FROM written" in each for each in kept)
