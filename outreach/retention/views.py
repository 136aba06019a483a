"""Pages on which managers see what is kept how long: of a clinic, and of one patient."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from outreach.accounts import staff
from outreach.accounts.access import fresh_required, role_required, signed_in
from outreach.accounts.models import Clinic
from outreach.accounts.rules import Role
from outreach.clock import local_day
from outreach.db import db
from outreach.deps import deps
from outreach.patients import finding
from outreach.patients.models import Anonymised, Patient
from outreach.retention import deletions, holding, labels, setting
from outreach.retention.deletions import AskedAlready, CannotGrant, NothingAsked, SamePerson
from outreach.retention.forms import DecisionForm, ReasonForm, RequestForm, YearsForm
from outreach.retention.holding import HeldAlready, NotHeld, TooLate

bp = Blueprint("retention", __name__, url_prefix="/retention")
bp.add_app_template_global(lambda: labels, "retention_labels")

MANAGERS = (Role.MANAGER, Role.ADMINISTRATOR)


@bp.app_template_global("kept")
def kept(patient: Patient) -> dict[str, object]:
    """Return what a patient's page says of holds, and of names that are gone."""
    return {
        "hold": holding.is_on(db.session, patient.id),
        "anonymised": db.session.get(Anonymised, patient.id),
    }


@bp.app_template_global("due_for_erasing")
def due_for_erasing(clinic_id: int) -> int:
    """Return of how many patients a clinic's manager is warned; a page that refreshes asks not."""
    if "X-Background" in request.headers:
        return 0
    return setting.warned_of(db.session, clinic_id, now=deps().clock())


@bp.get("/")
@role_required(*MANAGERS)
def clinic() -> ResponseReturnValue:
    """Show what a clinic keeps how long, its holds and its requests."""
    shown = _clinic()
    setting_now = setting.years(db.session, shown.id)
    return _clinic_page(shown, YearsForm(data={"years": setting_now}))


@bp.post("/years")
@role_required(*MANAGERS)
@fresh_required
def years() -> ResponseReturnValue:
    """Change after how many years a clinic anonymises."""
    shown, form = _clinic(), YearsForm()
    if not form.validate_on_submit():
        return _clinic_page(shown, form)
    setting.change(db.session, signed_in(), shown.id, form.years.data, now=deps().clock())
    db.session.commit()
    flash(_("Saved."), "good")
    return redirect(url_for("retention.clinic", clinic=shown.code), 303)


@bp.get("/patients/<ref>")
@role_required(*MANAGERS)
def patient(ref: str) -> ResponseReturnValue:
    """Show what holds for one patient."""
    return _patient_page(finding.to_manage(db.session, signed_in(), ref), {})


@bp.post("/patients/<ref>/hold")
@role_required(*MANAGERS)
@fresh_required
def place_hold(ref: str) -> ResponseReturnValue:
    """Let nothing of a patient be removed."""
    shown, form = finding.to_manage(db.session, signed_in(), ref), ReasonForm()
    if not form.validate_on_submit():
        return _patient_page(shown, {"hold_form": form})
    try:
        holding.place(db.session, signed_in(), ref, form.reason.data or "", now=deps().clock())
    except (HeldAlready, TooLate):
        return _refused(ref, _("Nothing was changed: a hold is on the patient, or it is too late."))
    return _saved(ref, _("Nothing of this patient will be removed."))


@bp.post("/patients/<ref>/hold/lift")
@role_required(*MANAGERS)
@fresh_required
def lift_hold(ref: str) -> ResponseReturnValue:
    """Lift the hold."""
    shown, form = finding.to_manage(db.session, signed_in(), ref), ReasonForm()
    if not form.validate_on_submit():
        return _patient_page(shown, {"hold_form": form})
    try:
        holding.lift(db.session, signed_in(), ref, form.reason.data or "", now=deps().clock())
    except NotHeld:
        return _refused(ref, _("The hold was lifted already."))
    return _saved(ref, _("The hold is lifted."))


@bp.post("/patients/<ref>/deletion")
@role_required(*MANAGERS)
def note_request(ref: str) -> ResponseReturnValue:
    """Note that deletion was asked for."""
    shown, form, now = (
        finding.to_manage(db.session, signed_in(), ref),
        RequestForm(),
        deps().clock(),
    )
    if not (form.validate_on_submit() and form.is_past(_today(shown, now))):
        return _patient_page(shown, {"request_form": form})
    try:
        deletions.note(db.session, signed_in(), ref, form.to_asked(), now=now)
    except AskedAlready:
        return _refused(ref, _("This was asked for already."))
    return _saved(ref, _("Noted. Somebody else decides it."))


@bp.post("/patients/<ref>/deletion/decision")
@role_required(*MANAGERS)
@fresh_required
def decide_request(ref: str) -> ResponseReturnValue:
    """Grant or refuse what was asked for."""
    shown, form = finding.to_manage(db.session, signed_in(), ref), DecisionForm()
    if not (form.validate_on_submit() and form.is_whole()):
        return _patient_page(shown, {"decision_form": form})
    try:
        deletions.decide(db.session, signed_in(), ref, form.to_decided(), now=deps().clock())
    except CannotGrant as refused:
        form.decision.errors = [str(labels.OBSTACLES[each]) for each in sorted(refused.obstacles)]
    except SamePerson:
        form.decision.errors = [_("You noted this request. Somebody else decides it.")]
    except NothingAsked:
        return _refused(ref, _("This was decided already."))
    else:
        return _saved(ref, _("Decided."))
    return _patient_page(shown, {"decision_form": form})


def _clinic_page(shown: Clinic, form: YearsForm) -> ResponseReturnValue:
    page = render_template(
        "retention/clinic.html",
        clinic=shown,
        clinics=staff.clinics_in(db.session, finding.managing(signed_in())),
        form=form,
        overview=setting.overview(db.session, shown.id, now=deps().clock()),
    )
    return page, 422 if form.errors else 200


def _patient_page(shown: Patient, forms: dict[str, object]) -> ResponseReturnValue:
    request_ = deletions.open_one(db.session, shown.id)
    page = render_template(
        "retention/patient.html",
        patient=shown,
        today=_today(shown, deps().clock()),
        hold=holding.current(db.session, shown.id),
        lifted=holding.lifted(db.session, shown.id),
        request=request_,
        is_mine=request_ is not None and request_.noted_by_id == signed_in().staff_id,
        under_way=deletions.under_way(db.session, shown.id),
        decided=deletions.decided(db.session, shown.id),
        anonymised=db.session.get(Anonymised, shown.id),
        hold_form=forms.get("hold_form") or ReasonForm(formdata=None),
        request_form=forms.get("request_form") or RequestForm(formdata=None),
        decision_form=forms.get("decision_form") or DecisionForm(formdata=None),
    )
    return page, 422 if forms else 200


def _today(shown: Patient, now: datetime) -> date:
    return local_day(now, ZoneInfo(shown.clinic.zone))


def _saved(ref: str, words: str) -> ResponseReturnValue:
    db.session.commit()
    flash(words, "good")
    return redirect(url_for("retention.patient", ref=ref), 303)


def _refused(ref: str, words: str) -> ResponseReturnValue:
    db.session.rollback()
    flash(words, "warm")
    return redirect(url_for("retention.patient", ref=ref), 303)


def _clinic() -> Clinic:
    scope = finding.managing(signed_in())
    return staff.clinic_in(db.session, scope, request.args.get("clinic"))
