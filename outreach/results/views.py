"""Pages on which readings are entered and corrected."""

import secrets
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError

from outreach import orm
from outreach.accounts.access import role_required, signed_in
from outreach.accounts.rules import Role
from outreach.concerns import raising
from outreach.db import db
from outreach.deps import deps
from outreach.measures import labels, readings
from outreach.measures.models import Reading
from outreach.measures.readings import ReportedReading
from outreach.measures.rules import GLUCOSE, METER_SHOWS, REGISTRY, MeasureKind, ReadingSource
from outreach.patients import registry
from outreach.patients.models import Patient
from outreach.results import correcting, due, entering
from outreach.results.correcting import Correction
from outreach.results.forms import CorrectionForm, ReadingsForm, Taking

bp = Blueprint("results", __name__, url_prefix="/patients/<ref>/readings")

due_pages = Blueprint("due", __name__, url_prefix="/due")
measure_pages = Blueprint("measures", __name__, url_prefix="/measures")

ENTERING = (Role.CALLER, Role.NURSE)
MOST_SHOWN = 200


@bp.route("/new", methods=["GET", "POST"])
@role_required(*ENTERING)
def new(ref: str) -> ResponseReturnValue:
    """Enter what was measured: laboratory values, or what a patient told outside a call."""
    now, actor, patient = deps().clock(), signed_in(), _patient(ref)
    measures = [
        measure
        for measure in REGISTRY.values()
        if entering.may_enter(actor, measure.kind, patient.clinic_id)
    ]
    body = (MeasureKind.WEIGHT, MeasureKind.HEIGHT)
    last = readings.latest(db.session, patient.id, body)
    units = dict.fromkeys(GLUCOSE, patient.clinic.glucose_unit)
    units |= {reading.kind: reading.entered_unit for reading in last}
    form = ReadingsForm.of(measures, _taking(patient), units)
    form.form_key.data = form.form_key.data or secrets.token_urlsafe(18)
    if form.validate_on_submit():
        try:
            entering.keep(
                db.session,
                patient,
                form.to_readings(),
                source=ReadingSource.STAFF,
                actor=actor,
                now=now,
                form_key=form.form_key.data,
            )
            db.session.commit()
        except IntegrityError:  # the same page, sent twice at the same moment
            db.session.rollback()
        return _saved(ref, patient)
    page = render_template("results/new.html", patient=patient, form=form)
    return page, 422 if form.errors else 200


@bp.route("/<int:reading_id>/correct", methods=["GET", "POST"])
@role_required(*ENTERING)
def correct(ref: str, reading_id: int) -> ResponseReturnValue:
    """Put a value, unit or time right, or take a reading back; the original stays."""
    now, actor, patient = deps().clock(), signed_in(), _patient(ref)
    reading = correcting.by_id(db.session, patient, reading_id)
    correcting.refuse_others(actor, reading)
    form = CorrectionForm.of(_reported(reading), _taking(patient))
    if form.validate_on_submit():
        reported = None if form.is_void.data else form.to_reading()
        correction = Correction(reported, form.reason.data or "")
        correcting.correct(db.session, patient, reading, correction, actor=actor, now=now)
        db.session.commit()
        return _saved(ref, patient)
    page = render_template("results/correct.html", patient=patient, reading=reading, form=form)
    return page, 422 if form.errors else 200


@due_pages.get("/")
@role_required(Role.NURSE, Role.MANAGER, Role.ADMINISTRATOR)
def list_due() -> ResponseReturnValue:
    """Show whose measurement window is open, and what is missing."""
    with orm.reading():
        found = due.everybody(db.session, signed_in().scope, now=deps().clock())
    names = {kind.value: name for kind, name in labels.MEASURE_WORDS.items()}
    return render_template("results/due.html", due=found, names=names, most=MOST_SHOWN)


@measure_pages.get("/")
@role_required(Role.NURSE, Role.MANAGER, Role.ADMINISTRATOR)
def registry_page() -> ResponseReturnValue:
    """Show the registry: what a medical lead confirms before anybody relies on it."""
    return render_template("results/registry.html", measures=REGISTRY.values(), words=labels)


def _patient(ref: str) -> Patient:
    return registry.by_ref(db.session, signed_in().scope, ref)


def _taking(patient: Patient) -> Taking:
    weights = readings.latest(db.session, patient.id, [MeasureKind.WEIGHT])
    weighed = (weights[0].value, weights[0].taken_at) if weights else None
    return Taking(ZoneInfo(patient.zone), deps().clock(), patient.date_of_birth, weighed)


def _reported(reading: Reading) -> ReportedReading:
    """Return a stored reading as it was entered."""
    measure = REGISTRY[reading.kind]
    unit = reading.entered_unit if reading.entered_unit in measure.units else measure.unit
    value = measure.units[unit].from_canonical(reading.value)
    return ReportedReading(
        reading.kind,
        METER_SHOWS[reading.bound] if reading.bound else value,
        unit,
        reading.taken_at,
        reading.is_time_known,
        reading.bound,
        reading.said,
    )


def _saved(ref: str, patient: Patient) -> ResponseReturnValue:
    flash(_("Saved."), "good")
    if raising.most_urgent_at(db.session, patient.id, now=deps().clock()):
        flash(_("What you just saved is on the nurses' list."), "urgent")
    return redirect(url_for("chart.patient", ref=ref, _anchor="readings"))
