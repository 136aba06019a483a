"""Planning by the thousand gives everybody the very call that planning one by one gives them."""

from datetime import UTC, date, datetime, time, timedelta
from random import Random

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, Closure, StaffMember
from outreach.orm import Sessions
from outreach.panels.models import Shift
from outreach.planning import next_call
from outreach.planning.jobs import plan_missing_calls
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from outreach.programmes.models import CadenceChoice, Enrolment
from outreach.programmes.rules import PUBLISHED_PROTOCOL
from tests.builders import (
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.fakes import FakeClock

NOW = datetime(2026, 11, 25, 16, 30, tzinfo=UTC)  # a Wednesday, the day before Thanksgiving
TODAY = NOW.date()
ZONES = ("America/Chicago", "America/Los_Angeles", "Pacific/Kiritimati", "Pacific/Pago_Pago")
STATES = (None, "TX", "AL", "RI", "KY")  # some laws narrow hours, one closes a weekday
WEEKDAYS = (0, 0b0000001, 0b1000000, 0b0010101, 0b1100000)
DAYPARTS: tuple[list[str], ...] = ([], ["morning"], ["evening", "afternoon"])


@pytest.mark.parametrize("seed", range(2))
def test_everybody_gets_the_call_that_they_get_alone(
    sessions: Sessions, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    clock.now = NOW
    monkeypatch.setattr("outreach.planning.filling.PAGE", 16)
    with sessions.begin() as session:
        ids = _people(session, Random(seed))  # noqa: S311
    with sessions() as session:
        for each in ids:
            next_call.plan(session, [each], now=NOW)
        alone = _calls(session)
        session.rollback()

    assert plan_missing_calls(sessions, clock) == len(alone) > len(ids) // 2
    with sessions() as session:
        assert _calls(session) == alone
    assert plan_missing_calls(sessions, clock) == 0


def _calls(session: Session) -> list[tuple[object, ...]]:
    columns = [column for column in PlannedCall.__table__.c if column.name != "id"]
    calls = select(*columns).where(PlannedCall.status == CallStatus.PLANNED)
    return [tuple(row) for row in session.execute(calls.order_by(PlannedCall.enrolment_id))]


def _people(session: Session, random: Random) -> list[int]:
    """Write people of every kind that differs to the planner; return their enrolments."""
    clinics = [
        make_clinic(session),
        make_clinic(session, opens=time(8), keeps_holidays=True),
        make_clinic(session, opens=time(18)),  # Rhode Island's law leaves it no time
    ]
    session.add(Closure(clinic_id=clinics[0].id, on=TODAY + timedelta(days=2), name="Moving"))
    callers = {clinic: _callers(session, clinic) for clinic in clinics}
    ids = []
    for _each in range(70):
        clinic = random.choice(clinics)
        ids.append(_person(session, clinic, random.choice(callers[clinic]), random))
    return ids


def _callers(session: Session, clinic: Clinic) -> list[StaffMember]:
    callers = [make_staff(session, clinic) for _each in range(2)]
    session.add_all(
        Shift(staff_id=callers[0].id, weekday=day, begins=begins, ends=time(17))
        for day in (1, 5)
        for begins in (time(9), time(13))
    )
    return callers


def _person(session: Session, clinic: Clinic, caller: StaffMember, random: Random) -> int:
    patient = make_patient(
        session,
        clinic,
        zone=random.choice(ZONES),
        state=random.choice(STATES),
        weekdays=random.choice(WEEKDAYS),
        dayparts=random.choice(DAYPARTS),
    )
    days_in = random.randrange(-3, 28 * 7)
    starts_on = TODAY - timedelta(days=days_in)
    away = {"away_from_on": TODAY + timedelta(days=1), "away_until_on": TODAY + timedelta(days=9)}
    enrolment = make_enrolment(
        session,
        patient,
        caller=caller,
        starts_on=starts_on,
        **(away if random.random() < 0.2 else {}),
    )
    phases = [phase for phase in PUBLISHED_PROTOCOL.phases for _twice in range(2)]
    session.add_all(
        CadenceChoice(
            clinic_id=clinic.id,
            patient_id=patient.id,
            enrolment_id=enrolment.id,
            phase=phase.code,
            value=random.choice(phase.choices),
            chosen_at=NOW,
        )
        for phase in random.sample(phases, random.randrange(5))
    )
    _calls_so_far(session, enrolment, random)
    return enrolment.id


def _calls_so_far(session: Session, enrolment: Enrolment, random: Random) -> None:
    """Write up to four calls of the last ten days, and perhaps one ahead that was cancelled."""
    days = sorted(random.sample(range(-10, 1), random.randrange(5)))
    closed = (CallStatus.COMPLETED, CallStatus.MISSED, CallStatus.CANCELLED)
    for ahead in [day for day in days if TODAY + timedelta(days=day) >= enrolment.starts_on]:
        _closed(session, enrolment, TODAY + timedelta(days=ahead), random.choice(closed))
    if random.random() < 0.2:
        _closed(session, enrolment, TODAY + timedelta(days=1), CallStatus.CANCELLED)


def _closed(session: Session, enrolment: Enrolment, day: date, status: CallStatus) -> None:
    at = min(NOW, datetime.combine(day, time(20), tzinfo=UTC))
    make_planned_call(session, enrolment, day, status=status, closed_at=at)
