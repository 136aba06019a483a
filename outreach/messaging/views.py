"""Pages about texts."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from outreach.accounts.access import role_required, signed_in
from outreach.accounts.rules import Role
from outreach.db import db
from outreach.deps import deps
from outreach.messaging import thread
from outreach.messaging.rules import MessageStatus, SkipReason

bp = Blueprint("messaging", __name__, url_prefix="/messages")

STATUS_WORDS = {
    MessageStatus.SCHEDULED: (_l("waiting for its time"), "calm"),
    MessageStatus.CALLING: (_l("being sent"), "calm"),
    MessageStatus.UNKNOWN: (_l("no answer from the carrier, looking it up"), "warm"),
    MessageStatus.ACCEPTED: (_l("handed to the carrier"), "calm"),
    MessageStatus.SENT: (_l("sent"), "calm"),
    MessageStatus.DELIVERED: (_l("delivered"), "good"),
    MessageStatus.UNDELIVERED: (_l("not delivered"), "warm"),
    MessageStatus.FAILED: (_l("failed"), "warm"),
    MessageStatus.SKIPPED: (_l("not sent"), "calm"),
}
SKIP_WORDS = {
    SkipReason.NO_CONSENT: _l("no consent to texts on this number"),
    SkipReason.NUMBER_UNFIT: _l("the number does not work for texts"),
    SkipReason.TOO_LATE: _l("its time had passed"),
    SkipReason.CALL_CHANGED: _l("the call was moved or made"),
    SkipReason.WEEK_LIMIT: _l("three texts that week already"),
    SkipReason.DAY_LIMIT: _l("one text that day already"),
    SkipReason.NOT_ENROLLED: _l("not in the programme then"),
}


@bp.get("/")
@role_required(Role.MANAGER, Role.ADMINISTRATOR)
def outbox() -> ResponseReturnValue:
    """List texts, newest first."""
    only_trouble = request.args.get("show") == "trouble"
    page = thread.page_of(
        db.session,
        signed_in().scope,
        before_id=request.args.get("before", type=int),
        only_trouble=only_trouble,
    )
    return render_template(
        "messaging/outbox.html",
        page=page,
        only_trouble=only_trouble,
        status_words=STATUS_WORDS,
        skip_words=SKIP_WORDS,
        carrier=deps().gateway.name,
    )
