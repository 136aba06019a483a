"""Twilio's calls on the whole application, by whatever way they come: proxies, services, numbers.

Signed by Twilio's own code, over the address that it was told: https://www.twilio.com/docs/usage/security.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from twilio.request_validator import RequestValidator

from config import Config, TwilioAccount
from outreach.app import create_app
from outreach.db import db
from outreach.deps import Deps
from outreach.inbox.models import InboxItem
from outreach.messaging.models import InboundText, Message
from outreach.messaging.rules import MessageStatus
from outreach.orm import Sessions
from outreach.patients import consent
from outreach.patients.rules import Channel
from tests.builders import make_clinic, make_patient
from tests.fakes import FakeClock
from tests.integration.messaging.conftest import make_message
from tests.integration.telephony.conftest import ACCOUNT_SID, NOBODY, gateway

PUBLIC = "https://outreach.example"
INCOMING = "/webhooks/texts/incoming"
HOUSE = "MG" + "a" * 32
NUMBER = "+15125550147"


def proof(path: str, data: Mapping[str, str], base: str = PUBLIC) -> str:
    return str(RequestValidator("secret").compute_signature(base + path, data))


def text(sid: str = "1", **deviations: str) -> dict[str, str]:
    return {
        "MessageSid": "SM" + sid * 32,
        "AccountSid": ACCOUNT_SID,
        "From": NUMBER,
        "To": "+15125550100",
        "Body": "Can we talk later today?",
        "NumMedia": "0",
    } | deviations


@dataclass(frozen=True)
class Way:
    """How a request comes: through how many proxies that we trust, and what they say."""

    proxies: int = 0
    base_url: str = "http://10.0.0.5:8000"
    headers: Mapping[str, str] | None = None
    public_url: str = PUBLIC
    allowed_hosts: tuple[str, ...] = ()


Send = Callable[..., int]


@pytest.fixture
def open_app(config: Config, clock: FakeClock) -> Iterator[Callable[[Way], FlaskClient]]:
    made = []

    def build(way: Way) -> FlaskClient:
        account = TwilioAccount(account_sid=ACCOUNT_SID, auth_token="secret", sender=HOUSE)
        behind = replace(
            config,
            public_url=way.public_url,
            trusted_proxies=way.proxies,
            allowed_hosts=way.allowed_hosts,
            twilio=account,
        )
        app = create_app(Deps(behind, clock, gateway(NOBODY)))
        made.append(app)
        return app.test_client()

    yield build
    for app in made:
        with app.app_context():
            db.engine.dispose()


def post(client: FlaskClient, way: Way, path: str, data: Mapping[str, str], signature: str) -> int:
    headers = dict(way.headers or {}) | {"X-Twilio-Signature": signature}
    return client.post(path, base_url=way.base_url, data=data, headers=headers).status_code


WAYS = [
    pytest.param(Way(), id="nothing between"),
    pytest.param(
        Way(
            1,
            headers={
                "X-Forwarded-Proto": "https",
                "X-Forwarded-Host": "outreach.example",
                "X-Forwarded-Port": "443",
                "X-Forwarded-For": "192.0.2.7",
            },
        ),
        id="one proxy",
    ),
    pytest.param(
        Way(
            2,
            headers={
                "X-Forwarded-Proto": "https, http",
                "X-Forwarded-Host": "outreach.example, lb.internal",
                "X-Forwarded-Port": "443, 8443",
                "X-Forwarded-For": "192.0.2.7, 10.0.0.2",
            },
        ),
        id="two hops",
    ),
    pytest.param(
        Way(1, headers={"X-Forwarded-Proto": "http", "X-Forwarded-Host": "internal:8080"}),
        id="a proxy that tells its own address",
    ),
    pytest.param(
        Way(
            1,
            headers={"X-Forwarded-Proto": "https", "X-Forwarded-Host": "outreach.example"},
            allowed_hosts=("outreach.example",),
        ),
        id="only the public host is allowed",
    ),
    pytest.param(Way(1, public_url="https://outreach.example:8443"), id="a port of its own"),
    pytest.param(Way(1, public_url="https://example.org/outreach"), id="a folder of its own"),
]


@pytest.mark.parametrize("way", WAYS)
def test_what_twilio_signed_comes_in_whatever_lies_between(
    open_app: Callable[[Way], FlaskClient], sessions: Sessions, way: Way
) -> None:
    with sessions.begin() as session:
        patient = make_patient(session, make_clinic(session))
        message_id = make_message(session, patient, status=MessageStatus.SENT).id
    client = open_app(way)
    status = f"/webhooks/sms-status/{message_id}"
    report = {"MessageSid": "SM1", "MessageStatus": "delivered", "AccountSid": ACCOUNT_SID}

    assert post(client, way, INCOMING, text(), proof(INCOMING, text(), way.public_url)) == 200
    assert post(client, way, status, report, proof(status, report, way.public_url)) == 204

    with sessions() as session:
        assert session.scalars(select(InboundText.body)).one() == text()["Body"]
        assert session.get_one(Message, message_id).status is MessageStatus.DELIVERED


@pytest.mark.parametrize("way", WAYS)
def test_what_another_address_was_signed_for_is_refused(
    open_app: Callable[[Way], FlaskClient], sessions: Sessions, way: Way
) -> None:
    with sessions.begin() as session:
        patient = make_patient(session, make_clinic(session))
        message_id = make_message(session, patient, status=MessageStatus.SENT).id
    client = open_app(way)
    status = f"/webhooks/sms-status/{message_id}"
    report = {"MessageSid": "SM1", "MessageStatus": "delivered", "AccountSid": ACCOUNT_SID}

    for base in ("https://evil.example", "http://10.0.0.5:8000", "http://outreach.example"):
        assert post(client, way, INCOMING, text(), proof(INCOMING, text(), base)) == 403
        assert post(client, way, status, report, proof(status, report, base)) == 403

    with sessions() as session:
        assert session.scalars(select(InboundText)).all() == []
        assert session.get_one(Message, message_id).status is MessageStatus.SENT


@pytest.mark.parametrize("proxies", [0, 1])
def test_headers_from_nobody_we_trust_change_nothing(
    open_app: Callable[[Way], FlaskClient], sessions: Sessions, proxies: int
) -> None:
    """Somebody outside claims to be a proxy, and signs with a secret of their own."""
    with sessions.begin() as session:
        make_patient(session, make_clinic(session))
    way = Way(
        proxies,
        headers={
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "evil.example",
            "X-Forwarded-For": "10.0.0.1",
            "Forwarded": "for=10.0.0.1;host=evil.example;proto=https",
        },
    )
    client = open_app(way)
    theirs = str(
        RequestValidator("guessed").compute_signature(f"https://evil.example{INCOMING}", text())
    )

    assert post(client, way, INCOMING, text(), theirs) == 403
    assert (
        post(client, way, INCOMING, text(), proof(INCOMING, text(), "https://evil.example")) == 403
    )
    assert post(client, way, INCOMING, text(), proof(INCOMING, text())) == 200


def test_a_query_is_signed_too(open_app: Callable[[Way], FlaskClient], sessions: Sessions) -> None:
    with sessions.begin() as session:
        make_patient(session, make_clinic(session))
    way = Way()
    client = open_app(way)
    asked = f"{INCOMING}?from=twilio&empty="

    assert post(client, way, asked, text(), proof(INCOMING, text())) == 403
    assert post(client, way, asked, text(), proof(asked, text())) == 200


OWN_A, OWN_B, UNKNOWN = "+15125550200", "+15125550300", "+15125550999"


class Clinics:
    """Two clinics, and a patient of each with the same number: a mother and a daughter."""

    def __init__(self, sessions: Sessions, a: str | None, b: str | None) -> None:
        self.sessions = sessions
        with sessions.begin() as session:
            here = make_clinic(session, phone_number=OWN_A, sms_sender=a)
            there = make_clinic(session, phone_number=OWN_B, sms_sender=b)
            self.here, self.there = here.id, there.id
            self.anna = make_patient(session, here, phone=NUMBER, sms_consent=True).id
            self.bela = make_patient(session, there, phone=NUMBER, sms_consent=True).id

    def reached(self) -> set[int | None]:
        with self.sessions() as session:
            return set(session.scalars(select(InboxItem.patient_id)))

    def clinics(self) -> set[int]:
        with self.sessions() as session:
            return set(session.scalars(select(InboundText.clinic_id)))

    def gets_texts(self, patient_id: int) -> bool:
        with self.sessions() as session:
            return consent.is_given(session, patient_id, Channel.SMS, NUMBER)


SENDERS = [
    pytest.param(OWN_A, OWN_B, "", id="numbers of their own"),
    pytest.param("MG" + "b" * 32, "MG" + "c" * 32, "MG" + "c" * 32, id="services of their own"),
    pytest.param(None, OWN_B, "", id="the house's service, and a number of its own"),
    # A service of the house that holds the numbers of both.
    pytest.param(None, None, HOUSE, id="one service for both"),
    pytest.param(None, OWN_B, HOUSE, id="a number of its own in the house's service"),
]


@pytest.mark.parametrize(("a", "b", "service"), SENDERS)
def test_a_text_to_one_clinics_number_never_reaches_anothers_patient(
    open_app: Callable[[Way], FlaskClient],
    sessions: Sessions,
    a: str | None,
    b: str | None,
    service: str,
) -> None:
    two, way = Clinics(sessions, a, b), Way()
    more = {"MessagingServiceSid": service} if service else {}
    data = text(To=OWN_B, **more)

    assert post(open_app(way), way, INCOMING, data, proof(INCOMING, data)) == 200

    assert two.reached() == {two.bela}
    assert two.clinics() == {two.there}


def test_a_pool_number_that_is_no_clinics_is_of_its_service(
    open_app: Callable[[Way], FlaskClient], sessions: Sessions
) -> None:
    service = "MG" + "c" * 32
    two, way = Clinics(sessions, "MG" + "b" * 32, service), Way()
    data = text(To=UNKNOWN, MessagingServiceSid=service)

    assert post(open_app(way), way, INCOMING, data, proof(INCOMING, data)) == 200

    assert two.reached() == {two.bela}


@pytest.mark.parametrize(("service", "still"), [("", True), (HOUSE, False)])
def test_a_stop_is_for_everybody_whom_the_carrier_stops(
    open_app: Callable[[Way], FlaskClient], sessions: Sessions, service: str, *, still: bool
) -> None:
    """Twilio blocks a number for a whole service: then nobody of it may be texted."""
    two, way = Clinics(sessions, None, OWN_B), Way()
    more = {"MessagingServiceSid": service} if service else {}
    data = text(To=OWN_B, Body="STOP", OptOutType="STOP", **more)

    assert post(open_app(way), way, INCOMING, data, proof(INCOMING, data)) == 200

    assert not two.gets_texts(two.bela)
    assert two.gets_texts(two.anna) is still
    assert two.reached() == {two.bela}
