"""The indexes of both databases give the answers of the rule, in the same transaction."""

import random

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, StaffMember
from outreach.calls.models import CallNote
from outreach.orm import Sessions
from outreach.patients.models import Patient
from outreach.searching import index
from outreach.searching.jobs import index_backlog
from outreach.searching.matching import matching
from outreach.searching.models import SearchBacklog, SearchEntry
from outreach.searching.rules import is_met, parse, words_of, words_of_names
from tests.builders import (
    make_attempt,
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.directories import everywhere
from tests.fakes import MONDAY_10_CHICAGO

NAMES = "Ana José Núñez Müller O'Brien João Groß Łukasz Weiß 山田 Лев محمد".split()
WORDS = ["dizzy", "Insulin", "naïve", "1.5", "555-0147", "it's", "😀", "--", "ça", "NOT", "ana"]
SIGNS = ['"', "-", "*", "(", "NEAR", ":", " ", " ", "'", "OR", "ana", "m", "naiv"]


def found(session: Session, typed: str, *, either: bool = False, notes: bool = False) -> set[int]:
    asked = parse(typed, is_either=either)
    conditions = matching(asked, Patient.id, everywhere(session), has_notes=notes)
    return set(session.scalars(select(Patient.id).where(*conditions)))


def _noted(session: Session, clinic: Clinic, caller: StaffMember, text: str) -> Patient:
    patient = make_patient(session, clinic)
    enrolment = make_enrolment(session, patient, caller=caller)
    make_attempt(session, make_planned_call(session, enrolment), caller, note=text)
    return patient


def test_both_databases_answer_as_the_rule_does(sessions: Sessions) -> None:
    draw = random.Random(7)  # noqa: S311 - the same texts each time
    texts: dict[int, list[tuple[str, ...]]] = {}
    with sessions.begin() as session:
        clinic = make_clinic(session)
        caller = make_staff(session, clinic)
        for _each in range(30):
            given, family = draw.choice(NAMES), f"{draw.choice(NAMES)}-{draw.choice(NAMES)}"
            patient = make_patient(session, clinic, given_name=given, family_name=family)
            enrolment = make_enrolment(session, patient)
            texts[patient.id] = [words_of_names(given, family, None, patient.record_number)]
            for _note in range(draw.randrange(3)):
                note = " ".join(draw.choices(WORDS + NAMES, k=draw.randrange(1, 9)))
                planned = make_planned_call(session, enrolment, status="completed")
                make_attempt(session, planned, caller, note=note)
                texts[patient.id].append(words_of(note))

    answers = 0
    with sessions() as session:
        for _each in range(120):
            parts = draw.choices(NAMES + WORDS + SIGNS, k=draw.randrange(1, 6))
            typed = draw.choice(["", " "]).join(parts)
            either, notes = draw.random() < 0.5, draw.random() < 0.7
            asked = parse(typed, is_either=either)
            if asked.is_empty:
                continue
            expected = {
                patient_id
                for patient_id, own in texts.items()
                if is_met(asked, own[:1], own[1:] if notes else ())
            }
            assert found(session, typed, either=either, notes=notes) == expected, typed
            answers += bool(expected)
    assert answers > 20


@pytest.mark.parametrize(
    "typed", ["NEAR(a, b)", '"', "^x*", "a:b", "'", "\\", "%_", "-", "😀 שלום"]
)
def test_signs_of_the_engines_mean_nothing(sessions: Sessions, typed: str) -> None:
    with sessions.begin() as session:
        make_patient(session, make_clinic(session))
        found(session, typed, notes=True)
        found(session, typed * 1000, either=True)


def test_a_patient_is_found_by_the_new_name_in_the_same_transaction(sessions: Sessions) -> None:
    with sessions.begin() as session:
        patient = make_patient(session, make_clinic(session), family_name="Old")
        assert found(session, "old ") == {patient.id}
        patient.family_name = "Neu"
        session.flush()

        assert found(session, "neu ") == {patient.id}
        assert found(session, "old ") == set()


def test_what_is_rolled_back_is_not_found(sessions: Sessions) -> None:
    with sessions() as session:
        make_patient(session, make_clinic(session), family_name="Ghost")
        session.rollback()

        assert found(session, "ghost") == set()


def test_notes_are_searched_when_asked_and_not_once_replaced(sessions: Sessions) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        patient = _noted(session, clinic, make_staff(session, clinic), "Felt dizzy at noon")

    with sessions.begin() as session:
        assert found(session, '"dizzy at noon"', notes=True) == {patient.id}
        assert found(session, "dizzy") == set()
        session.execute(update(CallNote).values(superseded_at=MONDAY_10_CHICAGO))
        assert found(session, "dizzy", notes=True) == set()


def test_what_was_there_before_the_index_is_indexed_by_the_job(sessions: Sessions) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        patient = _noted(session, clinic, make_staff(session, clinic), "dizzy")
        assert index.missing(session) == 0
        session.execute(delete(SearchEntry))
        assert index.missing(session) == 1
        assert found(session, "dizzy", notes=True) == set()
        assert index.rebuild(session) == 1
        assert index.missing(session) == 0
        assert index.waiting(session)

    assert index_backlog(sessions) == 1

    with sessions() as session:
        assert found(session, "dizzy", notes=True) == {patient.id}
        assert session.scalars(select(SearchBacklog)).all() == []
        assert not index.waiting(session)
    assert index_backlog(sessions) == 0
