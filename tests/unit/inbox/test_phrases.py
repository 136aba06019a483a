"""What a patient asks for by a word or a phrase."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.inbox.rules import keywords
from outreach.inbox.rules.keywords import CARRIER_STOPS, Stop, stop_in
from outreach.inbox.rules.words import squeezed, words

FCC = ("stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe")


@pytest.mark.parametrize("word", sorted(CARRIER_STOPS | set(FCC)))
@pytest.mark.parametrize(
    "shape", ["{}", "{}.", " {}!! ", "{} please", "please {}", "{} 🛑", "\u201c{}\u201d"]
)
def test_every_word_of_the_law_stops_the_texts(word: str, shape: str) -> None:
    for said in (word, word.upper(), word.title()):
        assert stop_in(shape.format(said)) is not Stop.NO


@pytest.mark.parametrize(
    "text",
    [
        "STOP", "Stop.", "stop please", "STOOOP", "stop stop", "s t o p", "Opt-out", "stop 🛑",
        "please stop texting me", "Stop sending me messages", "no more messages", "no more texts!",
        "take me off", "Take me off your list", "remove my number", "unsubscibe", "UNSUSCRIBE me",
        "don't text me", "do not message me anymore", "I don't want any more texts",
        "leave me alone", "I revoke my consent", "stop bothering me",
        "para", "PARA!", "Parar", "alto", "Alto por favor", "basta", "ya basta", "no más",
        "No me escriban más", "no me manden mensajes", "no quiero más mensajes",
        "dejen de escribirme", "quítenme de la lista", "denme de baja", "ya no me envíen nada",
        "pare", "Pare de me mandar mensagens", "não me mande mais mensagens", "não me envie",
        "não quero receber mensagens", "chega de mensagens", "me tire da lista", "sair",
    ],
)  # fmt: skip
def test_who_wants_no_more_texts_is_understood(text: str) -> None:
    assert stop_in(text) is Stop.YES


@pytest.mark.parametrize(
    "text",
    [
        "sotp", "stpo", "I said stop", "ok so just stop already", "cancel", "end", "quit",
        "stop calling me", "cancelar",
        "can you tell them all to stop, I am so tired of it",
    ],
)  # fmt: skip
def test_in_doubt_it_is_a_stop_that_a_person_looks_at(text: str) -> None:
    assert stop_in(text) is Stop.MAYBE


@pytest.mark.parametrize(
    "text",
    [
        "I can't stop thinking about my sister", "I am at the bus stop", "please don't stop",
        "Don't stop texting me", "the pain won't stop", "my sister will stop by tomorrow",
        "trying to stop smoking", "non stop headaches", "Para mañana por favor", "es muy alto",
        "cancel my call", "can you cancel the call tomorrow", "at the end of the week",
        "I want to quit smoking", "no puedo dormir", "did not get your message",
        "call me after the last stop", "não posso hoje", "", "👍", "no", "no gracias",
    ],
)  # fmt: skip
def test_a_sentence_about_other_things_is_no_stop(text: str) -> None:
    assert stop_in(text) is Stop.NO


@given(
    st.sampled_from(["please stop texting me", "no me escriban", "pare de me mandar mensagens"]),
    st.data(),
)
def test_case_accents_and_punctuation_count_for_nothing(phrase: str, data: st.DataObject) -> None:
    marks = st.sampled_from(["", "\u0301", "\u200d", "\ufe0f"])
    changed = "".join(
        (each.upper() if data.draw(st.booleans()) else each)
        + (data.draw(marks) if each.isalpha() else data.draw(st.sampled_from(["", "!", "  ", "."])))
        for each in phrase
    )
    assert stop_in(unicodedata.normalize("NFC", changed)) is Stop.YES


@given(st.text(max_size=300))
def test_nothing_that_comes_breaks_the_reading_of_it(text: str) -> None:
    assert stop_in(text) in Stop
    assert keywords.choice_in(text) in {None, *range(1, 10)}
    assert set(words(text)) <= set("abcdefghijklmnopqrstuvwxyz0123456789 ")
    assert words(words(text)) == words(text)
    assert squeezed(squeezed(text)) == squeezed(text)


@pytest.mark.parametrize("text", ["start", "UNSTOP", "Reanudar", "começar", "start please"])
def test_starts(text: str) -> None:
    assert keywords.is_start(text)


@pytest.mark.parametrize("text", ["stop", "start the car", "yes", "restart"])
def test_no_starts(text: str) -> None:
    assert not keywords.is_start(text)


@pytest.mark.parametrize("text", ["HELP", "info", "Ayuda", "¿Quién es?", "ajuda!"])
def test_helps(text: str) -> None:
    assert keywords.is_help(text)


@pytest.mark.parametrize("text", ["help me I fell", "no helping"])
def test_a_cry_for_help_is_no_keyword(text: str) -> None:
    assert not keywords.is_help(text)


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("1", 1), (" 2. ", 2), ("#3", 3), ("option 2", 2), ("Opción 3", 3), ("el 2", 2),
        ("two", 2), ("dos", 2), ("três", 3), ("2 please", 2), ("number one", 1),
        ("12", None), ("0", None), ("1 or 2", None), ("132", None), ("", None), ("at 2 pm", None),
    ],
)  # fmt: skip
def test_a_number_alone_is_a_choice(text: str, choice: int | None) -> None:
    assert keywords.choice_in(text) == choice


@pytest.mark.parametrize(
    "text",
    [
        "another time", "Can we reschedule?", "I can't talk tomorrow", "call me later please",
        "otra hora", "otro día por favor", "no puedo hablar", "cambiar la hora", "cancel my call",
        "outro horário", "não posso amanhã", "me ligue mais tarde", "I'm at work",
    ],
)  # fmt: skip
def test_another_time(text: str) -> None:
    assert keywords.wants_another_time(text)


@pytest.mark.parametrize("text", ["no puedo dormir", "I was busy yesterday", "time flies", "ok"])
def test_no_other_time(text: str) -> None:
    assert not keywords.wants_another_time(text)


@pytest.mark.parametrize("text", ["thanks", "Thank you!", "ok", "Gracias", "obrigada", "👍", "🙏"])
def test_courtesies(text: str) -> None:
    assert keywords.is_courtesy(text)


@pytest.mark.parametrize("text", ["", "thanks but I feel bad", "😢", "ok but when"])
def test_no_courtesies(text: str) -> None:
    assert not keywords.is_courtesy(text)
