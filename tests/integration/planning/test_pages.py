"""The planner works through pages, and leaves none of them half done."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from threading import Event
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.calls.jobs import catch_up_overdue_calls
from outreach.orm import Sessions
from outreach.panels.models import PanelMembership, Shift
from outreach.patients.models import Patient
from outreach.planning import courses, next_call
from outreach.planning.jobs import plan_missing_calls
from outreach.planning.missing import Planner
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from outreach.programmes.models import Enrolment
from tests.builders import (
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.fakes import FakeClock

MONDAY = date(2026, 11, 23)


def enrol(sessions: Sessions, starts_on: date = MONDAY) -> int:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        patient = make_patient(session, clinic)
        caller = make_staff(session, clinic)
        return make_enrolment(session, patient, caller=caller, starts_on=starts_on).id


def calls(sessions: Sessions) -> list[PlannedCall]:
    with sessions() as session:
        return list(session.scalars(select(PlannedCall).order_by(PlannedCall.sequence)))


def test_calls_fall_on_days_on_which_the_caller_works(sessions: Sessions, clock: FakeClock) -> None:
    enrolment_id = enrol(sessions, starts_on=MONDAY - timedelta(weeks=10))
    saturday = datetime(2026, 11, 28, 15, tzinfo=UTC)
    with sessions.begin() as session:
        membership = session.scalars(select(PanelMembership)).one()
        session.add_all(
            Shift(staff_id=membership.caller_id, weekday=day, begins=begins, ends=time(17))
            for day in range(1, 3)
            for begins in (time(9), time(13))
        )
        call = make_planned_call(
            session,
            session.get_one(Enrolment, enrolment_id),
            date(2026, 11, 14),
            status=CallStatus.COMPLETED,
        )
        call.closed_at = call.dial_from_at
    clock.now = saturday

    assert plan_missing_calls(sessions, clock) == 1
    planned = calls(sessions)[-1]
    assert planned.due_on == date(2026, 12, 1)  # a Tuesday
    with sessions() as session:
        standing = courses.standing_of(session, enrolment_id, now=saturday)
    assert standing.course.calendar.worked == {1, 2}


def test_whoever_gets_a_call_while_a_page_is_worked_out_keeps_that_one(
    sessions: Sessions, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrolled = {enrol(sessions) for _ in range(3)}
    read_page = courses.Reader.unplanned

    def read_and_be_overtaken(
        reader: courses.Reader, session: Session, *, after_id: int, limit: int
    ) -> Sequence[courses.Found]:
        rows = read_page(reader, session, after_id=after_id, limit=limit)
        next_call.plan(session, [rows[1][0]], now=clock())
        return rows

    monkeypatch.setattr(courses.Reader, "unplanned", read_and_be_overtaken)

    assert plan_missing_calls(sessions, clock) == 2
    planned = [call.enrolment_id for call in calls(sessions)]
    assert len(planned) == 3
    assert set(planned) == enrolled


def test_pages_decided_while_others_are_written_leave_nobody_out(
    sessions: Sessions, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outreach.planning.filling.PAGE", 2)
    enrolled = sorted(enrol(sessions) for _each in range(9))

    assert plan_missing_calls(sessions, clock) == 9
    assert sorted(call.enrolment_id for call in calls(sessions)) == enrolled
    assert plan_missing_calls(sessions, clock) == 0


@pytest.mark.parametrize("step", ["decide", "write"])
def test_a_page_that_fails_is_planned_one_by_one_and_the_others_go_on(
    sessions: Sessions, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    monkeypatch.setattr("outreach.planning.filling.PAGE", 2)
    enrolled = sorted(enrol(sessions) for _each in range(7))
    does, failed = getattr(Planner, step), list[str]()

    def fail_once(planner: Planner, *arguments: Any, **named: Any) -> Any:
        if not failed:
            failed.append(step)
            raise RuntimeError("a row breaks the page")
        return does(planner, *arguments, **named)

    monkeypatch.setattr(Planner, step, fail_once)

    assert plan_missing_calls(sessions, clock) == 7
    assert failed
    assert sorted(call.enrolment_id for call in calls(sessions)) == enrolled


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_of_two_pages_at_once_the_one_that_fails_is_planned_one_by_one(
    sessions: Sessions, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both workers look before the first page is turned; then one of them breaks."""
    monkeypatch.setattr("outreach.planning.filling.PAGE", 2)
    enrolled = sorted(enrol(sessions) for _each in range(4))
    write, find = Planner.write, courses.unplanned_ids
    second_failed, first_goes_on = Event(), Event()

    def break_the_second(planner: Planner, session: Session, calls: Sequence[Any]) -> int:
        if enrolled[2] in [call[2] for call in calls]:
            second_failed.set()
            raise RuntimeError("a row breaks the page")
        first_goes_on.wait(10)
        return write(planner, session, calls)

    def find_gaps(session: Session, *, after_id: int, limit: int) -> Sequence[int]:
        found = find(session, after_id=after_id, limit=limit)
        if second_failed.is_set():
            first_goes_on.set()
        return found

    monkeypatch.setattr(Planner, "write", break_the_second)
    monkeypatch.setattr(courses, "unplanned_ids", find_gaps)

    assert plan_missing_calls(sessions, clock) == 4
    assert sorted(call.enrolment_id for call in calls(sessions)) == enrolled


def test_catching_up_gives_way_to_alerts_and_goes_on_where_it_was(
    sessions: Sessions, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _each in range(7):
        enrol(sessions)
    plan_missing_calls(sessions, clock)
    clock.advance(timedelta(days=3))
    monkeypatch.setattr("outreach.calls.jobs.BATCH", 2)

    def slow_clock() -> datetime:
        clock.advance(timedelta(seconds=3))
        return clock()

    moved = [catch_up_overdue_calls(sessions, slow_clock) for _tick in range(4)]

    assert sum(moved) == 7
    assert 0 < moved[0] < 7
    assert moved[-1] == 0


def test_days_of_overdue_calls_are_moved_on_in_one_tick_though_some_cannot_be(
    sessions: Sessions, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrolled = [enrol(sessions) for _ in range(7)]
    plan_missing_calls(sessions, clock)
    with sessions.begin() as session:
        broken = session.get_one(Enrolment, enrolled[0]).patient_id
        session.get_one(Patient, broken).zone = "Not/AZone"
    clock.now += timedelta(days=3)
    monkeypatch.setattr("outreach.calls.jobs.BATCH", 2)

    assert catch_up_overdue_calls(sessions, clock) == 6
    with sessions() as session:
        left = session.scalars(
            select(PlannedCall.enrolment_id).where(
                PlannedCall.status == CallStatus.PLANNED, PlannedCall.dial_until_at <= clock()
            )
        ).all()
    assert list(left) == [enrolled[0]]
