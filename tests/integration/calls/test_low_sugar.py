"""A low blood sugar on a call: the card, what is asked once more, what the nurse reads."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from outreach.accounts.models import StaffMember
from outreach.accounts.rules import Role
from outreach.calls.models import Attempt
from outreach.concerns import limits, low_sugar, raising
from outreach.concerns.limits import NewLimits
from outreach.concerns.low_sugar import BUILT_IN, NewCard
from outreach.concerns.models import (
    Concern,
    LowSugarAnswer,
    LowSugarCard,
)
from outreach.concerns.rules import ConcernKind, ConcernStatus, StepKind, Urgency
from outreach.measures.models import Reading
from outreach.measures.rules import MeasureKind
from outreach.orm import Sessions
from outreach.patients.models import Patient
from tests.builders import make_staff
from tests.conftest import HASH, sign_in
from tests.fakes import MONDAY_10_CHICAGO as NOW
from tests.integration.calls.day import Day
from tests.integration.calls.saving import Saving

ASKED = "Nobody has said that the low sugar is treated"
OPEN = "data-low-card"


class Call(Saving):
    def answers(self) -> Sequence[LowSugarAnswer]:
        with self.sessions() as session:
            return session.scalars(select(LowSugarAnswer).order_by(LowSugarAnswer.concern_id)).all()

    def approve(self, say: str, language: str = "en", seen: int = 0) -> None:
        new = NewCard(say, "Dr. Ada Klein", date(2026, 11, 2), seen)
        with self.sessions.begin() as session:
            low_sugar.write(
                session, self.day.clinic.id, language, new, by_staff_id=self.day.nurse.id, now=NOW
            )

    def limit(self, low: str) -> None:
        new = NewLimits(
            MeasureKind.GLUCOSE, Decimal(low), None, "mg/dL", "Feels no lows.", None, seen=0
        )
        with self.sessions.begin() as session:
            rosa = session.get_one(Patient, self.day.rosa.id)
            limits.put(session, rosa, new, by_staff_id=self.day.nurse.id, now=NOW)


@pytest.fixture
def call(sessions: Sessions, client: FlaskClient, day: Day) -> Call:
    return Call(sessions, client, day)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (["treated"], (True, False)),
        (["help"], (False, True)),
        (["treated", "help"], (True, True)),
    ],
)
def test_what_was_said_is_kept_with_the_concern(
    call: Call, said: list[str], kept: tuple[bool, bool]
) -> None:
    assert call.save(glucose="48", low_said=said)[0] == 302

    (answer,) = call.answers()
    assert (answer.is_treated, answer.is_help_coming) == kept
    assert (answer.card_id, answer.language) == (None, "en")
    with call.sessions() as session:
        assert session.get_one(Concern, answer.concern_id).patient_id == call.day.rosa.id


def test_nobody_having_said_it_is_asked_once_and_blocks_nothing(call: Call) -> None:
    status, page = call.save(glucose="48")

    assert status == 422
    assert ASKED in page
    assert 'name="low_asked" value="y"' in page
    assert page.split(OPEN)[1].split(">")[0].endswith(" open")
    with call.sessions() as session:
        assert session.scalars(select(Attempt)).all() == []

    assert call.save(glucose="48", low_asked="y")[0] == 302
    (answer,) = call.answers()
    assert (answer.is_treated, answer.is_help_coming) == (False, False)


def test_a_nurse_is_told_at_the_first_save_and_once(call: Call) -> None:
    _status, page = call.save(glucose="48")

    (concern,) = call.concerns()
    assert (concern.kind, concern.urgency) == (ConcernKind.GLUCOSE_LOW, Urgency.NOW)
    assert concern.reading_id is None
    assert "data-polled" in page  # what became of it is shown while the caller goes on
    assert call.steps() == [(StepKind.RAISED, "48 mg/dL (2.7 mmol/L)")]
    assert call.alerts() == 1

    call.save(glucose="48")
    saved, _page = call.save(glucose="48", low_said="treated", note="She drank juice.")

    assert saved == 302
    (concern,) = call.concerns()
    assert concern.reading_id is not None
    assert call.alerts() == 1
    added = (StepKind.ADDED, "48 mg/dL (2.7 mmol/L)\nShe drank juice.")
    assert call.steps() == [(StepKind.RAISED, "48 mg/dL (2.7 mmol/L)"), added]
    (answer,) = call.answers()
    assert (answer.concern_id, answer.is_treated) == (concern.id, True)


def test_a_nurse_is_told_whatever_else_keeps_the_call_from_being_saved(call: Call) -> None:
    status, _page = call.save(glucose="48", low_said="treated", minutes="many")

    assert status == 422
    assert len(call.concerns()) == 1


def test_a_low_that_was_a_slip_is_left_to_the_nurse_with_words(call: Call) -> None:
    call.save(glucose="48")
    assert call.save(glucose="148")[0] == 302

    (concern,) = call.concerns()
    assert concern.status is ConcernStatus.OPEN
    assert call.steps()[-1] == (
        StepKind.ADDED,
        "Saved without a low blood sugar.",
    )


def test_a_second_low_after_the_nurse_closed_the_first_is_told_anew(call: Call) -> None:
    call.save(glucose="48")
    with call.sessions.begin() as session:
        concern = session.scalars(select(Concern)).one()
        raising.close(session, concern, "Rang them.", by_staff_id=call.day.nurse.id, now=NOW)

    assert call.save(glucose="44", low_asked="y")[0] == 302

    assert [each.status for each in call.concerns()] == [ConcernStatus.CLOSED, ConcernStatus.OPEN]


@pytest.mark.parametrize(
    "answers",
    [
        {"glucose": "60", "minutes": "many"},
        {"glucose": "48", "glucose_on": "2026-11-20", "minutes": "many"},
        {"glucose": "12"},
        {"glucose": "48", "reached": "no", "outcome": "busy", "minutes": "many"},
    ],
)
def test_nobody_is_told_before_saving_of_what_is_no_level_2_low_now(
    call: Call, answers: dict[str, str]
) -> None:
    assert call.save(**answers)[0] == 422

    assert call.concerns() == []


@pytest.mark.parametrize(
    "answers",
    [
        {"glucose": "60"},
        {"glucose": "3.4", "glucose_unit": "mmol/L"},
        {"glucose": "54", "glucose_is_fasting": "y"},
    ],
)
def test_a_level_1_low_is_kept_and_not_asked_about_again(
    call: Call, answers: dict[str, str]
) -> None:
    assert call.save(**answers)[0] == 302

    (answer,) = call.answers()
    assert (answer.is_treated, answer.is_help_coming) == (False, False)


@pytest.mark.parametrize(
    "answers",
    [
        {"glucose": "2.9", "glucose_unit": "mmol/L"},
        {"glucose": "LO", "glucose_unit": "mmol/L"},
        {"glucose": "53", "glucose_is_fasting": "y"},
        {"glucose": "25", "is_confirmed": "y"},
    ],
)
def test_level_2_in_every_way_it_can_be_written_is_asked_about(
    call: Call, answers: dict[str, str]
) -> None:
    status, page = call.save(**answers)

    assert (status, ASKED in page) == (422, True)


@pytest.mark.parametrize(
    "answers",
    [
        {"glucose": "70"},
        {"glucose": "120", "low_said": "treated"},
        {"glucose": "48", "glucose_on": "2026-11-20"},
        {"glucose": "120", "signs": "help_needed"},
        {"systolic": "120", "diastolic": "45"},
    ],
)
def test_what_is_not_low_now_asks_and_keeps_nothing(call: Call, answers: dict[str, str]) -> None:
    assert call.save(**answers)[0] == 302

    assert call.answers() == []


def test_one_that_looks_like_the_other_unit_is_no_low_until_it_was_read_back(call: Call) -> None:
    status, page = call.save(glucose="12")

    assert (status, ASKED in page) == (422, False)


def test_a_safety_concern_is_not_held_up(call: Call) -> None:
    saved, _page = call.save(
        glucose="48", outcome="reached_safety", note="She does not answer clearly."
    )

    assert saved == 302
    (answer,) = call.answers()
    assert not answer.is_treated


def test_a_patients_own_lower_limit_decides_when_the_card_is_read(call: Call) -> None:
    call.limit("80")

    assert call.save(glucose="75")[0] == 302

    assert len(call.answers()) == 1


def test_the_version_that_stood_on_the_page_is_named_even_if_another_came_since(
    call: Call,
) -> None:
    call.approve("Eat 4 glucose tablets now.")
    page = call.client.get(call.address).text
    assert "Eat 4 glucose tablets now." in page
    assert '<input type="hidden" name="low_card" value="1">' in page
    call.approve("Drink a small glass of juice now.", seen=1)

    assert call.save(glucose="50", low_said="treated", low_card="1")[0] == 302

    (answer,) = call.answers()
    with call.sessions() as session:
        assert session.get_one(LowSugarCard, answer.card_id).number == 1
    call.client.post("/sign-out")
    sign_in(call.client, _nurse(call))
    read = call.client.get(f"/concerns/{answer.concern_id}").text
    assert "Eat 4 glucose tablets now." in read
    assert "Version 1, approved by Dr. Ada Klein" in read
    assert "they say that it is treated" in read


@pytest.mark.parametrize("number", ["99999999999", "-1", "x", "7"])
def test_a_number_of_no_version_is_the_product_s_words(call: Call, number: str) -> None:
    assert call.save(glucose="50", low_said="help", low_card=number)[0] == 302

    assert [each.card_id for each in call.answers()] == [None]


def test_the_card_is_in_the_patients_language_and_never_in_another_clinics_words(
    call: Call,
) -> None:
    call.approve("Eat 4 glucose tablets now.")
    with call.sessions.begin() as session:
        session.get_one(Patient, call.day.rosa.id).language = "es"

    page = call.client.get(call.address).text

    assert BUILT_IN["es"][0] in page
    assert "glucose tablets" not in page


def test_a_nurse_sees_in_the_list_that_nobody_said_it_and_the_caller_is_told(call: Call) -> None:
    call.save(glucose="48", low_asked="y")
    told = call.client.get(f"/safety/{call.day.rosa.ref}").text
    assert "Nobody has said that the low sugar is treated" in told
    assert BUILT_IN["en"][1] in told
    call.client.post("/sign-out")
    sign_in(call.client, _nurse(call))

    assert "nobody has said that it is treated" in call.client.get("/concerns/").text


def test_the_same_save_sent_twice_keeps_one_answer(call: Call) -> None:
    for _time in range(2):
        assert call.save(glucose="48", low_said="treated")[0] == 302

    assert len(call.answers()) == 1


def test_a_low_on_a_page_without_a_readable_unit_is_refused_beside_it(call: Call) -> None:
    assert call.save(glucose="48", glucose_unit="furlong")[0] == 422

    with call.sessions() as session:
        assert session.scalars(select(Reading)).all() == []


def _nurse(call: Call) -> StaffMember:
    with call.sessions.begin() as session:
        return make_staff(session, call.day.clinic, Role.NURSE, password_hash=HASH)
