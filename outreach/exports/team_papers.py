"""Of the adherence report on paper: the team, its months, and with which dial it reaches people."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from outreach.accounts import staff
from outreach.exports import load_tables, paper
from outreach.exports.asked_of import Question
from outreach.exports.paper import MISSING, fixed, share, table
from outreach.pulse.rules import Group
from outreach.reports import definitions, dial_groups, graphs, labels, load, team_groups, team_words
from outreach.reports.adherence import SHOWN_DIALS, Report
from outreach.reports.breakdown import Dimension, GroupLine
from outreach.reports.dial_groups import DialLine
from outreach.reports.rules.load import Load
from outreach.reports.rules.statistics import Share
from outreach.reports.team_groups import TeamLine


def team(session: Session, question: Question, report: Report) -> dict[str, Any] | None:
    """Return what weighed on each caller; None where nobody called."""
    loads: Mapping[int, Load] = load.of_team(session, question.asked, report.dialled)
    rows = [
        [
            line.name,
            f"{line.tally.patients:,}",
            _a_day(line.tally.dials, days),
            _a_day(line.tally.reached, days),
            f"{found.run:,}",
            f"{found.concerns:,} in {line.tally.reached:,} conversations",
        ]
        for line, days in report.team
        for found in (loads.get(line.caller_id or 0, Load()),)
    ]
    head = (
        "Caller",
        "Patients",
        "Dials a day",
        "Conversations a day",
        "Days in a row, at most",
        "Concerns raised",
    )
    return table(head, rows) if rows else None


def _a_day(count: int, days: int) -> str:
    return f"{fixed(count / days, 1)} ({count:,} in {days:,} days)" if days else MISSING


def by_group(
    session: Session,
    question: Question,
    report: Report,
    groups: Sequence[GroupLine],
    dimension: Dimension,
) -> dict[str, Any] | None:
    """Return the team in the groups of the page, or why it isn't told by them; None by caller."""
    about = team_words.about_groups(dimension)
    if not about:
        return None
    lines = load_tables.team_lines(session, question, report, groups, dimension)
    is_week, has_months = dimension is Dimension.WEEK, any(each.month for each in lines)
    head = [
        str(labels.DIMENSION_WORDS[dimension]),
        "Callers who dialled",
        *(() if is_week else ("Patients of a caller",)),
        "Dials a day",
        "Conversations a day",
        *(() if is_week else ("Days in a row, at most",)),
        "Concerns raised",
        *(("Burning out, last month",) if has_months else ()),
    ]
    rows = [
        [
            labels.group_name(dimension, line.key, line.name),
            f"{line.callers:,}",
            *(() if is_week else (_panel(line),)),
            _a_day(line.dials, line.days),
            _a_day(line.reached, line.days),
            *(() if is_week else (f"{line.run:,}",)),
            f"{line.concerns:,} in {line.reached:,} conversations",
            *((_last_month(line, question.telling.least),) if has_months else ()),
        ]
        for line in lines
    ]
    return {
        "title": f"The team, in groups: {labels.DIMENSION_WORDS[dimension]}",
        "figures": table(head, rows) if rows else None,
        "about": about,
        "has_months": has_months,
    }


def _panel(line: TeamLine) -> str:
    if line.panel is None:
        return MISSING
    low, middle, high = (f"{n:,.4g}" for n in (line.panel.low, line.panel.median, line.panel.high))
    return f"{middle} ({low}–{high})"


def _last_month(line: TeamLine, least: int) -> str:
    return MISSING if line.month is None else _month(line.month, least)[0]


def pulse(session: Session, question: Question) -> dict[str, Any] | None:
    """Return how the callers of a clinic are, as its page tells its managers; else None."""
    telling = question.telling
    groups = team_groups.months(
        session, question.clinic, question.asked, telling, question.scope.clinic_ids
    )
    if not groups:
        return None
    found = graphs.of_months(groups)
    rows = [[f"{each.month:%B %Y}", *_month(each, telling.least)] for each in groups]
    return {
        "about": team_words.about_pulse(question.clinic.name),
        "plot": paper.of_run_chart(found.chart, each="month"),
        "signs": " ".join(found.signs) if found.chart else "",
        "figures": table(("Month", "Burning out", "Answered, of those asked"), rows),
    }


def _month(group: Group, least: int) -> list[str]:
    if group.answered is None:
        return [f"fewer than {least} answered: not shown", ""]
    answered = group.answered
    burnt_out = f"{answered - 1} or {answered} of {answered}"
    if group.burnt_out is not None:
        burnt_out = share(Share(group.burnt_out, answered))
    return [burnt_out, share(Share(answered, group.asked))]


def dials(
    session: Session, question: Question, report: Report, dimension: Dimension
) -> dict[str, Any] | None:
    """Return with which dial patients are reached, all of them and in the groups of the page."""
    found = report.by_dial
    if not found.calls:
        return None
    about = (
        "Of all calls due in these days that were dialled;"
        f" not counted: {report.undialled:,} never dialled."
    )
    if found.median_dial:
        about += f" Median of those reached: dial {found.median_dial}."
    clinics = staff.clinics_in(session, question.scope)
    lines = dial_groups.lines_of(session, clinics, question.asked, dimension)
    return {
        "about": about,
        "figures": table(
            ("Reached by", "Share"),
            [[f"dial {n}", share(Share(reached, found.calls))] for n, reached in found.shares],
        ),
        "in_groups": f"By dial, in groups: {labels.DIMENSION_WORDS[dimension]}",
        "groups": table(
            (str(labels.DIMENSION_WORDS[dimension]), *(f"dial {n}" for n in SHOWN_DIALS)),
            [[labels.group_name(dimension, each.key, each.name), *_dials(each)] for each in lines],
        ),
    }


def _dials(line: DialLine) -> list[str]:
    if line.is_hidden:
        return [str(definitions.HIDDEN), *[""] * (len(SHOWN_DIALS) - 1)]
    return [share(Share(reached, line.table.calls)) for _n, reached in line.table.shares]
