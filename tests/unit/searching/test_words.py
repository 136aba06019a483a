"""What is typed and what is written, as words: never an error, whatever it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.searching.rules import (
    LONGEST_TEXT,
    MOST_TERMS,
    Asked,
    Term,
    as_fts5,
    as_tsquery,
    as_tsvector,
    is_met,
    parse,
    words_of,
    words_of_names,
)

NASTY = st.text(alphabet=st.sampled_from("ab -\"*:^()'+~&|!<>\\%_NEARORAND\u200fאבé😀　\t\n"))
TYPED = st.one_of(st.text(), NASTY)


def one(*words: str, goes_on: bool = False) -> Term:
    return Term(words, is_prefix=goes_on)


@pytest.mark.parametrize(
    ("typed", "wanted", "unwanted"),
    [
        ("ana", [one("ana", goes_on=True)], []),
        ("ana ", [one("ana")], []),
        ("ana lima", [one("ana"), one("lima", goes_on=True)], []),
        ('"ana lima"', [one("ana", "lima")], []),
        ('"ana li', [one("ana", "li", goes_on=True)], []),
        ("ana -lima", [one("ana")], [one("lima")]),
        ('-"on the road" dizzy', [one("dizzy", goes_on=True)], [one("on", "the", "road")]),
        ("-lima", [], [one("lima")]),
        ("MRN-0012", [one("mrn", "0012", goes_on=True)], []),
        ("zz-", [one("zz", goes_on=True)], []),
        ("García", [one("garcia", goes_on=True)], []),
        ("STRASSE straße ", [one("strasse")], []),
        ("“ana lima”", [one("ana", "lima")], []),
        ("NEAR(a b) * ^c:d", [one("near", "a"), one("b"), one("c", "d", goes_on=True)], []),
        ('😀 - -- "" \' *', [], []),
        ("", [], []),
    ],
)
def test_what_is_typed_is_understood(typed: str, wanted: list[Term], unwanted: list[Term]) -> None:
    asked = parse(typed)

    assert list(asked.wanted) == wanted
    assert list(asked.unwanted) == unwanted


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("Müller", "muller"),
        ("Müller", "Mueller"),
        ("Müller", "MÜLL"),
        ("Jürgen Groß", "gross "),
        ("Núñez", "nunez "),
        ("João", "joao "),
        ("Conceição", "conceicao"),
        ("O'Brien", "OBrien "),
        ("O'Brien", "brien "),
        ("O’Brien", "o'brien "),
        ("Łukasz", "lukasz "),
        ("Søren", "soren "),
        ("Søren", "soeren "),
        ("José-María", "jose maria "),
    ],
)
def test_names_are_found_as_people_write_them(written: str, typed: str) -> None:
    assert is_met(parse(typed), [words_of_names(written)])


@given(st.text(alphabet=st.characters(max_codepoint=127, exclude_characters="'`")))
def test_nobody_writes_plain_letters_otherwise(name: str) -> None:
    assert words_of_names(name) == words_of(name)


@given(TYPED)
def test_nothing_that_is_typed_is_an_error(typed: str) -> None:
    for is_either in (False, True):
        asked = parse(typed, is_either=is_either)

        assert len(asked.wanted) <= MOST_TERMS
        assert all(term.words and all(term.words) for term in (*asked.wanted, *asked.unwanted))


@given(TYPED)
def test_queries_hold_letters_digits_and_our_own_signs_only(typed: str) -> None:
    asked = parse(typed)
    for term in (*asked.wanted, *asked.unwanted):
        assert all(word.isalnum() or _is_number(word) for word in term.words)
        assert as_fts5(term).count('"') == 2
        assert as_tsquery(term).count("'") == 2 * len(term.words)


def _is_number(word: str) -> bool:
    return all(letter.isalnum() or letter.isnumeric() for letter in word)


@given(TYPED)
def test_folded_words_stay_as_they_are(text: str) -> None:
    words = words_of(text)

    assert words_of(" ".join(words)) == words
    assert all(" " not in word and "'" not in word for word in words)


@given(TYPED)
def test_every_word_of_a_text_finds_it(text: str) -> None:
    words = words_of(text)
    for word in words[:5]:
        assert is_met(Asked(wanted=(Term((word,)),)), [words])
        assert not is_met(Asked(unwanted=(Term((word,)),)), [words])
    if words:
        assert is_met(Asked(wanted=(Term(words),)), [words])


@given(st.lists(st.text("abc", min_size=1, max_size=3), max_size=20))
def test_a_tsvector_keeps_every_place(words: list[str]) -> None:
    places: dict[int, str] = {}
    for part in as_tsvector(words).split():
        word, numbers = part.split(":")
        places |= {int(number): word.strip("'") for number in numbers.split(",")}

    assert [places[place] for place in sorted(places)] == words


def test_all_or_either_word_and_none_of_the_others() -> None:
    text = [("ana", "lima"), ("felt", "dizzy", "at", "noon")]

    assert is_met(parse("ana dizzy "), text)
    assert not is_met(parse("ana tired "), text)
    assert is_met(parse("ana tired ", is_either=True), text)
    assert not is_met(parse("ana -dizzy"), text)
    assert is_met(parse("-tired"), text)
    assert is_met(parse('"dizzy at noon"'), text)
    assert not is_met(parse('"dizzy noon"'), text)
    assert not is_met(parse('"lima felt"'), text)
    assert not is_met(parse(""), text)


def test_a_text_of_any_length_is_cut() -> None:
    assert parse("a" * 10_000).wanted[0].words == ("a" * 64,)
    assert parse("x " * LONGEST_TEXT + "beyond").wanted == (one("x"),)
    asked = parse(" ".join(f"w{n}" for n in range(MOST_TERMS + 3)))
    assert (len(asked.wanted), asked.left_out) == (MOST_TERMS, 3)
