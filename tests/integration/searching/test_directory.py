"""Names are sorted and found by the directory, whoever writes them, and however."""

import threading
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, delete, func, insert, select, text, update
from sqlalchemy.orm import Session

from outreach import orm
from outreach.accounts.models import Clinic
from outreach.accounts.rules import Scope
from outreach.orm import Sessions
from outreach.patient_list import by_name, listing
from outreach.patient_list.ordering import Cursor
from outreach.patient_list.rules import Filters, Sort, Wanted
from outreach.patient_list.selecting import Search
from outreach.patients.models import Anonymised, Patient
from outreach.patients.rules import Cause, record_key
from outreach.searching import directory
from outreach.searching.directory import Directory
from outreach.searching.jobs import fold_directories
from outreach.searching.models import DirectoryChange, DirectoryPage
from outreach.searching.names import By
from outreach.searching.rules import Term
from outreach.upkeep import promises
from tests.builders import make_clinic, make_patient
from tests.counting import statements
from tests.directories import everywhere
from tests.fakes import MONDAY_10_CHICAGO as NOW

FAMILIES = "Ábalos Abbott abt Brown Çelik Cole Núñez Nunez nuñez Zhou Ünal O'Brien".split()


@pytest.fixture
def clinic(sessions: Sessions) -> Clinic:
    with sessions.begin() as session:
        return make_clinic(session)


def key_of(patient: Patient, by: By) -> tuple[str, ...]:
    return patient.name_key if by is By.NAME else record_key(patient.record_number)


def assert_in_order(session: Session) -> None:
    patients = session.scalars(select(Patient)).all()
    for by in By:
        keys = {each.id: (key_of(each, by), each.id) for each in patients}
        expected = sorted(keys, key=lambda each: keys[each])
        names = everywhere(session)
        assert list(names.in_order(by)) == expected
        assert list(names.in_order(by, is_turned=True)) == expected[::-1]
        assert names.sorted(reversed(expected), by) == expected
        middle = len(expected) // 2
        assert list(names.in_order(by, expected[middle])) == expected[middle + 1 :]
        assert names.behind(expected, expected[middle], by) == expected[middle + 1 :]
        turned = names.behind(expected, expected[middle], by, is_turned=True)
        assert turned == expected[:middle]


def fold(sessions: Sessions, clinic: Clinic) -> int:
    with sessions.begin() as session:
        return directory.fold(session, clinic.id)


def test_whoever_is_added_renamed_or_moved_takes_their_place(
    sessions: Sessions, clinic: Clinic
) -> None:
    with sessions.begin() as session:
        for name in FAMILIES:
            make_patient(session, clinic, family_name=name)
        make_patient(session, make_clinic(session), family_name="Elsewhere")
        assert_in_order(session)
    fold_directories(sessions)
    with sessions.begin() as session:
        assert_in_order(session)
        for patient, name in zip(session.scalars(select(Patient)), FAMILIES[::-1], strict=False):
            patient.family_name = name
        make_patient(session, clinic, family_name="Dunn")
        session.flush()
        assert_in_order(session)
    with sessions() as session:
        assert_in_order(session)
        assert session.scalar(select(func.count()).select_from(DirectoryChange)) == 13
    fold(sessions, clinic)
    with sessions() as session:
        assert_in_order(session)
        assert session.scalar(select(func.count()).select_from(DirectoryChange)) == 0
        assert directory.differing(session) == []


def test_who_is_written_past_the_session_or_by_an_older_process_is_seen(
    sessions: Sessions, clinic: Clinic
) -> None:
    fold(sessions, clinic)
    with sessions.begin() as session:
        first = make_patient(session, clinic, family_name="Cole")
        unset = {"id", "ref", "record_number", "family_name"}
        row = {
            column.key: getattr(first, column.key)
            for column in Patient.__table__.columns
            if column.key not in unset
        }
        rows = [
            row | {"ref": f"r{n}", "record_number": f"{n}", "family_name": f"{chr(97 + n % 7)}{n}"}
            for n in range(60)
        ]
        session.connection().execute(insert(Patient), rows)
        session.execute(
            update(Patient)
            .where(Patient.id == first.id)
            .values(family_name="Zimmer")
            .execution_options(synchronize_session=False)
        )
        session.expire_all()
        assert_in_order(session)
        assert everywhere(session).having(Term(("zim",), is_prefix=True)) == {first.id}
    with sessions() as session:
        assert_in_order(session)


def test_what_is_taken_back_is_never_met_again(sessions: Sessions, clinic: Clinic) -> None:
    with sessions.begin() as session:
        patient = make_patient(session, clinic, family_name="Cole")
    for is_folded in (False, True):
        with sessions() as session:
            session.get_one(Patient, patient.id).family_name = "Ghost"
            make_patient(session, clinic, family_name="Ghost")
            session.flush()
            if is_folded:
                directory.fold(session, clinic.id)
            assert len(everywhere(session).having(Term(("ghost",)))) == 2
            session.rollback()
        with sessions.begin() as session:
            assert everywhere(session).having(Term(("ghost",))) == set()
            assert everywhere(session).having(Term(("cole",))) == {patient.id}
            if not is_folded:
                directory.fold(session, clinic.id)
        with sessions.begin() as session:  # takes the id of who was taken back
            other = make_patient(session, clinic, family_name=f"Real{is_folded}")
            assert everywhere(session).having(Term((f"real{is_folded}".lower(),))) == {other.id}
            assert everywhere(session).having(Term(("ghost",))) == set()
            assert_in_order(session)


def test_a_process_opens_a_clinic_once(sessions: Sessions, engine: Engine, clinic: Clinic) -> None:
    with sessions.begin() as session:
        patient = make_patient(session, clinic)
    fold(sessions, clinic)

    def asked() -> int:
        with sessions() as session, statements(engine) as seen:
            list(Directory(session, [clinic.id]).in_order(By.NAME))
        return len(seen)

    assert asked() == 2
    assert asked() == 1
    with sessions.begin() as session:
        session.get_one(Patient, patient.id).family_name = "Renamed"
    assert asked() == 2
    assert asked() == 1


def test_an_add_writes_one_row_and_no_page(sessions: Sessions, clinic: Clinic) -> None:
    with sessions.begin() as session:
        for _each in range(30):
            make_patient(session, clinic)
    fold(sessions, clinic)
    pages = select(DirectoryPage.version)
    with sessions.begin() as session:
        before = session.scalars(pages).all()
        patient = make_patient(session, clinic)
        patient.about = "likes tea"  # what no name is in changes nothing
        session.flush()
        changes = session.scalars(select(DirectoryChange)).all()
        assert [each.patient_id for each in changes] == [patient.id]
        assert session.scalars(pages).all() == before


def test_pages_are_written_by_the_job_where_it_is_due(
    sessions: Sessions, clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory.to_fold, "__kwdefaults__", {"most": 3})
    with sessions.begin() as session:
        patients = [make_patient(session, clinic) for _each in range(4)]
    assert fold_directories(sessions) == 1
    assert fold_directories(sessions) == 0
    with sessions.begin() as session:
        for each in patients[:2]:
            session.get_one(Patient, each.id).family_name = "Renamed"
    assert fold_directories(sessions) == 0
    with sessions.begin() as session:
        session.get_one(Patient, patients[2].id).family_name = "Renamed"
    assert fold_directories(sessions) == 1


def test_of_who_is_anonymised_no_name_stays_in_a_page(sessions: Sessions, clinic: Clinic) -> None:
    with sessions.begin() as session:
        patient = make_patient(session, clinic, family_name="Erased")
    fold(sessions, clinic)
    with sessions.begin() as session:
        session.get_one(Patient, patient.id).family_name = "patient"
        gone = {"clinic_id": clinic.id, "cause": Cause.SCHEDULE, "at": NOW, "record_hash": "x"}
        session.add(Anonymised(patient_id=patient.id, **gone))
    assert fold_directories(sessions) == 1
    with sessions() as session:
        said = str(session.scalars(select(DirectoryPage.names)).all())
        assert "erased" not in said.lower()
        assert "patient" in said


def test_what_differs_is_told_and_mended(app: Flask, sessions: Sessions, clinic: Clinic) -> None:
    with sessions.begin() as session:
        patient = make_patient(session, clinic)
        other = make_patient(session, clinic)
        directory.fold(session, clinic.id)
        session.get_one(Patient, patient.id).family_name = "Behind"
        session.flush()
        session.execute(delete(DirectoryChange))
        assert directory.differing(session) == [patient.id]
        found = promises.breaches(session, now=NOW)
        assert [(each.table, each.ids) for each in found] == [("patient", (patient.id,))]
    runner = app.test_cli_runner()
    assert runner.invoke(args=["patient-list", "check"]).exit_code == 1
    assert "2 patients by their names" in runner.invoke(args=["patient-list", "rebuild"]).output
    assert runner.invoke(args=["patient-list", "check"]).exit_code == 0
    with sessions() as session:
        assert everywhere(session).having(Term(("behind",))) == {patient.id}
        assert set(everywhere(session).in_order(By.NAME)) == {patient.id, other.id}


def test_pages_that_nobody_can_open_are_read_of_the_patients(
    sessions: Sessions, clinic: Clinic, caplog: pytest.LogCaptureFixture
) -> None:
    with sessions.begin() as session:
        other = make_clinic(session)
        for each in (clinic, other):
            make_patient(session, each, family_name="Cole")
            directory.fold(session, each.id)
        # A page that was put in the place of another clinic's is no page of it.
        session.execute(
            text(
                "UPDATE directory_page SET names = (SELECT b.names FROM directory_page b"
                " WHERE b.clinic_id = :other) WHERE clinic_id = :clinic"
            ),
            {"other": other.id, "clinic": clinic.id},
        )
    directory._remembered.clear()
    with sessions() as session:
        assert_in_order(session)
    with sessions.begin() as session:
        session.execute(text("UPDATE directory_page SET names = 'v1.none.AAAA'"))
    directory._remembered.clear()
    with sessions() as session:
        assert_in_order(session)
    assert "a directory can't be decrypted" in caplog.text


def test_two_who_write_at_once_wait_for_nobody(
    sessions: Sessions, engine: Engine, clinic: Clinic
) -> None:
    """Neither for each other, nor for who writes the pages, nor does that one wait for them."""
    if engine.dialect.name == "sqlite":
        return  # has one writer anyway
    with sessions.begin() as session:
        one, other = (make_patient(session, clinic, family_name=name) for name in ("Abt", "Cole"))
    fold(sessions, clinic)
    with sessions() as first, sessions() as second:
        for session in (first, second):
            session.execute(text("SET LOCAL lock_timeout = '2s'"))
        first.get_one(Patient, one.id).family_name = "Zhou"
        first.flush()
        second.get_one(Patient, other.id).family_name = "Brown"
        make_patient(second, clinic, family_name="Dunn")
        second.flush()
        done: list[int] = []
        worker = threading.Thread(target=lambda: done.append(fold(sessions, clinic)))
        worker.start()
        worker.join(5)
        assert done == [2]
        second.commit()
        first.commit()
    with sessions() as session:
        assert_in_order(session)
        assert directory.differing(session) == []
    fold(sessions, clinic)
    with sessions() as session:
        assert directory.differing(session) == []


def names_of(session: Session, scope: Scope, wanted: Wanted, **options: Any) -> listing.Page:
    frame = listing.frame(session, scope, wanted.filters, now=NOW)
    return listing.page(session, frame, wanted, Search(), **options)


@pytest.mark.parametrize("sort", [Sort.NAME, Sort.RECORD])
@pytest.mark.parametrize("is_backwards", [False, True])
@pytest.mark.parametrize("short", [1000, 5])
def test_pages_are_the_same_of_a_long_list_and_a_short_one(
    sessions: Sessions,
    clinic: Clinic,
    monkeypatch: pytest.MonkeyPatch,
    *,
    sort: Sort,
    is_backwards: bool,
    short: int,
) -> None:
    monkeypatch.setattr(by_name, "SHORT", short)
    monkeypatch.setattr(by_name, "_STEPS", (2, 3))
    with sessions.begin() as session:
        elsewhere, unseen = make_clinic(session), make_clinic(session)
        for number, name in enumerate(FAMILIES * 2):
            language = "es" if number % 3 == 0 else "en"
            at = elsewhere if number % 4 == 0 else clinic
            make_patient(session, at, family_name=name, language=language)
        make_patient(session, unseen, family_name="Brown", language="es")
    fold(sessions, clinic)
    scope = Scope(0, everything=False, clinic_ids=frozenset({clinic.id, elsewhere.id}))
    wanted = Wanted(Filters(language="es"), sort, is_backwards=is_backwards)
    with orm.reading(), sessions() as session:
        patients = session.scalars(
            select(Patient).where(Patient.language == "es", Patient.clinic_id.in_(scope.clinic_ids))
        )
        by = by_name.ORDERS[sort]
        in_order = sorted(
            patients, key=lambda each: (key_of(each, by), each.id), reverse=is_backwards
        )
        expected = [each.ref for each in in_order]
        found, cursor = [], None
        while True:
            page = names_of(session, scope, wanted, cursor=cursor, size=3)
            assert page.has_earlier is (cursor is not None)
            found += [line.patient.ref for line in page.lines]
            if not page.has_more:
                break
            cursor = Cursor(found[-1])
        assert found == expected
        before = names_of(session, scope, wanted, cursor=Cursor(found[4], is_before=True), size=3)
        assert [line.patient.ref for line in before.lines] == expected[1:4]
        assert before.has_earlier
        assert before.has_more
