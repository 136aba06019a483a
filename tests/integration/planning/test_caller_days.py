"""Calls to come move off days on which the caller does not work, once those days change."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import select

from outreach.accounts.models import Clinic, StaffMember
from outreach.callers import profile
from outreach.callers.rules import Stretch
from outreach.messaging.rules import MessageStatus
from outreach.orm import Sessions
from outreach.panels import assignment
from outreach.panels.assignment import Handover
from outreach.panels.models import Shift
from outreach.panels.rules import ChangeReason
from outreach.patients.models import Patient
from outreach.planning import caller_days, next_call
from outreach.planning.jobs import refit_callers_days
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from tests.builders import (
    actor_of,
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.fakes import FakeClock
from tests.integration.messaging.conftest import make_message

MONDAY = date(2026, 11, 23)
THURSDAY, FRIDAY = MONDAY + timedelta(days=3), MONDAY + timedelta(days=4)
FRIDAY_CALLER = {4}


@dataclass(frozen=True)
class Panel:
    """A caller, a colleague, and an enrolment with a call due on Thursday or another day."""

    caller_id: int
    colleague_id: int
    enrolment_id: int


def works_on(weekdays: Iterable[int]) -> dict[int, tuple[Stretch, ...]]:
    return dict.fromkeys(weekdays, (Stretch(time(9), time(17)),))


def enrol(
    sessions: Sessions, due_on: date = THURSDAY, *, colleague_days: Iterable[int] = (), **call: bool
) -> Panel:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        caller, colleague = make_staff(session, clinic), make_staff(session, clinic)
        for day in colleague_days:
            session.add(Shift(staff_id=colleague.id, weekday=day, begins=time(9), ends=time(17)))
        enrolment = make_enrolment(
            session,
            make_patient(session, clinic),
            caller=caller,
            starts_on=MONDAY - timedelta(weeks=10),
        )
        before = make_planned_call(
            session, enrolment, MONDAY - timedelta(days=11), status=CallStatus.COMPLETED
        )
        before.closed_at = before.dial_from_at
        make_planned_call(
            session, enrolment, due_on, complete_by_on=due_on + timedelta(days=6), **call
        )
        return Panel(caller.id, colleague.id, enrolment.id)


def change_days(sessions: Sessions, panel: Panel, days: Iterable[int], *, now: datetime) -> None:
    with sessions.begin() as session:
        person = session.get_one(StaffMember, panel.caller_id)
        clinics = session.scalars(select(Clinic)).all()
        caller = profile.find(session, actor_of(person, clinics[-1]), panel.caller_id, now=now)
        changed = replace(caller.profile, shifts=works_on(days))
        profile.change(session, caller, changed, by_staff_id=panel.colleague_id, now=now)


def hand_over(sessions: Sessions, panel: Panel, *, now: datetime) -> None:
    with sessions.begin() as session:
        current = assignment.current_membership(session, panel.enrolment_id)
        assert current is not None
        handover = Handover(current.id, panel.colleague_id, ChangeReason.PATIENT_ASKED, "")
        assignment.change_caller(
            session, panel.enrolment_id, handover, by_staff_id=panel.caller_id, now=now
        )


def remind(sessions: Sessions, status: MessageStatus) -> None:
    with sessions.begin() as session:
        call = session.scalars(
            select(PlannedCall).where(PlannedCall.status == CallStatus.PLANNED)
        ).one()
        patient = session.get_one(Patient, call.patient_id)
        make_message(session, patient, cause=next_call.cause_of(call.id), status=status)


def due_on(sessions: Sessions) -> date:
    with sessions() as session:
        return (
            session.scalars(select(PlannedCall).where(PlannedCall.status == CallStatus.PLANNED))
            .one()
            .due_on
        )


def marked(sessions: Sessions) -> list[int]:
    with sessions() as session:
        return [each.staff_id for each in caller_days.changed(session)]


def test_calls_move_when_the_weekdays_of_their_caller_change(
    sessions: Sessions, clock: FakeClock
) -> None:
    panel = enrol(sessions)
    change_days(sessions, panel, FRIDAY_CALLER, now=clock())

    assert marked(sessions) == [panel.caller_id]
    assert refit_callers_days(sessions, clock) == 1
    assert due_on(sessions) == FRIDAY
    assert marked(sessions) == []
    assert refit_callers_days(sessions, clock) == 0


def test_other_hours_of_the_same_days_move_nothing(sessions: Sessions, clock: FakeClock) -> None:
    panel = enrol(sessions)
    change_days(sessions, panel, FRIDAY_CALLER, now=clock())
    refit_callers_days(sessions, clock)

    with sessions.begin() as session:
        shift = session.scalars(select(Shift)).one()
        shift.ends = time(12)
    change_days(sessions, panel, FRIDAY_CALLER, now=clock())

    assert marked(sessions) == []


def test_a_call_moves_to_a_day_of_whoever_the_patient_is_handed_to(
    sessions: Sessions, clock: FakeClock
) -> None:
    panel = enrol(sessions, colleague_days=FRIDAY_CALLER)
    hand_over(sessions, panel, now=clock())

    assert refit_callers_days(sessions, clock) == 1
    assert due_on(sessions) == FRIDAY


@pytest.mark.parametrize("days_ahead", [0, 1])
def test_calls_of_today_and_tomorrow_stay_since_the_patient_may_know_of_them(
    sessions: Sessions, clock: FakeClock, days_ahead: int
) -> None:
    day = MONDAY + timedelta(days=days_ahead)
    clock.now = datetime(2026, 11, 23, 13, tzinfo=UTC)  # 7 in the morning in Chicago
    panel = enrol(sessions, day)
    change_days(sessions, panel, FRIDAY_CALLER, now=clock())

    assert refit_callers_days(sessions, clock) == 0
    assert due_on(sessions) == day


@pytest.mark.parametrize(
    ("status", "moved"), [(MessageStatus.DELIVERED, 0), (MessageStatus.SCHEDULED, 1)]
)
def test_a_call_of_which_the_patient_was_told_stays(
    sessions: Sessions, clock: FakeClock, status: MessageStatus, moved: int
) -> None:
    panel = enrol(sessions)
    remind(sessions, status)
    change_days(sessions, panel, FRIDAY_CALLER, now=clock())

    assert refit_callers_days(sessions, clock) == moved


def test_times_that_the_patient_asked_for_stay(sessions: Sessions, clock: FakeClock) -> None:
    panel = enrol(sessions, is_agreed=True)
    change_days(sessions, panel, FRIDAY_CALLER, now=clock())

    assert refit_callers_days(sessions, clock) == 0
    assert due_on(sessions) == THURSDAY


def test_days_that_change_again_while_calls_move_are_looked_at_again(
    sessions: Sessions, clock: FakeClock
) -> None:
    panel = enrol(sessions)
    change_days(sessions, panel, FRIDAY_CALLER, now=clock())
    with sessions() as session:
        (seen,) = caller_days.changed(session)
    change_days(sessions, panel, {3}, now=clock() + timedelta(seconds=1))

    with sessions.begin() as session:
        caller_days.settle(session, seen)

    assert marked(sessions) == [panel.caller_id]


def test_a_text_that_arrives_while_calls_move_keeps_its_call(
    sessions: Sessions, clock: FakeClock
) -> None:
    panel = enrol(sessions)
    change_days(sessions, panel, FRIDAY_CALLER, now=clock())
    with sessions() as session:
        ids = caller_days.misfits(session, panel.caller_id, now=clock())
    assert ids == [panel.enrolment_id]
    remind(sessions, MessageStatus.DELIVERED)

    with sessions.begin() as session:
        assert caller_days.refit(session, ids, now=clock()) == 0
    assert due_on(sessions) == THURSDAY
