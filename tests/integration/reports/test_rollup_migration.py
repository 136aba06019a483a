"""What was there before the roll-ups is in the report at once, and rolled up by the job."""

import random

from alembic import command
from alembic.config import Config as AlembicConfig
from sqlalchemy import Engine, select

from config import ROOT
from outreach.calls.models import Attempt
from outreach.orm import Sessions
from outreach.reports.models import TouchedDays, TouchedEnrolment
from tests.conftest import migrate
from tests.integration.reports.histories import make_history
from tests.integration.reports.test_rollups import assert_true


def test_an_installation_that_is_upgraded_reports_the_same(
    engine: Engine, sessions: Sessions, database_url: str
) -> None:
    with sessions.begin() as session:
        clinic = make_history(session, random.Random(6))  # noqa: S311
        before = len(session.scalars(select(Attempt.id)).all())
    alembic = AlembicConfig(toml_file=ROOT / "pyproject.toml")
    alembic.attributes["url"] = database_url

    engine.dispose()
    command.downgrade(alembic, "0026_rollups-1")
    migrate(database_url)

    with sessions() as session:
        assert len(session.scalars(select(Attempt.id)).all()) == before
        assert session.scalars(select(TouchedDays).filter_by(clinic_id=clinic.id)).all()
        assert session.scalars(select(TouchedEnrolment).filter_by(clinic_id=clinic.id)).all()
    assert_true(sessions, clinic)
