"""Whether two bodies are one text: carriers change what they are given. Pure.

Twilio trims spaces, puts letters of the basic alphabet for others ("smart encoding") and, for
trial accounts, a sentence before all; networks put ? for what they can't write. So only
letters and digits are compared: without accents, or else without the letters that have them.
Times and numbers, by which two texts to one patient differ, always count.
"""

import unicodedata

_TRIAL = "sentfromyourtwiliotrialaccount"


def is_same(ours: str, listed: str) -> bool:
    """Say whether ``listed``, as a carrier shows it, is the text ``ours``."""
    return not _keys(ours).isdisjoint(_keys(listed))


def _keys(body: str) -> frozenset[str]:
    """Return what is left of a body: accents taken off, and letters with accents left out."""
    small = unicodedata.normalize("NFC", body).casefold()
    apart = unicodedata.normalize("NFKD", small)
    found = {_letters(apart), _letters(small)}
    return frozenset(each.removeprefix(_TRIAL) for each in found)


def _letters(text: str) -> str:
    return "".join(each for each in text if each.isascii() and each.isalnum())
