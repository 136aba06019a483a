"""One caller, and lists behind figures that are neither of patients nor of calls."""

from collections.abc import Sequence

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from outreach.accounts import staff
from outreach.accounts.access import role_required, signed_in
from outreach.callers import profile
from outreach.concerns.labels import KIND_WORDS, URGENCY_WORDS
from outreach.db import db
from outreach.deps import deps
from outreach.patients import finding
from outreach.reports import (
    adherence,
    graphs,
    labels,
    load,
    one_caller,
    service_groups,
    single_concerns,
    today_calls,
)
from outreach.reports.asked import Here
from outreach.reports.breakdown import Dimension
from outreach.reports.question import Question, group_in, question_of
from outreach.reports.rules.tally import Measure, measure_named, parts_of
from outreach.reports.service import ServiceMeasure
from outreach.reports.single_concerns import Line
from outreach.reports.views import READERS, see_one_picture
from outreach.web.bounded import whole

bp = Blueprint("report_lists", __name__, url_prefix="/reports")
bp.before_request(see_one_picture)


@bp.get("/today/calls")
@role_required(*READERS)
def calls_of_today() -> ResponseReturnValue:
    """Show the calls of today that one caller is on duty for, or nobody is."""
    scope = finding.managing(signed_in())
    clinic = staff.clinic_in(db.session, scope, request.args.get("clinic"))
    here = Here.of(scope, clinic, now=deps().clock())
    caller_id = whole(request.args.get("caller"))
    days = today_calls.by_caller(db.session, here)
    day = next((each for each in days if each.caller_id == caller_id), None)
    if day is None:
        abort(404)
    return render_template(
        "reports/calls_of_today.html",
        clinic=clinic,
        here=here,
        day=day,
        calls=today_calls.one_by_one(db.session, here, caller_id),
    )


@bp.get("/adherence/caller")
@role_required(*READERS)
def caller() -> ResponseReturnValue:
    """Show one caller beside everybody of the clinic, for a talk about how it goes."""
    question = question_of(db.session, request.args)
    series = measure_named(request.args.get("weeks") or Measure.COMPLETION.name.lower())
    staff_id = whole(request.args.get("caller"))
    if staff_id is None or series is None or series not in adherence.SERIES:
        abort(404)
    who = profile.find(db.session, signed_in(), staff_id, now=deps().clock())
    found = one_caller.of(db.session, question.asked, staff_id, series)
    if found.is_idle and question.clinic.id not in {each.id for each in who.clinics}:
        abort(404)
    return render_template(
        "reports/one_caller.html",
        question=question,
        period=question.asked.period,
        caller_id=staff_id,
        name=who.person.name,
        found=found,
        compared=one_caller.COMPARED,
        weeks=graphs.of_weeks(found.weeks, series),
        series=list(adherence.SERIES),
        labels=labels,
        parts_of=parts_of,
    )


@bp.get("/adherence/days")
@role_required(*READERS)
def days_on_phone() -> ResponseReturnValue:
    """Show the days on which a caller dialled, and which of them follow one another."""
    question = question_of(db.session, request.args)
    caller_id = whole(request.args.get("caller"))
    days = load.days_of(db.session, question.asked, caller_id) if caller_id else []
    if not days:
        abort(404)
    return render_template(
        "reports/days_on_phone.html",
        question=question,
        period=question.asked.period,
        caller_id=caller_id,
        name=_name(caller_id),
        days=days,
    )


@bp.get("/adherence/concerns")
@role_required(*READERS)
def concerns_raised() -> ResponseReturnValue:
    """Show the concerns that a caller raised, or all callers."""
    question, typed = question_of(db.session, request.args), request.args.get("caller")
    caller_id = whole(typed)
    if typed is not None and caller_id is None:
        abort(404)
    lines = single_concerns.raised_by(db.session, question.asked, caller_id)
    if not lines:
        abort(404)
    name = _name(caller_id) if caller_id else _("All callers")
    return _concerns(question, _("Concerns raised"), name, lines, "reports.adherence")


@bp.get("/around/concerns")
@role_required(*READERS)
def concerns_met() -> ResponseReturnValue:
    """Show the single concerns behind a figure of how they are met."""
    question, group = question_of(db.session, request.args), group_in(request.args)
    measure = next(
        (each for each in single_concerns.COUNTED if each == request.args.get("measure")), None
    )
    if measure is None:
        abort(404)
    lines, words = _behind_figure(question, measure, group)
    title = str(labels.SERVICE_WORDS[measure][0])
    return _concerns(question, title, words, lines, "reports.around")


def _behind_figure(
    question: Question, measure: ServiceMeasure, group: tuple[Dimension, str] | None
) -> tuple[list[Line], str]:
    dimension = group[0] if group else Dimension.LANGUAGE
    found = service_groups.to_group(db.session, question.asked, dimension)
    if group is None:
        return single_concerns.behind_figure(found, found.figures[measure]), _("All patients")
    line = service_groups.shown(db.session, found, question.asked, measure, group)
    lines = single_concerns.behind_figure(found, line.figures[measure])
    return lines, labels.group_name(*group, line.name)


def _concerns(
    question: Question, title: str, words: str, lines: Sequence[Line], report: str
) -> str:
    number = request.args.get("page", 1, type=int)
    return render_template(
        "reports/single_concerns.html",
        question=question,
        period=question.asked.period,
        title=title,
        words=words,
        report=report,
        page=single_concerns.page_of(db.session, question.asked, lines, number),
        kind_words=KIND_WORDS,
        urgency_words=URGENCY_WORDS,
    )


def _name(staff_id: int | None) -> str:
    return adherence.names_of(db.session, [staff_id or 0]).get(staff_id or 0, "")
