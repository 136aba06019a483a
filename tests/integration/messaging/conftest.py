"""A reminder of a call at 10 tomorrow, waiting to be sent."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.messaging.models import Message
from outreach.messaging.rules import MessageKind, MessageStatus
from outreach.orm import Sessions
from outreach.patients.models import Patient
from outreach.planning.jobs import write_reminders
from tests.builders import (
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.fakes import FakeClock

_number = itertools.count(1)
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


def make_message(session: Session, patient: Patient, **deviations: Any) -> Message:
    """A reminder that the carrier took and delivered."""
    message = Message(
        **{
            "clinic_id": patient.clinic_id,
            "patient_id": patient.id,
            "kind": MessageKind.REMINDER,
            "dedupe_key": f"made:{next(_number)}",
            "cause": "planned_call:1",
            "to_number": "+15125550147",
            "language": "en",
            "body": "Cedar Creek Clinic: Ana will call you.",
            "status": MessageStatus.DELIVERED,
            "failure": "",
            "send_after": datetime(2026, 11, 23, 16, tzinfo=UTC),
            "tries": 1,
            "provider_id": "SM1",
            "created_at": datetime(2026, 11, 23, 16, tzinfo=UTC),
        }
        | deviations
    )
    session.add(message)
    session.flush()
    return message


def only_message(session: Session) -> Message:
    return session.scalars(select(Message)).one()
