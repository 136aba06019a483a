"""Names of a clinic, packed and opened again, answer as the plain rules do."""

from bisect import bisect
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.patients.rules import name_key, record_key
from outreach.searching import names
from outreach.searching.names import By, Entry, Names, packed, unpacked
from outreach.searching.rules import Asked, Term, is_met, words_of, words_of_names

PARTS = [
    "Ana",
    "ana",
    "Núñez",
    "Nunez",
    "O'Brien",
    "Li",
    "Lima",
    "山田",
    "Ł",
    "Weiß",
    "a\tb",
    "x\ny",
    "",
]
WORDS = st.sampled_from(PARTS) | st.text(max_size=6)
PEOPLE = st.lists(
    st.tuples(WORDS, WORDS, st.none() | WORDS, st.integers(0, 99).map(str)), max_size=12
)


def opened(people: list[tuple[str, str, str | None, str]]) -> Names:
    return Names(Entry.of(number, *person) for number, person in enumerate(people, 1))


@given(people=PEOPLE, typed=st.lists(WORDS, min_size=1, max_size=2), goes_on=st.booleans())
def test_whoever_is_found_has_the_words_as_the_rule_says(
    *, people: list[tuple[str, str, str | None, str]], typed: list[str], goes_on: bool
) -> None:
    words = tuple(word for each in typed for word in words_of(each))
    if not words:
        return
    term = Term(words, is_prefix=goes_on)
    found = opened(people).having(term)
    assert found == {
        number
        for number, person in enumerate(people, 1)
        if is_met(Asked((term,)), [words_of_names(*person)])
    }


@given(people=PEOPLE, by=st.sampled_from(By), is_turned=st.booleans())
def test_everybody_comes_in_order_from_any_place(
    *, people: list[tuple[str, str, str | None, str]], by: By, is_turned: bool
) -> None:
    found = opened(people)
    whole = list(found.in_order(by, is_turned=is_turned))
    assert sorted(each for _key, each in whole) == list(range(1, len(people) + 1))
    assert whole == sorted(whole, reverse=is_turned)
    for place, mark in enumerate(whole):
        assert found.mark_of(mark[1], by) == mark
        assert list(found.in_order(by, mark, is_turned=is_turned)) == whole[place + 1 :]
    nowhere = ("b", 0)
    before = bisect(sorted(whole), nowhere)
    rest = sorted(whole)[before:] if not is_turned else sorted(whole)[:before][::-1]
    assert list(found.in_order(by, nowhere, is_turned=is_turned)) == rest


@given(PEOPLE)
def test_the_order_is_that_of_the_keys(people: list[tuple[str, str, str | None, str]]) -> None:
    plain = [person for person in people if not {"\0", "\n"} & set("".join(map(str, person)))]
    found = opened(plain)
    for (one, before), (other, after) in combinations(enumerate(plain, 1), 2):
        by_name = (name_key(before[1], before[0]), one) < (name_key(after[1], after[0]), other)
        by_record = (record_key(before[3]), one) < (record_key(after[3]), other)
        assert (found.mark_of(one, By.NAME) < found.mark_of(other, By.NAME)) is by_name  # type: ignore[operator]
        assert (found.mark_of(one, By.RECORD) < found.mark_of(other, By.RECORD)) is by_record  # type: ignore[operator]


@given(PEOPLE, PEOPLE, st.sets(st.integers(1, 12)))
def test_what_was_changed_is_as_if_it_had_always_been_so(
    people: list[tuple[str, str, str | None, str]],
    later: list[tuple[str, str, str | None, str]],
    gone: set[int],
) -> None:
    changes: dict[int, Entry | None] = {
        number: Entry.of(number, *person) for number, person in enumerate(later, 5)
    }
    changes |= dict.fromkeys(gone)
    before = opened(people)
    expected = {entry.patient_id: entry for entry in before} | changes
    assert list(before.changed(changes)) == sorted(each for each in expected.values() if each)


@given(PEOPLE)
def test_what_is_packed_is_opened_again(people: list[tuple[str, str, str | None, str]]) -> None:
    found = opened(people)
    pages = list(packed(found, 7, 99))
    back = unpacked(pages, 7, 99)
    assert back is not None
    assert list(back) == list(found)


def test_a_page_of_another_clinic_version_or_place_is_not_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(names, "PAGE", 2)
    found = opened([("Ana", f"Lima {number}", None, str(number)) for number in range(5)])
    pages = list(packed(found, 7, 99))
    assert len(pages) == 3
    assert unpacked(pages, 7, 99) is not None
    assert unpacked(pages, 8, 99) is None
    assert unpacked(pages, 7, 98) is None
    assert unpacked(pages[:2], 7, 99) is None
    assert unpacked([pages[1], pages[0], pages[2]], 7, 99) is None
    assert unpacked([], 7, 99) is None
