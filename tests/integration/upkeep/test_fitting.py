"""No process reads or writes with keys that are not those of the database."""

import base64
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.util import CommandError
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import OperationalError

from config import ROOT, Config
from outreach import sealing
from outreach.app import create_app
from outreach.orm import Sessions
from outreach.patients.models import Patient
from outreach.upkeep import fitting
from outreach.upkeep.fitting import KeysDontFit
from tests.builders import make_clinic, make_patient
from tests.integration.upkeep.conftest import NEW, OLD

pytestmark = pytest.mark.usefixtures("with_old_key")


@pytest.fixture
def kept(sessions: Sessions) -> None:
    """A patient, whose values are encrypted with the key OLD."""
    with sessions.begin() as session:
        make_patient(session, make_clinic(session), family_name="Früher")


def written(*keys: tuple[str, bytes]) -> str:
    return ",".join(f"{name}:{base64.b64encode(secret).decode()}" for name, secret in keys)


def environment(config: Config, **more: str) -> dict[str, str]:
    return {
        "INSTANCE_PATH": str(config.instance_path),
        "DATABASE_URL": config.database_url,
        **more,
    }


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ((OLD,), None),
        ((OLD, NEW), None),
        ((NEW,), "encrypted with the key old; the oldest key here is new"),
        ((NEW, OLD), "the oldest key here is new"),
        ((("old", b"3" * 32),), "a key old that is not here, or is another one"),
        ((), "There is no data key, but the database is encrypted with the key old"),
    ],
)
def test_one_value_says_whether_the_keys_fit(
    kept: None, engine: Engine, keys: tuple[tuple[str, bytes], ...], words: str | None
) -> None:
    with engine.connect() as connection:
        found = fitting.trouble(connection, keys)
    assert found is None if words is None else words in (found or "")


def test_an_empty_database_takes_any_key(engine: Engine) -> None:
    with engine.connect() as connection:
        assert fitting.trouble(connection, [NEW]) is None
        assert "no data key yet" in (fitting.trouble(connection, []) or "")


def test_every_process_refuses_to_start(kept: None, config: Config) -> None:
    told = os.environ | environment(config, DATA_KEYS=written(NEW))
    for words in (
        ["-m", "outreach.scheduler.runner"],
        ["-m", "outreach.scheduler.worker"],
        ["-c", "from outreach.app import create_app; create_app()"],
        ["-m", "scripts.serve"],
        ["-m", "scripts.seed_demo"],
        ["-m", "alembic", "upgrade", "head"],
    ):
        done = subprocess.run(
            [sys.executable, *words],
            cwd=ROOT,
            env=told | {"PORT": "8993"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode, words
        assert "the oldest key here is new" in done.stdout + done.stderr, words


def test_a_monitor_is_told(kept: None, config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    for keys, status in (((OLD,), 200), ((NEW,), 503)):
        for name, value in environment(config, DATA_KEYS=written(OLD)).items():
            monkeypatch.setenv(name, value)
        app = create_app()
        app.extensions["outreach"] = replace(
            app.extensions["outreach"],
            config=replace(app.extensions["outreach"].config, data_keys=keys),
        )
        assert app.test_client().get("/readyz").status_code == status


def test_a_key_is_made_only_for_a_database_without_patients(
    config: Config, sessions: Sessions, tmp_path: Path
) -> None:
    file = tmp_path / "data_keys"
    bare = replace(config, data_keys=(), data_key_file=file)
    assert fitting.make_first(bare)
    first = file.read_text()
    assert not fitting.make_first(Config.from_environment(environment(config)))
    assert file.read_text() == first

    file.unlink()
    with sessions.begin() as session:
        make_patient(session, make_clinic(session))
    assert not fitting.make_first(bare)
    assert not file.exists()


def test_rows_in_clear_are_not_encrypted_with_a_key_that_just_came_up(
    kept: None, config: Config, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    alembic = AlembicConfig(toml_file=ROOT / "pyproject.toml")
    alembic.attributes["url"] = config.database_url
    engine.dispose()
    command.downgrade(alembic, "0032_sealed-1")
    for name, value in environment(config).items():
        monkeypatch.setenv(name, value)
    sealing._in_use[:] = []

    with pytest.raises(CommandError, match="no data key, but the database has patients"):
        command.upgrade(alembic, "head")

    assert not (config.instance_path / "data_keys").exists()
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT family_name FROM patient")) == "Früher"
    engine.dispose()


def test_a_database_that_is_away_is_asked_once_it_answers(
    kept: None, config: Config, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = replace(config, database_url="postgresql+psycopg://nobody@127.0.0.1:1/none")
    fitting.begin(replace(away, data_keys=(NEW,)))
    with pytest.raises(OperationalError, match="connection"):
        sealing.cipher()

    monkeypatch.setattr(fitting, "_engine", lambda _config: None)
    fitting.begin(replace(config, data_keys=(OLD,)))
    with sessions() as session:
        assert session.scalar(select(Patient.family_name)) == "Früher"


def test_a_command_needs_no_key_before_it_uses_one(
    kept: None, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(config, DATA_KEYS=written(NEW)).items():
        monkeypatch.setenv(name, value)
    told = os.environ | environment(config, DATA_KEYS=written(NEW))
    listed = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "outreach", "keys", "list"],
        cwd=ROOT, env=told, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "THIS KEY IS NOT HERE" in listed.stdout
    assert listed.returncode == 1
    checked = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "outreach", "check", "invariants"],
        cwd=ROOT, env=told, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode
    assert "the oldest key here is new" in checked.stderr


def test_nothing_starts_while_a_key_is_being_retired(kept: None, config: Config) -> None:
    settings = replace(config, data_keys=(OLD,))
    fitting.marker(config).write_text("old\n")
    with pytest.raises(KeysDontFit, match="keys retire"):
        fitting.tell(settings)
    fitting.marker(config).unlink()
    fitting.tell(settings)
