"""The adherence report: what was planned, what was done, caller by caller.

Set work is SQL, one statement a question; weeks of the programme are judged in Python over
streamed rows (``courses.py``). A slow recount in the tests holds both to the definitions.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import chain

from sqlalchemy import (
    ColumnElement,
    Date,
    Integer,
    and_,
    case,
    cast,
    column,
    exists,
    func,
    or_,
    select,
    values,
)
from sqlalchemy.orm import Session

from outreach.accounts.models import StaffMember
from outreach.calls.models import Attempt
from outreach.calls.rules import REACHED
from outreach.clock import local_day
from outreach.orm import UTCDateTime
from outreach.panels.models import PanelMembership
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from outreach.reports import courses
from outreach.reports.asked import Asked
from outreach.reports.courses import COMPLETING
from outreach.reports.rules.period import DAY, RUN_WEEKS, begin_of, monday_of, whole_weeks
from outreach.reports.rules.tally import Cell, Measure, Tally, parts_of, sum_by, total_of

SHOWN_DIALS = (1, 2, 3)  # Source: domain.md E2: a call is tried three times.


@dataclass(frozen=True)
class Line:
    """One row of the report. ``caller_id`` None: nobody was the caller at that time."""

    caller_id: int | None
    name: str
    tally: Tally


@dataclass(frozen=True)
class DialTable:
    """With which dial patients were reached: of ``calls`` dialled, so many by each dial."""

    calls: int
    reached_at: Mapping[int, int]

    def reached_by(self, dial: int) -> int:
        """Return how many calls reached the patient with this dial or an earlier one."""
        return sum(count for at, count in self.reached_at.items() if at <= dial)

    @property
    def shares(self) -> tuple[tuple[int, int], ...]:
        """(dial, calls that reached the patient by it), as page and download show them."""
        return tuple((dial, self.reached_by(dial)) for dial in SHOWN_DIALS)

    @property
    def median_dial(self) -> int | None:
        """The dial with which the middle one of those reached was reached."""
        reached = sum(self.reached_at.values())
        middle = (reached + 1) // 2
        return next((at for at in sorted(self.reached_at) if self.reached_by(at) >= middle), None)


@dataclass(frozen=True)
class Report:
    """The whole report; ``total`` is the sum of ``lines``."""

    lines: tuple[Line, ...]
    total: Tally
    by_dial: DialTable


@dataclass(frozen=True)
class WeekRate:
    """A rate in one calendar week."""

    week_on: date
    part: int
    whole: int


def report(session: Session, asked: Asked) -> Report:
    """Return every measure by caller, by name, with those without a caller last."""
    tallies = sum_by(cells(session, asked), lambda cell: cell.caller_id)
    names = names_of(session, [each for each in tallies if each is not None])
    lines = [
        Line(each, names.get(each, "") if each else "", tally)
        for each, tally in tallies.items()
        if tally
    ]
    lines.sort(key=lambda line: (line.caller_id is None, line.name.casefold(), line.caller_id))
    total = total_of(line.tally for line in lines)
    return Report(tuple(lines), total, _by_dial(session, asked))


def cells(session: Session, asked: Asked, *, fine: bool = False) -> Iterator[tuple[Cell, Tally]]:
    """Yield everything that is counted, with where it belongs.

    Figures, breakdowns and the lists behind them are sums of these. With ``fine`` the database
    counts each patient, phase and week apart; without, calls and dials of a caller together.
    """
    return chain(
        _planned_calls(session, asked, fine=fine),
        _dials(session, asked, fine=fine),
        courses.tallies(session, asked),
    )


def by_week(session: Session, asked: Asked, measure: Measure) -> list[WeekRate]:
    """Return a rate of the last whole weeks, oldest first.

    Raises:
        KeyError: ``measure`` is none of SERIES.
    """
    weeks = whole_weeks(RUN_WEEKS, until=min(asked.period.until_on, asked.today - DAY))
    asked = replace(asked, period=weeks)
    found = sum_by(SERIES[measure](session, asked), lambda cell: cell.week_on)
    rates = []
    for week in range(RUN_WEEKS):
        week_on = weeks.from_on + timedelta(weeks=week)
        part, whole = parts_of(measure, found.get(week_on, Tally())) or (0, 0)
        rates.append(WeekRate(week_on, part, whole))
    return rates


def _calls_by_week(session: Session, asked: Asked) -> Iterator[tuple[Cell, Tally]]:
    """Count planned calls by the day on which they were due, whoever was the caller."""
    rows = session.execute(
        select(PlannedCall.due_on, _count(_is_completed()), _count(_is_missed(asked.today)))
        .where(_planned_in(asked))
        .group_by(PlannedCall.due_on)
        .order_by(PlannedCall.due_on)
    )
    for due_on, completed, missed in rows:
        yield _cell(None, day=due_on), Tally(completed=completed, missed=missed)


def _planned_calls(session: Session, asked: Asked, *, fine: bool) -> Iterator[tuple[Cell, Tally]]:
    """Count planned calls by the caller who held the panel membership as the due day ended."""
    days = (
        values(column("due_on", Date), column("ends_at", UTCDateTime), name="day")
        .data([(day, begin_of(day + DAY, asked.zone)) for day in asked.period.each_day()])
        .cte("day")
    )
    holder = PanelMembership
    by_primary = exists().where(
        Attempt.planned_call_id == PlannedCall.id,
        Attempt.outcome.in_(COMPLETING),
        Attempt.is_primary_caller.is_(True),
        Attempt.superseded_at.is_(None),
    )
    finely = (PlannedCall.patient_id, PlannedCall.phase, PlannedCall.due_on) if fine else ()
    rows = session.execute(
        select(
            _count(_is_completed()),
            _count(_is_missed(asked.today)),
            _count(_is_still_open(asked.today)),
            _count(and_(_is_completed(), by_primary)),
            holder.caller_id,
            *finely,
        )
        .select_from(PlannedCall)
        .join(days, days.c.due_on == PlannedCall.due_on)
        .outerjoin(
            holder,
            and_(
                holder.patient_id == PlannedCall.patient_id,
                holder.enrolment_id == PlannedCall.enrolment_id,
                holder.from_at < days.c.ends_at,
                or_(holder.until_at.is_(None), holder.until_at >= days.c.ends_at),
            ),
        )
        # The days are bounded by the join. Saying it twice leads SQLite to read them all for each.
        .where(_is_counted(asked))
        .group_by(holder.caller_id, *finely)
        .order_by(holder.caller_id, *finely)
    )
    for done, missed, still_open, own, caller_id, *where in rows:
        yield (
            _cell(caller_id, *where),
            Tally(completed=done, missed=missed, still_open=still_open, completed_by_primary=own),
        )


def _dials(session: Session, asked: Asked, *, fine: bool) -> Iterator[tuple[Cell, Tally]]:
    """Count dials by the caller who dialled."""
    begins_at, ends_at = asked.instants
    finely = (Attempt.patient_id, PlannedCall.phase, Attempt.at) if fine else ()
    counted = select(
        func.count(), _count(Attempt.outcome.in_(REACHED)), Attempt.caller_id, *finely
    ).where(
        asked.within(Attempt.clinic_id),
        Attempt.at >= begins_at,
        Attempt.at < ends_at,
        Attempt.superseded_at.is_(None),
    )
    if fine:
        counted = counted.join(PlannedCall, PlannedCall.id == Attempt.planned_call_id)
    rows = session.execute(
        counted.group_by(Attempt.caller_id, *finely).order_by(Attempt.caller_id, *finely)
    )
    for dials, reached, caller_id, *where in rows:
        tally = Tally(dials=dials, reached=reached)
        if fine:
            patient_id, phase, at = where
            yield _cell(caller_id, patient_id, phase, local_day(at, asked.zone)), tally
        else:
            yield _cell(caller_id), tally


def _cell(
    caller_id: int | None,
    patient_id: int | None = None,
    phase: str | None = None,
    day: date | None = None,
) -> Cell:
    return Cell(caller_id, patient_id, phase, monday_of(day) if day else None)


def _by_dial(session: Session, asked: Asked) -> DialTable:
    """Count the calls of the period that were dialled by the dial that reached the patient."""
    numbered = (
        select(
            Attempt.planned_call_id,
            Attempt.outcome,
            func.row_number()
            .over(partition_by=Attempt.planned_call_id, order_by=(Attempt.at, Attempt.id))
            .label("dial"),
        )
        .join(PlannedCall, PlannedCall.id == Attempt.planned_call_id)
        .where(
            _planned_in(asked),
            or_(_is_completed(), _is_missed(asked.today)),
            Attempt.superseded_at.is_(None),
        )
        .subquery()
    )
    first = (
        select(func.min(case((numbered.c.outcome.in_(REACHED), numbered.c.dial))).label("dial"))
        .group_by(numbered.c.planned_call_id)
        .subquery()
    )
    rows = session.execute(
        select(first.c.dial, func.count()).group_by(first.c.dial).order_by(first.c.dial)
    ).all()
    return DialTable(
        calls=sum(count for _dial, count in rows),
        reached_at={dial: count for dial, count in rows if dial is not None},
    )


def _planned_in(asked: Asked) -> ColumnElement[bool]:
    """Return the condition of counted calls due in the period."""
    period = asked.period
    return and_(_is_counted(asked), PlannedCall.due_on.between(period.from_on, period.until_on))


def _is_counted(asked: Asked) -> ColumnElement[bool]:
    """Return the condition of calls of the clinic, without those the programme cancelled."""
    return and_(asked.within(PlannedCall.clinic_id), PlannedCall.status != CallStatus.CANCELLED)


def _is_completed() -> ColumnElement[bool]:
    return PlannedCall.status == CallStatus.COMPLETED


def _is_missed(today: date) -> ColumnElement[bool]:
    """Missed, or about to be closed as missed: its last day has passed."""
    is_too_late = and_(PlannedCall.status == CallStatus.PLANNED, PlannedCall.complete_by_on < today)
    return or_(PlannedCall.status == CallStatus.MISSED, is_too_late)


def _is_still_open(today: date) -> ColumnElement[bool]:
    return and_(
        PlannedCall.status == CallStatus.PLANNED,
        PlannedCall.due_on <= today,
        PlannedCall.complete_by_on >= today,
    )


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return cast(func.coalesce(func.sum(case((condition, 1), else_=0)), 0), Integer)


def names_of(session: Session, staff_ids: Sequence[int]) -> dict[int, str]:
    """Return the names of members of staff."""
    rows = session.execute(
        select(StaffMember.id, StaffMember.name)
        .where(StaffMember.id.in_(staff_ids))
        .order_by(StaffMember.id)
    )
    return {staff_id: name for staff_id, name in rows}  # noqa: C416


# Rates that are drawn week by week, and where each is counted.
SERIES: Mapping[Measure, Callable[[Session, Asked], Iterator[tuple[Cell, Tally]]]] = {
    Measure.COMPLETION: _calls_by_week,
    Measure.REACH_PER_DIAL: lambda session, asked: _dials(session, asked, fine=True),
    Measure.PROTOCOL: courses.tallies,
    Measure.CONTINUITY: lambda session, asked: _planned_calls(session, asked, fine=True),
}
