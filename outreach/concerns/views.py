"""Pages on which nurses work concerns."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from outreach.accounts import staff
from outreach.accounts.access import role_required, signed_in
from outreach.accounts.models import Clinic
from outreach.accounts.rules import Role
from outreach.audit import trail
from outreach.concerns import alerting, raising, rota
from outreach.concerns.forms import AlertNumberForm, ConcernForm, DutyForm
from outreach.concerns.labels import KIND_WORDS, RANK_WORDS, STEP_WORDS, URGENCY_WORDS
from outreach.concerns.models import Concern
from outreach.db import db
from outreach.deps import deps
from outreach.measures import readings
from outreach.measures.rules import MeasureKind
from outreach.patients import registry

bp = Blueprint("concerns", __name__, url_prefix="/concerns")


@bp.get("/")
@role_required(Role.NURSE, Role.MANAGER)
def open_concerns() -> ResponseReturnValue:
    """List what is worrying now, and what was closed this week."""
    scope, now = signed_in().scope, deps().clock()
    concerns = raising.unclosed(db.session, scope)
    return render_template(
        "concerns/open.html",
        concerns=concerns,
        first_words=raising.first_words(db.session, concerns),
        closed=raising.recently_closed(db.session, scope, since=now - timedelta(days=7)),
        kind_words=KIND_WORDS,
        urgency_words=URGENCY_WORDS,
    )


@bp.get("/<int:concern_id>")
@role_required(Role.NURSE, Role.MANAGER)
def concern(concern_id: int) -> ResponseReturnValue:
    """Show one concern."""
    found = raising.by_id(db.session, signed_in().scope, concern_id)
    return _page(found, ConcernForm(formdata=None))


@bp.post("/<int:concern_id>/acknowledge")
@role_required(Role.NURSE)
def acknowledge(concern_id: int) -> ResponseReturnValue:
    """Take a concern on."""
    actor, now = signed_in(), deps().clock()
    found = raising.by_id(db.session, actor.scope, concern_id)
    raising.acknowledge(db.session, found, by_staff_id=actor.staff_id, now=now)
    _audit("took on a concern", found)
    db.session.commit()
    return redirect(url_for("concerns.concern", concern_id=concern_id))


@bp.post("/<int:concern_id>")
@role_required(Role.NURSE)
def work(concern_id: int) -> ResponseReturnValue:
    """Keep what was done, and close the concern if asked to."""
    actor, now, form = signed_in(), deps().clock(), ConcernForm()
    found = raising.by_id(db.session, actor.scope, concern_id)
    if not form.validate_on_submit():
        return _page(found, form), 422
    keep = raising.close if form.close.data else raising.note
    keep(db.session, found, form.note.data or "", by_staff_id=actor.staff_id, now=now)
    _audit("closed a concern" if form.close.data else "noted on a concern", found)
    db.session.commit()
    flash(_("Closed.") if form.close.data else _("Saved."), "good")
    return redirect(url_for("concerns.open_concerns"))


@bp.route("/on-call", methods=["GET", "POST"])
@role_required(Role.MANAGER, Role.ADMINISTRATOR)
def on_call() -> ResponseReturnValue:
    """Show who is on call, and put somebody on call."""
    now, actor = deps().clock(), signed_in()
    clinic = staff.clinic_in(db.session, actor.scope, request.values.get("clinic"))
    begins = now.astimezone(ZoneInfo(clinic.zone)).replace(tzinfo=None)
    people = rota.people(db.session, clinic.id, now=now)
    form = DutyForm.of(people, begins, begins + timedelta(days=1))
    if form.validate_on_submit() and _is_added(clinic, form, actor.staff_id, now=now):
        db.session.commit()
        flash(_("On call."), "good")
        return redirect(url_for("concerns.on_call", clinic=clinic.code))
    return _rota_page(clinic, form, now=now), 422 if form.errors else 200


@bp.post("/on-call/<int:duty_id>/end")
@role_required(Role.MANAGER, Role.ADMINISTRATOR)
def end_on_call(duty_id: int) -> ResponseReturnValue:
    """End a time on call."""
    clinic = staff.clinic_in(db.session, signed_in().scope, request.form.get("clinic"))
    rota.end(db.session, clinic.id, duty_id, now=deps().clock())
    db.session.commit()
    return redirect(url_for("concerns.on_call", clinic=clinic.code))


@bp.post("/on-call/numbers/<int:staff_id>")
@role_required(Role.MANAGER, Role.ADMINISTRATOR)
def alert_number(staff_id: int) -> ResponseReturnValue:
    """Keep the number at which one of the staff is told of concerns."""
    now = deps().clock()
    clinic = staff.clinic_in(db.session, signed_in().scope, request.form.get("clinic"))
    if staff_id not in {person.id for person in rota.people(db.session, clinic.id, now=now)}:
        raise rota.NoSuchDuty("Nobody of this clinic.")
    form = AlertNumberForm(clinic.region)
    if form.validate_on_submit():
        rota.keep_number(db.session, staff_id, form.e164)
        db.session.commit()
        flash(_("Saved."), "good")
    else:
        flash(_("That is not a telephone number. Nothing was saved."), "warm")
    return redirect(url_for("concerns.on_call", clinic=clinic.code))


def _is_added(clinic: Clinic, form: DutyForm, by_staff_id: int, *, now: datetime) -> bool:
    """Put somebody on call as answered, or put the reason beside the field."""
    duty = form.to_duty(ZoneInfo(clinic.zone))
    try:
        rota.add(db.session, clinic, duty, by_staff_id=by_staff_id, now=now)
    except rota.Overlaps as error:
        name = error.other.staff.name
        form.rank.errors = [_("%(name)s is on call in this place then.", name=name)]
        return False
    return True


def _rota_page(clinic: Clinic, form: DutyForm, *, now: datetime) -> str:
    return render_template(
        "concerns/on_call.html",
        clinic=clinic,
        clinics=staff.clinics_in(db.session, signed_in().scope),
        form=form,
        ready=alerting.on_call(db.session, clinic.id, now=now),
        duties=rota.coming(db.session, clinic.id, now=now),
        people=rota.people(db.session, clinic.id, now=now),
        rank_words=RANK_WORDS,
    )


def _page(found: Concern, form: ConcernForm) -> str:
    return render_template(
        "concerns/concern.html",
        concern=found,
        form=form,
        steps=raising.steps_of(db.session, found.id),
        told=alerting.alerts_of(db.session, found.id),
        number=registry.working_number(db.session, found.patient_id),
        readings=readings.latest(db.session, found.patient_id, list(MeasureKind)),
        kind_words=KIND_WORDS,
        urgency_words=URGENCY_WORDS,
        step_words=STEP_WORDS,
    )


def _audit(action: str, found: Concern) -> None:
    trail.record(
        db.session,
        action,
        actor_id=signed_in().staff_id,
        now=deps().clock(),
        clinic_id=found.clinic_id,
        patient_id=found.patient_id,
        about=("concern", found.id),
    )
