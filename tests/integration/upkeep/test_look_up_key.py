"""What is looked up has a key that the database keeps: keys rotate, and every stop is found."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from sqlalchemy import Engine, select, text

from config import ROOT, Config
from outreach import orm, sealing
from outreach.encryption import CannotDecrypt, Cipher, DataKey
from outreach.factors import recovery
from outreach.orm import Sessions
from outreach.patients.models import Patient, PhoneNumber
from outreach.upkeep import fitting, keys_cli, look_up_key, promises, rotating
from outreach.upkeep.fitting import KeysDontFit
from outreach.upkeep.models import LookUpKey
from tests.builders import LONG_AGO, make_clinic, make_patient, make_staff
from tests.fakes import MONDAY_10_CHICAGO
from tests.integration.upkeep.conftest import OLD, written

pytestmark = pytest.mark.usefixtures("with_old_key")

KEPT = DataKey("kept", b"k" * 32)
NUMBER = "+15125550188"


@pytest.fixture
def file(config: Config) -> Path:
    """The file of keys, with one."""
    found = config.instance_path / "data_keys"
    found.write_text(written(OLD))
    return found


@pytest.fixture
def kept(sessions: Sessions) -> None:
    """A key of what is looked up, as a new database gets one."""
    with sessions.begin() as session:
        assert look_up_key.keep(session, KEPT, now=LONG_AGO)
    sealing.use([OLD], looking_up=KEPT)


def told(config: Config) -> Config:
    """Return the settings with what the file of keys says now, and tell this process."""
    again = Config.from_environment({"INSTANCE_PATH": str(config.instance_path)})
    config = replace(config, data_keys=again.data_keys, encrypting_key=again.encrypting_key)
    fitting.tell(config)
    return config


def raw(sessions: Sessions, column: str, table: str) -> str:
    with sessions() as session:
        return str(session.scalars(text(f"SELECT {column} FROM {table}")).one())  # noqa: S608 - ours


def owner(sessions: Sessions, number: str) -> int | None:
    with sessions() as session:
        return session.scalar(select(PhoneNumber.patient_id).where(PhoneNumber.e164 == number))


def add_patient(sessions: Sessions, number: str, **more: Any) -> int:
    with sessions.begin() as session:
        return make_patient(session, make_clinic(session), phone=number, **more).id


def run_alembic(url: str, instance: Path, *words: str, **more: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "alembic", *words],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": url, "INSTANCE_PATH": str(instance)} | more,
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_a_new_database_gets_a_key_that_no_file_has(empty_url: str, config: Config) -> None:
    assert run_alembic(empty_url, config.instance_path, "upgrade", "head") == ""
    assert run_alembic(empty_url, config.instance_path, "upgrade", "head") == ""  # and no other

    here = told(replace(config, database_url=empty_url))
    engine = orm.make_engine(empty_url)
    sessions = orm.make_sessions(engine)
    (key_id, secret), *more = here.data_keys
    patient_id = add_patient(sessions, NUMBER)

    assert not more
    assert owner(sessions, NUMBER) == patient_id
    kept_id = raw(sessions, "key_id", "look_up_key")
    assert raw(sessions, "e164", "phone_number").startswith(f"s1.{kept_id}.")
    assert raw(sessions, "secret", "look_up_key").startswith(f"v1.{key_id}.")
    with pytest.raises(CannotDecrypt):  # as would whoever stole the file, and a dump without it
        Cipher([DataKey(key_id, secret)]).decrypt_alike(
            raw(sessions, "e164", "phone_number"), place=sealing.NUMBER
        )
    with engine.connect() as connection:
        assert fitting.key_in_use(connection) == key_id  # what a backup asks for
        assert "no data key, but" in (fitting.trouble(connection, []) or "")
        another = [DataKey(key_id, b"z" * 32)]
        assert "that is not here, or is another" in (fitting.trouble(connection, another) or "")
    engine.dispose()


def test_whoever_has_people_already_keeps_their_oldest_key(
    config: Config, sessions: Sessions
) -> None:
    """Other processes look up by it, and would not find what this one writes."""
    with sessions.begin() as session:
        make_staff(session, None)

    assert not fitting.make_look_up_key(config)


def test_two_that_make_one_at_once_agree(sessions: Sessions) -> None:
    with sessions.begin() as session:
        assert look_up_key.keep(session, KEPT, now=LONG_AGO)
        assert not look_up_key.keep(session, look_up_key.new(), now=LONG_AGO)

    with sessions() as session:
        assert look_up_key.of(session.connection(), [DataKey(*OLD)]) == KEPT


def rotate(run: Callable[..., Result]) -> None:
    run("add")
    run("use")
    run("retire")


@pytest.mark.parametrize("keeps_one", [True, False])
def test_a_key_goes_while_everything_runs(
    request: pytest.FixtureRequest,
    config: Config,
    sessions: Sessions,
    file: Path,
    run: Callable[..., Result],
    keeps_one: bool,  # noqa: FBT001
) -> None:
    """With a key of its own from the start, and where the oldest has looked up until now."""
    if keeps_one:
        request.getfixturevalue("kept")
    patient_id = add_patient(sessions, NUMBER, family_name="Früher")
    before = sealing.cipher()
    with sessions.begin() as session:
        staff_id = make_staff(session, None).id
        codes = recovery.renew(session, staff_id, before, now=LONG_AGO)

    rotate(run)
    now = told(config)

    assert [key_id for key_id, _secret in now.data_keys] != ["old"]
    assert len(now.data_keys) == 1
    assert not file.read_text().startswith("old:")
    assert "NOT HERE" not in run("list").output
    assert owner(sessions, NUMBER) == patient_id
    with sessions.begin() as session:
        assert session.scalars(select(Patient.family_name)).all() == ["Früher"]
        assert list(rotating.unreadable(session.connection(), sealing.cipher(), most=None)) == []
        assert recovery.accept(session, staff_id, codes[0], sealing.cipher(), now=LONG_AGO)
    # A process that was not restarted yet finds what this one writes, and this one its.
    later = add_patient(sessions, "+15125550189")
    after = sealing.cipher()
    sealing._in_use[:] = [before]
    assert owner(sessions, "+15125550189") == later
    earlier = add_patient(sessions, "+15125550190")
    sealing._in_use[:] = [after]
    assert owner(sessions, "+15125550190") == earlier


def test_what_looks_up_is_changed_where_everything_is_stopped(
    config: Config, sessions: Sessions, kept: None, file: Path, run: Callable[..., Result]
) -> None:
    patient_id = add_patient(sessions, NUMBER)
    thief = sealing.cipher()
    run("add")
    run("use")

    run("retire", "--everything-is-stopped")
    told(config)

    assert owner(sessions, NUMBER) == patient_id
    assert raw(sessions, "key_id", "look_up_key") != KEPT.id
    with pytest.raises(CannotDecrypt):
        thief.decrypt_alike(raw(sessions, "e164", "phone_number"), place=sealing.NUMBER)
    with sessions() as session:
        assert list(rotating.unreadable(session.connection(), sealing.cipher(), most=None)) == []


def test_a_process_that_still_writes_by_a_key_keeps_it(
    sessions: Sessions,
    kept: None,
    file: Path,
    run: Callable[..., Result],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add_patient(sessions, NUMBER)
    run("add")
    run("use")
    reseal, old = keys_cli._reseal, Cipher([DataKey(*OLD)])

    def and_meanwhile() -> None:
        reseal()
        with sessions.begin() as session:
            value = old.encrypt(b"Late", place="patient.given_name")
            session.execute(text("UPDATE patient SET given_name = :value"), {"value": value})

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(keys_cli, "_reseal", and_meanwhile)
        said = run("retire", status=1).output
    assert "1 values name old yet: a process writes by it" in said
    assert file.read_text().startswith("old:")

    run("retire")
    assert not file.read_text().startswith("old:")


@pytest.mark.parametrize("in_file", [True, False])
def test_the_release_before_finds_the_key_where_it_looks(
    config: Config,
    sessions: Sessions,
    engine: Engine,
    kept: None,
    file: Path,
    in_file: bool,  # noqa: FBT001
) -> None:
    patient_id = add_patient(sessions, NUMBER)
    engine.dispose()
    before = {} if in_file else {"DATA_KEYS": written(OLD)}
    instance = config.instance_path

    said = run_alembic(config.database_url, instance, "downgrade", "0070_directories", **before)

    if not in_file:
        line = written((KEPT.id, KEPT.secret))
        assert f"beginning of DATA_KEYS, and a comma: {line}" in said
        both = {"DATA_KEYS": f"{line},{written(OLD)}"}
        run = ("downgrade", "0070_directories")
        assert run_alembic(config.database_url, instance, *run, **both) == ""
        file.write_text(f"{line}\n{written(OLD)}\n")
    keys = Config.from_environment({"INSTANCE_PATH": str(instance)}).data_keys
    assert [key_id for key_id, _secret in keys] == [KEPT.id, "old"]
    sealing.use(keys)  # as that release does: the oldest looks up
    assert owner(sessions, NUMBER) == patient_id
    engine.dispose()

    assert run_alembic(config.database_url, instance, "upgrade", "head") == ""
    told(config)
    assert owner(sessions, NUMBER) == patient_id
    with sessions() as session:
        assert session.scalar(select(LookUpKey.id)) is None


def test_a_database_whose_numbers_name_another_key_is_refused(
    config: Config, sessions: Sessions, kept: None, file: Path
) -> None:
    add_patient(sessions, NUMBER)
    with sessions.begin() as session:
        look_up_key.replace(session, DataKey("another", b"a" * 32), now=LONG_AGO)

    with pytest.raises(KeysDontFit, match="name a key kept; it keeps another"):
        told(config)


def test_the_check_tells_who_would_not_be_found(sessions: Sessions, kept: None) -> None:
    """As where a process looked up by another key: a stop of that number would be forgotten."""
    add_patient(sessions, NUMBER)
    sealing.use([OLD])
    add_patient(sessions, "+15125550189")
    sealing.use([OLD], looking_up=KEPT)

    with sessions() as session:
        found = {each.table: each for each in promises.breaches(session, now=MONDAY_10_CHICAGO)}
        lost = session.scalars(select(PhoneNumber.id).order_by(PhoneNumber.id)).all()[-1]

    assert found["phone_number"].ids == (lost,)
    assert "found by the key that looks it up" in found["phone_number"].promise
