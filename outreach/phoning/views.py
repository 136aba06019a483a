"""Pages of the telephone: one's own number, a call under way, and patients who ring back."""

from collections.abc import Sequence

from flask import Blueprint, flash, g, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from outreach.accounts.access import fresh_to_change, role_required, signed_in
from outreach.accounts.forms import StaffNumberForm
from outreach.accounts.rules import Role
from outreach.audit import trail
from outreach.brakes import access as brakes
from outreach.brakes.rules import Braked
from outreach.db import db
from outreach.deps import deps
from outreach.patients import finding
from outreach.patients.models import Patient
from outreach.phoning import bridging, jobs, labels, returning, work_phone
from outreach.web.phones import as_written

bp = Blueprint("phoning", __name__, url_prefix="/phone")
bp.add_app_template_filter(labels.phone_state)


@bp.app_template_global("sees_numbers")
def _sees_numbers() -> bool:
    """Say whether who is at the keyboard sees patients' numbers: not who is put through to them."""
    if "sees_numbers" not in g:
        actor = signed_in()
        is_put_through = actor.roles == {Role.CALLER} and deps().gateway.can_call
        g.sees_numbers = (
            not is_put_through or bridging.work_number(db.session, actor.staff_id) is None
        )
    return bool(g.sees_numbers)


@bp.app_template_filter("patient_phone")
def _patient_phone(e164: str) -> str:
    """Return a patient's number as who is at the keyboard sees it: at least how it ends."""
    return as_written(e164) if _sees_numbers() else _("the number ending in %(n)s", n=e164[-2:])


MANAGERS = (Role.MANAGER, Role.ADMINISTRATOR)


@bp.get("/calls/<int:phone_call_id>")
@role_required(Role.CALLER)
def state(phone_call_id: int) -> ResponseReturnValue:
    """Say how far a call of one's own has come."""
    actor = signed_in()
    call, patient = bridging.own_call(db.session, phone_call_id, actor.staff_id)
    return jsonify(labels.phone_state(call, patient, actor.name, deps().clock()))


@bp.post("/calls/<int:phone_call_id>/hang-up")
@role_required(Role.CALLER)
def hang_up(phone_call_id: int) -> ResponseReturnValue:
    """End a call of one's own, for both sides."""
    _call, patient = bridging.own_call(db.session, phone_call_id, signed_in().staff_id)
    ref = request.form.get("then_ref", patient.ref)[:16]
    db.session.commit()  # nothing stays locked while the carrier answers
    now, gateway = deps().clock(), deps().gateway
    if not jobs.hang_up(db.sessionmaker, gateway, phone_call_id, now=now):
        flash(_("The telephone company does not answer. Hang up on your own phone."), "warm")
    return redirect(url_for("calls.call", ref=ref))


@bp.route("/me", methods=["GET", "POST"])
@role_required(Role.CALLER)
@fresh_to_change
def mine() -> ResponseReturnValue:
    """Say which telephone of one's own rings first when one presses Call."""
    actor = signed_in()
    kept = bridging.work_number(db.session, actor.staff_id)
    region = work_phone.region_of(db.session, actor)
    form = StaffNumberForm(region, phone=as_written(kept) if kept else "")
    if form.validate_on_submit():
        try:
            work_phone.keep(db.session, actor.staff_id, form.e164)
            trail.record(
                db.session,
                "changed own telephone",
                actor_id=actor.staff_id,
                now=deps().clock(),
                about=("staff_member", actor.staff_id),
            )
        except work_phone.ClinicsOwnNumber:
            form.phone.errors = [_("That is the clinic's number. Write a telephone of your own.")]
        else:
            db.session.commit()
            flash(_("Saved."), "good")
            return redirect(url_for("phoning.mine"))
    can_call = deps().gateway.can_call
    page = render_template("phoning/mine.html", form=form, kept=kept, can_call=can_call)
    return page, 422 if form.errors else 200


@bp.route("/find", methods=["GET", "POST"])
@role_required(Role.CALLER)
def find() -> ResponseReturnValue:
    """Find who is calling back, by their number, among one's own patients.

    Posted: a number never stands in an address.
    """
    written = request.form.get("number", "")[:40]
    found = _searched(written) if written else []
    shortest = returning.SHORTEST_SEARCH
    return render_template("phoning/find.html", written=written, found=found, shortest=shortest)


def _searched(written: str) -> Sequence[Patient]:
    """Return whose number ends so. Each try counts and is noted: a number can be guessed."""
    actor = signed_in()
    brakes.count(Braked.SEARCHES, actor.staff_id)
    found = returning.find(db.session, finding.managing(actor), written)
    trail.record(
        db.session,
        "searched patients",
        actor_id=actor.staff_id,
        now=deps().clock(),
        about=("patients found", len(found)),
    )
    db.session.commit()
    return found


@bp.get("/returned")
@role_required(*MANAGERS)
def returned() -> ResponseReturnValue:
    """List calls that came back and nobody took, unknown numbers first."""
    now = deps().clock()
    tasks = returning.open_in(db.session, signed_in().scope, now=now)
    return render_template("phoning/returned.html", tasks=tasks)


@bp.post("/returned/<int:task_id>/done")
@role_required(Role.CALLER, *MANAGERS)
def done(task_id: int) -> ResponseReturnValue:
    """Note that somebody has seen to a returned call."""
    actor, now = signed_in(), deps().clock()
    scope = finding.managing(actor)
    returning.see_to(db.session, scope, task_id, actor.staff_id, now=now)
    trail.record(
        db.session,
        "saw to a returned call",
        actor_id=actor.staff_id,
        now=now,
        about=("returned_call", task_id),
    )
    db.session.commit()
    is_managers = request.form.get("from") == "returned"
    return redirect(url_for("phoning.returned" if is_managers else "calls.queue"))
