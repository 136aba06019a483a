"""What callers use while somebody is on the line: telling the nurse, and seeing who is on it."""

import secrets

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from outreach.accounts.access import actor_or_none, role_required, signed_in
from outreach.accounts.models import Clinic
from outreach.accounts.rules import Role
from outreach.audit import trail
from outreach.concerns import raising, readiness, rota, watching
from outreach.concerns.forms import RaiseForm, WordsForm
from outreach.concerns.labels import KIND_WORDS, RISK_WORDS
from outreach.concerns.models import Concern
from outreach.concerns.readiness import NobodyOnCall
from outreach.concerns.watching import Waiting
from outreach.db import db
from outreach.deps import deps
from outreach.patients import registry
from outreach.patients.models import Patient

bp = Blueprint("safety", __name__, url_prefix="/safety")

ON_THE_LINE = (Role.CALLER, Role.NURSE)
TOLD_OF_CONCERNS = (Role.NURSE, Role.MANAGER)


@bp.route("/<ref>/raise", methods=["GET", "POST"])
@role_required(*ON_THE_LINE)
def raise_concern(ref: str) -> ResponseReturnValue:
    """Tell the nurse. A page by itself; the call screen sends the same form in place."""
    now, patient, form = deps().clock(), _patient(ref), RaiseForm()
    if not form.validate_on_submit():
        form.form_key.data = form.form_key.data or secrets.token_urlsafe(18)
        page = render_template("concerns/raise.html", form=form, **_shown(patient))
        return page, 422 if form.errors else 200
    concern = raising.raise_concern(
        db.session, patient, form.to_raised(), by_staff_id=signed_in().staff_id, now=now
    )
    audit("raised a concern", concern)
    db.session.commit()
    if "X-Background" in request.headers:
        return render_template("concerns/_watch.html", is_placed=False, **_shown(patient)), 201
    return redirect(url_for("safety.told", ref=ref, after="call"))


@bp.get("/<ref>")
@role_required(*ON_THE_LINE)
def told(ref: str) -> ResponseReturnValue:
    """Show what to do and say now, who was told, and whom to ring as well."""
    page = "concerns/_watch.html" if "X-Background" in request.headers else "concerns/told.html"
    return render_template(page, form=WordsForm(formdata=None), **_shown(_patient(ref)))


@bp.post("/<ref>/<int:concern_id>")
@role_required(*ON_THE_LINE)
def add_words(ref: str, concern_id: int) -> ResponseReturnValue:
    """Keep what the caller learned after raising a concern."""
    now, patient, form = deps().clock(), _patient(ref), WordsForm()
    concern = raising.by_id(db.session, signed_in().scope, concern_id)
    if concern.patient_id != patient.id:
        raise raising.NoSuchConcern("There is no such concern.")
    if not form.validate_on_submit():
        return render_template("concerns/told.html", form=form, **_shown(patient)), 422
    words = form.words.data or ""
    raising.add_words(db.session, concern, words, by_staff_id=signed_in().staff_id, now=now)
    audit("added to a concern", concern)
    db.session.commit()
    return redirect(url_for("safety.told", ref=ref, after="call"))


@bp.get("/<ref>/nobody")
@role_required(*ON_THE_LINE)
def nobody(ref: str) -> ResponseReturnValue:
    """Say that nobody is on call, and who can put that right."""
    return _nobody_page(_patient(ref).clinic_id)


@bp.get("/waiting")
@role_required(*TOLD_OF_CONCERNS)
def waiting() -> ResponseReturnValue:
    """Return the line that tells nurses of concerns on every page."""
    return render_template("concerns/_alert.html", waiting=_waiting())


@bp.app_errorhandler(NobodyOnCall)
def _refused(error: NobodyOnCall) -> ResponseReturnValue:
    """Answer whatever tried to start a call."""
    db.session.rollback()
    return _nobody_page(error.clinic_id), 422


@bp.app_template_global("waiting_concerns")
def _waiting() -> Waiting:
    """Return what waits for the person at the keyboard, in the roles that are told of it."""
    actor = actor_or_none()
    if actor is None:
        return Waiting(0, None, is_urgent=False)
    return watching.waiting(db.session, actor.acting_as(TOLD_OF_CONCERNS).scope)


bp.add_app_template_global(lambda kind: RISK_WORDS[kind], "risk_words")
bp.add_app_template_global(lambda kind: KIND_WORDS[kind], "concern_words")


@bp.app_template_global("new_raise_form")
def _new_raise_form() -> RaiseForm:
    """Return the form of the call screen's panel, under a key of its own."""
    return RaiseForm(formdata=None, data={"form_key": secrets.token_urlsafe(18)})


def _nobody_page(clinic_id: int) -> str:
    now = deps().clock()
    return render_template(
        "concerns/nobody.html",
        clinic=db.session.get_one(Clinic, clinic_id),
        watch=readiness.watch(db.session, clinic_id, now=now),
        fixers=rota.people(db.session, clinic_id, now=now, roles=(Role.MANAGER,)),
    )


def _shown(patient: Patient) -> dict[str, object]:
    """Return what every page with the card on it shows."""
    return {
        "patient": patient,
        "safety": watching.safety_of(db.session, patient, now=deps().clock()),
    }


def _patient(ref: str) -> Patient:
    return registry.to_write(db.session, signed_in().scope, ref)


def audit(action: str, concern: Concern) -> None:
    """Keep who did what to a concern; of the nurses' pages as well."""
    trail.record(
        db.session,
        action,
        actor_id=signed_in().staff_id,
        now=deps().clock(),
        clinic_id=concern.clinic_id,
        patient_id=concern.patient_id,
        about=("concern", concern.id),
    )
