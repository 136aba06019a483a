"""Tables and charts about calls as files: groups, weeks, targets, what is behind a figure."""

from collections.abc import Iterator, Sequence

from sqlalchemy.orm import Session

from outreach.accounts import staff
from outreach.exports.asked_of import OF_A_PATIENT, NoSuchTable, Question, who
from outreach.exports.rules.cells import Column, Table, Value
from outreach.pulse.rules import Group, Telling
from outreach.reports import (
    adherence,
    breakdown,
    dial_groups,
    load,
    service,
    service_groups,
    single_calls,
    targets,
    team_groups,
    today,
)
from outreach.reports.adherence import WeekLimits
from outreach.reports.breakdown import Behind, Dimension, GroupLine
from outreach.reports.rules.load import Load
from outreach.reports.rules.tally import Measure, figures, measure_named, parts_of
from outreach.reports.service import Service, ServiceFigure, ServiceMeasure
from outreach.reports.service_groups import ServiceLine
from outreach.web.bounded import whole

_NUMERATOR = Column("numerator", "What is counted.")
_DENOMINATOR = Column("denominator", "Of how many. Empty: the figure is no rate.")
_VALUE = Column("value", "Numerator by denominator, or the figure itself.")
_FIGURE = (_NUMERATOR, _DENOMINATOR, _VALUE)
_MEASURE = Column("measure", "What is measured; the report's page defines each.")
_HIDDEN = Column("hidden", "Whether it is hidden, as so few patients could be known by it.")

_MEDIAN_WAIT = "median minutes until a concern is taken on"


def groups(session: Session, question: Question) -> Table:
    """Return every measure of each group, all calls first; small groups of people are empty."""
    dimension = question.choice(Dimension, "by", Dimension.CALLER)
    asked, clinics = question.asked, staff.clinics_in(session, question.scope)
    report = adherence.report(session, asked)
    total = GroupLine("", "All", report.total, report.total.patients, is_hidden=False)
    found = breakdown.lines_of(session, clinics, report, asked, dimension)
    lines = found if dimension.is_over_clinics else [total, *found]
    columns = (_group_column(dimension), _MEASURE, *_FIGURE, _HIDDEN)
    rows = [row for line in lines for row in _of_group(line)]
    return question.table(f"Adherence by {dimension.value}", columns, rows)


def _group_column(dimension: Dimension) -> Column:
    return Column("group", f"By {dimension.value}. Empty: of none.")


def _of_group(line: GroupLine) -> Iterator[Sequence[Value]]:
    for figure in figures(line.tally):
        found: tuple[Value, ...] = (figure.numerator, figure.denominator, figure.value)
        is_told = line.tells(figure.measure)
        shown = found if is_told else (None, None, None)
        yield (line.name or line.key, figure.measure.value, *shown, not is_told)


def weeks(session: Session, question: Question) -> Table:
    """Return a rate week by week, as the run chart draws it."""
    measure = measure_of(question, "weeks", Measure.COMPLETION)
    if measure not in adherence.SERIES:
        raise NoSuchTable("There is no such table.")
    caller_id = whole(question.params.get("caller"))
    found = adherence.by_week(session, question.asked, measure, caller_id=caller_id)
    limits = WeekLimits.of(found)
    rows: list[Sequence[Value]] = []
    for each in found:
        bound = limits.by_week.get(each.week_on)
        value = each.part / each.whole if each.whole else None
        edges = (bound.low, bound.high) if bound else (None, None)
        rows.append((each.week_on, each.part, each.whole, value, limits.middle, *edges))
    columns = (
        Column("week_from", "The Monday it begins on."),
        *_FIGURE,
        Column("median", "Of all weeks that have a value."),
        Column("lower_limit", "Control limit, 3 standard deviations below the mean."),
        Column("upper_limit", "Control limit, 3 standard deviations above the mean."),
    )
    return question.table(f"{measure.value} by week", columns, rows)


def team(session: Session, question: Question) -> Table:
    """Return who had patients or dialled, with how much on a day, and what weighed on them."""
    report = adherence.report(session, question.asked)
    loads = load.of_team(session, question.asked, report.dialled)
    rows: list[Sequence[Value]] = [
        (
            line.name,
            line.tally.patients,
            days,
            line.tally.dials,
            line.tally.dials / days if days else None,
            line.tally.reached,
            line.tally.reached / days if days else None,
            found.run,
            found.concerns,
        )
        for line, days in report.team
        for found in (loads.get(line.caller_id or 0, Load()),)
    ]
    columns = (
        Column("caller", "Name."),
        Column("patients", "Patients whom they had in these days."),
        Column("days", "Days on which they dialled: the denominator."),
        Column("dials", "All their dials."),
        Column("dials_a_day", "Dials by days."),
        Column("conversations", "Dials in which they spoke with the patient."),
        Column("conversations_a_day", "Conversations by days."),
        Column("days_in_a_row", "The most days in a row on which they dialled for this clinic."),
        Column("concerns", "Concerns that they raised about patients of this clinic."),
    )
    return question.table("The team", columns, rows)


def pulse(session: Session, question: Question) -> Table:
    """Return how many callers are burning out, month by month, as far as the page tells it.

    Raises:
        NoSuchTable: the asker is no manager of the clinic.
    """
    if not question.is_of_manager:
        raise NoSuchTable("There is no such table.")
    telling = question.telling
    groups = team_groups.months(
        session, question.clinic, question.asked, telling, question.scope.clinic_ids
    )
    rows = [_of_month(each, telling) for each in reversed(groups)]
    columns = (
        Column("month", "Its first day; months that are over."),
        Column("burning_out", "Callers who answered that they are burning out."),
        Column("answered", "Callers who answered: the denominator."),
        Column("value", "Burning out by answered."),
        Column("asked", "Callers who were asked."),
        Column("hidden", "Why there is no number; empty: there is."),
    )
    return question.table("How the team is", columns, rows)


def _of_month(group: Group, telling: Telling) -> Sequence[Value]:
    if group.answered is None:
        words = f"fewer than {telling.least} answered"
        return (group.month, None, None, None, None, words)
    if group.burnt_out is None:
        words = "all of them, or all but one"
        return (group.month, None, group.answered, None, group.asked, words)
    value = group.burnt_out / group.answered
    return (group.month, group.burnt_out, group.answered, value, group.asked, None)


def dials(session: Session, question: Question) -> Table:
    """Return with which dial patients were reached."""
    report = adherence.report(session, question.asked)
    found = report.by_dial
    rows: list[Sequence[Value]] = [
        (dial, reached, found.calls, reached / found.calls if found.calls else None)
        for dial, reached in found.shares
    ]
    rows.append((None, report.undialled, None, None))
    columns = (
        Column(
            "dial", "Reached by this dial or an earlier one. Empty: never dialled, not counted."
        ),
        *_FIGURE,
    )
    return question.table("With which dial patients are reached", columns, rows)


def dials_by_group(session: Session, question: Question) -> Table:
    """Return with which dial the patients of each group are reached; small groups are empty."""
    dimension = question.choice(Dimension, "by", Dimension.CALLER)
    clinics = staff.clinics_in(session, question.scope)
    rows: list[Sequence[Value]] = []
    for line in dial_groups.lines_of(session, clinics, question.asked, dimension):
        calls = line.table.calls
        for dial, reached in line.table.shares:
            told: tuple[Value, ...] = (reached, calls, reached / calls if calls else None)
            shown = (None, None, None) if line.is_hidden else told
            rows.append((line.name or line.key, dial, *shown, line.is_hidden))
    dial_column = Column("dial", "Reached by this dial or an earlier one.")
    columns = (_group_column(dimension), dial_column, *_FIGURE, _HIDDEN)
    return question.table("With which dial patients are reached, in groups", columns, rows)


def aims(session: Session, question: Question) -> Table:
    """Return each measure with its target and what is done about it."""
    asked = question.asked
    total = adherence.report(session, asked).total
    holding = targets.holding(session, question.clinic.id, at=asked.now)
    rows: list[Sequence[Value]] = []
    for measure in targets.AIMED_AT:
        part, whole = parts_of(measure, total) or (0, 0)
        aim = holding.get(measure)
        rest = (aim.share, aim.due_on, aim.plan, aim.by.name) if aim else (None,) * 4
        rows.append((measure.value, part, whole, part / whole if whole else None, *rest))
    columns = (
        _MEASURE,
        *_FIGURE,
        Column("target", "At least this share."),
        Column("by", "Day by which it is to be reached."),
        Column("plan", "What is done about it."),
        Column("set_by", "Who set it."),
    )
    return question.table("Targets", columns, rows)


def behind(session: Session, question: Question) -> Table:
    """Return the patients behind a figure of the adherence report."""
    if dial := whole(question.params.get("dial")):
        group = _asked_group(question)
        rows, _name = dial_groups.behind(session, question.asked, dial, group)
        return _people(session, question, f"Patients behind: reached by dial {dial}", rows)
    measure = measure_of(question, "measure")
    rows = breakdown.behind(session, question.asked, measure, _group(session, question))
    return _people(session, question, f"Patients behind: {measure.value}", rows)


def calls(session: Session, question: Question) -> Table:
    """Return the single calls behind a figure of the adherence report."""
    measure = measure_of(question, "measure")
    if measure not in single_calls.COUNTED:
        raise NoSuchTable("There is no such table.")
    total, found = single_calls.everything(
        session, question.scope, question.asked, measure, _group(session, question)
    )
    zone = question.here.zone
    rows = (
        (
            each.record_number,
            each.name,
            each.caller,
            each.due_on,
            each.phase,
            each.at.astimezone(zone).replace(tzinfo=None, microsecond=0) if each.at else None,
            each.ended or None,
            each.minutes,
            each.is_in,
        )
        for each in found
    )
    columns = (
        Column("record_number", "The clinic's number of the patient."),
        Column("patient", "Name."),
        Column("caller", "Who dialled, or had the patient as the due day ended."),
        Column("due_on", "Day on which the call was due."),
        Column("phase", "Phase of the programme of the planned call."),
        Column("dialled_at", "When it was dialled, on the clinic's clock; empty: missed."),
        Column("outcome", "How it ended, or stands; empty: missed."),
        Column("minutes", "Length of the conversation."),
        Column("counted", "Whether it is in the numerator; every row is in the denominator."),
    )
    table = question.table(f"Calls behind: {measure.value}", columns, [])
    return Table(table.title, table.columns, rows, total, table.about)


def around(session: Session, question: Question) -> Table:
    """Return what stands around the calls, with what is not counted."""
    found = service.service(session, question.asked)
    rows: list[Sequence[Value]] = []
    for measure, figure in found.figures.items():
        whole = figure.denominator
        value = figure.numerator / whole if whole else None
        rows.append((measure.value, figure.numerator, whole, value))
    for measure, left_out in found.left_out.items():
        rows += [
            (f"{measure.value}, not counted: {why.value}", n, None, None)
            for why, n in left_out.items()
        ]
    rows.append((_MEDIAN_WAIT, None, None, found.minutes))
    columns = (_MEASURE, *_FIGURE)
    return question.table("Staying, texts, concerns", columns, rows)


def around_lines(
    session: Session, question: Question
) -> tuple[Dimension, Service, list[ServiceLine]]:
    """Return by what the groups of what stands around the calls go, all of it, and the groups."""
    dimension = question.choice(Dimension, "by", Dimension.LANGUAGE)
    clinics = staff.clinics_in(session, question.scope)
    found = service_groups.to_group(session, question.asked, dimension)
    lines = service_groups.lines_of(session, clinics, found, question.asked, dimension)
    return dimension, found, lines


def around_groups(session: Session, question: Question) -> Table:
    """Return what stands around the calls by group; small groups of people are empty."""
    dimension, _found, lines = around_lines(session, question)
    rows: list[Sequence[Value]] = []
    for line in lines:
        for measure, figure in line.figures.items():
            part, whole = figure.numerator, figure.denominator
            told: tuple[Value, ...] = (part, whole, part / whole if whole else None)
            shown = told if line.tells(measure) else (None, None, None)
            rows.append((line.name or line.key, measure.value, *shown, not line.tells(measure)))
        minutes = line.minutes if line.tells_minutes else None
        rows.append(
            (line.name or line.key, _MEDIAN_WAIT, None, None, minutes, not line.tells_minutes)
        )
    columns = (_group_column(dimension), _MEASURE, *_FIGURE, _HIDDEN)
    return question.table(f"Staying, texts, concerns by {dimension.value}", columns, rows)


def around_behind(session: Session, question: Question) -> Table:
    """Return the patients behind a figure of what stands around the calls, or of one group's."""
    measure = question.choice(ServiceMeasure, "measure")
    _found, figure = figure_around(session, question, measure)
    return _people(session, question, f"Patients behind: {measure.value}", figure.rows)


def figure_around(
    session: Session, question: Question, measure: ServiceMeasure
) -> tuple[Service, ServiceFigure]:
    """Return what stands around the calls, and the figure of it, or of a group, that is asked."""
    key = question.params.get("group")
    is_of_group = key is not None and question.params.get("by") is not None
    dimension = question.choice(Dimension, "by") if is_of_group else Dimension.LANGUAGE
    found = service_groups.to_group(session, question.asked, dimension)
    figures = found.figures
    if is_of_group:
        group = (dimension, str(key))
        figures = service_groups.shown(session, found, question.asked, measure, group).figures
    return found, figures[measure]


def of_today(session: Session, question: Question) -> Table:
    """Return calls due and done today, caller by caller."""
    found = today.at(session, question.here)
    rows = [(each.name, each.done, each.due) for each in found.callers]
    columns = (
        Column("caller", "Empty: patients who have none."),
        Column("done", "Calls done today."),
        Column("due", "Calls due today, done or not."),
    )
    return question.table("Calls of today", columns, rows)


def measure_of(question: Question, name: str, default: Measure | None = None) -> Measure:
    """Return the measure that a parameter names as addresses do.

    Raises:
        NoSuchTable: it names none.
    """
    typed = question.params.get(name)
    if typed is None and default is not None:
        return default
    found = measure_named(typed)
    if found is None:
        raise NoSuchTable("There is no such table.")
    return found


def _group(session: Session, question: Question) -> tuple[Dimension, str] | None:
    """Return the group asked for; a hidden one, or one that there is not, has no table."""
    group = _asked_group(question)
    if group is None:
        return None
    dimension, key = group
    return dimension, breakdown.shown(session, question.asked, dimension, key).key


def _asked_group(question: Question) -> tuple[Dimension, str] | None:
    key = question.params.get("group")
    if key is None or question.params.get("by") is None:
        return None
    return question.choice(Dimension, "by"), key


def _people(session: Session, question: Question, title: str, rows: Sequence[Behind]) -> Table:
    names = who(session, question, [row.patient_id for row in rows])
    found: list[Sequence[Value]] = [
        (*names[row.patient_id], row.numerator, row.denominator)
        for row in rows
        if row.patient_id in names
    ]
    return question.table(title, (*OF_A_PATIENT, _NUMERATOR, _DENOMINATOR), found)
