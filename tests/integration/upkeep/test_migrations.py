"""A migration that fails leaves the old state, waits for no lock for long, and holds none."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, event, inspect, text
from sqlalchemy.exc import OperationalError, PendingRollbackError

from config import ROOT
from outreach import orm
from tests.conftest import migrate
from tests.killing import Fate, Killed
from tests.postgres import Server

POINTS = 4  # at which it is ended, of all its statements
# Every migration before this one came before the first release: no large table was there.
FIRST_GUARDED = "0033"


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.sqlite3'}"
        return
    server: Server = request.getfixturevalue("postgres")
    with server.database() as url:
        yield url


def state(url: str) -> tuple[Any, ...]:
    """Return the revision, and every table with its columns and indexes."""
    engine = orm.make_engine(url)
    seen = inspect(engine)
    with orm.reading(), engine.connect() as connection:
        names = sorted(seen.get_table_names())
        revision = (
            connection.scalar(text("SELECT version_num FROM alembic_version"))
            if "alembic_version" in names
            else None
        )
        shape = tuple(
            (
                name,
                tuple(sorted(each["name"] for each in seen.get_columns(name))),
                tuple(sorted(str(each["name"]) for each in seen.get_indexes(name))),
            )
            for name in names
            if not name.startswith("search_words")
        )
    engine.dispose()
    return revision, shape


def count_statements(url: str) -> int:
    fate = Fate()
    event.listen(Engine, "before_cursor_execute", fate)
    try:
        migrate(url)
    finally:
        event.remove(Engine, "before_cursor_execute", fate)
    return fate.steps


def test_one_that_dies_leaves_a_state_from_which_it_goes_on(
    empty_url: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    total = count_statements(empty_url)
    expected = state(empty_url)
    for point in range(2, total, total // POINTS):
        url = _another(empty_url, request, tmp_path / f"{point}.sqlite3")
        fate = Fate(Killed, point)
        event.listen(Engine, "before_cursor_execute", fate)
        # Steps that commit as they go hide it behind the rollback of a connection that is gone.
        with pytest.raises((Killed, PendingRollbackError)):
            migrate(url)
        event.remove(Engine, "before_cursor_execute", fate)
        migrate(url)
        assert state(url) == expected, f"ended at statement {point} of {total}"


def _another(url: str, request: pytest.FixtureRequest, path: Path) -> str:
    if url.startswith("sqlite"):
        return f"sqlite:///{path}"
    server: Server = request.getfixturevalue("postgres")
    context = server.database()
    request.addfinalizer(lambda: context.__exit__(None, None, None))
    return context.__enter__()


def test_one_that_would_wait_for_a_lock_gives_up_and_changes_nothing(postgres: Server) -> None:
    with postgres.database() as url:
        _alembic(url, "upgrade", "0001")
        before = state(url)
        engine = orm.make_engine(url)
        with engine.begin() as other:
            other.execute(text("LOCK TABLE patient IN ACCESS SHARE MODE"))
            with pytest.raises(OperationalError, match="lock timeout"):
                migrate(url)
        revision, _shape = state(url)
        assert revision >= before[0]
        migrate(url)
        engine.dispose()


def _alembic(url: str, what: str, revision: str) -> None:
    alembic = AlembicConfig(toml_file=ROOT / "pyproject.toml")
    alembic.attributes["url"] = url
    getattr(command, what)(alembic, revision)


LONG_LOCKS = {
    "rewrites a table": re.compile(r"ALTER TABLE (\w+) ALTER COLUMN \w+ TYPE"),
    "reads a whole table under a lock": re.compile(
        r"ALTER TABLE (\w+) (?:ALTER COLUMN \w+ SET NOT NULL"
        r"|ADD (?:CONSTRAINT \S+ )?(?:CHECK|FOREIGN KEY)(?!.*NOT VALID))",
        re.DOTALL,
    ),
    "builds an index under a lock": re.compile(
        r"CREATE (?:UNIQUE )?INDEX (?!CONCURRENTLY)\S+ ON (\w+)"
    ),
    "writes every row": re.compile(r"UPDATE (\w+) SET (?!.*WHERE)", re.DOTALL),
}
_NEW_TABLE = re.compile(r"CREATE TABLE (\w+)")


def long_locks(statements: list[str]) -> list[str]:
    """Return what in one migration locks a table, that was there before, for long."""
    new = {found[1] for each in statements if (found := _NEW_TABLE.search(each))}
    return [
        f"{kind}: {found[1]}"
        for each in statements
        for kind, pattern in LONG_LOCKS.items()
        if (found := pattern.search(each)) and found[1] not in new
    ]


def files(url: str) -> set[tuple[str, int]]:
    """Return each table of PostgreSQL with its file: another one, where it was written anew.

    A longer text, or one of any length, is a word in the catalogue alone.
    """
    engine = orm.make_engine(url)
    with orm.reading(), engine.connect() as connection:
        rows = connection.execute(text("SELECT relname, relfilenode FROM pg_class")).all()
    engine.dispose()
    return {(row.relname, row.relfilenode) for row in rows}


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("ALTER TABLE message ALTER COLUMN body TYPE VARCHAR(5)", "rewrites a table"),
        ("ALTER TABLE message ALTER COLUMN body SET NOT NULL", "reads a whole table under a lock"),
        (
            "ALTER TABLE message ADD CONSTRAINT fk_m FOREIGN KEY(a) REFERENCES b (id)",
            "reads a whole table under a lock",
        ),
        ("CREATE UNIQUE INDEX ix_m ON message (a)", "builds an index under a lock"),
        ("UPDATE message SET tries = 0", "writes every row"),
        ("ALTER TABLE message ADD COLUMN tries INTEGER", None),
        ("ALTER TABLE message ADD CONSTRAINT c CHECK (a > 0) NOT VALID", None),
        ("CREATE INDEX CONCURRENTLY ix_m ON message (a)", None),
        ("UPDATE message SET tries = 0 WHERE id BETWEEN 1 AND 1000", None),
    ],
)
def test_a_long_lock_is_known_by_its_statement(statement: str, kind: str | None) -> None:
    assert long_locks([statement]) == ([f"{kind}: message"] if kind else [])
    assert long_locks(["CREATE TABLE message (", statement]) == []


def test_no_migration_after_the_first_release_locks_a_table_for_long(postgres: Server) -> None:
    alembic = AlembicConfig(toml_file=ROOT / "pyproject.toml")
    revisions = [
        each.revision
        for each in reversed(list(ScriptDirectory.from_config(alembic).walk_revisions()))
    ]
    found: dict[str, list[str]] = {}
    with postgres.database() as url:
        for revision in revisions:
            statements: list[str] = []

            def note(*arguments: Any, into: list[str] = statements) -> None:
                into.append(arguments[2])

            before = files(url)
            event.listen(Engine, "before_cursor_execute", note)
            _alembic(url, "upgrade", revision)
            event.remove(Engine, "before_cursor_execute", note)
            kept = {
                f"rewrites a table: {name}" for name, file in files(url) if (name, file) in before
            }
            found[revision] = [each for each in long_locks(statements) if each not in kept]

    assert any(found.values()), "the search finds nothing in migrations that do lock"
    guarded = {name: locks for name, locks in found.items() if name >= FIRST_GUARDED and locks}
    assert guarded == {}
