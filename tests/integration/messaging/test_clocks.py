"""Machines whose clocks differ, or are set: no text goes out twice."""

from datetime import timedelta

from outreach.messaging.jobs import send_due_messages, settle_lost_messages
from outreach.messaging.rules import MessageStatus
from outreach.orm import Sessions
from outreach.telephony.gateway import OutboundSms, ProviderReceipt
from tests.fakes import FakeClock, FakeGateway
from tests.integration.messaging.conftest import make_reminder, only_message


def test_a_text_that_a_clock_ahead_held_for_lost_does_not_go_out_again(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    make_reminder(sessions, clock)
    ahead = FakeClock(clock() + timedelta(hours=1))  # another machine's, or after it was set
    send = gateway.send_sms

    def slowly(sms: OutboundSms) -> ProviderReceipt:
        assert settle_lost_messages(sessions, gateway, ahead) == 1  # meanwhile, over there
        return send(sms)

    gateway.send_sms = slowly  # type: ignore[method-assign]
    send_due_messages(sessions, gateway, clock)
    gateway.send_sms = send  # type: ignore[method-assign]
    for hours in (1, 2):
        clock.now += timedelta(hours=hours)
        send_due_messages(sessions, gateway, clock)

    assert len(gateway.sent) == 1
    with sessions() as session:
        assert only_message(session).status is MessageStatus.ACCEPTED
