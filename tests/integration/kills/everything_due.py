"""What the jobs that talk to the outside find to do, beside the busy clinic."""

from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from outreach.accounts.rules import Role
from outreach.concerns import raising
from outreach.concerns.rules import OnCallRank
from outreach.exports import requesting
from outreach.exports.models import Export
from outreach.exports.requesting import Wish
from outreach.exports.rules import Content, Format, Progress
from outreach.messaging import pacing
from outreach.messaging.models import Message
from outreach.messaging.rules import MessageKind, MessageStatus
from outreach.telephony.gateway import OutboundSms
from tests.builders import (
    actor_of,
    make_clinic,
    make_enrolment,
    make_on_call,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.fakes import FakeGateway
from tests.integration.messaging.conftest import make_message
from tests.integration.planning.busy import Busy
from tests.telephones import make_phone_call

PACED = "+15125550111"
OVER, STRAY = "over.csv", "stray.csv"  # files whose days are over, or that nobody knows


def fill(session: Session, people: Busy, gateway: FakeGateway, *, now: datetime) -> None:
    """Add what is due to be sent, looked up, told, written to a file and deleted."""
    make_staff(session, people.clinic, Role.MANAGER, phone="+12025550177")  # hears of the week
    _texts(session, now=now)
    _lost_texts(session, gateway, now=now)
    _lost_calls(session, now=now)
    _concerns(session, now=now)
    _files(session, people, now=now)


def _texts(session: Session, *, now: datetime) -> None:
    """Add two texts that are due, and one of a sender that has a pace."""
    free = make_clinic(session)
    slow = make_clinic(session, sms_sender=PACED)
    by = make_staff(session, slow, Role.MANAGER)
    pacing.choose(session, slow, PACED, 5, by_staff_id=by.id, now=now)
    for number, clinic in enumerate((free, free, slow)):
        phone = f"+1512556010{number}"
        patient = make_patient(session, clinic, sms_consent=True, phone=phone)
        make_enrolment(session, patient, caller=make_staff(session, clinic))
        make_message(session, patient, to_number=phone, **_due(now))


def _due(now: datetime) -> dict[str, object]:
    return {
        "status": MessageStatus.SCHEDULED,
        "send_after": now,
        "tries": 0,
        "provider_id": None,
        "created_at": now,
    }


def _lost_texts(session: Session, gateway: FakeGateway, *, now: datetime) -> None:
    """Add two texts that nobody knows of whether they went out: one of them did."""
    clinic, asked_at = make_clinic(session), now - timedelta(minutes=40)
    for number in range(2):
        phone = f"+1512556020{number}"
        patient = make_patient(session, clinic, sms_consent=True, phone=phone)
        make_enrolment(session, patient, caller=make_staff(session, clinic))
        lost = {"status": MessageStatus.UNKNOWN, "calling_at": asked_at, "created_at": asked_at}
        text = make_message(session, patient, to_number=phone, **_due(now) | {"tries": 1} | lost)
        if number:
            gateway.taken.append((asked_at, _as_sms(text)))


def _as_sms(text: Message) -> OutboundSms:
    return OutboundSms(text.id, text.to_number, text.body)


def _lost_calls(session: Session, *, now: datetime) -> None:
    """Add two calls of which the carrier told nothing, and knows nothing."""
    clinic, at = make_clinic(session), now - timedelta(minutes=30)
    for _each in range(2):
        caller = make_staff(session, clinic)
        enrolment = make_enrolment(session, make_patient(session, clinic), caller=caller)
        call = make_planned_call(session, enrolment, version_id=enrolment.version_id)
        make_phone_call(session, call, caller, asked_at=at, heard_at=at)


def _concerns(session: Session, *, now: datetime) -> None:
    """Add two concerns that nobody took on: the first person was told, the second is to hear."""
    clinic, at = make_clinic(session), now - timedelta(minutes=20)
    for number, rank in enumerate((OnCallRank.FIRST, OnCallRank.BACKUP)):
        nurse = make_staff(session, clinic, Role.NURSE, phone=f"+1512556030{number}")
        make_on_call(session, clinic, nurse, rank)
    for _each in range(2):
        patient = make_patient(session, clinic, phone=None)
        trigger = raising.safety("danger")
        raising.raise_concern(session, patient, trigger, by_staff_id=nurse.id, now=at)
    delivered = {"status": MessageStatus.DELIVERED, "accepted_at": at, "calling_at": at}
    first = update(Message).where(Message.kind == MessageKind.ALERT)
    session.execute(first.values(delivered))


def _files(session: Session, people: Busy, *, now: datetime) -> None:
    """Ask for two files; add one that was made long ago."""
    actor = actor_of(people.manager, people.clinic, Role.MANAGER)
    for form_key in ("one", "two"):
        wish = Wish(Content.PATIENTS, Format.CSV, {}, people.clinic.id)
        requesting.ask(session, actor, wish, form_key=form_key, now=now)
    session.add(
        Export(
            ref="over", staff_id=people.manager.id, content=Content.PATIENTS, format=Format.CSV,
            asked={}, form_key="over", progress=Progress.READY, rows_done=1, tries=1,
            claim="over", file_name=OVER, bytes=1, trouble="", asked_at=now - timedelta(days=9),
            finished_at=now - timedelta(days=9), expires_at=now - timedelta(days=2),
        )
    )  # fmt: skip
