"""Every answer is there to read later: on the patient's page, and with the concern it raised."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from outreach.accounts.models import StaffMember
from outreach.accounts.rules import Role
from outreach.concerns.models import Concern
from outreach.measures.models import Reading
from outreach.orm import Sessions
from outreach.questionnaires import ending, licences
from outreach.questionnaires.licences import Permission
from outreach.questionnaires.models import BegunQuestionnaire
from outreach.questionnaires.rules import INSTRUMENTS, InstrumentCode, Skip
from tests.builders import make_clinic, make_enrolment, make_patient, make_staff
from tests.conftest import HASH, sign_in
from tests.fakes import MONDAY_10_CHICAGO as NOW
from tests.fakes import FakeClock

SCRIPT = {"X-Background": "1"}


@dataclass
class Ward:
    """A nurse, a caller, and one patient of theirs, who is asked questionnaires."""

    sessions: Sessions
    client: FlaskClient
    ref: str
    nurse: StaffMember
    caller: StaffMember

    def ask(
        self,
        answers: Mapping[int, int],
        skips: Mapping[int, Skip] | None = None,
        *,
        code: str = "phq9",
        key: str = "page",
        is_scored: bool = True,
    ) -> None:
        said = {f"item_{number}": str(answer) for number, answer in answers.items()}
        said |= {f"skip_{number}": why.value for number, why in (skips or {}).items()}
        path = f"/patients/{self.ref}/ask/{code}"
        self.client.post(path, data=said | {"form_key": key}, headers=SCRIPT)
        if is_scored:
            self.client.post(f"{path}/finish", data={"form_key": key}, headers=SCRIPT)

    def page(self) -> str:
        return as_words(self.client.get(f"/patients/{self.ref}").text)

    def table(self) -> str:
        return self.page().split("answer by answer")[1].split("What happened")[0]

    def timeline(self) -> str:
        return self.page().split("What happened")[1]

    def concern(self) -> str:
        with self.sessions() as session:
            found = session.scalars(select(Concern.id)).one()
        return as_words(self.client.get(f"/concerns/{found}").text)


def as_words(html: str) -> str:
    """Return what a page says, without its tags."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


@pytest.fixture
def ward(sessions: Sessions, client: FlaskClient) -> Ward:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        caller = make_staff(session, clinic, password_hash=HASH)
        nurse = make_staff(session, clinic, Role.NURSE, password_hash=HASH)
        patient = make_patient(session, clinic)
        make_enrolment(session, patient, caller=caller)
    sign_in(client, nurse)
    return Ward(sessions, client, patient.ref, nurse, caller)


def test_each_answer_stands_on_the_patients_page_with_what_has_none(ward: Ward) -> None:
    ward.ask({1: 2, 2: 3, 4: 1, 5: 0, 6: 0, 7: 1, 9: 0}, {3: Skip.DECLINED, 8: Skip.UNSURE})

    timeline = ward.timeline()
    assert "no answer: 3, 8" in timeline
    assert "sleeping too much: They'd rather not say" in timeline
    assert "Feeling down, depressed, or hopeless: 3 Nearly every day" in timeline
    table = ward.table()
    assert "hurting yourself in some way 0 Not at all" in table
    assert "moving around a lot more than usual They can't say" in table
    assert "9 mild estimated" in table


def test_without_a_score_the_answers_are_told_all_the_same(ward: Ward) -> None:
    ward.ask(dict.fromkeys(range(1, 9), 1))

    assert "Not assessed" in ward.timeline()
    assert "no answer: 9" in ward.timeline()
    assert "in some way not asked" in ward.table()
    assert "Ask it again" in ward.concern()


def test_a_concern_shows_the_answers_while_they_are_given_and_after(ward: Ward) -> None:
    ward.ask({1: 2, 9: 1}, is_scored=False)

    so_far = ward.concern()
    assert "2 of 9 asked" in so_far
    assert "hurting yourself in some way: 1 Several days" in so_far
    assert "usual: not asked" in so_far

    ward.ask(dict.fromkeys(range(2, 9), 2))
    whole = ward.concern()
    assert "17 moderately severe" in whole
    assert "Question 9: 1 Several days" in whole
    assert "usual: 2 More than half the days" in whole


def test_a_concern_of_what_was_left_and_scored_later_shows_its_answers(
    ward: Ward, clock: FakeClock
) -> None:
    ward.ask(dict.fromkeys(range(1, 10), 0) | {1: 3, 2: 3}, is_scored=False)
    ward.ask(dict.fromkeys(range(3, 9), 2), is_scored=False)
    clock.advance(timedelta(hours=2))

    with ward.sessions.begin() as session:
        row_id = session.scalars(select(BegunQuestionnaire.id)).one()
        assert ending.end_left(session, row_id, now=clock())
    sign_in(ward.client, ward.nurse)

    assert "18 moderately severe" in ward.concern()
    assert "usual: 2 More than half the days" in ward.concern()


def test_what_was_said_after_the_score_is_told_apart_from_the_answers(ward: Ward) -> None:
    ward.ask(dict.fromkeys(range(1, 10), 0))
    ward.ask({9: 1}, is_scored=False)

    assert "Said after it was scored." in ward.concern()
    assert "is not among these answers" in ward.concern()
    assert "hurting yourself in some way: 0 Not at all" in ward.concern()


def test_a_concern_that_no_questionnaire_raised_shows_none(ward: Ward) -> None:
    ward.ask(dict.fromkeys(range(1, 10), 0))
    ward.client.post(
        f"/patients/{ward.ref}/readings/new",
        data={
            "form_key": "1",
            "on": "2026-11-23",
            "at": "09:30",
            "value_glucose": "52",
            "unit_glucose": "mg/dL",
        },
    )

    assert "every answer" not in ward.concern()


def test_a_total_is_told_once_until_somebody_puts_it_right(ward: Ward) -> None:
    ward.ask(dict.fromkeys(range(1, 10), 0) | {1: 3})
    assert "entered by staff" not in ward.timeline()
    with ward.sessions() as session:
        reading = session.scalars(select(Reading)).one()

    ward.client.post(
        f"/patients/{ward.ref}/readings/{reading.id}/correct",
        data={
            "value": "4",
            "unit": "{score}",
            "reason": "Added up anew",
            "on": "2026-11-23",
            "at": "10:00",
        },
    )

    assert "PHQ-9 3 corrected Added up anew entered by staff" in ward.timeline()
    assert "PHQ-9 4 a correction" in ward.timeline()


def test_askings_stand_side_by_side_newest_first(ward: Ward, clock: FakeClock) -> None:
    ward.ask(dict.fromkeys(range(1, 8), 1), code="gad7", key="first")
    clock.advance(timedelta(days=7))
    sign_in(ward.client, ward.nurse)
    ward.ask(dict.fromkeys(range(1, 8), 3), code="gad7", key="second")

    assert "Trouble relaxing 3 Nearly every day 1 Several days" in ward.table()
    assert "Score 21 severe 7 mild" in ward.table()


def test_callers_of_the_patient_read_the_answers_too(ward: Ward) -> None:
    ward.ask(dict.fromkeys(range(1, 10), 0))
    sign_in(ward.client, ward.caller)

    assert "answer by answer" in ward.page()


def permitted(items: str) -> Permission:
    words = tuple(f"{items} {number}" for number in range(1, 4))
    return Permission("UCLA", date(2026, 11, 1), "You may.", "", words)


def test_a_licensed_one_keeps_the_words_that_it_was_asked_in(ward: Ward, clock: FakeClock) -> None:
    ucla = INSTRUMENTS[InstrumentCode.UCLA_3]

    def state(items: str) -> None:
        with ward.sessions.begin() as session:
            new = permitted(items)
            licences.state(session, ucla, new, by_staff_id=ward.nurse.id, now=clock())

    state("old words")
    ward.ask({1: 1, 2: 2, 3: 3}, code="ucla3")
    clock.advance(timedelta(minutes=1))
    state("new words")
    assert "old words 2: 2" in ward.timeline()

    with ward.sessions.begin() as session:
        licences.withdraw(session, ucla, "It ended.", by_staff_id=ward.nurse.id, now=NOW)
    assert "old words" not in ward.page()
    assert "Question 2: 2" in ward.timeline()
