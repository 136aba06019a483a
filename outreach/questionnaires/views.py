"""Pages on which a questionnaire is asked, item by item."""

import secrets
from collections.abc import Mapping

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from outreach.accounts.access import role_required, signed_in
from outreach.accounts.rules import Role
from outreach.concerns import watching
from outreach.db import db
from outreach.deps import deps
from outreach.patients import registry
from outreach.patients.models import Patient
from outreach.questionnaires import asking
from outreach.questionnaires.forms import AnswersForm
from outreach.questionnaires.labels import GAP_WORDS, INTRODUCTIONS, REVIEW_WORDS
from outreach.questionnaires.models import Questionnaire
from outreach.questionnaires.rules import (
    INSTRUMENTS,
    PHQ_2_POSITIVE,
    Instrument,
    InstrumentCode,
    review_of,
)

bp = Blueprint("questionnaires", __name__, url_prefix="/patients/<ref>/questionnaires")

ASKING = (Role.CALLER, Role.NURSE)


@bp.get("/")
@role_required(*ASKING)
def choose(ref: str) -> ResponseReturnValue:
    """List the questionnaires that can be asked, with how each went last."""
    patient = _patient(ref)
    offered = [each for each in INSTRUMENTS.values() if not each.is_licensed]
    last = {
        each.code: next(iter(asking.past(db.session, patient.id, each.code, limit=1)), None)
        for each in offered
    }
    return render_template(
        "questionnaires/choose.html",
        patient=patient,
        offered=offered,
        last=last,
        instruments=INSTRUMENTS,
        gap_words=GAP_WORDS,
    )


@bp.route("/<code>", methods=["GET", "POST"])
@role_required(*ASKING)
def ask(ref: str, code: str) -> ResponseReturnValue:
    """Ask one questionnaire, and keep the answers."""
    patient, instrument = _patient(ref), asking.instrument_of(code)
    form = AnswersForm.of(instrument, secrets.token_urlsafe(18), _begun(patient, instrument))
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
        introduction=INTRODUCTIONS[instrument.code],
        form=form,
    )
    return page, 422 if form.errors else 200


@bp.get("/<code>/<form_key>")
@role_required(*ASKING)
def result(ref: str, code: str, form_key: str) -> ResponseReturnValue:
    """Show what came of the answers, and what to do now."""
    patient, instrument = _patient(ref), asking.instrument_of(code)
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
        asks_for_phq_9=_asks_for_phq_9(found),
        safety=watching.safety_of(db.session, patient, now=deps().clock()),
    )


def _patient(ref: str) -> Patient:
    return registry.by_ref(db.session, signed_in().scope, ref)


def _begun(patient: Patient, instrument: Instrument) -> Mapping[int, int]:
    """Return what was answered a moment ago: the PHQ-9 begins with the items of the PHQ-2.

    The address names the page that was saved, never an answer.
    """
    before = asking.of_form(db.session, patient.id, request.args.get("after", ""))
    if before is None or instrument.code is not InstrumentCode.PHQ_9:
        return {}
    return before.given if before.code is InstrumentCode.PHQ_2 else {}


def _asks_for_phq_9(found: Questionnaire) -> bool:
    """Say whether a PHQ-2 asks for the whole PHQ-9."""
    is_positive = found.score is not None and found.score >= PHQ_2_POSITIVE
    return found.code is InstrumentCode.PHQ_2 and is_positive
