"""Words as they are compared: without case, accents, emoji or punctuation. Pure."""

import re
import unicodedata

_APOSTROPHES = re.compile(r"['\u2018\u2019\u02bc\u00b4`]")
_NO_WORD = re.compile(r"[^a-z0-9]+")
_DOUBLED = re.compile(r"([a-z])\1+")


def plain(text: str) -> str:
    """Return ``text`` in small letters without accents, digits of every script as 0 to 9.

    What only steers how text is shown (zero-width marks, variation selectors) is left out.
    """
    shown = "".join(
        each for each in text if unicodedata.category(each) not in {"Cf", "Cc"} or each in "\n\t"
    )
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", shown).casefold())
    return "".join(_digit(each) for each in folded if not _is_mark(each))


def words(text: str) -> str:
    """Return the words of ``text`` with single blanks: 'Can’t  STOP!' becomes 'cant stop'."""
    return _NO_WORD.sub(" ", _APOSTROPHES.sub("", plain(text))).strip()


def squeezed(text: str) -> str:
    """Return :func:`words` with every doubled letter single: 'Kiiill' and 'kil' are alike."""
    return _DOUBLED.sub(r"\1", words(text))


def _is_hidden(each: str) -> bool:
    return unicodedata.category(each) in {"Cf", "Cc"} and not each.isspace()


def _is_mark(each: str) -> bool:
    return unicodedata.category(each).startswith("M")


def _digit(each: str) -> str:
    value = unicodedata.decimal(each, None)
    return each if value is None else str(value)
