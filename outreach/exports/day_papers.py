"""Today, and what stands around the calls, on paper."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy.orm import Session

from outreach.exports import paper
from outreach.exports.asked_of import Question, on_clock
from outreach.exports.call_tables import around_lines
from outreach.exports.paper import MISSING, Paper, fixed, share, table
from outreach.reports import definitions, labels, needs, today
from outreach.reports.breakdown import Dimension
from outreach.reports.rules.statistics import Share
from outreach.reports.service import Service, ServiceMeasure
from outreach.reports.service_groups import ServiceLine
from outreach.reports.today import Today
from outreach.web.charts import bar_rows

GROUPS_ABREAST = 6  # what a page is wide enough for


def today_paper(session: Session, question: Question) -> Paper:
    """Return the manager's home on paper. It names no patient: paper is left lying about."""
    here = question.here
    found = today.at(session, here, named=1)
    tasks = list(needs.needs_of(found))
    bars = bar_rows([(each.name or "No caller", each.done, each.due) for each in found.callers])
    data = {
        "tasks": [[f"{count:,}" if count else "!", words] for count, words in tasks],
        "more": list(_more(found, question)),
        "bars": [
            {
                "name": bar.label,
                "words": f"{bar.value:,} of {bar.whole:,}",
                "value": bar.value_width,
                "whole": bar.whole_width,
            }
            for bar in bars
        ],
        "definitions": paper.defined(definitions.TODAY),
    }
    about = [("Clinic", question.clinic.name), ("Day", _moment(question)), question.made]
    return paper.paper(
        "today.typ", "Today", about, data, len(tasks) + len(bars), size=question.paper
    )


def around_paper(session: Session, question: Question) -> Paper:
    """Return what stands around the calls on paper: who stays, who comes back, texts, concerns."""
    dimension, found, lines = around_lines(session, question)
    parts = [
        {
            "name": str(words),
            "figures": table(("Measure", "Share", "Not counted"), list(_rows(found, measures))),
        }
        for words, measures in labels.SERVICE_PARTS
    ]
    data = {
        "parts": parts,
        "groups": _groups(dimension, found, lines),
        "definitions": paper.defined(definitions.AROUND),
    }
    about = paper.about_days(question)
    return paper.paper(
        "around.typ",
        "Staying, texts, concerns",
        about,
        data,
        len(found.figures),
        size=question.paper,
    )


def _groups(
    dimension: Dimension, found: Service, lines: Sequence[ServiceLine]
) -> dict[str, Any] | None:
    """Return the same by group, a row a measure; None where nobody is counted."""
    if not lines:
        return None
    named = [(_name(dimension, line), line) for line in lines]
    if not dimension.is_over_clinics:
        everybody = ServiceLine("", "", found.figures, minutes=found.minutes)
        named.insert(0, ("Everybody", everybody))
    by = str(labels.DIMENSION_WORDS[dimension])
    return {
        "by": by if dimension is Dimension.PHQ9 else by.lower(),
        "about": labels.about_groups(dimension),
        "tables": [
            _table_of(named[at : at + GROUPS_ABREAST])
            for at in range(0, len(named), GROUPS_ABREAST)
        ],
    }


def _table_of(named: Sequence[tuple[str, ServiceLine]]) -> dict[str, Any]:
    rows = [
        [str(words), *(_cell(line, measure) for _name_of, line in named)]
        for measure, (words, *_parts) in labels.SERVICE_WORDS.items()
    ]
    waits = [
        _minutes(line.minutes) if line.tells_minutes else str(definitions.HIDDEN)
        for _name_of, line in named
    ]
    rows.append([str(labels.MEDIAN_TAKEN_ON), *waits])
    return table(("Measure", *(name for name, _line in named)), rows)


def _minutes(found: float | None) -> str:
    return MISSING if found is None else f"{fixed(found, 1)} minutes"


def _name(dimension: Dimension, line: ServiceLine) -> str:
    return labels.group_name(dimension, line.key, line.name)


def _cell(line: ServiceLine, measure: ServiceMeasure) -> str:
    figure = line.figures[measure]
    told = share(Share(figure.numerator, figure.denominator))
    return told if line.tells(measure) else str(definitions.HIDDEN)


def _moment(question: Question) -> str:
    at = on_clock(question.here.now, question.here.zone)
    return f"{paper.day(question.here.today)}, {at:%H:%M} at the clinic"


def _more(found: Today, question: Question) -> Iterator[str]:
    """Yield what is said below the things to do: how old, and from when to when."""
    zone = question.here.zone
    for words, at in (
        ("Oldest concern that waits", found.concerns.oldest_at),
        ("Oldest concern taken on", found.concerns.oldest_taken_on_at),
        ("Texts wait since", found.texts_held_since),
    ):
        if at:
            yield f"{words}: {on_clock(at, zone):%Y-%m-%d %H:%M}."
    for from_at, until_at in found.net.gaps:
        ends = (on_clock(each, zone) for each in (from_at, until_at))
        yield "Nobody on call: {:%Y-%m-%d %H:%M} to {:%Y-%m-%d %H:%M}.".format(*ends)


def _rows(found: Service, measures: tuple[ServiceMeasure, ...]) -> Iterator[list[str]]:
    for measure in measures:
        figure = found.figures[measure]
        words = str(labels.SERVICE_WORDS[measure][0])
        yield [
            words,
            share(Share(figure.numerator, figure.denominator)),
            labels.left_out(found, measure),
        ]
    if ServiceMeasure.IN_TIME in measures:
        yield [str(labels.MEDIAN_TAKEN_ON), _minutes(found.minutes), ""]
