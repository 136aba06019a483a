"""Patients and their programme weeks, for the adherence report.

Weeks follow each patient's own calendar and choices, which no plain statement can count: a
few statements stream what is needed, and ``rules/weeks.py`` judges.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, SQLColumnExpression, exists, or_, select, true
from sqlalchemy.orm import Session

from outreach.calls.models import Attempt
from outreach.calls.rules import REACHED
from outreach.clock import local_day
from outreach.orm import among
from outreach.panels.models import PanelMembership
from outreach.patients.models import Patient
from outreach.programmes.models import CadenceChoice, Enrolment, ProgrammeVersion
from outreach.programmes.rules import EnrolmentStatus, Protocol, minimum_calls_in_week
from outreach.reports import known
from outreach.reports.asked import Asked
from outreach.reports.known import COMPLETING
from outreach.reports.rules.period import DAY, WEEK, begin_of, monday_of
from outreach.reports.rules.tally import Cell, Tally, wait_of
from outreach.reports.rules.weeks import Course, Week, weeks_of

# Unreachable patients stay in denominators (domain.md E2); those paused or gone do not.
STAYING = (EnrolmentStatus.ACTIVE, EnrolmentStatus.UNREACHABLE)
# Days are the patient's, instants are the clinic's: clocks on earth differ by 26 hours.
MARGIN = 2 * DAY


@dataclass(frozen=True)
class Spell:
    """Somebody was the caller of an enrolment, (from, until]."""

    caller_id: int
    from_at: datetime
    until_at: datetime | None


Spells = Mapping[int, Sequence[Spell]]
Choices = Mapping[int, Sequence[tuple[datetime, str, int]]]


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

    def last_caller_in(self, begins_at: datetime, ends_at: datetime) -> int | None:
        """Return who was the last caller in [begins, ends)."""
        held = (
            spell.caller_id
            for spell in reversed(self.spells)
            if spell.from_at < ends_at and (spell.until_at is None or spell.until_at > begins_at)
        )
        return next(held, None)


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


def tallies(session: Session, asked: Asked) -> Iterator[tuple[Cell, Tally]]:
    """Yield patients and first calls, each where it belongs.

    A patient belongs to the last caller of the period, a first call to the first caller of
    the enrolment.
    """
    spells = _spells(session, asked, None)
    enrolled = _enrolments(session, asked, spells, {})
    yield from _patients(asked, enrolled, _reached(session, asked))
    yield from _first_calls(session, asked, spells)


def _patients(
    asked: Asked, enrolled: dict[int, Enrolled], reached: frozenset[int]
) -> Iterator[tuple[Cell, Tally]]:
    """Count patients once each, by their newest enrolment that was open in the period."""
    newest = {
        each.patient_id: each
        for each in enrolled.values()
        if each.course.is_active_in(asked.period, today=asked.today)
    }
    begins_at, ends_at = asked.instants
    for each in newest.values():
        cell = Cell(each.last_caller_in(begins_at, ends_at), each.patient_id)
        yield cell, Tally(patients=1, patients_reached=int(each.patient_id in reached))


def _reached(session: Session, asked: Asked) -> frozenset[int]:
    """Return which patients of the clinic were spoken to in the period.

    Looks for one conversation of each, by patient, where reading all of the clinic's takes ten
    times as long.
    """
    begins_at, ends_at = asked.instants
    has_talked = exists().where(
        Attempt.patient_id == Enrolment.patient_id,
        Attempt.at >= begins_at,
        Attempt.at < ends_at,
        Attempt.outcome.in_(REACHED),
        known.counts(asked),
    )
    found = select(Enrolment.patient_id).where(asked.within(Enrolment.clinic_id), has_talked)
    return frozenset(session.scalars(found.order_by(Enrolment.patient_id)))


def _first_calls(session: Session, asked: Asked, spells: Spells) -> Iterator[tuple[Cell, Tally]]:
    """Collect how long those enrolled in the period waited for their first completed call.

    The wait begins with the programme where that is later than the enrolment: nobody is
    called before.
    """
    begins_at, ends_at = asked.instants
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
    rows = session.execute(
        select(
            Enrolment.id,
            Enrolment.patient_id,
            Enrolment.enrolled_at,
            Enrolment.starts_on,
            Patient.zone,
            first_completed_at,
        )
        .join(Patient, Patient.id == Enrolment.patient_id)
        .where(
            asked.within(Enrolment.clinic_id),
            Enrolment.enrolled_at >= begins_at,
            Enrolment.enrolled_at < ends_at,
            *((Enrolment.enrolled_at <= asked.now,) if asked.is_past else ()),
        )
        .order_by(Enrolment.id)
    )
    for enrolment_id, patient_id, enrolled_at, starts_on, zone_name, completed_at in rows:
        zone = ZoneInfo(zone_name)
        since = max(enrolled_at, begin_of(starts_on, zone))
        wait = wait_of(since, completed_at, zone=zone, now=asked.now)
        if wait is not None:
            held = spells.get(enrolment_id)
            week_on = monday_of(local_day(enrolled_at, asked.zone))
            cell = Cell(held[0].caller_id if held else None, patient_id, None, week_on)
            yield cell, Tally(waits=(wait,))


def _enrolments(
    session: Session,
    asked: Asked,
    spells: Spells,
    choices: Choices,
    *,
    ids: Sequence[int] | None = None,
) -> dict[int, Enrolled]:
    """Return, by id, the enrolments that may have been open in the period, or some of them."""
    protocols = _protocols(session)
    begins_at, _ends_at = asked.instants
    status: SQLColumnExpression[EnrolmentStatus] = Enrolment.status
    since: SQLColumnExpression[datetime] = Enrolment.status_at
    version_id: SQLColumnExpression[int] = Enrolment.version_id
    if asked.is_past:
        status, since = known.status(asked.now), known.status_since(asked.now)
        version_id = known.version_id(asked.now)
    rows = session.execute(
        select(
            Enrolment.id,
            Enrolment.patient_id,
            version_id,
            Enrolment.starts_on,
            status,
            since,
            Patient.zone,
        )
        .join(Patient, Patient.id == Enrolment.patient_id)
        .where(
            *_within(asked, ids),
            Enrolment.starts_on <= asked.period.until_on,
            or_(status.in_(STAYING), since >= begins_at - MARGIN),
        )
        .order_by(Enrolment.id)
    )
    found = {}
    for enrolment_id, patient_id, version, starts_on, standing, status_at, zone_name in rows:
        zone = ZoneInfo(zone_name)
        left_on = None if standing in STAYING else local_day(status_at, zone)
        chosen = tuple(
            (local_day(chosen_at, zone), phase, number)
            for chosen_at, phase, number in choices.get(enrolment_id, ())
        )
        course = Course(protocols[version], starts_on, left_on, chosen)
        held = spells.get(enrolment_id, ())
        found[enrolment_id] = Enrolled(enrolment_id, patient_id, zone, course, held)
    return found


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
    begins_at, _ends_at = asked.instants
    held = (
        select(
            PanelMembership.enrolment_id,
            PanelMembership.caller_id,
            PanelMembership.from_at,
            PanelMembership.until_at,
        )
        .join(Enrolment, Enrolment.id == PanelMembership.enrolment_id)
        .where(
            *_within(asked, ids),
            or_(PanelMembership.until_at.is_(None), PanelMembership.until_at >= begins_at),
        )
        .order_by(PanelMembership.from_at, PanelMembership.id)
    )
    if asked.is_past:
        held = held.where(PanelMembership.from_at <= asked.now)
    found: defaultdict[int, list[Spell]] = defaultdict(list)
    for enrolment_id, caller_id, from_at, until_at in session.execute(held):
        is_later = asked.is_past and until_at is not None and until_at > asked.now
        found[enrolment_id].append(Spell(caller_id, from_at, None if is_later else until_at))
    return dict(found)


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


def _protocols(session: Session) -> dict[int, Protocol]:
    versions = session.scalars(select(ProgrammeVersion).order_by(ProgrammeVersion.id))
    return {version.id: version.protocol for version in versions}
