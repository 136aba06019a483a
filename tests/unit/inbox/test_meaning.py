"""Which question a bare answer answers, and what a text then means."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.inbox.rules import Asked, Question, Understood, meaning_of, question_at

NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)


def asked(what: Asked, minutes_ago: int = 10, holds_minutes: int = 60) -> Question:
    at = NOW - timedelta(minutes=minutes_ago)
    return Question(what, at, at + timedelta(minutes=holds_minutes))


def test_the_newest_question_that_holds_is_answered() -> None:
    reminder, offer = asked(Asked.CONFIRM, 30), asked(Asked.SLOT, 10)
    assert question_at([offer, reminder], NOW) == offer
    assert question_at([reminder, asked(Asked.SLOT, 10, holds_minutes=5)], NOW) == reminder
    assert question_at([], NOW) is None


@given(
    st.lists(
        st.builds(asked, st.sampled_from(Asked), st.integers(-100, 500), st.integers(0, 400)),
        max_size=6,
    )
)
def test_a_question_holds_from_when_it_was_asked_until_it_expires(given_: list[Question]) -> None:
    found = question_at(given_, NOW)
    holding = [each for each in given_ if each.asked_at <= NOW < each.expires_at]
    assert (found is None) == (not holding)
    assert found is None or all(each.asked_at <= found.asked_at for each in holding)


@pytest.mark.parametrize(
    ("text", "question", "understood"),
    [
        ("1", asked(Asked.CONFIRM), Understood.CONFIRMED),
        ("2", asked(Asked.CONFIRM), Understood.ANOTHER_TIME),
        ("no", asked(Asked.CONFIRM), Understood.ANOTHER_TIME),
        ("2", asked(Asked.SLOT), Understood.BOOKED),
        ("1", asked(Asked.SEND_READINGS), Understood.READINGS_ALLOWED),
        ("2", asked(Asked.SEND_READINGS), Understood.READINGS_REFUSED),
        ("2", None, Understood.NOT_UNDERSTOOD),
        ("yes", None, Understood.NOT_UNDERSTOOD),
        ("c", None, Understood.CONFIRMED),
        ("c", asked(Asked.SLOT), Understood.CONFIRMED),
        ("3", asked(Asked.CONFIRM), Understood.NOT_UNDERSTOOD),
        ("another time", asked(Asked.SLOT), Understood.ANOTHER_TIME),
        ("sugar 132", asked(Asked.SLOT), Understood.READING),
        ("132", asked(Asked.SLOT), Understood.READING),
        ("thanks", asked(Asked.SLOT), Understood.COURTESY),
    ],
)
def test_what_an_answer_means(text: str, question: Question | None, understood: Understood) -> None:
    meaning = meaning_of(text, question, sends_readings=True, unit="mg/dL")
    assert meaning.understood is understood


def test_a_number_of_somebody_who_sends_no_readings_is_for_a_person() -> None:
    meaning = meaning_of("132", None, sends_readings=False, unit="mg/dL")
    assert meaning.understood is Understood.NOT_UNDERSTOOD
