"""Rosa, who texts; Ana, who calls her; Nina, the nurse on call; and a carrier that hands over."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta

from flask.testing import FlaskClient
from sqlalchemy import select

from outreach.accounts.rules import Role
from outreach.concerns.models import Concern
from outreach.inbox import permission
from outreach.inbox.models import InboxItem
from outreach.messaging.jobs import send_due_messages
from outreach.messaging.models import InboundText, Message
from outreach.orm import Sessions
from outreach.panels.models import Shift
from outreach.patients.models import ConsentEvent, Patient
from outreach.planning.models import PlannedCall
from tests.builders import (
    make_clinic,
    make_enrolment,
    make_on_call,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.conftest import HASH
from tests.fakes import FakeClock, FakeGateway

ROSAS_PHONE = "+15125550147"
CLINICS_NUMBER = "+15125550100"
NURSES_PHONE = "+15125550188"


@dataclass
class House:
    """A clinic on Monday at 10; Ana works from 9 to 5; Rosa's call is tomorrow from 9 to 12."""

    sessions: Sessions
    client: FlaskClient
    gateway: FakeGateway
    clock: FakeClock
    sids: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        with self.sessions.begin() as session:
            clinic = make_clinic(session, name="Cedar Creek Clinic", phone_number=CLINICS_NUMBER)
            ana = make_staff(session, clinic, name="Ana Morales", password_hash=HASH)
            session.add_all(
                Shift(staff_id=ana.id, weekday=weekday, begins=time(9), ends=time(17))
                for weekday in range(5)
            )
            nina = make_staff(session, clinic, Role.NURSE, phone=NURSES_PHONE, password_hash=HASH)
            make_on_call(session, clinic, nina)
            rosa = make_patient(session, clinic, sms_consent=True, preferred_name="Rosa")
            enrolment = make_enrolment(session, rosa, caller=ana)
            call = make_planned_call(session, enrolment, date(2026, 11, 24))
            self.clinic, self.ana, self.nina = clinic, ana, nina
            self.rosa, self.enrolment, self.call_id = rosa, enrolment, call.id

    def text(
        self,
        body: str,
        *,
        sid: str | None = None,
        number: str = ROSAS_PHONE,
        to: str = CLINICS_NUMBER,
        signature: str = "valid",
        **more: str,
    ) -> int:
        """Hand a text over as Twilio does; return the status of the answer."""
        answer = self.client.post(
            "/webhooks/texts/incoming",
            data={
                "MessageSid": sid or f"SM{next(self.sids):032x}",
                "From": number,
                "To": to,
                "Body": body,
                "NumMedia": "0",
            }
            | more,
            headers={"X-Twilio-Signature": signature},
        )
        return answer.status_code

    def tick(self) -> list[str]:
        """Send what is due; return the words of what went to patients."""
        before = len(self.gateway.sent)
        send_due_messages(self.sessions, self.gateway, self.clock)
        return [each.body for each in self.gateway.sent[before:] if each.to != NURSES_PHONE]

    def said(self, body: str, **more: str) -> list[str]:
        """Return what is answered to a text at once."""
        assert self.text(body, **more) == 200
        return self.tick()

    def agree_to_readings(self) -> None:
        with self.sessions.begin() as session:
            rosa = session.get_one(Patient, self.rosa.id)
            permission.note(session, rosa, is_given=True, by_staff_id=self.ana.id, now=self.clock())

    def call(self) -> PlannedCall:
        with self.sessions() as session:
            return session.get_one(PlannedCall, self.call_id)

    def items(self) -> Sequence[InboxItem]:
        with self.sessions() as session:
            return session.scalars(select(InboxItem).order_by(InboxItem.id)).all()

    def understood(self) -> list[str]:
        return [each.understood.value for each in self.items()]

    def waiting(self) -> int:
        return sum(each.done_at is None for each in self.items())

    def texts(self) -> Sequence[InboundText]:
        with self.sessions() as session:
            return session.scalars(select(InboundText).order_by(InboundText.id)).all()

    def messages(self) -> Sequence[Message]:
        with self.sessions() as session:
            return session.scalars(select(Message).order_by(Message.id)).all()

    def concerns(self) -> Sequence[Concern]:
        with self.sessions() as session:
            return session.scalars(select(Concern).order_by(Concern.id)).all()

    def consents(self, patient_id: int | None = None) -> list[bool]:
        with self.sessions() as session:
            return list(
                session.scalars(
                    select(ConsentEvent.is_given)
                    .where(ConsentEvent.patient_id == (patient_id or self.rosa.id))
                    .order_by(ConsentEvent.id)
                )
            )

    def later(self, **by: int) -> None:
        self.clock.advance(timedelta(**by))
