"""What no text may say: health, results, strange links, words that end texts by accident. Pure.

Source: domain.md D, design traps and the rule of SMS templates.
"""

import enum
import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass

from outreach.wordings.rules import TextKind, filled, placeholders
from outreach.wordings.rules.segments import size_of

MOST_MESSAGES = 3  # Portuguese needs letters that make every letter cost double

# Begins of words, without accents, in the three languages.
_HEALTH = (
    "diabet", "glucos", "glicos", "glicem", "glucem", "insulin", "sugar", "azucar", "acucar",
    "a1c", "hba1c", "depress", "depres", "anxi", "ansied", "phq", "gad-7", "suicid", "blood",
    "sangre", "sangue", "pressure", "presion", "pressao", "hypertens", "hipertens", "medicat",
    "medicac", "medicament", "medicin", "remedio", "diagnos", "diagnost", "disease", "enfermed",
    "doenca", "result", "cancer", "oncolog", "cardiolog", "nefrolog", "nephrolog",
    "dialys", "dialis", "kidney", "rinon", "cholest", "colest", "obes", "pills", "pastilla",
    "pildora", "comprimid", "dose", "dosis", "therap", "terap", "pregnan", "embaraz", "gravid",
    "alcohol", "alcool", "lonel", "stress", "estres", "illness",
    "endocrin", "psychiatr", "psiquiatr", "psycholog", "psicolog", "weight",
    "peso", "mental", "symptom", "sintoma", "hiv", "vih",
)  # fmt: skip
_RESULT = re.compile(r"\d[\d.,]*\s*(%|mg|mmol|kg|lb|mm\s*hg)", re.IGNORECASE)
# Twilio's words out, the FCC's, and its words in: a patient told to write one would end texts,
# or begin them again. STOP itself is how texts are ended.
_KEYWORDS = (
    "STOPALL", "UNSUBSCRIBE", "END", "QUIT", "CANCEL", "REVOKE", "OPTOUT", "OPT OUT", "YES",
    "START", "UNSTOP", "INFO",
)  # fmt: skip
_ASKED_TO_WRITE = re.compile(
    r"\b(?:reply|text|send|answer|write|responda|responde|envie|mande|escriba|escreva)\b"
    r"(?:\s+(?:with|back|us|con|com|la palabra|a palavra|the word))*\s+[\"'\u201c]?(\w+(?: out)?)",
    re.IGNORECASE,
)
_LINK = re.compile(
    r"\b(?:https?://)?((?:[a-z0-9-]+\.)+(?:[a-z]{2,}))(?=[/:\s?#.,;!)]|$)", re.IGNORECASE
)
# A host without an ending, or with letters of its own: a bare number, localhost, clínica.example.
_ADDRESS = re.compile(r"https?://(?:[^\s/@]*@)?([^\s/:?#]*)", re.IGNORECASE)


class Fault(enum.StrEnum):
    """Why words can't be used."""

    EMPTY = "empty"
    UNKNOWN_PLACEHOLDER = "unknown placeholder"
    MISSING_PLACEHOLDER = "missing placeholder"
    STRAY_BRACE = "stray brace"
    NO_STOP = "no stop"
    MISSING_WORD = "missing word"
    HEALTH = "health"
    RESULT = "result"
    KEYWORD = "keyword"
    LINK = "link"
    TOO_LONG = "too long"


@dataclass(frozen=True)
class Finding:
    """One fault, and the words it is about."""

    fault: Fault
    about: str = ""


def faults(words: str, kind: TextKind, *, hosts: Collection[str] = ()) -> list[Finding]:
    """Return everything wrong with ``words`` for a text of ``kind``, the gravest first.

    Args:
        words: what a manager wrote.
        kind: what the text may and must name.
        hosts: names of hosts that links may lead to.
    """
    if not words.strip():
        return [Finding(Fault.EMPTY)]
    found = [*_placeholder_faults(words, kind)]
    found += [Finding(Fault.HEALTH, each) for each in _health_words(words)]
    found += [Finding(Fault.RESULT, each[0]) for each in _RESULT.finditer(words)]
    found += [
        Finding(Fault.KEYWORD, each) for each in _accidents(words) if each not in kind.may_ask_for
    ]
    found += [Finding(Fault.LINK, each) for each in _hosts(words) if each.lower() not in hosts]
    if kind.has_stop and not re.search(r"\bSTOP\b", words):
        found.append(Finding(Fault.NO_STOP))
    found += [
        Finding(Fault.MISSING_WORD, each)
        for each in kind.must_say
        if not re.search(rf"\b{each}\b", words)
    ]
    if not found and size_of(filled(words, kind.example)).messages > MOST_MESSAGES:
        found.append(Finding(Fault.TOO_LONG))
    return found


def _placeholder_faults(words: str, kind: TextKind) -> list[Finding]:
    named = placeholders(words)
    found = [Finding(Fault.UNKNOWN_PLACEHOLDER, each) for each in named if each not in kind.example]
    found += [
        Finding(Fault.MISSING_PLACEHOLDER, each) for each in sorted(kind.required - set(named))
    ]
    bare = re.sub(r"\{[a-z_]*\}", "", words)
    if "{" in bare or "}" in bare:
        found.append(Finding(Fault.STRAY_BRACE))
    return found


def _health_words(words: str) -> list[str]:
    return [each for each in re.findall(r"[\w-]+", _plain(words)) if each.startswith(_HEALTH)] + [
        each for each in _HEALTH if " " in each and each in _plain(words)
    ]


def _hosts(words: str) -> list[str]:
    """Return the hosts that links in ``words`` lead to, each once."""
    full = [each.rstrip(".,;!)") for each in _ADDRESS.findall(words)]
    rest = _LINK.findall(_ADDRESS.sub(" ", words))
    return list(dict.fromkeys([*full, *rest]))


def _accidents(words: str) -> list[str]:
    """Return keywords in capitals, and those that somebody is asked to write."""
    shouted = [each for each in _KEYWORDS if re.search(rf"\b{each}\b", words)]
    asked = [each.upper() for each in _ASKED_TO_WRITE.findall(words)]
    return list(dict.fromkeys([*shouted, *(each for each in asked if each in _KEYWORDS)]))


def _plain(words: str) -> str:
    """Return ``words`` in small letters without accents."""
    split = unicodedata.normalize("NFKD", words.lower())
    return "".join(each for each in split if not unicodedata.combining(each))
