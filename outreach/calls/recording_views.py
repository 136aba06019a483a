"""What came of a call, kept; and where its caller goes from there.

On the same blueprint as the call screen: one package, one set of addresses.
"""

from dataclasses import replace

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup

from outreach import orm
from outreach.accounts.access import role_required, signed_in
from outreach.accounts.rules import Role
from outreach.calls import drafts, outcomes, screen, taken, told, tried
from outreach.calls import queue as queues
from outreach.calls.forms import CallReportForm
from outreach.calls.screen import NoPlannedCall, Screen
from outreach.calls.sent import hash_of, typed_from
from outreach.calls.views import around, bp, page_of
from outreach.concerns import raising
from outreach.concerns.call_views import audit
from outreach.concerns.rules import Urgency
from outreach.db import db
from outreach.deps import deps
from outreach.patients import registry
from outreach.patients.models import Patient
from outreach.programmes import enrolment as enrolments
from outreach.programmes.rules import EnrolmentStatus
from outreach.web.template_filters import calendar_day, local_moment

__all__ = ["bp"]  # queue_views.py goes on with it: so each file of the blueprint is loaded


@bp.post("/calls/<ref>")
@role_required(Role.CALLER)
def record(ref: str) -> ResponseReturnValue:
    """Keep what came of a call, plan what follows, and go on to the next patient."""
    now, actor = deps().clock(), signed_in()
    form = CallReportForm()
    try:
        patient = registry.to_write(db.session, replace(actor.scope, saves_begun=True), ref)
    except registry.NoSuchPatient:
        return _taken(ref, form)
    known = outcomes.recorded(db.session, form.form_key.data or "")
    if known is not None and known.answers_hash == hash_of(request.form):
        return redirect(url_for("calls.queue"))
    try:
        shown = screen.screen_of(db.session, patient, actor, now=now)
    except NoPlannedCall:
        return render_template("calls/closed.html", patient=patient, form=form), 409
    if known is not None or form.planned_call_id.data != shown.call.id:
        return _moved_on(shown, form)
    is_valid = form.bind(around(shown)).validate_on_submit()
    if shown.asides:
        form.form_errors.append(_("Another tab holds other words about this call: choose first."))
    if shown.must_read:
        form.form_errors.append(
            _("Read the hand-over before the first call. What you typed is kept here.")
        )
    if shown.asides or shown.must_read or not is_valid:
        _tell_of_low(shown, form)
        return page_of(shown, form), 422
    return _recorded(shown, form, then=form.then.data)


def _tell_of_low(shown: Screen, form: CallReportForm) -> None:
    """Tell a nurse of a level 2 low now: the call may be saved much later, or never."""
    low, key = form.level_2, form.form_key.data or ""
    if low is None or form.form_key.errors:
        return
    actor, now = signed_in(), shown.moment.now
    concern = told.tell_of_low(db.session, shown.patient, low, key, actor=actor, now=now)
    if concern.raised_at == now:
        audit("raised a concern", concern)
    db.session.commit()


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
            is_told = tried.is_told(db.session, attempt.id)
            words += " " + (_("The text goes out.") if is_told else _("No text goes out."))
        flash(_with_undo(words, patient.ref, attempt.id), "good")
        raised = raising.most_urgent_at(db.session, patient.id, now=now)
        if raised in (Urgency.NOW, Urgency.SAME_DAY):
            return redirect(url_for("safety.told", ref=patient.ref))
        if raised is not None:
            flash(_("What you just saved is on the nurses' list."), "warm")
        return redirect(_onward(patient.ref, then))


def _taken(ref: str, form: CallReportForm) -> ResponseReturnValue:
    """Say who has the call now, and keep what was typed; nothing is told of the patient."""
    now, actor = deps().clock(), signed_in()
    found = taken.of(db.session, ref, form.planned_call_id.data, actor, now=now)
    if found is not None:
        taken.keep(db.session, found, actor, typed_from(request.form), now=now)
        db.session.commit()
    note = form.note.data or ""
    page = render_template("calls/taken.html", taken=found, note=note)
    return page, 404 if found is None else 409


def _moved_on(shown: Screen, form: CallReportForm) -> ResponseReturnValue:
    """Offer what was typed about a call that is closed for the patient's next one."""
    form.bind(around(shown)).planned_call_id.data = shown.call.id
    form.form_key.data = drafts.new_form_key()
    form.form_errors.append(
        _("Somebody recorded this call first, or its days are over. Nothing of yours is lost: "
          "look it over, and save it for the next call if it belongs there.")
    )  # fmt: skip
    return page_of(shown, form), 409


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
