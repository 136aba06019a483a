"""Where the carrier hands over texts that came in. The signature is the proof."""

import logging

from flask import Blueprint
from flask.typing import ResponseReturnValue

from outreach.accounts.access import open_to_all
from outreach.db import db
from outreach.deps import deps
from outreach.inbox import receiving
from outreach.web.signed import signed_request

bp = Blueprint("inbox_webhooks", __name__, url_prefix="/webhooks")
log = logging.getLogger(__name__)


@bp.post("/sms")
@open_to_all
def sms() -> ResponseReturnValue:
    """Take one text. Answers are rows of the outbox, so there is nothing to say here."""
    outside = deps()
    news = outside.gateway.read_inbound(signed_request())
    account = outside.config.twilio
    house_sender = account.sender if account else None
    is_new = receiving.receive(db.session, news, house_sender=house_sender, now=outside.clock())
    db.session.commit()
    if not is_new:
        log.info("a text that we have already, or that is for nobody: %s", news.provider_id)
    return "", 204
