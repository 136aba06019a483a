"""What came of a call, kept; and where its caller goes from there.

On the same blueprint as the call screen: one package, one set of addresses.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup

from outreach import orm
from outreach.accounts.access import role_required, signed_in
from outreach.accounts.rules import Role
from outreach.calls import coming, drafts, outcomes, screen, taken, told, tried
from outreach.calls import queue as queues
from outreach.calls.forms import CallReportForm
from outreach.calls.models import Attempt
from outreach.calls.outcomes import CallReport
from outreach.calls.screen import Basis, NoPlannedCall
from outreach.calls.sent import hash_of, typed_from
from outreach.calls.views import around, bp, page_of, taking_of
from outreach.concerns import watching
from outreach.concerns.call_views import audit
from outreach.concerns.rules import Urgency
from outreach.db import db
from outreach.deps import deps
from outreach.patients import registry
from outreach.patients.models import Patient
from outreach.programmes import enrolment as enrolments
from outreach.programmes.rules import EnrolmentStatus
from outreach.results import urgent
from outreach.web.template_filters import calendar_day, local_moment

__all__ = ["bp"]  # queue_views.py goes on with it: so each file of the blueprint is loaded


@bp.post("/calls/<ref>")
@role_required(Role.CALLER)
def record(ref: str) -> ResponseReturnValue:
    """Keep what came of a call, plan what follows, and go on to the next patient."""
    with orm.reading():  # most of it only reads: nobody else's Save waits for that
        return _answered(ref, CallReportForm())


def _answered(ref: str, form: CallReportForm) -> ResponseReturnValue:
    now, actor = deps().clock(), signed_in()
    try:
        patient = registry.to_write(db.session, replace(actor.scope, saves_begun=True), ref)
    except registry.NoSuchPatient:
        return _taken(ref, form)
    known = outcomes.recorded(db.session, form.form_key.data or "")
    if known is not None and known.answers_hash == hash_of(request.form):
        return redirect(url_for("calls.queue"))
    try:
        basis = screen.basis_of(db.session, patient, actor, now=now)
    except NoPlannedCall:
        form.taking = taking_of(patient, now=now)
        _tell_at_once(patient, form, now=now, known=known)
        return render_template("calls/closed.html", patient=patient, form=form), 409
    if known is not None or form.planned_call_id.data != basis.call.id:
        return _moved_on(basis, form, known)
    is_valid = form.bind(around(basis)).validate_on_submit()
    if basis.must_read:
        form.form_errors.append(
            _("Read the hand-over before the first call. What you typed is kept here.")
        )
    if basis.must_read or not is_valid:
        _tell_at_once(patient, form, now=now)
        return _shown_again(basis, form), 422
    return _recorded(basis, form, then=form.then.data)


@contextmanager
def _writing() -> Iterator[None]:
    """Begin anew, as a writer: what was read before may have changed, and is asked again."""
    db.session.commit()
    with orm.writing():
        yield


def _shown_again(basis: Basis, form: CallReportForm) -> str:
    return page_of(screen.screen_around(db.session, basis, signed_in()), form)


def _tell_at_once(
    patient: Patient, form: CallReportForm, *, now: datetime, known: Attempt | None = None
) -> None:
    """Tell a nurse now of what is urgent: the call may be saved much later, or never.

    ``known`` is what this page was recorded as before: of that a nurse was told.
    """
    actor, typed, worry = signed_in(), form.typed, form.worry
    if known is not None:
        typed, worry = typed and told.not_kept(db.session, known, typed), None
    found = urgent.found_in(db.session, patient, typed, now=now) if typed else []
    if not found and worry is None:
        return
    key = form.form_key.data or drafts.new_form_key()
    with _writing():
        raised = told.tell(db.session, patient, found, key, actor=actor, now=now)
        if worry is not None:
            raised.append(told.tell_worry(db.session, patient, worry, actor=actor, now=now))
        for concern in raised:
            if concern.raised_at == now:
                audit("raised a concern", concern)
        db.session.commit()


def _recorded(basis: Basis, form: CallReportForm, *, then: str | None) -> ResponseReturnValue:
    """Record a valid form and go on; what somebody else did first is told, with the words."""
    report = form.to_report(hash_of(request.form))
    report = replace(report, answers=typed_from(request.form).answers)
    actor, patient = signed_in(), basis.patient
    try:
        with _writing():
            attempt = outcomes.record(
                db.session, patient, basis.call.id, report, actor=actor, now=basis.now
            )
            urgency = watching.most_urgent_at(db.session, patient.id, now=basis.now)
            db.session.commit()
    except outcomes.CallAlreadyClosed:
        db.session.rollback()
        _tell_at_once(patient, form, now=basis.now)
        return render_template("calls/closed.html", patient=patient, form=form), 409
    except outcomes.OtherWords:
        db.session.rollback()
        _tell_at_once(patient, form, now=basis.now)
        form.form_errors.append(_("Another tab holds other words about this call: choose first."))
        return _shown_again(basis, form), 422
    return _next_page(patient, attempt, report, then=then, urgency=urgency)


def _next_page(
    patient: Patient,
    attempt: Attempt,
    report: CallReport,
    *,
    then: str | None,
    urgency: Urgency | None,
) -> ResponseReturnValue:
    """Go on to where a call leads: its concern, the patient, or the next call.

    ``urgency``: of the most urgent concern that it raised.
    """
    words = _saved(patient, is_next=then != "stay")
    if report.afterwards.tells_missed:
        is_told = tried.is_told(db.session, attempt.id)
        words += " " + (_("The text goes out.") if is_told else _("No text goes out."))
    flash(_with_undo(words, patient.ref, attempt.id), "good")
    if urgency in (Urgency.NOW, Urgency.SAME_DAY):
        return redirect(url_for("safety.told", ref=patient.ref))
    if urgency is not None:
        flash(_("What you just saved is on the nurses' list."), "warm")
    return redirect(_onward(patient.ref, then))


def _taken(ref: str, form: CallReportForm) -> ResponseReturnValue:
    """Say who has the call now, and keep what was typed; nothing is told of the patient."""
    now, actor = deps().clock(), signed_in()
    with _writing():
        found = taken.of(db.session, ref, form.planned_call_id.data, actor, now=now)
        if found is not None:
            taken.keep(db.session, found, actor, typed_from(request.form), now=now)
        db.session.commit()
    if found is not None:
        patient = db.session.get_one(Patient, found.call.patient_id)
        form.taking = taking_of(patient, now=now)
        _tell_at_once(patient, form, now=now)
    note = form.note.data or ""
    page = render_template("calls/taken.html", taken=found, note=note)
    return page, 404 if found is None else 409


def _moved_on(basis: Basis, form: CallReportForm, known: Attempt | None) -> ResponseReturnValue:
    """Offer what was typed about a call that is closed for the patient's next one."""
    form.bind(around(basis)).planned_call_id.data = basis.call.id
    _tell_at_once(basis.patient, form, now=basis.now, known=known)
    form.form_key.data = drafts.new_form_key()
    form.form_errors.append(
        _("Somebody recorded this call first, or its days are over. Nothing of yours is lost: "
          "look it over, and save it for the next call if it belongs there.")
    )  # fmt: skip
    return _shown_again(basis, form), 409


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
    has_number, dial_from_at = coming.of(db.session, patient.id)
    if not has_number:
        return _("No working number is left: look under 'Number to fix'.")
    if dial_from_at is None:
        return _without_call(patient)
    when = local_moment(dial_from_at, patient.zone)
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
