"""The adherence report on paper: what its page shows, and every rate by week."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from outreach.accounts import staff
from outreach.exports import paper
from outreach.exports.asked_of import Question
from outreach.exports.paper import MISSING, Paper, fixed, share, table
from outreach.reports import adherence, breakdown, definitions, graphs, labels, load, targets
from outreach.reports.adherence import Report
from outreach.reports.breakdown import Dimension, GroupLine
from outreach.reports.rules.load import Load
from outreach.reports.rules.statistics import Share
from outreach.reports.rules.tally import Measure, Spread, Tally, parts_of

# The columns of the page's table, each with what is written below its rate, if anything.
MEASURES = (
    Measure.COMPLETION,
    Measure.REACH_PER_DIAL,
    Measure.REACH_PER_PATIENT,
    Measure.PROTOCOL,
    Measure.CHOSEN,
    Measure.DIALS_PER_REACH,
    Measure.CALLS_MEAN,
    Measure.MINUTES_MEAN,
    Measure.FIRST_CALL,
    Measure.CONTINUITY,
)


def adherence_paper(session: Session, question: Question) -> Paper:
    """Return the adherence page on paper, with the groups that it shows."""
    asked = question.asked
    dimension = question.choice(Dimension, "by", Dimension.CALLER)
    report = adherence.report(session, asked)
    clinics = staff.clinics_in(session, question.scope)
    lines = breakdown.lines_of(session, clinics, report, asked, dimension)
    groups = _groups(lines, report, dimension, question)
    data = {
        "charts": list(_charts(session, question)),
        "by": str(labels.DIMENSION_WORDS[dimension]).lower(),
        "groups": groups,
        "about_groups": labels.about_groups(dimension),
        "aims": _aims(session, question, report.total),
        "team": _team(session, question, report),
        "dials": _dials(report),
        "counted": str(definitions.COUNTED),
        "definitions": paper.defined(definitions.ADHERENCE),
    }
    about = paper.about_days(question)
    return paper.paper(
        "adherence.typ", "Adherence", about, data, len(groups["rows"]), size=question.paper
    )


def _charts(session: Session, question: Question) -> Iterator[dict[str, Any]]:
    for measure in adherence.SERIES:
        found = graphs.of_weeks(adherence.by_week(session, question.asked, measure), measure)
        yield {
            "name": str(labels.FIGURE_WORDS[measure]),
            "plot": paper.of_run_chart(found.chart),
            "signs": " ".join(found.signs),
        }


def _groups(
    lines: Sequence[GroupLine], report: Report, dimension: Dimension, question: Question
) -> dict[str, Any]:
    head = [
        str(labels.DIMENSION_WORDS[dimension]),
        *(str(labels.FIGURE_WORDS[m]) for m in MEASURES),
    ]
    rows = []
    if not dimension.is_over_clinics:
        is_team = dimension is Dimension.CALLER
        name = "All callers" if is_team else question.clinic.name
        rows.append([name, *(cell(measure, report.total) for measure in MEASURES)])
    rows += [[labels.group_name(dimension, line.key, line.name), *_told(line)] for line in lines]
    return table(head, rows)


def _told(line: GroupLine) -> list[str]:
    if line.is_hidden:
        return [str(definitions.HIDDEN), *[""] * (len(MEASURES) - 1)]
    return [
        cell(measure, line.tally) if line.tells(measure) else str(definitions.HIDDEN)
        for measure in MEASURES
    ]


def cell(measure: Measure, tally: Tally) -> str:
    """Return a figure as it is read: '73% (22 of 30)', '1.4 (30 for 22)'."""
    part, whole = parts_of(measure, tally) or (0, 0)
    match measure:
        case Measure.DIALS_PER_REACH:
            return f"{part / whole:.1f} ({part:,} for {whole:,})" if whole else MISSING
        case Measure.CALLS_MEAN:
            return _spread(tally.calls_spread, part, whole)
        case Measure.MINUTES_MEAN:
            return _spread(tally.minutes_spread, part, whole)
        case Measure.COMPLETION if tally.still_open or tally.cancelled:
            left_out = f"not counted: {tally.still_open:,} open, {tally.cancelled:,} cancelled"
            return f"{share(Share(part, whole))}; {left_out}"
        case Measure.PROTOCOL if tally.weeks_open:
            return f"{share(Share(part, whole))}; not counted: {tally.weeks_open:,} not judged yet"
        case Measure.FIRST_CALL:
            return _first_call(tally, share(Share(part, whole)))
    return share(Share(part, whole))


def _first_call(tally: Tally, told: str) -> str:
    if tally.median_wait is not None:
        told += f", median {tally.median_wait:.1f} days"
    if tally.first_waiting:
        told += f"; not counted: {tally.first_waiting:,} that still have time"
    return told


def _spread(found: Spread | None, total: int, weeks: int) -> str:
    if found is None:
        return MISSING
    low, middle, high = (f"{each:,.4g}" for each in (found.low, found.median, found.high))
    return f"{middle} ({low}–{high}), {total:,} in {weeks:,} weeks"


def _aims(session: Session, question: Question, total: Tally) -> dict[str, Any]:
    holding = targets.holding(session, question.clinic.id, at=question.asked.now)
    rows = []
    for measure in targets.AIMED_AT:
        aim = holding.get(measure)
        aimed = [MISSING, "", ""]
        if aim and aim.share is not None:
            day = paper.day(aim.due_on) if aim.due_on else ""
            aimed = [f"at least {aim.share:.0%}", day, f"{aim.plan} ({aim.by.name})"]
        rows.append([str(labels.FIGURE_WORDS[measure]), cell(measure, total), *aimed])
    return table(("Measure", "In these days", "Target", "By", "What we do about it"), rows)


def _team(session: Session, question: Question, report: Report) -> dict[str, Any] | None:
    loads: Mapping[int, Load] = load.of_team(session, question.asked, report.dialled)
    rows = [
        [
            line.name,
            f"{line.tally.patients:,}",
            _a_day(line.tally.dials, days),
            _a_day(line.tally.reached, days),
            f"{found.run:,}",
            f"{found.concerns:,}",
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


def _dials(report: Report) -> dict[str, Any] | None:
    found = report.by_dial
    if not found.calls:
        return None
    rows = [[f"dial {n}", share(Share(reached, found.calls))] for n, reached in found.shares]
    rows.append(["not counted", f"{report.undialled:,} never dialled"])
    return table(("Reached by", "Share"), rows)
