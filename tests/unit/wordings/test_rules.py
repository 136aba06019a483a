"""What texts may say, and what they cost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.messaging.templates import rhythm
from outreach.telephony.bodies import is_made_from
from outreach.wordings.keeping import built_in
from outreach.wordings.rules import (
    KINDS,
    LANGUAGES,
    UNASKED,
    TextKind,
    TextName,
    filled,
    known_language,
    pieces,
    placeholders,
)
from outreach.wordings.rules.linting import Fault, Finding, faults
from outreach.wordings.rules.segments import size_of

KIND = KINDS[TextName.REMINDER]
FREE = TextKind({}, frozenset(), has_stop=False)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", list(TextName))
def test_the_words_that_come_with_the_product_are_fit(name: TextName, language: str) -> None:
    words = built_in(name, language)

    assert faults(words, KINDS[name]) == []
    assert size_of(filled(words, KINDS[name].example)).messages <= 3


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", UNASKED)
def test_what_we_send_unasked_costs_one_message(name: TextName, language: str) -> None:
    """In words that need no letter outside the basic alphabet, and leave out no accent."""
    weekly = {"rhythm": rhythm(language, is_weekly=False, value=14)}
    values = {**KINDS[name].example_in(language), **weekly}

    assert size_of(filled(built_in(name, language), values)).messages == 1


@pytest.mark.parametrize(
    ("language", "days", "words"),
    [
        ("en", 7, "every week"),
        ("en", 14, "every 2 weeks"),
        ("en", 10, "every 10 days"),
        ("es", 7, "cada semana"),
        ("es", 14, "cada 2 semanas"),
        ("es", 10, "cada 10 días"),
        ("pt-BR", 7, "toda semana"),
        ("pt-BR", 21, "a cada 3 semanas"),
    ],
)
def test_a_rhythm_is_said_as_people_say_it(language: str, days: int, words: str) -> None:
    assert rhythm(language, is_weekly=False, value=days) == words


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", list(TextName))
def test_what_we_send_unasked_is_told_from_an_answer_by_its_words(
    name: TextName, language: str
) -> None:
    body = filled(built_in(name, language), KINDS[name].example_in(language))
    unasked = [pieces(built_in(each, language)) for each in UNASKED for language in LANGUAGES]

    assert any(is_made_from(each, body) for each in unasked) == (name in UNASKED)


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (" ", Fault.EMPTY),
        ("Your diabetes call", Fault.HEALTH),
        ("Su DIABÉTICA llamada", Fault.HEALTH),
        ("Seu açúcar", Fault.HEALTH),
        ("your lab results are in", Fault.HEALTH),
        ("Your results are here", Fault.HEALTH),
        ("time for your pills", Fault.HEALTH),
        ("o rim e a diálise", Fault.HEALTH),
        ("It was 7.3 % last week", Fault.RESULT),
        ("It was 132mg/dL", Fault.RESULT),
        ("Reply CANCEL to cancel your call", Fault.KEYWORD),
        ("reply yes to confirm", Fault.KEYWORD),
        ("Text END", Fault.KEYWORD),
        ("Responda con yes", Fault.KEYWORD),
        ("opt-out: OPT OUT", Fault.KEYWORD),
        ("see bit.ly/x1", Fault.LINK),
        ("see https://evil.example/a", Fault.LINK),
        ("see http://192.0.2.7/a", Fault.LINK),
        ("see http://localhost/a", Fault.LINK),
        ("see https://clínica.example", Fault.LINK),
        ("see https://clinic.example@evil.example", Fault.LINK),
        ("Hello {name}", Fault.UNKNOWN_PLACEHOLDER),
        ("Hello {", Fault.STRAY_BRACE),
        ("Hello {0}", Fault.STRAY_BRACE),
        ("x" * 500, Fault.TOO_LONG),
    ],
)
def test_what_no_text_may_say_is_found(words: str, fault: Fault) -> None:
    assert fault in [each.fault for each in faults(words, FREE)]


@pytest.mark.parametrize(
    "words",
    [
        "We will call you in the end.",
        "Yes, we look forward to it.",
        "Reply C to confirm, 2 for another time.",
        "Reply STOP to get no more texts.",
        "Please text us back. 2 p.m. works well.",
        "See you at 3.30 pm.",
    ],
)
def test_plain_words_are_left_alone(words: str) -> None:
    assert faults(words, FREE) == []


def test_a_link_to_a_known_host_is_fine() -> None:
    assert faults("see https://clinic.example/x", FREE, hosts={"clinic.example"}) == []
    assert faults("It is https://clinic.example.", FREE, hosts={"clinic.example"}) == []


def test_what_a_text_must_name_and_how_to_stop_are_asked_for() -> None:
    found = faults("{clinic} calls", KIND)

    assert {each.about for each in found if each.fault is Fault.MISSING_PLACEHOLDER} == {
        "day",
        "begins",
    }
    assert Fault.NO_STOP in [each.fault for each in found]


@pytest.mark.parametrize(
    ("name", "words", "fault", "about"),
    [
        (
            TextName.DANGER_REPLY,
            "{clinic}: ring {lifeline}",
            Fault.MISSING_PLACEHOLDER,
            "emergency",
        ),
        (
            TextName.DANGER_REPLY,
            "{clinic}: ring {emergency}",
            Fault.MISSING_PLACEHOLDER,
            "lifeline",
        ),
        (TextName.READING_URGENT, "{clinic}: thank you", Fault.MISSING_PLACEHOLDER, "emergency"),
        (TextName.OFFERED_SLOTS, "{clinic}: when?", Fault.MISSING_PLACEHOLDER, "times"),
        (TextName.STOP_REPLY, "{clinic}: no more texts", Fault.MISSING_WORD, "START"),
        (TextName.START_REPLY, "{clinic}: texts again", Fault.NO_STOP, ""),
        (TextName.READING_QUESTION, "{clinic}: keep them? 1 is yes", Fault.MISSING_WORD, "2"),
        (TextName.CONFIRMED_REPLY, "{clinic}: {when}. Reply START", Fault.KEYWORD, "START"),
        (TextName.READING_RECEIVED, "{clinic}: your sugar is kept", Fault.HEALTH, "sugar"),
    ],
)
def test_an_answer_must_do_its_work(name: TextName, words: str, fault: Fault, about: str) -> None:
    assert Finding(fault, about) in faults(words, KINDS[name])


def test_the_answer_to_a_stop_may_say_how_to_begin_again() -> None:
    words = "{clinic}: we stop. Reply START for more, not YES"

    assert faults(words, KINDS[TextName.STOP_REPLY]) == [Finding(Fault.KEYWORD, "YES")]


@pytest.mark.parametrize(
    ("text", "units", "messages"),
    [
        ("a" * 160, 160, 1),
        ("a" * 161, 161, 2),
        ("a" * 306, 306, 2),
        ("a" * 307, 307, 3),
        ("€" * 80, 160, 1),
        ("€" * 81, 162, 2),
        # A letter of two units is never cut: 76 of them fill a part of 153.
        ("€" * 153, 306, 3),
        ("ã" * 70, 70, 1),
        ("ã" * 71, 71, 2),
        ("ã" * 134, 134, 2),
        ("ã" * 135, 135, 3),
        ("😀" * 35, 70, 1),
        ("😀" * 36, 72, 2),
        ("", 0, 1),
    ],
)
def test_a_text_is_counted_as_the_network_does(text: str, units: int, messages: int) -> None:
    size = size_of(text)

    assert (size.units, size.messages) == (units, messages)


def test_letters_that_make_a_text_dear_are_named_once() -> None:
    assert size_of("às 10, sábado à noite, sábado").costly == "á"


@given(st.text(max_size=400), st.text(max_size=20))
def test_more_words_never_cost_less(text: str, more: str) -> None:
    assert size_of(text + more).messages >= size_of(text).messages


@given(st.text(max_size=60))
def test_the_linter_answers_to_anything_and_what_it_passes_can_be_filled(words: str) -> None:
    if not faults(words, KIND):
        assert "{" not in filled(words, KIND.example)


@given(st.sampled_from(list(TextName)), st.sampled_from(LANGUAGES), st.text(max_size=30))
def test_values_are_never_read_as_words(name: TextName, language: str, value: str) -> None:
    words = built_in(name, language)
    values = dict.fromkeys(placeholders(words), "{clinic}" + value)

    assert value in filled(words, values)
    assert "{clinic}" in filled(words, values)


@pytest.mark.parametrize(
    ("language", "ours"), [("pt-BR", "pt"), ("ES", "es"), ("vi", "en"), ("", "en")]
)
def test_a_language_we_lack_is_english(language: str, ours: str) -> None:
    assert known_language(language) == ours
