"""Concerns that were raised in some days: by whom, when they were taken on, and whether closed.

One that was opened again was taken on when it first was: a concern forgets that, its steps
don't.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from sqlalchemy import ColumnElement, SQLColumnExpression, select
from sqlalchemy.orm import Session

from outreach.among import among
from outreach.clock import local_day
from outreach.concerns.models import Concern, ConcernStep
from outreach.concerns.rules import ConcernKind, StepKind, Urgency
from outreach.reports.asked import Asked
from outreach.reports.facts import Fact

_MET = (StepKind.ACKNOWLEDGED, StepKind.CLOSED, StepKind.REOPENED)


@dataclass(frozen=True)
class Met:
    """One concern, as it stands when it is asked. ``waits``: up to when it was taken on, or now."""

    id: int
    patient_id: int
    kind: ConcernKind
    urgency: Urgency
    raised_at: datetime
    taken_on_at: datetime | None
    waits: timedelta
    is_closed: bool

    @property
    def minutes(self) -> float:
        """How long it waited, or has by now."""
        return self.waits / timedelta(minutes=1)

    @property
    def is_in_time(self) -> bool | None:
        """Whether it was taken on within its target; None where it waits and still has time."""
        if self.taken_on_at is None and self.waits <= self.urgency.target:
            return None
        return self.waits <= self.urgency.target


def raised_in(asked: Asked, at: SQLColumnExpression[datetime]) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions that a moment of a clinic's concern lies in the days asked about."""
    begins_at, ends_at = asked.instants
    known = (at <= asked.now,) if asked.is_past else ()
    return (asked.within(Concern.clinic_id), at >= begins_at, at < ends_at, *known)


def met(session: Session, asked: Asked) -> list[Met]:
    """Return the concerns raised in the period, the oldest first."""
    return _found(session, asked, raised_in(asked, Concern.raised_at))


def raised_by(session: Session, asked: Asked, staff_id: int | None) -> list[Met]:
    """Return the concerns that somebody raised in the period, or anybody, the oldest first."""
    by: SQLColumnExpression[int | None] = ConcernStep.by_staff_id
    theirs = (
        select(ConcernStep.concern_id)
        .join(Concern, Concern.id == ConcernStep.concern_id)
        .where(*is_raised(asked), by.is_not(None) if staff_id is None else by == staff_id)
    )
    return _found(session, asked, (asked.within(Concern.clinic_id), Concern.id.in_(theirs)))


def is_raised(asked: Asked) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of the steps by which concerns were raised in the period."""
    return (ConcernStep.kind == StepKind.RAISED, *raised_in(asked, ConcernStep.at))


def median_minutes(found: Sequence[Met]) -> float | None:
    """Return the median until one was taken on, of those that were."""
    waits = [each.minutes for each in found if each.taken_on_at is not None]
    return median(waits) if waits else None


def in_time_facts(asked: Asked, found: Sequence[Met]) -> list[Fact]:
    """Return who was met in time; what waits and still has time is in no rate."""
    return [
        _fact(asked, each, is_in=each.is_in_time) for each in found if each.is_in_time is not None
    ]


def taken_on_facts(asked: Asked, found: Sequence[Met]) -> list[Fact]:
    """Return those that were taken on: whom the median until then is of."""
    return [_fact(asked, each, is_in=True) for each in found if each.taken_on_at is not None]


def closed_facts(asked: Asked, found: Sequence[Met]) -> list[Fact]:
    """Return whose concern is closed."""
    return [_fact(asked, each, is_in=each.is_closed) for each in found]


def _fact(asked: Asked, each: Met, *, is_in: bool) -> Fact:
    day = local_day(each.raised_at, asked.zone)
    return Fact(each.patient_id, int(is_in), 1, day, row_id=each.id)


def _found(session: Session, asked: Asked, met_by: Collection[ColumnElement[bool]]) -> list[Met]:
    rows = session.execute(
        select(Concern.id, Concern.patient_id, Concern.kind, Concern.urgency, Concern.raised_at)
        .where(*met_by)
        .order_by(Concern.raised_at, Concern.id)
    ).all()
    steps = _steps(session, asked, [row.id for row in rows])
    found = []
    for concern_id, patient_id, kind, urgency, raised_at in rows:
        taken_on_at, is_closed = _how_met(steps.get(concern_id, ()))
        waits = (taken_on_at or asked.now) - raised_at
        found.append(
            Met(concern_id, patient_id, kind, urgency, raised_at, taken_on_at, waits, is_closed)
        )
    return found


def _how_met(steps: Sequence[tuple[StepKind, datetime]]) -> tuple[datetime | None, bool]:
    """Return when a concern was first taken on, if it was, and whether it is closed."""
    times = [at for kind, at in steps if kind is not StepKind.REOPENED]
    return min(times, default=None), bool(steps) and steps[-1][0] is StepKind.CLOSED


def _steps(
    session: Session, asked: Asked, concern_ids: Sequence[int]
) -> Mapping[int, list[tuple[StepKind, datetime]]]:
    """Return by concern, in order, when each was taken on, closed, and opened again."""
    rows = session.execute(
        select(ConcernStep.concern_id, ConcernStep.kind, ConcernStep.at)
        .where(
            among(ConcernStep.concern_id, concern_ids),
            ConcernStep.kind.in_(_MET),
            ConcernStep.at <= asked.now,
        )
        .order_by(ConcernStep.id)
    )
    found: defaultdict[int, list[tuple[StepKind, datetime]]] = defaultdict(list)
    for concern_id, kind, at in rows:
        found[concern_id].append((kind, at))
    return found
