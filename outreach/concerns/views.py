"""Pages on which nurses work concerns, and look again at what was closed or flagged."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from outreach.accounts.access import role_required, signed_in
from outreach.accounts.rules import Role
from outreach.audit import trail
from outreach.clock import local_day
from outreach.concerns import (
    alerting,
    flags,
    limits,
    low_sugar,
    raising,
    readiness,
    reviewing,
    steps,
)
from outreach.concerns.call_views import audit
from outreach.concerns.forms import (
    ConcernForm,
    FlagForm,
    FlagReviewForm,
    LimitsForm,
    SecondLookForm,
    is_within_reach,
)
from outreach.concerns.labels import (
    KIND_WORDS,
    RISK_WORDS,
    STEP_WORDS,
    URGENCY_WORDS,
    limits_words,
)
from outreach.concerns.models import Concern, RiskFlag
from outreach.concerns.rules import LIMITED, PUBLISHED, ConcernStatus
from outreach.concerns.rules.limits import OUTERMOST
from outreach.db import db
from outreach.deps import deps
from outreach.errors import NotAllowed
from outreach.measures import readings
from outreach.measures.labels import measure_name
from outreach.measures.rules import MeasureKind
from outreach.patients import registry
from outreach.patients.models import Patient

bp = Blueprint("concerns", __name__, url_prefix="/concerns")

READERS = (Role.NURSE, Role.MANAGER)


@bp.get("/")
@role_required(*READERS)
def open_concerns() -> ResponseReturnValue:
    """List what is worrying now, what waits for a second look, and what was closed this week."""
    actor, now = signed_in(), deps().clock()
    unclosed = raising.unclosed(db.session, actor.scope)
    taken_on = [each for each in unclosed if each.status is ConcernStatus.ACKNOWLEDGED]
    mine = [each for each in taken_on if each.acknowledged_by_id == actor.staff_id]
    return render_template(
        "concerns/open.html",
        waiting=[each for each in unclosed if each.status is ConcernStatus.OPEN],
        mine=mine,
        others=[each for each in taken_on if each not in mine],
        to_review=reviewing.pending(db.session, actor.scope),
        flags=flags.due(db.session, actor.scope, today=local_day(now, ZoneInfo(actor.zone))),
        first_words=steps.first_words(db.session, unclosed),
        low_answers=low_sugar.answers_of(db.session, [each.id for each in unclosed]),
        closed=raising.recently_closed(db.session, actor.scope, since=now - timedelta(days=7)),
        nurse_at=actor.clinic_ids_as(Role.NURSE),
        kind_words=KIND_WORDS,
        urgency_words=URGENCY_WORDS,
    )


@bp.get("/<int:concern_id>")
@role_required(*READERS)
def concern(concern_id: int) -> ResponseReturnValue:
    """Show one concern."""
    found = raising.by_id(db.session, signed_in().scope, concern_id)
    return _page(found, ConcernForm(formdata=None), SecondLookForm(formdata=None))


@bp.post("/<int:concern_id>/acknowledge")
@role_required(*READERS)
def acknowledge(concern_id: int) -> ResponseReturnValue:
    """Take a concern on."""
    found = _to_work(concern_id)
    raising.acknowledge(db.session, found, by_staff_id=signed_in().staff_id, now=deps().clock())
    audit("took on a concern", found)
    db.session.commit()
    return redirect(url_for("concerns.concern", concern_id=concern_id))


@bp.post("/<int:concern_id>")
@role_required(*READERS)
def work(concern_id: int) -> ResponseReturnValue:
    """Keep what was done, and close the concern if asked to."""
    actor, now, form = signed_in(), deps().clock(), ConcernForm()
    found = _to_work(concern_id)
    if not form.validate_on_submit():
        return _page(found, form, SecondLookForm(formdata=None)), 422
    keep = raising.close if form.close.data else raising.note
    keep(db.session, found, form.note.data or "", by_staff_id=actor.staff_id, now=now)
    audit("closed a concern" if form.close.data else "noted on a concern", found)
    db.session.commit()
    flash(_closed_words(found) if form.close.data else _("Saved."), "good")
    return redirect(url_for("concerns.open_concerns"))


@bp.post("/<int:concern_id>/review")
@role_required(*READERS)
def review(concern_id: int) -> ResponseReturnValue:
    """Look again at how a concern was closed: agree, or open it again with a reason."""
    actor, now, form = signed_in(), deps().clock(), SecondLookForm()
    found = raising.by_id(db.session, actor.scope, concern_id)
    if not form.validate_on_submit():
        return _page(found, ConcernForm(formdata=None), form), 422
    look = reviewing.reopen if form.reopen.data else reviewing.review
    look(db.session, found, form.note.data or "", by_staff_id=actor.staff_id, now=now)
    audit("opened a concern again" if form.reopen.data else "reviewed a concern", found)
    db.session.commit()
    flash(_("Open again; who is on call is told.") if form.reopen.data else _("Reviewed."), "good")
    return redirect(url_for("concerns.open_concerns"))


@bp.route("/flags/<ref>", methods=["GET", "POST"])
@role_required(Role.NURSE)
def flags_of(ref: str) -> ResponseReturnValue:
    """Show a patient's flags, and set one."""
    actor, now = signed_in(), deps().clock()
    patient = registry.to_write(db.session, actor.scope, ref)
    today = local_day(now, ZoneInfo(patient.clinic.zone))
    form = FlagForm.of(today)
    if form.validate_on_submit() and is_within_reach(form.review_on, today):
        new = form.to_flag()
        flag = flags.add(db.session, patient, new, by_staff_id=actor.staff_id, today=today, now=now)
        return _flag_kept("set a flag", flag, patient)
    return _flags_page(patient, form, FlagReviewForm(formdata=None), None, today=today)


@bp.post("/flags/<int:flag_id>/review")
@role_required(Role.NURSE)
def review_flag(flag_id: int) -> ResponseReturnValue:
    """Keep a flag until another day, or end it."""
    actor, now, form = signed_in(), deps().clock(), FlagReviewForm()
    flag = flags.by_id(db.session, actor.scope, flag_id)
    today = local_day(now, ZoneInfo(flag.patient.clinic.zone))
    is_whole = form.validate_on_submit()
    if not is_whole or (not form.end.data and not is_within_reach(form.review_on, today)):
        blank = FlagForm(formdata=None)
        return _flags_page(flag.patient, blank, form, flag.id, today=today)
    until = None if form.end.data else form.review_on.data
    words = form.note.data or ""
    flags.review(db.session, flag, words, until, by_staff_id=actor.staff_id, today=today, now=now)
    return _flag_kept("reviewed a flag", flag, flag.patient)


@bp.route("/limits/<ref>", methods=["GET", "POST"])
@role_required(Role.NURSE)
def limits_of(ref: str) -> ResponseReturnValue:
    """Show when a nurse hears of a patient's values, and set it for one measure."""
    actor, now = signed_in(), deps().clock()
    patient = registry.to_write(db.session, actor.scope, ref)
    today = local_day(now, ZoneInfo(patient.clinic.zone))
    held = limits.of_patient(db.session, patient.id, today=today)
    asked = request.args.get("measure", "")
    kind = MeasureKind(asked) if asked in LIMITED else LIMITED[0]
    seen = limits.numbers(db.session, patient.id).get(kind, 0)
    form = LimitsForm.of(kind, held.get(kind), patient.clinic.glucose_unit, seen=seen)
    if form.validate_on_submit() and (form.remove.data or form.is_possible(today)):
        _keep_limits(patient, form, now=now)
        db.session.commit()
        flash(_("Saved."), "good")
        return redirect(url_for("concerns.limits_of", ref=ref, measure=kind.value))
    page = render_template(
        "concerns/limits.html",
        patient=patient,
        form=form,
        kind=kind,
        held=held,
        history=limits.history(db.session, patient.id),
        today=today,
        kinds=LIMITED,
        published=PUBLISHED,
        outermost=OUTERMOST,
    )
    return page, 422 if form.errors else 200


def _keep_limits(patient: Patient, form: LimitsForm, *, now: datetime) -> None:
    by = signed_in().staff_id
    if form.remove.data:
        limits.take_away(
            db.session,
            patient,
            form.kind,
            form.reason.data or "",
            seen=form.times_seen,
            by_staff_id=by,
            now=now,
        )
    else:
        limits.put(db.session, patient, form.to_limits(), by_staff_id=by, now=now)


bp.add_app_template_global(limits_words)
bp.add_app_template_global(measure_name)


def _to_work(concern_id: int) -> Concern:
    """Return a concern that the actor may work: as its nurse, or as whoever is on call."""
    actor = signed_in()
    found = raising.by_id(db.session, actor.scope, concern_id)
    if not _may_work(found):
        raise NotAllowed("Nurses, and whoever is on call, take concerns on.")
    return found


def _may_work(found: Concern) -> bool:
    actor = signed_in()
    if found.clinic_id in actor.clinic_ids_as(Role.NURSE):
        return True
    ready = readiness.watch(db.session, found.clinic_id, now=deps().clock()).ready
    return actor.staff_id in {person.id for person in ready.values()}


def _closed_words(found: Concern) -> str:
    if found.waits_for_review:
        return _("Closed. Somebody else reviews it, because it was urgent.")
    return _("Closed.")


def _flag_kept(action: str, flag: RiskFlag, patient: Patient) -> ResponseReturnValue:
    trail.record(
        db.session,
        action,
        actor_id=signed_in().staff_id,
        now=deps().clock(),
        clinic_id=flag.clinic_id,
        patient_id=flag.patient_id,
        about=("risk_flag", flag.id),
    )
    db.session.commit()
    flash(_("Saved."), "good")
    return redirect(url_for("concerns.flags_of", ref=patient.ref))


def _flags_page(
    patient: Patient,
    form: FlagForm,
    review_form: FlagReviewForm,
    reviewed_id: int | None,
    *,
    today: date,
) -> ResponseReturnValue:
    page = render_template(
        "concerns/flags.html",
        patient=patient,
        flags=flags.of_patient(db.session, patient.id),
        reviews=flags.reviews_of(db.session, patient.id),
        form=form,
        review_form=review_form,
        reviewed_id=reviewed_id,
        today=today,
        risk_words_by_kind=RISK_WORDS,
    )
    return page, 422 if form.errors or review_form.errors else 200


def _page(found: Concern, form: ConcernForm, look: SecondLookForm) -> str:
    return render_template(
        "concerns/concern.html",
        concern=found,
        form=form,
        look=look,
        may_work=_may_work(found),
        is_closer=found.closed_by_id == signed_in().staff_id,
        steps=steps.of(db.session, found.id),
        low_answer=low_sugar.answers_of(db.session, [found.id]).get(found.id),
        told=alerting.alerts_of(db.session, found.id),
        number=registry.working_number(db.session, found.patient_id),
        readings=readings.latest(db.session, found.patient_id, list(MeasureKind)),
        kind_words=KIND_WORDS,
        urgency_words=URGENCY_WORDS,
        step_words=STEP_WORDS,
    )
