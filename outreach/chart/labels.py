"""Words for what a patient's page shows, in the reader's language."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from outreach.calls.labels import OUTCOME_WORDS
from outreach.chart.rules import Show
from outreach.concerns.rules import ConcernKind, ConcernStatus, Urgency
from outreach.measures.labels import MEASURE_WORDS, value_words
from outreach.measures.rules import ReadingSource
from outreach.messaging.rules import MessageStatus, SkipReason
from outreach.panels.rules import ChangeReason
from outreach.programmes.rules import EnrolmentStatus, Phase, Rhythm

OUTCOMES = OUTCOME_WORDS
MEASURES = MEASURE_WORDS
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

MESSAGES: dict[MessageStatus, LazyString] = {
    MessageStatus.SCHEDULED: _l("goes out then"),
    MessageStatus.CALLING: _l("on its way"),
    MessageStatus.UNKNOWN: _l("unclear whether it went out"),
    MessageStatus.ACCEPTED: _l("on its way"),
    MessageStatus.SENT: _l("sent"),
    MessageStatus.DELIVERED: _l("delivered"),
    MessageStatus.UNDELIVERED: _l("not delivered"),
    MessageStatus.FAILED: _l("failed"),
    MessageStatus.SKIPPED: _l("not sent"),
}

SKIPS: dict[SkipReason, LazyString] = {
    SkipReason.NO_CONSENT: _l("no consent to texts on this number"),
    SkipReason.NUMBER_UNFIT: _l("the number does not take texts"),
    SkipReason.TOO_LATE: _l("its time had passed"),
    SkipReason.CALL_CHANGED: _l("the call was moved or made"),
    SkipReason.WEEK_LIMIT: _l("enough texts that week"),
    SkipReason.DAY_LIMIT: _l("already a text that day"),
    SkipReason.NOT_ENROLLED: _l("no longer in the programme"),
}

READING_SOURCES: dict[ReadingSource, LazyString] = {
    ReadingSource.CALL: _l("told on a call"),
    ReadingSource.STAFF: _l("entered by staff"),
    ReadingSource.CSV: _l("from an imported file"),
    ReadingSource.FHIR: _l("from the health record"),
}

CONCERNS: dict[ConcernKind, LazyString] = {
    ConcernKind.SAFETY: _l("Safety concern"),
    ConcernKind.GLUCOSE_LOW: _l("Low blood sugar"),
    ConcernKind.GLUCOSE_HIGH: _l("High blood sugar"),
    ConcernKind.PRESSURE_HIGH: _l("High blood pressure"),
}

URGENCIES: dict[Urgency, LazyString] = {
    Urgency.NOW: _l("now"),
    Urgency.SAME_DAY: _l("same day"),
    Urgency.NEXT_BUSINESS_DAY: _l("next business day"),
}

CONCERN_STATUSES: dict[ConcernStatus, LazyString] = {
    ConcernStatus.OPEN: _l("open"),
    ConcernStatus.ACKNOWLEDGED: _l("a nurse is on it"),
    ConcernStatus.CLOSED: _l("closed"),
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
