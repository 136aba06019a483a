"""The plan keeps itself right: every active enrolment with a caller has its next call."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from outreach.calls.jobs import catch_up_overdue_calls
from outreach.calls.rules import Outcome
from outreach.orm import Sessions
from outreach.patients.models import Patient
from outreach.planning import courses, filling, next_call, retrying
from outreach.planning.jobs import plan_missing_calls
from outreach.planning.models import PlannedCall
from outreach.planning.retrying import Agreed
from outreach.planning.rules import CallStatus
from outreach.programmes.models import CadenceChoice, Enrolment
from outreach.programmes.rules import EnrolmentStatus
from tests.builders import (
    make_attempt,
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.fakes import FakeClock

CHICAGO = ZoneInfo("America/Chicago")
MONDAY = date(2026, 11, 23)


def enrol(sessions: Sessions, *, has_caller: bool = True, **deviations: object) -> int:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        caller = make_staff(session, clinic) if has_caller else None
        patient = make_patient(session, clinic)
        return make_enrolment(session, patient, caller=caller, **deviations).id  # type: ignore[arg-type]


def calls(sessions: Sessions) -> list[PlannedCall]:
    with sessions() as session:
        return list(session.scalars(select(PlannedCall).order_by(PlannedCall.sequence)))


def test_a_new_enrolment_gets_its_first_call_today_and_only_once(
    sessions: Sessions, clock: FakeClock
) -> None:
    enrol(sessions)

    assert plan_missing_calls(sessions, clock) == 1
    assert plan_missing_calls(sessions, clock) == 0

    (call,) = calls(sessions)
    assert (call.due_on, call.sequence, call.phase) == (MONDAY, 1, "week_1")
    assert call.dial_from_at == clock()


@pytest.mark.parametrize("status", [s for s in EnrolmentStatus if s is not EnrolmentStatus.ACTIVE])
def test_only_active_enrolments_are_planned_for(
    sessions: Sessions, clock: FakeClock, status: EnrolmentStatus
) -> None:
    enrol(sessions, status=status)

    assert plan_missing_calls(sessions, clock) == 0


def test_an_enrolment_without_a_caller_waits(sessions: Sessions, clock: FakeClock) -> None:
    enrol(sessions, has_caller=False)

    assert plan_missing_calls(sessions, clock) == 0


def test_a_programme_that_is_over_is_completed(sessions: Sessions, clock: FakeClock) -> None:
    enrolment_id = enrol(sessions, starts_on=MONDAY - timedelta(weeks=26))

    plan_missing_calls(sessions, clock)

    assert calls(sessions) == []
    with sessions() as session:
        assert session.get_one(Enrolment, enrolment_id).status is EnrolmentStatus.COMPLETED


def test_the_database_counts_again_what_was_planned_by_the_thousand(
    sessions: Sessions, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By counts from before, looking for who lacks a call took PostgreSQL 15 minutes."""
    monkeypatch.setattr(filling, "PAGE", 3)
    with sessions.begin() as session:
        session.connection().exec_driver_sql("ANALYZE planned_call")
        clinic = make_clinic(session)
        caller = make_staff(session, clinic)
        for _each in range(7):
            make_enrolment(session, make_patient(session, clinic), caller=caller)

    assert plan_missing_calls(sessions, clock) == 7

    assert counted_calls(sessions) >= 3


def counted_calls(sessions: Sessions) -> int:
    """Return how many planned calls the database thinks there are."""
    with sessions() as session:
        counted = {
            "postgresql": "SELECT reltuples FROM pg_class WHERE relname = 'planned_call'",
            "sqlite": "SELECT max(CAST(stat AS INTEGER)) FROM sqlite_stat1 "
            "WHERE tbl = 'planned_call'",
        }
        name = session.get_bind().dialect.name
        return int(session.connection().exec_driver_sql(counted[name]).scalar() or 0)


def test_after_three_days_off_nothing_is_planned_in_the_past(
    sessions: Sessions, clock: FakeClock
) -> None:
    enrol(sessions)
    clock.advance(timedelta(days=3))

    plan_missing_calls(sessions, clock)

    (call,) = calls(sessions)
    assert call.due_on >= clock().astimezone(CHICAGO).date()


def test_a_slot_that_passed_unused_is_moved_on_and_then_missed(
    sessions: Sessions, clock: FakeClock
) -> None:
    enrol(sessions)
    plan_missing_calls(sessions, clock)

    clock.advance(timedelta(hours=11))  # Monday evening: the day is over
    assert catch_up_overdue_calls(sessions, clock) == 1
    assert catch_up_overdue_calls(sessions, clock) == 0
    (moved,) = calls(sessions)
    assert moved.dial_from_at == datetime(2026, 11, 24, 9, tzinfo=CHICAGO)

    clock.advance(timedelta(days=10))
    catch_up_overdue_calls(sessions, clock)
    missed, following = calls(sessions)
    assert missed.status is CallStatus.MISSED
    assert following.due_on >= clock().astimezone(CHICAGO).date()


def test_a_call_tried_three_times_is_not_offered_a_fourth(
    sessions: Sessions, clock: FakeClock
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        caller = make_staff(session, clinic)
        enrolment = make_enrolment(session, make_patient(session, clinic), caller=caller)
        call = make_planned_call(session, enrolment, complete_by_on=date(2026, 11, 28), dials=3)
        for _try in range(3):
            make_attempt(session, call, caller, Outcome.NO_ANSWER)
    clock.advance(timedelta(hours=3))

    catch_up_overdue_calls(sessions, clock)

    assert calls(sessions)[0].status is CallStatus.MISSED


def test_two_planners_that_saw_the_same_gap_plan_one_call(
    sessions: Sessions, clock: FakeClock
) -> None:
    enrolment_id = enrol(sessions)
    with sessions() as session:  # both look before either writes
        seen = [list(courses.unplanned_ids(session, after_id=0, limit=9)) for _ in range(2)]
    assert seen == [[enrolment_id], [enrolment_id]]

    planned = []
    for ids in seen:
        with sessions.begin() as session:
            planned.append(next_call.plan(session, ids, now=clock()))

    assert planned == [1, 0]
    assert len(calls(sessions)) == 1


def test_a_new_rhythm_is_planned_for_at_once(sessions: Sessions, clock: FakeClock) -> None:
    enrolment_id = enrol(sessions, starts_on=MONDAY - timedelta(weeks=10))
    with sessions.begin() as session:
        enrolment = session.get_one(Enrolment, enrolment_id)
        make_planned_call(
            session,
            enrolment,
            due_on=MONDAY,
            status=CallStatus.COMPLETED,
            closed_at=clock(),
        )
    plan_missing_calls(sessions, clock)
    assert calls(sessions)[-1].due_on == MONDAY + timedelta(days=7)

    with sessions.begin() as session:
        enrolment = session.get_one(Enrolment, enrolment_id)
        session.add(
            CadenceChoice(
                clinic_id=enrolment.clinic_id,
                patient_id=enrolment.patient_id,
                enrolment_id=enrolment_id,
                phase="weeks_5_to_26",
                value=14,
                chosen_at=clock(),
            )
        )
        session.flush()
        next_call.replan(session, enrolment_id, now=clock())

    assert calls(sessions)[-1].due_on == MONDAY + timedelta(days=14)
    assert len(calls(sessions)) == 2


def test_a_call_that_is_due_is_never_planned_away_by_a_change_of_wishes(
    sessions: Sessions, clock: FakeClock
) -> None:
    enrolment_id = enrol(sessions, starts_on=MONDAY - timedelta(weeks=10))
    plan_missing_calls(sessions, clock)
    (before,) = calls(sessions)
    clock.advance(timedelta(days=1))
    with sessions.begin() as session:
        session.scalars(select(Patient)).one().dayparts = ["evening"]
        session.flush()
        next_call.replan(session, enrolment_id, now=clock())

    (after,) = calls(sessions)
    assert (after.due_on, after.complete_by_on) == (before.due_on, before.complete_by_on)
    assert after.dial_from_at == datetime(2026, 11, 24, 17, tzinfo=CHICAGO)


def test_pausing_and_resuming_at_once_skips_no_call(sessions: Sessions, clock: FakeClock) -> None:
    enrolment_id = enrol(sessions, starts_on=MONDAY - timedelta(weeks=10))
    with sessions.begin() as session:
        make_planned_call(
            session,
            session.get_one(Enrolment, enrolment_id),
            status=CallStatus.COMPLETED,
            closed_at=clock(),
        )
    plan_missing_calls(sessions, clock)
    before = calls(sessions)[-1].due_on

    for status in (EnrolmentStatus.PAUSED, EnrolmentStatus.ACTIVE):
        with sessions.begin() as session:
            session.get_one(Enrolment, enrolment_id).status = status
            session.flush()
            next_call.replan(session, enrolment_id, now=clock())

    assert calls(sessions)[-1].due_on == before


def test_who_withdrew_meanwhile_is_not_planned_for(sessions: Sessions, clock: FakeClock) -> None:
    enrolment_id = enrol(sessions, status=EnrolmentStatus.WITHDRAWN)

    with sessions.begin() as session:
        assert next_call.plan(session, [enrolment_id], now=clock()) == 0


def test_one_enrolment_that_breaks_never_stops_the_others(
    sessions: Sessions, clock: FakeClock
) -> None:
    broken = enrol(sessions)
    enrol(sessions)
    with sessions.begin() as session:
        patient_id = session.get_one(Enrolment, broken).patient_id
        session.get_one(Patient, patient_id).zone = "Not/AZone"

    assert plan_missing_calls(sessions, clock) == 1


def test_a_pause_cancels_the_open_call_and_resuming_plans_again(
    sessions: Sessions, clock: FakeClock
) -> None:
    enrolment_id = enrol(sessions)
    plan_missing_calls(sessions, clock)

    for status in (EnrolmentStatus.PAUSED, EnrolmentStatus.ACTIVE):
        with sessions.begin() as session:
            session.get_one(Enrolment, enrolment_id).status = status
            session.flush()
            next_call.replan(session, enrolment_id, now=clock())

    first, second = calls(sessions)
    assert (first.status, second.status) == (CallStatus.CANCELLED, CallStatus.PLANNED)


def test_somebody_who_moves_zone_is_called_in_their_new_morning(
    sessions: Sessions, clock: FakeClock
) -> None:
    enrolment_id = enrol(sessions)
    plan_missing_calls(sessions, clock)
    with sessions.begin() as session:
        session.scalars(select(Patient)).one().zone = "Pacific/Honolulu"
        session.flush()
        next_call.replan(session, enrolment_id, now=clock())

    (call,) = calls(sessions)
    there = call.dial_from_at.astimezone(ZoneInfo("Pacific/Honolulu"))
    assert there.hour >= 9


@pytest.mark.parametrize(
    ("moves_to", "hour_there"), [("America/Denver", 20), ("America/New_York", None)]
)
def test_a_promised_time_is_kept_unless_it_is_night_where_they_live_now(
    sessions: Sessions, clock: FakeClock, moves_to: str, hour_there: int | None
) -> None:
    enrolment_id = enrol(sessions)
    plan_missing_calls(sessions, clock)
    with sessions.begin() as session:
        patient = session.scalars(select(Patient)).one()
        patient.zone = "America/Phoenix"
        call = next_call.open_call(session, enrolment_id)
        assert call
        retrying.agree(session, call, Agreed(date(2026, 11, 24), time(20, 30)), now=clock())
        patient.zone = moves_to
        session.flush()
        next_call.replan(session, enrolment_id, now=clock())

    (call,) = calls(sessions)
    there = call.dial_from_at.astimezone(ZoneInfo(moves_to))
    if hour_there:
        assert (there.hour, call.is_agreed) == (hour_there, True)
    else:
        assert not call.is_agreed
        assert 9 <= there.hour < 20


def test_the_database_allows_one_open_call_per_enrolment(sessions: Sessions) -> None:
    enrolment_id = enrol(sessions)
    with sessions.begin() as session:
        enrolment = session.get_one(Enrolment, enrolment_id)
        make_planned_call(session, enrolment)

    with pytest.raises(Exception, match=r"(?i)unique"), sessions.begin() as session:
        make_planned_call(session, session.get_one(Enrolment, enrolment_id))

    with sessions() as session:
        assert session.scalar(select(func.count(PlannedCall.id))) == 1
