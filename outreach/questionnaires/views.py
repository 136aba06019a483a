"""Pages on which a questionnaire is asked, item by item, and where its use is permitted."""

import secrets
from collections.abc import Mapping

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from outreach.accounts.access import role_required, signed_in
from outreach.accounts.rules import Role
from outreach.concerns import watching
from outreach.db import db
from outreach.deps import deps
from outreach.patients import registry
from outreach.patients.models import Patient
from outreach.questionnaires import asking, licences
from outreach.questionnaires.forms import AnswersForm, PermissionForm, WithdrawalForm
from outreach.questionnaires.labels import GAP_WORDS, REVIEW_WORDS, introduction
from outreach.questionnaires.models import Questionnaire
from outreach.questionnaires.rules import (
    INSTRUMENTS,
    Gap,
    Instrument,
    InstrumentCode,
    Review,
    asks_for,
    profile,
    review_of,
)

bp = Blueprint("questionnaires", __name__, url_prefix="/patients/<ref>/questionnaires")
instruments = Blueprint("instruments", __name__, url_prefix="/instruments")

ASKING = (Role.CALLER, Role.NURSE)


@bp.get("/")
@role_required(*ASKING)
def choose(ref: str) -> ResponseReturnValue:
    """List the questionnaires that can be asked, with how each went last."""
    patient = _patient(ref)
    now = deps().clock()
    offered = list(licences.askable(db.session).values())
    last = {
        each.code: next(iter(asking.past(db.session, patient.id, each.code, limit=1)), None)
        for each in offered
    }
    return render_template(
        "questionnaires/choose.html",
        patient=patient,
        offered=offered,
        last=last,
        begun={
            each.code: asking.begun(db.session, patient.id, each.code, now=now) for each in offered
        },
        gap_words=GAP_WORDS,
    )


@bp.route("/<code>", methods=["GET", "POST"])
@role_required(*ASKING)
def ask(ref: str, code: str) -> ResponseReturnValue:
    """Ask one questionnaire, and keep the answers."""
    patient, instrument = _patient(ref), asking.instrument_of(db.session, code)
    form = AnswersForm.of(instrument, *_begun(patient, instrument))
    if form.validate_on_submit():
        answered = form.to_answered()
        asking.record(db.session, patient, answered, actor=signed_in(), now=deps().clock())
        db.session.commit()
        done = url_for("questionnaires.result", ref=ref, code=code, form_key=answered.form_key)
        return redirect(done)
    page = render_template(
        "questionnaires/ask.html",
        patient=patient,
        instrument=instrument,
        introduction=introduction(instrument),
        form=form,
    )
    return page, 422 if form.errors else 200


@bp.post("/<code>/begun")
@role_required(*ASKING)
def begun(ref: str, code: str) -> ResponseReturnValue:
    """Keep the answers so far, so that asking can go on where it stopped."""
    patient, instrument = _patient(ref), asking.instrument_of(db.session, code)
    form = AnswersForm.of(instrument, secrets.token_urlsafe(18), {})
    if not form.validate():
        return jsonify(reason="refused"), 422
    answered = form.to_answered()
    now, actor = deps().clock(), signed_in()
    is_kept = asking.keep_begun(db.session, patient, answered, actor=actor, now=now)
    db.session.commit()
    is_urgent = review_of(instrument, answered.answers) is Review.NOW
    return jsonify(is_urgent=is_urgent), 200 if is_kept else 409


@bp.get("/<code>/<form_key>")
@role_required(*ASKING)
def result(ref: str, code: str, form_key: str) -> ResponseReturnValue:
    """Show what came of the answers, and what to do now."""
    patient, instrument = _patient(ref), asking.known(db.session, code)
    found = asking.of_form(db.session, patient.id, form_key)
    if found is None:
        raise asking.NoSuchQuestionnaire("There is no such questionnaire.")
    return render_template(
        "questionnaires/result.html",
        patient=patient,
        instrument=instrument,
        found=found,
        band=instrument.band_of(found.score) if found.score is not None else None,
        review=review_of(instrument, found.given),
        review_words=REVIEW_WORDS,
        gap_words=GAP_WORDS,
        safety=watching.safety_of(db.session, patient, now=deps().clock()),
        profile=profile(instrument, found.given) if found.gap is Gap.NO_INDEX else None,
        goes_on_with=_goes_on_with(found),
    )


def _patient(ref: str) -> Patient:
    return registry.by_ref(db.session, signed_in().scope, ref)


def _begun(patient: Patient, instrument: Instrument) -> tuple[str, Mapping[int, int]]:
    """Return the key of the page and what was answered already.

    That is: what was left unsaved lately, else, for a PHQ-9, the items of the PHQ-2 of a
    moment ago. The address names the page that was saved, never an answer.
    """
    left = asking.begun(db.session, patient.id, instrument.code, now=deps().clock())
    if left is not None:
        return left.form_key, left.given
    before = asking.of_form(db.session, patient.id, request.args.get("after", ""))
    is_carried = (
        before is not None
        and before.code is InstrumentCode.PHQ_2
        and instrument.code is InstrumentCode.PHQ_9
    )
    return secrets.token_urlsafe(18), before.given if before and is_carried else {}


def _goes_on_with(found: Questionnaire) -> Instrument | None:
    """Return the whole questionnaire that a positive screener asks for, where it may be asked."""
    code = asks_for(found.code, found.score)
    return licences.askable(db.session).get(code) if code else None


@instruments.get("/")
@role_required(Role.ADMINISTRATOR)
def permissions() -> ResponseReturnValue:
    """List the questionnaires: which may be asked, and by whose permission."""
    return render_template(
        "questionnaires/permissions.html",
        instruments=INSTRUMENTS.values(),
        stated=licences.newest(db.session),
    )


@instruments.route("/<code>", methods=["GET", "POST"])
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


@instruments.post("/<code>/withdraw")
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
