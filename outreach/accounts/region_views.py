"""Regions: which clinics stand under one name, and who answers for all of them."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from wtforms import SelectChoice

from outreach.accounts import regions, staff
from outreach.accounts.access import fresh_required, role_required, signed_in
from outreach.accounts.forms import RegionClinicsForm, RegionForm, RegionRoleForm
from outreach.accounts.regions import Picture
from outreach.accounts.rules import FOR_REGIONS, Role
from outreach.accounts.staff_views import role_name
from outreach.db import db
from outreach.deps import deps
from outreach.errors import NotFound, RuleBroken

bp = Blueprint("regions", __name__, url_prefix="/regions")


@bp.route("/", methods=["GET", "POST"])
@role_required(Role.ADMINISTRATOR)
@fresh_required
def index() -> ResponseReturnValue:
    """List the regions, and make one more."""
    form = RegionForm()
    if form.validate_on_submit():
        try:
            made = regions.make(db.session, signed_in(), form.name.data, now=deps().clock())
        except regions.NameTaken as error:
            form.name.errors = [str(error)]
        else:
            return _done(made.id, _("The region is made. Choose its clinics."))
    page = render_template(
        "accounts/regions.html", form=form, pictures=regions.pictures(db.session)
    )
    return page, 422 if form.errors else 200


@bp.get("/<int:region_id>")
@role_required(Role.ADMINISTRATOR)
def region(region_id: int) -> ResponseReturnValue:
    """Show one region: its clinics, and who answers for it."""
    return _page(regions.picture(db.session, region_id)), 200


@bp.post("/<int:region_id>/clinics")
@role_required(Role.ADMINISTRATOR)
@fresh_required
def clinics(region_id: int) -> ResponseReturnValue:
    """Let a region be of the clinics that are ticked."""
    shown, form, actor = regions.picture(db.session, region_id), RegionClinicsForm(), signed_in()
    _offer_clinics(form)
    if not form.validate_on_submit():
        return _page(shown, clinics_form=form), 422
    chosen = form.clinics.data or []
    regions.set_clinics(db.session, actor, shown.region, chosen, now=deps().clock())
    return _done(region_id, _("Saved. Whose access changed signs in anew."))


@bp.post("/<int:region_id>/roles")
@role_required(Role.ADMINISTRATOR)
@fresh_required
def give_role(region_id: int) -> ResponseReturnValue:
    """Give somebody a role for a region."""
    shown, form, actor = regions.picture(db.session, region_id), RegionRoleForm(), signed_in()
    _offer_roles(form)
    if form.validate_on_submit():
        try:
            regions.give(
                db.session,
                actor,
                shown.region,
                form.email.data or "",
                Role(form.role.data),
                now=deps().clock(),
            )
        except (NotFound, RuleBroken) as error:
            form.email.errors = [str(error)]
        else:
            return _done(region_id, _("The role is given. They sign in anew."))
    return _page(shown, role_form=form), 422


@bp.post("/<int:region_id>/roles/<int:region_role_id>/end")
@role_required(Role.ADMINISTRATOR)
@fresh_required
def end_role(region_id: int, region_role_id: int) -> ResponseReturnValue:
    """End somebody's role for a region."""
    shown = regions.picture(db.session, region_id)
    regions.end(db.session, signed_in(), shown.region, region_role_id, now=deps().clock())
    return _done(region_id, _("The role is ended, and they are signed out."))


def _offer_clinics(form: RegionClinicsForm) -> None:
    found = staff.clinics_in(db.session, signed_in().scope)
    form.clinics.choices = [SelectChoice(each.id, each.name) for each in found]


def _offer_roles(form: RegionRoleForm) -> None:
    form.role.choices = [SelectChoice(each, role_name(each)) for each in sorted(FOR_REGIONS)]


def _page(
    shown: Picture,
    *,
    clinics_form: RegionClinicsForm | None = None,
    role_form: RegionRoleForm | None = None,
) -> str:
    if clinics_form is None:
        clinics_form = RegionClinicsForm(None, clinics=[each.id for each in shown.clinics])
        _offer_clinics(clinics_form)
    if role_form is None:
        role_form = RegionRoleForm(None)
        _offer_roles(role_form)
    elsewhere = {
        clinic.id: other.region.name
        for other in regions.pictures(db.session)
        if other.region.id != shown.region.id
        for clinic in other.clinics
    }
    return render_template(
        "accounts/region.html",
        shown=shown,
        clinics_form=clinics_form,
        role_form=role_form,
        elsewhere=elsewhere,
    )


def _done(region_id: int, words: str) -> ResponseReturnValue:
    db.session.commit()
    flash(words, "good")
    return redirect(url_for("regions.region", region_id=region_id), 303)
