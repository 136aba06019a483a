"""A reminder of a call at 10 tomorrow, waiting to be sent."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.messaging.models import Message
from outreach.orm import Sessions
from outreach.planning.jobs import write_reminders
from tests.builders import (
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.fakes import FakeClock

NUMBER = "+15125550147"


def make_reminder(sessions: Sessions, clock: FakeClock, **patient: object) -> int:
    """Write the reminder of a call at 10 tomorrow; the time is Monday 10 in Chicago."""
    with sessions.begin() as session:
        clinic = make_clinic(session, name="Cedar Creek Clinic")
        caller = make_staff(session, clinic, name="Ana Morales")
        options = {"sms_consent": True} | patient
        one = make_patient(session, clinic, **options)  # type: ignore[arg-type]
        call = make_planned_call(session, make_enrolment(session, one, caller=caller))
        call.dial_from_at = clock() + timedelta(hours=23)
        call.dial_until_at = clock() + timedelta(hours=26)
    assert write_reminders(sessions, clock) == 1
    return one.id


def only_message(session: Session) -> Message:
    return session.scalars(select(Message)).one()
