"""Pages a caller works in all day: the queue and the call."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, jsonify, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from outreach import orm
from outreach.accounts.access import role_required, signed_in
from outreach.accounts.rules import Role
from outreach.audit import trail
from outreach.calls import dialing, drafts, leases, outcomes, screen, taken, told, tried
from outreach.calls.fields import Around
from outreach.calls.forms import CALL_BACK_TIMES, CallReportForm
from outreach.calls.labels import (
    ASKED_WORDS,
    OUTCOME_KEYS,
    OUTCOME_MEANINGS,
    OUTCOME_WORDS,
    SAYS_NEXT_CALL,
    WHY_NO_TEXT,
    day_words,
    opener_words,
    voicemail_words,
    what_follows,
)
from outreach.calls.rules import REACHED, Outcome, minutes_since
from outreach.calls.screen import Basis, NoPlannedCall, Screen
from outreach.calls.sent import pressed_at, typed_from
from outreach.calls.taken import Taken
from outreach.concerns import readiness, watching
from outreach.concerns.labels import told_from
from outreach.concerns.models import OwnLimits
from outreach.concerns.rules import ConcernKind
from outreach.db import db
from outreach.deps import deps
from outreach.measures.labels import MEASURE_WORDS
from outreach.measures.rules import MeasureKind
from outreach.patients import registry
from outreach.patients.models import Patient
from outreach.patients.registry import NoSuchPatient
from outreach.phoning import bridging
from outreach.phoning import jobs as phoning
from outreach.planning import follow_ups, next_call
from outreach.questionnaires import item_by_item
from outreach.questionnaires.asking import NoSuchQuestionnaire
from outreach.questionnaires.item_by_item import Panel
from outreach.results.fields import Taking
from outreach.web import bounded
from outreach.web.looking import is_opened_by_a_person
from outreach.web.template_filters import local_time

bp = Blueprint("calls", __name__)

HIDES_OPENERS = "hides_openers"  # kept in the signed cookie of the session


@bp.get("/calls/<ref>")
@role_required(Role.CALLER)
def call(ref: str) -> ResponseReturnValue:
    """Show all that a warm call needs, and the form for what comes of it."""
    now = deps().clock()
    try:
        patient = _patient(ref)
    except NoSuchPatient:  # perhaps given to whoever took the call over
        return _page_of_taken(ref)
    try:
        shown = screen.screen_of(db.session, patient, signed_in(), now=now)
    except NoPlannedCall:
        flash(_("No call is planned for this patient now."), "warm")
        return redirect(url_for("chart.patient", ref=ref))
    with orm.writing(), db.sessionmaker.begin() as own:
        _audit(own, "opened the call screen", patient)
        if is_opened_by_a_person(request) and not shown.must_read:
            is_theirs = leases.take(own, shown.call, signed_in(), now=now)
            if not is_theirs:  # somebody may have opened it since we looked
                other = leases.mark_of_others(own, shown.call, signed_in(), now=now)
                shown = replace(shown, other=other)
    return page_of(shown, _blank_form(shown))


@bp.post("/calls/<ref>/start")
@role_required(Role.CALLER)
def start(ref: str) -> ResponseReturnValue:
    """Begin a call: start its clock, and mark it so that nobody else rings."""
    now, actor, patient = deps().clock(), signed_in(), _patient(ref)
    planned = screen.call_of(db.session, patient, is_locked=True)
    dialing.refuse_wrong_hour(dialing.moment_of(db.session, patient, planned, now=now))
    readiness.refuse_unguarded(db.session, patient.clinic_id, now=now)
    if screen.must_read(db.session, planned, actor, now=now):
        return redirect(url_for("chart.handover", ref=ref))
    if request.form.get("take_over"):
        leases.take_over(db.session, planned, actor, now=now)
    if leases.take(db.session, planned, actor, now=now):
        leases.start(db.session, planned, actor, now=now)
        drafts.begin(db.session, planned, actor, now=now)
    db.session.commit()
    return redirect(url_for("calls.call", ref=ref))


@bp.post("/calls/<ref>/dial")
@role_required(Role.CALLER)
def dial(ref: str) -> ResponseReturnValue:
    """Ring the caller's own telephone, then the patient's: a row first, then the carrier."""
    now, actor, patient = deps().clock(), signed_in(), _patient(ref)
    planned = screen.call_of(db.session, patient, is_locked=True)
    dialing.refuse_wrong_hour(dialing.moment_of(db.session, patient, planned, now=now))
    readiness.refuse_unguarded(db.session, patient.clinic_id, now=now)
    if screen.must_read(db.session, planned, actor, now=now):
        return redirect(url_for("chart.handover", ref=ref))
    if leases.take(db.session, planned, actor, now=now):
        key = request.form.get("press_key") or drafts.new_form_key()
        outbound = dialing.begin(db.session, patient, planned, actor, key, now=now)
        leases.start(db.session, planned, actor, now=now)
        drafts.begin(db.session, planned, actor, now=now)
        _audit(db.session, "pressed Call", patient)
        db.session.commit()
        if outbound is not None:
            phoning.place(db.sessionmaker, deps().gateway, outbound, deps().clock)
    return redirect(url_for("calls.call", ref=ref))


@bp.post("/calls/<ref>/stop")
@role_required(Role.CALLER)
def stop(ref: str) -> ResponseReturnValue:
    """Leave a call without recording anything: it is free again, what was typed stays."""
    planned = screen.call_of(db.session, _patient(ref))
    drafts.end(db.session, planned, signed_in())
    leases.release(db.session, planned, signed_in())
    next_call.replan(db.session, planned.enrolment_id, now=deps().clock())
    db.session.commit()
    return redirect(url_for("calls.queue"))


@bp.post("/calls/<ref>/lease")
@role_required(Role.CALLER)
def lease(ref: str) -> ResponseReturnValue:
    """Keep a call that is open on a screen somebody looks at; say whether it is still theirs."""
    now, actor = deps().clock(), signed_in()
    try:
        planned = screen.call_of(db.session, _patient(ref))
    except NoSuchPatient:  # given to whoever took the call over
        other = _taken(ref)
        return jsonify(is_yours=False, by=other.name)
    is_theirs = leases.keep(db.session, planned, actor, now=now)
    db.session.commit()
    mark = None if is_theirs else leases.mark_of_others(db.session, planned, actor, now=now)
    return jsonify(is_yours=is_theirs, by=mark.name if mark else None)


@bp.post("/calls/<ref>/draft")
@role_required(Role.CALLER)
def draft(ref: str) -> ResponseReturnValue:
    """Keep what is being typed; answers with the version it was kept under, and when."""
    typed = typed_from(request.form)
    try:
        patient = _patient(ref)
    except NoSuchPatient:  # given to whoever took the call over: what is typed is kept as theirs
        version = taken.keep(db.session, _taken(ref), signed_in(), typed, now=deps().clock())
        db.session.commit()
        return _kept(version, is_yours=False)
    try:
        planned = screen.call_of(db.session, patient)
        is_used = outcomes.recorded(db.session, request.form.get("form_key", ""))
        if is_used or str(planned.id) != request.form.get("planned_call_id"):
            return jsonify(reason="closed"), 409
        version = drafts.save(db.session, planned, signed_in(), typed, now=deps().clock())
        is_yours = leases.keep(db.session, planned, signed_in(), now=deps().clock())
    except NoPlannedCall:
        return jsonify(reason="closed"), 409
    except drafts.SavedElsewhere as held:
        db.session.commit()  # what this tab typed is kept aside
        other = {"version": held.version, "answers": dict(held.answers)}
        return jsonify(reason="another tab", other=other), 409
    db.session.commit()
    return _kept(version, is_yours=is_yours)


def _kept(version: int, *, is_yours: bool) -> ResponseReturnValue:
    """Answer that a draft is kept, and when: the time of the clinic, as the page's others."""
    at = local_time(deps().clock(), signed_in().zone)
    return jsonify(version=version, kept_at=at, is_yours=is_yours)


@bp.post("/calls/<ref>/openers")
@role_required(Role.CALLER)
def hide_openers(ref: str) -> ResponseReturnValue:
    """Hide or show what a conversation might begin with, until one signs out."""
    session[HIDES_OPENERS] = request.form.get("hide") == "1"
    return redirect(url_for("calls.call", ref=_patient(ref).ref))


def _taken(ref: str) -> Taken:
    """Return whose the call is now that this page is about, or raise NoSuchPatient."""
    call_id = bounded.whole(request.form.get("planned_call_id"))
    found = taken.of(db.session, ref, call_id, signed_in(), now=deps().clock())
    if found is None:
        raise NoSuchPatient("There is no such patient.")
    return found


def _page_of_taken(ref: str) -> ResponseReturnValue:
    """Say who has the call of which somebody opens the page anew, with what they wrote themselves.

    Raises:
        NoSuchPatient: they began no call, so nothing says that the patient was ever theirs.
    """
    found = taken.last_of(db.session, ref, signed_in(), now=deps().clock())
    if found is None:
        raise NoSuchPatient("There is no such patient.")
    note = "\n".join(found.draft.answers.get("note", ())).strip()
    return render_template("calls/taken.html", taken=found, note=note), 404


def _patient(ref: str) -> Patient:
    return registry.to_write(db.session, signed_in().scope, ref)


def _desk(shown: Basis) -> bridging.Desk:
    return bridging.desk_of(
        db.session, shown.call.id, signed_in().staff_id, can_call=deps().gateway.can_call
    )


def around(shown: Basis) -> Around:
    """Return what the form needs to know of the call around it."""
    started = shown.draft.started_at if shown.draft else None
    weighed, own = shown.weighed, shown.own_limits.get(MeasureKind.GLUCOSE)
    ended_at = pressed_at(request.form, since=started, now=shown.now)
    desk = _desk(shown)
    talked = desk.minutes(ended_at)
    if talked is None and started is not None:
        talked = minutes_since(started, ended_at)
    return Around(
        zone=shown.standing.zone,
        now=shown.now,
        number_ids=[shown.number.id] if shown.number else [],
        promise_ids=[promise.id for promise in shown.promises],
        started_at_minutes=talked,
        ended_at=ended_at,
        born_on=shown.patient.date_of_birth,
        lawful=shown.standing.course.calendar.lawful(),
        desk=desk,
        programme_ends_on=shown.standing.course.protocol.ends_on(shown.standing.course.starts_on),
        weighed=(weighed.value, weighed.taken_at) if weighed else None,
        own=own.limits if own else None,
    )


def taking_of(patient: Patient, *, now: datetime) -> Taking:
    """Return what is to know of whom was measured where no call is open any more."""
    at = pressed_at(request.form, since=None, now=now)
    return Taking(ZoneInfo(patient.zone), at, patient.date_of_birth)


def _blank_form(shown: Screen) -> CallReportForm:
    """Return the form as it opens: with what was being typed, if anything."""
    kept = MultiDict(shown.draft.answers if shown.draft else {})
    form = CallReportForm(
        formdata=kept or None,
        glucose_unit=shown.patient.clinic.glucose_unit,
        weight_unit=shown.weight_unit,
        meta={"csrf": False},
    )
    form.planned_call_id.data = shown.call.id
    form.form_key.data = shown.draft.form_key if shown.draft else drafts.new_form_key()
    return form.bind(around(shown))


def page_of(shown: Screen, form: CallReportForm) -> str:
    """Return the call screen around a form."""
    zone, now = shown.standing.zone, shown.now
    hidden = set() if shown.may_leave_voicemail else {Outcome.VOICEMAIL_LEFT}
    safety = watching.safety_of(db.session, shown.patient, now=now)
    return render_template(
        "calls/call.html",
        screen=shown,
        unfinished=leases.unfinished(db.session, signed_in(), besides=shown.call, now=now),
        desk=form.around.desk,
        form=form,
        follow_ups=follow_ups.open_of(db.session, [shown.call.enrolment_id]).get(
            shown.call.enrolment_id, ()
        ),
        safety=safety,
        kinds_told=_kinds_told(shown, form) if safety.is_polled else (),
        outcome_words=OUTCOME_WORDS,
        asked_words=ASKED_WORDS,
        outcome_meanings=OUTCOME_MEANINGS,
        outcome_keys=OUTCOME_KEYS,
        says_next_call={outcome.value for outcome in SAYS_NEXT_CALL},
        follows=what_follows(shown.foreseen, zone, now=now),
        tried=tried.offer_of(
            db.session,
            shown.patient,
            signed_in(),
            now=now,
            lawful=form.around.lawful,
            agreed=shown.consents,
        ),
        why_no_text=WHY_NO_TEXT,
        voicemail=voicemail_words(shown.patient, signed_in().name) if not hidden else None,
        day_words=partial(day_words, zone=zone),
        offered={outcome.value for outcome in Outcome} - hidden,
        reached={outcome.value for outcome in REACHED},
        callback_times=CALL_BACK_TIMES,
        today=shown.today,
        week=timedelta(weeks=1),
        asked=_asked(shown),
        measure_words=MEASURE_WORDS,
        own_limits=shown.own_limits,
        told_from=partial(_told_from, shown.own_limits),
        opener_words=opener_words,
        hides_openers=session.get(HIDES_OPENERS, False),
    )


def _kinds_told(shown: Screen, form: CallReportForm) -> Collection[ConcernKind]:
    """Return of what a nurse was told at a Save that was refused: the page says so."""
    key, patient_id = form.form_key.data or "", shown.patient.id
    return told.kinds_told(db.session, patient_id, key, signed_in(), now=shown.now)


def _asked(shown: Screen) -> Panel | None:
    """Return the questionnaire that is asked on this page, if one is."""
    code, now = request.args.get("ask"), shown.now
    if not code:
        return None
    try:
        return item_by_item.named(db.session, shown.patient, code, request.args, now=now)
    except NoSuchQuestionnaire:  # an old address, or a permission that ended: the call goes on
        return None


def _told_from(own: Mapping[MeasureKind, OwnLimits], name: str) -> Mapping[str, str]:
    held = own.get(MeasureKind(name))
    return told_from(MeasureKind(name), held.limits if held else None)


def _audit(own: object, action: str, patient: Patient) -> None:
    trail.record(
        own,  # type: ignore[arg-type]
        action,
        actor_id=signed_in().staff_id,
        now=deps().clock(),
        clinic_id=patient.clinic_id,
        patient_id=patient.id,
        about=("patient", patient.id),
    )
