"""Changing goals: from the call, or from the patient's page."""

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from outreach.accounts.access import role_required, signed_in
from outreach.audit import trail
from outreach.db import db
from outreach.deps import deps
from outreach.goals import labels, setting
from outreach.goals.forms import STILL_OPEN, EndingForm, GoalForm
from outreach.goals.rules import GoalArea, GoalEnding
from outreach.patients import finding
from outreach.patients.models import Patient
from outreach.patients.views import KEEPERS

bp = Blueprint("goals", __name__, url_prefix="/patients/<ref>/goals")
bp.add_app_template_global(lambda: labels, "goal_labels")


@bp.post("/")
@role_required(*KEEPERS)
def add(ref: str) -> ResponseReturnValue:
    """Add a goal in the patient's words."""
    now, actor = deps().clock(), signed_in()
    patient = finding.to_change(db.session, actor, ref)
    form = GoalForm()
    if not form.validate_on_submit():
        flash(_("Nothing was saved: write what they want, in at most 300 characters."), "warm")
        return redirect(_onward(patient))
    area, text = GoalArea(form.area.data), form.text.data or ""
    setting.set_goal(db.session, patient, area, text, by_staff_id=actor.staff_id, now=now)
    return _saved(patient, "set a goal")


@bp.post("/<int:goal_id>")
@role_required(*KEEPERS)
def end(ref: str, goal_id: int) -> ResponseReturnValue:
    """End a goal that was reached, or let go; or take it up again."""
    now, actor = deps().clock(), signed_in()
    patient = finding.to_change(db.session, actor, ref)
    form = EndingForm()
    if not form.validate_on_submit():
        abort(400)
    if form.ending.data == STILL_OPEN:
        setting.take_up(db.session, patient, goal_id)
        return _saved(patient, "took up a goal again")
    ending = GoalEnding(form.ending.data)
    setting.end_goal(db.session, patient, goal_id, ending, by_staff_id=actor.staff_id, now=now)
    return _saved(patient, "ended a goal")


def _saved(patient: Patient, action: str) -> ResponseReturnValue:
    trail.record(
        db.session,
        action,
        actor_id=signed_in().staff_id,
        now=deps().clock(),
        clinic_id=patient.clinic_id,
        patient_id=patient.id,
        about=("patient", patient.id),
    )
    db.session.commit()
    flash(_("Saved."), "good")
    return redirect(_onward(patient))


def _onward(patient: Patient) -> str:
    page = "calls.call" if request.form.get("back") == "call" else "chart.patient"
    return url_for(page, ref=patient.ref, _anchor="goals")
