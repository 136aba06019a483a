"""A protocol in words, line by line, and what differs between two of them."""

from collections.abc import Iterator
from dataclasses import dataclass

from babel.dates import get_day_names
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from outreach.measures.labels import MEASURE_WORDS
from outreach.programmes.labels import days, offer, weeks
from outreach.programmes.rules import MeasurePoint, Milestone, Protocol
from outreach.protocols.rules import Pick

MEASURES: dict[str, LazyString] = {kind.value: words for kind, words in MEASURE_WORDS.items()}

PICKS: dict[Pick, LazyString] = {
    Pick.FEWEST: _l("the fewest"),
    Pick.USUAL: _l("the usual"),
    Pick.MOST: _l("the most"),
}


@dataclass(frozen=True)
class Line:
    """One thing a protocol says. ``key`` stays the same from version to version."""

    key: tuple[str, str]
    label: str
    words: str


@dataclass(frozen=True)
class Change:
    """A line that differs: None before where it is new, None after where it is gone."""

    label: str
    before: str | None
    after: str | None


def weekday(day: int) -> str:
    """Return the name of a weekday, 0 for Monday."""
    return str(get_day_names("wide", "stand-alone", get_locale())[day])


def short_weekday(day: int) -> str:
    """Return the name of a weekday as short as can be, 0 for Monday."""
    return str(get_day_names("short", "stand-alone", get_locale())[day])


def lines(protocol: Protocol) -> Iterator[Line]:
    """Yield everything a protocol says, in words; nothing it holds is left out."""
    for phase in protocol.phases:
        words = f"{phase.name}: {weeks(phase)}, {offer(phase)}"
        yield Line(("phase", phase.code), str(_("Phase")), words)
    attempts, follow_up = protocol.attempts, protocol.follow_up
    counts = {
        "max_dials": (_("Tries for one call"), attempts.max_dials),
        "max_dials_per_day": (_("Tries a day, at most"), attempts.max_dials_per_day),
        "min_days": (_("On so many days, at least"), attempts.min_days),
        "min_dayparts": (_("In so many parts of the day, at least"), attempts.min_dayparts),
        "hours_between": (_("Hours from try to try"), attempts.hours_between),
        "missed_to_review": (
            _("Missed in a row: the caller reviews the times"),
            follow_up.missed_to_review,
        ),
        "missed_to_check": (
            _("Missed in a row: a coordinator checks the contact"),
            follow_up.missed_to_check,
        ),
        "silent_days_early": (
            _("Days of silence to the check, early on"),
            follow_up.silent_days_early,
        ),
        "silent_days_late": (_("Days of silence to the check, later"), follow_up.silent_days_late),
        "early_weeks": (_("Weeks that count as early"), follow_up.early_weeks),
        "unreachable_days": (_("Days of silence until unreachable"), follow_up.unreachable_days),
        "missed_to_welfare": (
            _("Missed in a row: a nurse makes sure they are well"),
            _or_never(follow_up.missed_to_welfare),
        ),
        "silent_days_welfare": (
            _("Days of silence to that"),
            _or_never(follow_up.silent_days_welfare),
        ),
        "reminder": (
            _("Hours from the reminder text to the call"),
            f"{protocol.reminder_lead_minutes / 60:g}",
        ),
        "measure_text": (_("Days from “time to measure” to the best day"), _or_no_text(protocol)),
        "minutes": (_("Minutes of a caller's time for a call"), protocol.minutes_per_call),
    }
    for key, (label, count) in counts.items():
        yield Line(("count", key), str(label), str(count))
    for point in protocol.measure_points:
        yield Line(("point", point.code), str(_("Measurement")), _point(point))
    for milestone in protocol.milestones:
        yield Line(("milestone", milestone.code), str(_("Milestone")), _milestone(milestone))


def _or_never(count: int) -> str:
    return str(count) if count else str(_("never"))


def _or_no_text(protocol: Protocol) -> str:
    days = protocol.measure_lead_days
    return str(_("no text")) if days is None else str(days)


def changes(old: Protocol, new: Protocol) -> list[Change]:
    """Return what differs between two versions, in words and in the order of the page."""
    before, after = dict(_by_key(old)), dict(_by_key(new))
    found = []
    for key in {**after, **before}:
        (label, was), (new_label, now) = before.get(key, ("", None)), after.get(key, ("", None))
        if was != now:
            found.append(Change(label or new_label, was, now))
    return found


def _by_key(protocol: Protocol) -> Iterator[tuple[tuple[str, str], tuple[str, str | None]]]:
    for line in lines(protocol):
        yield line.key, (line.label, line.words)


def _point(point: MeasurePoint) -> str:
    return str(
        _(
            "%(name)s: %(measures)s, %(days)s, best on day %(target)s",
            name=point.name,
            measures=", ".join(str(MEASURES.get(each, each)) for each in point.measures),
            days=days(point.from_day, point.until_day),
            target=point.target_day,
        )
    )


def _milestone(milestone: Milestone) -> str:
    return f"{milestone.name}: {days(milestone.from_day, milestone.until_day)}"
