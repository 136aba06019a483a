"""What a text means, given what we asked last."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import ROOT
from outreach.inbox.rules import (
    Asked,
    Question,
    Understood,
    as_carrier_took,
    meaning_of,
    question_at,
    said_in,
)
from outreach.inbox.rules.danger import danger_in
from outreach.inbox.rules.keywords import Stop

NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)


def question(asked: Asked, minutes_ago: int = 10, holds: int = 60) -> Question:
    at = NOW - timedelta(minutes=minutes_ago)
    return Question(asked, at, at + timedelta(minutes=holds))


def understood(text: str, asked: Asked | None = None, *, sends_readings: bool = True) -> Understood:
    asking = question(asked) if asked else None
    return meaning_of(text, asking, sends_readings=sends_readings, unit="mg/dL").understood


@pytest.mark.parametrize(
    ("text", "asked", "meant"),
    [
        ("1", Asked.CONFIRM, Understood.CONFIRMED),
        ("yes", Asked.CONFIRM, Understood.CONFIRMED),
        ("2", Asked.CONFIRM, Understood.ANOTHER_TIME),
        ("2", Asked.SLOT, Understood.BOOKED),
        ("#3 please", Asked.SLOT, Understood.BOOKED),
        ("1", Asked.SEND_READINGS, Understood.READINGS_ALLOWED),
        ("no", Asked.SEND_READINGS, Understood.READINGS_REFUSED),
        ("another time", Asked.SLOT, Understood.ANOTHER_TIME),
        ("C", Asked.SLOT, Understood.CONFIRMED),
        ("132", Asked.SLOT, Understood.READING),
        ("2", None, Understood.NOT_UNDERSTOOD),
        ("yes", None, Understood.NOT_UNDERSTOOD),
        ("132", None, Understood.READING),
        ("thanks", None, Understood.COURTESY),
        ("", None, Understood.NOT_UNDERSTOOD),
    ],
)
def test_a_bare_answer_answers_what_was_asked(
    text: str, asked: Asked | None, meant: Understood
) -> None:
    assert understood(text, asked) is meant


def test_a_number_alone_is_no_reading_of_who_never_agreed() -> None:
    assert understood("132", sends_readings=False) is Understood.NOT_UNDERSTOOD
    assert understood("sugar 132", sends_readings=False) is Understood.READING_ASKED


@given(
    st.lists(
        st.tuples(st.sampled_from(list(Asked)), st.integers(-60, 600), st.integers(1, 600)),
        max_size=6,
    )
)
def test_the_newest_question_that_holds_is_the_one(asked: list[tuple[Asked, int, int]]) -> None:
    questions = [question(each, ago, holds) for each, ago, holds in asked]
    found = question_at(questions, NOW)
    holding = [each for each in questions if each.asked_at <= NOW < each.expires_at]
    if not holding:
        assert found is None
    else:
        assert found in holding
        assert all(each.asked_at <= found.asked_at for each in holding if found)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Liked “Cedar: Ana will call you. Reply STOP to get no more texts.”", Understood.COURTESY),
        ('Loved "Reply STOP to get no more texts."', Understood.COURTESY),
        ("👍 to “Reply STOP to get no more texts.”", Understood.COURTESY),
        ("Le gustó “Responda STOP para no recibir textos.”", Understood.COURTESY),
        ("Curtiu “Responda STOP para não receber textos.”", Understood.COURTESY),
        ("Disliked “Reply STOP to get no more texts.”", Understood.NOT_UNDERSTOOD),
    ],
)
def test_a_heart_on_a_reminder_does_not_stop_texts(text: str, meant: Understood) -> None:
    assert said_in(text).stop is Stop.NO
    assert understood(text) is meant


@pytest.mark.parametrize("text", ["Stop “all of this”", "I liked it. STOP", "stop to “x”"])
def test_what_only_looks_like_a_heart_is_read_as_it_is(text: str) -> None:
    assert said_in(text).stop is not Stop.NO


@pytest.mark.parametrize(
    "path", sorted((ROOT / "templates" / "sms").glob("*.txt")), ids=lambda path: path.name
)
def test_our_own_words_that_come_back_are_no_danger(path: object) -> None:
    assert danger_in(path.read_text(encoding="utf-8")) is None  # type: ignore[attr-defined]


@given(st.text(max_size=40), st.sampled_from(["", "stop", "start", "help", "other"]))
def test_the_carrier_adds_to_what_a_text_says_and_takes_nothing_away(
    text: str, taken_as: str
) -> None:
    said = said_in(text)
    taken = as_carrier_took(said, text, taken_as)

    assert taken.danger is said.danger
    assert taken.stop is (Stop.YES if taken_as == "stop" else said.stop)
    assert taken.is_start is said.is_start
    assert taken.is_help >= said.is_help
    assert taken.is_carriers_start is (taken_as == "start" and not said.is_start)
