"""What makes two bodies one text, whatever carriers do to them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.telephony.bodies import is_made_from, is_same

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


PIECES = ["", ", até ", ": ligamos às ", "."]


@pytest.mark.parametrize(
    ("listed", "is_one"),
    [
        ("Clinic, até já: ligamos às 10:30.", True),
        ("Cl?nica, at? j?: ligamos ?s 10:30.", True),
        ("Clinica, ate ja: ligamos as 10:30", True),
        ("Clinic, até já: não ligamos hoje.", False),
        ("Ligamos às 10:30, até já.", False),
        ("", False),
    ],
)
def test_what_was_filled_in_may_be_anything(listed: str, *, is_one: bool) -> None:
    assert is_made_from(PIECES, listed) is is_one


def test_two_pieces_never_share_letters() -> None:
    assert is_made_from(["call", "all"], "call us all")
    assert not is_made_from(["call", "all"], "call")
    assert not is_made_from(["call", "all", "all"], "call all")


@given(st.lists(st.text(), min_size=1), st.data())
def test_pieces_with_anything_between_are_known(pieces: list[str], data: st.DataObject) -> None:
    words = [data.draw(st.text("abc12 ")) for _piece in pieces[1:]] + [""]
    whole = "".join(f"{piece} {word}" for piece, word in zip(pieces, words, strict=True))

    assert is_made_from(pieces, whole)


@given(st.text(), st.text())
def test_one_piece_is_the_whole_text(one: str, other: str) -> None:
    assert is_made_from([one], other) == is_same(one, other)
