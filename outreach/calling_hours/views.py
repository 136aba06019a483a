"""Pages on which managers keep a clinic's hours, and administrators the law."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from outreach.accounts import staff
from outreach.accounts.access import role_required, signed_in
from outreach.accounts.models import Clinic
from outreach.accounts.rules import Role
from outreach.audit import trail
from outreach.calling_hours import keeping, refitting
from outreach.calling_hours.forms import ClinicHoursForm, ClosedDayForm, EndLawForm, LawForm
from outreach.calling_hours.keeping import AlreadyClosed, EndsBeforeItBegins, NeverOpen
from outreach.clock import local_day
from outreach.db import db
from outreach.deps import deps
from outreach.patients import finding

bp = Blueprint("calling_hours", __name__, url_prefix="/hours")

PROMISED = 500  # promised times that are looked through
MANAGERS = (Role.MANAGER, Role.ADMINISTRATOR)


@bp.route("/", methods=["GET", "POST"])
@role_required(*MANAGERS)
def clinic_hours() -> ResponseReturnValue:
    """Show and change when a clinic calls, and the days on which it doesn't."""
    clinic = _clinic()
    form = ClinicHoursForm.of(clinic)
    if form.validate_on_submit():
        try:
            keeping.change(db.session, clinic, form.to_hours(), now=deps().clock())
        except NeverOpen:
            db.session.rollback()
            form.closes.errors = [_("With the law of some state, no hour to call is left.")]
        else:
            return _saved(clinic, "changed calling hours", moves=True)
    return _page(clinic, form, ClosedDayForm(formdata=None)), 422 if form.errors else 200


@bp.post("/closed-days")
@role_required(*MANAGERS)
def close_day() -> ResponseReturnValue:
    """Close a day: its calls move."""
    clinic, now = _clinic(), deps().clock()
    form = ClosedDayForm.of(local_day(now, ZoneInfo(clinic.zone)))
    if form.validate_on_submit():
        try:
            keeping.close_day(
                db.session, clinic, form.on.data, form.name.data,
                by_staff_id=signed_in().staff_id, now=now,
            )  # fmt: skip
        except AlreadyClosed:
            form.on.errors = [_("No calls are made on that day already.")]
        else:
            return _saved(clinic, "closed a day", moves=True)
    return _page(clinic, ClinicHoursForm.of(clinic), form), 422


@bp.post("/closed-days/<int:closure_id>/remove")
@role_required(*MANAGERS)
def reopen_day(closure_id: int) -> ResponseReturnValue:
    """Make calls on a closed day after all."""
    clinic = _clinic()
    keeping.reopen_day(db.session, clinic, closure_id)
    return _saved(clinic, "reopened a day", moves=False)


@bp.route("/laws", methods=["GET", "POST"])
@role_required(*MANAGERS)
def laws() -> ResponseReturnValue:
    """Show the calling hours that laws set; administrators add to them."""
    form = LawForm.of()
    may_change = Role.ADMINISTRATOR in signed_in().roles
    if may_change and form.validate_on_submit():
        try:
            rule = keeping.add_law(db.session, form.to_law(), now=deps().clock())
        except NeverOpen:
            db.session.rollback()
            form.weekdays.errors = [_("With this law no hour to call is left in a whole year.")]
        else:
            return _law_saved("added a calling law", rule.id, moves=True)
    regions = [each.region for each in _clinics()]
    page = render_template(
        "calling_hours/laws.html",
        laws=keeping.laws(db.session, regions),
        form=form,
        may_change=may_change,
        today=deps().clock().date(),
    )
    return page, 422 if form.errors else 200


@bp.post("/laws/<int:rule_id>/end")
@role_required(Role.ADMINISTRATOR)
def end_law(rule_id: int) -> ResponseReturnValue:
    """Let a law end on a day; it stays on record."""
    form = EndLawForm()
    if not form.validate_on_submit():
        flash(_("Enter the first day on which the law holds no more."), "urgent")
        return redirect(url_for("calling_hours.laws"))
    try:
        keeping.end_law(db.session, rule_id, form.until_on.data)
    except EndsBeforeItBegins:
        flash(_("A law can't end before it began."), "urgent")
        return redirect(url_for("calling_hours.laws"))
    return _law_saved("ended a calling law", rule_id, moves=False)


def _page(clinic: Clinic, form: ClinicHoursForm, closing: ClosedDayForm) -> str:
    now = deps().clock()
    today = local_day(now, ZoneInfo(clinic.zone))
    return render_template(
        "calling_hours/clinic.html",
        clinic=clinic,
        clinics=_clinics(),
        form=form,
        closing=closing,
        closed=keeping.closed_days(db.session, clinic, today=today),
        promised=refitting.promised(db.session, clinic.id, now=now, limit=PROMISED),
        today=today,
    )


def _saved(clinic: Clinic, action: str, *, moves: bool) -> ResponseReturnValue:
    _audit(action, ("clinic", clinic.id), clinic_id=clinic.id)
    db.session.commit()
    _say(moves=moves)
    return redirect(url_for("calling_hours.clinic_hours", clinic=clinic.code))


def _law_saved(action: str, rule_id: int, *, moves: bool) -> ResponseReturnValue:
    _audit(action, ("hours_rule", rule_id), clinic_id=None)
    db.session.commit()
    _say(moves=moves)
    return redirect(url_for("calling_hours.laws"))


def _say(*, moves: bool) -> None:
    """Say that it is saved, and that calls planned before may move."""
    words = [_("Saved.")]
    if moves:
        words.append(_("Calls planned outside these hours move within a minute."))
    flash(" ".join(words), "good")


def _audit(action: str, about: tuple[str, int], *, clinic_id: int | None) -> None:
    trail.record(
        db.session,
        action,
        actor_id=signed_in().staff_id,
        now=deps().clock(),
        clinic_id=clinic_id,
        about=about,
    )


def _clinic() -> Clinic:
    scope = finding.managing(signed_in())
    return staff.clinic_in(db.session, scope, request.values.get("clinic"))


def _clinics() -> Sequence[Clinic]:
    return staff.clinics_in(db.session, finding.managing(signed_in()))
