"""Words for what a patient's page shows, in the reader's language."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from outreach.calls.labels import OUTCOME_WORDS
from outreach.chart.rules import Show
from outreach.concerns.labels import KIND_WORDS as CONCERN_KIND_WORDS
from outreach.concerns.labels import STATUS_WORDS as CONCERN_STATUS_WORDS
from outreach.concerns.labels import URGENCY_WORDS
from outreach.measures.labels import MEASURE_WORDS, value_words
from outreach.measures.rules import ReadingSource
from outreach.messaging.labels import SKIP_WORDS, STATUS_WORDS
from outreach.panels.rules import ChangeReason
from outreach.programmes.rules import EnrolmentStatus, Phase, Rhythm

OUTCOMES = OUTCOME_WORDS
MEASURES = MEASURE_WORDS
MESSAGES = {status: words for status, (words, _kind) in STATUS_WORDS.items()}
SKIPS = SKIP_WORDS
CONCERNS = CONCERN_KIND_WORDS
CONCERN_STATUSES = CONCERN_STATUS_WORDS
URGENCIES = {urgency: words for urgency, (words, _kind) in URGENCY_WORDS.items()}
reading_value = value_words

STATUSES: dict[EnrolmentStatus, LazyString] = {
    EnrolmentStatus.ACTIVE: _l("active"),
    EnrolmentStatus.PAUSED: _l("paused"),
    EnrolmentStatus.COMPLETED: _l("completed"),
    EnrolmentStatus.WITHDRAWN: _l("withdrawn"),
    EnrolmentStatus.UNREACHABLE: _l("unreachable"),
    EnrolmentStatus.DIED: _l("died"),
}

STATUS_STEPS: dict[EnrolmentStatus, LazyString] = {
    EnrolmentStatus.ACTIVE: _l("Back in the programme"),
    EnrolmentStatus.PAUSED: _l("Pause the calls"),
    EnrolmentStatus.COMPLETED: _l("Completed"),
    EnrolmentStatus.WITHDRAWN: _l("Withdrawn: no more calls"),
    EnrolmentStatus.UNREACHABLE: _l("Unreachable"),
    EnrolmentStatus.DIED: _l("Died"),
}

READING_SOURCES: dict[ReadingSource, LazyString] = {
    ReadingSource.CALL: _l("told on a call"),
    ReadingSource.STAFF: _l("entered by staff"),
    ReadingSource.CSV: _l("from an imported file"),
    ReadingSource.FHIR: _l("from the health record"),
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


def rhythm(phase: Phase, value: int) -> str:
    """Return how often: '3 calls a week', 'one call every 14 days'."""
    if phase.rhythm is Rhythm.DAYS_BETWEEN:
        return str(_("one call every %(n)s days", n=value))
    return str(_("1 call a week") if value == 1 else _("%(n)s calls a week", n=value))


def weeks(phase: Phase) -> str:
    """Return when a phase is: 'week 1', 'weeks 2 to 4'."""
    if phase.first_week == phase.last_week:
        return str(_("week %(n)s", n=phase.first_week))
    return str(_("weeks %(a)s to %(b)s", a=phase.first_week, b=phase.last_week))
