"""What a killed process leaves beside its SQLite file is not read into a backup put back there."""

import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from outreach import orm
from outreach.upkeep import backups
from outreach.upkeep.backups import BackupTrouble
from tests.fakes import FakeClock
from tests.integration.planning import busy

NOW = FakeClock()()

Killed = Callable[[str], list[str]]

# A process of the product in the midst of its work: one change is made, the next one is not.
WRITER = """
import os, signal, sqlite3, sys
writer = sqlite3.connect(sys.argv[1])
writer.execute(f"PRAGMA journal_mode={sys.argv[2]}")
writer.execute("UPDATE clinic SET name = 'After the backup'")
writer.commit()
writer.execute("UPDATE clinic SET name = 'Half written'")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def path(tmp_path: Path, sqlite_template: Path) -> Path:
    """The file of a clinic at work."""
    path = tmp_path / "outreach.sqlite3"
    shutil.copy(sqlite_template, path)
    engine = orm.make_engine(f"sqlite:///{path}")
    orm.use_wal(engine)
    busy.fill(orm.make_sessions(engine), now=NOW)
    engine.dispose()
    return path


@pytest.fixture
def made(path: Path, tmp_path: Path) -> Path:
    """A backup of it."""
    return backups.make(f"sqlite:///{path}", tmp_path / "kept", now=NOW)


@pytest.fixture
def killed(path: Path, made: Path) -> Killed:
    """Let somebody write after the backup and be killed; say what they left behind."""

    def kill(mode: str) -> list[str]:
        before = set(_beside(path))
        assert made.exists()
        ended = subprocess.run([sys.executable, "-c", WRITER, str(path), mode], check=False)
        assert ended.returncode == -signal.SIGKILL
        return sorted(set(_beside(path)) - before)

    return kill


def _beside(path: Path) -> list[str]:
    return [each.name for each in path.parent.glob(f"{path.name}-*")]


def _names(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM clinic")}


@pytest.mark.parametrize(
    ("mode", "left"),
    [
        ("WAL", ["outreach.sqlite3-shm", "outreach.sqlite3-wal"]),
        ("DELETE", ["outreach.sqlite3-journal"]),
    ],
)
def test_nothing_is_put_back_beside_what_a_killed_process_left(
    path: Path, made: Path, killed: Killed, mode: str, left: list[str]
) -> None:
    assert killed(mode) == left
    path.rename(path.with_name("old.sqlite3"))
    before = {name: (path.parent / name).read_bytes() for name in left}

    with pytest.raises(BackupTrouble, match=f"{left[-1]} is left of the database that was there"):
        backups.restore(made, f"sqlite:///{path}", now=NOW)

    assert not path.exists()
    assert {name: (path.parent / name).read_bytes() for name in left} == before


def test_once_the_file_is_moved_with_all_beside_it_both_databases_are_whole(
    path: Path, made: Path, killed: Killed, tmp_path: Path
) -> None:
    """As the guide says: mv outreach.sqlite3* elsewhere."""
    names = _names(path)
    assert killed("WAL")
    elsewhere = tmp_path / "before"
    elsewhere.mkdir()
    for each in path.parent.glob(f"{path.name}*"):
        each.rename(elsewhere / each.name)

    backups.restore(made, f"sqlite:///{path}", now=NOW)

    assert _names(path) == names
    assert _names(elsewhere / path.name) == {"After the backup"}


@pytest.mark.parametrize("ending", ["-wal", "-shm", "-journal"])
def test_one_of_them_alone_is_enough(path: Path, made: Path, ending: str) -> None:
    path.unlink()
    path.with_name(f"{path.name}{ending}").touch()

    with pytest.raises(BackupTrouble, match=rf"outreach.sqlite3{ending} is left"):
        backups.restore(made, f"sqlite:///{path}", now=NOW)

    assert not path.exists()
