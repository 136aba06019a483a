"""Patients of a period, and how long those enrolled in it waited for their first call."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import and_, case, exists, or_, select
from sqlalchemy.orm import Session

from outreach.calls.models import Attempt
from outreach.calls.rules import REACHED
from outreach.clock import local_day
from outreach.panels.models import PanelMembership
from outreach.programmes.models import Enrolment
from outreach.reports import known
from outreach.reports.asked import Asked
from outreach.reports.courses import (
    course_of,
    courses_in,
    is_held,
    protocols_of,
)
from outreach.reports.known import COMPLETING
from outreach.reports.rules.period import begin_of, monday_of
from outreach.reports.rules.tally import Cell, Tally, Wait, wait_of
from outreach.reports.rules.weeks import Course

Place = tuple[Any, ...]  # what a Cell is made of
# The last columns of what _people selects; asked for by name they take longer.
_CALLER, _IS_IN_PERIOD = -2, -1


class Person(NamedTuple):
    """An enrolment: whether its patient was spoken to in the period, and its first call.

    ``last_caller_id``: who was the caller last in the period.
    """

    patient_id: int
    zone: ZoneInfo
    course: Course
    first_caller_id: int | None
    last_caller_id: int | None
    enrolled_at: datetime
    is_reached: bool
    completed_at: datetime | None


def tallies(session: Session, asked: Asked, *, fine: bool = False) -> Iterator[tuple[Cell, Tally]]:
    """Yield patients and first calls, each where it belongs.

    A patient belongs to the last caller of the period, a first call to the first caller of
    the enrolment. With ``fine`` each patient comes apart; without, all of a caller together:
    a clinic has a thousand, and a cell of each takes longer than to count them.
    """
    people = list(_people(session, asked))
    yield from _patients(asked, people, fine=fine)
    yield from _first_calls(asked, people, fine=fine)


def _patients(
    asked: Asked, people: Sequence[Person], *, fine: bool
) -> Iterator[tuple[Cell, Tally]]:
    """Count patients once each, by their newest enrolment that was open in the period."""
    period, today = asked.period, asked.today
    newest = {
        each.patient_id: each for each in people if each.course.is_active_in(period, today=today)
    }
    counts: Counter[Place] = Counter()
    reached: Counter[Place] = Counter()
    for each in newest.values():
        place: Place = (each.last_caller_id,)
        if fine:
            place = (*place, each.patient_id)
        counts[place] += 1
        reached[place] += each.is_reached
    for place, count in counts.items():
        yield Cell(*place), Tally(patients=count, patients_reached=reached[place])


def _first_calls(
    asked: Asked, people: Sequence[Person], *, fine: bool
) -> Iterator[tuple[Cell, Tally]]:
    """Collect how long those enrolled in the period waited for their first completed call.

    Who waits and still has time is counted apart.

    The wait begins with the programme where that is later than the enrolment: nobody is
    called before.
    """
    begins_at, ends_at = asked.instants
    began_at = lru_cache(maxsize=None)(begin_of)
    found: defaultdict[Place, list[Wait | None]] = defaultdict(list)
    for each in people:
        if not begins_at <= each.enrolled_at < ends_at:
            continue
        since = max(each.enrolled_at, began_at(each.course.starts_on, each.zone))
        wait = wait_of(since, each.completed_at, zone=each.zone, now=asked.now)
        place: Place = (each.first_caller_id,)
        if fine:
            week_on = monday_of(local_day(each.enrolled_at, asked.zone))
            place = (*place, each.patient_id, None, week_on)
        found[place].append(wait)
    for place, waits in found.items():
        over = tuple(wait for wait in waits if wait is not None)
        yield Cell(*place), Tally(waits=over, first_waiting=len(waits) - len(over))


def _people(session: Session, asked: Asked) -> Iterator[Person]:
    """Yield who was in the programme in the period, or enrolled in it, by enrolment.

    Looks for one conversation of each and the first completed call, by patient, where reading
    all of the clinic's takes ten times as long.
    """
    begins_at, ends_at = asked.instants
    is_reached = exists().where(
        Attempt.patient_id == Enrolment.patient_id,
        Attempt.at >= begins_at,
        Attempt.at < ends_at,
        Attempt.outcome.in_(REACHED),
        known.counts(asked),
    )
    is_new = and_(Enrolment.enrolled_at >= begins_at, Enrolment.enrolled_at < ends_at)
    # The earliest by the index, where a minimum would read every call of the enrolment.
    first_completed_at = (
        select(Attempt.at)
        .where(
            Attempt.patient_id == Enrolment.patient_id,
            Attempt.enrolment_id == Enrolment.id,
            Attempt.outcome.in_(COMPLETING),
            known.counts(asked),
        )
        .order_by(Attempt.at)
        .limit(1)
        .correlate(Enrolment)
        .scalar_subquery()
    )
    holder = PanelMembership
    is_in_period = and_(
        holder.from_at < ends_at, or_(holder.until_at.is_(None), holder.until_at > begins_at)
    )
    more = (Enrolment.enrolled_at, is_reached, case((is_new, first_completed_at)))
    found = (
        courses_in(asked, None, *more, holder.caller_id, is_in_period, also=is_new)
        .outerjoin(holder, and_(holder.enrolment_id == Enrolment.id, *is_held(asked)))
        .order_by(holder.from_at, holder.id)
    )
    protocols = protocols_of(session)
    every = session.connection().execute(found).all()
    for _id, held in groupby(every, key=itemgetter(0)):
        rows = list(held)
        callers = [row[_CALLER] for row in rows if row[_IS_IN_PERIOD]]
        _id, patient_id, *course, zone_name, enrolled_at, has_talked, completed_at = rows[0][
            :_CALLER
        ]
        zone = ZoneInfo(zone_name)
        yield Person(
            patient_id,
            zone,
            course_of(protocols, zone, (), *course),
            rows[0][_CALLER],
            callers[-1] if callers else None,
            enrolled_at,
            bool(has_talked),
            completed_at,
        )
