"""Words as they are compared: without case, accents, emoji, punctuation or doubled letters. Pure."""

import re
import unicodedata

_APOSTROPHES = re.compile(r"['\u2018\u2019\u02bc\u00b4`]")
_NO_WORD = re.compile(r"[^a-z0-9]+")
# What a telephone writes when somebody taps a heart on a text of ours: it quotes the text.
_REACTION = re.compile(
    r"^\W*(?P<mood>liked|loved|laughed at|emphasi[sz]ed|reacted .{1,12} to|[^\w\s]{1,4} to"
    r"|removed an? .{1,20} from|le gusto|le encanto|te gusto|me gusto|curtiu|gostou de|amou|adorou"
    r"|(?P<doubt>disliked|questioned|no le gusto|nao gostou de))"
    r"\s*[\"\u201c\u201d\u00ab].*[\"\u201c\u201d\u00bb]\s*$",
    re.DOTALL,
)
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


def is_reaction(text: str) -> bool | None:
    """Say whether a text only marks one of ours: True with a heart, False with a doubt, else None.

    What it quotes are our own words: 'Reply STOP' in them asks for nothing.
    """
    match = _REACTION.match(plain(text))
    return None if match is None else match["doubt"] is None


def squeezed(text: str) -> str:
    """Return :func:`words` with every doubled letter single: 'Kiiill' and 'kil' are alike."""
    return _DOUBLED.sub(r"\1", words(text))


def _is_mark(each: str) -> bool:
    return unicodedata.category(each).startswith("M")  # variation selectors are marks too


def _digit(each: str) -> str:
    value = unicodedata.decimal(each, None)
    return each if value is None else str(value)
