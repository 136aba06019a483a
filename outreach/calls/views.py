"""Pages a caller works in all day: the queue and the call."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial

from flask import Blueprint, flash, jsonify, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from outreach import orm
from outreach.accounts.access import role_required, signed_in
from outreach.accounts.rules import Role
from outreach.audit import trail
from outreach.calls import dialing, drafts, leases, outcomes, screen, tried
from outreach.calls import queue as queues
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
from outreach.calls.screen import NoPlannedCall, Screen
from outreach.calls.sent import hash_of, pressed_at, typed_from
from outreach.concerns import raising, readiness, watching
from outreach.concerns.labels import told_from
from outreach.concerns.models import OwnLimits
from outreach.concerns.rules import Urgency
from outreach.db import db
from outreach.deps import deps
from outreach.measures.labels import MEASURE_WORDS
from outreach.measures.rules import MeasureKind
from outreach.patients import registry
from outreach.patients.models import Patient
from outreach.phoning import bridging
from outreach.phoning import jobs as phoning
from outreach.planning import follow_ups, next_call
from outreach.programmes import enrolment as enrolments
from outreach.programmes.rules import EnrolmentStatus
from outreach.questionnaires import item_by_item
from outreach.questionnaires.asking import NoSuchQuestionnaire
from outreach.questionnaires.item_by_item import Panel
from outreach.web.looking import is_opened_by_a_person
from outreach.web.template_filters import calendar_day, local_moment

bp = Blueprint("calls", __name__)

HIDES_OPENERS = "hides_openers"  # kept in the signed cookie of the session


@bp.get("/calls/<ref>")
@role_required(Role.CALLER)
def call(ref: str) -> ResponseReturnValue:
    """Show all that a warm call needs, and the form for what comes of it."""
    now, patient = deps().clock(), _patient(ref)
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
    return _page(shown, _blank_form(shown))


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
    planned = screen.call_of(db.session, _patient(ref))
    is_theirs = leases.keep(db.session, planned, signed_in(), now=deps().clock())
    db.session.commit()
    return jsonify(is_yours=is_theirs)


@bp.post("/calls/<ref>/draft")
@role_required(Role.CALLER)
def draft(ref: str) -> ResponseReturnValue:
    """Keep what is being typed; answers with the version it was kept under."""
    typed = typed_from(request.form)
    try:
        planned = screen.call_of(db.session, _patient(ref))
        is_used = outcomes.recorded(db.session, request.form.get("form_key", ""))
        if is_used or str(planned.id) != request.form.get("planned_call_id"):
            return jsonify(reason="closed"), 409
        version = drafts.save(db.session, planned, signed_in(), typed, now=deps().clock())
        leases.keep(db.session, planned, signed_in(), now=deps().clock())
    except NoPlannedCall:
        return jsonify(reason="closed"), 409
    except drafts.SavedElsewhere as held:
        db.session.commit()  # what this tab typed is kept aside
        other = {"version": held.version, "answers": dict(held.answers)}
        return jsonify(reason="another tab", other=other), 409
    db.session.commit()
    return jsonify(version=version)


@bp.post("/calls/<ref>/openers")
@role_required(Role.CALLER)
def hide_openers(ref: str) -> ResponseReturnValue:
    """Hide or show what a conversation might begin with, until one signs out."""
    session[HIDES_OPENERS] = request.form.get("hide") == "1"
    return redirect(url_for("calls.call", ref=_patient(ref).ref))


@bp.post("/calls/<ref>")
@role_required(Role.CALLER)
def record(ref: str) -> ResponseReturnValue:
    """Keep what came of a call, plan what follows, and go on to the next patient."""
    now, actor = deps().clock(), signed_in()
    patient = registry.to_write(db.session, replace(actor.scope, saves_begun=True), ref)
    form = CallReportForm()
    known = outcomes.recorded(db.session, form.form_key.data or "")
    if known is not None and known.answers_hash == hash_of(request.form):
        return redirect(url_for("calls.queue"))
    try:
        shown = screen.screen_of(db.session, patient, actor, now=now)
    except NoPlannedCall:
        return render_template("calls/closed.html", patient=patient, form=form), 409
    if known is not None or form.planned_call_id.data != shown.call.id:
        return _moved_on(shown, form)
    is_valid = form.bind(_around(shown)).validate_on_submit()
    if shown.asides:
        form.form_errors.append(_("Another tab holds other words about this call: choose first."))
    if shown.must_read:
        form.form_errors.append(
            _("Read the hand-over before the first call. What you typed is kept here.")
        )
    if shown.asides or shown.must_read or not is_valid:
        return _page(shown, form), 422
    return _recorded(shown, form, then=form.then.data)


def _recorded(shown: Screen, form: CallReportForm, *, then: str | None) -> ResponseReturnValue:
    """Record a valid form and go on; what somebody else did first is told, with the words."""
    report = form.to_report(hash_of(request.form))
    report = replace(report, answers=typed_from(request.form).answers)
    now, actor, patient = shown.moment.now, signed_in(), shown.patient
    try:
        attempt = outcomes.record(db.session, patient, shown.call.id, report, actor=actor, now=now)
    except outcomes.CallAlreadyClosed:
        db.session.rollback()
        return render_template("calls/closed.html", patient=patient, form=form), 409
    db.session.commit()
    with orm.reading():  # what follows only reads: a long import must not hold it up
        words = _saved(patient, is_next=then != "stay")
        if report.afterwards.tells_missed:
            told = tried.is_told(db.session, attempt.id)
            words += " " + (_("The text goes out.") if told else _("No text goes out."))
        flash(_with_undo(words, patient.ref, attempt.id), "good")
        raised = raising.most_urgent_at(db.session, patient.id, now=now)
        if raised in (Urgency.NOW, Urgency.SAME_DAY):
            return redirect(url_for("safety.told", ref=patient.ref))
        if raised is not None:
            flash(_("What you just saved is on the nurses' list."), "warm")
        return redirect(_onward(patient.ref, then))


def _moved_on(shown: Screen, form: CallReportForm) -> ResponseReturnValue:
    """Offer what was typed about a call that is closed for the patient's next one."""
    form.bind(_around(shown)).planned_call_id.data = shown.call.id
    form.form_key.data = drafts.new_form_key()
    form.form_errors.append(
        _("Somebody recorded this call first, or its days are over. Nothing of yours is lost: "
          "look it over, and save it for the next call if it belongs there.")
    )  # fmt: skip
    return _page(shown, form), 409


def _patient(ref: str) -> Patient:
    return registry.to_write(db.session, signed_in().scope, ref)


def _onward(ref: str, then: str | None) -> str:
    if then == "stay":
        return url_for("chart.patient", ref=ref)
    following = queues.next_ref(db.session, signed_in(), now=deps().clock())
    return url_for("calls.call", ref=following) if following else url_for("calls.queue")


def _saved(patient: Patient, *, is_next: bool) -> str:
    """Return the words after a save: when the next call is. No name: cookies hold them.

    ``is_next``: they stand on the page of somebody else, so they say that they are not theirs.
    """
    begun = _("Your last call is saved.") if is_next else _("Saved.")
    return f"{begun} {_what_comes(patient, is_next=is_next)}"


def _what_comes(patient: Patient, *, is_next: bool) -> str:
    if registry.working_number(db.session, patient.id) is None:
        return _("No working number is left: look under 'Number to fix'.")
    try:
        planned = screen.call_of(db.session, patient)
    except NoPlannedCall:
        return _without_call(patient)
    when = local_moment(planned.dial_from_at, patient.zone)
    if is_next:
        return _("The next one to that patient: %(when)s, their time.", when=when)
    return _("Next call: %(when)s, their time.", when=when)


def _without_call(patient: Patient) -> str:
    enrolment = enrolments.current(db.session, patient.id)
    if enrolment is None or enrolment.status is not EnrolmentStatus.PAUSED:
        return _("No more calls are planned.")
    if enrolment.resume_on is None:
        return _("The calls rest until somebody resumes them.")
    return _("The calls rest until %(day)s.", day=calendar_day(enrolment.resume_on))


def _with_undo(words: str, ref: str, attempt_id: int) -> Markup:
    """Return ``words`` with the way to take them back; it names nobody."""
    link = Markup('{} <a href="{}">{}</a>')
    address = url_for("calls.correct", ref=ref, attempt_id=attempt_id)
    return link.format(words, address, _("Undo or correct"))


def _desk(shown: Screen) -> bridging.Desk:
    return bridging.desk_of(
        db.session, shown.call.id, signed_in().staff_id, can_call=deps().gateway.can_call
    )


def _around(shown: Screen) -> Around:
    started = shown.draft.started_at if shown.draft else None
    weighed, own = shown.weighed, shown.own_limits.get(MeasureKind.GLUCOSE)
    ended_at = pressed_at(request.form, since=started, now=shown.moment.now)
    desk = _desk(shown)
    talked = desk.minutes(ended_at)
    if talked is None and started is not None:
        talked = minutes_since(started, ended_at)
    return Around(
        zone=shown.standing.zone,
        now=shown.moment.now,
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
    return form.bind(_around(shown))


def _page(shown: Screen, form: CallReportForm) -> str:
    zone, now = shown.standing.zone, shown.moment.now
    hidden = set() if shown.may_leave_voicemail else {Outcome.VOICEMAIL_LEFT}
    return render_template(
        "calls/call.html",
        screen=shown,
        unfinished=leases.unfinished(db.session, signed_in(), besides=shown.call, now=now),
        desk=form.around.desk,
        form=form,
        follow_ups=follow_ups.open_of(db.session, [shown.call.enrolment_id]).get(
            shown.call.enrolment_id, ()
        ),
        safety=watching.safety_of(db.session, shown.patient, now=shown.moment.now),
        outcome_words=OUTCOME_WORDS,
        asked_words=ASKED_WORDS,
        outcome_meanings=OUTCOME_MEANINGS,
        outcome_keys=OUTCOME_KEYS,
        says_next_call={outcome.value for outcome in SAYS_NEXT_CALL},
        follows=what_follows(shown.foreseen, zone, now=now),
        tried=tried.offer_of(
            db.session, shown.patient, signed_in(), now=now, lawful=form.around.lawful
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


def _asked(shown: Screen) -> Panel | None:
    """Return the questionnaire that is asked on this page, if one is."""
    code, now = request.args.get("ask"), shown.moment.now
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
