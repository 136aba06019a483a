"""Texts that suggest danger: a miss may cost a life."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.concerns.rules import ConcernKind
from outreach.inbox.rules.danger import PHRASES, danger_in

# domain.md C3, word for word.
SEED = """
kill myself, end my life, want to die, better off dead, suicide, suicidal, hurt myself,
no reason to live, overdose, chest pain, can't breathe, passed out, unconscious, seizure, stroke,
hitting me, he hurts me, quiero morir, matarme, suicidio, suicidarme, quitarme la vida,
hacerme daño, no quiero vivir, dolor de pecho, no puedo respirar, me desmayé, convulsión, me pega,
quero morrer, me matar, suicídio, tirar minha vida, me machucar, não quero viver, dor no peito,
não consigo respirar, desmaiei, convulsão, me bate
""".replace("\n", " ").split(",")
ALL = [
    (kind, phrase.replace("*", "").replace("_ ", ""))
    for kind, phrases in PHRASES.items()
    for phrase in phrases
]


@pytest.mark.parametrize("phrase", [each.strip() for each in SEED])
def test_the_seed_list_is_known_whole(phrase: str) -> None:
    for said in (phrase, phrase.upper(), f"Hi. {phrase}!!", f"xx {phrase}, ok"):
        assert danger_in(said) is not None


@given(
    st.sampled_from(ALL),
    st.text(alphabet="qzwj 0123456789.,!?¿🙂\n", max_size=40),
    st.text(alphabet="qzwj 0123456789.,!?¿🙂\n", max_size=40),
)
def test_every_phrase_is_found_whatever_stands_around_it(
    known: tuple[ConcernKind, str], before: str, after: str
) -> None:
    kind, phrase = known
    found = danger_in(f"{before} {phrase} {after}")
    assert found is not None
    assert list(PHRASES).index(found) <= list(PHRASES).index(kind)


@given(st.sampled_from(ALL), st.data())
def test_typing_slips_of_doubled_letters_and_accents_are_no_escape(
    known: tuple[ConcernKind, str], data: st.DataObject
) -> None:
    _kind, phrase = known
    typed = "".join(
        each * data.draw(st.integers(1, 3)) if each.isalpha() else each for each in phrase
    )
    assert danger_in(typed.upper()) is not None


@pytest.mark.parametrize(
    "text",
    [
        "I want to just die", "kil my self", "pain in my chest", "I don’t want to live",
        "cant breath", "Ella me pegó", "me estoy desmayando", "I CANT  BREATHE", "kms",
        "hurting   myself again", "\uff4b\uff49\uff4c\uff4c myself",
    ],
)  # fmt: skip
def test_other_wordings(text: str) -> None:
    assert danger_in(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        "", "see you tomorrow", "I am dying to meet you", "stop", "all is well", "me encanta",
        "matar el tiempo", "a struck match",
    ],
)  # fmt: skip
def test_no_danger(text: str) -> None:
    assert danger_in(text) is None


def test_the_gravest_is_named() -> None:
    assert danger_in("he hits me and I want to die") is ConcernKind.SELF_HARM
