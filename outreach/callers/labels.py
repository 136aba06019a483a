"""Words about callers, in the reader's language."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from outreach.callers.candidates import Candidate
from outreach.callers.rules import NotPlaced, Stretch, last_day_of
from outreach.patients.rules import Sex
from outreach.web.template_filters import calendar_day, clock_time, short_number

NOT_PLACED: Mapping[NotPlaced, LazyString] = {
    NotPlaced.NO_SHARED_LANGUAGE: _l("Nobody else here speaks this language."),
    NotPlaced.NOT_TRAINED: _l("Nobody else who speaks this language has finished training."),
    NotPlaced.AWAY: _l("Everybody who speaks this language is away then."),
    NotPlaced.PANELS_FULL: _l("Everybody who speaks this language has a full panel."),
    NotPlaced.HOURS_FULL: _l("Nobody who speaks this language has hours left."),
}
# Of patients who are handed over for good: there is no other time that "then" could mean.
NOT_HANDED_OVER: Mapping[NotPlaced, LazyString] = {
    **NOT_PLACED,
    NotPlaced.AWAY: _l("Everybody who speaks this language is away within 7 days."),
}

# Whom a patient may ask for; what a caller may be known as.
GENDERS: Mapping[Sex, LazyString] = {
    Sex.FEMALE: _l("Woman"),
    Sex.MALE: _l("Man"),
    Sex.OTHER: _l("Another"),
}


def hours(stretches: Iterable[Stretch]) -> list[str]:
    """Return the hours of one day in words: '9:00 AM – 12:00 PM', '1:00 PM – 5:00 PM'."""
    return [f"{clock_time(each.begins)} – {clock_time(each.ends)}" for each in stretches]


def hours_of(minutes: int) -> str:
    """Return minutes as a number of hours: '7.5'."""
    return short_number(minutes / 60, 2)


def last_day(until_at: datetime, zone: str) -> str:
    """Return the last day in ``zone`` of a time that is over at ``until_at``: 'Fri, Dec 4'."""
    return calendar_day(last_day_of(until_at, ZoneInfo(zone)))


def place_of(candidate: Candidate) -> str:
    """Return who may take calls over, and how busy they are: 'Ana Lima, 5 of 14.3 hours'."""
    helper = candidate.helper
    return str(
        _(
            "%(name)s, %(n)s of %(most)s hours",
            name=candidate.name,
            n=short_number(helper.minutes / 60, 1),
            most=short_number(helper.most_minutes / 60, 1),
        )
    )
