"""Words for what is stored about patients, in the reader's language."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from babel.core import get_global
from babel.dates import get_day_names
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from outreach.clock import local_day
from outreach.patients.rules import (
    ConsentSource,
    ConsentTopic,
    Daypart,
    NumberHealth,
    Sex,
    states_of,
    weekdays_from_mask,
)
from outreach.web.template_filters import full_day, language_name

# What callers are asked for most; a patient's own language is always offered as well.
COMMON_LANGUAGES = (
    "en", "es", "pt-BR", "ar", "zh", "fa", "fr", "de", "hi", "ht", "it", "ja", "ko", "pl", "ru",
    "so", "sw", "tl", "uk", "ur", "vi",
)  # fmt: skip

SEXES: dict[Sex, LazyString] = {
    Sex.FEMALE: _l("Female"),
    Sex.MALE: _l("Male"),
    Sex.OTHER: _l("Other"),
    Sex.UNKNOWN: _l("Not known"),
}

WISHED: dict[Sex, LazyString] = {
    Sex.FEMALE: _l("a woman"),
    Sex.MALE: _l("a man"),
}

DAYPARTS: dict[Daypart, LazyString] = {
    Daypart.MORNING: _l("mornings"),
    Daypart.AFTERNOON: _l("afternoons"),
    Daypart.EVENING: _l("evenings"),
}

HEALTHS: dict[NumberHealth, LazyString] = {
    NumberHealth.WORKING: _l("working"),
    NumberHealth.WRONG: _l("wrong number"),
    NumberHealth.DISCONNECTED: _l("disconnected"),
}

CONSENT_SOURCES: dict[ConsentSource, LazyString] = {
    ConsentSource.FORM: _l("on a signed form"),
    ConsentSource.CALL: _l("on a call"),
    ConsentSource.WEB: _l("on a web page"),
    ConsentSource.IMPORT: _l("in an imported file"),
    ConsentSource.CARRIER: _l("by a text from their phone"),
    ConsentSource.SMS: _l("by a text from their phone"),
}

CONSENT_TOPICS: dict[ConsentTopic, LazyString] = {
    ConsentTopic.CALLS: _l("calls"),
    ConsentTopic.REMINDERS: _l("reminders of calls"),
    ConsentTopic.MISSED_NOTES: _l("a note when we missed them"),
    ConsentTopic.SURVEYS: _l("thank-yous and short questions"),
    ConsentTopic.MEASUREMENTS: _l("word when it is time to measure"),
}


def weekday_name(weekday: int) -> str:
    """Return the short name of a weekday, 0 Monday: 'Mon'."""
    return str(get_day_names("abbreviated", locale=get_locale())[weekday])


def weekdays_of_mask(mask: int) -> str:
    """Return the weekdays of a stored bit mask: 'every day', 'Mon to Fri', 'Mon, Wed'."""
    days = sorted(weekdays_from_mask(mask))
    if len(days) == len(range(7)):
        return str(_("every day"))
    if len(days) > 2 and days[-1] - days[0] == len(days) - 1:  # noqa: PLR2004
        first, last = weekday_name(days[0]), weekday_name(days[-1])
        return str(_("%(first)s to %(last)s", first=first, last=last))
    return ", ".join(map(weekday_name, days))


def day_in(instant: datetime, zone: str) -> str:
    """Return the day of an instant on the wall calendar of ``zone``: 'Nov 24, 2026'."""
    return full_day(local_day(instant, ZoneInfo(zone)))


def languages(also: Iterable[str] = ()) -> Sequence[tuple[str, str]]:
    """Return (code, name) of the languages to choose from, by name."""
    codes = {*COMMON_LANGUAGES, *also}
    return sorted(((code, language_name(code)) for code in codes), key=lambda each: each[1])


def states(region: str, also: str | None = None) -> Sequence[tuple[str, str]]:
    """Return (code, name) of the states of a country, and of ``also``, by name."""
    known = {also: also} if also else {}
    return sorted((known | dict(states_of(region))).items(), key=lambda each: each[1])


def state_name(region: str, state: str) -> str:
    """Return the name of a state by its code, the code where it is not known."""
    return states_of(region).get(state, state)


def zones(region: str, also: Iterable[str] = ()) -> Sequence[str]:
    """Return the time zones of a country (ISO 3166 code), and those of ``also``, by name."""
    return sorted({*get_global("territory_zones").get(region, ()), *also})
