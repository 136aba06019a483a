"""What makes two bodies one text, whatever carriers do to them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.telephony.bodies import is_same

OURS = "Clínica: Ana liga às 10:30 – até já. Responda “C”."


@pytest.mark.parametrize(
    "listed",
    [
        OURS,
        "Sent from your Twilio trial account - " + OURS,
        'Clinica: Ana liga as 10:30 - ate ja. Responda "C".',  # letters of the basic alphabet
        "Cl?nica: Ana liga ?s 10:30 ? at? j?. Responda ?C?.",  # what a network can't write
        OURS.replace(" ", "\u00a0") + " \n",
    ],
)
def test_a_changed_text_is_known(listed: str) -> None:
    assert is_same(OURS, listed)


@pytest.mark.parametrize(
    "listed", ["", OURS.replace("10:30", "10:45"), OURS.replace("Ana", "Eva"), OURS + " Adeus"]
)
def test_another_text_is_another(listed: str) -> None:
    assert not is_same(OURS, listed)


@given(st.text(min_size=1), st.text(alphabet=" \t\r\n\u00a0"))
def test_spaces_never_matter(text: str, spaces: str) -> None:
    assert is_same(text, text + spaces)


@given(st.integers(0, 99999), st.integers(0, 99999))
def test_numbers_always_matter(one: int, other: int) -> None:
    assert is_same(f"at {one}", f"at {other}") == (one == other)
