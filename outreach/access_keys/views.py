"""The page of access keys: which systems read which clinic, a new key, and ending one."""

from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from wtforms import SelectChoice

from outreach.access_keys import keys
from outreach.access_keys.forms import KeyForm
from outreach.access_keys.keys import MadeBefore, NewKey
from outreach.access_keys.rules import MOST_A_MINUTE, last_day
from outreach.accounts import staff
from outreach.accounts.access import fresh_required, role_required, signed_in
from outreach.accounts.rules import Role
from outreach.clock import local_day
from outreach.db import db
from outreach.deps import deps

bp = Blueprint("access_keys", __name__, url_prefix="/access-keys")


@bp.get("/")
@role_required(Role.ADMINISTRATOR)
def index() -> ResponseReturnValue:
    """List the keys of every clinic, with a form for one more."""
    form = KeyForm()
    zone = ZoneInfo(signed_in().zone)
    form.last_day.data = last_day(local_day(deps().clock(), zone))
    return _page(form), 200


@bp.post("/")
@role_required(Role.ADMINISTRATOR)
@fresh_required
def make() -> ResponseReturnValue:
    """Make a key, and show it this once."""
    actor, now, form = signed_in(), deps().clock(), KeyForm()
    _offer_clinics(form)
    clinic = staff.clinic_in(db.session, actor.scope, form.clinic.data)
    if not form.is_good(local_day(now, ZoneInfo(clinic.zone))):
        return _page(form), 422
    new = NewKey(clinic, form.name.data, form.purpose.data, form.last_day.data, form.form_key.data)
    try:
        key = keys.make(db.session, actor, new, deps().cipher, now=now)
    except MadeBefore:
        db.session.rollback()
        words = _("This key was made already and can't be shown again. If nobody kept it, end it.")
        flash(words, "warm")
        return redirect(url_for("access_keys.index"), 303)
    db.session.commit()
    return render_template("access_keys/key.html", new=new, key=key)


@bp.post("/<int:key_id>/revoke")
@role_required(Role.ADMINISTRATOR)
def revoke(key_id: int) -> ResponseReturnValue:
    """End a key at once; nobody is asked who they are, since this can't wait."""
    keys.revoke(db.session, signed_in(), key_id, now=deps().clock())
    db.session.commit()
    flash(_("The key is ended. It opens nothing any more."), "good")
    return redirect(url_for("access_keys.index"), 303)


def _offer_clinics(form: KeyForm) -> None:
    clinics = staff.clinics_in(db.session, signed_in().scope)
    form.clinic.choices = [SelectChoice(each.code, each.name) for each in clinics]


def _page(form: KeyForm) -> str:
    _offer_clinics(form)
    now = deps().clock()
    return render_template(
        "access_keys/keys.html",
        form=form,
        lines=keys.lines(db.session, signed_in(), now=now),
        most=MOST_A_MINUTE,
    )
