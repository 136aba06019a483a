"""The adherence report: what was planned, what was done, caller by caller.

Calls, dials and weeks come from roll-ups (``rolled.py``) where those hold, else from rows:
``counted.py`` in SQL, weeks of the programme judged in Python over streamed rows
(``courses.py``, ``people.py``). A slow recount in the tests holds all of it to the definitions.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import chain
from statistics import median
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.accounts.models import StaffMember
from outreach.accounts.rules import in_order_of_names
from outreach.reports import counted, people, rolled
from outreach.reports.asked import Asked
from outreach.reports.counted import Counted, Detail
from outreach.reports.rolled import WeekGroup
from outreach.reports.rules.control import Bounds, p_chart
from outreach.reports.rules.period import DAY, RUN_WEEKS, Period, monday_of, whole_weeks
from outreach.reports.rules.statistics import Share
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
    """The whole report; ``total`` is the sum of ``lines``.

    ``dialled``: on which days of the period each caller dialled.
    """

    lines: tuple[Line, ...]
    total: Tally
    by_dial: DialTable
    dialled: Mapping[int, Collection[date]]

    @property
    def days(self) -> Mapping[int, int]:
        """On how many days of the period each caller dialled."""
        return {caller_id: len(days) for caller_id, days in self.dialled.items()}

    @property
    def undialled(self) -> int:
        """Calls that came due and nobody dialled: in no share of ``by_dial``."""
        return self.total.due - self.by_dial.calls

    @property
    def team(self) -> list[tuple[Line, int]]:
        """Those who had patients or dialled, each with the days on which they dialled."""
        days = self.days
        return [
            (line, days.get(line.caller_id, 0))
            for line in self.lines
            if line.caller_id is not None and (line.tally.patients or line.tally.dials)
        ]


@dataclass(frozen=True)
class WeekRate:
    """A rate in one calendar week."""

    week_on: date
    part: int
    whole: int


@dataclass(frozen=True)
class WeekLimits:
    """What a weekly rate is held against: page and file draw the same."""

    known: Sequence[WeekRate]
    by_week: Mapping[date, Bounds]

    @classmethod
    def of(cls, weeks: Sequence[WeekRate]) -> "WeekLimits":
        """Return the limits of the weeks in which there is anything to divide by."""
        known = [each for each in weeks if each.whole]
        limits = p_chart([Share(each.part, each.whole) for each in known]) or []
        return cls(known, {each.week_on: at for each, at in zip(known, limits, strict=False)})

    @property
    def shares(self) -> list[float]:
        """The rate of each week that has one, in order."""
        return [each.part / each.whole for each in self.known]

    @property
    def middle(self) -> float | None:
        """The median of all weeks that have a rate."""
        return median(self.shares) if self.known else None


def report(session: Session, asked: Asked) -> Report:
    """Return every measure by caller, by name, with those without a caller last."""
    tallies = sum_by(cells(session, asked), lambda cell: cell.caller_id)
    names = names_of(session, [each for each in tallies if each is not None])
    lines = [
        Line(each, names.get(each, "") if each else "", tally)
        for each, tally in tallies.items()
        if tally
    ]
    lines.sort(
        key=lambda line: (
            line.caller_id is None,
            *in_order_of_names(line.name, line.caller_id or 0),
        )
    )
    total = total_of(line.tally for line in lines)
    touched = [] if asked.is_past else rolled.touched_days(session, asked)
    dialled: defaultdict[int, set[date]] = defaultdict(set)
    for caller_id, day in rolled.each_day_dialled(session, asked, touched):
        dialled[caller_id].add(day)
    return Report(tuple(lines), total, _by_dial(session, asked, touched), dict(dialled))


def by_dial(session: Session, asked: Asked) -> DialTable:
    """Return with which dial the patients of a clinic were reached."""
    touched = [] if asked.is_past else rolled.touched_days(session, asked)
    return _by_dial(session, asked, touched)


def cells(session: Session, asked: Asked, *, fine: bool = False) -> Iterator[tuple[Cell, Tally]]:
    """Yield everything that is counted, with where it belongs.

    Figures, breakdowns and the lists behind them are sums of these. With ``fine`` the database
    counts each patient, phase and week apart; without, calls and dials of a caller together.
    """
    return chain(
        _calls_and_dials(session, asked, Detail.PATIENT if fine else Detail.CALLER),
        _weeks(session, asked, Detail.PATIENT if fine else Detail.CALLER),
        people.tallies(session, asked, fine=fine),
    )


def by_week(
    session: Session, asked: Asked, measure: Measure, *, caller_id: int | None = None
) -> list[WeekRate]:
    """Return a rate of the last whole weeks, oldest first: of one caller, or of all of them.

    Raises:
        KeyError: ``measure`` is none of SERIES.
    """
    weeks = whole_weeks(RUN_WEEKS, until=min(asked.period.until_on, asked.today - DAY))
    asked = replace(asked, period=weeks)
    cells_of = SERIES[measure](session, asked, Detail.DAY)
    if caller_id is not None:
        cells_of = ((cell, each) for cell, each in cells_of if cell.caller_id == caller_id)
    found = sum_by(cells_of, lambda cell: cell.week_on)
    rates = []
    for week in range(RUN_WEEKS):
        week_on = weeks.from_on + timedelta(weeks=week)
        part, whole = parts_of(measure, found.get(week_on, Tally())) or (0, 0)
        rates.append(WeekRate(week_on, part, whole))
    return rates


def _calls_and_dials(
    session: Session, asked: Asked, detail: Detail
) -> Iterator[tuple[Cell, Tally]]:
    """Count planned calls and dials: from the roll-ups, where they are asked for and hold."""
    found: Iterable[Counted]
    if asked.is_past or detail is Detail.PATIENT:
        closed = counted.closed_calls(session, asked, detail)
        found = chain(closed, counted.dials(session, asked, detail))
    else:
        by_day = detail is Detail.DAY
        found = rolled.closed_calls_and_dials(session, asked, by_day=by_day)
    open_ones = counted.open_calls(session, asked, detail)
    for each in chain(found, open_ones, counted.cancelled_calls(session, asked, detail)):
        yield _cell(each.caller_id, each.patient_id, each.phase, each.day), each.tally


def _weeks(session: Session, asked: Asked, detail: Detail) -> Iterator[tuple[Cell, Tally]]:
    """Count patient-weeks, those kept to, and the calls and minutes of each."""
    places: defaultdict[tuple[Any, ...], list[WeekGroup]] = defaultdict(list)
    for each in rolled.weeks(session, asked, detail):
        places[each.caller_id, each.patient_id, each.phase, each.last_on].append(each)
    for place, groups in places.items():
        yield _cell(*place), _of_weeks(groups)


def _of_weeks(groups: Iterable[WeekGroup]) -> Tally:
    """Return what is counted of patient-weeks of one place."""
    kept: Counter[tuple[bool | None, bool]] = Counter()
    minutes: list[int] = []
    calls: list[int] = []
    for each in groups:
        kept[each.is_kept, each.is_chosen] += each.weeks
        minutes += [each.minutes] * each.weeks
        calls += [each.calls] * each.weeks
    return Tally(
        weeks_kept=kept[True, False] + kept[True, True],
        weeks_judged=kept.total() - kept[None, False] - kept[None, True],
        chosen_kept=kept[True, True],
        chosen_judged=kept[True, True] + kept[False, True],
        minutes=tuple(minutes),
        calls=tuple(calls),
    )


def _first_calls(session: Session, asked: Asked, _detail: Detail) -> Iterator[tuple[Cell, Tally]]:
    """Count first calls, each in the week of its enrolment."""
    return people.tallies(session, asked, fine=True)


def _cell(
    caller_id: int | None,
    patient_id: int | None = None,
    phase: str | None = None,
    day: date | None = None,
) -> Cell:
    return Cell(caller_id, patient_id, phase, monday_of(day) if day else None)


def _by_dial(session: Session, asked: Asked, touched: Sequence[Period]) -> DialTable:
    """Count the calls of the period that were dialled by the dial that reached the patient."""
    found: Counter[int] = Counter()
    if not asked.is_past:
        for dial, calls in rolled.by_dial(session, asked, touched):
            found[dial] += calls
    are_open = None if asked.is_past else True
    for _day, dial, calls in counted.by_dial(session, asked, are_open=are_open):
        found[dial] += calls
    return DialTable(found.total(), {dial: found[dial] for dial in sorted(found) if dial})


def names_of(session: Session, staff_ids: Sequence[int]) -> dict[int, str]:
    """Return the names of members of staff."""
    rows = session.execute(
        select(StaffMember.id, StaffMember.name)
        .where(StaffMember.id.in_(staff_ids))
        .order_by(StaffMember.id)
    )
    return {staff_id: name for staff_id, name in rows}  # noqa: C416


# Rates that are drawn week by week, and where each is counted.
SERIES: Mapping[Measure, Callable[[Session, Asked, Detail], Iterator[tuple[Cell, Tally]]]] = {
    Measure.COMPLETION: _calls_and_dials,
    Measure.REACH_PER_DIAL: _calls_and_dials,
    Measure.PROTOCOL: _weeks,
    Measure.CHOSEN: _weeks,
    Measure.FIRST_CALL: _first_calls,
    Measure.CONTINUITY: _calls_and_dials,
}
