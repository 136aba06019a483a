"""The check of each cell: the value it stands for, or Refused with what to do. Pure."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from zoneinfo import available_timezones

import phonenumbers

from outreach.accounts.rules import language_code
from outreach.intake.rules import Refused
from outreach.patients.rules import OLDEST_YEARS, Daypart, Sex, may_be_alive, states_of

LONGEST_SHOWN = 40
# Cells that many rows share, such as days and zones, are understood once.
_ALIKE = 4096

# What people write for a zone, and the zone that most of them mean.
ABBREVIATIONS = {
    "ET": "America/New_York",
    "EST": "America/New_York",
    "EDT": "America/New_York",
    "CT": "America/Chicago",
    "CST": "America/Chicago",
    "CDT": "America/Chicago",
    "MT": "America/Denver",
    "MST": "America/Denver",
    "MDT": "America/Denver",
    "PT": "America/Los_Angeles",
    "PST": "America/Los_Angeles",
    "PDT": "America/Los_Angeles",
    "AKST": "America/Anchorage",
    "HST": "Pacific/Honolulu",
}

_SEXES: Mapping[str, Sex] = {
    "": Sex.UNKNOWN,
    "f": Sex.FEMALE,
    "m": Sex.MALE,
    "o": Sex.OTHER,
    "x": Sex.OTHER,
    "u": Sex.UNKNOWN,
    **{sex.value: sex for sex in Sex},
}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SCIENTIFIC = re.compile(r"[0-9.,]+[eE][+-]?[0-9]+")
# As most files write them: what parsing finds in them is plain, and takes half the time of a check.
_NORTH_AMERICAN = re.compile(r"\+1[2-9][0-9]{9}")
_PHONE_SIGNS = re.compile(r"[0-9 ().+\-]+")
_DASHES = dict.fromkeys(range(0x2010, 0x2016), "-")
# Control signs, halves of surrogate pairs, line ends, and what turns the writing around.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)


def shown(cell: str) -> str:
    """Return a cell as a message can quote it: short, on one line, printable."""
    printable = "".join(sign if sign.isprintable() else "\ufffd" for sign in cell)
    short = printable if len(printable) <= LONGEST_SHOWN else printable[:LONGEST_SHOWN] + "…"
    return f"'{short}'"


def words(cell: str, *, most: int) -> str:
    """Return the text of a name or number, trimmed and composed (NFC).

    Formulas and markup are refused: what comes in here goes out again into tables.
    """
    text = unicodedata.normalize("NFC", cell).strip()
    if not text:
        raise Refused("is empty; it is needed")
    if text[0] in "=+-@":
        raise Refused(f"{shown(text)} starts like a formula; write the plain text")
    if "<" in text or ">" in text:
        raise Refused(f"{shown(text)} holds < or >; write the plain text without markup")
    if _UNSEEN.search(text):
        raise Refused("holds signs that can't be seen or a line break; take them out")
    if len(text) > most:
        raise Refused(f"is {len(text)} signs long; at most {most} fit")
    return text


def optional_words(cell: str, *, most: int) -> str | None:
    """Return the text of a cell that may be empty."""
    return words(cell, most=most) if cell.strip() else None


@lru_cache(_ALIKE)
def day(cell: str) -> date:
    """Return a calendar day written as 1970-02-03."""
    text = cell.strip()
    if not text:
        raise Refused("is empty; write the day as 1970-02-03")
    if not _ISO_DAY.fullmatch(text):
        raise Refused(f"{shown(text)} is not written as year-month-day, such as 1970-02-03")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Refused(f"{text} is not a day in the calendar") from error


def past_day(cell: str, *, today: date) -> date:
    """Return a day that is not after ``today``, the local day."""
    found = day(cell)
    if found > today:
        raise Refused(f"{found} lies in the future")
    return found


def date_of_birth(cell: str, *, today: date) -> date:
    """Return the birthday of somebody who may be alive."""
    born = past_day(cell, today=today)
    if not may_be_alive(today, born):
        raise Refused(f"{born} makes this person older than {OLDEST_YEARS}; check the year")
    return born


def enrolled_on(cell: str, *, today: date) -> date | None:
    """Return the day somebody joins; empty means not enrolled."""
    if not cell.strip():
        return None
    found = day(cell)
    if found > today + timedelta(days=365):
        raise Refused(f"{found} is more than a year ahead; check the year")
    return found


def phone(cell: str, *, region: str) -> str:
    """Return a number in use as E.164; without + it is one of ``region`` (as 'US')."""
    parsed = _parsed_phone(cell, region)
    if not phonenumbers.is_valid_number(parsed):
        raise Refused(f"{shown(cell.strip())} is not a number in use; check its digits")
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def possible_phone(cell: str, *, region: str) -> tuple[str, bool]:
    """Return a number of the right length as E.164, and whether it is in use."""
    parsed = _parsed_phone(cell, region)
    number = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return number, phonenumbers.is_valid_number(parsed)


def _parsed_phone(cell: str, region: str) -> phonenumbers.PhoneNumber:
    text = unicodedata.normalize("NFKC", cell).translate(_DASHES).strip()
    if not text:
        raise Refused("is empty; a number to call is needed")
    if _SCIENTIFIC.fullmatch(text):
        raise Refused(
            f"{shown(text)} was shortened by a spreadsheet; format the column as text "
            "and put the whole number in again"
        )
    if not _PHONE_SIGNS.fullmatch(text):
        raise Refused(f"{shown(text)} holds more than a number; put only one number here")
    if _NORTH_AMERICAN.fullmatch(text):
        return phonenumbers.PhoneNumber(country_code=1, national_number=int(text[2:]))
    try:
        parsed = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as error:
        raise Refused(f"{shown(text)} is not a phone number") from error
    _refuse_wrong_length(text, parsed)
    return parsed


def _refuse_wrong_length(text: str, parsed: phonenumbers.PhoneNumber) -> None:
    result = phonenumbers.is_possible_number_with_reason(parsed)
    reasons = phonenumbers.ValidationResult
    if result == reasons.IS_POSSIBLE:
        return
    if result == reasons.TOO_LONG:
        raise Refused(f"{shown(text)} is too long for a phone number")
    if result in (reasons.TOO_SHORT, reasons.IS_POSSIBLE_LOCAL_ONLY):
        raise Refused(f"{shown(text)} is too short; write the whole number with its area code")
    raise Refused(f"{shown(text)} is not a phone number")


@lru_cache(_ALIKE)
def zone(cell: str) -> str:
    """Return the IANA name of a time zone, as America/Chicago."""
    text = cell.strip()
    if not text:
        raise Refused("is empty; write a time zone such as America/Chicago")
    meant = ABBREVIATIONS.get(text.upper())
    if meant:
        raise Refused(f"{shown(text)} is only an abbreviation; write {meant}, if that is meant")
    known = _zones().get(text.casefold())
    if known is None:
        raise Refused(
            f"{shown(text)} is not the name of a time zone; write the one of the nearest "
            "large city, such as America/Chicago"
        )
    return known


@lru_cache(maxsize=1)
def _zones() -> Mapping[str, str]:
    # Zones without a place (EST, Etc/GMT+6) have no summer time: nobody lives by them.
    return {
        name.casefold(): name
        for name in available_timezones()
        if name == "UTC" or ("/" in name and not name.startswith("Etc/"))
    }


@lru_cache(_ALIKE)
def language(cell: str) -> str:
    """Return a language code: two letters, or pt-BR, in which Portuguese is spoken here."""
    text = cell.strip()
    if not text:
        raise Refused("is empty; write a language code such as en, es or pt-BR")
    code = language_code(text)
    if code is None:
        raise Refused(f"{shown(text)} is not a language code; write en, es, pt-BR or another one")
    return code


def sex(cell: str) -> Sex:
    """Return the sex as recorded; empty means unknown."""
    found = _SEXES.get(cell.strip().lower())
    if found is None:
        raise Refused(f"{shown(cell.strip())} is not known; write F, M, other or unknown")
    return found


def state(cell: str, *, region: str) -> str | None:
    """Return the code of a state of ``region``, written as code or name; empty: not known."""
    text = cell.strip().casefold()
    if not text:
        return None
    for code, name in states_of(region).items():
        if text in (code.casefold(), name.casefold()):
            return code
    raise Refused(f"{shown(cell.strip())} is no state of {region}; write its code, as TX")


def wished_caller(cell: str) -> Sex | None:
    """Return whom they would rather speak with; empty, or 'any', means anybody."""
    text = cell.strip().lower()
    if text in ("", "any", "anybody"):
        return None
    if text == "woman" or _SEXES.get(text) is Sex.FEMALE:
        return Sex.FEMALE
    if text == "man" or _SEXES.get(text) is Sex.MALE:
        return Sex.MALE
    raise Refused(f"{shown(cell.strip())} is neither; write woman or man, or leave it empty")


def yes_or_no(cell: str) -> bool | None:
    """Return True, False, or None for an empty cell."""
    text = cell.strip().lower()
    if text in ("yes", "y"):
        return True
    if text in ("no", "n"):
        return False
    if text:
        raise Refused(f"{shown(text)} is neither; write yes or no, or leave it empty")
    return None


@lru_cache(_ALIKE)
def weekdays(cell: str) -> frozenset[int]:
    """Return the days of 'Mon Wed Fri' as numbers, 0 Monday."""
    found = set()
    for word in _split(cell):
        matching = [number for number, name in enumerate(_WEEKDAYS) if _names_day(word, name)]
        if not matching:
            raise Refused(f"{shown(word)} is not a day; write Mon Tue Wed Thu Fri Sat Sun")
        found.update(matching)
    return frozenset(found)


@lru_cache(_ALIKE)
def dayparts(cell: str) -> tuple[Daypart, ...]:
    """Return the parts of 'evening morning' in their order, each once."""
    found = []
    for word in _split(cell):
        if word not in list(Daypart):
            raise Refused(f"{shown(word)} is not known; write morning, afternoon or evening")
        found.append(Daypart(word))
    return tuple(dict.fromkeys(found))


def _split(cell: str) -> list[str]:
    return re.split(r"[\s,;]+", cell.strip().lower()) if cell.strip() else []


def _names_day(word: str, name: str) -> bool:
    return word == name or (len(word) >= 3 and name.startswith(word))  # noqa: PLR2004
