"""Pages on which patients get their caller."""

from collections.abc import Sequence
from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from outreach.accounts import staff
from outreach.accounts.access import role_required, signed_in
from outreach.accounts.models import Clinic
from outreach.accounts.rules import Role
from outreach.db import db
from outreach.deps import deps
from outreach.panels import applying, assignment, history, proposals, proposing, roster
from outreach.panels.applying import AboveLimits, NoProposal, PanelsChanged
from outreach.panels.assignment import PanelFull
from outreach.panels.forms import LEFT_OUT, UNMET, ApplyForm, ChangeCallerForm, LineForm
from outreach.panels.models import PanelMembership, Proposal, ProposalLine
from outreach.panels.proposing import Person, Place
from outreach.panels.rules.load import WEEKS_AHEAD
from outreach.panels.rules.matching import Unmet, is_allowed, unmet
from outreach.patients import finding
from outreach.patients.models import Patient
from outreach.programmes import enrolment as enrolments
from outreach.web.bounded import whole

bp = Blueprint("panels", __name__)

MANAGERS = (Role.MANAGER, Role.ADMINISTRATOR)
MOST_WAITING = 20
SHOWS = ("all", "unmet", "left", "mine")


@bp.get("/panels/")
@role_required(*MANAGERS)
def assign() -> ResponseReturnValue:
    """Show the panels of a clinic, what they cost, and how many wait for a caller."""
    now, clinic = deps().clock(), _clinic()
    place = proposing.place_of(db.session, clinic, now=now)
    panels = {each.caller_id: each for each in roster.callers(db.session, clinic.id, on=now.date())}
    return render_template(
        "panels/panels.html",
        clinic=clinic,
        clinics=_clinics(),
        place=place,
        panels=panels,
        waiting=roster.waiting(db.session, clinic.id, limit=MOST_WAITING),
        waiting_count=roster.count_waiting(db.session, clinic.id),
        has_proposal=proposals.is_open(db.session, clinic.id),
    )


@bp.post("/panels/propose")
@role_required(*MANAGERS)
def propose() -> ResponseReturnValue:
    """Work out who could call whom."""
    now, clinic = deps().clock(), _clinic()
    proposals.make(db.session, clinic, by_staff_id=signed_in().staff_id, now=now)
    db.session.commit()
    return redirect(url_for("panels.proposal", clinic=clinic.code))


@bp.get("/panels/proposal")
@role_required(*MANAGERS)
def proposal() -> ResponseReturnValue:
    """Show what is proposed, before anything changes."""
    clinic = _clinic()
    found = proposals.open_of(db.session, clinic.id)
    return _proposal_page(clinic, found, _apply_form(found))


@bp.route("/panels/proposal/lines/<int:line_id>", methods=["GET", "POST"])
@role_required(*MANAGERS)
def line(line_id: int) -> ResponseReturnValue:
    """Choose another caller and first day for one patient of a proposal."""
    now, clinic = deps().clock(), _clinic()
    found = proposals.open_of(db.session, clinic.id)
    shown = proposals.line_of(db.session, found, line_id)
    place = proposing.place_of(db.session, clinic, now=now)
    people = proposing.people_waiting(db.session, clinic.id, place)
    person = next((p for p in people if p.enrolment_id == shown.line.enrolment_id), None)
    if person is None:
        raise NoProposal("This patient does not wait any more.")
    full = proposals.filled(db.session, found, place, people)
    able = [each for each in full if is_allowed(person.facts, each.caller)]
    form = LineForm.of(shown.line, able)
    if form.validate_on_submit() and _is_line_changed(form, shown.line, person, place):
        db.session.commit()
        return redirect(url_for("panels.proposal", clinic=clinic.code, show=_show(), page=_page()))
    page = render_template(
        "panels/line.html",
        clinic=clinic, shown=shown, form=form, able=able, show=_show(), page=_page(),
        is_fixed=person.facts.fixed_load is not None, unmet_words=UNMET,
        unmet_with={
            each.caller.caller_id: unmet(person.facts, each.caller, on=place.today)
            for each in able
        },
    )  # fmt: skip
    return page, 422 if form.errors else 200


@bp.post("/panels/proposal/apply")
@role_required(*MANAGERS)
def apply() -> ResponseReturnValue:
    """Give everybody on the proposal their caller, in one transaction."""
    now, clinic, form = deps().clock(), _clinic(), ApplyForm()
    if not form.validate_on_submit():
        raise NoProposal("There is no such proposal.")
    try:
        count = applying.apply(
            db.session,
            form.proposal_id.data,
            clinic,
            by_staff_id=signed_in().staff_id,
            above_cap=form.above_cap.data,
            seen=form.seen.data,
            now=now,
        )
    except (PanelsChanged, AboveLimits) as error:
        db.session.rollback()
        return _refused(clinic, form, error)
    db.session.commit()
    flash(
        ngettext("%(num)s patient has a caller now.", "%(num)s patients have a caller now.", count),
        "good",
    )
    return redirect(url_for("panels.assign", clinic=clinic.code))


@bp.post("/panels/proposal/drop")
@role_required(*MANAGERS)
def drop() -> ResponseReturnValue:
    """Put the proposal away; nothing changes."""
    clinic = _clinic()
    proposals.drop(db.session, clinic.id, now=deps().clock())
    db.session.commit()
    return redirect(url_for("panels.assign", clinic=clinic.code))


@bp.route("/patients/<ref>/caller", methods=["GET", "POST"])
@role_required(*MANAGERS)
def change_caller(ref: str) -> ResponseReturnValue:
    """Give one patient another caller, with a note for them."""
    now = deps().clock()
    patient = finding.to_manage(db.session, signed_in(), ref)
    enrolment = enrolments.current(db.session, patient.id)
    if enrolment is None:
        raise assignment.NoSuchEnrolment("This patient is in no programme.")
    current = assignment.current_membership(db.session, enrolment.id)
    form = _change_form(patient, current, now=now)
    if form.validate_on_submit() and _is_changed(form, enrolment.id, now=now):
        db.session.commit()
        flash(_("The new caller has this patient on their panel now."), "good")
        return redirect(url_for("chart.patient", ref=ref))
    page = render_template(
        "panels/change_caller.html", patient=patient, form=form, has_caller=current is not None
    )
    return page, 422 if form.errors else 200


def _clinic() -> Clinic:
    scope = finding.managing(signed_in())
    return staff.clinic_in(db.session, scope, request.values.get("clinic"))


def _clinics() -> Sequence[Clinic]:
    return staff.clinics_in(db.session, finding.managing(signed_in()))


def _show() -> str:
    show = request.values.get("show", "all")
    return show if show in SHOWS else "all"


def _page() -> int:
    return max(1, whole(request.values.get("page")) or 1)


def _apply_form(found: Proposal) -> ApplyForm:
    return ApplyForm(formdata=None, proposal_id=found.id, seen=applying.changes_of(found))


def _refused(
    clinic: Clinic, form: ApplyForm, error: PanelsChanged | AboveLimits
) -> ResponseReturnValue:
    found = proposals.open_of(db.session, clinic.id)
    if isinstance(error, PanelsChanged):
        return _proposal_page(clinic, found, _apply_form(found), stale=error), 409
    form.above_cap.errors = [_("A panel would be above its cap. Tick this, or change some lines.")]
    return _proposal_page(clinic, found, form), 422


def _proposal_page(
    clinic: Clinic,
    found: Proposal,
    form: ApplyForm,
    *,
    stale: PanelsChanged | None = None,
) -> str:
    now = deps().clock()
    place = proposing.place_of(db.session, clinic, now=now)
    people = proposing.people_waiting(db.session, clinic.id, place)
    lines, count = proposals.page_of(db.session, found, _show(), _page() - 1)
    filled = proposals.filled(db.session, found, place, people)
    return render_template(
        "panels/proposal.html",
        clinic=clinic, proposal=found, form=form, lines=lines, count=count, show=_show(),
        page=_page(), pages=-(-count // proposals.PAGE), counts=proposals.counts(db.session, found),
        filled=filled, spread=proposing.spread_of((each.caller, each.load) for each in filled),
        unmet=proposals.unmet_of(db.session, found), mondays=place.mondays[:WEEKS_AHEAD],
        stale=stale, left_out_words=LEFT_OUT, unmet_words=UNMET,
    )  # fmt: skip


def _is_line_changed(form: LineForm, line: ProposalLine, person: Person, place: Place) -> bool:
    """Change a line as answered, or put the reason beside the field."""
    try:
        proposals.change(db.session, line, person, place, form.to_choice())
    except proposals.LineChanged:
        db.session.rollback()
        form.seen.raw_data = [proposals.state_of(line)]
        form.seen.data = proposals.state_of(line)
        form.caller_id.errors = [
            _("Somebody else changed this line just now. Look at your choice, and keep it again.")
        ]
        return False
    except proposals.UnfitChoice:
        db.session.rollback()
        form.starts_on.errors = [_("Choose a day from today on, on which the clinic works.")]
        return False
    return True


def _change_form(
    patient: Patient, current: PanelMembership | None, *, now: datetime
) -> ChangeCallerForm:
    able = [
        caller
        for caller in roster.able(db.session, patient.clinic_id, patient.language, now=now)
        if current is None or caller.caller_id != current.caller_id
    ]
    parted = history.parted(db.session, [patient.id]).get(patient.id, ())
    others = roster.others_than(db.session, [each.caller_id for each in able], patient)
    wishes = {
        each.caller_id: [
            *([Unmet.SOMEBODY_ELSE] if each.caller_id in parted else []),
            *([Unmet.CALLER] if each.caller_id in others else []),
        ]
        for each in able
    }
    return ChangeCallerForm.of(able, current.id if current else None, wishes)


def _is_changed(form: ChangeCallerForm, enrolment_id: int, *, now: datetime) -> bool:
    """Change the caller as answered, or put the reason beside the field."""
    try:
        assignment.change_caller(
            db.session,
            enrolment_id,
            form.to_handover(),
            by_staff_id=signed_in().staff_id,
            now=now,
            above_cap=form.above_cap.data,
        )
    except PanelFull:
        db.session.rollback()
        form.above_cap.errors = [_("Their panel is full. Tick this to go above the cap.")]
        return False
    return True
