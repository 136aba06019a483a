"""What a clinic's low-sugar card may say. Pure.

A caller reads it aloud, and callers never advise on doses (domain.md C2): a card with a dose of
medicine, or with a word about insulin, is refused, in each of our languages. What somebody eats
or drinks is not a medicine: "15 grams of sugar" and "4 glucose tablets" may stand on it.
"""

import enum
import re
import unicodedata
from typing import NamedTuple

MOST_LINES = 8
LONGEST_LINE = 200  # characters; a longer one is not read aloud in one breath


class CardFault(enum.StrEnum):
    """Why a card can't be used."""

    EMPTY = "nothing to read"
    TOO_MANY_LINES = "too many lines"
    LINE_TOO_LONG = "a line is too long"
    DOSE = "a dose of medicine"


class Finding(NamedTuple):
    """One thing that is wrong, and the words that it is about."""

    fault: CardFault
    words: str = ""


# Written without accents, as the text is compared; "mg/dL" is how a meter counts.
_DOSE = re.compile(
    r"""
    \d[\d.,]*\s*(?: units? | unidad(?:es)? | unidades? | iu | ui | u )\b
    | \b(?: units | unidades )\b
    | (?: \d[\d.,]*\s* | \b )(?: mg | mcg | ug | \N{GREEK SMALL LETTER MU}g
          | milligrams? | miligramos? | miligramas?
          | micrograms? | microgramos? | microgramas? )\b (?! \s*/\s*dl )
    | \b(?: dos(?:e|es|is|age|ages|agem|agens|ificacion|ificar|ing) )\b
    | \binsulin(?:a|as|s)?\b
    | \b(?: medicines? | medications? | meds | medicamentos? | medicacion | medicacao
          | medicinas? | remedios? )\b
    | \b(?: pills? | pildoras? | pilulas? )\b
    | \b(?: metformina? | gliclazid[ea] | glipizid[ea] | glyburide | glibenclamid[ea]
          | glimepirid[ea] )\b
    """,
    re.VERBOSE,
)


def lines_of(text: str) -> tuple[str, ...]:
    """Return the lines of a card as they are read, without empty ones."""
    return tuple(line for each in text.splitlines() if (line := " ".join(each.split())))


def faults(text: str) -> list[Finding]:
    """Return all that is wrong with the words of a card, in the order of its lines."""
    lines = lines_of(text)
    if not lines:
        return [Finding(CardFault.EMPTY)]
    found = [] if len(lines) <= MOST_LINES else [Finding(CardFault.TOO_MANY_LINES)]
    found += [Finding(CardFault.LINE_TOO_LONG, each) for each in lines if len(each) > LONGEST_LINE]
    doses = dict.fromkeys(words for each in lines for words in doses_in(each))
    return found + [Finding(CardFault.DOSE, words) for words in doses]


def doses_in(line: str) -> list[str]:
    """Return the words of a line that speak of doses or medicines, without accents."""
    return [found.group().strip() for found in _DOSE.finditer(_bare(line))]


def _bare(text: str) -> str:
    """Return ``text`` in small letters without accents: full-width digits and the like as usual."""
    taken_apart = unicodedata.normalize("NFKD", text).casefold()
    return "".join(each for each in taken_apart if not unicodedata.combining(each))
