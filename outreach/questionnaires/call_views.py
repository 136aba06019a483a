"""Asking a questionnaire item by item: callers on the call screen, nurses on a page of its own.

Scripts ask for the panel alone (``X-Background``); without them the same addresses lead back to
the page that shows it.
"""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from outreach.accounts.access import role_required, signed_in
from outreach.accounts.rules import Role
from outreach.concerns import watching
from outreach.db import db
from outreach.deps import deps
from outreach.measures.rules import ReadingSource
from outreach.patients import registry
from outreach.patients.models import Patient
from outreach.questionnaires import answered, asking, item_by_item, labels
from outreach.questionnaires.forms import said_from
from outreach.questionnaires.item_by_item import KeptAlready, Panel
from outreach.questionnaires.rules import Review, review_of

bp = Blueprint("asking", __name__, url_prefix="/calls/<ref>/ask")
bp.add_app_template_global(lambda: labels, "questionnaire_labels")
bp.add_app_template_global(lambda each: answered.behind(db.session, each), "asked_behind")
nurse_bp = Blueprint("nurse_asking", __name__, url_prefix="/patients/<ref>/ask")

# The address of the page that shows a questionnaire of a patient, at an item or a result.
PageOf = Callable[..., str]


def _call_page(ref: str, code: str, **names: Any) -> str:
    return url_for("calls.call", ref=ref, ask=code, _anchor="asked", **names)


def _nurse_page(ref: str, code: str, **names: Any) -> str:
    return url_for("nurse_asking.panel", ref=ref, code=code, _anchor="asked", **names)


@bp.get("/<code>")
@role_required(Role.CALLER)
def panel(ref: str, code: str) -> ResponseReturnValue:
    """Show a questionnaire on the call, where asking goes on."""
    patient = _patient(ref)
    shown = item_by_item.named(db.session, patient, code, request.args, now=deps().clock())
    if _is_script():
        return _page("questionnaires/_asked.html", patient, shown)
    names = {name: request.args.get(name) for name in ("item", "after", "done")}
    return redirect(_call_page(ref, code, **names))


@bp.post("/<code>")
@role_required(Role.CALLER)
def keep(ref: str, code: str) -> ResponseReturnValue:
    """Keep an answer given on a call, or why there is none, as it is given."""
    return _keep(ref, code, _call_page, ReadingSource.CALL)


@bp.post("/<code>/finish")
@role_required(Role.CALLER)
def finish(ref: str, code: str) -> ResponseReturnValue:
    """Score what was answered on a call, and show what came of it."""
    return _finish(ref, code, _call_page)


@nurse_bp.get("/<code>", endpoint="panel")
@role_required(Role.NURSE)
def nurse_panel(ref: str, code: str) -> ResponseReturnValue:
    """Show a questionnaire to a nurse who asks it outside a call, where asking goes on."""
    patient = _patient(ref)
    shown = item_by_item.named(db.session, patient, code, request.args, now=deps().clock())
    name = "_asked" if _is_script() else "ask"
    return _page(f"questionnaires/{name}.html", patient, shown)


@nurse_bp.post("/<code>", endpoint="keep")
@role_required(Role.NURSE)
def nurse_keep(ref: str, code: str) -> ResponseReturnValue:
    """Keep an answer that a nurse was given, or why there is none."""
    return _keep(ref, code, _nurse_page, ReadingSource.STAFF)


@nurse_bp.post("/<code>/finish", endpoint="finish")
@role_required(Role.NURSE)
def nurse_finish(ref: str, code: str) -> ResponseReturnValue:
    """Score what a nurse was answered, and show what came of it."""
    return _finish(ref, code, _nurse_page)


def _keep(ref: str, code: str, page_of: PageOf, source: ReadingSource) -> ResponseReturnValue:
    now, actor, patient = deps().clock(), signed_in(), _patient(ref)
    instrument = asking.instrument_of(db.session, code)
    try:
        said, rest = said_from(request.form, instrument)
        row = item_by_item.keep(
            db.session, patient, instrument, said, actor=actor, source=source, now=now
        )
        if rest is not None:
            item_by_item.skip_the_rest(db.session, instrument, row, rest)
    except KeptAlready as kept:
        db.session.commit()  # a thought of self-harm is told, however late it was said
        if _is_script():
            return jsonify(done=kept.form_key, is_urgent=kept.is_urgent), 409
        return redirect(page_of(ref, code, done=kept.form_key))
    except ValueError:
        if _is_script():
            return jsonify(reason="refused"), 422
        flash(_("That answer was not saved. Press it again."), "warm")
        return redirect(page_of(ref, code))
    db.session.commit()
    if not _is_script():
        return redirect(page_of(ref, code))
    is_urgent = review_of(instrument, row.given) is Review.NOW
    return jsonify(form_key=row.form_key, is_urgent=is_urgent)


def _finish(ref: str, code: str, page_of: PageOf) -> ResponseReturnValue:
    now, actor, patient = deps().clock(), signed_in(), _patient(ref)
    instrument = asking.instrument_of(db.session, code)
    form_key = request.form.get("form_key", "")
    found = item_by_item.finish(db.session, patient, instrument, form_key, actor=actor, now=now)
    db.session.commit()
    if _is_script():
        scored = item_by_item.result_of(db.session, patient, code, found.form_key)
        return _page("questionnaires/_asked.html", patient, scored)
    return redirect(page_of(ref, code, done=found.form_key))


def _page(template: str, patient: Patient, shown: Panel) -> str:
    safety = watching.safety_of(db.session, patient, now=deps().clock())
    return render_template(template, asked=shown, patient=patient, safety=safety)


def _is_script() -> bool:
    return "X-Background" in request.headers


def _patient(ref: str) -> Patient:
    return registry.to_write(db.session, signed_in().scope, ref)
