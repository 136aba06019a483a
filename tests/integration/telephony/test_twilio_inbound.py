"""Texts that come in, in the shape of Twilio's requests, signed as Twilio signs them.

Source: https://www.twilio.com/docs/messaging/guides/webhook-request.
"""

from dataclasses import replace

import pytest
from sqlalchemy import select
from twilio.request_validator import RequestValidator

from config import Config
from outreach.app import create_app
from outreach.db import db
from outreach.deps import Deps
from outreach.messaging.models import InboundText
from outreach.orm import Sessions
from outreach.telephony.gateway import BadSignature, SignedRequest
from tests.builders import make_clinic, make_patient
from tests.fakes import FakeClock
from tests.integration.telephony.conftest import ACCOUNT_SID, NOBODY, gateway

URL = "https://outreach.example/webhooks/texts/incoming"
TEXT = {
    "ToCountry": "US",
    "ToState": "TX",
    "SmsMessageSid": "SM" + "1" * 32,
    "NumMedia": "0",
    "ToCity": "AUSTIN",
    "FromZip": "78701",
    "SmsSid": "SM" + "1" * 32,
    "FromState": "TX",
    "SmsStatus": "received",
    "FromCity": "AUSTIN",
    "Body": "Olá, posso falar amanhã?",
    "FromCountry": "US",
    "To": "+15125550100",
    "MessagingServiceSid": "MG" + "2" * 32,
    "ToZip": "78701",
    "NumSegments": "1",
    "MessageSid": "SM" + "1" * 32,
    "AccountSid": ACCOUNT_SID,
    "From": "+15125550147",
    "ApiVersion": "2010-04-01",
}


def signature(parameters: dict[str, str], url: str = URL) -> str:
    return str(RequestValidator("secret").compute_signature(url, parameters))


def signed(parameters: dict[str, str]) -> SignedRequest:
    many = {name: [value] for name, value in parameters.items()}
    return SignedRequest(URL, many, signature(parameters))


def test_a_text_is_read() -> None:
    text = gateway(NOBODY).read_inbound(signed(TEXT))

    assert (text.provider_id, text.body) == ("SM" + "1" * 32, "Olá, posso falar amanhã?")
    assert (text.from_number, text.to_number) == ("+15125550147", "+15125550100")
    assert (text.service, text.attachments, text.is_answered) == ("MG" + "2" * 32, 0, False)


@pytest.mark.parametrize(
    "more", [{"OptOutType": "STOP"}, {"Body": "Stop"}, {"Body": " HELP "}, {"Body": "yes"}]
)
def test_what_twilio_answers_by_itself_is_known(more: dict[str, str]) -> None:
    assert gateway(NOBODY).read_inbound(signed(TEXT | more)).is_answered


@pytest.mark.parametrize("count", ["", "-1", "many", "²", "99999"])
def test_an_odd_count_of_attachments_is_none(count: str) -> None:
    assert gateway(NOBODY).read_inbound(signed(TEXT | {"NumMedia": count})).attachments == 0


def test_pictures_are_counted() -> None:
    more = {"NumMedia": "2", "MediaUrl0": "https://example.com/0", "MediaContentType0": "image/png"}
    assert gateway(NOBODY).read_inbound(signed(TEXT | more)).attachments == 2


@pytest.mark.parametrize("more", [{"Body": "STOP"}, {"From": "+15125550199"}])
def test_a_text_that_was_changed_on_its_way_is_refused(more: dict[str, str]) -> None:
    changed = replace(signed(TEXT | more), signature=signature(TEXT))
    with pytest.raises(BadSignature):
        gateway(NOBODY).read_inbound(changed)


def test_a_text_to_another_account_is_refused() -> None:
    with pytest.raises(BadSignature):
        gateway(NOBODY).read_inbound(signed(TEXT | {"AccountSid": "AC" + "b" * 32}))


def test_the_signature_covers_the_public_address_behind_a_proxy(
    sessions: Sessions, config: Config, clock: FakeClock
) -> None:
    with sessions.begin() as session:
        make_patient(session, make_clinic(session))
    behind = replace(config, public_url="https://outreach.example", trusted_proxies=1)
    app = create_app(Deps(behind, clock, gateway(NOBODY)))
    client = app.test_client()
    headers = {
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "outreach.example",
        "X-Forwarded-For": "192.0.2.7",
    }

    def post(proof: str) -> int:
        return client.post(
            "/webhooks/texts/incoming",
            base_url="http://10.0.0.5:8000",
            data=TEXT,
            headers=headers | {"X-Twilio-Signature": proof},
        ).status_code

    assert post(signature(TEXT, "http://10.0.0.5:8000/webhooks/texts/incoming")) == 403
    assert post(signature(TEXT)) == 200
    with sessions() as session:
        assert session.scalars(select(InboundText.body)).one() == TEXT["Body"]
    with app.app_context():
        db.engine.dispose()
