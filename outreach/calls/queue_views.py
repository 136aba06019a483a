"""The queue that a caller works in all day, and what was recorded from it.

On the same blueprint as the call screen and what is recorded there: one package, one set of
addresses.
"""

from datetime import datetime
from functools import cache

from flask import flash, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from outreach.accounts import staff
from outreach.accounts.access import actor_or_none, role_required, signed_in
from outreach.accounts.rules import Role
from outreach.calls import correcting, drafts, leases, open_calls, screen, waiting
from outreach.calls import queue as queues
from outreach.calls.forms import (
    AmendForm,
)
from outreach.calls.labels import (
    ASKED_WORDS,
    GROUP_WORDS,
    OUTCOME_WORDS,
    outcome_words,
    rest_words,
    why_words,
)
from outreach.calls.leases import Mark
from outreach.calls.open_calls import CallBacks
from outreach.calls.recording_views import bp
from outreach.calls.rules import QueueGroup
from outreach.db import db
from outreach.deps import deps
from outreach.patients import registry
from outreach.patients.models import Patient
from outreach.phoning import returning
from outreach.programmes.labels import STATUSES

LOOKED_AT = "looked_at"  # when this browser last showed the queue; in the signed cookie


@bp.get("/queue/")
@role_required(Role.CALLER)
def queue() -> ResponseReturnValue:
    """Show who to call now, later today, and in the coming days."""
    now = deps().clock()
    found = queues.queue_of(db.session, signed_in(), now=now)
    g.call_backs = CallBacks(found.asked_for_now, is_new=False)
    if "X-Background" not in request.headers:
        session[LOOKED_AT] = now.isoformat()
    fragment = "calls/_queue.html" if "HX-Request" in request.headers else "calls/queue.html"
    # Words of rows are looked up once a page, not once a row.
    page = render_template(
        fragment,
        queue=found,
        groups=QueueGroup,
        group_words=GROUP_WORDS,
        why_words=cache(why_words),
        rest_words=rest_words,
        outcome_words=cache(outcome_words),
        asked_words=ASKED_WORDS,
        status_words=STATUSES,
        returned=returning.board_of(db.session, signed_in().staff_id, now=now),
    )
    return page, 200, {"Vary": "HX-Request"}


@bp.app_template_global("call_backs_due")
def _call_backs_due() -> CallBacks:
    """Return whose agreed time has come, for the number beside 'My queue'."""
    actor = actor_or_none()
    if "call_backs" not in g and actor is not None:
        looked_at = datetime.fromisoformat(session[LOOKED_AT]) if LOOKED_AT in session else None
        g.call_backs = open_calls.call_backs(
            db.session, actor, looked_at=looked_at, now=deps().clock()
        )
    found: CallBacks = g.get("call_backs", CallBacks(0, is_new=False))
    return found


@bp.app_template_global("on_the_line_with")
def _on_the_line_with(patient: Patient) -> Mark | None:
    """Return who talks with a patient now, for a nurse who is about to ring them."""
    return leases.on_the_line_with(db.session, patient.id, now=deps().clock())


@bp.post("/queue/done-for-today")
@role_required(Role.CALLER)
def done_for_today() -> ResponseReturnValue:
    """Hand back what is left of the day: what may wait comes again tomorrow."""
    now, actor = deps().clock(), signed_in()
    found = queues.queue_of(db.session, actor, now=now)
    left = [*found.of(QueueGroup.NOW), *found.of(QueueGroup.LATER)]
    may_wait = [each.planned_call_id for each in left if each.may_wait_a_day]
    waiting.hand_back(db.session, may_wait, _("done for the day"), actor, now=now)
    db.session.commit()
    put_off, staying = len(may_wait), len(left) - len(may_wait)
    flash(
        ngettext(
            "%(num)s call waits until tomorrow.", "%(num)s calls wait until tomorrow.", put_off
        ),
        "good",
    )
    if staying:
        flash(
            ngettext(
                "%(num)s call can't wait: an agreed time, its last day or a nurse's answer.",
                "%(num)s calls can't wait: agreed times, last days or a nurse's answer.",
                staying,
            ),
            "warm",
        )
    return redirect(url_for("calls.queue"))


@bp.post("/calls/<ref>/not-today")
@role_required(Role.CALLER)
def not_today(ref: str) -> ResponseReturnValue:
    """Keep a call out of the way until tomorrow, with a reason; or show it again."""
    now, actor = deps().clock(), signed_in()
    patient = registry.to_write(db.session, actor.scope, ref)
    planned = screen.call_of(db.session, patient)
    if request.form.get("show_again"):
        waiting.show_again(db.session, planned, now=now)
    else:
        reason = request.form.get("reason", "")
        waiting.hide(db.session, patient, planned, reason, actor, now=now)
    db.session.commit()
    return redirect(url_for("calls.queue"))


@bp.post("/promises/<int:promise_id>")
@role_required(Role.CALLER)
def promise(promise_id: int) -> ResponseReturnValue:
    """Note that a promise was kept, or let it come back tomorrow."""
    now, actor = deps().clock(), signed_in()
    found = waiting.promise_of(db.session, actor, promise_id)
    if request.form.get("put_off"):
        waiting.put_off(db.session, found, actor, now=now)
    else:
        waiting.keep(found, actor, now=now)
    db.session.commit()
    return redirect(url_for("calls.queue"))


@bp.post("/shortcuts")
@role_required(*Role)
def shortcuts() -> ResponseReturnValue:
    """Switch the single-key shortcuts on or off for oneself."""
    is_on = request.form.get("on") == "1"
    staff.switch_shortcuts(db.session, signed_in().staff_id, is_on=is_on)
    db.session.commit()
    flash(_("Keys are on.") if is_on else _("Keys are off."), "good")
    return redirect(url_for("calls.queue"))


@bp.post("/queue/own-only")
@role_required(Role.CALLER)
def own_only() -> ResponseReturnValue:
    """Leave out of one's queue whom one covers, or show them again; remembered."""
    is_on = request.form.get("on") == "1"
    staff.switch_own_only(db.session, signed_in().staff_id, is_on=is_on)
    db.session.commit()
    return redirect(url_for("calls.queue"))


@bp.route("/calls/<ref>/attempts/<int:attempt_id>", methods=["GET", "POST"])
@role_required(Role.CALLER, Role.MANAGER)
def correct(ref: str, attempt_id: int) -> ResponseReturnValue:
    """Show what was recorded; a manager puts something else in its place, with a reason."""
    now, actor = deps().clock(), signed_in()
    patient = registry.to_write(db.session, actor.scope, ref)
    attempt = correcting.of(db.session, patient, attempt_id)
    known = correcting.recorded(db.session, attempt, actor, now=now)
    key = drafts.new_form_key()
    form = AmendForm.of(attempt.outcome, attempt.minutes, known.note, key)
    may_amend = patient.clinic_id in actor.clinic_ids_as(Role.MANAGER)
    if may_amend and form.validate_on_submit():
        correcting.amend(db.session, attempt, form.to_amended(), actor=actor, now=now)
        db.session.commit()
        flash(_("Corrected. What was recorded before stays in the history."), "good")
        return redirect(url_for("chart.patient", ref=ref))
    shown = {"patient": patient, "known": known, "form": form, "may_amend": may_amend}
    page = render_template("calls/correct.html", **shown, outcome_words=OUTCOME_WORDS)
    return page, 422 if form.errors else 200


@bp.post("/calls/<ref>/attempts/<int:attempt_id>/take-back")
@role_required(Role.CALLER)
def take_back(ref: str, attempt_id: int) -> ResponseReturnValue:
    """Take one's own call back; what was typed is in the form again."""
    now, actor = deps().clock(), signed_in()
    patient = registry.to_write(db.session, actor.scope, ref)
    attempt = correcting.of(db.session, patient, attempt_id)
    may = bool(request.form.get("may_go_on"))
    correcting.take_back(db.session, patient, attempt, may_go_on=may, actor=actor, now=now)
    db.session.commit()
    flash(_("Taken back. What you typed is here again; nothing counts until you save."), "warm")
    return redirect(url_for("calls.call", ref=ref))
