"""Rows from before encryption are encrypted by the upgrade, and leave nothing in clear."""

import re
from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from sqlalchemy import Engine, inspect, select, text
from sqlalchemy.engine import make_url

from config import ROOT
from outreach.calls.models import CallNote
from outreach.orm import Sessions
from outreach.patients.models import UNRANKED, ConsentEvent, Patient, PhoneNumber
from outreach.planning.models import PlannedCall
from outreach.searching.jobs import fold_directories
from outreach.searching.names import By
from outreach.upkeep import forgetting
from tests.builders import (
    make_attempt,
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.conftest import migrate
from tests.directories import everywhere

WORDS = "Felt dizzy, 100% «better» now"


def test_an_upgrade_encrypts_what_is_there_and_a_downgrade_opens_it(
    engine: Engine, sessions: Sessions, database_url: str
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        caller = make_staff(session, clinic)
        for name in ("Zuckermann", "Åbergström"):
            patient = make_patient(session, clinic, family_name=name, sms_consent=True)
            planned = make_planned_call(session, make_enrolment(session, patient, caller=caller))
            make_attempt(session, planned, caller, note=WORDS)
        numbers = session.scalars(select(PhoneNumber.e164).order_by(PhoneNumber.id)).all()
        session.execute(
            text("UPDATE patient SET preferred_name = NULL, approach = NULL, said_as = NULL")
        )
    triggers = _triggers(engine)
    alembic = AlembicConfig(toml_file=ROOT / "pyproject.toml")
    alembic.attributes["url"] = database_url
    engine.dispose()

    command.downgrade(alembic, "0032_sealed-1")
    with engine.connect() as connection:
        read = connection.execute(text("SELECT family_name, about FROM patient ORDER BY id")).all()
        assert [row.family_name for row in read] == ["Zuckermann", "Åbergström"]
        notes = connection.execute(text("SELECT text FROM call_note")).scalars().all()
        assert notes == [WORDS, WORDS]
    engine.dispose()
    migrate(database_url)

    with engine.connect() as connection:
        for column in ("family_name", "record_number"):
            kept = connection.execute(text(f"SELECT {column} FROM patient")).scalars()  # noqa: S608
            assert all(re.match(r"[vs]1\.", value) for value in kept)
    assert _triggers(engine) == triggers
    forgetting.forget(sessions)
    fold_directories(sessions)
    with sessions() as session:
        named = dict(session.execute(select(Patient.id, Patient.family_name)).all())
        by_name = [named[each] for each in everywhere(session).in_order(By.NAME)]
        assert by_name == ["Åbergström", "Zuckermann"]
        assert set(session.scalars(select(Patient.name_rank))) == {UNRANKED}
        assert session.scalars(select(Patient.approach)).all() == [None, None]
        assert session.scalars(select(CallNote.text)).all() == [WORDS, WORDS]
        assert session.scalars(select(PhoneNumber.e164).order_by(PhoneNumber.id)).all() == numbers
        same = select(ConsentEvent.id).join(PhoneNumber, PhoneNumber.e164 == ConsentEvent.number)
        assert len(session.scalars(same).all()) >= 2
        tail = select(PhoneNumber.e164).where(PhoneNumber.tail == numbers[0][-4:])
        assert numbers[0] in session.scalars(tail).all()
        assert len(session.scalars(select(PlannedCall.id)).all()) == 2
    if engine.dialect.name == "sqlite":
        file = Path(make_url(database_url).database or "")
        contents = b"".join(each.read_bytes() for each in file.parent.glob(f"{file.name}*"))
        assert b"Zuckermann" not in contents
        assert b"dizzy" not in contents


def _triggers(engine: Engine) -> set[str]:
    asked = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal",
    }
    with engine.connect() as connection:
        assert inspect(connection).has_table("patient")
        return set(connection.execute(text(asked[engine.dialect.name])).scalars())
