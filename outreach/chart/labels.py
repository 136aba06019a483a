"""Words for what a patient's page shows, in the reader's language."""

from decimal import Decimal
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString
from sqlalchemy import Row

from outreach.calls.labels import OUTCOME_WORDS
from outreach.chart.rules import Show
from outreach.concerns.labels import KIND_WORDS as CONCERN_KIND_WORDS
from outreach.concerns.labels import STATUS_WORDS as CONCERN_STATUS_WORDS
from outreach.concerns.labels import URGENCY_WORDS
from outreach.measures.labels import MEASURE_WORDS, entered_words, level_words, value_words
from outreach.measures.rules import MeasureKind, ReadingSource
from outreach.messaging.labels import SKIP_WORDS, STATUS_WORDS
from outreach.panels.rules import ChangeReason
from outreach.planning import labels as planning
from outreach.programmes import labels as programmes
from outreach.programmes.rules import EnrolmentStatus, Protocol

OUTCOMES = OUTCOME_WORDS
MEASURES = MEASURE_WORDS
MESSAGES = {status: words for status, (words, _kind) in STATUS_WORDS.items()}
SKIPS = SKIP_WORDS
CONCERNS = CONCERN_KIND_WORDS
CONCERN_STATUSES = CONCERN_STATUS_WORDS
URGENCIES = {urgency: words for urgency, (words, _kind) in URGENCY_WORDS.items()}
reading_value = entered_words
level = level_words

FOLLOW_UPS = planning.FOLLOW_UPS
follow_up_reason = planning.follow_up_reason


def body_mass(value: Decimal) -> str:
    """Return a BMI with what it means: '31.2 kg/m², obesity, class 1'."""
    words = level_words(MeasureKind.BMI, value)
    return ", ".join([value_words(MeasureKind.BMI, value), *([words] if words else [])])


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

SHOWN: dict[Show, LazyString] = {
    Show.ALL: _l("All patients"),
    Show.WAITING: _l("Waiting for a caller"),
    Show.ACTIVE: _l("In the programme"),
    Show.FINISHED: _l("Finished"),
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
