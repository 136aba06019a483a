"""Whether two bodies are one text: carriers change what they are given. Pure.

Twilio trims spaces, puts letters of the basic alphabet for others ("smart encoding") and, for
trial accounts, a sentence before all; networks put ? for what they can't write. So only
letters and digits are compared: without accents, or else without the letters that have them.
Times and numbers, by which two texts to one patient differ, always count.
"""

import unicodedata
from collections.abc import Sequence

_TRIAL = "sentfromyourtwiliotrialaccount"


def is_same(ours: str, listed: str) -> bool:
    """Say whether ``listed``, as a carrier shows it, is the text ``ours``."""
    return not _keys(ours).isdisjoint(_keys(listed))


def is_made_from(pieces: Sequence[str], listed: str) -> bool:
    """Say whether ``listed``, as a carrier shows it, is ``pieces`` in order, all else between.

    It begins with the first piece and ends with the last.
    """
    ways = zip(*(_two_ways(each) for each in pieces), strict=True)
    keys = _keys(listed)
    return any(_is_in_order(each, key) for each in ways for key in keys)


def _is_in_order(pieces: Sequence[str], whole: str) -> bool:
    first, *between = pieces
    if not between:
        return whole == first
    last = between.pop()
    if not (whole.startswith(first) and whole.endswith(last)):
        return False
    at = len(first)
    for piece in between:
        found = whole.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return at <= len(whole) - len(last)


def _keys(body: str) -> frozenset[str]:
    return frozenset(each.removeprefix(_TRIAL) for each in _two_ways(body))


def _two_ways(body: str) -> tuple[str, str]:
    """Return what is left of a body: accents taken off, and letters with accents left out."""
    small = unicodedata.normalize("NFC", body).casefold()
    return _letters(unicodedata.normalize("NFKD", small)), _letters(small)


def _letters(text: str) -> str:
    return "".join(each for each in text if each.isascii() and each.isalnum())
