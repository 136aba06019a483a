"""Values move to another key while people work, and one that nobody can read is told."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import Engine, select, text, update
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from config import ROOT, Config
from outreach import sealing
from outreach.app import create_app
from outreach.calls.models import CallNote
from outreach.db import db
from outreach.deps import Deps
from outreach.encryption import CannotDecrypt, Cipher, DataKey
from outreach.messaging.models import Message
from outreach.orm import Sessions
from outreach.patients.models import Patient, PhoneNumber
from outreach.searching.jobs import index_backlog
from outreach.searching.matching import matching
from outreach.searching.rules import parse
from outreach.upkeep import cli, compacting, fitting, promises, rotating
from outreach.upkeep.compacting import CannotCompact
from outreach.upkeep.fitting import KeysDontFit
from outreach.upkeep.rotating import CannotMove, Moved
from tests.builders import (
    make_attempt,
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.directories import everywhere
from tests.fakes import MONDAY_10_CHICAGO, FakeClock, FakeGateway
from tests.integration.messaging.conftest import make_message
from tests.integration.upkeep.conftest import NEW, OLD, written

pytestmark = pytest.mark.usefixtures("with_old_key")


def ciphers(*keys: tuple[str, bytes]) -> Cipher:
    return Cipher([DataKey(*key) for key in keys])


def _note(session: Session, words: str = "Felt dizzy") -> Patient:
    clinic = make_clinic(session)
    patient = make_patient(session, clinic, family_name="Früher")
    planned = make_planned_call(session, make_enrolment(session, patient))
    make_attempt(session, planned, make_staff(session, clinic), note=words)
    return patient


def keys_in_use(sessions: Sessions) -> set[str]:
    with sessions() as session:
        return set(rotating.count_by_key(session.connection()))


def test_what_is_read_moves_while_everything_runs(sessions: Sessions) -> None:
    with sessions.begin() as session:
        _note(session)
    sealing.use([OLD, NEW])

    moved = rotating.reseal(sessions, sealing.cipher())

    assert moved.count >= 5
    assert rotating.reseal(sessions, sealing.cipher()) == Moved(0, {})
    with sessions() as session:
        kept = session.scalars(text("SELECT text FROM call_note")).all()
        assert all(each.startswith("v1.new.") for each in kept)
        assert session.scalars(select(CallNote.text)).all() == ["Felt dizzy"]
    assert keys_in_use(sessions) == {"old", "new"}  # numbers are looked up by the oldest


def test_what_is_typed_meanwhile_stays(sessions: Sessions) -> None:
    with sessions.begin() as session:
        _note(session)
    sealing.use([OLD, NEW])
    cipher = sealing.cipher()
    note = next(place for place in rotating.places() if place.place == "call_note.text")
    with sessions() as session:
        page = next(rotating._pages(session.connection(), note, after=None))
    with sessions.begin() as session:
        session.execute(update(CallNote).values(text="Felt better"))
    with sessions.begin() as session:
        moved = [(key, value, note.moved(value, cipher, cipher)) for key, value in page]
        written = rotating._write(session.connection(), note, moved)
    assert written == 0
    with sessions() as session:
        assert session.scalars(select(CallNote.text)).all() == ["Felt better"]


def test_the_oldest_key_is_retired_and_everybody_is_still_found(sessions: Sessions) -> None:
    with sessions.begin() as session:
        patient = _note(session)
        number = session.scalar(select(PhoneNumber.e164))
    sealing.use([OLD, NEW])
    with sessions.begin() as session:
        assert rotating.retire(session, sealing.cipher(), ciphers(NEW)) > 5
    sealing.use([NEW])

    assert keys_in_use(sessions) == {"new"}
    index_backlog(sessions)
    with sessions() as session:
        assert list(rotating.unreadable(session.connection(), sealing.cipher(), most=None)) == []
        same = select(PhoneNumber.patient_id).where(PhoneNumber.e164 == number)
        assert session.scalars(same).all() == [patient.id]
        found = matching(parse("fruher dizzy"), Patient.id, everywhere(session), has_notes=True)
        assert session.scalars(select(Patient.id).where(*found)).all() == [patient.id]


def test_the_check_tells_what_nobody_can_read(sessions: Sessions) -> None:
    with sessions.begin() as session:
        _note(session)
        note_id = session.scalar(select(CallNote.id))
    with sessions() as session:
        assert promises.breaches(session, now=MONDAY_10_CHICAGO) == []
    sealing.use([OLD, NEW])
    with sessions.begin() as session:
        session.execute(update(CallNote).values(text="by a key that gets lost"))
    sealing.use([OLD])
    with sessions() as session:
        for every_value in (False, True):
            breaches = promises.breaches(session, now=MONDAY_10_CHICAGO, every_value=every_value)
            assert [(each.table, each.ids) for each in breaches] == [("call_note", (note_id,))]
        with pytest.raises(CannotDecrypt):
            session.scalar(select(CallNote.text))


def test_one_value_that_cant_be_read_stops_no_other(sessions: Sessions) -> None:
    with sessions.begin() as session:
        _note(session)
        note_id = session.scalar(select(CallNote.id))
        session.execute(text("UPDATE call_note SET text = 'v1.lost.AAAA'"))
    sealing.use([OLD, NEW])

    moved = rotating.reseal(sessions, sealing.cipher())

    assert moved.count >= 5
    assert moved.unreadable == {"call_note": [note_id]}
    with sessions() as session:
        session.execute(text("UPDATE call_note SET text = 'v1.old.AAAA'"))
        with pytest.raises(CannotMove) as refused:
            rotating.retire(session, sealing.cipher(), ciphers(NEW))
    assert refused.value.unreadable == {"call_note": [note_id]}


def test_no_hash_by_the_retired_key_is_left(sessions: Sessions) -> None:
    with sessions.begin() as session:
        patient = _note(session)
        clinic_id, number = patient.clinic_id, "+13125550100"
        old = ciphers(OLD).keyed_hash(number, place="dedupe_key")[:16].hex()
        other = ciphers(OLD).keyed_hash("+13125550177", place="dedupe_key")[:16].hex()
        keys = [f"thanks:{clinic_id}:{old}:2026-11-28", f"danger:{clinic_id}:{other}:7"]
        texts = [
            make_message(session, patient, to_number=number, dedupe_key=key).id for key in keys
        ]
        plain = make_message(session, patient, dedupe_key="missed_you:1").id
    sealing.use([OLD, NEW])
    with sessions.begin() as session:
        rotating.retire(session, sealing.cipher(), ciphers(NEW))
    sealing.use([NEW])
    with sessions() as session:
        kept = [session.get_one(Message, each).dedupe_key for each in [*texts, plain]]
    # The second answer of a day stays impossible; what is of nobody any more is chance.
    new = ciphers(NEW).keyed_hash(number, place="dedupe_key")[:16].hex()
    assert kept[0] == f"thanks:{clinic_id}:{new}:2026-11-28"
    assert kept[1].startswith(f"danger:{clinic_id}:")
    assert kept[1].endswith(":7")
    assert len(kept[1]) == len(keys[1])
    assert other not in kept[1]
    assert kept[2] == "missed_you:1"


@pytest.fixture
def run(config: Config) -> Callable[..., Result]:
    """Run a command of the keys as an operator does, with what the file of keys says now."""
    environ = {"INSTANCE_PATH": str(config.instance_path)}

    def run(*words: str, status: int = 0) -> Result:
        again = Config.from_environment(environ)
        settings = replace(
            config,
            data_keys=again.data_keys,
            data_key_file=again.data_key_file,
            encrypting_key=again.encrypting_key,
        )
        clock = FakeClock()
        app = create_app(Deps(settings, clock, FakeGateway(clock)))
        result = app.test_cli_runner().invoke(args=["keys", *words])
        with app.app_context():
            db.engine.dispose()
        assert result.exit_code == status, result.output
        return result

    return run


def test_an_operator_rotates_by_commands(
    config: Config, sessions: Sessions, engine: Engine, run: Callable[..., Result]
) -> None:
    with sessions.begin() as session:
        _note(session)
    file = config.instance_path / "data_keys"
    file.write_text(written(OLD))
    file.chmod(0o640)

    assert "old: " in run("list").output
    assert "Added k" in run("add").output
    assert file.stat().st_mode & 0o777 == 0o640
    told = Config.from_environment({"INSTANCE_PATH": str(config.instance_path)})
    newest = told.data_keys[-1][0]
    assert told.encrypting_key == "old"  # whoever was not restarted yet reads all the same
    assert "No other key encrypts" in run("retire", "--everything-is-stopped", status=1).output
    assert f"{newest} encrypts from now on" in run("use").output
    run("use", status=1)
    assert "Encrypted 0 " not in run("reseal").output
    engine.dispose()
    assert "Nothing uses old any more" in run("retire", "--everything-is-stopped").output
    assert file.read_text().startswith(f"{newest}:")
    assert not fitting.marker(config).exists()
    assert "old" not in run("list").output
    with sessions() as session:
        assert session.scalars(select(CallNote.text)).all() == ["Felt dizzy"]


def test_a_crash_between_database_and_key_file_is_seen_and_mended(
    config: Config,
    sessions: Sessions,
    engine: Engine,
    run: Callable[..., Result],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with sessions.begin() as session:
        _note(session)
    file = config.instance_path / "data_keys"
    file.write_text(written(OLD, NEW))
    engine.dispose()
    with monkeypatch.context() as crashing:
        crashing.setattr(cli, "replace_secret", crash)
        run("retire", "--everything-is-stopped", status=1)
    assert file.read_text().startswith("old:")
    with pytest.raises(KeysDontFit, match="keys retire"):
        fitting.tell(replace(config, data_keys=(OLD, NEW)))

    run("retire", "--everything-is-stopped")

    assert file.read_text().startswith("new:")
    fitting.tell(replace(config, data_keys=(NEW,)))
    with sessions() as session:
        assert session.scalars(select(CallNote.text)).all() == ["Felt dizzy"]


def test_a_crash_after_the_key_is_out_of_the_file_is_mended_too(
    config: Config, sessions: Sessions, engine: Engine, run: Callable[..., Result]
) -> None:
    with sessions.begin() as session:
        _note(session)
    file = config.instance_path / "data_keys"
    file.write_text(written(OLD, NEW))
    engine.dispose()
    run("retire", "--everything-is-stopped")
    fitting.marker(config).write_text("old\n")

    assert "Nothing uses old any more" in run("retire", "--everything-is-stopped").output

    assert not fitting.marker(config).exists()
    assert file.read_text().startswith("new:")
    fitting.tell(replace(config, data_keys=(NEW,)))


def crash(*_given: object) -> None:
    raise RuntimeError("the power went off")


def test_what_cant_be_read_is_named_and_keeps_its_key(
    config: Config, sessions: Sessions, run: Callable[..., Result]
) -> None:
    with sessions.begin() as session:
        _note(session)
        session.execute(text("UPDATE call_note SET text = 'v1.old.AAAA'"))
        note_id = session.scalar(select(text("id")).select_from(text("call_note")))
    file = config.instance_path / "data_keys"
    file.write_text(written(OLD, NEW))
    told = f"Can't be decrypted: 1 of call_note: {note_id}"
    assert told in run("reseal", status=1).output
    assert told in run("retire", "--everything-is-stopped", status=1).output
    assert file.read_text() == written(OLD, NEW)
    fitting.tell(replace(config, data_keys=(OLD, NEW)))


IN_CLEAR_ONCE = (
    ("patient", "record_number"),
    ("phone_number", "e164"),
    ("clinic", "phone_number"),
    ("staff_member", "name"),
    ("staff_member", "email"),
)


def test_the_first_key_of_an_old_installation_is_asked_for(
    config: Config, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INSTANCE_PATH", str(config.instance_path))
    monkeypatch.setenv("DATABASE_URL", config.database_url)
    words = [sys.executable, "-m", "flask", "--app", "outreach", "keys", "add"]
    with sessions.begin() as session:
        _note(session)

    refused = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "encrypted with the key old: put the copy" in refused.stderr
    with sessions.begin() as session:
        for table, column in IN_CLEAR_ONCE:
            given = f"UPDATE {table} SET {column} = 'in clear ' || id"  # noqa: S608 - ours
            session.execute(text(given))
    made = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    assert len(Config.from_environment().data_keys) == 1


def test_a_database_is_written_anew(engine: Engine, sessions: Sessions, config: Config) -> None:
    with sessions.begin() as session:
        _note(session)
    with engine.connect() as connection:  # as a migration leaves a connection
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET lock_timeout = '1ms'")
            connection.commit()
    compacting.compact(engine)
    engine.dispose()
    if engine.dialect.name == "postgresql":
        return
    assert not Path(f"{make_url(config.database_url).database}-wal").exists()
    with sessions() as reader:
        reader.execute(text("SELECT 1 FROM patient"))
        with pytest.raises(CannotCompact, match="db compact"):
            _impatient(engine)


def _impatient(engine: Engine) -> None:
    """Compact without the half minute of patience that a busy file is given."""
    with engine.connect() as connection:
        connection.connection.cursor().execute("PRAGMA busy_timeout=10")
    compacting.compact(engine)


PHONE = "+15125550111"


def _alert_to(session: Session, sealed: str) -> None:
    """Write an alert as a process of before 0065 does, which takes ``sealed`` for the number."""
    patient = _note(session)
    make_message(session, patient, to_number=sealed)


def test_a_number_that_was_sealed_twice_outlives_its_key(sessions: Sessions) -> None:
    with sessions.begin() as session:
        _alert_to(session, sealing.STAFF_NUMBERS.sealed(PHONE))
    sealing.use([OLD, NEW])

    with sessions.begin() as session:
        rotating.retire(session, sealing.cipher(), ciphers(NEW))
    sealing.use([NEW])

    with sessions() as session:
        assert session.scalars(select(Message.to_number)).all() == [PHONE]
        assert session.scalars(text("SELECT to_number FROM message")).all() == [
            sealing.NUMBERS.sealed(PHONE)
        ]


def test_a_number_that_was_sealed_twice_and_cant_be_read_keeps_its_key(sessions: Sessions) -> None:
    with sessions.begin() as session:
        _alert_to(session, "s1.gone.AAAA")
    sealing.use([OLD, NEW])

    with sessions() as session, pytest.raises(CannotMove) as refused:
        rotating.retire(session, sealing.cipher(), ciphers(NEW))

    assert set(refused.value.unreadable) == {"message"}
