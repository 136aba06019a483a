"""A newer file that corrects what an earlier one brought: it is said, and a person corrects it."""

from pathlib import Path

import pytest
from sqlalchemy import select

from outreach.accounts.models import Clinic
from outreach.intake import importing
from outreach.measures.models import Reading
from outreach.orm import Sessions
from outreach.patients.models import Patient
from tests.builders import make_reading
from tests.integration.intake.conftest import bring_in, put, rows
from tests.unit.intake.builders import NOW, a_bundle, a_person, an_observation


def said(sessions: Sessions, clinic: Clinic, folder: Path, **deviations: object) -> list[str]:
    """Return what an import says of the one observation of a file."""
    observation = an_observation(**deviations)  # type: ignore[arg-type]
    report = bring_in(sessions, clinic, put(folder, a_bundle(a_person(), observation)))
    return [note.reason for note in report.notes if note.field == "Observation hba1c"]


@pytest.mark.parametrize("status", ["corrected", "amended"])
def test_a_correction_in_a_file_is_named_and_left_to_a_person(
    sessions: Sessions, clinic: Clinic, folder: Path, status: str
) -> None:
    assert said(sessions, clinic, folder) == []
    before = rows(sessions, Reading)

    (reason,) = said(sessions, clinic, folder, value=8.8, status=status)

    assert rows(sessions, Reading) == before
    assert reason == (
        "was corrected to 8.8 where it comes from; ours was not changed, "
        "correct it on the patient's page"
    )
    with sessions.begin() as session:
        first = session.scalars(select(Reading)).one()
        patient = session.scalars(select(Patient)).one()
        wrong = make_reading(session, patient, value="8.9", supersedes_id=first.id,
                             taken_at=first.taken_at)  # fmt: skip
    assert len(said(sessions, clinic, folder, value=8.8, status=status)) == 1
    with sessions.begin() as session:
        make_reading(session, session.merge(patient), value="8.8", supersedes_id=wrong.id,
                     taken_at=wrong.taken_at)  # fmt: skip
    assert said(sessions, clinic, folder, value=8.8, status=status) == []


def test_another_time_is_a_correction_and_the_same_reading_is_none(
    sessions: Sessions, clinic: Clinic, folder: Path
) -> None:
    assert said(sessions, clinic, folder, status="corrected") == [], "it is new"
    assert said(sessions, clinic, folder, status="corrected") == []

    later = {"status": "corrected", "effectiveDateTime": "2026-10-05T10:30:00-05:00"}
    assert len(said(sessions, clinic, folder, **later)) == 1


def test_a_look_at_a_file_beforehand_names_it_too(
    sessions: Sessions, clinic: Clinic, folder: Path
) -> None:
    said(sessions, clinic, folder)
    target = importing.Target.of(clinic)
    file = put(folder, a_bundle(a_person(), an_observation(value=8.8, status="corrected")))

    with importing.read(file, target, now=NOW) as checked, sessions() as session:
        report = importing.preview(session, checked, target, now=NOW)

    assert [note.field for note in report.notes] == ["Observation hba1c"]
