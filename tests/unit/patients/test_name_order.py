"""The short way for plain letters sorts as the long way for all letters does."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from outreach.patients.rules import name_key, record_key


def folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(each for each in decomposed if not unicodedata.combining(each))


@given(st.text(), st.text(st.characters(max_codepoint=127)))
def test_names_are_sorted_by_their_letters_without_accents(family: str, given_name: str) -> None:
    assert name_key(family, given_name) == (
        folded(family),
        folded(given_name),
        family,
        given_name,
    )
    assert record_key(given_name) == (folded(given_name), given_name)
