"""The register, one patient on one page, and what may be changed from there."""

from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from outreach import orm
from outreach.accounts.access import role_required, signed_in
from outreach.accounts.rules import Actor, Role
from outreach.audit import trail
from outreach.chart import care, graphs, labels, readings, timeline
from outreach.chart import handover as handovers
from outreach.chart import register as patient_register
from outreach.chart.forms import ReadForm, RhythmForm, SearchForm, StatusForm
from outreach.chart.rules import may_enrol
from outreach.db import db
from outreach.deps import deps
from outreach.panels import duty
from outreach.patients import finding, registry
from outreach.patients.forms import DetailsForm
from outreach.patients.models import Patient
from outreach.patients.rules import age_on
from outreach.patients.views import KEEPERS
from outreach.patients.views import bp as patients
from outreach.programmes import milestones, protocol
from outreach.results import correcting
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
        **_duty(cared, now=now),
        may_enrol=may_enrol(cared.course.enrolment.status if cared.course else None),
        programmes=protocol.names(db.session),
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
    page = render_template(
        "chart/rhythm.html",
        patient=shown,
        form=form,
        phase=phase,
        history=timeline.rhythms_of(db.session, shown.id),
    )
    return page, 422 if form and form.errors else 200


@bp.route("/<ref>/status", methods=["GET", "POST"])
@role_required(*KEEPERS)
def status(ref: str) -> ResponseReturnValue:
    """Pause, resume or end somebody's part in the programme."""
    now, actor = deps().clock(), signed_in()
    shown = finding.to_change(db.session, actor, ref)
    course = care.open_course_of(db.session, shown, now=now)
    form = StatusForm.of(course)
    if form.validate_on_submit():
        change = form.to_change(course.enrolment.status)
        care.change_status(db.session, course, change, by_staff_id=actor.staff_id, now=now)
        return _saved(shown, "changed status", _("Saved."), now=now)
    page = render_template("chart/status.html", patient=shown, form=form, course=course)
    return page, 422 if form.errors else 200


@bp.route("/<ref>/handover", methods=["GET", "POST"])
@role_required(*KEEPERS)
def handover(ref: str) -> ResponseReturnValue:
    """Show what to know before the first call; say that it was read, and go on to the call."""
    now, actor = deps().clock(), signed_in()
    shown = registry.by_ref(db.session, actor.scope, ref)
    form = ReadForm()
    if form.validate_on_submit():
        seen = form.seen.data or ""
        handovers.mark_read(db.session, shown, actor.staff_id, seen, now=now)
        db.session.commit()
        return redirect(_to_call(shown, actor, now=now))
    summary = handovers.summary_of(db.session, shown, actor.staff_id, now=now)
    form.seen.data = summary.unread
    page = render_template(
        "chart/handover.html",
        summary=summary,
        form=form,
        may_ask=actor.staff_id != summary.taken_over.caller.id,
    )
    _note_view(shown, now=now)
    return page


@bp.post("/<ref>/enrolment")
@role_required(Role.MANAGER, Role.ADMINISTRATOR)
def enrol(ref: str) -> ResponseReturnValue:
    """Enrol a patient from today on."""
    now, actor = deps().clock(), signed_in()
    shown = finding.to_manage(db.session, actor, ref)
    programme = request.form.get("programme") or protocol.PUBLISHED
    care.enrol(db.session, shown, programme, by_staff_id=actor.staff_id, now=now)
    return _saved(shown, "enrolled", _("Enrolled. Now choose a caller."), now=now)


@bp.post("/<ref>/milestones/<code>")
@role_required(*KEEPERS)
def milestone(ref: str, code: str) -> ResponseReturnValue:
    """Note that a milestone was seen to."""
    now, actor = deps().clock(), signed_in()
    shown = finding.to_change(db.session, actor, ref)
    course = care.open_course_of(db.session, shown, now=now)
    enrolment = course.enrolment
    milestones.mark_done(
        db.session, enrolment, course.protocol, code, by_staff_id=actor.staff_id, now=now
    )
    return _saved(shown, "saw to milestone", _("Noted."), now=now)


def _duty(cared: care.Care, *, now: datetime) -> dict[str, object]:
    """Return what the reader has to do with the calls: theirs now, theirs again, to read first."""
    staff_id, membership = signed_in().staff_id, cared.membership
    is_caller = cared.on_duty_id == staff_id
    if membership is None or not (is_caller or membership.caller_id == staff_id):
        return {"is_caller": False, "is_dedicated": False, "is_unread": False, "meanwhile": ()}
    unread = duty.unread_handover(db.session, membership.enrolment_id, staff_id, now=now)
    return {
        "is_caller": is_caller,
        "is_dedicated": membership.caller_id == staff_id,
        "is_unread": is_caller and unread is not None,
        "meanwhile": handovers.meanwhile(db.session, membership, staff_id, now=now),
    }


def _to_call(shown: Patient, actor: Actor, *, now: datetime) -> str:
    """Return the call of a patient where the reader may make it, else the patient's page."""
    cared = care.of_patient(db.session, shown, now=now)
    is_callable = cared.next_call is not None and cared.on_duty_id == actor.staff_id
    return url_for("calls.call" if is_callable else "chart.patient", ref=shown.ref)


def _measured(shown: Patient) -> dict[str, object]:
    """Return a patient's readings, and the charts of them."""
    found = readings.of_patient(db.session, shown.id)
    zone = ZoneInfo(shown.zone)
    return {
        "readings": found,
        "reading_lines": readings.table_of(db.session, shown.id, found),
        "may_correct": lambda reading: correcting.may_correct(signed_in(), reading),
        "charts": graphs.of_patient(found, zone, shown.clinic.glucose_unit),
        "body_mass": readings.body_mass(found),
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
