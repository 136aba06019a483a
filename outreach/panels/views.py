"""Pages on which patients get their caller."""

from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from outreach.accounts import staff
from outreach.accounts.access import role_required, signed_in
from outreach.accounts.models import Clinic
from outreach.accounts.rules import Role
from outreach.db import db
from outreach.deps import deps
from outreach.panels import assignment, roster
from outreach.panels.assignment import AlreadyAssigned, PanelFull, UnfitCaller
from outreach.panels.forms import Answers, AssignForm, ChangeCallerForm, lines_of, place_of
from outreach.panels.models import PanelMembership
from outreach.patients import finding
from outreach.patients.models import Patient
from outreach.programmes import enrolment as enrolments

bp = Blueprint("panels", __name__)

MANAGERS = (Role.MANAGER, Role.ADMINISTRATOR)
MOST_LINES = 100


@bp.route("/panels/", methods=["GET", "POST"])
@role_required(*MANAGERS)
def assign() -> ResponseReturnValue:
    """Show who waits for a caller, and give the ticked ones theirs."""
    now, scope = deps().clock(), finding.managing(signed_in())
    clinic = staff.clinic_in(db.session, scope, request.values.get("clinic"))
    form = AssignForm()
    if not form.validate_on_submit():
        return _panels_page(clinic, form, None, now=now)
    answers = Answers.posted(request.form)
    if answers.unanswered or not answers.ticked:
        form.refuse(
            _("Every ticked patient needs a caller.")
            if answers.ticked
            else _("Tick at least one patient.")
        )
        return _panels_page(clinic, form, answers, now=now), 422
    return _assign(clinic, form, answers, now=now)


@bp.route("/patients/<ref>/caller", methods=["GET", "POST"])
@role_required(*MANAGERS)
def change_caller(ref: str) -> ResponseReturnValue:
    """Give one patient another caller, with a note for them."""
    now = deps().clock()
    patient = finding.to_manage(db.session, signed_in(), ref)
    enrolment = enrolments.current(db.session, patient.id)
    if enrolment is None:
        raise assignment.NoSuchEnrolment("This patient is in no programme.")
    current = assignment.current_membership(db.session, enrolment.id)
    form = _change_form(patient, current, now=now)
    if form.validate_on_submit() and _is_changed(form, enrolment.id, now=now):
        db.session.commit()
        flash(_("The new caller has this patient on their panel now."), "good")
        return redirect(url_for("chart.patient", ref=ref))
    page = render_template(
        "panels/change_caller.html", patient=patient, form=form, has_caller=current is not None
    )
    return page, 422 if form.errors else 200


def _assign(
    clinic: Clinic, form: AssignForm, answers: Answers, *, now: datetime
) -> ResponseReturnValue:
    """Assign as answered; on refusal show the page again with what was chosen."""
    try:
        count = assignment.assign(
            db.session,
            answers.wanted,
            by_staff_id=signed_in().staff_id,
            now=now,
            clinic_id=clinic.id,
            above_cap=form.above_cap.data,
        )
    except (AlreadyAssigned, UnfitCaller, PanelFull) as error:
        db.session.rollback()
        return _refused(clinic, form, answers, error, now=now)
    db.session.commit()
    flash(ngettext("Assigned %(num)s patient.", "Assigned %(num)s patients.", count), "good")
    return redirect(url_for("panels.assign", clinic=clinic.code))


def _refused(
    clinic: Clinic,
    form: AssignForm,
    answers: Answers,
    error: AlreadyAssigned | UnfitCaller | PanelFull,
    *,
    now: datetime,
) -> ResponseReturnValue:
    match error:
        case AlreadyAssigned():
            form.refuse(
                _("Somebody else chose a caller for some of these meanwhile. They left the list.")
            )
            return _panels_page(clinic, form, answers, now=now), 409
        case UnfitCaller():
            form.refuse(_("Some of these callers don't fit."))
            page = _panels_page(clinic, form, answers, error.enrolment_ids, now=now)
            return page, 422
        case PanelFull():
            form.above_cap.errors = [_("Tick this to go above the cap of a panel.")]
            return _panels_page(clinic, form, answers, now=now), 422


def _panels_page(
    clinic: Clinic,
    form: AssignForm,
    answers: Answers | None,
    refused: frozenset[int] = frozenset(),
    *,
    now: datetime,
) -> str:
    waiting = roster.waiting(db.session, clinic.id, limit=MOST_LINES)
    callers = roster.callers(db.session, clinic.id, on=now.date())
    return render_template(
        "panels/assign.html",
        form=form,
        clinic=clinic,
        clinics=staff.clinics_in(db.session, finding.managing(signed_in())),
        callers=callers,
        lines=lines_of(waiting, callers, answers, refused),
        waiting_count=roster.count_waiting(db.session, clinic.id),
        place_of=place_of,
    )


def _change_form(
    patient: Patient, current: PanelMembership | None, *, now: datetime
) -> ChangeCallerForm:
    able = [
        caller
        for caller in roster.callers(db.session, patient.clinic_id, on=now.date())
        if patient.language in caller.languages
        and (current is None or caller.caller_id != current.caller_id)
    ]
    return ChangeCallerForm.of(able, current.id if current else None)


def _is_changed(form: ChangeCallerForm, enrolment_id: int, *, now: datetime) -> bool:
    """Change the caller as answered, or put the reason beside the field."""
    try:
        assignment.change_caller(
            db.session,
            enrolment_id,
            form.to_handover(),
            by_staff_id=signed_in().staff_id,
            now=now,
            above_cap=form.above_cap.data,
        )
    except PanelFull:
        db.session.rollback()
        form.above_cap.errors = [_("Their panel is full. Tick this to go above the cap.")]
        return False
    return True
