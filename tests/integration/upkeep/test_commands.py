"""A command that is run without the settings of the installation harms nothing and says so."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.cli import AppGroup
from sqlalchemy import text

from config import ROOT, Config
from outreach.app import create_app
from outreach.commands import Commands
from outreach.db import db
from outreach.deps import Deps
from outreach.orm import Sessions
from tests.fakes import FakeClock, FakeGateway

MAKES_ONE = "db restore"
# What each needs on its line; {here} is a folder that is there.
WORDS: dict[str, list[str]] = {
    "audit verify": [],
    "check invariants": [],
    "clinics add": ["ELM", "--name", "Elm", "--zone", "UTC", "--phone", "+15125550100"],
    "db backup": ["{here}/backups"],
    "db compact": [],
    "db copy": ["sqlite:///{here}/other.sqlite3"],
    "db hold-texts": ["{here}"],
    MAKES_ONE: ["{here}"],
    "db web-role": ["outreach_web"],
    "keys add": [],
    "keys list": [],
    "keys reseal": [],
    "keys retire": ["--everything-is-stopped"],
    "keys use": [],
    "messages reconcile": [],
    "patient-list check": [],
    "patient-list rebuild": [],
    "patients import": ["{here}/patients.csv", "--clinic", "ELM"],
    "plan check": [],
    "plan missing": [],
    "reports compare": [],
    "reports rebuild": [],
    "search check": [],
    "search rebuild": [],
    "staff add": ["a@b.example", "--name", "A", "--role", "manager", "--password", "x" * 15],
    "staff link": ["a@b.example"],
}
ANY_RELEASE = {"db backup", "keys add", "keys list", "keys use"}


@pytest.fixture
def lost(config: Config, tmp_path: Path) -> Iterator[Flask]:
    """The product with an address at which no database is."""
    (tmp_path / "patients.csv").write_text("record_number\n")
    url = f"sqlite:///{tmp_path / 'nothing.sqlite3'}"
    clock = FakeClock()
    app = create_app(Deps(replace(config, database_url=url), clock, FakeGateway(clock)))
    yield app
    with app.app_context():
        db.engine.dispose()


def _said(app: Flask, command: str, here: Path) -> tuple[int, str]:
    words = [each.format(here=here) for each in WORDS[command]]
    done = app.test_cli_runner().invoke(args=[*command.split(), *words])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    return done.exit_code, done.output


def test_every_command_of_ours_is_tried(lost: Flask) -> None:
    found = set()
    for name, group in lost.cli.commands.items():
        if isinstance(group, AppGroup):
            assert isinstance(group, Commands), f"{name} asks for no database"
            found |= {f"{name} {command}" for command in group.commands}

    assert found == WORDS.keys()


@pytest.mark.parametrize("command", sorted(WORDS.keys() - {MAKES_ONE}))
def test_where_there_is_no_database_it_is_said_and_nothing_is_made(
    lost: Flask, tmp_path: Path, command: str
) -> None:
    code, said = _said(lost, command, tmp_path)

    assert code == 1
    assert f"There is no database at {tmp_path / 'nothing.sqlite3'}" in said
    assert "see Commands in docs/operations.md" in said
    for name in ("nothing.sqlite3", "other.sqlite3", "backups"):
        assert not (tmp_path / name).exists()


@pytest.mark.parametrize("command", sorted(WORDS.keys() - {MAKES_ONE} - ANY_RELEASE))
def test_a_database_of_an_older_release_is_told_from_ours(
    app: Flask, sessions: Sessions, tmp_path: Path, command: str
) -> None:
    (tmp_path / "patients.csv").write_text("record_number\n")
    with sessions.begin() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0001_older'"))

    code, said = _said(app, command, tmp_path)

    assert code == 1
    assert "The database is at 0001_older" in said


def test_an_empty_database_is_not_backed_up(app: Flask, sessions: Sessions, tmp_path: Path) -> None:
    with sessions.begin() as session:
        session.execute(text("DROP TABLE alembic_version"))

    code, said = _said(app, "db backup", tmp_path)

    assert (code, "at no version" in said) == (1, True)
    assert not (tmp_path / "backups").exists()


def test_a_database_that_does_not_answer_is_told(
    config: Config, tmp_path: Path, clock: FakeClock, gateway: FakeGateway
) -> None:
    away = replace(config, database_url="postgresql+psycopg://me:secret@127.0.0.1:1/nothing")

    code, said = _said(create_app(Deps(away, clock, gateway)), "messages reconcile", tmp_path)

    assert code == 1
    assert (
        "does not answer. Is postgresql+psycopg://me:***@127.0.0.1:1/nothing the database" in said
    )


def test_run_as_an_operator_runs_it(tmp_path: Path) -> None:
    settings = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "DATA_KEYS")}
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "outreach", "db", "backup", str(tmp_path / "b")],
        cwd=ROOT, env=settings | {"INSTANCE_PATH": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert "There is no database at" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "b").exists(), "a backup of nothing"
