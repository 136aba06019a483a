"""Words for files, in the reader's language."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from outreach.exports.models import Export
from outreach.exports.rules import Content, Progress, Trouble
from outreach.web.template_filters import short_number

CONTENTS: dict[Content, LazyString] = {
    Content.PATIENTS: _l("List of patients"),
    Content.FHIR: _l("Patients as FHIR, for other systems"),
    Content.CALLS: _l("Calls"),
    Content.ADHERENCE: _l("Adherence"),
    Content.RESEARCH: _l("Research file, de-identified"),
    Content.TO_MEASURE: _l("To measure"),
    Content.FOLLOW_UPS: _l("Follow-ups"),
    Content.CONCERNS: _l("Concerns"),
    Content.SECOND_LOOKS: _l("Concerns to look at again"),
    Content.FLAGS: _l("Flags to look at again"),
    Content.KEPT: _l("Holds and requests"),
    Content.CLOSED_DAYS: _l("Closed days"),
    Content.MEASURES: _l("Measures"),
    Content.WELFARE: _l("Welfare checks"),
    Content.QUEUE: _l("My queue"),
    Content.CALLERS: _l("Callers"),
    Content.PANELS: _l("Who calls whom"),
    Content.PROPOSAL: _l("Proposal"),
    Content.ON_CALL: _l("On call"),
    Content.EMERGENCIES: _l("Emergency access"),
    Content.STAFF: _l("Staff"),
    Content.SENT_TEXTS: _l("Sent texts"),
    Content.DELIVERY: _l("Delivery of texts"),
    Content.TEXTS_WAITING: _l("Texts that wait"),
    Content.RETURNED: _l("Returned calls"),
    Content.IMPORTS: _l("Imports"),
    Content.AUDIT: _l("Audit"),
    Content.GROUPS: _l("Table in groups"),
    Content.WEEKS: _l("Chart by week"),
    Content.TEAM: _l("The team"),
    Content.TEAM_GROUPS: _l("The team, in groups"),
    Content.PULSE: _l("How the team is, by month"),
    Content.DIALS: _l("With which dial patients are reached"),
    Content.DIAL_GROUPS: _l("With which dial patients are reached, in groups"),
    Content.TARGETS: _l("What we aim for"),
    Content.BEHIND: _l("Patients behind a figure"),
    Content.SINGLE_CALLS: _l("Single calls"),
    Content.AROUND: _l("Staying, texts, concerns"),
    Content.AROUND_GROUPS: _l("Table in groups"),
    Content.AROUND_BEHIND: _l("Patients behind a figure"),
    Content.TODAY: _l("Calls of today"),
    Content.TODAY_CALLS: _l("Calls of today, one by one"),
    Content.SINGLE_CONCERNS: _l("Single concerns"),
    Content.DAYS_ON_PHONE: _l("Days on the telephone"),
    Content.OUTCOMES: _l("Change from baseline, and levels"),
    Content.OUTCOME_GROUPS: _l("Table in groups"),
    Content.FOLLOWED: _l("Charts: each patient's values and dose"),
    Content.GLYCAEMIC: _l("CMS122-style measure"),
    Content.GLYCAEMIC_BEHIND: _l("Patients behind a figure"),
    Content.BOARD_BEHIND: _l("Patients behind a figure"),
    Content.BOARD: _l("Patients under care, by month"),
    Content.COHORTS: _l("Cohorts"),
    Content.BOARD_GROUPS: _l("Clinics side by side, by month"),
    Content.OWN_DATA: _l("Everything held of one patient"),
}

PROGRESS: dict[Progress, tuple[LazyString, str]] = {
    Progress.WAITING: (_l("waits"), "calm"),
    Progress.WRITING: (_l("is being written"), "calm"),
    Progress.READY: (_l("ready"), "good"),
    Progress.FAILED: (_l("not written"), "urgent"),
    Progress.EXPIRED: (_l("deleted"), "calm"),
}

TROUBLES: dict[Trouble, LazyString] = {
    Trouble.NOT_ALLOWED: _l("It is not yours to take any more."),
    Trouble.SEARCH_IS_OVER: _l("The search is over a day old. Search again, then ask again."),
    Trouble.TOO_FEW: _l("There are so few patients that somebody could be known by it."),
    Trouble.GAVE_UP: _l("It failed several times. Ask again, or tell your administrator."),
}


def trouble(export: Export) -> str:
    """Return why a file was not written."""
    return str(TROUBLES[Trouble(export.trouble)]) if export.trouble else ""


def size(count: int | None) -> str:
    """Return the length of a file: '12 KB', '3.4 MB'."""
    kilobytes = (count or 0) / 1024
    if kilobytes < 1024:  # noqa: PLR2004
        return str(_("%(n)s KB", n=short_number(max(1, round(kilobytes)), 0)))
    return str(_("%(n)s MB", n=short_number(kilobytes / 1024)))


def words(content: str) -> str:
    """Return what a file is called that forms name by ``content``."""
    return str(CONTENTS[Content(content)])
