"""Pages about what patients send back: what waits for a person, and one conversation."""

import secrets
from collections.abc import Sequence
from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from outreach.accounts.access import actor_or_none, may_open, role_required, signed_in
from outreach.accounts.rules import Role
from outreach.audit import trail
from outreach.db import db
from outreach.deps import deps
from outreach.errors import RuleBroken
from outreach.inbox import drafts, permission, thread
from outreach.inbox import waiting as queue
from outreach.inbox.labels import UNDERSTOOD
from outreach.inbox.models import InboxItem
from outreach.messaging.labels import SKIP_WORDS, STATUS_WORDS
from outreach.patients import registry
from outreach.patients.models import Patient
from outreach.planning.models import PlannedCall
from outreach.web.template_filters import local_weekday_time

bp = Blueprint("inbox", __name__, url_prefix="/texts")
bp.add_app_template_global(lambda understood: UNDERSTOOD[understood], "understood_words")

EVERYBODY = (Role.CALLER, Role.NURSE, Role.MANAGER, Role.ADMINISTRATOR)


@bp.get("/")
@role_required(*EVERYBODY)
def waiting() -> ResponseReturnValue:
    """List the texts that wait for a person: danger first, then the newest."""
    now, scope = deps().clock(), signed_in().scope
    only_old = request.args.get("show") == "old"
    found = queue.items(db.session, scope, only_old=only_old, now=now)
    counts = queue.counts(db.session, scope, now=now)
    return render_template("inbox/waiting.html", items=found, counts=counts, only_old=only_old)


@bp.post("/items/<int:item_id>/done")
@role_required(*EVERYBODY)
def done(item_id: int) -> ResponseReturnValue:
    """Note that somebody has seen to a text."""
    now, actor = deps().clock(), signed_in()
    item = queue.item_of(db.session, actor.scope, item_id)
    queue.see_to(db.session, item, actor.staff_id, now=now)
    _audit("saw to a text", ("inbox_item", item.id))
    db.session.commit()
    return _back(item.patient)


@bp.post("/items/<int:item_id>/stop")
@role_required(*EVERYBODY)
def stop(item_id: int) -> ResponseReturnValue:
    """Write down that a text asked for no more texts."""
    now, actor = deps().clock(), signed_in()
    item = queue.item_of(db.session, actor.scope, item_id)
    queue.record_stop(db.session, item, actor, now=now)
    _audit("recorded that texts stop", ("inbox_item", item.id))
    db.session.commit()
    flash(_("Saved: no more texts go to this number. Calls go on."), "good")
    return _back(item.patient)


@bp.get("/with/<ref>")
@role_required(*EVERYBODY)
def conversation(ref: str) -> ResponseReturnValue:
    """Show one conversation; its lines alone where the page refreshes itself."""
    patient = _patient(ref)
    if "HX-Request" in request.headers:
        return render_template("inbox/_lines.html", **_shown(patient))
    with db.sessionmaker.begin() as own:
        trail.record(
            own,
            "read texts",
            actor_id=signed_in().staff_id,
            now=deps().clock(),
            about=("patient", patient.id),
        )
    return _page(patient, drafts.of(db.session, patient.id, signed_in().staff_id))


@bp.post("/with/<ref>")
@role_required(*EVERYBODY)
def answer(ref: str) -> ResponseReturnValue:
    """Answer in one's own words."""
    now, actor, patient = deps().clock(), signed_in(), _patient(ref)
    written, key = request.form.get("text", ""), request.form.get("form_key", "")
    if not key:
        key = secrets.token_urlsafe(18)
    try:
        goes_at = thread.answer(db.session, patient, actor, written, form_key=key, now=now)
    except RuleBroken as error:
        db.session.rollback()
        return _page(_patient(ref), written, error=_(str(error))), 422
    _audit("answered a text", ("patient", patient.id))
    db.session.commit()
    flash(_told(goes_at, now, patient.zone), "good")
    return redirect(url_for("inbox.conversation", ref=ref))


@bp.post("/with/<ref>/draft")
@role_required(*EVERYBODY)
def draft(ref: str) -> ResponseReturnValue:
    """Keep what is being typed."""
    patient = _patient(ref)
    drafts.save(
        db.session,
        patient,
        signed_in().staff_id,
        request.form.get("text", ""),
        now=deps().clock(),
    )
    db.session.commit()
    return "", 204


@bp.post("/with/<ref>/readings")
@role_required(*EVERYBODY)
def readings(ref: str) -> ResponseReturnValue:
    """Keep whether a patient agreed to send readings by text."""
    patient, actor = _patient(ref), signed_in()
    permission.note(
        db.session,
        patient,
        is_given=request.form.get("agreed") == "yes",
        by_staff_id=actor.staff_id,
        now=deps().clock(),
    )
    _audit("kept whether readings may be texted", ("patient", patient.id))
    db.session.commit()
    flash(_("Saved."), "good")
    return redirect(url_for("inbox.conversation", ref=ref))


@bp.app_template_global("texts_waiting")
def texts_waiting() -> int:
    """Return how many texts wait for the person at the keyboard; for the navigation."""
    if not may_open("inbox.waiting"):
        return 0
    actor = actor_or_none()
    return queue.counts(db.session, actor.scope, now=deps().clock())[0] if actor else 0


@bp.app_template_global("texts_of")
def _texts_of(patient_id: int) -> Sequence[InboxItem]:
    """Return what one patient wrote and nobody has answered."""
    return queue.of_patient(db.session, patient_id)


@bp.app_template_global("confirmed_by_text")
def _confirmed_by_text(call: PlannedCall) -> datetime | None:
    """Return when the patient confirmed the time of a call by text."""
    return queue.confirmed_at(db.session, call.id, call.dial_from_at)


def _page(patient: Patient, text: str, error: str = "") -> str:
    return render_template(
        "inbox/conversation.html",
        text=text,
        error=error,
        form_key=secrets.token_urlsafe(18),
        longest=drafts.LONGEST,
        sends_readings=permission.is_given(db.session, patient.id),
        **_shown(patient),
    )


def _shown(patient: Patient) -> dict[str, object]:
    newest = thread.MOST if request.args.get("show") == "all" else thread.NEWEST
    return {
        "patient": patient,
        "talk": thread.of_patient(db.session, patient, now=deps().clock(), newest=newest),
        "status_words": STATUS_WORDS,
        "skip_words": SKIP_WORDS,
    }


def _told(goes_at: datetime, now: datetime, zone: str) -> str:
    if goes_at <= now:
        return _("Your answer goes out now.")
    when = local_weekday_time(goes_at, zone)
    return _("Outside contact hours there: your answer goes out %(when)s their time.", when=when)


def _patient(ref: str) -> Patient:
    return registry.by_ref(db.session, signed_in().scope, ref)


def _back(patient: Patient | None) -> ResponseReturnValue:
    if patient is not None and request.form.get("from") == "conversation":
        return redirect(url_for("inbox.conversation", ref=patient.ref))
    return redirect(url_for("inbox.waiting"))


def _audit(what: str, about: tuple[str, int]) -> None:
    trail.record(db.session, what, actor_id=signed_in().staff_id, now=deps().clock(), about=about)
