"""Words for programmes: rhythms, statuses, flaws, how many calls."""

from collections.abc import Sequence

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_babel.speaklater import LazyString

from outreach.programmes.rules import (
    EnrolmentStatus,
    PauseReason,
    PauseTrouble,
    Phase,
    Protocol,
    Rhythm,
)
from outreach.programmes.rules.checking import Flaw, Problem

STATUSES: dict[EnrolmentStatus, LazyString] = {
    EnrolmentStatus.ACTIVE: _l("active"),
    EnrolmentStatus.PAUSED: _l("paused"),
    EnrolmentStatus.COMPLETED: _l("completed"),
    EnrolmentStatus.WITHDRAWN: _l("withdrawn"),
    EnrolmentStatus.UNREACHABLE: _l("unreachable"),
    EnrolmentStatus.DIED: _l("died"),
}

PAUSE_REASONS: dict[PauseReason, LazyString] = {
    PauseReason.TRAVEL: _l("Travelling"),
    PauseReason.HOSPITAL: _l("In hospital"),
    PauseReason.OTHER: _l("Something else"),
}

PAUSE_TROUBLES = {
    PauseTrouble.BEGINS_EARLY: _l("Choose a day after today, or leave it empty for now."),
    PauseTrouble.HAS_NO_END: _l("Choose the day from which to call again."),
    PauseTrouble.ENDS_EARLY: _l(
        "Choose a day after today, and after the first one; or leave it empty."
    ),
    PauseTrouble.ENDS_LATE: _l("Choose a day within a year, or leave it empty."),
}

RHYTHMS: dict[Rhythm, LazyString] = {
    Rhythm.CALLS_PER_WEEK: _l("calls a week"),
    Rhythm.DAYS_BETWEEN: _l("days from call to call"),
}

FLAWS: dict[Flaw, LazyString] = {
    Flaw.NO_PHASE: _l("A programme needs at least one phase."),
    Flaw.NO_NAME: _l("Give it a name of at most 60 letters."),
    Flaw.SAME_CODE: _l("Two of these are the same."),
    Flaw.BAD_CODE: _l("Give it another name."),
    Flaw.GAP: _l("Phases must follow each other without a gap."),
    Flaw.TOO_SHORT: _l("A phase lasts at least one week."),
    Flaw.TOO_LONG: _l("A programme lasts at most 104 weeks."),
    Flaw.NO_CHOICE: _l("Write a number, or several to choose from."),
    Flaw.CHOICES_OUTSIDE: _l("Use numbers from %(low)s to %(high)s."),
    Flaw.DEFAULT_NOT_OFFERED: _l("Choose one of the numbers that are offered."),
    Flaw.OUT_OF_BOUNDS: _l("Use a number from %(low)s to %(high)s."),
    Flaw.MORE_THAN_DIALS: _l("It can't be more than the tries for one call."),
    Flaw.CHECK_BEFORE_REVIEW: _l("It can't be fewer than for the review of times."),
    Flaw.UNREACHABLE_TOO_SOON: _l("It can't be sooner than the contact check."),
    Flaw.NOTHING_MEASURED: _l("Tick what is measured."),
    Flaw.TARGET_OUTSIDE: _l("The target day must lie within the window."),
    Flaw.ENDS_BEFORE_IT_BEGINS: _l("The last day must not be before the first."),
    Flaw.DAY_TOO_FAR: _l("This day is too far away."),
    Flaw.WINDOWS_OVERLAP: _l("This window overlaps another one with the same measure."),
    Flaw.AFTER_THE_END: _l("It must begin within the programme, day 0 to %(high)s."),
}


def flaw(problem: Problem) -> str:
    """Return what is wrong and what to do."""
    low, high = problem.bounds or (0, 0)
    return str(FLAWS[problem.flaw]) % {"low": low, "high": high}


def rhythm(phase: Phase, value: int) -> str:
    """Return how often: '3 calls a week', 'one call every 14 days'."""
    if phase.rhythm is Rhythm.DAYS_BETWEEN:
        return str(_("one call every %(n)s days", n=value))
    return str(_("1 call a week") if value == 1 else _("%(n)s calls a week", n=value))


def rhythm_short(phase: Phase, value: int) -> str:
    """Return how often in two or three words: '3 a week', 'every two weeks'."""
    if phase.rhythm is Rhythm.CALLS_PER_WEEK:
        return str(_("%(n)s a week", n=value))
    known = {7: _("once a week"), 14: _("every two weeks")}
    return str(known.get(value) or _("every %(n)s days", n=value))


def weeks(phase: Phase) -> str:
    """Return when a phase is: 'week 1', 'weeks 2 to 4'."""
    if phase.first_week == phase.last_week:
        return str(_("week %(n)s", n=phase.first_week))
    return str(_("weeks %(a)s to %(b)s", a=phase.first_week, b=phase.last_week))


def reason(stored: str) -> str:
    """Return a stored reason for people: the usual ones of a pause by their own words."""
    first, colon, rest = stored.partition(": ")
    if first not in set(PauseReason):
        return stored
    words = str(PAUSE_REASONS[PauseReason(first)])
    return f"{words}: {rest}" if colon else words


def choices(values: Sequence[int]) -> str:
    """Return what there is to choose from: '3', '1 to 5', '7 or 14'."""
    if len(values) > 2 and values[-1] - values[0] == len(values) - 1:  # noqa: PLR2004
        return str(_("%(a)s to %(b)s", a=values[0], b=values[-1]))
    *others, last = map(str, values)
    return str(_("%(some)s or %(last)s", some=", ".join(others), last=last)) if others else last


def offer(phase: Phase) -> str:
    """Return what a phase offers: '1 to 5 calls a week as they choose, 2 until then'."""
    if len(phase.choices) == 1:
        return rhythm(phase, phase.default)
    offered = choices(phase.choices)
    if phase.rhythm is Rhythm.DAYS_BETWEEN:
        return str(
            _(
                "one call every %(n)s days as they choose, %(default)s until then",
                n=offered,
                default=phase.default,
            )
        )
    return str(
        _(
            "%(n)s calls a week as they choose, %(default)s until then",
            n=offered,
            default=phase.default,
        )
    )


def calls(protocol: Protocol) -> str:
    """Return how many calls any patient has in all: '17 to 40 calls'."""
    fewest, most = protocol.fewest_calls, protocol.most_calls
    if fewest == most:
        return str(ngettext("%(num)s call", "%(num)s calls", most))
    return str(_("%(a)s to %(b)s calls", a=fewest, b=most))


def days(from_day: int, until_day: int) -> str:
    """Return days after the start: 'day 60 to 120'."""
    if from_day == until_day:
        return str(_("day %(n)s", n=from_day))
    return str(_("day %(a)s to %(b)s", a=from_day, b=until_day))
