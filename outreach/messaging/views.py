"""Pages about texts."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from outreach.accounts.access import role_required, signed_in
from outreach.accounts.rules import Role
from outreach.db import db
from outreach.deps import deps
from outreach.messaging import thread
from outreach.messaging.labels import SKIP_WORDS, STATUS_WORDS
from outreach.web.bounded import whole

bp = Blueprint("messaging", __name__, url_prefix="/messages")


@bp.get("/")
@role_required(Role.MANAGER, Role.ADMINISTRATOR)
def outbox() -> ResponseReturnValue:
    """List texts, newest first."""
    only_trouble = request.args.get("show") == "trouble"
    page = thread.page_of(
        db.session,
        signed_in().scope,
        before_id=whole(request.args.get("before")),
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
