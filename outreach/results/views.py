"""Pages on which readings are entered and corrected."""

import secrets
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError

from outreach import orm
from outreach.accounts.access import role_required, signed_in
from outreach.accounts.rules import Role
from outreach.audit import trail
from outreach.brakes import access as brakes
from outreach.brakes.rules import Braked
from outreach.concerns import at_once, watching
from outreach.concerns.at_once import Page, Urgent, page_of_readings
from outreach.db import db
from outreach.deps import deps
from outreach.measures import labels, readings
from outreach.measures.models import Reading
from outreach.measures.readings import ReportedReading
from outreach.measures.rules import (
    GLUCOSE,
    METER_SHOWS,
    REGISTRY,
    MeasureKind,
    ReadingSource,
    weight_unit_in,
)
from outreach.patients import registry
from outreach.patients.models import Patient
from outreach.patients.registry import NoSuchPatient
from outreach.questionnaires import licences
from outreach.questionnaires.asking import ASKED_BY
from outreach.questionnaires.rules import InstrumentCode
from outreach.results import assessing, correcting, due, entering, urgent
from outreach.results.correcting import Correction
from outreach.results.fields import Taking
from outreach.results.forms import CorrectionForm, FindForm, ReadingsForm, TellNurseForm

bp = Blueprint("results", __name__, url_prefix="/patients/<ref>/readings")

due_pages = Blueprint("due", __name__, url_prefix="/due")
measure_pages = Blueprint("measures", __name__, url_prefix="/measures")
assessing_pages = Blueprint("assessing", __name__, url_prefix="/assess")

ENTERING = (Role.CALLER, Role.NURSE)
MOST_SHOWN = 200


@bp.route("/new", methods=["GET", "POST"])
@role_required(*ENTERING)
def new(ref: str) -> ResponseReturnValue:
    """Enter what was measured: laboratory values, or what a patient told outside a call."""
    patient = _patient(ref)
    form = _readings_form(patient)
    is_from_list = request.args.get("back") == "due"
    back = url_for("due.list_due") if is_from_list else url_for("chart.patient", ref=ref)
    if _keep(form, patient):
        return _saved(patient, back, is_list=is_from_list)
    page = render_template("results/new.html", patient=patient, form=form, back=back)
    return page, 422 if form.errors else 200


@assessing_pages.route("/", methods=["GET", "POST"])
@role_required(Role.ASSESSOR)
def find() -> ResponseReturnValue:
    """Ask whom to measure."""
    form = FindForm()
    if form.validate_on_submit():
        found = _searched(form.record_number.data or "")
        if found is not None:
            return redirect(url_for("assessing.visit", ref=found.ref), 303)
        form.record_number.errors = [_("No patient of your clinic has that record number.")]
    return render_template("results/find.html", form=form), 422 if form.errors else 200


def _searched(record_number: str) -> Patient | None:
    """Return whom an assessor looks for. Each try counts and is noted: a number can be guessed."""
    actor = signed_in()
    brakes.count(Braked.SEARCHES, actor.staff_id)
    try:
        found = assessing.by_record_number(db.session, actor, record_number)
    except NoSuchPatient:
        found = None
    trail.record(
        db.session,
        "searched patients",
        actor_id=actor.staff_id,
        now=deps().clock(),
        about=("patients found", 0 if found is None else 1),
    )
    db.session.commit()
    return found


@assessing_pages.route("/<ref>", methods=["GET", "POST"])
@role_required(Role.ASSESSOR)
def visit(ref: str) -> ResponseReturnValue:
    """Enter what was measured at a visit. Neither arm nor caller nor notes are on it."""
    patient = assessing.by_ref(db.session, signed_in(), ref)
    form = _readings_form(patient)
    if _keep(form, patient):
        flash(_("Saved."), "good")
        return redirect(url_for("assessing.visit", ref=ref), 303)
    return _visit_page(patient, form, TellNurseForm(formdata=None))


@assessing_pages.post("/<ref>/concern")
@role_required(Role.ASSESSOR)
def tell_nurse(ref: str) -> ResponseReturnValue:
    """Tell the nurse on call what worries an assessor."""
    actor, patient, form = (
        signed_in(),
        assessing.by_ref(db.session, signed_in(), ref),
        TellNurseForm(),
    )
    if not form.validate_on_submit():
        return _visit_page(patient, _readings_form(patient), form)
    words, key = form.words.data or "", form.tell_key.data or ""
    assessing.tell_nurse(db.session, actor, patient, words, form_key=key, now=deps().clock())
    db.session.commit()
    flash(_("The nurse on call is told."), "good")
    return redirect(url_for("assessing.visit", ref=ref), 303)


def _visit_page(
    patient: Patient, form: ReadingsForm, telling: TellNurseForm
) -> ResponseReturnValue:
    telling.tell_key.data = telling.tell_key.data or secrets.token_urlsafe(18)
    page = render_template(
        "results/visit.html",
        patient=patient,
        form=form,
        telling=telling,
        taken=assessing.own_readings(db.session, signed_in(), patient),
    )
    return page, 422 if form.errors or telling.errors else 200


def _readings_form(patient: Patient) -> ReadingsForm:
    actor, left_out = signed_in(), _without_licence()
    measures = [
        measure
        for measure in REGISTRY.values()
        if entering.may_enter(actor, measure.kind, patient.clinic_id)
        and measure.kind not in left_out
    ]
    body = (MeasureKind.WEIGHT, MeasureKind.HEIGHT)
    # In which unit somebody was weighed last could tell an assessor that they are called.
    is_blinded = Role.ASSESSOR in actor.roles
    last = () if is_blinded else readings.latest(db.session, patient.id, body)
    units = dict.fromkeys(GLUCOSE, patient.clinic.glucose_unit)
    units[MeasureKind.WEIGHT] = weight_unit_in(patient.clinic.region)
    units |= {reading.kind: reading.entered_unit for reading in last}
    form = ReadingsForm.of(measures, _taking(patient), units)
    form.form_key.data = form.form_key.data or secrets.token_urlsafe(18)
    return form


def _without_licence() -> set[MeasureKind]:
    """Return what is a part of a questionnaire that nobody has permitted: the EQ-5D's scale."""
    is_permitted = InstrumentCode.EQ_5D in licences.askable(db.session)
    return set() if is_permitted else {MeasureKind.EQ_VAS}


def _keep(form: ReadingsForm, patient: Patient) -> bool:
    """Keep what was entered, where that is whole; say whether it is kept, now or before."""
    if not form.validate_on_submit():
        if form.is_submitted():
            _tell_at_once(form, patient)
        return False
    actor, now = signed_in(), deps().clock()
    told = at_once.told(db.session, patient.id, _page_of(form), now=now)
    try:
        entering.keep(
            db.session,
            patient,
            form.to_readings(),
            source=ReadingSource.STAFF,
            actor=actor,
            now=now,
            form_key=form.form_key.data,
            told=told,
        )
        at_once.note_unjoined(db.session, told, by_staff_id=actor.staff_id, now=now)
        db.session.commit()
    except IntegrityError:  # the same page, sent twice at the same moment
        db.session.rollback()
    return True


def _tell_at_once(form: ReadingsForm, patient: Patient) -> None:
    """Tell a nurse now of what is urgent: the page may be saved much later, or never."""
    found = urgent.found_in(db.session, patient, form.typed, now=deps().clock())
    _tell(found, patient, _page_of(form))


def _tell(found: Sequence[Urgent], patient: Patient, page: Page) -> None:
    if found:
        at_once.tell(db.session, patient, found, page, now=deps().clock())
        db.session.commit()
        if Role.ASSESSOR not in signed_in().roles:  # what was measured before may be in it
            flash(_("A nurse is told already of what is urgent. Nothing is saved yet."), "urgent")


def _page_of(form: ReadingsForm) -> Page:
    return page_of_readings(form.form_key.data or "", by_staff_id=signed_in().staff_id)


@bp.route("/<int:reading_id>/correct", methods=["GET", "POST"])
@role_required(*ENTERING)
def correct(ref: str, reading_id: int) -> ResponseReturnValue:
    """Put a value, unit or time right, or take a reading back; the original stays."""
    patient = _patient(ref)
    reading = correcting.by_id(db.session, patient, reading_id)
    correcting.refuse_others(signed_in(), reading)
    form = CorrectionForm.of(_reported(reading), _taking(patient))
    if form.validate_on_submit():
        _correct(form, patient, reading)
        return _saved(patient, url_for("chart.patient", ref=ref))
    if form.is_submitted():
        _tell_of_correction(form, patient, reading)
    page = render_template("results/correct.html", patient=patient, reading=reading, form=form)
    return page, 422 if form.errors else 200


def _correct(form: CorrectionForm, patient: Patient, reading: Reading) -> None:
    """Keep a correction; where somebody was first, a nurse hears of what is urgent in it."""
    now, actor, page = deps().clock(), signed_in(), _page_of_correction(reading)
    reported = None if form.is_void.data else form.to_reading()
    correction = Correction(reported, form.reason.data or "")
    told = at_once.told(db.session, patient.id, page, now=now)
    try:
        correcting.correct(
            db.session, patient, reading, correction, actor=actor, now=now, told=told
        )
    except correcting.AlreadyCorrected:
        db.session.rollback()
        _tell_of_overtaken(form, patient, reading)
        raise
    at_once.note_unjoined(db.session, told, by_staff_id=actor.staff_id, now=now)
    db.session.commit()


def _tell_of_correction(form: CorrectionForm, patient: Patient, reading: Reading) -> None:
    """Tell a nurse now of what a correction says that is urgent, and nobody was told of."""
    found = urgent.found_in(db.session, patient, form.typed(reading.id), now=deps().clock())
    _tell(correcting.untold(db.session, reading, found), patient, _page_of_correction(reading))


def _tell_of_overtaken(form: CorrectionForm, patient: Patient, reading: Reading) -> None:
    """Tell a nurse of what is urgent in a correction that came second; once of one measurement."""
    now = deps().clock()
    found = urgent.found_in(db.session, patient, form.typed(reading.id), now=now)
    by = signed_in().staff_id
    correcting.add_overtaken(db.session, reading, found, by_staff_id=by, now=now)
    _tell(correcting.untold(db.session, reading, found), patient, _page_of_correction(reading))
    db.session.commit()


def _page_of_correction(reading: Reading) -> Page:
    return page_of_readings(f"correct:{reading.id}", by_staff_id=signed_in().staff_id)


@due_pages.get("/")
@role_required(Role.NURSE, Role.MANAGER, Role.ADMINISTRATOR)
def list_due() -> ResponseReturnValue:
    """Show whose measurement window is open, and what is missing."""
    with orm.reading():
        found = due.everybody(db.session, signed_in().scope, now=deps().clock())
        askable = licences.askable(db.session)
    names = {kind.value: name for kind, name in labels.MEASURE_WORDS.items()}
    asks = {measure: code for measure, code in ASKED_BY.items() if code in askable}
    return render_template("results/due.html", due=found, names=names, asks=asks, most=MOST_SHOWN)


@measure_pages.get("/")
@role_required(Role.NURSE, Role.MANAGER, Role.ADMINISTRATOR)
def registry_page() -> ResponseReturnValue:
    """Show the registry: what a medical lead confirms before anybody relies on it."""
    return render_template("results/registry.html", measures=REGISTRY.values(), words=labels)


def _patient(ref: str) -> Patient:
    return registry.to_write(db.session, signed_in().scope, ref)


def _taking(patient: Patient) -> Taking:
    last = _last_weight(patient)
    weighed = (last.value, last.taken_at) if last else None
    return Taking(ZoneInfo(patient.zone), deps().clock(), patient.date_of_birth, weighed)


def _last_weight(patient: Patient) -> Reading | None:
    """Return what a weight is held against; to an assessor, what they weighed themselves.

    A question about any other would tell them that somebody is called, and how heavy they were.
    """
    if Role.ASSESSOR in signed_in().roles:
        found = assessing.own_readings(db.session, signed_in(), patient)
    else:
        found = readings.latest(db.session, patient.id, [MeasureKind.WEIGHT])
    return next((each for each in found if each.kind is MeasureKind.WEIGHT), None)


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


def _saved(patient: Patient, back: str, *, is_list: bool = False) -> ResponseReturnValue:
    """Return to ``back``; on a list nobody is named, since cookies hold the words."""
    flash(_("Saved. What is still missing stands below.") if is_list else _("Saved."), "good")
    if watching.most_urgent_at(db.session, patient.id, now=deps().clock()):
        flash(_("What you just saved is on the nurses' list."), "urgent")
    # To the top of the page: further down, nobody would see what was said of it.
    return redirect(back)
