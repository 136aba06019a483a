"""Pages on which the permission for a licensed questionnaire is stated."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from outreach.accounts.access import role_required, signed_in
from outreach.accounts.rules import Role
from outreach.db import db
from outreach.deps import deps
from outreach.questionnaires import licences
from outreach.questionnaires.forms import PermissionForm, WithdrawalForm
from outreach.questionnaires.rules import INSTRUMENTS, Instrument

bp = Blueprint("instruments", __name__, url_prefix="/instruments")


@bp.get("/")
@role_required(Role.ADMINISTRATOR)
def permissions() -> ResponseReturnValue:
    """List the questionnaires: which may be asked, and by whose permission."""
    return render_template(
        "questionnaires/permissions.html",
        instruments=INSTRUMENTS.values(),
        stated=licences.newest(db.session),
    )


@bp.route("/<code>", methods=["GET", "POST"])
@role_required(Role.ADMINISTRATOR)
def permission(code: str) -> ResponseReturnValue:
    """State the permission for a licensed questionnaire, and give its wording."""
    now, instrument = deps().clock(), licences.licensed(code)
    form = PermissionForm.of(instrument, now.date())
    if form.validate_on_submit():
        stated = form.to_permission()
        staff_id = signed_in().staff_id
        licences.state(db.session, instrument, stated, by_staff_id=staff_id, now=now)
        return _kept(_("Saved. It can be asked from now on."))
    return _permission_page(instrument, form, WithdrawalForm())


@bp.post("/<code>/withdraw")
@role_required(Role.ADMINISTRATOR)
def withdraw(code: str) -> ResponseReturnValue:
    """Note that a permission is no more."""
    now, instrument = deps().clock(), licences.licensed(code)
    form = WithdrawalForm()
    if not form.validate_on_submit():
        return _permission_page(instrument, PermissionForm.of(instrument, now.date()), form)
    reason, staff_id = form.reason.data or "", signed_in().staff_id
    licences.withdraw(db.session, instrument, reason, by_staff_id=staff_id, now=now)
    return _kept(_("Saved. It is not asked any more."))


def _permission_page(
    instrument: Instrument, form: PermissionForm, withdrawal: WithdrawalForm
) -> ResponseReturnValue:
    page = render_template(
        "questionnaires/permission.html",
        instrument=instrument,
        form=form,
        withdrawal=withdrawal,
        history=licences.history(db.session, instrument.code),
    )
    return page, 422 if form.errors or withdrawal.errors else 200


def _kept(words: str) -> ResponseReturnValue:
    db.session.commit()
    flash(words, "good")
    return redirect(url_for("instruments.permissions"))
