"""Random histories of a clinic, and the slow obvious count of what a report says of them."""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, StaffMember
from outreach.calls.models import Attempt
from outreach.calls.rules import Outcome
from outreach.panels.models import PanelMembership
from outreach.patients.models import Patient
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from outreach.programmes.models import CadenceChoice, Enrolment
from outreach.programmes.rules import EnrolmentStatus
from outreach.reports.rules.period import Period
from tests.builders import (
    make_clinic,
    make_enrolment,
    make_membership,
    make_patient,
    make_staff,
)
from tests.rows import dial, planned_call

Dial = tuple[StaffMember, Outcome, dict[str, Any]]

ZONES = ("America/Chicago", "America/New_York", "Pacific/Auckland", "America/Los_Angeles")
STAYED = (EnrolmentStatus.ACTIVE, EnrolmentStatus.UNREACHABLE)
FIRST = date(2026, 8, 1)


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12), tzinfo=UTC)


def make_history(session: Session, chance: random.Random) -> Clinic:
    """Fill two clinics with a third of a year of calls; return the first."""
    clinic = make_clinic(session, zone=chance.choice(ZONES))
    for each in (clinic, make_clinic(session)):
        callers = [make_staff(session, each) for _ in range(3)]
        for _ in range(chance.randint(3, 7)):
            patient = make_patient(session, each, phone=None, zone=chance.choice(ZONES))
            _make_course(session, chance, patient, callers)
    return clinic


def _make_course(
    session: Session, chance: random.Random, patient: Patient, callers: list[StaffMember]
) -> None:
    starts_on = FIRST + timedelta(days=chance.randint(0, 110))
    status = chance.choice([*EnrolmentStatus, EnrolmentStatus.ACTIVE])
    enrolment = make_enrolment(
        session,
        patient,
        starts_on=starts_on,
        status=status,
        status_at=noon(starts_on + timedelta(days=chance.randint(0, 100))),
        enrolled_at=noon(starts_on) + timedelta(hours=chance.randint(-30, 12)),
    )
    _make_handovers(session, chance, enrolment, callers)
    for _ in range(chance.randint(0, 4)):
        phase = chance.choice(["weeks_2_to_4", "weeks_5_to_26", "weeks_5_to_26"])
        session.add(
            CadenceChoice(
                clinic_id=enrolment.clinic_id,
                patient_id=enrolment.patient_id,
                enrolment_id=enrolment.id,
                phase=phase,
                value=chance.choice([1, 2, 3] if phase == "weeks_2_to_4" else [7, 14]),
                chosen_at=noon(starts_on + timedelta(days=chance.randint(0, 60))),
            )
        )
    _make_calls(session, chance, enrolment, callers)


def _make_handovers(
    session: Session, chance: random.Random, enrolment: Enrolment, callers: list[StaffMember]
) -> None:
    at = enrolment.enrolled_at + timedelta(hours=chance.randint(0, 60))
    for _ in range(chance.randint(0, 3)):
        is_last = chance.random() < 0.4
        until = None if is_last else at + timedelta(hours=chance.randint(5, 800))
        caller = chance.choice(callers)
        make_membership(session, enrolment, caller, from_at=at, until_at=until)
        if until is None:
            return
        at = until


def _make_calls(
    session: Session, chance: random.Random, enrolment: Enrolment, callers: list[StaffMember]
) -> None:
    """Add calls to the end of November with their dials, all at once: there are hundreds."""
    planned: list[PlannedCall] = []
    dials: list[tuple[PlannedCall, Dial]] = []
    due_on, was_open = enrolment.starts_on, False
    while due_on < date(2026, 11, 28):
        # Until one is open, each may be.
        status = chance.choice(
            [
                *(each for each in CallStatus if not (was_open and each is CallStatus.PLANNED)),
                CallStatus.COMPLETED,
                CallStatus.COMPLETED,
            ]
        )
        was_open = was_open or status is CallStatus.PLANNED
        by = due_on + timedelta(days=chance.randint(0, 6))
        new = planned_call(enrolment, len(planned) + 1, due_on, status=status, complete_by_on=by)
        planned.append(new)
        dials += [(new, each) for each in _dials(chance, new, callers)]
        due_on += timedelta(days=chance.choice([1, 2, 3, 7, 7, 14]))
    session.add_all(planned)
    session.flush()
    session.add_all(dial(call, by, how, **rest) for call, (by, how, rest) in dials)
    session.flush()


def _dials(
    chance: random.Random, planned: PlannedCall, callers: list[StaffMember]
) -> Iterator[Dial]:
    at = noon(planned.due_on) + timedelta(hours=chance.randint(-14, 14))
    unfinished = [each for each in Outcome if not each.completes]
    for _ in range(chance.randint(0, 2)):
        yield chance.choice(callers), chance.choice(unfinished), {"at": at}
        at += timedelta(hours=chance.randint(1, 40))
    if planned.status is CallStatus.COMPLETED:
        yield (
            chance.choice(callers),
            chance.choice([Outcome.COMPLETED, Outcome.SAFETY]),
            {
                "at": at,
                "minutes": chance.randint(1, 60),
                "is_primary_caller": chance.random() < 0.7,
            },
        )


class Recount:
    """The measures, counted row by row as the definitions say, without any SQL.

    Every answer has a key for each caller id, or None where there was no caller.
    """

    def __init__(self, session: Session, clinic: Clinic, period: Period, now: datetime) -> None:
        self.zone, self.period, self.now = ZoneInfo(clinic.zone), period, now
        self.today = now.astimezone(self.zone).date()
        here = {"clinic_id": clinic.id}
        self.planned = session.scalars(select(PlannedCall).filter_by(**here)).all()
        self.attempts = session.scalars(
            select(Attempt).filter_by(**here).order_by(Attempt.at, Attempt.id)
        ).all()
        self.enrolments = session.scalars(
            select(Enrolment).filter_by(**here).order_by(Enrolment.id)
        ).all()
        self.held = session.scalars(
            select(PanelMembership).filter_by(**here).order_by(PanelMembership.from_at)
        ).all()
        self.choices = session.scalars(
            select(CadenceChoice).filter_by(**here).order_by(CadenceChoice.id)
        ).all()
        self.zones = {
            each.id: ZoneInfo(each.zone)
            for each in session.scalars(select(Patient).filter_by(**here))
        }

    def caller_at_end_of(self, day: date, enrolment_id: int) -> int | None:
        moment = self.midnight_after(day) - timedelta(microseconds=1)
        for each in self.held:
            is_begun = each.enrolment_id == enrolment_id and each.from_at <= moment
            if is_begun and (each.until_at is None or moment < each.until_at):
                return each.caller_id
        return None

    def midnight_after(self, day: date) -> datetime:
        return datetime.combine(day + timedelta(days=1), time(), tzinfo=self.zone)

    def is_in_period(self, at: datetime) -> bool:
        return at.astimezone(self.zone).date() in self.period

    def due_calls(self) -> Iterator[tuple[int | None, str, PlannedCall]]:
        for each in self.planned:
            if each.due_on not in self.period:
                continue
            caller = self.caller_at_end_of(each.due_on, each.enrolment_id)
            if each.status is CallStatus.CANCELLED:
                if each.due_on <= self.today:
                    yield caller, "cancelled", each
            elif each.status is CallStatus.COMPLETED:
                yield caller, "completed", each
            elif each.status is CallStatus.MISSED or each.complete_by_on < self.today:
                yield caller, "missed", each
            elif each.due_on <= self.today:
                yield caller, "still_open", each

    def calls(self, kind: str) -> list[int | None]:
        return [caller for caller, found, _call in self.due_calls() if found == kind]

    def completed_by_primary(self) -> list[int | None]:
        return [
            caller
            for caller, kind, call in self.due_calls()
            if kind == "completed"
            and any(
                a.planned_call_id == call.id and a.outcome.completes and a.is_primary_caller
                for a in self.attempts
            )
        ]

    def dials(self, *, reached_only: bool) -> list[int | None]:
        return [
            a.caller_id
            for a in self.attempts
            if self.is_in_period(a.at) and (a.outcome.is_reached or not reached_only)
        ]

    def dialled_days(self) -> list[tuple[int, date]]:
        return [
            (a.caller_id, a.at.astimezone(self.zone).date())
            for a in self.attempts
            if self.is_in_period(a.at)
        ]

    def patients(self, *, reached_only: bool) -> list[int | None]:
        newest: dict[int, Enrolment] = {}
        for each in self.enrolments:
            left_on = self.left_on(each)
            if (
                each.starts_on <= self.period.until_on
                and each.starts_on <= self.today
                and (left_on is None or left_on >= self.period.from_on)
                and each.starts_on + timedelta(weeks=26) > self.period.from_on
            ):
                newest[each.patient_id] = each
        found: list[int | None] = []
        for patient_id, each in newest.items():
            is_reached = any(
                a.patient_id == patient_id and a.outcome.is_reached and self.is_in_period(a.at)
                for a in self.attempts
            )
            if is_reached or not reached_only:
                found.append(self.last_caller(each.id))
        return found

    def last_caller(self, enrolment_id: int) -> int | None:
        begins = datetime.combine(self.period.from_on, time(), tzinfo=self.zone)
        ends = self.midnight_after(self.period.until_on)
        callers = [
            each.caller_id
            for each in self.held
            if each.enrolment_id == enrolment_id
            and each.from_at < ends
            and (each.until_at is None or each.until_at > begins)
        ]
        return callers[-1] if callers else None

    def left_on(self, enrolment: Enrolment) -> date | None:
        if enrolment.status in STAYED:
            return None
        return enrolment.status_at.astimezone(self.zones[enrolment.patient_id]).date()

    def chosen_weeks(self) -> Iterator[tuple[int | None, bool]]:
        """Yield (caller, kept) of each patient-week that is judged and that patients choose for."""
        for who, is_kept, _minutes, week in self.numbered_weeks():
            if week > 1 and is_kept is not None:
                yield who, is_kept

    def weeks(self) -> Iterator[tuple[int | None, bool | None, int]]:
        """Yield (caller, kept or None where it can't be judged, minutes) of each patient-week."""
        return ((who, kept, minutes) for who, kept, minutes, _week in self.numbered_weeks())

    def numbered_weeks(self) -> Iterator[tuple[int | None, bool | None, int, int]]:
        for each in self.enrolments:
            for week in range(1, 27):
                last = each.starts_on + timedelta(days=7 * week - 1)
                if last not in self.period or not self.is_past(each, last):
                    continue
                calls, minutes = self.spoken(each, week, week)
                wanted, first_week, last_week = self.wanted(each, week)
                if last_week != week or first_week != week:
                    calls, _minutes = self.spoken(each, first_week, last_week)
                ends = each.starts_on + timedelta(days=7 * last_week - 1)
                is_kept = calls >= wanted if self.is_past(each, ends) else None
                yield self.caller_at_end_of(last, each.id), is_kept, minutes, week

    def is_past(self, enrolment: Enrolment, day: date) -> bool:
        left_on = self.left_on(enrolment)
        return day < self.today and (left_on is None or day < left_on)

    def wanted(self, enrolment: Enrolment, week: int) -> tuple[int, int, int]:
        """Return (calls asked for, first week, last week) of the window of ``week``."""
        if week == 1:
            return 3, 1, 1
        phase, default = ("weeks_2_to_4", 2) if week <= 4 else ("weeks_5_to_26", 7)
        begins = enrolment.starts_on + timedelta(days=7 * (week - 1))
        zone = self.zones[enrolment.patient_id]
        chosen = default
        for choice in self.choices:
            is_before = choice.chosen_at.astimezone(zone).date() < begins
            if choice.enrolment_id == enrolment.id and choice.phase == phase and is_before:
                chosen = choice.value
        if week <= 4:
            return chosen, week, week
        if chosen == 7:
            return 1, week, week
        first = week if week % 2 == 1 else week - 1  # pairs: 5 and 6, 7 and 8 ... 25 and 26
        return 1, first, first + 1

    def spoken(self, enrolment: Enrolment, first: int, last: int) -> tuple[int, int]:
        """Return (completed calls, minutes) of programme weeks ``first`` to ``last``."""
        begins = enrolment.starts_on + timedelta(days=7 * (first - 1))
        ends = enrolment.starts_on + timedelta(days=7 * last)
        zone = self.zones[enrolment.patient_id]
        within = [
            a
            for a in self.attempts
            if a.enrolment_id == enrolment.id and begins <= a.at.astimezone(zone).date() < ends
        ]
        minutes = sum(a.minutes for a in within if a.outcome.is_reached)
        return sum(a.outcome.completes for a in within), minutes

    def waits(self) -> Iterator[tuple[int | None, datetime | None, bool]]:
        """Yield (first caller, first completed call, whether in time) of enrolments."""
        for first, at, passed in self.first_calls():
            if at or passed > 2:
                yield first, at, bool(at) and passed <= 2

    def first_waiting(self) -> list[int | None]:
        return [first for first, at, passed in self.first_calls() if not at and passed <= 2]

    def first_calls(self) -> Iterator[tuple[int | None, datetime | None, int]]:
        """Yield (first caller, first completed call, business days until it or now)."""
        for each in self.enrolments:
            if not self.is_in_period(each.enrolled_at):
                continue
            zone = self.zones[each.patient_id]
            completed = [
                a.at for a in self.attempts if a.enrolment_id == each.id and a.outcome.completes
            ]
            callers = [held.caller_id for held in self.held if held.enrolment_id == each.id]
            until = (min(completed) if completed else self.now).astimezone(zone).date()
            day, passed = max(each.enrolled_at.astimezone(zone).date(), each.starts_on), 0
            while day < until:
                day += timedelta(days=1)
                passed += day.weekday() < 5
            yield callers[0] if callers else None, min(completed, default=None), passed
