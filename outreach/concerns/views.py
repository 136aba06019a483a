"""Pages on which nurses work concerns."""

from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from outreach.accounts.access import role_required, signed_in
from outreach.accounts.rules import Role
from outreach.audit import trail
from outreach.concerns import raising
from outreach.concerns.forms import ConcernForm
from outreach.concerns.labels import KIND_WORDS, STEP_WORDS, URGENCY_WORDS
from outreach.concerns.models import Concern
from outreach.db import db
from outreach.deps import deps
from outreach.measures import readings
from outreach.measures.rules import MeasureKind
from outreach.patients import registry

bp = Blueprint("concerns", __name__, url_prefix="/concerns")


@bp.get("/")
@role_required(Role.NURSE, Role.MANAGER)
def open_concerns() -> ResponseReturnValue:
    """List what is worrying now, and what was closed this week."""
    scope, now = signed_in().scope, deps().clock()
    concerns = raising.unclosed(db.session, scope)
    return render_template(
        "concerns/open.html",
        concerns=concerns,
        first_words=raising.first_words(db.session, concerns),
        closed=raising.recently_closed(db.session, scope, since=now - timedelta(days=7)),
        kind_words=KIND_WORDS,
        urgency_words=URGENCY_WORDS,
    )


@bp.get("/<int:concern_id>")
@role_required(Role.NURSE, Role.MANAGER)
def concern(concern_id: int) -> ResponseReturnValue:
    """Show one concern."""
    found = raising.by_id(db.session, signed_in().scope, concern_id)
    return _page(found, ConcernForm(formdata=None))


@bp.post("/<int:concern_id>/acknowledge")
@role_required(Role.NURSE)
def acknowledge(concern_id: int) -> ResponseReturnValue:
    """Take a concern on."""
    actor, now = signed_in(), deps().clock()
    found = raising.by_id(db.session, actor.scope, concern_id)
    raising.acknowledge(db.session, found, by_staff_id=actor.staff_id, now=now)
    _audit("took on a concern", found)
    db.session.commit()
    return redirect(url_for("concerns.concern", concern_id=concern_id))


@bp.post("/<int:concern_id>")
@role_required(Role.NURSE)
def work(concern_id: int) -> ResponseReturnValue:
    """Keep what was done, and close the concern if asked to."""
    actor, now, form = signed_in(), deps().clock(), ConcernForm()
    found = raising.by_id(db.session, actor.scope, concern_id)
    if not form.validate_on_submit():
        return _page(found, form), 422
    keep = raising.close if form.close.data else raising.note
    keep(db.session, found, form.note.data or "", by_staff_id=actor.staff_id, now=now)
    _audit("closed a concern" if form.close.data else "noted on a concern", found)
    db.session.commit()
    flash(_("Closed.") if form.close.data else _("Saved."), "good")
    return redirect(url_for("concerns.open_concerns"))


def _page(found: Concern, form: ConcernForm) -> str:
    return render_template(
        "concerns/concern.html",
        concern=found,
        form=form,
        steps=raising.steps_of(db.session, found.id),
        number=registry.working_number(db.session, found.patient_id),
        readings=readings.latest(db.session, found.patient_id, list(MeasureKind)),
        kind_words=KIND_WORDS,
        urgency_words=URGENCY_WORDS,
        step_words=STEP_WORDS,
    )


def _audit(action: str, found: Concern) -> None:
    trail.record(
        db.session,
        action,
        actor_id=signed_in().staff_id,
        now=deps().clock(),
        clinic_id=found.clinic_id,
        patient_id=found.patient_id,
        about=("concern", found.id),
    )
