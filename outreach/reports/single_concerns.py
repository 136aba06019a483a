"""The single concerns behind a figure: of how they are met, or of who raised them.

Each line says whether it is in the numerator; all lines are the denominator.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from outreach.reports import behind, concerns_met
from outreach.reports.asked import Asked
from outreach.reports.behind import Person
from outreach.reports.concerns_met import Met
from outreach.reports.service import Service, ServiceFigure, ServiceMeasure

PAGE = 100
COUNTED = frozenset({ServiceMeasure.IN_TIME, ServiceMeasure.CLOSED})


@dataclass(frozen=True)
class Line:
    """One concern. ``is_in``: in the numerator; None where it is of no figure with two parts."""

    met: Met
    is_in: bool | None


@dataclass(frozen=True)
class Page:
    """Some of ``lines``, the newest first, with who they are about. ``number`` counts from 1."""

    lines: Sequence[Line]
    people: Mapping[int, Person]
    number: int
    total: int
    counted: int
    minutes: float | None

    @property
    def has_more(self) -> bool:
        """Whether another page follows."""
        return self.number * PAGE < self.total


def behind_figure(found: Service, figure: ServiceFigure) -> list[Line]:
    """Return the concerns that a figure of ``found`` counts, the newest first."""
    is_in = {fact.row_id: bool(fact.numerator) for fact in figure.facts}
    return [Line(each, is_in[each.id]) for each in reversed(found.concerns) if each.id in is_in]


def raised_by(session: Session, asked: Asked, staff_id: int | None) -> list[Line]:
    """Return the concerns that somebody raised in the period, or anybody, the newest first."""
    return [Line(each, None) for each in reversed(concerns_met.raised_by(session, asked, staff_id))]


def page_of(session: Session, asked: Asked, lines: Sequence[Line], number: int) -> Page:
    """Return page ``number`` of these concerns, the nearest there can be."""
    number = min(max(1, number), max(1, -(-len(lines) // PAGE)))
    shown = lines[(number - 1) * PAGE : number * PAGE]
    return Page(
        shown,
        behind.named(session, asked, [line.met.patient_id for line in shown]),
        number,
        len(lines),
        sum(bool(line.is_in) for line in lines),
        concerns_met.median_minutes([line.met for line in lines]),
    )
