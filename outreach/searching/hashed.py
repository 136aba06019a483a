"""Words of notes as the index holds them: keyed hashes, so that a stolen file has no word to read.

A word is one hash: it is found whole. Who steals the file sees which words are alike, and in
which order they stand; see docs/decisions/0015.

The release before looks for names by hashes of their beginnings, which with a list of names tell
them. While one of its processes may run, those it has to find are still written for it
(``let_older_search``), and taken away afterwards (``upkeep/forgetting.py``).
"""

import base64
import time
from collections.abc import Sequence
from functools import lru_cache

from outreach import sealing
from outreach.encryption import Cipher
from outreach.searching.rules import Term

_KNOWN = 20_000  # words of notes that are kept with their tokens
_NAMES = 4_000  # of names: a few thousand are most of them
_BEGINNINGS = 100_000  # of names; most share theirs with others
_OF_NOTE = "search note"
_OF_NAME = "search name"
_WORD_BYTES = 10
_LETTER = 4  # signs a letter: siblings are mixed up once in a million
_older_until = [0.0]  # by time.monotonic


def let_older_search(seconds: float) -> None:
    """Write words of names for the release before, for so long."""
    _older_until[:] = [time.monotonic() + seconds]


def is_searched_by_older() -> bool:
    """Say whether a process of the release before may have to find a patient by name."""
    return time.monotonic() < _older_until[0]


def of_notes(words: Sequence[str]) -> list[str]:
    """Return the tokens of words of a note, in their order."""
    cipher = sealing.cipher()
    return [_whole(cipher, word) for word in words]


def of_names(words: Sequence[str]) -> list[str]:
    """Return the tokens of words of names, in their order, as the release before has them."""
    cipher = sealing.cipher()
    return [_by_letter(cipher, word) for word in words]


def in_notes(term: Term) -> Term:
    """Return what to look for in notes: the words whole."""
    return Term(tuple(of_notes(term.words)))


@lru_cache(_KNOWN)
def _whole(cipher: Cipher, word: str) -> str:
    return "w" + _as_letters(cipher.keyed_hash(word, place=_OF_NOTE)[:_WORD_BYTES])


@lru_cache(_NAMES)
def _by_letter(cipher: Cipher, word: str) -> str:
    return "n" + "".join(_letter(cipher, word[:end]) for end in range(1, len(word) + 1))


@lru_cache(_BEGINNINGS)
def _letter(cipher: Cipher, beginning: str) -> str:
    """Return the signs of the last letter of ``beginning``, which depend on all before it."""
    return _as_letters(cipher.keyed_hash(beginning, place=_OF_NAME)[:5])[:_LETTER]


def _as_letters(raw: bytes) -> str:
    """Return small letters and digits, which both engines leave as they are."""
    return base64.b32encode(raw).decode().lower()
