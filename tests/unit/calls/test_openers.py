"""What a conversation might begin with: the patient's own topics, at most three."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.calls.openers import (
    LONGEST,
    MOST,
    Opener,
    OpenerKind,
    Topics,
    first_words,
    openers,
)

WORDS = st.text(max_size=200)


def test_a_promise_comes_first_then_the_last_talk_then_a_goal() -> None:
    topics = Topics(
        promises=["Ask how the dentist went", "Ask about the garden"],
        last_note="Her sister came to visit. They cooked.",
        goals=["Dance at the wedding"],
        about="Sings in the choir.",
    )

    assert openers(topics) == (
        Opener(OpenerKind.PROMISE, "Ask how the dentist went"),
        Opener(OpenerKind.LAST_TIME, "Her sister came to visit"),
        Opener(OpenerKind.GOAL, "Dance at the wedding"),
    )


def test_nothing_known_is_nothing_offered() -> None:
    assert openers(Topics()) == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Walked twice.", "Walked twice"),
        ("Sugar was 7.3 today. Pleased.", "Sugar was 7.3 today"),
        ("How is Max? Limping.", "How is Max?"),
        ("  two\n lines  ", "two lines"),
        ("", ""),
        ("word " * 40, " ".join(["word"] * 17) + " …"),
    ],
)
def test_the_first_words_are_the_first_sentence(text: str, words: str) -> None:
    assert first_words(text) == words


@given(st.lists(WORDS, max_size=4), WORDS, st.lists(WORDS, max_size=4), WORDS)
def test_few_short_and_none_twice(
    promises: list[str], note: str, goals: list[str], about: str
) -> None:
    topics = Topics(promises, note, goals, about)

    found = openers(topics)

    assert found == openers(topics)
    assert len(found) <= MOST
    assert all(0 < len(each.topic) <= LONGEST for each in found)
    assert len({each.topic.casefold() for each in found}) == len(found)
    assert len({each.kind for each in found}) == len(found)
