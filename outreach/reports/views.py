"""Pages of reports, for managers of a clinic and administrators of all."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from outreach.accounts import staff
from outreach.accounts.access import role_required, signed_in
from outreach.accounts.models import Clinic
from outreach.accounts.rules import Role
from outreach.audit import trail
from outreach.db import db
from outreach.deps import deps
from outreach.orm import one_picture
from outreach.patients import finding
from outreach.pulse.rules import Telling
from outreach.reports import adherence as adherence_report
from outreach.reports import (
    behind,
    breakdown,
    definitions,
    dial_groups,
    graphs,
    labels,
    load,
    needs,
    service,
    service_groups,
    single_calls,
    single_concerns,
    targets,
    team_groups,
    team_words,
)
from outreach.reports import today as today_report
from outreach.reports.asked import Here
from outreach.reports.breakdown import Behind, Dimension
from outreach.reports.forms import TargetForm
from outreach.reports.question import Question, dimension_in, group_in, question_of
from outreach.reports.rules.tally import Measure, measure_named, parts_of
from outreach.web import charts
from outreach.web.bounded import whole

bp = Blueprint("reports", __name__, url_prefix="/reports")
bp.add_app_template_global(lambda: definitions, "report_definitions")
bp.add_app_template_global(lambda: needs.WORDS, "report_needs")

NO_RATES = (Measure.DIALS_PER_REACH, Measure.MINUTES_MEAN, Measure.CALLS_MEAN)
READERS = (Role.MANAGER, Role.ADMINISTRATOR)


@bp.before_request
def see_one_picture() -> None:
    """Let every figure of a page be of one moment: a page asks some twenty statements."""
    if request.method in {"GET", "HEAD"}:
        db.session.commit()  # what was begun for signing in is over: it only read
        one_picture(db.session)


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
    return _page(db.session, question_of(db.session, request.args))


@bp.get("/adherence/patients")
@role_required(*READERS)
def adherence_patients() -> ResponseReturnValue:
    """Show the patients behind one figure of the adherence report, with what each adds to it."""
    question, dial = question_of(db.session, request.args), whole(request.args.get("dial"))
    group = group_in(request.args)
    if dial:
        rows, name = dial_groups.behind(db.session, question.asked, dial, group)
        return _behind(
            question,
            _("Reached by dial %(n)s", n=dial),
            labels.DIAL_PARTS,
            rows,
            endpoint="reports.adherence",
            group=labels.group_name(*group, name) if group else "",
        )
    measure = _measure(request.args.get("measure"))
    words = _group_words(db.session, question, group)
    return _behind(
        question,
        labels.FIGURE_WORDS[measure],
        labels.PARTS_WORDS[measure],
        breakdown.behind(db.session, question.asked, measure, group),
        endpoint="reports.adherence",
        group=words,
        has_calls=measure in single_calls.COUNTED,
        is_rate=measure not in NO_RATES,
    )


@bp.get("/adherence/calls")
@role_required(*READERS)
def adherence_calls() -> ResponseReturnValue:
    """Show the single calls behind one figure of the adherence report."""
    question = question_of(db.session, request.args)
    measure = _measure(request.args.get("measure"))
    if measure not in single_calls.COUNTED:
        abort(404)
    group = group_in(request.args)
    words = _group_words(db.session, question, group)
    try:
        page = single_calls.page(
            db.session, question.asked, measure, group, after=request.args.get("after")
        )
    except ValueError:
        abort(404)
    return render_template(
        "reports/single_calls.html",
        question=question,
        period=question.asked.period,
        measure=measure,
        title=labels.FIGURE_WORDS[measure],
        is_planned=measure in single_calls.PLANNED,
        group=words,
        page=page,
    )


@bp.get("/around")
@role_required(*READERS)
def around() -> ResponseReturnValue:
    """Show what stands around the calls: who stays, who is measured, texts and concerns."""
    question = question_of(db.session, request.args)
    dimension = dimension_in(request.args.get("by"), Dimension.LANGUAGE)
    found = service_groups.to_group(db.session, question.asked, dimension)
    return render_template(
        "reports/around.html",
        question=question,
        period=question.asked.period,
        service=found,
        dimension=dimension,
        dimensions=labels.dimensions(len(question.clinics)),
        lines=service_groups.lines_of(
            db.session, question.clinics, found, question.asked, dimension
        ),
        presets=question.presets,
        labels=labels,
    )


@bp.get("/around/patients")
@role_required(*READERS)
def around_patients() -> ResponseReturnValue:
    """Show the patients behind one figure of what stands around the calls."""
    question = question_of(db.session, request.args)
    try:
        measure = service.ServiceMeasure(request.args.get("measure", ""))
    except ValueError:
        abort(404)
    group = group_in(request.args)
    dimension = group[0] if group else Dimension.LANGUAGE
    found = service_groups.to_group(db.session, question.asked, dimension)
    rows, words = found.figures[measure].rows, ""
    if group is not None:
        line = service_groups.shown(db.session, found, question.asked, measure, group)
        rows, words = line.figures[measure].rows, labels.group_name(*group, line.name)
    title, *parts = labels.SERVICE_WORDS[measure]
    return _behind(
        question,
        title,
        parts,
        rows,
        endpoint="reports.around",
        group=words,
        has_concerns=measure in single_concerns.COUNTED,
    )


def _behind(
    question: Question,
    title: Any,
    parts: Sequence[Any],
    rows: Sequence[Behind],
    *,
    endpoint: str,
    group: str = "",
    is_rate: bool = True,
    has_calls: bool = False,
    has_concerns: bool = False,
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
        has_calls=has_calls,
        has_concerns=has_concerns,
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
    return measure_named(typed) or abort(404)


def _group_words(session: Session, question: Question, group: tuple[Dimension, str] | None) -> str:
    """Return the name of a group, or that it is everybody; not there where it is none."""
    if group is None:
        return _("All patients")
    dimension, key = group
    line = breakdown.shown(session, question.asked, dimension, key)
    return labels.group_name(dimension, line.key, line.name)


def _page(session: Session, question: Question) -> str:
    asked = question.asked
    dimension = dimension_in(request.args.get("by"))
    report = adherence_report.report(session, asked)
    series = _measure(request.args.get("weeks") or Measure.COMPLETION.name.lower())
    if series not in adherence_report.SERIES:
        abort(404)
    config, managed = deps().config, signed_in().clinic_ids_as(Role.MANAGER)
    telling = Telling(config.pulse_least_answers, config.pulse_burnout_from)
    pulse = team_groups.months(session, question.clinic, asked, telling, managed)
    lines = breakdown.lines_of(session, question.clinics, report, asked, dimension)
    return render_template(
        "reports/adherence.html",
        question=question,
        period=asked.period,
        report=report,
        loads=load.of_team(session, asked, report.dialled),
        pulse=pulse,
        pulse_months=graphs.of_months(pulse),
        pulse_least=telling.least,
        pulse_from=telling.burnout_from,
        team_lines=team_groups.lines_of(
            session,
            question.clinics,
            report,
            asked,
            lines,
            dimension,
            telling=telling,
            managed=managed,
        ),
        days_of_week=team_groups.days_of_week,
        aims=targets.holding(session, question.clinic.id, at=asked.now),
        aimed_at=targets.AIMED_AT,
        parts={each: parts_of(each, report.total) for each in targets.AIMED_AT},
        dimension=dimension,
        dimensions=labels.dimensions(len(question.clinics)),
        lines=lines,
        dial_lines=dial_groups.lines_of(db.session, question.clinics, asked, dimension),
        labels=labels,
        team_words=team_words,
        presets=question.presets,
        weeks=graphs.of_weeks(adherence_report.by_week(session, asked, series), series),
        series=list(adherence_report.SERIES),
    )
