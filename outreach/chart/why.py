"""Why one patient gets no call, or no text, today: what the rules of page and plan say."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from outreach.calls import dialing
from outreach.calls.dialing import NoNumber
from outreach.calls.models import Attempt
from outreach.calls.rules import Outcome
from outreach.chart.care import Care
from outreach.chart.rules import CallFacts, TextFacts, Today, call_today, text_today
from outreach.clock import day_began_at, local_day
from outreach.messaging import today as texts
from outreach.patients import hours
from outreach.patients.models import Patient
from outreach.patients.rules import hours_on
from outreach.planning import reminders


def calls(session: Session, patient: Patient, care: Care, *, now: datetime) -> Today:
    """Say how it stands with a call today, or give the first reason why there is none."""
    zone, call = ZoneInfo(patient.zone), care.next_call
    lawful = hours.hours_of(session, patient, today=now.date())
    reached_at = session.scalar(
        select(func.max(Attempt.at)).where(
            Attempt.patient_id == patient.id,
            Attempt.at >= day_began_at(now, zone),
            Attempt.outcome.in_([each for each in Outcome if each.is_reached]),
            Attempt.superseded_at.is_(None),
        )
    )
    return call_today(
        CallFacts(
            status=care.course.enrolment.status if care.course else None,
            has_caller=care.on_duty_id is not None,
            has_number=_has_number(session, patient),
            reached_at=reached_at,
            is_open_day=hours_on(local_day(now, zone), zone, lawful) is not None,
            due_on=call.due_on if call else None,
            dial_from_at=call.dial_from_at if call else None,
            dial_until_at=call.dial_until_at if call else None,
        ),
        zone,
        now=now,
    )


def messages(session: Session, patient: Patient, care: Care, *, now: datetime) -> Today:
    """Say how it stands with a text today, or give the first reason why there is none."""
    found = texts.outlook(session, patient, now=now)
    reminder_at = reminders.outlook(session, patient, now=now)
    return text_today(
        TextFacts(
            decision=found.decision,
            waiting_at=found.waiting_at,
            sent_at=found.sent_at,
            has_call=care.next_call is not None,
            reminder_at=reminder_at,
            has_pace=found.has_pace,
        ),
        now=now,
    )


def _has_number(session: Session, patient: Patient) -> bool:
    try:
        dialing.number_to_dial(session, patient)
    except NoNumber:
        return False
    return True
