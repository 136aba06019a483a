"""The adherence report on paper: what its page shows, and every rate by week."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy.orm import Session

from outreach.accounts import staff
from outreach.exports import paper, team_papers
from outreach.exports.asked_of import Question
from outreach.exports.paper import MISSING, Paper, share, table
from outreach.reports import adherence, breakdown, definitions, graphs, labels, targets, team_words
from outreach.reports.adherence import Report
from outreach.reports.breakdown import Dimension, GroupLine
from outreach.reports.models import Target
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
    told = team_papers.pulse(session, question)
    by_group = team_papers.by_group(session, question, report, lines, dimension)
    has_months = told or (by_group and by_group["has_months"])
    of_pulse = [team_words.burning_out(question.telling.burnout_from)] if has_months else []
    data = {
        "charts": list(_charts(session, question)),
        "by": str(labels.DIMENSION_WORDS[dimension]).lower(),
        "groups": groups,
        "about_groups": labels.about_groups(dimension),
        "aims": _aims(session, question, report.total),
        "team": team_papers.team(session, question, report),
        "team_groups": by_group,
        "pulse": told,
        "dials": team_papers.dials(session, question, report, dimension),
        "counted": str(definitions.COUNTED),
        "definitions": paper.defined([*definitions.ADHERENCE, *of_pulse]),
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
        cell(measure, line.tally, line.tells) if _tells(line, measure) else str(definitions.HIDDEN)
        for measure in MEASURES
    ]


def _tells(line: GroupLine, measure: Measure) -> bool:
    """Say whether the page tells a measure: weeks as chosen stand below weeks as planned."""
    return line.tells(measure) and (measure is not Measure.CHOSEN or line.tells(Measure.PROTOCOL))


def cell(
    measure: Measure, tally: Tally, tells: Callable[[Measure], bool] = lambda _each: True
) -> str:
    """Return a figure as it is read: '73% (22 of 30)', '1.4 (30 for 22)'.

    ``tells`` says which of what is not counted in it may be told.
    """
    part, whole = parts_of(measure, tally) or (0, 0)
    match measure:
        case Measure.DIALS_PER_REACH:
            return f"{part / whole:.1f} ({part:,} for {whole:,})" if whole else MISSING
        case Measure.CALLS_MEAN:
            return _spread(tally.calls_spread, part, whole)
        case Measure.MINUTES_MEAN:
            return _spread(tally.minutes_spread, part, whole)
        case Measure.COMPLETION:
            return f"{share(Share(part, whole))}{_missed(tally, tells)}"
        case Measure.PROTOCOL if tally.weeks_open and tells(Measure.WEEKS_OPEN):
            return f"{share(Share(part, whole))}; not counted: {tally.weeks_open:,} not judged yet"
        case Measure.FIRST_CALL:
            return f"{share(Share(part, whole))}{_first_call(tally, tells)}"
    return share(Share(part, whole))


def _missed(tally: Tally, tells: Callable[[Measure], bool]) -> str:
    if not (tally.missed or tally.still_open or tally.cancelled):
        return ""
    told = f"; {tally.missed:,} missed"
    if tells(Measure.STILL_OPEN):
        told += f"; not counted: {tally.still_open:,} open, {tally.cancelled:,} cancelled"
    return told


def _first_call(tally: Tally, tells: Callable[[Measure], bool]) -> str:
    told = ""
    if tally.waits:
        wait = tally.median_wait
        told = ", median: none yet" if wait is None else f", median {wait:.1f} days"
    if tally.first_waiting and tells(Measure.FIRST_WAITING):
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
            aimed = [
                *_aimed(aim, parts_of(measure, total), question),
                f"{aim.plan} ({aim.by.name})",
            ]
        rows.append([str(labels.FIGURE_WORDS[measure]), cell(measure, total), *aimed])
    return table(("Measure", "In these days", "Target", "By", "What we do about it"), rows)


def _aimed(aim: Target, parts: tuple[int, int] | None, question: Question) -> tuple[str, str]:
    """Return what is aimed for with how far it is, and the day with whether it is over."""
    words, day = f"at least {aim.share:.0%}", paper.day(aim.due_on) if aim.due_on else ""
    part, whole = parts or (0, 0)
    if whole and aim.share is not None:
        to_go = aim.share * whole - part
        words += "; reached" if to_go <= 0 else f"; {100 * to_go / whole:.1f} points to go"
    is_over = aim.due_on is not None and aim.due_on < question.asked.today
    return words, f"{day}, day is over" if is_over else day
