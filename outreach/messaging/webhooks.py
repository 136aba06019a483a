"""Where the carrier reports on texts. No session, no CSRF: the signature is the proof."""

import logging

from flask import Blueprint
from flask.typing import ResponseReturnValue

from outreach.accounts.access import open_to_carrier
from outreach.brakes import access as brakes
from outreach.db import db
from outreach.deps import deps
from outreach.messaging import receipts
from outreach.telephony.gateway import BadSignature
from outreach.web.bounded import whole
from outreach.web.signed import signed_request

bp = Blueprint("messaging_webhooks", __name__, url_prefix="/webhooks")
log = logging.getLogger(__name__)


@bp.post("/sms-status/<reference>")
@open_to_carrier
@brakes.strangers_counted(BadSignature)
def sms_status(reference: str) -> ResponseReturnValue:
    """Take one delivery report; the address carries our own id, so order does not matter.

    Whatever it carries, what is signed is answered calmly: the carrier would only try again.
    """
    outside = deps()
    report = outside.gateway.read_report(signed_request())
    message_id = whole(reference)
    is_ours = message_id is not None and receipts.apply(
        db.session, message_id, report, now=outside.clock()
    )
    db.session.commit()
    if not is_ours:
        log.warning("a delivery report for a message that we don't know: %r", reference)
    return "", 204
