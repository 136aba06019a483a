"""An operator's command may be killed at any point: run again, all is as if it had not.

Each command that writes runs in a process of its own, killed by the system, as ``kill -9`` does,
before the first statement of each transaction that writes and on both sides of each commit: at
most at MOST of these points, on PostgreSQL at a third. With ``OUTREACH_CRASHES=1`` at all. Then
it is run again to its end.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Engine

from outreach import orm, sealing
from outreach.commands import Commands
from outreach.upkeep import backups, rotating
from tests import postgres as embedded
from tests.conftest import KEYS
from tests.integration.kills.databases import Marks, Rows, seen
from tests.integration.kills.operator import Operator
from tests.integration.kills.schedule import schedule_on, walked_of
from tests.integration.kills.walking import TRAIL
from tests.integration.upkeep.conftest import NEW, own_keys_afterwards
from tests.integration.upkeep.test_copying import everything
from tests.killing import Death, Point, apart, deadly, kill, spread
from tests.postgres import Server

MOST = 6


@dataclass(frozen=True)
class Command:
    """What an operator types. Words in braces are filled in by :meth:`Operator.named`.

    ``after``: what was done before. ``done``: how it ends where it was done already. ``later``: it
    is run again so many minutes later. ``writes_files``: it may die half way while it only reads
    rows. ``more``: tables that hold other rows, and no fewer, once it was run twice.
    """

    words: str
    after: tuple[str, ...] = ()
    done: int = 0
    later: int = 0
    writes_files: bool = False
    more: frozenset[str] = frozenset()


WALKED = {
    "clinics add": Command(
        "clinics add NEW --name New --zone America/Chicago --phone +15125550100", done=1
    ),
    "staff add": Command(
        "staff add new@example.org --name New --role manager --clinic {clinic}"
        " --password correct-horse-battery",
        done=1,
    ),
    "staff link": Command("staff link {manager} --end-factors", more=frozenset({"access_link"})),
    "patients import": Command(
        "patients import {folder}/patients.csv --clinic {clinic}", more=frozenset({"import_run"})
    ),
    "db backup": Command(
        "db backup {folder}/backups", later=1, writes_files=True, more=frozenset({"last_backup"})
    ),
    "db hold-texts": Command("db hold-texts {backup}", after=("db backup {folder}/backups",)),
    "db copy": Command("db copy {other}", done=1),
    "keys reseal": Command("keys reseal"),
    "keys retire": Command("keys retire --everything-is-stopped", done=1),
    "messages reconcile": Command(
        "messages reconcile", after=("db backup {folder}/backups", "db hold-texts {backup}")
    ),
    "search rebuild": Command("search rebuild"),
    "patient-list rebuild": Command("patient-list rebuild"),
    "reports rebuild": Command("reports rebuild"),
}

# Commands that are not walked here, and why.
NOTHING = {
    **dict.fromkeys(
        ("check invariants", "keys list", "plan check", "patient-list check", "search check"),
        "only reads",
    ),
    "audit verify": "only reads",
    "reports compare": "only reads",
    "keys add": "replaces one file as a whole",
    "keys use": "replaces one file as a whole",
    "plan missing": "the job of that name: test_jobs.py",
    "db compact": "by SQLite and PostgreSQL themselves: test_commands.py, at the end",
    "db restore": "where nothing is: test_commands.py, at the end",
    "db web-role": "a statement a transaction, each can be done again: test_second_wall.py",
}


def test_every_command_that_writes_is_in_the_table(app: Flask) -> None:
    found = {
        f"{group.name} {name}"
        for group in app.cli.commands.values()
        if isinstance(group, Commands)
        for name in group.commands
    }

    assert len(found) > 20, "the search has lost the commands"
    assert found == WALKED.keys() | NOTHING.keys()
    assert not WALKED.keys() & NOTHING.keys()


@pytest.fixture(scope="module")
def operator(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Operator]:
    folder = tmp_path_factory.mktemp("commands")
    template: Path = request.getfixturevalue("sqlite_template")
    for name in ("outreach", "empty"):
        (folder / f"{name}.sqlite3").write_bytes(template.read_bytes())
    empty = orm.make_engine(f"sqlite:///{folder / 'empty.sqlite3'}")
    if request.param == "sqlite":
        engine = orm.make_engine(f"sqlite:///{folder / 'outreach.sqlite3'}")
        yield from _operator(engine, folder, empty)
        return
    server: Server = request.getfixturevalue("postgres")
    with server.database("template_outreach") as url:
        yield from _operator(orm.make_engine(url), folder, empty)


def _operator(engine: Engine, folder: Path, empty: Engine) -> Iterator[Operator]:
    with pytest.MonkeyPatch.context() as patch, own_keys_afterwards():
        patch.setenv(backups.PROGRAMS, str(embedded._binaries()))
        sealing.use(KEYS)
        with schedule_on(engine, folder) as schedule:
            sealing.use([*KEYS, NEW], KEYS[0][0])  # whoever looks on reads by all of them
            yield Operator(schedule, folder, empty)
            empty.dispose()


WALKS = [(engine, name) for engine in ("sqlite", "postgresql") for name in WALKED]


@dataclass(frozen=True)
class Whole:
    """What a command comes to where nothing happens to it."""

    before: tuple[Marks, Marks]
    points: tuple[Point, ...]
    here: dict[str, Rows]
    there: dict[str, Rows]
    by_key: dict[str, int]


@pytest.mark.parametrize(("operator", "name"), WALKS, indirect=["operator"], scope="module")
def test_a_command_killed_anywhere_and_run_again_has_its_effect_once(
    operator: Operator, name: str
) -> None:
    command = WALKED[name]
    whole = _undisturbed(operator, command)
    walked = walked_of(whole.points, operator.database.engine, most=MOST)
    if command.writes_files:
        walked = spread(range(1, len(whole.points) + 1), MOST)
    for at in walked:
        _prepare(operator, command)
        kill(Engine, lambda: operator.run(command.words), at)
        _run_again(operator, command)
        where = f"killed at {at} of {len(whole.points)}, {whole.points[at - 1].value}"
        _assert_once(operator, command, whole, where)
    _assert_all_is_well(operator)


def _undisturbed(operator: Operator, command: Command) -> Whole:
    _prepare(operator, command)
    before, death = operator.marks(), Death()
    said = everything(operator.database.engine)
    with deadly(Engine, death):
        result = operator.run(command.words)
    assert result.exit_code == 0, result.output
    sealing.use([*KEYS, NEW], KEYS[0][0])
    if command.words.startswith("keys "):
        assert everything(operator.database.engine) == said, "by another key the same is said"
    if command.words.startswith("db copy"):
        assert everything(operator.other.engine) == said
    here, there = _rows(operator, before)
    return Whole(before, tuple(death.points), here, there, _by_key(operator))


def _prepare(operator: Operator, command: Command) -> None:
    operator.restore()
    for earlier in command.after:
        result = operator.run(earlier)
        assert result.exit_code == 0, result.output
    operator.forget()


def _run_again(operator: Operator, command: Command) -> None:
    """Run a command to its end, in a process that begins with what the file of keys says now."""

    def again() -> None:
        result = operator.run(command.words)
        assert result.exit_code in {0, command.done}, result.output

    operator.forget()
    operator.schedule.clock.advance(timedelta(minutes=command.later))
    assert apart(again) == 0
    for backup in operator.backups():
        backups.read(backup)  # whatever looks like a backup is a whole one


def _rows(
    operator: Operator, before: tuple[Marks, Marks]
) -> tuple[dict[str, Rows], dict[str, Rows]]:
    """Return what changed in both databases, decrypted."""
    sealing.use([*KEYS, NEW], KEYS[0][0])
    after = operator.marks()
    here, there = operator.database.engine, operator.other.engine
    return seen(here, before[0], after[0]), seen(there, before[1], after[1])


def _assert_once(operator: Operator, command: Command, whole: Whole, where: str) -> None:
    here, there = _rows(operator, whole.before)
    for table in sorted({*here, *whole.here} - {*TRAIL, *command.more}):
        now, then = here.get(table), whole.here.get(table)
        assert now == then, f"{where}: {table}: {now} is not {then}"
    for table in command.more:
        assert len(here[table]) >= len(whole.here[table]), f"{where}: {table}"
    assert there == whole.there, where
    assert command.more or _by_key(operator) == whole.by_key, where


def _by_key(operator: Operator) -> dict[str, int]:
    with orm.reading(), operator.schedule.engine.connect() as connection:
        return rotating.count_by_key(connection)


def _assert_all_is_well(operator: Operator) -> None:
    """Hold every promise, and every value, against the rows: by the keys that the file has."""

    def check() -> None:
        result = operator.run("check invariants --every-value")
        assert result.exit_code == 0, result.output

    operator.forget()
    assert apart(check) == 0
