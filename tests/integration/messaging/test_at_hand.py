"""Texts that are claimed and at hand, while the carrier is asked about others."""

from sqlalchemy import select

from outreach.errors import ProviderUnavailable
from outreach.messaging.jobs import send_due_messages
from outreach.messaging.models import Message
from outreach.messaging.rules import MessageStatus
from outreach.orm import Sessions
from outreach.telephony.gateway import Refused
from tests.fakes import FakeClock, FakeGateway
from tests.integration.messaging.conftest import make_reminder


def test_of_the_texts_at_hand_none_is_asked_about_once_the_carrier_is_in_trouble(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    for last_digits in range(40, 60):
        make_reminder(sessions, clock, phone=f"+151255501{last_digits}")
    gateway.troubles = [Refused("21606"), *[ProviderUnavailable("no connection")] * 20]

    send_due_messages(sessions, gateway, clock, connections=2)

    assert 21 - len(gateway.troubles) <= 3, "one alone, then each connection once"
    with sessions() as session:
        states = session.scalars(select(Message.status)).all()
    assert states.count(MessageStatus.SCHEDULED) == 19
