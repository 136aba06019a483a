"""What goes into the words of text messages: fixed {placeholders}, never code."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime

from babel.dates import format_date, format_time

from outreach.wordings import keeping
from outreach.wordings.rules import filled, known_language

_LOCALES = {"en": "en_US", "es": "es_US", "pt": "pt_BR"}
_DAYS = {"en": "EEE, MMM d", "es": "EEE d MMM", "pt": "EEE, d MMM"}

_DAYS_A_WEEK = 7
_RHYTHMS = {  # every so many days; so many calls a week; every week; every so many weeks
    "en": ("every {n} days", "{n} a week", "every week", "every {n} weeks"),
    "es": ("cada {n} días", "{n} por semana", "cada semana", "cada {n} semanas"),
    "pt": ("a cada {n} dias", "{n} por semana", "toda semana", "a cada {n} semanas"),
}


@dataclass(frozen=True)
class ReminderFacts:
    """What a reminder says: who calls, when on the patient's own clock, and whom to ring back.

    No health words, ever. ``clinic_phone`` as people write it.
    """

    language: str
    clinic_name: str
    clinic_phone: str
    caller_name: str
    from_local: datetime
    until_local: datetime


def reminder(facts: ReminderFacts, words: str) -> str:
    """Return the body of a reminder: ``words``, in the patient's language, filled in."""
    language = known_language(facts.language)
    locale = _LOCALES[language]
    return filled(
        words,
        {
            # Clipped so that the longest English and Spanish text is one message of 160.
            "clinic": facts.clinic_name[:28],
            "phone": facts.clinic_phone,
            "caller": facts.caller_name[:14],
            "day": in_gsm7(format_date(facts.from_local.date(), _DAYS[language], locale=locale)),
            "begins": _time(facts.from_local, locale),
            "ends": _time(facts.until_local, locale),
        },
    )


def courtesy(words: str, clinic_name: str, clinic_phone: str, caller_name: str, **more: str) -> str:
    """Return the body of a text about no one but clinic and caller; ``more`` as ``words`` ask."""
    return filled(
        words,
        {
            "clinic": clinic_name[:28],
            "phone": clinic_phone,
            "caller": caller_name[:14],
            **more,
        },
    )


def when(local: datetime, language: str) -> dict[str, str]:
    """Return day and time of a local time, as texts in ``language`` say them."""
    known = known_language(language)
    locale = _LOCALES[known]
    day = in_gsm7(format_date(local.date(), _DAYS[known], locale=locale))
    return {"day": day, "begins": _time(local, locale)}


def rhythm(language: str, *, is_weekly: bool, value: int) -> str:
    """Return how often somebody is called: ``value`` times a week, or every ``value`` days."""
    in_days, in_week, weekly, in_weeks = _RHYTHMS[known_language(language)]
    if is_weekly:
        return in_week.format(n=value)
    weeks, rest = divmod(value, _DAYS_A_WEEK)
    if rest:
        return in_days.format(n=value)
    return weekly if weeks == 1 else in_weeks.format(n=weeks)


def digest(clinic_name: str, language: str, report: str | None = None) -> str:
    """Return the body of the weekly word to managers: that there are numbers, and no numbers.

    ``report`` is the address of the page that has them, None where no address is configured.
    """
    words = _to_staff("digest", clinic_name, language)
    return f"{words} {report}" if report else words


def digest_subject(clinic_name: str, language: str) -> str:
    """Return the subject of the weekly word as an e-mail: its first sentence."""
    return _first_sentence("digest", clinic_name, language)


def support(clinic_name: str, language: str) -> str:
    """Return the word that a caller asks for support: nobody's name, and no reason."""
    return _to_staff("support", clinic_name, language)


def support_subject(clinic_name: str, language: str) -> str:
    """Return the subject of that word as an e-mail: its first sentence."""
    return _first_sentence("support", clinic_name, language)


def alert(clinic_name: str, language: str) -> str:
    """Return the body of an alert to staff: no name, no detail of anybody's health."""
    return _to_staff("alert", clinic_name, language)


def _first_sentence(name: str, clinic_name: str, language: str) -> str:
    words = keeping.built_in(name, known_language(language)).partition(". ")[0]
    return filled(words, {"clinic": clinic_name[:60]})


def _to_staff(name: str, clinic_name: str, language: str) -> str:
    return filled(keeping.built_in(name, known_language(language)), {"clinic": clinic_name[:60]})


def _time(moment: datetime, locale: str) -> str:
    pattern = "h a" if moment.minute == 0 and locale == "en_US" else "short"
    # Babel writes a narrow no-break space, which would turn a text into UCS-2.
    words = format_time(moment.time(), pattern, locale=locale).replace("\u202f", " ")
    return words.replace("a.m.", "am").replace("p.m.", "pm")  # no dot before a full stop


def in_gsm7(day: str) -> str:
    """Return a day without accents: one 'sáb' would make a text cost twice as much."""
    plain = unicodedata.normalize("NFKD", day)
    return "".join(each for each in plain if not unicodedata.combining(each)).replace(".", "")
