"""Words for files, in the reader's language."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from outreach.exports.models import Export
from outreach.exports.rules import Content, Progress, Trouble
from outreach.web.template_filters import short_number

CONTENTS: dict[Content, LazyString] = {
    Content.PATIENTS: _l("List of patients"),
    Content.CALLS: _l("Calls"),
    Content.ADHERENCE: _l("Adherence"),
    Content.RESEARCH: _l("Research file, de-identified"),
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
