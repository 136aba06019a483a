"""Pages on which nurses make sure that somebody whom calls don't reach is well."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from outreach.accounts.access import actor_or_none, role_required, signed_in
from outreach.accounts.rules import Role
from outreach.audit import trail
from outreach.db import db
from outreach.deps import deps
from outreach.patients import registry
from outreach.patients.models import Patient
from outreach.planning.models import FollowUp
from outreach.sent_again import said_before
from outreach.welfare import checks
from outreach.welfare.checks import NotTriedYet
from outreach.welfare.forms import CloseForm, ContactForm, StepForm
from outreach.welfare.labels import OUTCOME_WORDS, STEP_WORDS, TO_DO_WORDS
from outreach.welfare.models import EmergencyContact
from outreach.welfare.rules import Outcome

bp = Blueprint("welfare", __name__, url_prefix="/welfare")

WORKING = (Role.NURSE, Role.MANAGER)
KNOWING = (Role.CALLER, Role.NURSE, Role.MANAGER, Role.ADMINISTRATOR)


@bp.get("/")
@role_required(*WORKING)
def board() -> ResponseReturnValue:
    """List whom nobody has reached for so long that somebody makes sure they are well."""
    count, shown = checks.open_checks(db.session, signed_in().scope, now=deps().clock())
    return render_template(
        "welfare/board.html", count=count, shown=shown, words=STEP_WORDS, to_do=TO_DO_WORDS
    )


@bp.get("/<int:follow_up_id>")
@role_required(*WORKING)
def check(follow_up_id: int) -> ResponseReturnValue:
    """Show one check with what was tried."""
    found = checks.by_id(db.session, signed_in().scope, follow_up_id)
    return _page(found, StepForm(formdata=None), CloseForm(formdata=None))


@bp.post("/<int:follow_up_id>/steps")
@role_required(*WORKING)
def step(follow_up_id: int) -> ResponseReturnValue:
    """Note what was tried."""
    actor, now, form = signed_in(), deps().clock(), StepForm()
    found = checks.by_id(db.session, actor.scope, follow_up_id)
    if not form.validate_on_submit():
        return _page(found, form, CloseForm(formdata=None)), 422
    note = form.note.data or ""
    checks.note_step(db.session, found, form.tried, note, by_staff_id=actor.staff_id, now=now)
    db.session.commit()
    flash(_("Noted."), "good")
    return redirect(url_for("welfare.check", follow_up_id=follow_up_id))


@bp.post("/<int:follow_up_id>/close")
@role_required(*WORKING)
def close(follow_up_id: int) -> ResponseReturnValue:
    """End a check with what is known now."""
    actor, now, form = signed_in(), deps().clock(), CloseForm()
    found = checks.by_id(db.session, actor.scope, follow_up_id)
    if not form.validate_on_submit():
        return _page(found, StepForm(formdata=None), form), 422
    note = form.note.data or ""
    try:
        checks.close(db.session, found, form.ended, note, by_staff_id=actor.staff_id, now=now)
    except NotTriedYet as error:
        form.refuse(error.missing)
        return _page(found, StepForm(formdata=None), form), 422
    db.session.commit()
    flash(_("Ended."), "good")
    if form.ended is Outcome.DIED:
        flash(_("Their programme has ended: calls and texts have stopped."), "urgent")
    return redirect(url_for("welfare.board"))


@bp.route("/contact/<ref>", methods=["GET", "POST"])
@role_required(*KNOWING)
def contact(ref: str) -> ResponseReturnValue:
    """Keep whom to ring about a patient, and whether the patient agreed to it."""
    patient = registry.to_write(db.session, signed_in().scope, ref)
    known = checks.contacts_of(db.session, [patient.id]).get(patient.id)
    form = ContactForm.of(known, patient.clinic.region)
    if form.validate_on_submit():
        _keep_contact(patient, form)
        db.session.commit()
        flash(_("Saved."), "good")
        return redirect(url_for("chart.patient", ref=ref))
    page = render_template("welfare/contact.html", patient=patient, form=form, known=known)
    return page, 422 if form.errors else 200


def _keep_contact(patient: Patient, form: ContactForm) -> None:
    row = _contact_of(patient, form)
    if said_before(db.session, row) is not None:  # sent twice
        return
    db.session.add(row)
    trail.record(
        db.session,
        "changed the emergency contact",
        actor_id=row.by_staff_id,
        now=row.at,
        clinic_id=patient.clinic_id,
        patient_id=patient.id,
        about=("patient", patient.id),
    )


def _contact_of(patient: Patient, form: ContactForm) -> EmergencyContact:
    return EmergencyContact(
        clinic_id=patient.clinic_id,
        patient_id=patient.id,
        name=(form.name.data or "").strip(),
        relation=(form.relation.data or "").strip(),
        e164=form.e164,
        is_agreed=bool(form.is_agreed.data),
        at=deps().clock(),
        by_staff_id=signed_in().staff_id,
    )


def _page(found: FollowUp, form: StepForm, close_form: CloseForm) -> str:
    ref = db.session.get_one(Patient, found.patient_id).ref
    patient = registry.by_ref(db.session, signed_in().scope, ref)
    return render_template(
        "welfare/check.html",
        follow_up=found,
        patient=patient,
        form=form,
        close_form=close_form,
        steps=checks.steps_of(db.session, found),
        contact=checks.contacts_of(db.session, [patient.id]).get(patient.id),
        numbers=registry.numbers_of(db.session, patient.id),
        words=STEP_WORDS,
        outcomes=OUTCOME_WORDS,
    )


@bp.app_template_global("open_welfare_checks")
def _open_welfare_checks() -> int:
    """Return how many checks wait for the person at the keyboard, as nurse or manager."""
    actor = actor_or_none()
    return checks.count_open(db.session, actor.acting_as(WORKING).scope) if actor else 0


@bp.app_template_global("emergency_contact")
def _emergency_contact(patient: Patient) -> EmergencyContact | None:
    """Return whom a patient named."""
    return checks.contacts_of(db.session, [patient.id]).get(patient.id)
