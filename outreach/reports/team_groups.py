"""The team by week, clinic and region: who called, how much on a day, and what weighed on them.

By phase, and by who patients are, a team can't be told: a caller's day, panel and row of days are
shared by patients of every kind.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.clock import local_day
from outreach.concerns.models import Concern, ConcernStep
from outreach.pulse import monthly
from outreach.pulse.rules import Group, Telling
from outreach.reports import people, places, rolled
from outreach.reports.adherence import Report
from outreach.reports.asked import Asked
from outreach.reports.breakdown import Dimension, GroupLine
from outreach.reports.concerns_met import is_raised
from outreach.reports.rules.load import longest_run
from outreach.reports.rules.period import Period, monday_of
from outreach.reports.rules.tally import Spread, spread

Dialled = Mapping[int, Collection[date]]
GROUPED = (Dimension.WEEK, Dimension.CLINIC, Dimension.REGION)
_A_WEEK = timedelta(days=6)


@dataclass(frozen=True)
class TeamLine:
    """The team of one group. ``key`` is what addresses carry.

    ``callers`` dialled in ``days``, days of one person counted once each. ``panel``: patients of
    each; ``run``: most days in a row of any of them; both None where it is of a week. ``month``:
    the last month that is over, of a clinic whose manager asks.
    """

    key: str
    name: str
    callers: int = 0
    days: int = 0
    dials: int = 0
    reached: int = 0
    concerns: int = 0
    panel: Spread | None = None
    run: int | None = None
    month: Group | None = None


@dataclass
class _Found:
    """What is found of the clinics of one place."""

    dialled: list[Dialled] = field(default_factory=list)
    panels: list[int] = field(default_factory=list)
    raised: int = 0
    month: Group | None = None


def lines_of(
    session: Session,
    clinics: Sequence[Clinic],
    report: Report,
    asked: Asked,
    groups: Sequence[GroupLine],
    dimension: Dimension,
    *,
    telling: Telling,
    managed: Collection[int],
) -> list[TeamLine]:
    """Return the team of each of ``groups``, which are the report's; nothing of other kinds.

    Args:
        session: the open session.
        clinics: those the reader sees.
        report: of the clinic that ``asked`` is about.
        asked: which days.
        groups: as ``breakdown.lines_of`` returned them.
        dimension: by what they go.
        telling: what may be told of callers' own answers.
        managed: clinics whose manager the reader is: only they hear of a team's months.
    """
    if dimension is Dimension.WEEK:
        return list(_of_weeks(session, report, asked, groups))
    if dimension.is_over_clinics:
        found = _places(session, clinics, asked, dimension, telling, managed)
        return [_line(group, found[group.key]) for group in groups]
    return []


def months(
    session: Session, clinic: Clinic, asked: Asked, telling: Telling, managed: Collection[int]
) -> Sequence[Group]:
    """Return how the callers of a clinic are, for its managers; not as of an earlier day."""
    if asked.is_past or clinic.id not in managed:
        return ()
    return monthly.of_clinic(
        session,
        clinic.id,
        asked.at(clinic).today,
        least=telling.least,
        burnout_from=telling.burnout_from,
    )


def days_of_week(asked: Asked, key: str) -> Period:
    """Return those days of a calendar week, by its Monday, that are asked about."""
    monday = date.fromisoformat(key)
    return Period(max(monday, asked.period.from_on), min(monday + _A_WEEK, asked.period.until_on))


def _of_weeks(
    session: Session, report: Report, asked: Asked, groups: Iterable[GroupLine]
) -> Iterator[TeamLine]:
    callers: defaultdict[str, set[int]] = defaultdict(set)
    days: Counter[str] = Counter()
    for caller_id, dialled in report.dialled.items():
        for day in dialled:
            key = monday_of(day).isoformat()
            callers[key].add(caller_id)
            days[key] += 1
    raised = Counter(monday_of(day).isoformat() for day in _raised(session, asked))
    for group in groups:
        if group.key and (days[group.key] or raised[group.key]):
            yield TeamLine(
                group.key,
                group.name,
                len(callers[group.key]),
                days[group.key],
                group.tally.dials,
                group.tally.reached,
                raised[group.key],
            )


def _line(group: GroupLine, found: _Found) -> TeamLine:
    everybody = [days for dialled in found.dialled for days in dialled.values()]
    return TeamLine(
        group.key,
        group.name,
        len({caller_id for dialled in found.dialled for caller_id in dialled}),
        sum(map(len, everybody)),
        group.tally.dials,
        group.tally.reached,
        found.raised,
        spread(found.panels),
        max(map(longest_run, everybody), default=0),
        found.month,
    )


def _places(
    session: Session,
    clinics: Sequence[Clinic],
    asked: Asked,
    dimension: Dimension,
    telling: Telling,
    managed: Collection[int],
) -> Mapping[str, _Found]:
    found: defaultdict[str, _Found] = defaultdict(_Found)
    for place in places.of(session, clinics, by_region=dimension is Dimension.REGION):
        of_place = found[place.key]
        for clinic in place.clinics:
            there = asked.at(clinic)
            of_place.dialled.append(_dialled(session, there))
            of_place.panels += _panels(session, there)
            of_place.raised += len(_raised(session, there))
            if dimension is Dimension.CLINIC:
                of_place.month = next(iter(months(session, clinic, asked, telling, managed)), None)
    return found


def _dialled(session: Session, asked: Asked) -> Dialled:
    """Return the days of the period on which each caller dialled."""
    touched = [] if asked.is_past else rolled.touched_days(session, asked)
    found: defaultdict[int, set[date]] = defaultdict(set)
    for caller_id, day in rolled.each_day_dialled(session, asked, touched):
        found[caller_id].add(day)
    return found


def _panels(session: Session, asked: Asked) -> list[int]:
    """Return how many patients each caller had who had some."""
    found: Counter[int] = Counter()
    for cell, tally in people.tallies(session, asked):
        if cell.caller_id is not None:
            found[cell.caller_id] += tally.patients
    return [patients for patients in found.values() if patients]


def _raised(session: Session, asked: Asked) -> list[date]:
    """Return the day at the clinic of each concern that somebody raised in the period."""
    rows = session.scalars(
        select(ConcernStep.at)
        .join(Concern, Concern.id == ConcernStep.concern_id)
        .where(*is_raised(asked), ConcernStep.by_staff_id.is_not(None))
        .order_by(ConcernStep.id)
    )
    return [local_day(at, asked.zone) for at in rows]
