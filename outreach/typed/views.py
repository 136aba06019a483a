"""Keeping what somebody types into a form, so that walking away loses nothing."""

import logging
from urllib.parse import urlsplit

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import DBAPIError

from outreach import orm
from outreach.accounts.access import actor_or_none, open_without_factor, role_required, signed_in
from outreach.accounts.rules import Role
from outreach.db import db
from outreach.deps import deps
from outreach.errors import NotAllowed
from outreach.typed import keeping
from outreach.typed.rules import fields_of

log = logging.getLogger(__name__)

bp = Blueprint("typed", __name__, url_prefix="/typed")

MARK = "typed_form"  # in a form of which something was kept: under which place
SEEN_TO = (302, 303)
_ASKED_WHO = ("/sign-in", "/confirm")


@bp.get("/")
@role_required(*Role)
@open_without_factor
def find() -> ResponseReturnValue:
    """Give back what was typed into the form of a place and not sent."""
    now, actor = deps().clock(), signed_in()
    found = keeping.find(db.session, actor.staff_id, request.args.get("place", ""), now=now)
    return jsonify(fields=found.fields if found else None)


@bp.post("/")
@role_required(*Role)
@open_without_factor
def keep() -> ResponseReturnValue:
    """Keep what is typed; nothing typed forgets it. Another person's page keeps nothing."""
    actor, place = signed_in(), request.form.get("place", "")
    if request.form.get("who") != str(actor.staff_id):
        raise NotAllowed("Somebody else typed this.")
    fields = fields_of(request.form.get("fields", ""))
    if fields:
        keeping.keep(db.session, actor.staff_id, place, fields, now=deps().clock())
    else:
        keeping.drop(db.session, actor.staff_id, place)
    db.session.commit()
    return "", 204


@bp.after_app_request
def forget_sent(response: Response) -> Response:
    """Forget what was typed once its form was sent and taken, in a transaction of its own."""
    actor = actor_or_none()
    is_taken = request.method == "POST" and response.status_code in SEEN_TO
    leads_to = urlsplit(response.location or "").path
    if actor is None or not is_taken or leads_to.startswith(_ASKED_WHO):
        return response
    place = request.form.get(MARK, "")
    if place:
        try:
            with orm.writing(), db.sessionmaker.begin() as own:
                keeping.drop(own, actor.staff_id, place)
        except DBAPIError:  # what they sent is saved: an error page would make them send it again
            log.warning("what was typed and sent is kept until it is old", exc_info=True)
    return response
