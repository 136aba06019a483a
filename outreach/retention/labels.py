"""Words for holds, requests and what stands in the way, in the reader's language."""

from flask_babel import lazy_gettext as _l

from outreach.patients.rules import Cause
from outreach.retention.rules import AskedBy, Decision, Ground, Obstacle

ASKED_BY = {
    AskedBy.PATIENT: _l("The patient"),
    AskedBy.REPRESENTATIVE: _l("Somebody who acts for the patient"),
    AskedBy.COURT: _l("A court or an authority"),
}
DECISIONS = {
    Decision.GRANTED: (_l("granted"), "good"),
    Decision.REFUSED: (_l("refused"), "warm"),
    Decision.WITHDRAWN: (_l("taken back"), "calm"),
}
GROUNDS = {
    Ground.RECORD_KEEPING: _l("The law asks us to keep these records for longer"),
    Ground.PUBLIC_HEALTH: _l("Public health needs them"),
    Ground.RESEARCH: _l("Research that the patient agreed to would be spoiled"),
    Ground.LEGAL_CLAIM: _l("A legal claim needs them"),
    Ground.NOT_ENTITLED: _l("Whoever asked may not ask this"),
}
CAUSES = {
    Cause.SCHEDULE: _l("the years of keeping were over"),
    Cause.REQUEST: _l("deletion was asked for and granted"),
}
OBSTACLES = {
    Obstacle.HOLD: _l("A legal hold is on the patient."),
    Obstacle.IN_PROGRAMME: _l("The patient is in the programme. End their part in it first."),
    Obstacle.CONCERN: _l("A concern is not closed."),
    Obstacle.TEXT: _l("A text is on its way."),
}
