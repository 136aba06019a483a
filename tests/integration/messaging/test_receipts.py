"""Delivery reports: signed, repeated, late, out of order."""

from itertools import permutations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from outreach.messaging.jobs import send_due_messages
from outreach.messaging.models import DeliveryEvent, Message
from outreach.messaging.rules import MessageStatus
from outreach.orm import Sessions
from tests.fakes import FakeClock, FakeGateway
from tests.integration.messaging.conftest import make_reminder


@pytest.fixture
def message_id(sessions: Sessions, gateway: FakeGateway, clock: FakeClock) -> int:
    make_reminder(sessions, clock)
    send_due_messages(sessions, gateway, clock)
    return gateway.sent[0].reference


def report(client: FlaskClient, message_id: int, status: str, signature: str = "valid") -> int:
    answer = client.post(
        f"/webhooks/sms-status/{message_id}",
        data={"MessageSid": "SM1", "MessageStatus": status},
        headers={"X-Twilio-Signature": signature},
    )
    return answer.status_code


@pytest.mark.parametrize("order", list(permutations(["accepted", "sent", "delivered"])))
def test_reports_in_any_order_and_twice_end_delivered(
    sessions: Sessions, client: FlaskClient, message_id: int, order: tuple[str, ...]
) -> None:
    for status in (*order, *order):
        assert report(client, message_id, status) == 204

    with sessions() as session:
        assert session.scalars(select(Message.status)).one() is MessageStatus.DELIVERED
        assert session.scalar(select(func.count(DeliveryEvent.id))) == 3


def test_a_forged_report_is_refused_and_changes_nothing(
    sessions: Sessions, client: FlaskClient, message_id: int
) -> None:
    assert report(client, message_id, "failed", signature="forged") == 403

    with sessions() as session:
        assert session.scalars(select(Message.status)).one() is MessageStatus.ACCEPTED


@pytest.mark.parametrize("unknown", [999_999, 2**63, 10**30, -1])
def test_a_report_about_a_text_that_we_do_not_know_is_taken_calmly(
    client: FlaskClient, unknown: int
) -> None:
    assert report(client, unknown, "sent") == 204
