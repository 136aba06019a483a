"""What patients write in real life, and what should happen: a table for each language.

Each line of texts/*.txt is what should happen and the text. ``maybe``: the texts stop and a
person looks; ``other``: a person reads it. They agreed to send readings, nothing was asked
before, and the clinic measures in mg/dL.
"""

from collections import Counter
from pathlib import Path

import pytest

from outreach.inbox.rules import Understood, meaning_of, said_in
from outreach.inbox.rules.keywords import Stop
from outreach.inbox.rules.sugar import MG_DL, Sugar

TEXTS = Path(__file__).parent / "texts"
WORDS = {
    Understood.CONFIRMED: "confirm",
    Understood.ANOTHER_TIME: "time",
    Understood.READING_UNCLEAR: "unclear",
    Understood.COURTESY: "courtesy",
    Understood.NOT_UNDERSTOOD: "other",
}


def table(language: str) -> list[tuple[str, str]]:
    lines = (TEXTS / f"{language}.txt").read_text(encoding="utf-8").splitlines()
    rows = [each.split("|", 1) for each in lines if not each.startswith("#")]
    return [(wanted.strip(), text.strip()) for wanted, text in rows]


def happens(text: str) -> str:
    said = said_in(text)
    if said.danger is not None:
        return said.danger.value + ("" if said.stop is Stop.NO else "+stop")
    if said.stop is not Stop.NO:
        return "stop" if said.stop is Stop.YES else "maybe"
    if said.is_start or said.is_help:
        return "start" if said.is_start else "help"
    meaning = meaning_of(text, None, sends_readings=True, unit=MG_DL)
    if isinstance(meaning.sugar, Sugar):
        return f"reading {meaning.sugar.value}"
    return WORDS[meaning.understood]


@pytest.mark.parametrize("language", ["en", "es", "pt"])
def test_what_patients_write_is_taken_as_it_is_meant(language: str) -> None:
    wrong = [
        f"{text!r}: {happens(text)}, not {wanted}"
        for wanted, text in table(language)
        if happens(text) != wanted
    ]
    assert wrong == []


@pytest.mark.parametrize("language", ["en", "es", "pt"])
@pytest.mark.parametrize("change", [str.upper, str.title, "{}!!!".format, "  {} 😊\n".format])
def test_neither_case_nor_what_stands_around_hides_danger_or_a_stop(
    language: str, change: object
) -> None:
    assert callable(change)
    missed = [
        text
        for wanted, text in table(language)
        if wanted not in {"other", "unclear"} and not wanted.startswith("reading")
        if happens(change(text)) != wanted
    ]
    assert missed == []


def test_each_language_has_enough_of_what_matters_most() -> None:
    for language in ("en", "es", "pt"):
        kinds = Counter(wanted for wanted, _text in table(language))
        assert kinds.total() >= 150
        assert min(kinds[each] for each in ("self_harm", "medical", "abuse", "stop")) >= 10
