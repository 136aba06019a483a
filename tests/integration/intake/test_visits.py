"""Visits come in with patients or in a table of their own; twice is once."""

from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy import select

from outreach.accounts.models import Clinic
from outreach.intake import importing
from outreach.intake.rules import FileKind
from outreach.orm import Sessions
from outreach.patients.models import Patient
from outreach.visits.models import Visit
from outreach.visits.rules import VisitKind
from tests.builders import make_clinic, make_patient
from tests.integration.intake.conftest import bring_in, put
from tests.unit.intake.builders import NOW, a_bundle, a_person, a_row, a_table
from tests.unit.intake.test_visits import an_appointment, an_encounter

Kept = list[tuple[str, date, VisitKind]]


def kept(sessions: Sessions) -> Kept:
    with sessions() as session:
        rows = session.execute(
            select(Patient.record_number, Visit.took_place_on, Visit.kind)
            .join(Visit, Visit.patient_id == Patient.id)
            .order_by(Visit.id)
        )
        return [(number, day, kind) for number, day, kind in rows]


def test_encounters_of_patients_of_the_same_files(
    sessions: Sessions, clinic: Clinic, folder: Path
) -> None:
    stranger = an_encounter(id="e9", subject={"reference": "Patient/p9"})
    bundle = a_bundle(a_person(), an_encounter(), an_appointment(), stranger)

    first = bring_in(sessions, clinic, put(folder, bundle))
    again = bring_in(sessions, clinic, put(folder, bundle))

    assert (first.visits, first.visits_read) == (2, 2)
    assert (again.visits, again.visits_read) == (0, 2)
    assert {note.field for note in first.notes} == {"Encounter"}
    assert kept(sessions) == [
        ("MR-p1", date(2026, 10, 5), VisitKind.IN_PERSON),
        ("MR-p1", date(2026, 10, 4), VisitKind.IN_PERSON),
    ]


def test_a_table_of_visits_of_patients_we_have(
    sessions: Sessions, clinic: Clinic, folder: Path
) -> None:
    with sessions.begin() as session:
        make_patient(session, clinic, record_number="LS1")
        make_patient(session, make_clinic(session), record_number="LS2")
    table = "mrn,visit_date\nLS1,2026-10-04\nLS1,2026-10-04\nLS2,2026-10-05\n"
    sources = put(folder, table)
    target = importing.Target.of(clinic)

    with importing.read(sources, target, now=NOW) as checked, sessions() as session:
        assert checked.kind is FileKind.CSV_VISITS
        dry = importing.preview(session, checked, target, now=NOW)
    found = bring_in(sessions, clinic, sources)
    bring_in(sessions, clinic, sources)

    for report in (dry, found):
        assert (report.visits, report.known, report.repeated) == (1, 1, 1)
        assert [(note.line, note.field) for note in report.notes] == [(4, "mrn")]
    assert kept(sessions) == [("LS1", date(2026, 10, 4), VisitKind.IN_PERSON)]
    with sessions() as session:  # local noon in Chicago
        assert session.scalars(select(Visit.at)).all() == [datetime(2026, 10, 4, 17, tzinfo=UTC)]


def test_the_last_visit_in_a_table_of_patients(
    sessions: Sessions, clinic: Clinic, folder: Path
) -> None:
    source = put(folder, a_table(a_row(last_visit_on="2026-05-06")))
    assert bring_in(sessions, clinic, source).visits == 1
    assert bring_in(sessions, clinic, source).visits == 0
