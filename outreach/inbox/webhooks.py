"""Where the carrier hands over texts. No session, no CSRF: the signature is the proof."""

import logging
from datetime import timedelta

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from outreach.accounts.access import open_to_carrier
from outreach.brakes import access as brakes
from outreach.db import db
from outreach.deps import deps
from outreach.inbox import receiving
from outreach.telephony.gateway import BadSignature
from outreach.web.signed import signed_request

bp = Blueprint("inbox_webhooks", __name__, url_prefix="/webhooks/texts")
log = logging.getLogger(__name__)

# Answers are rows of the outbox: see docs/decisions/0012.
NOTHING_TO_SAY = '<?xml version="1.0" encoding="UTF-8"?><Response></Response>'


@bp.post("/incoming")
@open_to_carrier
@brakes.strangers_counted(BadSignature)
def incoming() -> ResponseReturnValue:
    """Take one text, once; a repeat is answered the same and changes nothing."""
    outside = deps()
    news = outside.gateway.read_inbound(signed_request())
    account = outside.config.twilio
    is_new = receiving.receive(
        db.session,
        news,
        house_sender=account.sender if account else None,
        open_for=timedelta(minutes=outside.config.conversation_minutes),
        now=outside.clock(),
    )
    db.session.commit()
    if not is_new:
        log.info("a text that changes nothing: %r", news.provider_id)
    return Response(NOTHING_TO_SAY, content_type="text/xml; charset=utf-8")
