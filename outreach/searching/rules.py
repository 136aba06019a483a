"""Words as they are indexed and asked for, the same for both databases. Pure.

Both engines get words that were folded and split here, so that neither has an opinion of its
own: PostgreSQL's parser and FTS5's tokenizer never see what people wrote.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

LONGEST_TEXT = 400  # of what is typed into the search box
LONGEST_WORD = 64
MOST_TERMS = 12
MOST_WORDS = 16_000  # of one text; PostgreSQL keeps no place after 16,383

_ASCII_WORD = re.compile("[a-z0-9]+")
_APOSTROPHES = re.compile("['’‘ʼ`´]")
# What a decomposition leaves as it is, but people type without. Casefold makes ss of ß.
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th", "ð": "d"}
)
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
# A minus, a phrase between quotes (the last may be open), or what stands between spaces.
_CHUNK = re.compile(r'(?P<minus>-?)(?:"(?P<phrase>[^"]*)(?P<closed>"?)|(?P<plain>[^\s"]+))')
_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»〝〞＂", '"') | dict.fromkeys("−－", "-"))


@dataclass(frozen=True)
class Term:
    """Words that stand one behind the other; with ``is_prefix`` the last may go on in names."""

    words: tuple[str, ...]
    is_prefix: bool = False


@dataclass(frozen=True)
class Asked:
    """What is looked for: all of ``wanted`` (with ``is_either`` any), none of ``unwanted``.

    ``left_out`` counts the terms past MOST_TERMS, which nobody looked for.
    """

    wanted: tuple[Term, ...] = ()
    unwanted: tuple[Term, ...] = ()
    is_either: bool = False
    left_out: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to look for."""
        return not self.wanted and not self.unwanted


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of ``text`` folded: small letters and digits without accents.

    Anything but letters and digits parts words, except an apostrophe: O'Brien is one.
    """
    return tuple(_words(text))[:MOST_WORDS]


def words_of_names(*names: str | None) -> tuple[str, ...]:
    """Return the words of names, and behind them how else people write these.

    Müller is found as Muller and as Mueller, O'Brien as OBrien, O Brien and Brien.
    """
    written = [name for name in names if name]
    words = [word for name in written for word in words_of(name)]
    others = [
        word
        for name in written
        if not name.isascii() or _APOSTROPHES.search(name)  # else nobody writes it otherwise
        for other in (name.casefold().translate(_UMLAUTS), _APOSTROPHES.sub(" ", name))
        for word in words_of(other)
    ]
    known = set(words)
    return (*words, *(word for word in dict.fromkeys(others) if word not in known))


def parse(typed: str, *, is_either: bool = False) -> Asked:
    """Return what ``typed`` asks for. Whatever is typed means something, if only nothing.

    Words all have to be there, or any with ``is_either``; "words in quotes" one behind the
    other; -word and -"words" nowhere. The last word may go on, as long as no space follows it.
    What hangs together as in 555-0147 is one phrase.
    """
    wanted: list[Term] = []
    unwanted: list[Term] = []
    text = typed[:LONGEST_TEXT].translate(_QUOTES)
    chunks = list(_CHUNK.finditer(text))
    for chunk in chunks:
        is_quoted = chunk["phrase"] is not None
        words = words_of(chunk["phrase"] if is_quoted else chunk["plain"])
        is_minus = bool(chunk["minus"]) and _begins_word(text, chunk.start())
        is_open = chunk.end() == len(text) and not chunk["closed"]
        if words:
            term = Term(words, is_prefix=is_open and not is_minus)
            (unwanted if is_minus else wanted).append(term)
    every = [*dict.fromkeys(wanted)], [*dict.fromkeys(unwanted)]
    kept = every[0][:MOST_TERMS], every[1][:MOST_TERMS]
    left_out = sum(map(len, every)) - sum(map(len, kept))
    return Asked(tuple(kept[0]), tuple(kept[1]), is_either, left_out)


def is_met(
    asked: Asked, names: Iterable[Sequence[str]], notes: Iterable[Sequence[str]] = ()
) -> bool:
    """Say whether a patient with these texts (words each) is found: the rule itself.

    In ``names`` the last word may go on; in ``notes`` it is looked for whole.

    The databases' indexes give the same answer, which a test holds them to.
    """
    named, noted = ([tuple(text) for text in texts] for texts in (names, notes))

    def stands(term: Term) -> bool:
        return _stands_in(term, named) or _stands_in(Term(term.words), noted)

    if any(map(stands, asked.unwanted)):
        return False
    if not asked.wanted:
        return bool(asked.unwanted)
    found = map(stands, asked.wanted)
    return any(found) if asked.is_either else all(found)


def as_tsvector(words: Sequence[str]) -> str:
    """Return words with their places as PostgreSQL reads a tsvector: 'ana':1 'lima':2."""
    places: dict[str, list[int]] = {}
    for place, word in enumerate(words, start=1):
        places.setdefault(word, []).append(place)
    return " ".join(f"'{word}':{','.join(map(str, at))}" for word, at in places.items())


def as_tsquery(term: Term) -> str:
    """Return a term as PostgreSQL reads a tsquery: 'ana' <-> 'lim':*."""
    joined = " <-> ".join(f"'{word}'" for word in term.words)
    return joined + (":*" if term.is_prefix else "")


def as_fts5(term: Term) -> str:
    """Return a term as FTS5 reads a query: "ana lim" *."""
    return f'"{" ".join(term.words)}"' + (" *" if term.is_prefix else "")


def _words(text: str) -> Iterator[str]:
    joined = _APOSTROPHES.sub("", text)
    if joined.isascii():  # most text, by far; the long way round says the same
        for word in _ASCII_WORD.findall(joined.lower()):
            yield word[:LONGEST_WORD]
        return
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", joined).casefold())
    letters = (
        letter
        for letter in decomposed.translate(_LETTERS)
        if not unicodedata.category(letter).startswith("M")
    )
    spaced = "".join(letter if _is_kept(letter) else " " for letter in letters)
    for word in spaced.split():
        yield word[:LONGEST_WORD]


def _is_kept(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "LN"


def _begins_word(text: str, start: int) -> bool:
    return start == 0 or text[start - 1].isspace()


def _stands_in(term: Term, texts: Sequence[tuple[str, ...]]) -> bool:
    return any(_stands_at(term, text, at) for text in texts for at in range(len(text)))


def _stands_at(term: Term, text: tuple[str, ...], at: int) -> bool:
    there = text[at : at + len(term.words)]
    if len(there) < len(term.words) or there[:-1] != term.words[:-1]:
        return False
    last = term.words[-1]
    return there[-1].startswith(last) if term.is_prefix else there[-1] == last
