"""What a few patients of the demo wrote back, through the product's own door."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.inbox import receiving
from outreach.messaging.models import Message
from outreach.messaging.rules import MessageStatus
from outreach.panels.models import PanelMembership
from outreach.patients.models import Patient, PhoneNumber
from outreach.planning.models import PlannedCall
from outreach.telephony.gateway import InboundSms

# By language, and how long ago; what a caller's patients write, one each.
_WRITTEN = (
    ("en", "C", timedelta(hours=30)),
    ("en", "Could we talk on Thursdays instead? I start a new job", timedelta(hours=26)),
    ("es", "¿Puede llamarme mi hija en vez de yo?", timedelta(hours=5)),
    ("en", "another time please", timedelta(hours=3)),
    ("en", "My phone will be off until Sunday, don't worry", timedelta(minutes=50)),
    ("es", "Gracias", timedelta(minutes=20)),
)


def write(session: Session, *, now: datetime) -> None:
    """Take in what was written, and let the answers have gone out. Does not commit."""
    for number, (language, body, ago) in enumerate(_WRITTEN):
        for place, who in enumerate(_one_of_each_caller(session, language, number)):
            news = InboundSms(f"SMdemo{number}-{place}", who.e164, who.phone_number, body)
            receiving.receive(session, news, house_sender=None, now=now - ago)
    session.execute(
        update(Message)
        .where(Message.inbound_id.is_not(None))
        .values(status=MessageStatus.DELIVERED, accepted_at=Message.created_at, tries=1)
    )


def _one_of_each_caller(
    session: Session, language: str, number: int
) -> Sequence[Row[*tuple[Any, ...]]]:
    """Return the ``number``-th patient of each caller with an open call and their own number."""
    rows = session.execute(
        select(PanelMembership.caller_id, PhoneNumber.e164, Clinic.phone_number)
        .join(Patient, Patient.id == PanelMembership.patient_id)
        .join(Clinic, Clinic.id == Patient.clinic_id)
        .join(PhoneNumber, PhoneNumber.patient_id == Patient.id)
        .join(PlannedCall, PlannedCall.enrolment_id == PanelMembership.enrolment_id)
        .where(
            PanelMembership.until_at.is_(None),
            PlannedCall.is_open,
            PhoneNumber.position == 1,
            Patient.language == language,
        )
        .order_by(PanelMembership.caller_id, Patient.id)
    ).all()
    of_caller: dict[int, list[Row[*tuple[Any, ...]]]] = {}
    for row in rows:
        of_caller.setdefault(row.caller_id, []).append(row)
    return [each[number % len(each)] for each in of_caller.values()]
