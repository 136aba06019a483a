"""One clinic with a caller on shift and one patient; texts come in as Twilio posts them."""

import itertools
from datetime import time
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.inbox import permission
from outreach.inbox.models import InboxItem
from outreach.messaging.models import Message
from outreach.orm import Sessions
from outreach.panels.models import Shift
from outreach.patients import consent
from outreach.patients.models import Patient
from outreach.patients.rules import Channel, ConsentSource
from tests.builders import LONG_AGO
from tests.fakes import FakeClock, FakeGateway
from tests.integration.calls.conftest import Day
from tests.integration.inbox.house import House

ROSAS_PHONE = "+15125550147"
STRANGERS_PHONE = "+15125550999"
CLINICS_NUMBER = "+15125550100"
_sids = itertools.count(1)


@pytest.fixture
def day(sessions: Sessions) -> Day:
    """Monday, 10 in the morning in Chicago: Ana works from 9 to 5 on weekdays."""
    day = Day(sessions)
    with sessions.begin() as session:
        session.add_all(
            Shift(staff_id=day.ana.id, weekday=weekday, begins=time(9), ends=time(17))
            for weekday in range(5)
        )
        consent.note(
            session,
            day.rosa,
            Channel.SMS,
            ROSAS_PHONE,
            is_given=True,
            source=ConsentSource.FORM,
            by_staff_id=None,
            now=LONG_AGO,
        )
    return day


class Texter:
    """Posts what the carrier would when somebody texts, signed unless said otherwise."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def sends(
        self,
        body: str,
        *,
        sid: str | None = None,
        number: str = ROSAS_PHONE,
        to: str = CLINICS_NUMBER,
        signature: str = "valid",
        **more: str,
    ) -> Any:
        told = {
            "MessageSid": sid or f"SM{next(_sids):032x}",
            "AccountSid": "AC" + "0" * 32,
            "From": number,
            "To": to,
            "Body": body,
            "NumMedia": "0",
            "NumSegments": "1",
        }
        return self.client.post(
            "/webhooks/texts/incoming",
            data=told | more,
            headers={"X-Twilio-Signature": signature},
        )


@pytest.fixture
def texter(app: Any) -> Texter:
    return Texter(app.test_client())


def items(sessions: Sessions) -> list[InboxItem]:
    with sessions() as session:
        return list(session.scalars(select(InboxItem).order_by(InboxItem.id)))


def replies(sessions: Sessions) -> list[Message]:
    with sessions() as session:
        return list(
            session.scalars(
                select(Message).where(Message.inbound_id.is_not(None)).order_by(Message.id)
            )
        )


def allow_readings(session: Session, patient: Patient) -> None:
    permission.note(session, patient, is_given=True, now=LONG_AGO)


@pytest.fixture
def house(sessions: Sessions, client: FlaskClient, gateway: FakeGateway, clock: FakeClock) -> House:
    return House(sessions, client, gateway, clock)
