"""Reminders before planned calls, for those who agreed to texts."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Select, String, cast, exists, literal, select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, StaffMember
from outreach.messaging import outbox, templates
from outreach.messaging.models import Message
from outreach.messaging.rules import MessageKind, SkipReason
from outreach.panels.models import PanelMembership
from outreach.patients import consent
from outreach.patients.models import ConsentEvent, Patient, PhoneNumber
from outreach.patients.rules import Channel, ContactHours, NumberHealth, next_allowed_at
from outreach.planning.models import PlannedCall
from outreach.planning.next_call import cause_of
from outreach.planning.rules import Calendar, CallStatus
from outreach.programmes.models import Enrolment, ProgrammeVersion
from outreach.programmes.rules import EnrolmentStatus

LONGEST_LEAD = timedelta(days=3)


def write_due(session: Session, *, now: datetime, limit: int = 500) -> int:
    """Write the reminders whose time has come; return how many are new. Does not commit.

    One per planned call, whatever is restarted: the message's key holds the call and the
    day. It is written once the programme's lead time before the call begins, for the first
    moment of contact hours from then on, and only if that is before the call.
    """
    rows = session.execute(_due(now, limit)).all()
    written = [message for row in rows if (message := _message(row, now=now))]
    return outbox.write(session, written)


def _due(
    now: datetime, limit: int
) -> Select[PlannedCall, Patient, Clinic, str, ProgrammeVersion, str]:
    """Select calls to remind of, with patient, clinic, number, version and caller's name."""
    cause = literal("planned_call:") + cast(PlannedCall.id, String)
    return (
        select(
            PlannedCall,
            Patient,
            Clinic,
            PhoneNumber.e164,
            ProgrammeVersion,
            StaffMember.name.label("caller_name"),
        )
        .join(Patient, Patient.id == PlannedCall.patient_id)
        .join(Clinic, Clinic.id == PlannedCall.clinic_id)
        .join(Enrolment, Enrolment.id == PlannedCall.enrolment_id)
        .join(ProgrammeVersion, ProgrammeVersion.id == Enrolment.version_id)
        .join(PanelMembership, PanelMembership.enrolment_id == Enrolment.id)
        .join(StaffMember, StaffMember.id == PanelMembership.caller_id)
        .join(PhoneNumber, PhoneNumber.patient_id == Patient.id)
        .join(ConsentEvent, ConsentEvent.patient_id == Patient.id)
        .where(
            PlannedCall.status == CallStatus.PLANNED,
            PlannedCall.dials == 0,
            PlannedCall.dial_from_at > now,
            PlannedCall.dial_from_at <= now + LONGEST_LEAD,
            Enrolment.status == EnrolmentStatus.ACTIVE,
            PanelMembership.until_at.is_(None),
            PhoneNumber.position == 1,
            PhoneNumber.health == NumberHealth.WORKING,
            PhoneNumber.can_text.is_(True),
            ConsentEvent.number == PhoneNumber.e164,
            ConsentEvent.id.in_(consent.newest(Channel.SMS)),
            ConsentEvent.is_given.is_(True),
            ~exists().where(
                Message.cause == cause,
                Message.skip_reason.is_distinct_from(SkipReason.CALL_CHANGED),
            ),
        )
        .order_by(PlannedCall.dial_from_at, PlannedCall.id)
        .limit(limit)
    )


def _message(row: Row[*tuple[Any, ...]], *, now: datetime) -> dict[str, object] | None:
    call, patient, clinic = row.PlannedCall, row.Patient, row.Clinic
    lead = timedelta(minutes=row.ProgrammeVersion.protocol.reminder_lead_minutes)
    if now < call.dial_from_at - lead:
        return None
    zone = ZoneInfo(patient.zone)
    hours = Calendar(zone, patient.wishes, ContactHours(clinic.opens, clinic.closes)).lawful()
    send_after = next_allowed_at(now, zone, hours)
    if send_after >= call.dial_from_at:
        return None
    body = templates.reminder(
        templates.ReminderFacts(
            language=patient.language,
            clinic_name=clinic.name,
            caller_name=row.caller_name.split()[0],
            from_local=call.dial_from_at.astimezone(zone),
            until_local=call.dial_until_at.astimezone(zone),
            is_agreed=call.is_agreed,
        )
    )
    day = call.dial_from_at.astimezone(zone).date()
    return outbox.new_message(
        patient,
        MessageKind.REMINDER,
        body,
        dedupe_key=f"reminder:{call.id}:{day.isoformat()}",
        cause=cause_of(call.id),
        to_number=row.e164,
        window=(send_after, call.dial_from_at),
        now=now,
    )
