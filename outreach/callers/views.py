"""Pages about callers: who they are, when they work, who stands in, and when one leaves."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from outreach.accounts import staff
from outreach.accounts.access import role_required, signed_in
from outreach.accounts.models import Clinic
from outreach.accounts.rules import Role
from outreach.callers import absence as absences
from outreach.callers import cover, labels, leaving, profile, proposing
from outreach.callers.absence import AlreadyAway, PanelMoved, UnfitStandIn
from outreach.callers.forms import AbsenceForm, Chosen, LeavingForm, ProfileForm
from outreach.callers.profile import Caller
from outreach.callers.proposing import Line, fingerprint
from outreach.callers.rules import days_of
from outreach.clock import local_day
from outreach.db import db
from outreach.deps import deps
from outreach.panels import roster
from outreach.panels.assignment import PanelFull, UnfitCaller
from outreach.panels.models import Absence
from outreach.patients import finding
from outreach.patients.rules import Slot

bp = Blueprint("callers", __name__, url_prefix="/callers")
bp.add_app_template_global(lambda: labels, "caller_labels")
bp.add_app_template_filter(labels.last_day, "last_day")

MANAGERS = (Role.MANAGER, Role.ADMINISTRATOR)


@bp.get("/")
@role_required(*MANAGERS)
def index() -> ResponseReturnValue:
    """List the callers of a clinic: panel, hours, training, and who is away."""
    now, scope = deps().clock(), finding.managing(signed_in())
    clinic = staff.clinic_in(db.session, scope, request.args.get("clinic"))
    found = roster.callers(db.session, clinic.id, on=now.date())
    ids = [each.caller_id for each in found]
    return render_template(
        "callers/index.html",
        clinic=clinic,
        clinics=staff.clinics_in(db.session, scope),
        callers=found,
        profiles=profile.of(db.session, ids),
        away=absences.away_now_or_next(db.session, ids, now=now),
        today=local_day(now, ZoneInfo(clinic.zone)),
    )


@bp.get("/me")
@role_required(Role.CALLER)
def mine() -> ResponseReturnValue:
    """Show a caller their own shifts, and who covers for whom and when."""
    return _page(signed_in().staff_id, deps().clock())


@bp.get("/<int:staff_id>")
@role_required(Role.CALLER, *MANAGERS)
def caller(staff_id: int) -> ResponseReturnValue:
    """Show one caller to those who manage them, and to themselves."""
    return _page(staff_id, deps().clock())


@bp.route("/<int:staff_id>/edit", methods=["GET", "POST"])
@role_required(*MANAGERS)
def edit(staff_id: int) -> ResponseReturnValue:
    """Change what is kept of a caller: languages, hours, shifts, cap, training."""
    now, found = deps().clock(), _managed(staff_id)
    form = ProfileForm.of(found)
    if form.validate_on_submit():
        by = signed_in().staff_id
        profile.change(db.session, found, form.to_profile(), by_staff_id=by, now=now)
        unspoken = profile.count_unspoken(db.session, staff_id)
        if unspoken:
            words = ngettext(
                "%(num)s patient on their panel speaks another language: give them another caller.",
                "%(num)s patients on their panel speak another language: give them another caller.",
                unspoken,
            )
            flash(words, "warm")
        return _saved(staff_id, _("Saved."))
    page = render_template("callers/edit.html", caller=found, form=form)
    return page, 422 if form.errors else 200


@bp.route("/<int:staff_id>/absences", methods=["GET", "POST"])
@role_required(*MANAGERS)
def new_absence(staff_id: int) -> ResponseReturnValue:
    """Enter from when to when a caller is away: propose stand-ins, then keep them."""
    now, found = deps().clock(), _managed(staff_id)
    clinic = found.clinic(request.values.get("clinic"))
    today = local_day(now, found.zone)
    form = AbsenceForm.of(today, {"from_on": today, "last_on": today})
    return _absence_page(found, clinic, form, None, now=now)


@bp.route("/absences/<int:absence_id>", methods=["GET", "POST"])
@role_required(*MANAGERS)
def absence(absence_id: int) -> ResponseReturnValue:
    """Change the days of an absence, or who stands in."""
    now = deps().clock()
    kept, found, clinic = _kept(absence_id)
    from_on, last_on = days_of(Slot(kept.from_at, kept.until_at), found.zone)
    known = {"from_on": from_on, "last_on": last_on, "reason": kept.reason}
    known["note"] = cover.note_of(db.session, kept.id)
    form = AbsenceForm.of(local_day(now, found.zone), known)
    return _absence_page(found, clinic, form, kept, now=now)


@bp.post("/absences/<int:absence_id>/end")
@role_required(*MANAGERS)
def back(absence_id: int) -> ResponseReturnValue:
    """End an absence at once, or call it off: the calls come back."""
    kept, found, _clinic = _kept(absence_id)
    absences.end(db.session, kept, by_staff_id=signed_in().staff_id, now=deps().clock())
    return _saved(found.person.id, _("Their calls are theirs again."))


@bp.route("/<int:staff_id>/leave", methods=["GET", "POST"])
@role_required(*MANAGERS)
def leave(staff_id: int) -> ResponseReturnValue:
    """Give everybody on a panel a new caller in one go, because this one leaves."""
    now, found = deps().clock(), _managed(staff_id)
    clinic = found.clinic(request.values.get("clinic"))
    lines = proposing.for_leaving(db.session, clinic.id, found.person, now=now)
    form, chosen = LeavingForm.of(has_patients=bool(lines)), Chosen.posted(request.form)
    if not form.validate_on_submit():
        return _leave_page(found, clinic, form, chosen, lines), 422 if form.errors else 200
    return _left(found, clinic, form, chosen, now=now)


def _left(
    found: Caller, clinic: Clinic, form: LeavingForm, chosen: Chosen, *, now: datetime
) -> ResponseReturnValue:
    """Hand the panel over as answered; on refusal show the page again with what was chosen."""
    decided, by = form.to_leaving(chosen), signed_in().staff_id
    try:
        left = leaving.leave(db.session, clinic, found.person, decided, by_staff_id=by, now=now)
    except (PanelMoved, UnfitCaller, PanelFull) as error:
        db.session.rollback()
        form.refuse(_refusal(error))
        status = 409 if isinstance(error, PanelMoved) else 422
        lines = proposing.for_leaving(db.session, clinic.id, found.person, now=now)
        return _leave_page(found, clinic, form, chosen, lines), status
    if left.uncovered:
        words = ngettext(
            "They covered %(num)s patient, who needs another stand-in.",
            "They covered %(num)s patients, who need another stand-in.",
            left.uncovered,
        )
        flash(words, "warm")
    if left.is_gone:
        return _saved(found.person.id, _("Their patients have new callers. Their role ended."))
    words = ngettext(
        "%(num)s patient stays with them until there is a new caller.",
        "%(num)s patients stay with them until there are new callers.",
        left.staying,
    )
    return _saved(found.person.id, words)


def _absence_page(
    found: Caller, clinic: Clinic, form: AbsenceForm, kept: Absence | None, *, now: datetime
) -> ResponseReturnValue:
    """Show the days; where they are known, the stand-ins; and keep both when that is asked."""
    chosen = Chosen.posted(request.form)
    is_valid = form.validate_on_submit() if request.method == "POST" else kept is not None
    # New days need new proposals before anything is kept.
    is_shown = form.shown_days.data == form.days_shown
    if request.method == "POST" and is_valid and is_shown and request.form.get("save"):
        refused = _keep(found, clinic, form, chosen, kept, now=now)
        if refused is None:
            return _saved(found.person.id, _("Saved. The calls come back by themselves."))
        status = refused
    else:
        status = 422 if form.errors else 200
    lines = _absence_lines(found, clinic, form, kept, chosen, now=now) if is_valid else None
    page = render_template(
        "callers/absence.html",
        caller=found,
        clinic=clinic,
        form=form,
        absence=kept,
        lines=lines,
        seen=fingerprint(lines or ()),
    )
    return page, status


def _absence_lines(
    found: Caller,
    clinic: Clinic,
    form: AbsenceForm,
    kept: Absence | None,
    chosen: Chosen,
    *,
    now: datetime,
) -> Sequence[Line]:
    span = form.to_away(chosen).span(found.person)
    absence_id = kept.id if kept else None
    lines = proposing.for_absence(
        db.session, clinic.id, found.person, span, absence_id=absence_id, now=now
    )
    is_same_days = form.shown_days.data == form.days_shown
    return [line.answered(chosen.caller_of) for line in lines] if is_same_days else lines


def _keep(
    found: Caller,
    clinic: Clinic,
    form: AbsenceForm,
    chosen: Chosen,
    kept: Absence | None,
    *,
    now: datetime,
) -> int | None:
    """Keep an absence as answered; return the status of the refusal where it was refused."""
    away, by = form.to_away(chosen), signed_in().staff_id
    try:
        if kept is None:
            absences.enter(db.session, clinic, found.person, away, by_staff_id=by, now=now)
        else:
            ended = absences.change(db.session, kept, found.person, away, by_staff_id=by, now=now)
            _tell_of_ended(ended)
    except (PanelMoved, UnfitStandIn, AlreadyAway) as error:
        db.session.rollback()
        form.refuse(_refusal(error))
        return 409 if isinstance(error, PanelMoved) else 422
    return None


def _tell_of_ended(covers: int) -> None:
    if covers:
        words = ngettext(
            "Somebody was to call %(num)s patient for the former stand-in: that ended too.",
            "Somebody was to call %(num)s patients for the former stand-in: that ended too.",
            covers,
        )
        flash(words, "warm")


def _refusal(error: Exception) -> str:
    match error:
        case PanelMoved():
            return _("The panel changed meanwhile, so nothing was saved. Look over the list again.")
        case UnfitStandIn():
            return _("Somebody you chose can't stand in any more. Look over the list again.")
        case UnfitCaller():
            return _("Somebody you chose can't take these patients. Look over the list again.")
        case PanelFull():
            return _("A panel would go above its cap. Tick 'Go above the cap' if that is meant.")
    return _("They are away in some of these days already: change that absence instead.")


def _leave_page(
    found: Caller, clinic: Clinic, form: LeavingForm, chosen: Chosen, lines: Sequence[Line]
) -> str:
    return render_template(
        "callers/leave.html",
        caller=found,
        clinic=clinic,
        form=form,
        lines=[line.answered(chosen.caller_of) for line in lines],
        notes=chosen.notes,
        seen=fingerprint(lines),
    )


def _page(staff_id: int, now: datetime) -> str:
    actor = signed_in()
    found = profile.find(db.session, actor, staff_id, now=now)
    return render_template(
        "callers/caller.html",
        caller=found,
        panel=profile.panel(db.session, actor.scope, staff_id, now=now),
        covers=cover.made_by(db.session, actor.scope, found.person, now=now),
        absences=absences.plans_of(db.session, actor.scope, found.person, now=now),
        is_self=actor.staff_id == staff_id,
    )


def _managed(staff_id: int) -> Caller:
    return profile.find(db.session, signed_in(), staff_id, now=deps().clock())


def _kept(absence_id: int) -> tuple[Absence, Caller, Clinic]:
    """Return an absence at a clinic of the manager's, whose it is, and the clinic."""
    kept = absences.by_id(db.session, finding.managing(signed_in()), absence_id)
    return kept, _managed(kept.staff_id), db.session.get_one(Clinic, kept.clinic_id)


def _saved(staff_id: int, words: str) -> ResponseReturnValue:
    db.session.commit()
    flash(words, "good")
    return redirect(url_for("callers.caller", staff_id=staff_id))
