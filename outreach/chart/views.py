"""The register, one patient on one page, and what may be changed from there."""

from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from outreach import orm
from outreach.accounts.access import role_required, signed_in
from outreach.accounts.rules import Role
from outreach.audit import trail
from outreach.chart import care, graphs, labels, readings, timeline
from outreach.chart import register as patient_register
from outreach.chart.forms import RhythmForm, SearchForm, StatusForm
from outreach.chart.rules import may_enrol
from outreach.db import db
from outreach.deps import deps
from outreach.patients import finding, registry
from outreach.patients.forms import DetailsForm
from outreach.patients.models import Patient
from outreach.patients.rules import age_on
from outreach.patients.views import KEEPERS
from outreach.patients.views import bp as patients
from outreach.programmes.rules import EnrolmentStatus
from outreach.web.bounded import whole

bp = Blueprint("chart", __name__, url_prefix="/patients")
bp.add_app_template_global(lambda: labels, "chart_labels")


@patients.route("/", methods=["GET", "POST"])
@role_required(*Role)
def register() -> ResponseReturnValue:
    """List the patients in scope. A search is posted and changes nothing."""
    form = SearchForm(data={"show": request.args.get("show")})
    search = form.to_search(whole(request.values.get("page")))
    actor = signed_in()
    with orm.reading():
        page = patient_register.page(db.session, actor.scope, search, now=deps().clock())
    has_clinics = actor.scope.everything or len({held.clinic_id for held in actor.held}) > 1
    return render_template(
        "patients/register.html", form=form, search=search, page=page, has_clinics=has_clinics
    )


@bp.get("/<ref>")
@role_required(*Role)
def patient(ref: str) -> ResponseReturnValue:
    """Show everything about one patient, newest first."""
    now, actor = deps().clock(), signed_in()
    shown = registry.by_ref(db.session, actor.scope, ref)
    newest = whole(request.args.get("show")) or timeline.STEP
    cared = care.of_patient(db.session, shown, now=now)
    page = render_template(
        "chart/patient.html",
        patient=shown,
        age=age_on(now.astimezone(ZoneInfo(shown.zone)).date(), shown.date_of_birth),
        care=cared,
        timeline=timeline.of_patient(db.session, shown.id, newest=newest),
        shown_entries=newest,
        may_manage=finding.may_manage(actor, shown.clinic_id),
        may_enrol=may_enrol(cared.course.enrolment.status if cared.course else None),
        is_caller=cared.membership is not None and cared.membership.caller_id == actor.staff_id,
        **_measured(shown),
    )
    _note_view(shown, now=now)
    return page


@bp.route("/<ref>/details", methods=["GET", "POST"])
@role_required(*KEEPERS)
def details(ref: str) -> ResponseReturnValue:
    """Change what we know of a patient and when they like to be called."""
    now = deps().clock()
    shown = finding.to_change(db.session, signed_in(), ref)
    form = DetailsForm.of(shown)
    if form.validate_on_submit():
        care.change_details(db.session, shown, form.to_details(), now=now)
        return _saved(shown, "changed details", _("Saved."), now=now)
    page = render_template("chart/details.html", patient=shown, form=form)
    return page, 422 if form.errors else 200


@bp.route("/<ref>/rhythm", methods=["GET", "POST"])
@role_required(*KEEPERS)
def rhythm(ref: str) -> ResponseReturnValue:
    """Note how often the patient wants to be called."""
    now, actor = deps().clock(), signed_in()
    shown = finding.to_change(db.session, actor, ref)
    course = care.open_course_of(db.session, shown, now=now)
    phase = course.choice_ahead
    form = RhythmForm.of(phase, course.rhythm_in(phase)) if phase else None
    if form and form.validate_on_submit():
        value = form.value.data
        care.choose_rhythm(db.session, course, value, by_staff_id=actor.staff_id, now=now)
        return _saved(shown, "chose rhythm", _("Saved. The next call is planned anew."), now=now)
    page = render_template("chart/rhythm.html", patient=shown, form=form, phase=phase)
    return page, 422 if form and form.errors else 200


@bp.route("/<ref>/status", methods=["GET", "POST"])
@role_required(*KEEPERS)
def status(ref: str) -> ResponseReturnValue:
    """Pause, resume or end somebody's part in the programme."""
    now = deps().clock()
    shown = finding.to_change(db.session, signed_in(), ref)
    course = care.open_course_of(db.session, shown, now=now)
    current = course.enrolment.status
    form = StatusForm.of(current)
    if form.validate_on_submit():
        chosen, seen = EnrolmentStatus(form.status.data), form.seen_status(current)
        reason = form.reason.data or ""
        care.change_status(db.session, course, chosen, seen=seen, reason=reason, now=now)
        return _saved(shown, "changed status", _("Saved."), now=now)
    page = render_template("chart/status.html", patient=shown, form=form, course=course)
    return page, 422 if form.errors else 200


@bp.post("/<ref>/enrolment")
@role_required(Role.MANAGER, Role.ADMINISTRATOR)
def enrol(ref: str) -> ResponseReturnValue:
    """Enrol a patient from today on."""
    now = deps().clock()
    shown = finding.to_manage(db.session, signed_in(), ref)
    care.enrol(db.session, shown, now=now)
    return _saved(shown, "enrolled", _("Enrolled. Now choose a caller."), now=now)


def _measured(shown: Patient) -> dict[str, object]:
    """Return a patient's readings, and the charts of them."""
    found = readings.of_patient(db.session, shown.id)
    zone = ZoneInfo(shown.zone)
    return {
        "readings": found,
        "hba1c": graphs.hba1c(found, zone),
        "glucose": graphs.glucose(found, zone, shown.clinic.glucose_unit),
    }


def _note_view(shown: Patient, *, now: datetime) -> None:
    """Note in a transaction of its own who looked: the page itself only reads."""
    with db.sessionmaker.begin() as own:
        _note(own, shown, "viewed patient", now=now)


def _saved(shown: Patient, action: str, words: str, *, now: datetime) -> ResponseReturnValue:
    _note(db.session, shown, action, now=now)
    db.session.commit()
    flash(words, "good")
    return redirect(url_for("chart.patient", ref=shown.ref))


def _note(session: Session, shown: Patient, action: str, *, now: datetime) -> None:
    trail.record(
        session,
        action,
        actor_id=signed_in().staff_id,
        now=now,
        clinic_id=shown.clinic_id,
        patient_id=shown.id,
        about=("patient", shown.id),
    )
