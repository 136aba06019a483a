"""Patients and notes that were there before the index are found once the job has run."""

from alembic import command
from alembic.config import Config as AlembicConfig
from sqlalchemy import Engine, select, text

from config import ROOT
from outreach.orm import Sessions
from outreach.patients.models import Patient
from outreach.searching import index
from outreach.searching.jobs import index_backlog
from outreach.searching.matching import matching
from outreach.searching.rules import parse
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


def test_an_installation_that_is_upgraded_loses_nobody(
    engine: Engine, sessions: Sessions, database_url: str
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        patient = make_patient(session, clinic, family_name="Früher")
        planned = make_planned_call(session, make_enrolment(session, patient))
        make_attempt(session, planned, make_staff(session, clinic), note="Felt dizzy")
    alembic = AlembicConfig(toml_file=ROOT / "pyproject.toml")
    alembic.attributes["url"] = database_url

    engine.dispose()
    command.downgrade(alembic, "0020_patient_list-1")
    migrate(database_url)

    with sessions() as session:
        waits = session.scalar(text("SELECT count(*) FROM search_backlog"))
        assert (waits, index.missing(session), index.waiting(session)) == (2, 0, True)
    assert index_backlog(sessions) == 2
    with sessions() as session:
        for typed in ("fruher dizzy", "Frueher"):
            conditions = matching(parse(typed), Patient.id, everywhere(session), has_notes=True)
            assert session.scalars(select(Patient.id).where(*conditions)).all() == [patient.id]
