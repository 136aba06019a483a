"""Valid rows about calls, texts that come in and telephones, as tests/builders.py makes others."""

import itertools
from typing import Any

from sqlalchemy import Text, literal, select, type_coerce, update
from sqlalchemy.orm import Session

from outreach.accounts.models import StaffMember
from outreach.inbox.models import InboxItem
from outreach.inbox.rules import Understood
from outreach.messaging.models import InboundText
from outreach.patients.models import Patient
from outreach.phoning.models import PhoneCall, ReturnedCall
from outreach.phoning.rules import Direction
from outreach.planning.models import PlannedCall
from outreach.sealed_sql import AlreadyEncrypted
from outreach.telephony.gateway import LegStatus

_counter = itertools.count(1)


def make_phone_call(
    session: Session, planned: PlannedCall, caller: StaffMember, **deviations: Any
) -> PhoneCall:
    """A call whose two telephones the carrier was just asked to ring."""
    call = PhoneCall(
        **{
            "press_key": f"press-{next(_counter)}",
            "direction": Direction.OUT,
            "clinic_id": planned.clinic_id,
            "patient_id": planned.patient_id,
            "planned_call_id": planned.id,
            "caller_id": caller.id,
            "number": "+15125550147",
            "staff_number": "+15125550190",
            "shown_number": "+15125550100",
            "may_leave_voicemail": True,
            "staff_leg": LegStatus.NONE,
            "patient_leg": LegStatus.NONE,
            "asked_at": planned.dial_from_at,
            "heard_at": planned.dial_from_at,
            "failure": "",
        }
        | deviations
    )
    session.add(call)
    session.flush()
    return call


def make_returned_call(session: Session, call: PhoneCall, **deviations: Any) -> ReturnedCall:
    task = ReturnedCall(
        **{
            "dedupe_key": f"{call.id}/{call.patient_id or 0}",
            "clinic_id": call.clinic_id,
            "phone_call_id": call.id,
            "patient_id": call.patient_id,
            "number": call.number,
            "at": call.asked_at,
        }
        | deviations
    )
    session.add(task)
    session.flush()
    return task


def make_inbox_item(session: Session, patient: Patient, **deviations: Any) -> InboxItem:
    """A text that a person has to see to."""
    inbound = InboundText(
        clinic_id=patient.clinic_id,
        provider_id=f"SM{next(_counter):032x}",
        from_number="+15125550147",
        to_number="+15125550100",
        body="My cat is ill",
        attachments=0,
        received_at=patient.created_at,
        open_until=patient.created_at,
    )
    session.add(inbound)
    session.flush()
    item = InboxItem(
        **{
            "clinic_id": patient.clinic_id,
            "patient_id": patient.id,
            "inbound_id": inbound.id,
            "understood": Understood.NOT_UNDERSTOOD,
            "at": inbound.received_at,
        }
        | deviations
    )
    session.add(item)
    session.flush()
    return item


def keep_in_clear(session: Session, person: StaffMember) -> None:
    """Give one of the staff a telephone as it lay before such numbers were encrypted."""
    phone = literal("+15125550160", AlreadyEncrypted())
    session.execute(update(StaffMember).where(StaffMember.id == person.id).values(work_phone=phone))


def work_phones_as_kept(session: Session) -> list[tuple[Any, ...]]:
    """Return the telephones of the staff as they lie in the database."""
    raw = select(type_coerce(StaffMember.work_phone, Text())).order_by(StaffMember.id)
    return [tuple(row) for row in session.execute(raw)]
