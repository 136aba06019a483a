"""What became of texts: in numbers, one by one, and sent once more where that is safe."""

from datetime import timedelta
from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from outreach.accounts.models import StaffMember
from outreach.accounts.rules import Role
from outreach.messaging import receipts
from outreach.messaging.jobs import send_due_messages, settle_lost_messages
from outreach.messaging.models import Message
from outreach.messaging.rules import SETTLE_AFTER, MessageStatus, SkipReason
from outreach.orm import Sessions
from outreach.patients.models import PhoneNumber
from outreach.telephony.gateway import DeliveryReport, DeliveryStatus, OutcomeUnknown, Refused
from tests.builders import make_clinic, make_patient, make_staff
from tests.conftest import HASH, sign_in
from tests.fakes import FakeClock, FakeGateway
from tests.integration.messaging.conftest import make_message, make_reminder


def manager_of_all(sessions: Sessions) -> StaffMember:
    with sessions.begin() as session:
        return make_staff(session, None, Role.ADMINISTRATOR, password_hash=HASH)


def test_every_number_on_the_page_stands_beside_what_it_is_of(
    sessions: Sessions, client: FlaskClient
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        patient = make_patient(session, clinic)
        for status in (MessageStatus.DELIVERED,) * 3 + (MessageStatus.UNDELIVERED,):
            make_message(session, patient, status=status, failure="30003")
        make_message(session, patient, status=MessageStatus.FAILED, failure="21606")
        make_message(
            session, patient, status=MessageStatus.SKIPPED, skip_reason=SkipReason.WEEK_LIMIT
        )
        other = make_patient(session, make_clinic(session))
        make_message(session, other, status=MessageStatus.DELIVERED)
        manager = make_staff(session, clinic, Role.MANAGER, password_hash=HASH)
    sign_in(client, manager)

    page = " ".join(client.get("/messages/delivery").text.split())

    assert "4 of 6" in page, "handed over, of all due"
    assert "3 of 4" in page, "delivered, of those handed over"
    assert "the phone was off or out of reach" in page
    assert "our own sender is not set up" in page
    assert "three texts that week already" in page


def test_a_texts_whole_life_is_told(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock, client: FlaskClient
) -> None:
    make_reminder(sessions, clock)
    gateway.troubles = [OutcomeUnknown("timeout")]
    send_due_messages(sessions, gateway, clock)
    clock.advance(SETTLE_AFTER)
    settle_lost_messages(sessions, gateway, clock)
    with sessions.begin() as session:
        message_id = session.scalars(select(Message.id)).one()
        report = DeliveryReport(f"SM{message_id:032d}", DeliveryStatus.UNDELIVERED, 30007)
        receipts.apply(session, message_id, report, now=clock())
    sign_in(client, manager_of_all(sessions))

    page = unescape(client.get(f"/messages/{message_id}").text)

    for said in ("no answer; nobody knew", "found in the carrier's list", "spam filter"):
        assert said in page
    assert "Send once more" not in page


def test_a_refused_text_is_sent_once_more_and_only_once(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock, client: FlaskClient
) -> None:
    make_reminder(sessions, clock)
    gateway.troubles = [Refused("21606")]
    send_due_messages(sessions, gateway, clock)
    with sessions() as session:
        old_id = session.scalars(select(Message.id)).one()
    person = manager_of_all(sessions)
    sign_in(client, person)

    assert "Send once more" in client.get(f"/messages/{old_id}").text
    first = client.post(f"/messages/{old_id}/resend", follow_redirects=True).text
    second = client.post(f"/messages/{old_id}/resend", follow_redirects=True).text
    send_due_messages(sessions, gateway, clock)

    assert f"asked for by {person.name}" in first
    assert "can't be sent again" in unescape(second)
    assert len(gateway.sent) == 1


@pytest.mark.parametrize(
    "deviations",
    [
        pytest.param({"status": MessageStatus.DELIVERED}, id="it arrived"),
        pytest.param({"status": MessageStatus.UNKNOWN}, id="nobody knows"),
        pytest.param({"status": MessageStatus.FAILED}, id="the carrier had taken it"),
        pytest.param(
            {
                "status": MessageStatus.FAILED,
                "provider_id": None,
                "expires_at": FakeClock()(),
            },
            id="its time is over",
        ),
    ],
)
def test_what_may_have_gone_out_or_is_of_no_use_is_not_sent_again(
    sessions: Sessions, client: FlaskClient, deviations: dict[str, object]
) -> None:
    with sessions.begin() as session:
        old = make_message(session, make_patient(session, make_clinic(session)), **deviations)
    sign_in(client, manager_of_all(sessions))

    client.post(f"/messages/{old.id}/resend")

    with sessions() as session:
        assert session.scalars(select(Message.id)).all() == [old.id]


def test_a_number_that_three_texts_in_a_row_did_not_find_gets_no_more(
    sessions: Sessions, clock: FakeClock
) -> None:
    gone = DeliveryReport("SM", DeliveryStatus.UNDELIVERED, 30005, is_unreachable=True)
    here = DeliveryReport("SM", DeliveryStatus.DELIVERED)
    can_text = []
    with sessions.begin() as session:
        patient = make_patient(session, make_clinic(session))
        for report in (gone, gone, here, gone, gone, gone):
            message = make_message(session, patient, status=MessageStatus.SENT)
            receipts.apply(session, message.id, report, now=clock())
            receipts.apply(session, message.id, report, now=clock() + timedelta(minutes=1))
            can_text.append(session.scalars(select(PhoneNumber.can_text)).one())
            session.expire_all()

    assert can_text == [True] * 5 + [False]
