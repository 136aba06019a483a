"""Words for visits."""

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from outreach.visits.rules import VisitKind

VISITS: dict[VisitKind, LazyString] = {
    VisitKind.IN_PERSON: _l("Visit at the clinic"),
    VisitKind.TELEHEALTH: _l("Telehealth visit"),
    VisitKind.HOME: _l("Home visit"),
    VisitKind.EMERGENCY: _l("Emergency visit"),
    VisitKind.INPATIENT: _l("Stay in hospital"),
}
