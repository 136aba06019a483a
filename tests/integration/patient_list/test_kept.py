"""What is kept beside histories is what the histories say, whatever happens to them."""

import random
from datetime import timedelta
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from outreach import orm
from outreach.accounts.models import StaffMember
from outreach.calls import last_talk
from outreach.calls.models import Attempt, LastTalk
from outreach.calls.rules import Outcome
from outreach.measures import newest
from outreach.measures.models import LatestReading, Reading
from outreach.measures.rules import MeasureKind
from outreach.orm import Sessions
from outreach.patient_list import listing, selecting
from outreach.patient_list.rules import Filters
from outreach.patient_list.selecting import Search
from outreach.patients.models import Patient
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from outreach.searching import directory
from outreach.searching.models import DirectoryChange
from tests.builders import (
    make_attempt,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_reading,
)
from tests.integration.patient_list.conftest import NOW, Place

KINDS = (MeasureKind.HBA1C, MeasureKind.GLUCOSE)


def _recounted(session: Session) -> dict[tuple[int, str], tuple[int, Decimal]]:
    """Look through every reading, one by one."""
    everything = session.scalars(select(Reading)).all()
    corrected = {each.supersedes_id for each in everything}
    found: dict[tuple[int, str], Reading] = {}
    for each in sorted(everything, key=lambda reading: (reading.taken_at, reading.id)):
        if each.id not in corrected and not each.is_void and each.withdrawn_at is None:
            found[each.patient_id, each.kind] = each
    return {key: (each.id, each.value) for key, each in found.items()}


def _kept(session: Session) -> dict[tuple[int, str], tuple[int, Decimal]]:
    rows = session.execute(
        select(
            LatestReading.patient_id,
            LatestReading.kind,
            LatestReading.reading_id,
            LatestReading.value,
        )
    )
    return {(patient_id, kind): (of, value) for patient_id, kind, of, value in rows}


@pytest.mark.parametrize("seed", range(4))
def test_random_histories_of_readings(sessions: Sessions, place: Place, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a history, no secret
    with sessions.begin() as session:
        patients = [make_patient(session, place.clinic) for _each in range(2)]
        for step in range(25):
            patient, kind = chance.choice(patients), chance.choice(KINDS)
            taken_at = NOW - timedelta(days=chance.randrange(6))
            there = session.scalars(
                select(Reading).where(
                    Reading.id.not_in(
                        select(Reading.supersedes_id).where(Reading.supersedes_id.is_not(None))
                    ),
                    Reading.withdrawn_at.is_(None),
                )
            ).all()
            match chance.choice(["new", "new", "correct", "void", "withdraw"]):
                case "correct" | "void" as how if there:
                    wrong = chance.choice(there)
                    owner = session.get_one(Patient, wrong.patient_id)
                    make_reading(
                        session,
                        owner,
                        wrong.kind,
                        str(5 + step),
                        taken_at=taken_at,
                        supersedes_id=wrong.id,
                        is_void=how == "void",
                    )
                case "withdraw" if there:
                    gone = chance.choice(there)
                    session.execute(
                        update(Reading).where(Reading.id == gone.id).values(withdrawn_at=NOW)
                    )
                    newest.find_again(session, gone.patient_id, [gone.kind])
                case _:
                    make_reading(session, patient, kind, str(5 + step), taken_at=taken_at)
            assert _kept(session) == _recounted(session)
        assert session.scalars(newest.differing()).all() == []


def _call(session: Session, place: Place, patient: Patient) -> PlannedCall:
    enrolment = make_enrolment(session, patient)
    return make_planned_call(session, enrolment, status=CallStatus.COMPLETED)


def test_the_last_talk_is_the_last_that_counts(sessions: Sessions, place: Place) -> None:
    with sessions.begin() as session:
        patient, caller = make_patient(session, place.clinic), place.caller
        call = _call(session, place, patient)
        ago = [NOW - timedelta(days=days) for days in range(4)]
        last = make_attempt(session, call, caller, Outcome.COMPLETED, at=ago[1])
        make_attempt(session, call, caller, Outcome.COMPLETED, at=ago[3])
        make_attempt(session, call, caller, Outcome.NO_ANSWER, at=ago[0])
        assert _talk(session, patient) == ago[1]

        session.execute(update(Attempt).where(Attempt.id == last.id).values(superseded_at=NOW))
        assert set(session.scalars(last_talk.differing())) != set()
        last_talk.find_again(session, patient.id)

        assert _talk(session, patient) == ago[3]
        assert session.scalars(last_talk.differing()).all() == []


def _talk(session: Session, patient: Patient) -> object:
    return session.scalar(select(LastTalk.at).where(LastTalk.patient_id == patient.id))


def test_a_command_finds_what_differs_and_mends_it(
    app: Flask, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        patient = make_patient(session, place.clinic)
        make_reading(session, patient, value="9.8")
        call = _call(session, place, patient)
        make_attempt(session, call, place.caller, Outcome.COMPLETED, at=NOW)
        session.execute(update(LatestReading).values(value=Decimal(5)))
        session.execute(text("DELETE FROM last_talk"))
        directory.fold_all(session)
        patient.family_name = "Renamed"
        session.flush()
        session.execute(delete(DirectoryChange))

    runner = app.test_cli_runner()
    checked = runner.invoke(args=["patient-list", "check"])
    words = "1 readings, 1 attempts and 1 names differ.\n"
    assert (checked.exit_code, checked.output) == (1, words)
    made = runner.invoke(args=["patient-list", "rebuild"]).output
    assert made == "1 last readings, 1 last talks, 4 patients by their names.\n"
    assert runner.invoke(args=["patient-list", "check"]).exit_code == 0


@pytest.fixture
def crowd(sessions: Sessions, place: Place) -> StaffMember:
    """So many patients that reading them all for one question is seen in the plan."""
    with sessions.begin() as session:
        for place_in_line in range(300):
            patient = make_patient(session, place.clinic, family_name=f"F{place_in_line}")
            for value in ("7.1", "10.2") if place_in_line % 50 == 0 else ("7.1", "7.2"):
                make_reading(session, patient, value=value, taken_at=NOW)
    with sessions.begin() as session:
        session.execute(text("ANALYZE"))
    return place.caller


def test_a_filter_by_the_last_reading_reads_no_history(
    sessions: Sessions, place: Place, crowd: StaffMember
) -> None:
    filters = Filters(hba1c_over=Decimal(9), silent_days=30)
    with orm.reading(), sessions() as session:
        frame = listing.frame(session, place.scope, filters, now=NOW)
        question = select(Patient.id).where(*selecting.conditions(frame, filters, Search()))
        dialect = session.get_bind().dialect
        plain = str(question.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
        how = "EXPLAIN QUERY PLAN" if dialect.name == "sqlite" else "EXPLAIN"
        plan = session.connection().exec_driver_sql(f"{how} {plain.replace('%', '%%')}")
        steps = "\n".join(str(row) for row in plan)
    assert "latest_reading" in steps
    for history in (" reading ", " attempt ", "SCAN latest_reading", "Seq Scan on latest_reading"):
        assert history not in steps
