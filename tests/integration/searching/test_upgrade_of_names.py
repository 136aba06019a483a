"""The release before goes on for hours on the new database; and one can go back to it."""

from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config as AlembicConfig
from sqlalchemy import Engine, select, text, update
from sqlalchemy.orm import Session

from config import ROOT, Config
from outreach import sealing
from outreach.orm import Sessions
from outreach.patients.models import UNRANKED, Patient
from outreach.searching import directory, hashed
from outreach.searching.jobs import fold_directories
from outreach.searching.models import SearchEntry
from outreach.searching.names import By
from outreach.searching.rules import Term
from outreach.upkeep import compacting, fitting, forgetting
from outreach.upkeep.jobs import seal_what_is_in_clear
from tests.builders import make_clinic, make_patient
from tests.conftest import KEYS, migrate
from tests.directories import everywhere

NAMES = ["Åbergström", "Lopez", "Zuckermann"]


@pytest.fixture(autouse=True)
def _keys_of_tests_afterwards(monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setattr(hashed, "_older_until", [0.0])
    yield
    sealing.use(KEYS)


def tell(url: str) -> None:
    """Begin as a process of ours does."""
    fitting.tell(replace(Config.from_environment(), database_url=url, data_keys=tuple(KEYS)))


def fill(sessions: Sessions) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        for name in reversed(NAMES):
            make_patient(session, clinic, family_name=name)


def raw(session: Session, column: str) -> list[Any]:
    return list(session.scalars(text(f"SELECT {column} FROM patient ORDER BY id")))  # noqa: S608 - ours


def test_while_an_older_process_may_run_it_finds_whom_we_add(
    sessions: Sessions, database_url: str
) -> None:
    fill(sessions)
    tell(database_url)
    assert not hashed.is_searched_by_older()  # a new installation, or one that is done
    with sessions.begin() as session:
        session.execute(update(Patient).values(name_rank=7))  # by the release before
    tell(database_url)
    assert hashed.is_searched_by_older()
    assert not sealing.is_written_in_clear()  # what of the staff is sealed stays so
    with sessions.begin() as session:
        patient = make_patient(session, make_clinic(session), family_name="Neu")
        entry = session.scalars(select(SearchEntry)).one()
        assert (entry.source_id, patient.name_rank) == (patient.id, UNRANKED)
        patient.family_name = "Alt"
        session.flush()
        assert everywhere(session).having(Term(("alt",))) == {patient.id}

    # Six hours later, by the scheduler that leads; again, for what was written meanwhile.
    assert seal_what_is_in_clear(sessions) == 1 + len(NAMES)
    with sessions.begin() as session:
        session.get_one(Patient, patient.id).family_name = "Neu"
    assert seal_what_is_in_clear(sessions) == 1
    assert seal_what_is_in_clear(sessions) == 0
    tell(database_url)
    assert not hashed.is_searched_by_older()
    with sessions() as session:
        assert session.scalars(select(SearchEntry)).all() == []
        assert {len(each) for each in raw(session, "family_name")} == {136}


def test_nothing_of_old_words_is_left_behind_compacting(
    engine: Engine, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    if engine.dialect.name == "postgresql":
        return  # writes its index anew with its table
    monkeypatch.setattr(hashed, "_older_until", [inf])
    fill(sessions)
    monkeypatch.setattr(hashed, "_older_until", [0.0])
    (word,) = {each.encode() for each in hashed.of_names(["zuckermann"])}
    engine.dispose()
    file = Path(engine.url.database or "")
    assert lies_in(file, word)

    forgetting.forget(sessions)
    engine.dispose()
    assert lies_in(file, word)
    compacting.compact(engine)
    assert not lies_in(file, word)


def lies_in(file: Path, word: bytes) -> bool:
    """Say whether the end of a word does: an index keeps the beginning with the one before."""
    return any(word[12:] in each.read_bytes() for each in file.parent.glob(f"{file.name}*"))


def test_a_name_that_nobody_can_read_keeps_no_other_from_being_seen_to(
    sessions: Sessions,
) -> None:
    fill(sessions)
    with sessions.begin() as session:
        session.execute(text("UPDATE patient SET name_rank = 5"))
        session.execute(text("UPDATE patient SET given_name = 'v1.old.AAAA' WHERE id = 2"))
    assert forgetting.forget(sessions) == 3
    with sessions() as session:
        assert set(raw(session, "name_rank")) == {UNRANKED}
        assert raw(session, "given_name")[1] == "v1.old.AAAA"


def test_going_back_gives_the_release_before_all_it_needs(
    engine: Engine, sessions: Sessions, database_url: str
) -> None:
    fill(sessions)
    fold_directories(sessions)
    alembic = AlembicConfig(toml_file=ROOT / "pyproject.toml")
    alembic.attributes["url"] = database_url
    engine.dispose()

    command.downgrade(alembic, "0069_words_about_people")

    with sessions() as session:
        # What it does not know it places and indexes by itself, as after an upgrade.
        assert set(raw(session, "name_rank")) == set(raw(session, "record_rank")) == {0}
        waiting = session.execute(text("SELECT kind, source_id FROM search_backlog")).all()
        assert sorted(waiting) == [("patient", 1), ("patient", 2), ("patient", 3)]
        cipher = sealing.cipher()
        read = [
            cipher.decrypt(each, place="patient.family_name").decode()
            for each in raw(session, "family_name")
        ]
        assert read == NAMES[::-1]
    engine.dispose()
    migrate(database_url)

    fold_directories(sessions)
    with sessions() as session:
        named = {each.id: each.family_name for each in session.scalars(select(Patient))}
        assert [named[each] for each in everywhere(session).in_order(By.NAME)] == NAMES
        assert directory.differing(session) == []
