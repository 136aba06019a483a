"""When the planner itself was away: noted once, with what it did when it came back."""

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from outreach.calls.jobs import catch_up_overdue_calls
from outreach.orm import Sessions
from outreach.planning import interruption
from outreach.planning.jobs import beat, plan_missing_calls
from outreach.planning.models import Beat, Interruption, PlannedCall
from outreach.planning.rules import CallStatus
from tests.builders import (
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.fakes import FakeClock

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def interruptions(sessions: Sessions) -> list[Interruption]:
    with sessions() as session:
        return list(session.scalars(select(Interruption).order_by(Interruption.id)))


def test_ticks_and_short_breaks_are_no_interruption(sessions: Sessions, clock: FakeClock) -> None:
    for seconds in (0, 1, 30, 60, 9 * 60):
        clock.advance(timedelta(seconds=seconds))
        assert beat(sessions, now=clock()) is None

    assert interruptions(sessions) == []
    with sessions() as session:
        assert session.scalars(select(Beat.at)).all() == [clock()]


def test_three_days_off_are_told_with_what_was_done_about_them(
    sessions: Sessions, clock: FakeClock
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        caller = make_staff(session, clinic)
        for complete_by_on in (date(2026, 11, 24), date(2026, 11, 30)):
            enrolment = make_enrolment(session, make_patient(session, clinic), caller=caller)
            make_planned_call(session, enrolment, complete_by_on=complete_by_on)
    catch_up_overdue_calls(sessions, clock)
    went_at = clock()
    clock.advance(3 * DAY)
    with sessions.begin() as session:  # somebody enrolled over the web meanwhile
        make_enrolment(session, make_patient(session, clinic), caller=caller)

    for _tick in range(3):
        catch_up_overdue_calls(sessions, clock)
        plan_missing_calls(sessions, clock)
        clock.advance(timedelta(seconds=40))

    (away,) = interruptions(sessions)
    assert (away.from_at, away.until_at) == (went_at, went_at + 3 * DAY)
    assert (away.moved, away.missed, away.planned) == (1, 1, 2)
    with sessions() as session:
        open_calls = session.scalars(
            select(PlannedCall).where(PlannedCall.status == CallStatus.PLANNED)
        ).all()
    assert len(open_calls) == 3
    assert all(call.dial_from_at >= away.until_at for call in open_calls)


def test_what_is_planned_long_after_is_not_counted(sessions: Sessions, clock: FakeClock) -> None:
    beat(sessions, now=clock())
    clock.advance(DAY)
    beat(sessions, now=clock())
    for _tick in range(3):
        clock.advance(timedelta(minutes=5))
        beat(sessions, now=clock())
    with sessions.begin() as session:
        clinic = make_clinic(session)
        make_enrolment(session, make_patient(session, clinic), caller=make_staff(session, clinic))

    assert plan_missing_calls(sessions, clock) == 1

    assert [each.planned for each in interruptions(sessions)] == [0]


def test_two_that_come_back_at_once_write_one_interruption(
    sessions: Sessions, clock: FakeClock
) -> None:
    beat(sessions, now=clock())
    clock.advance(DAY)
    with sessions() as session:  # both look before either writes
        seen = [interruption.needs_beat(session, now=clock()) for _each in "ab"]

    for _each in seen:
        with sessions.begin() as session:
            interruption.beat(session, now=clock())

    assert seen == [True, True]
    assert len(interruptions(sessions)) == 1


@pytest.mark.parametrize("jump", [HOUR, DAY])
def test_a_clock_that_is_set_back_makes_no_interruption_and_plans_nothing_twice(
    sessions: Sessions, clock: FakeClock, jump: timedelta
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        make_enrolment(session, make_patient(session, clinic), caller=make_staff(session, clinic))
    plan_missing_calls(sessions, clock)

    clock.advance(-jump)
    for _tick in range(3):
        catch_up_overdue_calls(sessions, clock)
        assert plan_missing_calls(sessions, clock) == 0
        clock.advance(timedelta(seconds=40))

    assert interruptions(sessions) == []
    with sessions() as session:
        assert session.scalar(select(func.count(PlannedCall.id))) == 1


@pytest.mark.parametrize("jump", [HOUR, DAY])
def test_a_clock_that_jumps_there_and_back_never_counts_backwards(
    sessions: Sessions, clock: FakeClock, jump: timedelta
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        make_enrolment(session, make_patient(session, clinic), caller=make_staff(session, clinic))
    for by in (timedelta(), jump, -jump, timedelta(minutes=1), jump):
        clock.advance(by)
        catch_up_overdue_calls(sessions, clock)
        plan_missing_calls(sessions, clock)

    assert all(each.until_at - each.from_at >= HOUR for each in interruptions(sessions))
    with sessions() as session:
        open_calls = select(func.count()).where(PlannedCall.status == CallStatus.PLANNED)
        assert session.scalar(open_calls) == 1
        days = session.scalars(
            select(PlannedCall.due_on).where(PlannedCall.status != CallStatus.CANCELLED)
        ).all()
    assert len(days) == len(set(days))
