"""Words of welfare checks."""

from flask_babel import lazy_gettext as _l

from outreach.welfare.rules import Outcome, StepKind

STEP_WORDS = {
    StepKind.OTHER_NUMBER: _l("Rang another number"),
    StepKind.EMERGENCY_CONTACT: _l("Rang the emergency contact"),
    StepKind.CLINIC_VISIT: _l("Looked for a visit or an appointment at the clinic"),
    StepKind.LETTER: _l("Sent a letter"),
    StepKind.OTHER: _l("Something else"),
    StepKind.CLOSED: _l("Ended"),
}
TO_DO_WORDS = {
    StepKind.OTHER_NUMBER: _l("Ring another number"),
    StepKind.EMERGENCY_CONTACT: _l("Ring the emergency contact"),
    StepKind.CLINIC_VISIT: _l("Look for a visit or an appointment at the clinic"),
    StepKind.LETTER: _l("Send a letter"),
}
OUTCOME_WORDS = {
    Outcome.SPOKEN: _l("Spoken with: they are well"),
    Outcome.HEARD_OF: _l("Heard of through somebody else: they are well"),
    Outcome.IN_CARE: _l("In hospital or in a home"),
    Outcome.MOVED: _l("Moved away"),
    Outcome.DIED: _l("Died"),
    Outcome.NO_NEWS: _l("No news: everything was tried"),
}
