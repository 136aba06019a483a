"""Pauses end by themselves, on the patient's own day."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from outreach.orm import Sessions
from outreach.planning import pauses
from outreach.planning.jobs import begin_pauses, end_pauses, plan_missing_calls
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from outreach.programmes import enrolment as enrolments
from outreach.programmes.models import Enrolment, EnrolmentEvent
from outreach.programmes.rules import EnrolmentStatus
from tests.builders import make_clinic, make_enrolment, make_patient, make_staff
from tests.fakes import FakeClock

MONDAY = date(2026, 11, 23)


def paused(sessions: Sessions, clock: FakeClock, until: date | None, **patient: object) -> int:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        caller = make_staff(session, clinic)
        person = make_patient(session, clinic, **patient)  # type: ignore[arg-type]
        enrolment = make_enrolment(session, person, caller=caller, starts_on=MONDAY)
        enrolments.pause(
            session, enrolment, until=until, reason="travel", by_staff_id=None, now=clock()
        )
        return enrolment.id


def status_of(sessions: Sessions, enrolment_id: int) -> EnrolmentStatus:
    with sessions() as session:
        return session.get_one(Enrolment, enrolment_id).status


@pytest.mark.parametrize(
    ("zone", "begins_at"),
    [
        ("America/Chicago", datetime(2026, 11, 27, 6, tzinfo=UTC)),
        ("Pacific/Kiritimati", datetime(2026, 11, 26, 10, tzinfo=UTC)),
        ("Pacific/Pago_Pago", datetime(2026, 11, 27, 11, tzinfo=UTC)),
        ("Asia/Kathmandu", datetime(2026, 11, 26, 18, 15, tzinfo=UTC)),
    ],
)
def test_a_pause_ends_when_the_day_begins_where_the_patient_is(
    sessions: Sessions, clock: FakeClock, zone: str, begins_at: datetime
) -> None:
    enrolment_id = paused(sessions, clock, date(2026, 11, 27), zone=zone)

    clock.now = begins_at - timedelta(seconds=1)
    assert end_pauses(sessions, clock) == 0
    clock.now = begins_at
    assert [end_pauses(sessions, clock) for _each in range(3)] == [1, 0, 0]

    with sessions() as session:
        enrolment = session.get_one(Enrolment, enrolment_id)
        assert (enrolment.status, enrolment.resume_on) == (EnrolmentStatus.ACTIVE, None)
        events = session.scalars(select(EnrolmentEvent).order_by(EnrolmentEvent.id)).all()
        assert [each.status for each in events][-1] is EnrolmentStatus.ACTIVE
        call = session.scalars(select(PlannedCall)).one()
        assert call.status is CallStatus.PLANNED
        assert call.due_on >= date(2026, 11, 27)
        assert call.dial_from_at >= begins_at


def test_a_pause_ends_after_days_in_which_the_planner_was_off(
    sessions: Sessions, clock: FakeClock
) -> None:
    enrolment_id = paused(sessions, clock, date(2026, 11, 27))
    clock.advance(timedelta(days=9))

    end_pauses(sessions, clock)

    assert status_of(sessions, enrolment_id) is EnrolmentStatus.ACTIVE
    with sessions() as session:
        assert session.scalars(select(PlannedCall)).one().dial_from_at >= clock()
    assert plan_missing_calls(sessions, clock) == 0


def test_a_pause_without_an_end_lasts(sessions: Sessions, clock: FakeClock) -> None:
    enrolment_id = paused(sessions, clock, None)
    clock.advance(timedelta(days=90))

    assert end_pauses(sessions, clock) == 0
    assert status_of(sessions, enrolment_id) is EnrolmentStatus.PAUSED


def test_a_pause_that_outlasts_the_programme_ends_in_its_completion(
    sessions: Sessions, clock: FakeClock
) -> None:
    enrolment_id = paused(sessions, clock, date(2027, 8, 1))
    clock.advance(timedelta(days=300))

    end_pauses(sessions, clock)

    assert status_of(sessions, enrolment_id) is EnrolmentStatus.COMPLETED


def test_what_was_prolonged_after_a_planner_looked_is_left_alone(
    sessions: Sessions, clock: FakeClock
) -> None:
    enrolment_id = paused(sessions, clock, date(2026, 11, 27))
    clock.advance(timedelta(days=5))
    with sessions() as session:
        assert list(pauses.over_ids(session, now=clock())) == [enrolment_id]
    with sessions.begin() as session:
        enrolments.pause(
            session,
            session.get_one(Enrolment, enrolment_id),
            until=date(2026, 12, 20),
            reason="travel",
            by_staff_id=None,
            now=clock(),
        )

    with sessions.begin() as session:
        assert not pauses.end(session, enrolment_id, now=clock())

    assert status_of(sessions, enrolment_id) is EnrolmentStatus.PAUSED


def announced(sessions: Sessions, clock: FakeClock, first: date, until: date) -> int:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        person = make_patient(session, clinic)
        enrolment = make_enrolment(
            session, person, caller=make_staff(session, clinic), starts_on=MONDAY
        )
        enrolments.announce_pause(
            session, enrolment, (first, until), reason="travel", by_staff_id=None, now=clock()
        )
        return enrolment.id


def test_a_pause_to_come_begins_and_ends_by_itself(sessions: Sessions, clock: FakeClock) -> None:
    first, until = date(2026, 11, 27), date(2026, 12, 10)
    enrolment_id = announced(sessions, clock, first, until)
    plan_missing_calls(sessions, clock)
    assert begin_pauses(sessions, clock) == 0

    clock.now = datetime(2026, 11, 27, 6, tzinfo=UTC)  # the day begins in Chicago
    assert [begin_pauses(sessions, clock) for _each in range(2)] == [1, 0]
    with sessions() as session:
        enrolment = session.get_one(Enrolment, enrolment_id)
        assert (enrolment.status, enrolment.resume_on) == (EnrolmentStatus.PAUSED, until)
        assert enrolment.away_from_on is None

    clock.now = datetime(2026, 12, 10, 6, tzinfo=UTC)
    assert end_pauses(sessions, clock) == 1
    assert status_of(sessions, enrolment_id) is EnrolmentStatus.ACTIVE


def test_a_pause_that_came_and_went_while_nothing_ran_is_put_away(
    sessions: Sessions, clock: FakeClock
) -> None:
    enrolment_id = announced(sessions, clock, date(2026, 11, 27), date(2026, 11, 29))

    clock.now = datetime(2026, 11, 30, 15, tzinfo=UTC)
    begin_pauses(sessions, clock)

    with sessions() as session:
        enrolment = session.get_one(Enrolment, enrolment_id)
        assert (enrolment.status, enrolment.away_from_on) == (EnrolmentStatus.ACTIVE, None)
