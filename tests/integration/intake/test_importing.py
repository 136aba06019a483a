"""Bringing files into the database: whole or not at all, and twice is once."""

import random
from datetime import UTC, date, datetime, timedelta
from math import inf
from pathlib import Path

import pytest
from sqlalchemy import delete, event, func, select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.audit.models import AuditEvent
from outreach.intake import importing, merging, spool
from outreach.intake.files import BadFile
from outreach.intake.models import ImportRun
from outreach.intake.rules import FileKind, Report
from outreach.measures.models import Reading
from outreach.measures.rules import ReadingSource
from outreach.orm import Model, Sessions
from outreach.patients.models import ConsentEvent, Patient, PhoneNumber
from outreach.patients.rules import Channel, ConsentSource, Sex
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus
from outreach.searching import hashed, index
from outreach.searching.matching import matching
from outreach.searching.models import SearchEntry
from outreach.searching.rules import parse
from tests.builders import make_clinic, make_patient
from tests.directories import everywhere
from tests.integration.intake.conftest import bring_in, put, rows
from tests.unit.intake.builders import (
    NOW,
    a_row,
    a_table,
)

OURS = (Patient, PhoneNumber, ConsentEvent, Reading, Enrolment)


def said_of_patients(report: Report) -> list[str]:
    """Return the fields that notes are about, without those on the header."""
    return [note.field for note in report.notes if note.line > 1]


def test_a_row_becomes_a_patient_with_all_that_is_theirs(
    sessions: Sessions, session: Session, clinic: Clinic, folder: Path
) -> None:
    row = a_row(
        preferred_days="Mon Sun",
        preferred_dayparts="evening morning",
        sms_consent="yes",
        voicemail_ok="no",
        welfare_check_ok="yes",
        wished_caller="M",
        state="Hawaii",
        hba1c_percent="9.4",
        hba1c_date="2026-10-04",
        time_zone="Pacific/Honolulu",
    )

    report = bring_in(sessions, clinic, put(folder, a_table(row)))

    assert (report.new, report.enrolled, report.readings) == (1, 1, 1)
    patient = session.scalars(select(Patient)).one()
    assert (patient.clinic_id, patient.record_number) == (clinic.id, "LS1")
    assert (patient.weekdays, patient.dayparts) == (0b1000001, ["evening", "morning"])
    assert patient.is_voicemail_allowed is False
    assert patient.is_welfare_check_agreed is True
    assert (patient.wished_caller, patient.state) == (Sex.MALE, "HI")
    number = session.scalars(select(PhoneNumber)).one()
    assert (number.e164, number.position) == ("+15125550147", 1)
    consent = session.scalars(select(ConsentEvent)).one()
    assert (consent.channel, consent.is_given, consent.number) == (
        Channel.SMS,
        True,
        "+15125550147",
    )
    assert consent.source is ConsentSource.IMPORT
    reading = session.scalars(select(Reading)).one()
    assert (reading.source, reading.is_time_known) == (ReadingSource.CSV, False)
    assert reading.taken_at == datetime(2026, 10, 4, 22, tzinfo=UTC)  # noon in Honolulu
    enrolment = session.scalars(select(Enrolment)).one()
    assert (enrolment.status, enrolment.enrolled_at) == (EnrolmentStatus.ACTIVE, NOW)


@pytest.mark.parametrize(
    ("enrolled_on", "starts_on"),
    [("2026-11-16", date(2026, 11, 23)), ("2026-11-30", date(2026, 11, 30)), ("", None)],
)
def test_nobody_starts_in_the_past(
    sessions: Sessions, clinic: Clinic, folder: Path, enrolled_on: str, starts_on: date | None
) -> None:
    bring_in(sessions, clinic, put(folder, a_table(a_row(enrolled_on=enrolled_on))))

    with sessions() as session:
        assert session.scalar(select(Enrolment.starts_on)) == starts_on


def test_a_no_to_texts_is_kept_as_a_no_and_silence_as_nothing(
    sessions: Sessions, session: Session, clinic: Clinic, folder: Path
) -> None:
    table = a_table(a_row(sms_consent="no"), a_row(mrn="LS2", sms_consent=""))

    bring_in(sessions, clinic, put(folder, table))

    assert [event.is_given for event in session.scalars(select(ConsentEvent))] == [False]
    assert set(session.scalars(select(Patient.is_voicemail_allowed))) == {None}


def test_the_same_file_twice_changes_nothing(
    sessions: Sessions, clinic: Clinic, folder: Path
) -> None:
    row = a_row(hba1c_percent="9.4", hba1c_date="2026-10-04", phq9_total="4", sms_consent="yes")
    sources = put(folder, a_table(row, a_row(mrn="LS2")))
    bring_in(sessions, clinic, sources)
    before = rows(sessions, *OURS)

    report = bring_in(sessions, clinic, sources, now=NOW + timedelta(days=40))

    assert rows(sessions, *OURS) == before
    assert (report.new, report.known, report.readings, report.enrolled) == (0, 2, 0, 0)
    assert (report.problems, said_of_patients(report)) == ([], [])


def test_a_patient_we_have_gains_readings_and_is_never_overwritten(
    sessions: Sessions, clinic: Clinic, folder: Path
) -> None:
    bring_in(sessions, clinic, put(folder, a_table(a_row())))
    before = rows(sessions, Patient, PhoneNumber, ConsentEvent, Enrolment)
    changed = a_row(
        phone="5125550199",
        given_name="Rosalia",
        language="es",
        sms_consent="yes",
        hba1c_percent="8.1",
        hba1c_date="2026-11-01",
    )

    report = bring_in(sessions, clinic, put(folder, a_table(changed)))

    assert rows(sessions, Patient, PhoneNumber, ConsentEvent, Enrolment) == before
    assert (report.known, report.readings) == (1, 1)
    assert {note.field for note in report.notes if "not changed" in note.reason} == {
        "name",
        "phone",
        "language",
    }


def test_a_later_no_to_texts_is_a_withdrawal_and_the_same_no_again_is_nothing(
    sessions: Sessions, session: Session, clinic: Clinic, folder: Path
) -> None:
    bring_in(sessions, clinic, put(folder, a_table(a_row(sms_consent="yes"))))
    later = put(folder, a_table(a_row(sms_consent="no")))

    report = bring_in(sessions, clinic, later)
    again = bring_in(sessions, clinic, later)

    events = session.scalars(select(ConsentEvent).order_by(ConsentEvent.id)).all()
    assert [(each.is_given, each.source) for each in events] == [
        (True, ConsentSource.IMPORT),
        (False, ConsentSource.IMPORT),
    ]
    assert (report.withdrawn, again.withdrawn) == (1, 0)
    assert said_of_patients(report) == ["consent to texts"]
    assert said_of_patients(again) == []


def test_a_later_yes_to_texts_is_not_taken_but_noted(
    sessions: Sessions, session: Session, clinic: Clinic, folder: Path
) -> None:
    bring_in(sessions, clinic, put(folder, a_table(a_row(sms_consent="no"))))

    report = bring_in(sessions, clinic, put(folder, a_table(a_row(sms_consent="yes"))))

    assert session.scalars(select(ConsentEvent.is_given)).all() == [False]
    assert said_of_patients(report) == ["consent to texts"]
    assert report.withdrawn == 0


def test_a_day_to_enrol_somebody_we_have_is_not_taken_but_noted(
    sessions: Sessions, session: Session, clinic: Clinic, folder: Path
) -> None:
    bring_in(sessions, clinic, put(folder, a_table(a_row(enrolled_on=""))))

    report = bring_in(sessions, clinic, put(folder, a_table(a_row(enrolled_on="2026-11-16"))))

    assert said_of_patients(report) == ["enrolled_on"]
    assert session.scalars(select(Enrolment)).all() == []


def test_a_record_number_of_somebody_else_is_a_problem(
    sessions: Sessions, session: Session, clinic: Clinic, folder: Path
) -> None:
    bring_in(sessions, clinic, put(folder, a_table(a_row())))
    other = a_row(family_name="Else", date_of_birth="1980-01-01", phq9_total="3")

    report = bring_in(sessions, clinic, put(folder, a_table(other)))

    (problem,) = report.problems
    assert (problem.line, problem.field) == (2, "mrn")
    assert "record number LS1 already belongs to somebody else" in problem.reason
    assert session.scalar(select(func.count()).select_from(Reading)) == 0


def test_a_new_name_after_a_wedding_is_the_same_person(
    sessions: Sessions, clinic: Clinic, folder: Path
) -> None:
    bring_in(sessions, clinic, put(folder, a_table(a_row())))

    report = bring_in(sessions, clinic, put(folder, a_table(a_row(family_name="Married"))))

    assert (report.known, report.problems) == (1, [])


def test_the_same_record_number_at_another_clinic_is_another_patient(
    sessions: Sessions, clinic: Clinic, folder: Path
) -> None:
    with sessions.begin() as session:
        make_patient(session, make_clinic(session), record_number="LS1")

    assert bring_in(sessions, clinic, put(folder, a_table(a_row()))).new == 1


def test_families_may_share_a_number(sessions: Sessions, clinic: Clinic, folder: Path) -> None:
    table = a_table(a_row(), a_row(mrn="LS2", given_name="Ana"))

    assert bring_in(sessions, clinic, put(folder, table)).new == 2


def test_a_row_said_twice_counts_once_and_a_contradiction_is_a_problem(
    sessions: Sessions, clinic: Clinic, folder: Path
) -> None:
    table = a_table(a_row(), a_row(), a_row(given_name="Someone"))

    report = bring_in(sessions, clinic, put(folder, table))

    assert (report.new, report.repeated, report.refused) == (1, 1, 1)
    (problem,) = report.problems
    assert problem.line == 4
    assert "already on line 2" in problem.reason


def test_a_dry_run_says_the_same_and_changes_nothing(
    sessions: Sessions, clinic: Clinic, folder: Path
) -> None:
    table = a_table(
        a_row(hba1c_percent="9.4", hba1c_date="2026-10-04"), a_row(mrn="LS2", phone="1")
    )
    sources, target = put(folder, table), importing.Target.of(clinic)
    everything = [mapper.class_ for mapper in Model.registry.mappers]
    before = rows(sessions, *everything)

    with importing.read(sources, target, now=NOW) as checked, sessions() as session:
        foretold = importing.preview(session, checked, target, now=NOW)
        session.commit()

    assert rows(sessions, *everything) == before
    assert foretold == bring_in(sessions, clinic, sources)


def test_a_failure_while_writing_leaves_nothing(
    sessions: Sessions, clinic: Clinic, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "BATCH", 10)
    sources = put(folder, a_table(*(a_row(mrn=f"LS{n}") for n in range(60))))
    statements = []

    def lose_the_connection(_conn: object, _cur: object, statement: str, *_rest: object) -> None:
        statements.append(statement)
        if sum("INSERT INTO patient" in each for each in statements) == 4:
            raise ConnectionError

    engine = sessions.kw["bind"]
    event.listen(engine, "before_cursor_execute", lose_the_connection)

    with pytest.raises(ConnectionError):
        bring_in(sessions, clinic, sources)

    event.remove(engine, "before_cursor_execute", lose_the_connection)
    assert rows(sessions, *OURS, ImportRun, AuditEvent) == [[]] * 7
    assert bring_in(sessions, clinic, sources).new == 60


def test_a_file_that_breaks_off_half_way_leaves_nothing(
    sessions: Sessions, clinic: Clinic, folder: Path
) -> None:
    table = a_table(*(a_row(mrn=f"LS{n}") for n in range(50))).encode()

    with pytest.raises(BadFile, match="line 52 is not UTF-8"):
        bring_in(sessions, clinic, put(folder, table + b"LS50,Mar\xeda,rest"))

    assert rows(sessions, *OURS) == [[]] * 5


def test_an_import_is_written_down_with_its_problems(
    sessions: Sessions, session: Session, clinic: Clinic, folder: Path
) -> None:
    bring_in(sessions, clinic, put(folder, a_table(a_row(), a_row(mrn="LS2", language="Klingon"))))

    run = session.scalars(select(ImportRun)).one()
    assert (run.kind, len(run.sha256), run.at) == (FileKind.CSV, 64, NOW)
    kept = Report.from_data(run.counts, run.problems)
    assert (kept.new, kept.refused) == (1, 1)
    assert (kept.problems[0].line, kept.problems[0].field) == (3, "language")
    noted = session.scalars(select(AuditEvent)).one()
    assert (noted.action, noted.object_kind, noted.object_id) == (
        "imported patients",
        "import run",
        run.id,
    )


def test_who_came_in_is_found_by_name_at_once(
    sessions: Sessions, session: Session, clinic: Clinic, folder: Path
) -> None:
    bring_in(sessions, clinic, put(folder, a_table(a_row(family_name="Núñez-Groß"))))

    conditions = matching(parse("nunez gross"), Patient.id, everywhere(session), has_notes=False)
    assert session.scalars(select(Patient.family_name).where(*conditions)).all() == ["Núñez-Groß"]
    assert index.missing(session) == 0


def test_rows_of_a_file_in_order_lie_there_in_another(
    sessions: Sessions,
    session: Session,
    clinic: Clinic,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else the ids of a file that is sorted by name would tell who comes before whom."""
    draw = random.Random(5)  # noqa: S311 - the same order each time
    monkeypatch.setattr(spool, "_anywhere", lambda: draw.getrandbits(62))
    monkeypatch.setattr(merging, "BATCH", 7)
    names = [f"Name{number:02}" for number in range(30)]
    people = [a_row(mrn=name, family_name=name) for name in names]
    bring_in(sessions, clinic, put(folder, a_table(*people)))

    for column in (PhoneNumber, Enrolment):
        query = select(Patient.family_name).join(column, column.patient_id == Patient.id)
        lie = session.scalars(query.order_by(column.id)).all()
        assert sorted(lie) == names
        assert {name in lie[:15] for name in names[:15]} == {True, False}
    session.rollback()  # SQLite has one writer
    again = [a_row(mrn=name, family_name=f"New{name}") for name in names]
    report = bring_in(sessions, clinic, put(folder, a_table(*again)))
    told = [note.line for note in report.notes if note.line > 1]
    assert told == list(range(2, 32))


def test_the_release_before_finds_who_came_in_as_if_it_had_indexed_them(
    sessions: Sessions,
    session: Session,
    clinic: Clinic,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hashed, "_older_until", [inf])
    table = a_table(a_row(family_name="O'Núñez", preferred_name="Bo"), a_row(mrn="LS2"))
    bring_in(sessions, clinic, put(folder, table))
    entries = select(SearchEntry.source_id, SearchEntry.words).order_by(SearchEntry.source_id)
    from_file = session.execute(entries).all()

    ids = [row.source_id for row in from_file]
    session.execute(delete(SearchEntry))
    index.add_patients(session, ids)

    assert len(from_file) == 2
    assert session.execute(entries).all() == from_file


def test_a_state_that_nobody_knew_is_filled_in_and_its_law_holds(
    sessions: Sessions, session: Session, clinic: Clinic, folder: Path
) -> None:
    bring_in(sessions, clinic, put(folder, a_table(a_row(state=""), a_row(mrn="LS2", state="TX"))))

    both = a_table(a_row(state="RI"), a_row(mrn="LS2", state="RI"))
    bring_in(sessions, clinic, put(folder, both))

    found = session.scalars(select(Patient.state).order_by(Patient.id)).all()
    assert found == ["RI", "TX"], "what is known is never overwritten"
    marked = select(Clinic.hours_changed_at).where(Clinic.id == clinic.id)
    assert session.scalar(marked) is not None, "open calls are looked through"
