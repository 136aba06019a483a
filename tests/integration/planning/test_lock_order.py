"""Whoever changes an enrolment locks its call first, so that nobody waits in a circle."""

import threading
import time
from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.chart import care
from outreach.chart.care import StatusChange
from outreach.orm import Sessions
from outreach.patients.models import Patient
from outreach.planning import next_call, pauses, silence
from outreach.planning.models import PlannedCall
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus
from tests.builders import (
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.fakes import FakeClock

NOW = FakeClock()()
Change = Callable[[Session, Enrolment, int], object]


def _withdraw(session: Session, enrolment: Enrolment, staff_id: int) -> None:
    patient = session.get_one(Patient, enrolment.patient_id)
    course = care.of_patient(session, patient, now=NOW).course
    assert course is not None
    change = StatusChange(EnrolmentStatus.WITHDRAWN, EnrolmentStatus.ACTIVE, "asked to stop")
    care.change_status(session, course, change, by_staff_id=staff_id, now=NOW)


def _begin_pause(session: Session, enrolment: Enrolment, _staff_id: int) -> None:
    pauses.begin(session, enrolment.id, now=NOW)


def _settle(session: Session, enrolment: Enrolment, _staff_id: int) -> None:
    silence.settle(session, enrolment.id, now=NOW)


@pytest.mark.parametrize("change", [_withdraw, _begin_pause, _settle])
def test_a_change_waits_for_whoever_records_the_call(sessions: Sessions, change: Change) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        caller = make_staff(session, clinic)
        enrolment = make_enrolment(session, make_patient(session, clinic), caller=caller)
        enrolment.away_from_on, enrolment.away_until_on = NOW.date(), date(2027, 1, 8)
        call_id = make_planned_call(session, enrolment).id
    failed: list[Exception] = []

    def do_change() -> None:
        try:
            with sessions.begin() as session:
                change(session, session.get_one(Enrolment, enrolment.id), caller.id)
        except Exception as error:  # noqa: BLE001 - told to the test, whatever it is
            failed.append(error)

    other = threading.Thread(target=do_change)
    with sessions.begin() as session:
        session.scalar(select(PlannedCall).where(PlannedCall.id == call_id).with_for_update())
        other.start()
        time.sleep(0.5)  # long enough to lock the enrolment, where that came first
        next_call.plan(session, [enrolment.id], now=NOW)
    other.join()

    assert failed == []
