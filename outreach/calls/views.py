"""Pages a caller works in all day: the queue and the call."""

from zoneinfo import ZoneInfo

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from outreach import orm
from outreach.accounts import staff
from outreach.accounts.access import role_required, signed_in
from outreach.accounts.rules import Role
from outreach.audit import trail
from outreach.calls import dialing, drafts, leases, outcomes, screen
from outreach.calls import queue as queues
from outreach.calls.forms import Around, CallReportForm, hash_of, typed_from
from outreach.calls.labels import GROUP_WORDS, OUTCOME_MEANINGS, OUTCOME_WORDS, WHY_WORDS
from outreach.calls.rules import NOT_REACHED, REACHED, QueueGroup, minutes_since
from outreach.calls.screen import NoPlannedCall, Screen
from outreach.concerns import raising
from outreach.db import db
from outreach.deps import deps
from outreach.patients import registry
from outreach.patients.models import Patient
from outreach.phoning import bridging, returning
from outreach.phoning import jobs as phoning
from outreach.web.template_filters import local_moment

bp = Blueprint("calls", __name__)


@bp.get("/queue/")
@role_required(Role.CALLER)
def queue() -> ResponseReturnValue:
    """Show who to call now, later today, and in the coming days."""
    found = queues.queue_of(db.session, signed_in(), now=deps().clock())
    fragment = "calls/_queue.html" if "HX-Request" in request.headers else "calls/queue.html"
    page = render_template(
        fragment,
        queue=found,
        groups=QueueGroup,
        group_words=GROUP_WORDS,
        why_words=WHY_WORDS,
        outcome_words=OUTCOME_WORDS,
        returned=returning.board_of(db.session, signed_in().staff_id, now=deps().clock()),
    )
    return page, 200, {"Vary": "HX-Request"}


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
    with db.sessionmaker.begin() as own:
        _audit(own, "opened the call screen", patient)
        if "prefetch" not in request.headers.get("Sec-Purpose", "") and not shown.must_read:
            leases.take(own, shown.call, signed_in(), now=now)
    return _page(shown, _blank_form(shown))


@bp.post("/calls/<ref>/start")
@role_required(Role.CALLER)
def start(ref: str) -> ResponseReturnValue:
    """Begin a call: start its clock, and mark it so that nobody else rings."""
    now, actor, patient = deps().clock(), signed_in(), _patient(ref)
    planned = screen.call_of(db.session, patient, is_locked=True)
    dialing.refuse_wrong_hour(dialing.moment_of(db.session, patient, planned, now=now))
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
    except drafts.SavedElsewhere:
        return jsonify(reason="another tab"), 409
    db.session.commit()
    return jsonify(version=version)


@bp.post("/shortcuts")
@role_required(*Role)
def shortcuts() -> ResponseReturnValue:
    """Switch the single-key shortcuts on or off for oneself."""
    is_on = request.form.get("on") == "1"
    staff.switch_shortcuts(db.session, signed_in().staff_id, is_on=is_on)
    db.session.commit()
    flash(_("Keys are on.") if is_on else _("Keys are off."), "good")
    return redirect(url_for("calls.queue"))


@bp.post("/calls/<ref>")
@role_required(Role.CALLER)
def record(ref: str) -> ResponseReturnValue:
    """Keep what came of a call, plan what follows, and go on to the next patient."""
    now, actor, patient = deps().clock(), signed_in(), _patient(ref)
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
    if not form.bind(_around(shown)).validate_on_submit():
        return _page(shown, form), 422
    return _recorded(shown, form, then=form.then.data)


def _recorded(shown: Screen, form: CallReportForm, *, then: str | None) -> ResponseReturnValue:
    """Record a valid form and go on; what somebody else did first is told, with the words."""
    report = form.to_report(hash_of(request.form))
    now, actor, patient = shown.moment.now, signed_in(), shown.patient
    try:
        outcomes.record(db.session, patient, shown.call.id, report, actor=actor, now=now)
    except outcomes.CallAlreadyClosed:
        db.session.rollback()
        return render_template("calls/closed.html", patient=patient, form=form), 409
    db.session.commit()
    with orm.reading():  # what follows only reads: a long import must not hold it up
        flash(_saved(patient), "good")
        if raising.raised_at(db.session, patient.id, now=now):
            flash(
                _("What you just saved is on the nurses' list. Phone the nurse on call as well."),
                "urgent",
            )
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
    return registry.by_ref(db.session, signed_in().scope, ref)


def _onward(ref: str, then: str | None) -> str:
    if then == "stay":
        return url_for("chart.patient", ref=ref)
    following = queues.next_ref(db.session, signed_in(), now=deps().clock())
    return url_for("calls.call", ref=following) if following else url_for("calls.queue")


def _saved(patient: Patient) -> str:
    """Return the words after a save: when the next call is. No name: cookies hold them."""
    if registry.working_number(db.session, patient.id) is None:
        return _("Saved. No working number is left: look under 'Number to fix'.")
    try:
        planned = screen.call_of(db.session, patient)
    except NoPlannedCall:
        return _("Saved. No more calls are planned.")
    when = local_moment(planned.dial_from_at, patient.zone)
    return _("Saved. Next call: %(when)s, their time.", when=when)


def _desk(shown: Screen) -> bridging.Desk:
    return bridging.desk_of(
        db.session, shown.call.id, signed_in().staff_id, can_call=deps().gateway.can_call
    )


def _around(shown: Screen) -> Around:
    started = shown.draft.started_at if shown.draft else None
    talked = _desk(shown).minutes(shown.moment.now)
    if talked is None and started is not None:
        talked = minutes_since(started, shown.moment.now)
    return Around(
        zone=shown.standing.zone,
        now=shown.moment.now,
        number_ids=[shown.number.id] if shown.number else [],
        promise_ids=[promise.id for promise in shown.promises],
        started_at_minutes=talked,
        born_on=shown.patient.date_of_birth,
    )


def _blank_form(shown: Screen) -> CallReportForm:
    """Return the form as it opens: with what was being typed, if anything."""
    kept = MultiDict(shown.draft.answers if shown.draft else {})
    form = CallReportForm(
        formdata=kept or None,
        glucose_unit=shown.patient.clinic.glucose_unit,
        meta={"csrf": False},
    )
    form.planned_call_id.data = shown.call.id
    form.form_key.data = shown.draft.form_key if shown.draft else drafts.new_form_key()
    return form.bind(_around(shown))


def _page(shown: Screen, form: CallReportForm) -> str:
    return render_template(
        "calls/call.html",
        screen=shown,
        desk=_desk(shown),
        form=form,
        outcome_words=OUTCOME_WORDS,
        outcome_meanings=OUTCOME_MEANINGS,
        reached={outcome.value for outcome in REACHED},
        not_reached={outcome.value for outcome in NOT_REACHED},
        today=shown.moment.now.astimezone(ZoneInfo(shown.patient.zone)).date(),
    )


def _audit(session: object, action: str, patient: Patient) -> None:
    trail.record(
        session,  # type: ignore[arg-type]
        action,
        actor_id=signed_in().staff_id,
        now=deps().clock(),
        clinic_id=patient.clinic_id,
        patient_id=patient.id,
        about=("patient", patient.id),
    )
