"""Staff: who works here, inviting them, their roles, links, sessions and lost factors."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from wtforms import SelectChoice

from outreach.accounts import access_links, appointing, staff
from outreach.accounts.access import fresh_required, role_required, signed_in
from outreach.accounts.appointing import Colleague
from outreach.accounts.forms import NewStaffForm, RoleForm
from outreach.accounts.models import Clinic
from outreach.accounts.rules import LINK_LIVES, Actor, Role
from outreach.accounts.staff import NewStaff
from outreach.brakes import access as brakes
from outreach.brakes.rules import Braked
from outreach.db import db
from outreach.deps import deps
from outreach.errors import NotFound, RuleBroken

bp = Blueprint("staff", __name__, url_prefix="/staff")

KEEPERS = (Role.MANAGER, Role.ADMINISTRATOR)
ROLE_WORDS = {
    Role.CALLER: _l("Caller"),
    Role.NURSE: _l("Nurse"),
    Role.MANAGER: _l("Manager"),
    Role.ADMINISTRATOR: _l("Administrator"),
    Role.AUDITOR: _l("Auditor"),
    Role.ASSESSOR: _l("Assessor of a trial"),
}


@bp.app_template_filter("role_name")
def role_name(role: Role) -> str:
    """Return what a role is called."""
    return str(ROLE_WORDS[role])


@bp.get("/")
@role_required(*KEEPERS)
def index() -> ResponseReturnValue:
    """List those who work here."""
    actor, search = signed_in(), request.args.get("search", "")[:80]
    today = deps().clock().date()
    return render_template(
        "accounts/staff.html",
        people=appointing.colleagues(db.session, actor, search=search, today=today),
        search=search,
        most=appointing.MOST_SHOWN,
    )


@bp.route("/new", methods=["GET", "POST"])
@role_required(*KEEPERS)
@fresh_required
def new() -> ResponseReturnValue:
    """Add somebody with one role; they set their own password by a link."""
    actor, now, form = signed_in(), deps().clock(), NewStaffForm()
    offered = _offer(form, actor)
    if form.validate_on_submit():
        role, clinic = offered[form.role.data]
        zone = clinic.zone if clinic else actor.zone
        wanted = NewStaff(
            form.email.data or "", form.name.data or "", role, clinic, zone, form.codes()
        )
        try:
            person = staff.add_invited(db.session, wanted, by_staff_id=actor.staff_id, now=now)
        except staff.AlreadyThere as error:
            form.email.errors = [str(error)]
        except staff.UnknownLanguage as error:
            form.languages.errors = [str(error)]
        else:
            db.session.flush()
            other = appointing.colleague(db.session, actor, person.id, today=now.date())
            return _with_link(actor, other)
    page = render_template("accounts/new_staff.html", form=form)
    return page, 422 if form.errors else 200


@bp.get("/<int:staff_id>")
@role_required(*KEEPERS)
def person(staff_id: int) -> ResponseReturnValue:
    """Show one person's roles and how they sign in."""
    return _page(_other(staff_id))


@bp.post("/<int:staff_id>/roles")
@role_required(*KEEPERS)
@fresh_required
def give_role(staff_id: int) -> ResponseReturnValue:
    """Give somebody one more role."""
    actor, other, form = signed_in(), _other(staff_id), RoleForm()
    offered = _offer(form, actor)
    if not form.validate_on_submit():
        return _page(other, form), 422
    role, clinic = offered[form.role.data]
    try:
        appointing.give(db.session, actor, other, role, clinic, now=deps().clock())
    except appointing.Unblinds as error:
        return _not_yet(other, error)
    return _done(other, _("The role is given. They sign in anew."))


@bp.post("/<int:staff_id>/roles/<int:membership_id>/end")
@role_required(*KEEPERS)
@fresh_required
def end_role(staff_id: int, membership_id: int) -> ResponseReturnValue:
    """Take a role from somebody."""
    other, now = _other(staff_id), deps().clock()
    try:
        appointing.take(db.session, signed_in(), other, membership_id, now=now)
    except appointing.HasPatients as error:
        return _not_yet(other, error)
    return _done(other, _("The role is ended, and they are signed out."))


@bp.post("/<int:staff_id>/link")
@role_required(*KEEPERS)
@fresh_required
def link(staff_id: int) -> ResponseReturnValue:
    """Make a link by which somebody sets their own password."""
    return _with_link(signed_in(), _other(staff_id))


@bp.post("/<int:staff_id>/sessions/end")
@role_required(*KEEPERS)
def end_sessions(staff_id: int) -> ResponseReturnValue:
    """Sign somebody out everywhere."""
    other = _other(staff_id)
    count = appointing.end_sessions(db.session, signed_in(), other, now=deps().clock())
    words = ngettext("One session is ended.", "%(num)s sessions are ended.", count)
    return _done(other, words)


@bp.post("/<int:staff_id>/factors/end")
@role_required(*KEEPERS)
@fresh_required
def end_factors(staff_id: int) -> ResponseReturnValue:
    """End the second factors of somebody who lost them."""
    other = _other(staff_id)
    appointing.end_factors(db.session, signed_in(), other, now=deps().clock())
    return _done(other, _("Their second factors are ended. They set up new ones."))


@bp.post("/<int:staff_id>/close")
@role_required(*KEEPERS)
@fresh_required
def close(staff_id: int) -> ResponseReturnValue:
    """Close an account."""
    other = _other(staff_id)
    try:
        appointing.close(db.session, signed_in(), other, now=deps().clock())
    except appointing.HasPatients as error:
        return _not_yet(other, error)
    return _done(other, _("The account is closed, and they are signed out."))


@bp.post("/<int:staff_id>/open")
@role_required(*KEEPERS)
@fresh_required
def open_again(staff_id: int) -> ResponseReturnValue:
    """Open a closed account; a new link lets its owner in."""
    other = _other(staff_id)
    appointing.open_again(db.session, signed_in(), other, now=deps().clock())
    return _done(other, _("The account is open. Hand them a link to set a password."))


def _other(staff_id: int) -> Colleague:
    return appointing.colleague(db.session, signed_in(), staff_id, today=deps().clock().date())


def _offer(form: NewStaffForm | RoleForm, actor: Actor) -> dict[str, tuple[Role, Clinic | None]]:
    offered = {
        f"{role.value} {clinic.code if clinic else ''}".strip(): (role, clinic)
        for role, clinic in appointing.choices(db.session, actor)
    }
    form.role.choices = [
        SelectChoice(key, f"{ROLE_WORDS[role]} · {clinic.name if clinic else _('every clinic')}")
        for key, (role, clinic) in offered.items()
    ]
    return offered


def _page(other: Colleague, form: RoleForm | None = None) -> str:
    actor, now = signed_in(), deps().clock()
    form = form or RoleForm(None)
    _offer(form, actor)
    return render_template(
        "accounts/colleague.html",
        other=other,
        form=form,
        may_change=appointing.may_look_after(actor, other),
        link_until=access_links.open_until(db.session, other.person.id, now=now),
    )


def _with_link(actor: Actor, other: Colleague) -> ResponseReturnValue:
    brakes.count(Braked.LINKS, actor.staff_id)
    token = appointing.hand_link(db.session, actor, other, now=deps().clock())
    db.session.commit()
    base = deps().config.public_url or request.host_url.rstrip("/")
    address = base + url_for("accounts.welcome", token=token)
    hours = int(LINK_LIVES.total_seconds() // 3600)
    return render_template("accounts/link.html", other=other, address=address, hours=hours)


def _done(other: Colleague, words: str) -> ResponseReturnValue:
    db.session.commit()
    flash(words, "good")
    return redirect(url_for("staff.person", staff_id=other.person.id), 303)


def _not_yet(other: Colleague, error: RuleBroken | NotFound) -> ResponseReturnValue:
    db.session.rollback()
    flash(str(error), "warm")
    return redirect(url_for("staff.person", staff_id=other.person.id), 303)
