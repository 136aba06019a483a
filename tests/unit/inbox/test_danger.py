"""The list of danger phrases, in any wording."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.concerns.rules import ConcernKind
from outreach.inbox.rules.danger import PHRASES, danger_in

SAID = """I want to kill myself|i wanna die|I'd be better off dead|suicide|I feel suicidal|going to hurt myself
no reason to live|I took an overdose|I want to end my life|KILL MYSELF|kiill  my self|I don’t want to live anymore
quiero morir|Quiero morirme|voy a matarme|pensamientos suicidas|quitarme la vida|hacerme daño|no quiero vivir
quero morrer|vou me matar|suicídio|tirar minha vida|tirar a minha vida|me machucar|não quero viver"""
ILL = """chest pain|I have a pain in my chest|I can't breathe|cant breath|I passed out|she is unconscious|had a seizure
stroke|dolor de pecho|me duele el pecho|no puedo respirar|me desmayé|convulsión|dor no peito|não consigo respirar|desmaiei|convulsão"""
HIT = "he is hitting me|he hurts me|me pega|mi esposo me pega|me bate|ele me bateu"
FINE = """I am fine|my sugar is 132|thank you|I killed time at the mall|see you Monday|the dog died last year
estoy bien|todo bien|tudo bem|obrigada|bati o carro|pegar el autobús|heat stroke of luck"""


@pytest.mark.parametrize(
    ("text", "kind"),
    [(each, ConcernKind.SELF_HARM) for each in SAID.replace("\n", "|").split("|")]
    + [(each, ConcernKind.MEDICAL) for each in ILL.replace("\n", "|").split("|")]
    + [(each, ConcernKind.ABUSE) for each in HIT.split("|")],
)
def test_danger(text: str, kind: ConcernKind) -> None:
    assert danger_in(text) is kind


@pytest.mark.parametrize("text", FINE.replace("\n", "|").split("|")[:-1])
def test_no_danger(text: str) -> None:
    assert danger_in(text) is None


PLAIN = [
    each.replace("*", "").replace(" _ ", " ") for phrases in PHRASES.values() for each in phrases
]


@given(
    st.sampled_from(PLAIN),
    st.sampled_from(["", "STOP ", "I feel bad. ", "132 and ", "hola, "]),
    st.sampled_from(["", "!!!", " 😢", " please help", "."]),
    st.booleans(),
)
def test_every_phrase_is_found_whatever_stands_around_it(
    phrase: str, before: str, after: str, is_loud: bool
) -> None:
    text = before + phrase + after
    assert danger_in(text.upper() if is_loud else text) is not None


@given(st.text(max_size=2000))
def test_any_text_can_be_read(text: str) -> None:
    assert danger_in(text) in (*PHRASES, None)
