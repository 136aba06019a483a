"""Asking a questionnaire on a call: kept once, scored, and a nurse told where it asks for one."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from outreach.accounts.models import StaffMember
from outreach.accounts.rules import Role
from outreach.concerns.models import Concern, ConcernStep
from outreach.concerns.rules import ConcernKind, Urgency
from outreach.measures.models import Reading
from outreach.measures.rules import MeasureKind
from outreach.orm import Sessions
from outreach.questionnaires.models import (
    BegunQuestionnaire,
    InstrumentPermission,
    Questionnaire,
)
from outreach.questionnaires.rules import Gap
from tests.builders import make_clinic, make_enrolment, make_patient, make_staff
from tests.conftest import HASH, sign_in
from tests.fakes import FakeClock

SCRIPT = {"X-Background": "1"}


@dataclass
class Conversation:
    """A caller on the line with one of their patients."""

    sessions: Sessions
    client: FlaskClient
    ref: str
    manager: StaffMember
    caller: StaffMember

    def path(self, code: str) -> str:
        return f"/calls/{self.ref}/ask/{code}"

    def say(self, code: str, answers: dict[int, int], *, form_key: str = "page") -> TestResponse:
        data = {f"item_{number}": str(answer) for number, answer in answers.items()}
        return self.client.post(self.path(code), data=data | {"form_key": form_key}, headers=SCRIPT)

    def answer(self, code: str, answers: dict[int, int], *, form_key: str = "page") -> str:
        """Answer items of one questionnaire, score it, and return what is shown then."""
        assert self.say(code, answers, form_key=form_key).status_code == 200
        return self.score(code, form_key=form_key)

    def score(self, code: str, *, form_key: str = "page") -> str:
        data = {"form_key": form_key}
        scored = self.client.post(f"{self.path(code)}/finish", data=data, headers=SCRIPT)
        assert scored.status_code == 200
        return scored.text

    def panel(self, code: str, **words: str) -> str:
        return self.client.get(self.path(code), query_string=words, headers=SCRIPT).text

    def concerns(self) -> list[tuple[ConcernKind, Urgency]]:
        with self.sessions() as session:
            rows = session.execute(select(Concern.kind, Concern.urgency).order_by(Concern.id))
            return [(kind, urgency) for kind, urgency in rows]


@pytest.fixture
def talk(sessions: Sessions, client: FlaskClient) -> Conversation:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        caller = make_staff(session, clinic, password_hash=HASH)
        manager = make_staff(session, clinic, Role.MANAGER, password_hash=HASH)
        patient = make_patient(session, clinic)
        make_enrolment(session, patient, caller=caller)
    sign_in(client, caller)
    return Conversation(sessions, client, patient.ref, manager, caller)


def test_a_phq_9_is_kept_item_by_item_with_its_total_beside_the_other_readings(
    talk: Conversation,
) -> None:
    page = talk.answer("phq9", {1: 2, 2: 2, 3: 2, 4: 2, 5: 1, 6: 1, 7: 1, 8: 1, 9: 0})

    assert "moderate" in page
    with talk.sessions() as session:
        kept = session.scalars(select(Questionnaire)).one()
        total = session.scalars(select(Reading)).one()
        assert kept.score == Decimal(12)
        assert (kept.given[4], kept.given[9]) == (2, 0)
        assert (total.kind, total.value) == (MeasureKind.PHQ9_TOTAL, Decimal(12))
    assert talk.concerns() == []


def test_any_thought_of_self_harm_tells_a_nurse_now_and_the_caller_what_to_do(
    talk: Conversation,
) -> None:
    page = talk.answer("phq9", dict.fromkeys(range(1, 9), 0) | {9: 1})

    assert "Stay on the line" in page
    assert "988" in page
    assert talk.concerns() == [(ConcernKind.SELF_HARM, Urgency.NOW)]
    with talk.sessions() as session:
        note = session.scalar(select(ConcernStep.note))
        assert note == "PHQ-9: 1, minimal. Item 9: 1 of 3."


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (dict.fromkeys(range(1, 9), 2) | {9: 0}, [Urgency.NEXT_BUSINESS_DAY]),
        (dict.fromkeys(range(1, 8), 3) | {8: 0, 9: 0}, [Urgency.SAME_DAY]),
        (dict.fromkeys(range(1, 9), 1) | {9: 0}, []),
        (dict.fromkeys(range(1, 9), 1), [Urgency.NEXT_BUSINESS_DAY]),
    ],
    ids=["16", "21", "8", "item 9 not asked"],
)
def test_a_score_brings_a_nurse_as_soon_as_it_asks(
    talk: Conversation, answers: dict[int, int], expected: list[Urgency]
) -> None:
    talk.answer("phq9", answers)

    assert talk.concerns() == [(ConcernKind.MOOD, urgency) for urgency in expected]


def test_an_estimated_total_is_said_to_be_one_and_is_no_reading(talk: Conversation) -> None:
    page = talk.answer("phq9", dict.fromkeys(range(2, 9), 1) | {9: 0})

    assert "estimated" in page
    with talk.sessions() as session:
        assert session.scalars(select(Reading)).all() == []


def test_a_second_score_keeps_one_questionnaire_and_one_concern(talk: Conversation) -> None:
    talk.answer("phq9", {9: 2})
    talk.score("phq9")

    with talk.sessions() as session:
        assert session.scalar(select(func.count(Questionnaire.id))) == 1
    assert len(talk.concerns()) == 1


def test_a_page_that_was_scored_keeps_its_answers(talk: Conversation) -> None:
    talk.answer("gad7", {1: 1})

    assert talk.say("gad7", {1: 2}).status_code == 409
    with talk.sessions() as session:
        assert session.scalars(select(Questionnaire)).one().given == {1: 1}


def test_a_phq_2_below_3_is_over(talk: Conversation) -> None:
    assert "Go on with the PHQ-9" in talk.answer("phq2", {1: 2, 2: 1})
    assert "Go on with the PHQ-9" not in talk.answer("phq2", {1: 1, 2: 1}, form_key="next")


@pytest.mark.parametrize("code", ["dds17", "care", "nonsense"])
def test_a_licensed_or_unknown_questionnaire_does_not_exist(talk: Conversation, code: str) -> None:
    assert talk.client.get(talk.path(code), headers=SCRIPT).status_code == 404


def test_managers_do_not_ask_questionnaires(talk: Conversation) -> None:
    sign_in(talk.client, talk.manager)

    assert talk.client.get(talk.path("phq9")).status_code == 404


def test_asking_goes_on_where_it_stopped(talk: Conversation) -> None:
    talk.say("phq9", {1: 1})
    talk.say("phq9", {2: 3}, form_key="another page")

    page = talk.panel("phq9")

    assert page.count('aria-pressed="true"') == 2
    assert 'value="page"' in page
    talk.answer("phq9", {9: 0})
    with talk.sessions() as session:
        assert session.scalars(select(Questionnaire)).one().given == {1: 1, 2: 3, 9: 0}
        assert session.scalars(select(BegunQuestionnaire)).all() == []


def test_what_was_begun_the_day_before_begins_anew(talk: Conversation, clock: FakeClock) -> None:
    talk.say("phq9", {1: 1})
    clock.advance(timedelta(hours=24, seconds=1))
    with talk.sessions() as session:
        person = session.get_one(StaffMember, talk.caller.id)
    sign_in(talk.client, person)

    assert 'aria-pressed="true"' not in talk.panel("phq9")


def test_a_thought_of_self_harm_is_told_before_the_score_and_once(talk: Conversation) -> None:
    talk.say("phq9", {9: 1})
    talk.say("phq9", {9: 2})
    assert talk.concerns() == [(ConcernKind.SELF_HARM, Urgency.NOW)]

    talk.score("phq9")

    assert talk.concerns() == [(ConcernKind.SELF_HARM, Urgency.NOW)]


def test_a_profile_stands_there_without_a_score(
    talk: Conversation, administrator: StaffMember
) -> None:
    words = "\n".join(f"Question {number}" for number in range(1, 6))
    sign_in(talk.client, administrator)
    stated = talk.client.post("/instruments/eq5d5l", data=PERMISSION | {"items": words})
    assert stated.status_code == 302
    sign_in(talk.client, talk.caller)

    page = talk.answer("eq5d5l", {1: 2, 2: 1, 3: 5, 4: 3, 5: 2})

    assert ">21532<" in page
    assert "A profile, without a score" in page


PERMISSION = {
    "granted_by": "The owner",
    "granted_on": "2026-11-01",
    "wording": "You may use it in your clinics.",
    "introduction": "Think of the last month.",
    "items": "First question\nSecond question\n",
    "answer_words": "",
    "is_permitted": "y",
}


@pytest.fixture
def administrator(talk: Conversation) -> StaffMember:
    with talk.sessions.begin() as session:
        return make_staff(session, None, Role.ADMINISTRATOR, password_hash=HASH)


def test_a_licensed_questionnaire_is_asked_while_its_permission_stands(
    talk: Conversation, administrator: StaffMember
) -> None:
    sign_in(talk.client, administrator)
    assert talk.client.post("/instruments/dds2", data=PERMISSION).status_code == 302
    sign_in(talk.client, talk.caller)

    page = talk.panel("dds2")
    assert "Second question" in page
    assert "Think of the last month." in page
    result = talk.answer("dds2", {1: 3, 2: 4})
    assert "positive" in result
    with talk.sessions() as session:
        total = session.scalars(select(Reading)).one()
        assert (total.kind, total.value) == (MeasureKind.DDS2_MEAN, Decimal("3.5"))

    sign_in(talk.client, administrator)
    gone = talk.client.post("/instruments/dds2/withdraw", data={"reason": "It ended."})
    assert gone.status_code == 302
    sign_in(talk.client, talk.caller)
    assert talk.client.get(talk.path("dds2"), headers=SCRIPT).status_code == 404
    assert "3.5" in talk.panel("dds2", done="page")
    with talk.sessions() as session:
        kept = session.scalars(select(InstrumentPermission).order_by(InstrumentPermission.id))
        assert [row.is_given for row in kept] == [True, False]


@pytest.mark.parametrize(
    "change",
    [
        {"is_permitted": ""},
        {"granted_by": ""},
        {"wording": " "},
        {"granted_on": "2026-11-24"},
        {"items": "Only one"},
        {"items": "One\nTwo\nThree"},
        {"answer_words": "Yes\nNo"},
    ],
)
def test_a_permission_is_stated_in_full_or_not_at_all(
    talk: Conversation, administrator: StaffMember, change: dict[str, str]
) -> None:
    sign_in(talk.client, administrator)

    answer = talk.client.post("/instruments/dds2", data={**PERMISSION, **change})

    assert answer.status_code == 422
    with talk.sessions() as session:
        assert session.scalars(select(InstrumentPermission)).all() == []


@pytest.mark.parametrize("code", ["phq9", "nonsense"])
def test_what_needs_no_permission_has_no_page_for_it(
    talk: Conversation, administrator: StaffMember, code: str
) -> None:
    sign_in(talk.client, administrator)

    assert talk.client.get("/instruments/").status_code == 200
    assert talk.client.get(f"/instruments/{code}").status_code == 404


def test_permissions_are_stated_by_administrators_alone(talk: Conversation) -> None:
    sign_in(talk.client, talk.manager)

    assert talk.client.get("/instruments/").status_code == 404


def test_an_sdsca_leaves_a_reading_of_each_part_that_was_answered(
    talk: Conversation, administrator: StaffMember
) -> None:
    sign_in(talk.client, administrator)
    items = "\n".join(f"Question {number}" for number in range(1, 11))
    words = {**PERMISSION, "items": items, "answer_words": ""}
    assert talk.client.post("/instruments/sdsca", data=words).status_code == 302
    sign_in(talk.client, talk.caller)

    shown = talk.answer("sdsca", {1: 5, 2: 4, 3: 6, 4: 2, 5: 0, 6: 1, 7: 7, 8: 7, 9: 3})

    assert "each part has its own" in shown
    assert "no score: a question has no answer" in shown
    with talk.sessions() as session:
        kept = session.scalars(select(Reading).order_by(Reading.id))
        assert [(each.kind, each.value) for each in kept] == [
            (MeasureKind.SDSCA_GENERAL_DIET, Decimal("4.5")),
            (MeasureKind.SDSCA_SPECIFIC_DIET, Decimal("5.5")),
            (MeasureKind.SDSCA_EXERCISE, Decimal("0.5")),
            (MeasureKind.SDSCA_TESTING, Decimal("7.0")),
        ]
        (asked,) = session.scalars(select(Questionnaire))
        assert (asked.score, asked.gap) == (None, Gap.NO_TOTAL)


def test_a_pdsms_is_scored_with_its_items_turned(
    talk: Conversation, administrator: StaffMember
) -> None:
    sign_in(talk.client, administrator)
    assert "numbers 1, 2, 6, 7 are scored" in talk.client.get("/instruments/pdsms").text
    items = "\n".join(f"Statement {number}" for number in range(1, 9))
    words = {**PERMISSION, "items": items, "answer_words": ""}
    assert talk.client.post("/instruments/pdsms", data=words).status_code == 302
    sign_in(talk.client, talk.caller)

    talk.answer("pdsms", {1: 1, 2: 1, 3: 5, 4: 5, 5: 5, 6: 1, 7: 1, 8: 5})

    with talk.sessions() as session:
        total = session.scalars(select(Reading)).one()
        assert (total.kind, total.value) == (MeasureKind.PDSMS_TOTAL, Decimal(40))


def test_a_dds_17_shows_its_four_parts(talk: Conversation, administrator: StaffMember) -> None:
    sign_in(talk.client, administrator)
    items = "\n".join(f"Question {number}" for number in range(1, 18))
    words = {**PERMISSION, "items": items, "answer_words": ""}
    assert talk.client.post("/instruments/dds17", data=words).status_code == 302
    sign_in(talk.client, talk.caller)

    shown = talk.answer("dds17", dict.fromkeys(range(1, 18), 1) | {9: 5, 13: 5, 17: 5})

    assert "Distress with other people" in shown
    assert "<strong>5</strong> high distress" in shown


def test_what_callers_answer_about_themselves_is_no_questionnaire_of_a_patient(
    talk: Conversation, administrator: StaffMember
) -> None:
    sign_in(talk.client, administrator)
    items = "\n".join(f"Statement {number}" for number in range(1, 31))
    words = {**PERMISSION, "items": items, "answer_words": ""}
    assert talk.client.post("/instruments/proqol", data=words).status_code == 302
    sign_in(talk.client, talk.caller)

    assert talk.client.get(talk.path("proqol"), headers=SCRIPT).status_code == 404
