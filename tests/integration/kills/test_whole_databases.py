"""Whatever puts a database back or writes it anew is killed: it is whole, or as if never begun."""

import os
import signal
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, select

from outreach import orm
from outreach.accounts.models import SignIn
from outreach.messaging.models import OutboxHold
from outreach.upkeep import backups, compacting
from outreach.upkeep.backups import BackupTrouble
from tests.fakes import MONDAY_10_CHICAGO
from tests.integration.planning import busy
from tests.integration.upkeep.test_copying import everything
from tests.killing import Death, Point, apart, deadly, kill, spread

MOST = 8
OPCODES = 500  # of SQLite's machine, between two looks whether to die


@pytest.fixture
def backup(sqlite_template: Path, tmp_path: Path) -> Path:
    file = tmp_path / "outreach.sqlite3"
    file.write_bytes(sqlite_template.read_bytes())
    engine = orm.make_engine(f"sqlite:///{file}")
    busy.fill(orm.make_sessions(engine), now=MONDAY_10_CHICAGO)
    engine.dispose()
    return backups.make(f"sqlite:///{file}", tmp_path / "kept", now=MONDAY_10_CHICAGO)


def test_a_restore_killed_anywhere_puts_no_database_there_that_would_send(
    backup: Path, tmp_path: Path
) -> None:
    """A machine that starts again by itself would send what went out since the backup."""
    points = _points_of(lambda: _restore(backup, tmp_path / "undisturbed.sqlite3"))
    assert points.count(Point.COMMIT) > 0
    for at in spread(range(1, len(points) + 1), MOST):
        target = tmp_path / f"{at}.sqlite3"
        kill(Engine, partial(_restore, backup, target), at)
        if target.exists():
            with pytest.raises(BackupTrouble, match="there already"):
                _restore(backup, target)
        else:
            _restore(backup, target)
        engine = orm.make_engine(f"sqlite:///{target}")
        with orm.reading(), orm.make_sessions(engine)() as session:
            assert session.scalars(select(OutboxHold.ended_at)).all() == [None]
            assert session.scalars(select(SignIn)).all() == []
        engine.dispose()


def _restore(backup: Path, target: Path) -> None:
    backups.restore(backup, f"sqlite:///{target}", now=MONDAY_10_CHICAGO)


def _points_of(work: Callable[[], object]) -> list[Point]:
    death = Death()
    with deadly(Engine, death):
        work()
    return death.points


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.usefixtures("backup")
def test_a_file_that_is_written_anew_and_killed_in_between_is_as_it_was(
    share: float, tmp_path: Path
) -> None:
    engine = orm.make_engine(f"sqlite:///{tmp_path / 'outreach.sqlite3'}")
    before = everything(engine)
    looks = _compacted(engine, None)
    assert looks > 10, "it was written before anybody looked"

    status = apart(lambda: _compacted(engine, int(looks * share)))

    assert os.WIFSIGNALED(status), "it came to its end"
    assert everything(engine) == before
    _compacted(engine, None)
    assert everything(engine) == before
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    engine.dispose()


def _compacted(engine: Engine, dies_at: int | None) -> int:
    """Compact a file, or die meanwhile; return how often SQLite asked whether to go on."""
    looks = 0

    def look() -> None:
        nonlocal looks
        looks += 1
        if looks == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def ask(connection: sqlite3.Connection, _record: object) -> None:
        connection.set_progress_handler(look, OPCODES)

    engine.dispose()
    event.listen(engine, "connect", ask)
    try:
        compacting.compact(engine)
    finally:
        event.remove(engine, "connect", ask)
        engine.dispose()
    return looks
