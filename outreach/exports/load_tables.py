"""What weighs on callers as files: today's calls, days on the telephone, concerns, one by one."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy.orm import Session

from outreach.accounts import staff
from outreach.exports.asked_of import OF_A_PATIENT, NoSuchTable, Question, on_clock, who
from outreach.exports.call_tables import figure_around
from outreach.exports.rules.cells import Column, Table, Value
from outreach.reports import (
    adherence,
    breakdown,
    load,
    single_concerns,
    team_groups,
    today_calls,
)
from outreach.reports.adherence import Report
from outreach.reports.breakdown import Dimension, GroupLine
from outreach.reports.service import ServiceMeasure
from outreach.reports.single_concerns import Line
from outreach.reports.team_groups import TeamLine
from outreach.web.bounded import whole


def calls_of_today(session: Session, question: Question) -> Table:
    """Return the calls of today that one caller is on duty for, or nobody is."""
    found = today_calls.one_by_one(session, question.here, whole(question.params.get("caller")))
    names = who(session, question, [each.patient_id for each in found])
    rows: list[Sequence[Value]] = [
        (
            *names[each.patient_id],
            each.due_on,
            on_clock(each.from_at, each.zone),
            on_clock(each.until_at, each.zone),
            each.zone,
            each.last_on,
            each.dials,
            each.status.value,
        )
        for each in found
        if each.patient_id in names
    ]
    columns = (
        *OF_A_PATIENT,
        Column("due_on", "Day on which the call was due."),
        Column("from", "When it can be made, on the patient's clock."),
        Column("until", "When this time is over, on the patient's clock."),
        Column("zone", "The patient's clock."),
        Column("last_day", "After it the call counts as missed."),
        Column("dials", "How often it was tried."),
        Column("status", "planned: still open."),
    )
    return question.table("Calls of today, one by one", columns, rows)


def team_lines(
    session: Session,
    question: Question,
    report: Report,
    groups: Sequence[GroupLine],
    dimension: Dimension,
) -> list[TeamLine]:
    """Return the team of ``groups`` of a report, as its page tells it; nothing by other kinds."""
    return team_groups.lines_of(
        session,
        staff.clinics_in(session, question.scope),
        report,
        question.asked,
        groups,
        dimension,
        telling=question.telling,
        managed=question.scope.clinic_ids,
    )


def team_by_group(session: Session, question: Question) -> Table:
    """Return the team by week, clinic or region.

    Raises:
        NoSuchTable: it is asked by something else, of which there is no team.
    """
    dimension = question.choice(Dimension, "by", Dimension.CALLER)
    if dimension not in team_groups.GROUPED:
        raise NoSuchTable("There is no such table.")
    asked, clinics = question.asked, staff.clinics_in(session, question.scope)
    report = adherence.report(session, asked)
    groups = breakdown.lines_of(session, clinics, report, asked, dimension)
    lines = team_lines(session, question, report, groups, dimension)
    columns = (
        Column("group", f"By {dimension.value}. Empty: of none."),
        Column("callers", "Who dialled."),
        Column("days", "Days on which they dialled, of each counted once: the denominator."),
        Column("dials", "All dials."),
        Column("dials_a_day", "Dials by days."),
        Column("conversations", "Dials in which they spoke with the patient."),
        Column("conversations_a_day", "Conversations by days."),
        Column("concerns", "Concerns that somebody raised."),
        Column("patients_of_a_caller", "Median of those who had patients. Empty: of a week."),
        Column("days_in_a_row", "The most of any caller at one clinic. Empty: of a week."),
        Column("month", "The last that is over; of clinics that you manage."),
        Column("burning_out", "Callers who answered that they are. Empty: not told."),
        Column("answered", "Callers who answered. Empty: not told."),
    )
    rows = [_of_team(each, dimension) for each in lines]
    return question.table(f"The team by {dimension.value}", columns, rows)


def _of_team(line: TeamLine, dimension: Dimension) -> Sequence[Value]:
    month = line.month
    return (
        date.fromisoformat(line.key) if dimension is Dimension.WEEK else line.name or line.key,
        line.callers,
        line.days,
        line.dials,
        line.dials / line.days if line.days else None,
        line.reached,
        line.reached / line.days if line.days else None,
        line.concerns,
        line.panel.median if line.panel else None,
        line.run,
        *((month.month, month.burnt_out, month.answered) if month else (None,) * 3),
    )


def days(session: Session, question: Question) -> Table:
    """Return the days on which a caller dialled, with the longest row of them."""
    caller_id = whole(question.params.get("caller"))
    if caller_id is None:
        raise NoSuchTable("There is no such table.")
    rows: list[Sequence[Value]] = [
        (each.day, each.dials, each.reached, each.is_in)
        for each in load.days_of(session, question.asked, caller_id)
    ]
    columns = (
        Column("day", "At the clinic."),
        Column("dials", "Dials on that day."),
        Column("conversations", "Dials in which they spoke with the patient."),
        Column("in_longest_row", "Whether it is one of the most days in a row."),
    )
    return question.table("Days on the telephone", columns, rows)


def concerns(session: Session, question: Question) -> Table:
    """Return single concerns: those behind a figure, or those that a caller raised."""
    lines, title = _lines(session, question)
    names = who(session, question, [line.met.patient_id for line in lines])
    rows = [
        (*names[line.met.patient_id], *_concern(question, line))
        for line in lines
        if line.met.patient_id in names
    ]
    columns = (
        *OF_A_PATIENT,
        Column("kind", "What it is about; its words stay in the product."),
        Column("urgency", "How soon a nurse is to see to it."),
        Column("raised_at", "On the clinic's clock."),
        Column("taken_on_at", "When a nurse first took it on. Empty: nobody has."),
        Column("minutes", "Until then, or for how long it has waited."),
        Column("closed", "Whether it is closed."),
        Column("counted", "Whether it is in the numerator. Empty: the figure is a number."),
    )
    return question.table(title, columns, rows)


def _lines(session: Session, question: Question) -> tuple[list[Line], str]:
    if "measure" in question.params:
        measure = question.choice(ServiceMeasure, "measure")
        if measure not in single_concerns.COUNTED:
            raise NoSuchTable("There is no such table.")
        found = single_concerns.behind_figure(*figure_around(session, question, measure))
        return found, f"Concerns behind: {measure.value}"
    typed = question.params.get("caller")
    caller_id = whole(typed)
    if typed is not None and caller_id is None:
        raise NoSuchTable("There is no such table.")
    return single_concerns.raised_by(session, question.asked, caller_id), "Concerns raised"


def _concern(question: Question, line: Line) -> Sequence[Value]:
    met, zone = line.met, question.here.zone
    return (
        met.kind.value,
        met.urgency.value,
        on_clock(met.raised_at, zone),
        on_clock(met.taken_on_at, zone),
        round(met.minutes, 1),
        met.is_closed,
        line.is_in,
    )
