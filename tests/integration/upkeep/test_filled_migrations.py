"""Each migration on a database that people have worked in, from every version there was.

The demo clinics are taken back version by version, which keeps every row of the tables that a
version had. From each of them the next migration is made: all rows are there as they were, the
tables are those of the next version, and what is killed half-way ends the same. So a database of
any version comes up to the newest by steps each of which was made on rows.
"""

import shutil
from collections.abc import Hashable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from alembic.config import Config as AlembicConfig
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import PendingRollbackError

from config import ROOT
from outreach import orm
from outreach.upkeep import promises
from scripts.seed_demo import seed_if_empty
from tests.conftest import FAST_HASHER, migrate
from tests.fakes import FakeClock
from tests.killing import Fate, Killed
from tests.postgres import Server

NOW = FakeClock()()
FIRST_KILLED = "0033"  # those before were made before anybody had the product
# What a migration changes in rows that were there, and why.
CHANGES = {
    "0012_consent_topics": {"consent_event.topic"},  # a consent to calls is about calls
    "0032_sealed": set(  # encrypted since; the search index is made anew
        """
        call_note.text concern_step.note consent_event.number cover.note emergency_contact.e164
        emergency_contact.name emergency_contact.relation enrolment.away_reason
        enrolment.status_reason enrolment_event.reason follow_up.note follow_up.reason goal.text
        goal_news.text import_run.problems inbound_text.body inbound_text.from_number message.body
        message.dedupe_key message.to_number own_limits.reason panel_membership.note patient.about
        patient.family_name patient.given_name patient.preferred_name patient.record_number
        phone_number.e164 promise.text reading.reason risk_flag.words text_question.details
        welfare_step.note
        search_backlog.id search_backlog.(rows)
        """.split()
    ),
}
LOOKED_AT = 200  # rows of each table whose values are compared; all are counted

Shape = dict[str, frozenset[str]]
Digests = dict[tuple[str, str], int]
ROWS = "(rows)"  # how many, beside the columns


@contextmanager
def _copied(url: str, server: Server | None) -> Iterator[str]:
    """Make a copy of the database at ``url`` that may be spoiled."""
    name = make_url(url).database or ""
    if server is not None:
        with server.database(name) as copy:
            yield copy
        return
    spoiled = Path(name).with_name("copy.sqlite3")
    shutil.copyfile(name, spoiled)
    yield f"sqlite:///{spoiled}"
    spoiled.unlink()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Server | None]]:
    """The demo at the newest version, and its server."""
    with ExitStack() as stack:
        server = request.getfixturevalue("postgres") if request.param == "postgresql" else None
        url = f"sqlite:///{tmp_path / 'demo.sqlite3'}"
        if server is not None:
            url = stack.enter_context(server.database())
        migrate(url)
        engine = orm.make_engine(url)
        seed_if_empty(orm.make_sessions(engine), now=NOW, hasher=FAST_HASHER, password="a b c d")
        engine.dispose()
        yield url, server


def _versions() -> list[str]:
    return [each.revision for each in _loaded()[1].walk_revisions()]


def _alembic(url: str, what: str, version: str) -> None:
    """As Alembic's own command, which would read every migration again each time."""
    alembic, script = _loaded()
    alembic.attributes["url"] = url
    steps = script._upgrade_revs if what == "upgrade" else script._downgrade_revs
    with EnvironmentContext(alembic, script, fn=lambda at, _context: steps(version, at)):
        script.run_env()


@cache
def _loaded() -> tuple[AlembicConfig, ScriptDirectory]:
    alembic = AlembicConfig(toml_file=ROOT / "pyproject.toml")
    return alembic, ScriptDirectory.from_config(alembic)


def _told(value: Any) -> int:
    return hash(value if isinstance(value, Hashable) else repr(value))


def _read(url: str) -> tuple[Shape, Digests]:
    """Return the columns of every table, and a digest of every column's values."""
    engine = orm.make_engine(url)
    shape, digests = {}, {}
    with orm.reading(), engine.connect() as connection:
        found = inspect(connection).get_multi_columns()
        for (_schema, table), columns in found.items():
            if table.startswith("search_words") or table == "alembic_version":
                continue
            names = sorted(each["name"] for each in columns)
            shape[table] = frozenset(names)
            listed = ", ".join(f'"{name}"' for name in names)
            by = ["id"] if "id" in names else names
            order = ", ".join(f'CAST("{name}" AS TEXT)' for name in by)
            asked = f'SELECT {listed} FROM "{table}" ORDER BY {order} LIMIT {LOOKED_AT}'  # noqa: S608
            rows = connection.execute(text(asked)).all()
            count = text(f'SELECT count(*) FROM "{table}"')  # noqa: S608 - our own tables
            digests[table, ROWS] = connection.scalar(count) or 0
            for name, values in zip(names, zip(*rows, strict=True), strict=False):
                digests[table, name] = sum(map(_told, values))
    engine.dispose()
    return shape, digests


def test_every_version_with_rows_in_it_comes_up_to_the_next(
    place: tuple[str, Server | None],
) -> None:
    url, server = place
    wanted: Shape = _read(url)[0]
    changed: dict[str, set[str]] = {}
    columns = 0
    newer, *older = _versions()
    for version in older:
        _alembic(url, "downgrade", version)
        shape, before = _read(url)
        columns += len(before)
        if server is None or newer >= FIRST_KILLED:  # the others by the way up, below
            reached, after, statements = _stepped(url, server, newer)
            assert reached == wanted, newer
            lost = {key for key, digest in before.items() if after.get(key) != digest}
            changed[newer] = {
                f"{t}.{c}" for t, c in lost if t in wanted and c in wanted[t] | {ROWS}
            }
            if newer >= FIRST_KILLED:
                _killed(url, server, newer, statements // 2, then=(reached, after))
        wanted, newer = shape, version

    assert columns > 1000, "nothing was in the tables"
    beyond = {name: each - CHANGES.get(name, set()) for name, each in changed.items()}
    assert {name: each for name, each in beyond.items() if each} == {}
    assert {name for name, each in changed.items() if each} == CHANGES.keys() & changed.keys()
    _all_the_way(url)


def _stepped(url: str, server: Server | None, version: str) -> tuple[Shape, Digests, int]:
    """Bring a copy up to ``version``; return what it then is, and the number of statements."""
    fate = Fate()
    with _copied(url, server) as copy:
        with _listening(fate):
            _alembic(copy, "upgrade", version)
        return *_read(copy), fate.steps


def _killed(
    url: str, server: Server | None, version: str, point: int, *, then: tuple[Shape, Digests]
) -> None:
    """Kill the migration of a copy at a statement, and make it again: it ends as it would."""
    with _copied(url, server) as copy:
        _die(copy, version, max(2, point))
        _alembic(copy, "upgrade", version)
        assert _read(copy) == then, f"{version}, killed half-way"


@contextmanager
def _listening(fate: Fate) -> Iterator[None]:
    event.listen(Engine, "before_cursor_execute", fate)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", fate)


def _die(url: str, version: str, point: int) -> None:
    # Steps that commit as they go hide it behind the rollback of a connection that is gone.
    with _listening(Fate(Killed, point)), pytest.raises((Killed, PendingRollbackError)):
        _alembic(url, "upgrade", version)


def _all_the_way(url: str) -> None:
    """Bring what began as the first version up to the newest; every promise then holds."""
    migrate(url)
    engine = orm.make_engine(url)
    with orm.reading(), orm.make_sessions(engine)() as session:
        found = promises.breaches(session, now=NOW)
    engine.dispose()
    assert found == []


# What the release before could not do on a newer database, and why that harmed nobody.
BREAKS = {
    # A roll-up that the older release can't write is counted from rows, by both.
    "0036_chosen_weeks": {"report_week.is_chosen"},
    # It was the key until then: nobody writes a row without it.
    "0067_staff_names": {"sender_pace.sender"},
}


def test_the_release_before_works_on_the_newer_database(tmp_path: Path) -> None:
    """Machines are brought up to date one by one: nothing goes, and nothing new must be given."""
    url = f"sqlite:///{tmp_path / 'empty.sqlite3'}"
    versions = _versions()[::-1]
    found: dict[str, set[str]] = {}
    known: dict[tuple[str, str], bool] = {}
    for version in versions:
        _alembic(url, "upgrade", version)
        columns = _columns(url)
        gone = known.keys() - columns.keys()
        tables = {table for table, _name in known}
        must = {
            key
            for key, must_be_given in columns.items()
            if must_be_given and known.get(key) is not True and key[0] in tables
        }
        found[version], known = {".".join(key) for key in gone | must}, columns

    assert any(found.values()), "the search finds nothing"
    kept = {name: broken for name, broken in found.items() if name >= FIRST_KILLED and broken}
    assert kept == BREAKS


def _columns(url: str) -> dict[tuple[str, str], bool]:
    """Return of each column of each table whether whoever writes a row must give it."""
    engine = orm.make_engine(url)
    with orm.reading(), engine.connect() as connection:
        found = {
            (table, column["name"]): not column["nullable"]
            and column["default"] is None
            and not column.get("primary_key")
            for (_schema, table), columns in inspect(connection).get_multi_columns().items()
            for column in columns
        }
    engine.dispose()
    return found
