"""Twilio's official client against a stand-in on loopback, held to Twilio's description."""

import logging
from collections.abc import Iterator

import pytest

from config import TwilioAccount
from outreach.telephony.twilio_gateway import TwilioGateway
from tests.twilio import FakeTwilio, serving

ACCOUNT_SID = "AC" + "a" * 32
NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def twilio() -> Iterator[FakeTwilio]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    fake = FakeTwilio()
    with serving(fake) as address:
        fake.address = address
        yield fake


def gateway(
    address: str, *, sender: str = "+15125550100", timeout_seconds: float = 10.0
) -> TwilioGateway:
    account = TwilioAccount(
        account_sid=ACCOUNT_SID,
        auth_token="secret",
        sender=sender,
        base_url=address,
        timeout_seconds=timeout_seconds,
    )
    return TwilioGateway(account, "https://outreach.example")
