"""Pages of reports, for managers of a clinic and administrators of all."""

from dataclasses import dataclass

from flask import Blueprint, Response, render_template, request
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
from outreach.reports import export
from outreach.reports import today as today_report
from outreach.reports.asked import Asked, Here
from outreach.reports.forms import PeriodForm
from outreach.reports.rules.period import PRESET_DAYS, last_days
from outreach.web import charts

bp = Blueprint("reports", __name__, url_prefix="/reports")

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
    found = today_report.at(db.session, here)
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


def _page(session: Session, question: Question) -> str:
    asked = question.asked
    weeks = adherence_report.completion_by_week(session, asked)
    points = [charts.RatePoint(each.week_on, each.completed, each.due) for each in weeks]
    return render_template(
        "reports/adherence.html",
        question=question,
        period=asked.period,
        report=adherence_report.report(session, asked),
        presets={days: last_days(days, today=asked.today) for days in PRESET_DAYS},
        chart=charts.run_chart(
            points, label=_("Scheduled calls completed, by week"), median_label=_("Median")
        ),
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
