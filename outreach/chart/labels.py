"""Words for what a patient's page shows, in the reader's language."""

from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString
from sqlalchemy import Row

from outreach.calls.labels import OUTCOME_WORDS
from outreach.chart.rules import TodayReason
from outreach.concerns.labels import KIND_WORDS as CONCERN_KIND_WORDS
from outreach.concerns.labels import STATUS_WORDS as CONCERN_STATUS_WORDS
from outreach.concerns.labels import STEP_WORDS, URGENCY_WORDS, limits_words
from outreach.concerns.rules import Limits
from outreach.measures.labels import (
    MEASURE_WORDS,
    average_words,
    changed_words,
    entered_words,
    level_words,
    value_words,
)
from outreach.measures.rules import MeasureKind, ReadingSource
from outreach.messaging.labels import SKIP_WORDS, STATUS_WORDS
from outreach.panels.rules import ChangeReason
from outreach.phoning.rules import Ending
from outreach.planning import labels as planning
from outreach.programmes import labels as programmes
from outreach.programmes.rules import EnrolmentStatus, Protocol
from outreach.visits import labels as visits

OUTCOMES = OUTCOME_WORDS
MEASURES = MEASURE_WORDS
MESSAGES = {status: words for status, (words, _kind) in STATUS_WORDS.items()}
SKIPS = SKIP_WORDS
CONCERNS = CONCERN_KIND_WORDS
CONCERN_STATUSES = CONCERN_STATUS_WORDS
URGENCIES = {urgency: words for urgency, (words, _kind) in URGENCY_WORDS.items()}
reading_value = entered_words
level = level_words
changed = changed_words
average = average_words

VISITS = visits.VISITS
FOLLOW_UPS = planning.FOLLOW_UPS
follow_up_reason = planning.follow_up_reason


def body_mass(value: Decimal) -> str:
    """Return a BMI with what it means: '31.2 kg/m², obesity, class 1'."""
    words = level_words(MeasureKind.BMI, value)
    return ", ".join([value_words(MeasureKind.BMI, value), *([words] if words else [])])


CONCERN_STEPS = STEP_WORDS
ENDINGS: dict[Ending, LazyString] = {
    Ending.TALKED: _l("talked"),
    Ending.MACHINE: _l("a machine answered"),
    Ending.NO_ANSWER: _l("no answer"),
    Ending.BUSY: _l("busy"),
    Ending.UNREACHABLE: _l("could not be reached"),
    Ending.GIVEN_UP: _l("hung up before it was answered"),
    Ending.NOBODY_THERE: _l("nobody could take it"),
    Ending.NOT_PLACED: _l("was not placed"),
    Ending.LOST: _l("nobody can tell how it ended"),
}


def talk(seconds: int | None) -> str:
    """Return a length of talk: '12:05' in minutes and seconds; where nobody told it, '–'."""
    return "–" if seconds is None else f"{seconds // 60}:{seconds % 60:02}"


def phone_ending(row: Row[Any]) -> str:
    """Return how a telephone call ended: 'talked, 12:05'; or that it goes on."""
    if row.ending is None:
        return _("going on")
    words = str(ENDINGS[row.ending])
    return f"{words}, {talk(row.seconds)}" if row.answered_at else words


def limits(row: Row[Any]) -> str:
    """Return what a nurse set: 'below 80 mg/dL (4.4 mmol/L)'; or that it was taken away."""
    if row.low is None and row.high is None:
        return _("back to everybody's limits")
    return limits_words(row.kind, Limits(row.low, row.high), row.unit)


STATUSES = programmes.STATUSES
PAUSE_REASONS = programmes.PAUSE_REASONS
rhythm = programmes.rhythm
rhythm_short = programmes.rhythm_short
weeks = programmes.weeks
reason = programmes.reason

STATUS_STEPS: dict[EnrolmentStatus, LazyString] = {
    EnrolmentStatus.ACTIVE: _l("Back in the programme"),
    EnrolmentStatus.PAUSED: _l("Pause the calls"),
    EnrolmentStatus.COMPLETED: _l("Completed"),
    EnrolmentStatus.WITHDRAWN: _l("Withdrawn: no more calls"),
    EnrolmentStatus.UNREACHABLE: _l("Unreachable"),
    EnrolmentStatus.DIED: _l("Died"),
}

STATUS_CHANGES: dict[EnrolmentStatus, LazyString] = {
    EnrolmentStatus.ACTIVE: _l("Back in the programme"),
    EnrolmentStatus.PAUSED: _l("Calls paused"),
    EnrolmentStatus.COMPLETED: _l("Completed the programme"),
    EnrolmentStatus.WITHDRAWN: _l("Withdrew from the programme"),
    EnrolmentStatus.UNREACHABLE: _l("Counts as unreachable"),
    EnrolmentStatus.DIED: _l("Died"),
}

READING_SOURCES: dict[ReadingSource, LazyString] = {
    ReadingSource.CALL: _l("told on a call"),
    ReadingSource.STAFF: _l("entered by staff"),
    ReadingSource.CSV: _l("from an imported file"),
    ReadingSource.FHIR: _l("from the health record"),
    ReadingSource.SMS: _l("sent by text"),
}

CHANGE_REASONS: dict[ChangeReason, LazyString] = {
    ChangeReason.ENROLLED: _l("newly enrolled"),
    ChangeReason.PATIENT_ASKED: _l("the patient asked"),
    ChangeReason.CALLER_LEFT: _l("the caller left"),
    ChangeReason.BALANCE: _l("to balance the panels"),
}


def chosen(row: Row[Any]) -> str:
    """Return what a patient chose: '2 calls a week'. ``row``: its code, value and version."""
    phases = Protocol.from_data(row.data).phases
    phase = next((each for each in phases if each.code == row.phase), None)
    return rhythm(phase, row.value) if phase else str(row.value)


def chosen_for(row: Row[Any]) -> str:
    """Return the weeks for which a patient chose: 'weeks 2 to 4'."""
    phases = Protocol.from_data(row.data).phases
    return next((weeks(each) for each in phases if each.code == row.phase), "")


def milestone(row: Row[Any]) -> str:
    """Return the name of a milestone that was seen to."""
    known = Protocol.from_data(row.data).milestones
    return next((each.name for each in known if each.code == row.code), row.code)


CALL_TODAY = {
    TodayReason.NOT_ENROLLED: _l("No call: not in the programme."),
    TodayReason.PAUSED: _l("No call: calls are paused."),
    TodayReason.ENDED: _l("No call: the programme has ended for them."),
    TodayReason.NO_NUMBER: _l("No call: there is no number that may be dialled."),
    TodayReason.NO_CALLER: _l("No call: they have no caller yet."),
    TodayReason.REACHED: _l("They were reached today"),
    TodayReason.NOT_PLANNED_YET: _l("The next call is being planned."),
    TodayReason.CLOSED_DAY: _l("No call: today is closed, so it was moved to"),
    TodayReason.DUE_LATER: _l("No call: the next one is due"),
    TodayReason.LATER_TODAY: _l("A call is planned later today, from"),
    TodayReason.DUE_NOW: _l("A call is due now, until"),
    TodayReason.TIME_PASSED: _l("Today's time for the call has passed; it ended"),
}
TEXT_TODAY = {
    TodayReason.SENT: _l("A text went out today"),
    TodayReason.WAITS: _l("No text now: one waits until"),
    TodayReason.NO_CALL_AHEAD: _l("No text: no call is planned to remind of."),
    TodayReason.REMINDED: _l("No text: the next call needs none, or has had its reminder."),
    TodayReason.WRITTEN_LATER: _l("No text now: the reminder goes out"),
    TodayReason.ANY_MINUTE: _l("A text goes out within a minute."),
    TodayReason.IN_LINE: _l("A text waits for its turn: its sender sends only so many a second."),
}
