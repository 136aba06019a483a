"""Pages on how patients fare, for managers of a clinic and administrators of all."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from wtforms import SelectChoice

from outreach.accounts import staff
from outreach.accounts.access import role_required, signed_in
from outreach.accounts.models import Clinic
from outreach.db import db
from outreach.deps import deps
from outreach.patients import finding
from outreach.reports import behind, graphs, labels, outcomes, strata
from outreach.reports import cohort as cohort_board
from outreach.reports.asked import Here
from outreach.reports.breakdown import Dimension
from outreach.reports.forms import AsOfForm
from outreach.reports.rules.board import CohortTotal, MonthTotal, figure_named
from outreach.reports.rules.glycaemic import Glycaemic, GlycaemicGroup
from outreach.reports.rules.outcomes import (
    FOLLOW_UPS,
    Followup,
    Group,
    Outcome,
    OutcomeMeasure,
    Point,
    outcome_of,
)
from outreach.reports.views import READERS, see_one_picture
from outreach.web.template_filters import full_day, short_number

bp = Blueprint("outcomes", __name__, url_prefix="/reports/outcomes")
cohort_bp = Blueprint("cohort", __name__, url_prefix="/reports/cohort")
bp.before_request(see_one_picture)
cohort_bp.before_request(see_one_picture)

Choice = TypeVar("Choice", bound=enum.StrEnum)


@dataclass(frozen=True)
class AsOf:
    """What the address asks for, read against what the reader may see."""

    clinics: Sequence[Clinic]
    clinic: Clinic
    form: AsOfForm
    here: Here
    day: date

    @property
    def address(self) -> dict[str, str]:
        """What every link of the page carries."""
        return {"clinic": self.clinic.code, "as_of": self.day.isoformat()}


@bp.get("")
@role_required(*READERS)
def page() -> ResponseReturnValue:
    """Show how patients fare, from baseline to months 3 and 6."""
    question = _question(db.session, request.args)
    unit = question.clinic.glucose_unit
    measure = _one_of(OutcomeMeasure, request.args.get("measure"), OutcomeMeasure.HBA1C)
    point = _one_of(Point, request.args.get("point"), Point.MONTH_6)
    if point not in FOLLOW_UPS:
        abort(404)
    cohort = outcomes.cohort(db.session, question.here, question.day, glucose_unit=unit)
    found = {
        (each, at): outcome_of(cohort.patients, each, at, today=cohort.today)
        for each in OutcomeMeasure
        for at in FOLLOW_UPS
    }
    chosen = found[measure, point]
    dimension = _kind_of_people(request.args.get("by"))
    what = (measure, point)
    groups = strata.of(
        db.session, question.here, question.day, cohort, what, dimension, question.clinics
    )
    return render_template(
        "reports/outcomes.html",
        question=question,
        cohort=cohort,
        found=found,
        chosen=chosen,
        dimension=dimension,
        dimensions=labels.dimensions(len(question.clinics), of_patients=True),
        groups=groups,
        courses=graphs.of_courses(chosen.eligible, measure, point, unit),
        doses=graphs.of_dose(chosen),
        glycaemic=outcomes.glycaemic_status(db.session, question.here, question.day),
        labels=labels,
    )


@bp.get("/patients")
@role_required(*READERS)
def patients() -> ResponseReturnValue:
    """Show the patients behind one figure of the outcomes page."""
    question = _question(db.session, request.args)
    unit = question.clinic.glucose_unit
    measure = _one_of(OutcomeMeasure, request.args.get("measure"))
    point = _one_of(Point, request.args.get("point"))
    group = _one_of(Group, request.args.get("group"))
    by, key = request.args.get("by"), request.args.get("key")
    cohort = outcomes.cohort(db.session, question.here, question.day, glucose_unit=unit)
    title = f"{labels.outcome_name(measure)}, {labels.POINT_WORDS[point]}"
    outcome = outcome_of(cohort.patients, measure, point, today=cohort.today)
    if by is not None and key is not None:
        dimension, what = _kind_of_people(by), (measure, point)
        outcome = strata.of(db.session, question.here, question.day, cohort, what, dimension).shown(
            key
        )
        title = f"{title}, {labels.group_name(dimension, key)}"
    rows = {each.patient.patient_id: each for each in outcome.of(group)}
    return _list(
        question,
        [str(labels.GROUP_WORDS[group]), title],
        (_("Baseline"), _("Follow-up"), _("Change"), _("Completed calls"), _("Minutes")),
        {who: _followup_cells(each, outcome, unit) for who, each in rows.items()},
        back=("outcomes.page", {"measure": measure.value, "point": point.value}),
        taken="followed patients",
    )


@bp.get("/glycaemic")
@role_required(*READERS)
def glycaemic() -> ResponseReturnValue:
    """Show the patients behind one figure of the CMS122-style measure."""
    question = _question(db.session, request.args)
    group = _one_of(GlycaemicGroup, request.args.get("group"))
    status = outcomes.glycaemic_status(db.session, question.here, question.day)
    return _list(
        question,
        [str(labels.GLYCAEMIC_WORDS[group]), _("CMS122-style, programme panel")],
        (_("Newest HbA1c or GMI"), _("Taken")),
        {each.patient_id: _glycaemic_cells(each) for each in status.of(group)},
        back=("outcomes.page", {}),
        taken="patients of the glycaemic status",
    )


@cohort_bp.get("")
@role_required(*READERS)
def board() -> ResponseReturnValue:
    """Show who under care is controlled, month by month and cohort by cohort."""
    question = _question(db.session, request.args)
    found = cohort_board.board(db.session, question.here, question.day)
    typed, places = request.args.get("by"), None
    if typed is not None:
        places = cohort_board.by_place(
            db.session, question.here, question.day, question.clinics, _place_dimension(typed)
        )
    return render_template(
        "reports/cohort.html",
        question=question,
        board=found,
        places=places,
        dimensions=[each for each in labels.DIMENSION_WORDS if each.is_over_clinics],
        columns=graphs.of_board(found.months),
        board_parts=MonthTotal,
        cohort_parts=CohortTotal,
        labels=labels,
    )


@cohort_bp.get("/patients")
@role_required(*READERS)
def board_patients() -> ResponseReturnValue:
    """Show the patients behind one figure of the board."""
    question = _question(db.session, request.args)
    typed = request.args
    try:
        figure = figure_named(typed.get("of"), typed.get("month"), typed.get("standing"))
    except ValueError:
        abort(404)
    found = cohort_board.board(db.session, question.here, question.day)
    return _list(
        question,
        labels.board_words(figure),
        (),
        dict.fromkeys(found.who(figure), ()),
        back=("cohort.board", {}),
        taken="patients of the cohort board",
    )


def _kind_of_people(typed: str | None) -> Dimension:
    """Return what outcomes are broken down by; callers are never compared on them."""
    dimension = _one_of(Dimension, typed, Dimension.PHQ9)
    return dimension if dimension.groups_patients else abort(404)


def _place_dimension(typed: str) -> Dimension:
    """Return whether the board is told by clinic or by region."""
    dimension = _one_of(Dimension, typed)
    return dimension if dimension.is_over_clinics else abort(404)


def _question(session: Session, typed: MultiDict[str, str]) -> AsOf:
    now, scope = deps().clock(), finding.managing(signed_in())
    clinics = list(staff.clinics_in(session, scope))
    clinic = staff.clinic_in(session, scope, typed.get("clinic"))
    form = AsOfForm(typed)
    form.clinic.choices = [SelectChoice(each.code, each.name) for each in clinics]
    form.clinic.data = clinic.code
    here = Here.of(scope, clinic, now=now)
    return AsOf(clinics, clinic, form, here, form.chosen(today=here.today))


def _list(
    question: AsOf,
    title: Sequence[str],
    headings: Sequence[str],
    cells: Mapping[int, Sequence[str]],
    *,
    back: tuple[str, dict[str, str]],
    taken: str,
) -> str:
    """Return a page of patients with ``cells`` of each under ``headings``."""
    number = request.args.get("page", 1, type=int)
    endpoint, more = back
    return render_template(
        "reports/behind.html",
        question=question,
        title=title,
        headings=headings,
        cells=cells,
        page=behind.page_of(db.session, question.here, list(cells), number),
        back=endpoint,
        taken=taken,
        back_to=question.address | more,
    )


def _one_of(kind: type[Choice], typed: str | None, default: Choice | None = None) -> Choice:
    """Return what was typed as one of ``kind``; not there where it is none of them."""
    if typed is None and default is not None:
        return default
    try:
        return kind(typed or "")
    except ValueError:
        abort(404)


def _followup_cells(each: Followup, outcome: Outcome, glucose_unit: str) -> tuple[str, ...]:
    unit = labels.outcome_unit(outcome.measure, glucose_unit)
    decimals = labels.outcome_decimals(outcome.measure, glucose_unit) - 1

    def words(taken: Any) -> str:
        if taken is None:
            return "–"
        return f"{labels.fixed(taken.value, decimals)} {unit} · {full_day(taken.on)}"

    dose = each.dose
    return (
        words(each.before),
        words(each.after),
        labels.signed(each.change, decimals),
        "–" if dose is None else short_number(dose.calls, 0),
        "–" if dose is None else short_number(dose.minutes, 0),
    )


def _glycaemic_cells(each: Glycaemic) -> tuple[str, ...]:
    if each.value is None:
        return "–", _("none in 12 months")
    return f"{short_number(float(each.value))} %", full_day(each.on)
