"""Pages of reports, for managers of a clinic and administrators of all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from wtforms import SelectChoice

from outreach import orm
from outreach.accounts import staff
from outreach.accounts.access import fresh_download, role_required, signed_in
from outreach.accounts.models import Clinic
from outreach.accounts.rules import Role
from outreach.audit import trail
from outreach.db import db
from outreach.deps import deps
from outreach.patients import finding
from outreach.reports import adherence as adherence_report
from outreach.reports import behind, breakdown, export, graphs, labels, service, targets
from outreach.reports import today as today_report
from outreach.reports.adherence import Report
from outreach.reports.asked import Asked, Here
from outreach.reports.breakdown import Behind, Dimension, GroupLine
from outreach.reports.forms import PeriodForm, TargetForm
from outreach.reports.rules.period import PRESET_DAYS, last_days
from outreach.reports.rules.tally import Measure, parts_of
from outreach.web import charts

bp = Blueprint("reports", __name__, url_prefix="/reports")

NO_RATES = (Measure.DIALS_PER_REACH, Measure.MINUTES_MEAN, Measure.CALLS_MEAN)
READERS = (Role.MANAGER, Role.ADMINISTRATOR)


@dataclass(frozen=True)
class Question:
    """What the address asks for, read against what the reader may see."""

    clinics: list[Clinic]
    clinic: Clinic
    form: PeriodForm
    asked: Asked


@bp.get("/today")
@role_required(*READERS)
def today() -> ResponseReturnValue:
    """Show what needs a manager today."""
    now, scope = deps().clock(), finding.managing(signed_in())
    clinics = staff.clinics_in(db.session, scope)
    clinic = staff.clinic_in(db.session, scope, request.args.get("clinic"))
    here = Here.of(scope, clinic, now=now)
    named = today_report.MOST_NAMED if request.args.get("all") else today_report.NAMED
    found = today_report.at(db.session, here, named=named)
    rows = [(each.name or _("No caller"), each.done, each.due) for each in found.callers]
    return render_template(
        "reports/today.html",
        clinics=clinics,
        clinic=clinic,
        here=here,
        found=found,
        bars=charts.bar_rows(rows),
    )


@bp.get("/adherence")
@role_required(*READERS)
def adherence() -> ResponseReturnValue:
    """Show what was planned and done, caller by caller."""
    return _page(db.session, _question(db.session, request.args))


@bp.post("/adherence.csv")
@role_required(*READERS)
@fresh_download
def adherence_csv() -> ResponseReturnValue:
    """Hand the report over as a file, and note who took it."""
    with orm.reading(), db.sessionmaker() as reader:
        question = _question(reader, request.form)
        if question.form.errors:
            return _page(reader, question), 422
        report = adherence_report.report(reader, question.asked)
    clinic, period = question.clinic, question.asked.period
    rows = export.adherence_rows(clinic, period, report)
    _note_export(question)
    db.session.commit()
    name = export.adherence_name(clinic, period)
    return Response(
        export.as_csv(export.HEADER, rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _question(session: Session, typed: MultiDict[str, str]) -> Question:
    now, scope = deps().clock(), finding.managing(signed_in())
    clinics = list(staff.clinics_in(session, scope))
    clinic = staff.clinic_in(session, scope, typed.get("clinic"))
    form = PeriodForm(typed)
    form.clinic.choices = [SelectChoice(each.code, each.name) for each in clinics]
    form.clinic.data = clinic.code
    here = Here.of(scope, clinic, now=now)
    return Question(clinics, clinic, form, here.about(form.chosen(today=here.today)))


@bp.get("/adherence/patients")
@role_required(*READERS)
def adherence_patients() -> ResponseReturnValue:
    """Show the patients behind one figure of the adherence report, with what each adds to it."""
    question = _question(db.session, request.args)
    measure = _measure(request.args.get("measure"))
    group = None
    by, key = request.args.get("by"), request.args.get("group")
    if by is not None and key is not None:
        group = (_dimension(by), key)
    words = _group_words(db.session, question, group)
    return _behind(
        question,
        labels.FIGURE_WORDS[measure],
        labels.PARTS_WORDS[measure],
        breakdown.behind(db.session, question.asked, measure, group),
        endpoint="reports.adherence",
        group=words,
        is_rate=measure not in NO_RATES,
    )


@bp.get("/around")
@role_required(*READERS)
def around() -> ResponseReturnValue:
    """Show what stands around the calls: who stays, who is measured, texts and concerns."""
    question = _question(db.session, request.args)
    return render_template(
        "reports/around.html",
        question=question,
        period=question.asked.period,
        service=service.service(db.session, question.asked),
        presets={days: last_days(days, today=question.asked.today) for days in PRESET_DAYS},
        labels=labels,
    )


@bp.get("/around/patients")
@role_required(*READERS)
def around_patients() -> ResponseReturnValue:
    """Show the patients behind one figure of what stands around the calls."""
    question = _question(db.session, request.args)
    try:
        measure = service.ServiceMeasure(request.args.get("measure", ""))
    except ValueError:
        abort(404)
    figure = service.service(db.session, question.asked).figures[measure]
    title, *parts = labels.SERVICE_WORDS[measure]
    return _behind(question, title, parts, figure.rows, endpoint="reports.around")


def _behind(
    question: Question,
    title: Any,
    parts: Sequence[Any],
    rows: Sequence[Behind],
    *,
    endpoint: str,
    group: str = "",
    is_rate: bool = True,
) -> str:
    """Return a page of patients with what each adds to a figure."""
    number = request.args.get("page", 1, type=int)
    return render_template(
        "reports/adherence_behind.html",
        question=question,
        period=question.asked.period,
        title=title,
        parts=parts,
        is_rate=is_rate,
        group=group or _("All patients"),
        endpoint=endpoint,
        rows={row.patient_id: row for row in rows},
        numerator=sum(row.numerator for row in rows),
        denominator=sum(row.denominator for row in rows),
        page=behind.page_of(
            db.session, question.asked, [row.patient_id for row in rows], number, is_ordered=True
        ),
    )


@bp.route("/target", methods=["GET", "POST"])
@role_required(*READERS)
def target() -> ResponseReturnValue:
    """Show what a clinic aims for in one measure, and set it."""
    scope = finding.managing(signed_in())
    clinic = staff.clinic_in(db.session, scope, request.args.get("clinic"))
    measure = _measure(request.args.get("measure"))
    if measure not in targets.AIMED_AT:
        abort(404)
    form = TargetForm()
    current = targets.newest(db.session, clinic.id).get(measure)
    if form.validate_on_submit():
        try:
            return _set_target(clinic, measure, form)
        except targets.SetMeanwhile:
            form.percent.errors = [
                _("Somebody else set this target meanwhile. Theirs is below; yours is kept here.")
            ]
            form.seen.data = current.number if current else 0
    elif not form.is_submitted():
        form.show(current)
    page = render_template(
        "reports/target.html",
        clinic=clinic,
        measure=measure,
        form=form,
        current=current,
        labels=labels,
    )
    return page, 422 if form.errors else 200


def _set_target(clinic: Clinic, measure: Measure, form: TargetForm) -> ResponseReturnValue:
    now, by = deps().clock(), signed_in().staff_id
    is_new = targets.set_target(
        db.session,
        clinic,
        measure,
        form.aim,
        seen_number=form.seen.data or 0,
        by_staff_id=by,
        now=now,
    )
    if is_new:
        trail.record(
            db.session,
            "set a target",
            actor_id=by,
            now=now,
            clinic_id=clinic.id,
            about=("report_target", None),
        )
    db.session.commit()
    flash(_("Saved."), "good")
    return redirect(url_for("reports.adherence", clinic=clinic.code) + "#targets")


def _measure(typed: str | None) -> Measure:
    """Return the measure that an address names; not there where it has no list behind it."""
    found = {each.name.lower(): each for each in labels.FIGURE_WORDS}.get(typed or "")
    return found or abort(404)


def _dimension(typed: str | None) -> Dimension:
    """Return what an address breaks the report down by."""
    try:
        return Dimension(typed or Dimension.CALLER)
    except ValueError:
        abort(404)


def _group_words(session: Session, question: Question, group: tuple[Dimension, str] | None) -> str:
    """Return the name of a group, or that it is everybody; not there where it is none."""
    if group is None:
        return _("All patients")
    dimension, key = group
    if dimension is Dimension.CLINIC:
        abort(404)
    lines = breakdown.by(session, question.asked, dimension).lines
    line = next((each for each in lines if each.key == key and not each.is_hidden), None)
    return abort(404) if line is None else labels.group_name(dimension, line.key, line.name)


def _lines(
    session: Session, question: Question, dimension: Dimension, report: Report
) -> Sequence[GroupLine]:
    """Return the rows of the table below the total."""
    if dimension is Dimension.CALLER:
        return [
            GroupLine(str(line.caller_id or ""), line.name, line.tally, 0, is_hidden=False)
            for line in report.lines
        ]
    asked = question.asked
    if dimension is Dimension.CLINIC:
        return breakdown.by_clinic(
            session, asked.scope, question.clinics, asked.period, now=asked.now
        )
    return breakdown.by(session, asked, dimension).lines


def _page(session: Session, question: Question) -> str:
    asked = question.asked
    dimension = _dimension(request.args.get("by"))
    report = adherence_report.report(session, asked)
    series = _measure(request.args.get("weeks") or Measure.COMPLETION.name.lower())
    if series not in adherence_report.SERIES:
        abort(404)
    return render_template(
        "reports/adherence.html",
        question=question,
        period=asked.period,
        report=report,
        aims=targets.holding(session, question.clinic.id),
        aimed_at=targets.AIMED_AT,
        parts={each: parts_of(each, report.total) for each in targets.AIMED_AT},
        dimension=dimension,
        dimensions=[
            each
            for each in labels.DIMENSION_WORDS
            if each is not Dimension.CLINIC or len(question.clinics) > 1
        ],
        lines=_lines(session, question, dimension, report),
        labels=labels,
        presets={days: last_days(days, today=asked.today) for days in PRESET_DAYS},
        weeks=graphs.of_weeks(adherence_report.by_week(session, asked, series), series),
        series=list(adherence_report.SERIES),
    )


def _note_export(question: Question) -> None:
    trail.record(
        db.session,
        "exported adherence report",
        actor_id=signed_in().staff_id,
        now=question.asked.now,
        clinic_id=question.clinic.id,
        about=("report", None),
    )
