"""Patients and their programme weeks, for the adherence report.

Weeks follow each patient's own calendar and choices, which no plain statement can count: a
few statements stream what is needed, and ``rules/weeks.py`` judges.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, and_, case, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from outreach.among import among
from outreach.calls.models import Attempt
from outreach.calls.rules import REACHED
from outreach.clock import local_day
from outreach.panels.models import PanelMembership
from outreach.patients.models import Patient
from outreach.programmes.models import CadenceChoice, Enrolment, ProgrammeVersion
from outreach.programmes.rules import EnrolmentStatus, Protocol, minimum_calls_in_week
from outreach.reports import known
from outreach.reports.asked import Asked
from outreach.reports.rules.period import DAY, WEEK, begin_of
from outreach.reports.rules.weeks import Course, Week, weeks_of

# Unreachable patients stay in denominators (domain.md E2); those paused or gone do not.
STAYING = (EnrolmentStatus.ACTIVE, EnrolmentStatus.UNREACHABLE)
# Days are the patient's, instants are the clinic's: clocks on earth differ by 26 hours.
MARGIN = 2 * DAY


class Spell(NamedTuple):
    """Somebody was the caller of an enrolment, (from, until]."""

    caller_id: int
    from_at: datetime
    until_at: datetime | None


Spells = Mapping[int, Sequence[Spell]]
Choices = Mapping[int, Sequence[tuple[datetime, str, int]]]
_SPELL = (PanelMembership.caller_id, PanelMembership.from_at, PanelMembership.until_at)


@dataclass
class Enrolled:
    """One enrolment with what happened in it; minutes and calls by programme week."""

    id: int
    patient_id: int
    zone: ZoneInfo
    course: Course
    spells: Sequence[Spell]
    completed: Counter[int] = field(default_factory=Counter)
    minutes: Counter[int] = field(default_factory=Counter)

    def caller_at(self, instant: datetime) -> int | None:
        """Return who was the caller just before ``instant``."""
        for spell in self.spells:
            if spell.from_at < instant and (spell.until_at is None or instant <= spell.until_at):
                return spell.caller_id
        return None


@dataclass(frozen=True)
class EndedWeek:
    """A patient-week that is over, with its completed calls and minutes.

    It belongs to the caller at its end.
    """

    enrolment_id: int
    patient_id: int
    caller_id: int | None
    week: Week
    calls: int
    minutes: int


def weeks(
    session: Session, asked: Asked, enrolment_ids: Sequence[int] | None = None
) -> Iterator[EndedWeek]:
    """Yield the patient-weeks of the period, judged from rows; of these enrolments, or all."""
    enrolled = _enrolments(
        session,
        asked,
        _spells(session, asked, enrolment_ids),
        _choices(session, asked, enrolment_ids),
        ids=enrolment_ids,
    )
    _add_conversations(session, asked, enrolled, are_all=enrolment_ids is None)
    for each in enrolled.values():
        for week in weeks_of(each.course, asked.period, each.completed, today=asked.today):
            yield EndedWeek(
                each.id,
                each.patient_id,
                each.caller_at(begin_of(week.last_on + DAY, asked.zone)),
                week,
                each.completed[week.number],
                each.minutes[week.number],
            )


def _enrolments(
    session: Session,
    asked: Asked,
    spells: Spells,
    choices: Choices,
    *,
    ids: Sequence[int] | None = None,
) -> dict[int, Enrolled]:
    """Return, by id, the enrolments that may have been open in the period, or some of them."""
    protocols, found = protocols_of(session), {}
    for each, patient_id, *course, zone_name in session.execute(courses_in(asked, ids)):
        zone = ZoneInfo(zone_name)
        its_course = course_of(protocols, zone, choices.get(each, ()), *course)
        found[each] = Enrolled(each, patient_id, zone, its_course, spells.get(each, ()))
    return found


def courses_in(
    asked: Asked,
    ids: Sequence[int] | None,
    *more: ColumnElement[Any] | InstrumentedAttribute[Any],
    also: ColumnElement[bool] | None = None,
) -> Select[*tuple[Any, ...]]:
    """Select enrolments that may have been open in the period, and ``also`` others.

    With patient, version, first day, when they left, and zone.
    """
    begins_at, _ends_at = asked.instants
    status: SQLColumnExpression[EnrolmentStatus] = Enrolment.status
    since: SQLColumnExpression[datetime] = Enrolment.status_at
    version_id: SQLColumnExpression[int] = Enrolment.version_id
    if asked.is_past:
        status, since = known.status(asked.now), known.status_since(asked.now)
        version_id = known.version_id(asked.now)
    stays = status.in_(STAYING)
    starts_on = known.first_day(asked.past)
    may_be_open = and_(starts_on <= asked.period.until_on, or_(stays, since >= begins_at - MARGIN))
    left_at = case((stays, None), else_=since)
    columns = (Enrolment.id, Enrolment.patient_id, version_id, starts_on, left_at)
    return (
        select(*columns, known.zone(asked.past), *more)
        .join(Patient, Patient.id == Enrolment.patient_id)
        .where(*_within(asked, ids), may_be_open if also is None else or_(may_be_open, also))
        .order_by(Enrolment.id)
    )


def course_of(
    protocols: Mapping[int, Protocol],
    zone: ZoneInfo,
    choices: Sequence[tuple[datetime, str, int]],
    version_id: int,
    starts_on: date,
    left_at: datetime | None,
) -> Course:
    """Return the course of an enrolment, from what :func:`courses_in` selects of it."""
    chosen = tuple([(local_day(at, zone), phase, number) for at, phase, number in choices])
    left_on = local_day(left_at, zone) if left_at else None
    return Course(protocols[version_id], starts_on, left_on, chosen)


def _within(asked: Asked, ids: Sequence[int] | None) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions of enrolments that were known of."""
    yield asked.within(Enrolment.clinic_id)
    if asked.is_past:
        yield Enrolment.enrolled_at <= asked.now
    if ids is not None:
        yield among(Enrolment.id, ids)


def _add_conversations(
    session: Session, asked: Asked, enrolled: dict[int, Enrolled], *, are_all: bool
) -> None:
    """Add what was said to each enrolment's weeks.

    Reads beyond the period by the longest window, so that weeks at its edges are whole.
    """
    begins_at, ends_at = asked.instants
    margin = MARGIN + WEEK * max((_longest_window(e.course) for e in enrolled.values()), default=1)
    patients = sorted({each.patient_id for each in enrolled.values()})
    rows = session.execute(
        select(Attempt.enrolment_id, Attempt.at, Attempt.minutes, Attempt.outcome)
        .where(
            asked.within(Attempt.clinic_id),
            true() if are_all else among(Attempt.patient_id, patients),
            Attempt.at >= begins_at - margin,
            Attempt.at < ends_at + margin,
            Attempt.outcome.in_(REACHED),
            known.counts(asked),
        )
        .order_by(Attempt.id)
        .execution_options(yield_per=5000)
    )
    for enrolment_id, at, minutes, outcome in rows:
        each = enrolled.get(enrolment_id)
        if each is not None:
            week = each.course.week_of(local_day(at, each.zone))
            each.minutes[week] += minutes
            each.completed[week] += outcome.completes


def _longest_window(course: Course) -> int:
    """Return the most weeks that any phase counts together."""
    return max(
        minimum_calls_in_week(phase, choice)[1]
        for phase in course.protocol.phases
        for choice in phase.choices
    )


def _spells(session: Session, asked: Asked, ids: Sequence[int] | None) -> Spells:
    """Return who was whose caller in the period, by enrolment, in order.

    Reached from the clinic's enrolments, as choices are: neither knows its clinic by an index.
    """
    held = (
        select(PanelMembership.enrolment_id, *_SPELL)
        .join(Enrolment, Enrolment.id == PanelMembership.enrolment_id)
        .where(*_within(asked, ids), *is_held(asked))
        .order_by(PanelMembership.from_at, PanelMembership.id)
    )
    found: defaultdict[int, list[Spell]] = defaultdict(list)
    for row in session.execute(held):
        found[row.enrolment_id].append(_spell(asked, *row[1:]))
    return dict(found)


def is_held(asked: Asked) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions of panel memberships that were known of, but those over before."""
    until_at = PanelMembership.until_at
    yield or_(until_at.is_(None), until_at >= asked.instants[0])
    if asked.is_past:
        yield PanelMembership.from_at <= asked.now


def _spell(asked: Asked, caller_id: int, from_at: datetime, until_at: datetime | None) -> Spell:
    """Return a panel membership as it was known: one that ended later had no end yet."""
    is_later = asked.is_past and until_at is not None and until_at > asked.now
    return Spell(caller_id, from_at, None if is_later else until_at)


def _choices(session: Session, asked: Asked, ids: Sequence[int] | None) -> Choices:
    chosen = (
        select(
            CadenceChoice.enrolment_id,
            CadenceChoice.chosen_at,
            CadenceChoice.phase,
            CadenceChoice.value,
        )
        .join(Enrolment, Enrolment.id == CadenceChoice.enrolment_id)
        .where(*_within(asked, ids))
        .order_by(CadenceChoice.id)
    )
    if asked.is_past:
        chosen = chosen.where(CadenceChoice.chosen_at <= asked.now)
    found: defaultdict[int, list[tuple[datetime, str, int]]] = defaultdict(list)
    for enrolment_id, chosen_at, phase, number in session.execute(chosen):
        found[enrolment_id].append((chosen_at, phase, number))
    return dict(found)


def protocols_of(session: Session) -> dict[int, Protocol]:
    """Return what each version of a programme asks for."""
    versions = session.scalars(select(ProgrammeVersion).order_by(ProgrammeVersion.id))
    return {version.id: version.protocol for version in versions}
