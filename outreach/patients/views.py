"""Pages on which a patient's numbers, and consent to texts, are kept.

The register itself shows calls and readings too, so it is built where those are known:
in :mod:`outreach.chart.views`, on this blueprint.
"""

from collections.abc import Sequence
from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from outreach.accounts.access import may_open, role_required, signed_in
from outreach.accounts.rules import Role
from outreach.audit import trail
from outreach.db import db
from outreach.deps import deps
from outreach.errors import NotFound
from outreach.patients import consent, dead_numbers, finding, labels, registry
from outreach.patients.consent import OfNumber
from outreach.patients.forms import ConsentForm, LearntForm, NumberForm
from outreach.patients.models import Patient, PhoneNumber
from outreach.patients.rules import Channel, ConsentSource
from outreach.web.bounded import whole

bp = Blueprint("patients", __name__, url_prefix="/patients")
bp.add_app_template_filter(labels.weekday_name, "weekday_name")
bp.add_app_template_filter(labels.weekdays_of_mask, "weekdays_of_mask")
bp.add_app_template_filter(labels.day_in, "day_in")
bp.add_app_template_global(lambda: labels, "patient_labels")

KEEPERS = (Role.CALLER, Role.MANAGER, Role.ADMINISTRATOR)


@bp.route("/<ref>/numbers", methods=["GET", "POST"])
@role_required(*KEEPERS)
def add_number(ref: str) -> ResponseReturnValue:
    """Add a number and put it first."""
    now = deps().clock()
    patient = finding.to_change(db.session, signed_in(), ref)
    form = NumberForm.of(patient)
    if form.validate_on_submit():
        registry.add_number(db.session, patient, form.e164 or "", now=now)
        words = _("The new number is tried first from now on.")
        return _saved(patient, "added number", words, now=now)
    page = render_template("patients/number.html", patient=patient, form=form)
    return page, 422 if form.errors else 200


@bp.route("/<ref>/numbers/<int:number_id>", methods=["GET", "POST"])
@role_required(*KEEPERS)
def dead_number(ref: str, number_id: int) -> ResponseReturnValue:
    """Keep what was learnt about a number that is dead."""
    now, actor = deps().clock(), signed_in()
    patient = finding.to_change(db.session, actor, ref)
    number = finding.number_of(db.session, patient, number_id)
    form = LearntForm.of(patient)
    if form.validate_on_submit():
        learnt = form.to_learnt()
        dead_numbers.keep(db.session, patient, number, learnt, actor=actor, now=now)
        words = (
            _("The new number is tried first from now on.") if learnt.new_number else _("Noted.")
        )
        saved = _saved(patient, "noted a dead number", words, now=now)
        is_on_a_call = request.form.get("back") == "call" and may_open("calls.call")
        return redirect(url_for("calls.call", ref=ref)) if is_on_a_call else saved
    page = render_template("patients/dead_number.html", patient=patient, number=number, form=form)
    return page, 422 if form.errors else 200


@bp.route("/<ref>/texts", methods=["GET", "POST"])
@role_required(*KEEPERS)
def texts(ref: str) -> ResponseReturnValue:
    """Write down whether calls to one number, and which texts, are welcome; show what was said."""
    now = deps().clock()
    patient = finding.to_change(db.session, signed_in(), ref)
    numbers = registry.numbers_of(db.session, patient.id)
    number = _chosen(numbers, request.args.get("number"))
    agreed = consent.held(db.session, patient.id, Channel.SMS, number.e164) if number else ()
    said = consent.of_numbers(db.session, patient.id)
    calls = said.get(number.e164, OfNumber()).calls if number else None
    form = ConsentForm.of(agreed, calls=calls)
    if number is not None and form.validate_on_submit():
        _keep(patient, number.e164, form, now=now)
        return _saved(patient, "noted consent", _("Noted. It holds from now on."), now=now)
    page = render_template(
        "patients/texts.html",
        patient=patient,
        form=form,
        numbers=numbers,
        number=number,
        others=consent.shared_with(db.session, patient, number.e164) if number else 0,
        wording=consent.wording(consent.WORDING, patient.language),
        ledger=consent.entries(db.session, patient.id),
    )
    return page, 422 if form.errors else 200


def _keep(patient: Patient, number: str, form: ConsentForm, *, now: datetime) -> None:
    """Note what was said of texts to ``number`` and of calls; each is a consent of its own."""
    source, by_staff_id = ConsentSource(form.source.data), signed_in().staff_id
    consent.agree(
        db.session,
        patient,
        number,
        form.to_topics(),
        source=source,
        by_staff_id=by_staff_id,
        now=now,
    )
    if form.answer_to_calls is not None:
        consent.say_of_calls(
            db.session,
            patient,
            number,
            is_given=form.answer_to_calls,
            source=source,
            by_staff_id=by_staff_id,
            now=now,
        )


def _chosen(numbers: Sequence[PhoneNumber], asked: str | None) -> PhoneNumber | None:
    """Return the number that the address names, else the first; NotFound: not theirs."""
    if asked is None:
        return numbers[0] if numbers else None
    found = next((each for each in numbers if each.id == whole(asked)), None)
    if found is None:
        raise NotFound("There is no such number.")
    return found


def _saved(patient: Patient, action: str, words: str, *, now: datetime) -> ResponseReturnValue:
    trail.record(
        db.session,
        action,
        actor_id=signed_in().staff_id,
        now=now,
        clinic_id=patient.clinic_id,
        patient_id=patient.id,
        about=("patient", patient.id),
    )
    db.session.commit()
    flash(words, "good")
    return redirect(url_for("chart.patient", ref=patient.ref))
