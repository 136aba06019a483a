"""A machine's own zone, language and zone files change nothing (failure 40 of security.md)."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select, update

from config import ROOT
from outreach import orm
from outreach.accounts.models import Clinic
from outreach.patients.models import Patient
from scripts.benches import queue_rows
from scripts.benches.queue_rows import PASSWORD, SMALL
from tests.conftest import FAST_HASHER, KEYS_WRITTEN

PLAIN_ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
ODD = [
    {"TZ": "Pacific/Kiritimati"},
    {"TZ": "America/Adak", **PLAIN_ASCII},
    {"TZ": "Nowhere/Atall"},
    {"PYTHONTZPATH": ""},  # no zone files: those of the package tzdata
]
# As where neither the machine nor pip brought any.
WITHOUT_ZONES = "import sys; sys.modules['tzdata'] = None; import runpy; "


@pytest.fixture(scope="module")
def filled(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A database of three patients, and the reference of one."""
    file = tmp_path_factory.mktemp("odd") / "outreach.sqlite3"
    shutil.copy(sqlite_template, file)
    queue_rows.fill(f"sqlite:///{file}", SMALL, FAST_HASHER.hash(PASSWORD))
    engine = orm.make_engine(f"sqlite:///{file}")
    with orm.make_sessions(engine).begin() as session:
        session.execute(update(Clinic).values(name="Clínica São João"))
        ref = session.scalars(select(Patient.ref).order_by(Patient.id)).first()
    engine.dispose()
    assert ref is not None
    return file, ref


def shown(filled: tuple[Path, str], folder: Path, odd: dict[str, str]) -> str:
    file, ref = filled
    shutil.copy(file, folder / file.name)
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.odd_machine", ref],
        cwd=ROOT,
        env=_environment(folder) | odd,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout.decode()


def _environment(folder: Path) -> dict[str, str]:
    return os.environ | {
        "INSTANCE_PATH": str(folder),
        "DATABASE_URL": f"sqlite:///{folder / 'outreach.sqlite3'}",
        "DATA_KEYS": KEYS_WRITTEN,
    }


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_pages_are_the_same_on_any_machine(
    filled: tuple[Path, str], tmp_path: Path, odd: dict[str, str]
) -> None:
    usual, there = tmp_path / "usual", tmp_path / "there"
    usual.mkdir()
    there.mkdir()

    expected = shown(filled, usual, {"TZ": "UTC"})

    assert expected.count(" 200\n") == 3
    assert "10:00 AM" in expected  # where the patient is
    assert "São João" in expected
    assert shown(filled, there, odd) == expected


@pytest.mark.parametrize(
    "module", ["scripts.serve", "outreach.scheduler.runner", "outreach.scheduler.worker"]
)
def test_without_time_zones_nothing_starts_and_it_is_said(module: str, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    start = f"{WITHOUT_ZONES} runpy.run_module({module!r}, run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", start],
        cwd=ROOT,
        env=_environment(tmp_path) | {"PYTHONTZPATH": "", "PORT": port},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode != 0
    assert done.stderr.strip().splitlines()[-1].startswith("This machine knows no time zones")
