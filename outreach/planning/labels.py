"""Words for what there is to see to because calls don't get through."""

from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from outreach.planning.rules import FollowUpKind
from outreach.planning.rules.silence import Cause, parsed_reason

FOLLOW_UPS = {
    FollowUpKind.REVIEW_TIMES: _l("Ask which times suit"),
    FollowUpKind.CONTACT_CHECK: _l("Check how to reach them"),
    FollowUpKind.WELFARE_CHECK: _l("Welfare check: are they well?"),
}


def follow_up_reason(stored: str) -> str:
    """Return why something is to be seen to: '3 calls in a row were missed'."""
    cause, number = parsed_reason(stored)
    if cause is Cause.MISSED:
        return str(
            ngettext("%(num)s call was missed", "%(num)s calls in a row were missed", number)
        )
    return str(
        ngettext("no conversation for %(num)s day", "no conversation for %(num)s days", number)
    )
