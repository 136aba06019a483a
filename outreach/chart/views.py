"""One patient on one page, and what may be changed from there."""

from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from outreach.accounts.access import may_open, role_required, signed_in
from outreach.accounts.rules import Actor, Role
from outreach.audit import trail
from outreach.chart import care, graphs, labels, readings, timeline, why
from outreach.chart import follow_ups as contacts
from outreach.chart import handover as handovers
from outreach.chart.forms import (
    FollowUpForm,
    ReadForm,
    RhythmForm,
    StatusForm,
    WelfareCheckForm,
    WishForm,
)
from outreach.chart.rules import may_enrol
from outreach.clock import local_day
from outreach.concerns import flags, limits
from outreach.db import db
from outreach.deps import deps
from outreach.goals import setting
from outreach.panels import duty
from outreach.patients import finding, registry
from outreach.patients.forms import DetailsForm, RecordForm
from outreach.patients.models import Patient
from outreach.patients.registry import OfRecord
from outreach.patients.rules import age_on
from outreach.patients.views import KEEPERS
from outreach.planning import follow_ups as planned
from outreach.planning.models import FollowUp
from outreach.planning.rules import FollowUpKind
from outreach.programmes import milestones, protocol
from outreach.questionnaires import answered, item_by_item, licences
from outreach.results import correcting
from outreach.web.bounded import whole

bp = Blueprint("chart", __name__, url_prefix="/patients")
bp.add_app_template_global(lambda: labels, "chart_labels")

READERS = (*KEEPERS, Role.NURSE)


@bp.get("/<ref>")
@role_required(*READERS)
def patient(ref: str) -> ResponseReturnValue:
    """Show everything about one patient, newest first."""
    now, actor = deps().clock(), signed_in()
    shown = registry.by_ref(db.session, actor.scope, ref)
    newest = whole(request.args.get("show")) or timeline.STEP
    cared = care.of_patient(db.session, shown, now=now)
    today = local_day(now, ZoneInfo(shown.zone))
    return render_template(
        "chart/patient.html",
        patient=shown,
        age=age_on(today, shown.date_of_birth),
        care=cared,
        call_today=why.calls(db.session, shown, cared, now=now),
        text_today=why.messages(db.session, shown, cared, now=now),
        timeline=timeline.of_patient(db.session, shown.id, newest=newest),
        shown_entries=newest,
        may_manage=finding.may_manage(actor, shown.clinic_id),
        risk_flags=flags.of_patient(db.session, shown.id),
        today=today,
        is_call_due=cared.is_call_due(today, ZoneInfo(shown.zone)),
        **_duty(cared, now=now),
        may_enrol=may_enrol(cared.course.enrolment.status if cared.course else None),
        programmes=protocol.names(db.session),
        goals=setting.open_of(db.session, shown.id),
        ended_goals=setting.ended_of(db.session, shown.id),
        **_measured(shown, now=now),
        **_questionnaires(shown, now=now),
    )


@bp.route("/<ref>/details", methods=["GET", "POST"])
@role_required(*KEEPERS)
def details(ref: str) -> ResponseReturnValue:
    """Change what we know of a patient and when they like to be called."""
    now = deps().clock()
    shown = finding.to_change(db.session, signed_in(), ref)
    form = _details_form(shown, now=now)
    if form.validate_on_submit():
        details, had = form.to_details(), OfRecord(shown.sex, shown.date_of_birth)
        care.change_details(db.session, shown, details, now=now)
        if details.record not in (None, had):
            _note(db.session, shown, "corrected sex or date of birth", now=now)
        return _saved(shown, "changed details", _("Saved."), now=now)
    page = render_template("chart/details.html", patient=shown, form=form)
    return page, 422 if form.errors else 200


def _details_form(shown: Patient, *, now: datetime) -> DetailsForm:
    """Return the form of a patient's details: managers correct the record in it too."""
    if finding.may_manage(signed_in(), shown.clinic_id):
        return RecordForm.on(local_day(now, ZoneInfo(shown.zone)), shown)
    return DetailsForm.of(shown)


@bp.post("/<ref>/wishes")
@role_required(*KEEPERS)
def wishes(ref: str) -> ResponseReturnValue:
    """Add or drop one weekday or part of the day that the patient likes."""
    now = deps().clock()
    shown = finding.to_change(db.session, signed_in(), ref)
    changed = WishForm().changed(shown.wishes)
    care.change_wishes(db.session, shown, changed, now=now)
    return _saved(shown, "changed wishes", _("Saved."), now=now)


@bp.post("/<ref>/welfare-check")
@role_required(*KEEPERS)
def welfare_check(ref: str) -> ResponseReturnValue:
    """Note whether a nurse may make sure that somebody is well whom nobody reaches for long."""
    now = deps().clock()
    shown = finding.to_change(db.session, signed_in(), ref)
    shown.is_welfare_check_agreed = WelfareCheckForm().answer
    return _saved(shown, "noted what they said to a welfare check", _("Saved."), now=now)


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
    return render_template(
        "chart/handover.html",
        summary=summary,
        form=form,
        may_ask=actor.staff_id != summary.taken_over.caller.id,
    )


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


@bp.get("/follow-ups/")
@role_required(Role.MANAGER, Role.ADMINISTRATOR)
def follow_ups() -> ResponseReturnValue:
    """List whom calls don't get through to, for a coordinator to check how to reach them."""
    checks = contacts.open_checks(db.session, signed_in().scope, now=deps().clock())
    return render_template("chart/follow_ups.html", checks=checks)


@bp.route("/follow-ups/<int:follow_up_id>", methods=["GET", "POST"])
@role_required(*KEEPERS)
def follow_up(follow_up_id: int) -> ResponseReturnValue:
    """Close a follow-up with a note on what was done."""
    now, actor = deps().clock(), signed_in()
    found, shown = _to_follow_up(actor, follow_up_id)
    form = FollowUpForm()
    if form.validate_on_submit():
        note = (form.note.data or "").strip()
        planned.complete(db.session, found, note, by_staff_id=actor.staff_id, now=now)
        _note(db.session, shown, "saw to follow-up", now=now)
        db.session.commit()
        flash(_("Noted."), "good")
        return redirect(_back_from(found, shown))
    page = render_template("chart/follow_up.html", patient=shown, follow_up=found, form=form)
    return page, 422 if form.errors else 200


@bp.post("/follow-ups/<int:follow_up_id>/letter")
@role_required(Role.MANAGER, Role.ADMINISTRATOR)
def letter(follow_up_id: int) -> ResponseReturnValue:
    """Note that a letter went out."""
    now, actor = deps().clock(), signed_in()
    found, shown = _to_follow_up(actor, follow_up_id)
    planned.note_letter(db.session, found, now=now)
    _note(db.session, shown, "sent letter", now=now)
    db.session.commit()
    return redirect(_back_from(found, shown))


@bp.post("/follow-ups/<int:follow_up_id>/unreachable")
@role_required(Role.MANAGER, Role.ADMINISTRATOR)
def give_up(follow_up_id: int) -> ResponseReturnValue:
    """Count a patient as unreachable."""
    now, actor = deps().clock(), signed_in()
    found, shown = _to_follow_up(actor, follow_up_id)
    contacts.give_up(db.session, found, by_staff_id=actor.staff_id, now=now)
    _note(db.session, shown, "changed status", now=now)
    db.session.commit()
    flash(_("Their calls and texts have stopped. Who reaches them can bring them back."), "good")
    return redirect(_back_from(found, shown))


def _to_follow_up(actor: Actor, follow_up_id: int) -> tuple[FollowUp, Patient]:
    """Return a follow-up that is ``actor``'s to see to: a contact check is a manager's."""
    found = planned.by_id(db.session, actor.scope, follow_up_id)
    if found.kind is FollowUpKind.WELFARE_CHECK:
        raise planned.NoSuchFollowUp("A welfare check is seen to on a page of its own.")
    ref = db.session.get_one(Patient, found.patient_id).ref
    is_check = found.kind is FollowUpKind.CONTACT_CHECK
    find = finding.to_manage if is_check else finding.to_change
    return found, find(db.session, actor, ref)


def _back_from(found: FollowUp, shown: Patient) -> str:
    if found.kind is FollowUpKind.CONTACT_CHECK:
        return url_for("chart.follow_ups")
    return url_for("chart.patient", ref=shown.ref)


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
    is_callable = _is_callable(shown, actor, now=now)
    return url_for("calls.call" if is_callable else "chart.patient", ref=shown.ref)


def _onward(shown: Patient, *, now: datetime) -> str:
    """Return where to go on after a change: back to the call that it was made on, if any.

    A call that the change took away leaves the queue to go back to.
    """
    if request.form.get("back") != "call":
        return url_for("chart.patient", ref=shown.ref)
    if _is_callable(shown, signed_in(), now=now):
        return url_for("calls.call", ref=shown.ref, _anchor="plan")
    return url_for("calls.queue")


def _is_callable(shown: Patient, actor: Actor, *, now: datetime) -> bool:
    cared = care.of_patient(db.session, shown, now=now)
    return cared.next_call is not None and cared.on_duty_id == actor.staff_id


def _measured(shown: Patient, *, now: datetime) -> dict[str, object]:
    """Return a patient's readings, the charts of them, and limits of their own."""
    found = readings.of_patient(db.session, shown.id)
    zone, here = ZoneInfo(shown.zone), ZoneInfo(shown.clinic.zone)
    held = limits.of_patient(db.session, shown.id, today=local_day(now, here))
    own = {kind: each.limits for kind, each in held.items() if each.limits}
    return {
        "own_limits": held,
        "readings": found,
        "reading_lines": readings.table_of(db.session, shown.id, found),
        "may_correct": lambda reading: correcting.may_correct(signed_in(), reading),
        "charts": graphs.of_patient(found, zone, shown.clinic.glucose_unit, own),
        "body_mass": readings.body_mass(found),
    }


def _questionnaires(shown: Patient, *, now: datetime) -> dict[str, object]:
    """Return what was answered, what a nurse may ask outside a call, what was begun of it."""
    compared = answered.compared(db.session, shown.id)
    if not may_open("nurse_asking.panel", shown.clinic_id):
        return {"compared": compared, "askable": {}, "begun": {}}
    return {
        "compared": compared,
        "askable": licences.askable(db.session),
        "begun": item_by_item.begun_of(db.session, shown.id, now=now),
    }


def _saved(shown: Patient, action: str, words: str, *, now: datetime) -> ResponseReturnValue:
    _note(db.session, shown, action, now=now)
    db.session.commit()
    flash(words, "good")
    return redirect(_onward(shown, now=now))


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
