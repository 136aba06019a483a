"""Calls by the official Twilio client, held to Twilio's own description of its API."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from xml.etree import ElementTree as ET

import pytest
from twilio.request_validator import RequestValidator

from config import ROOT
from outreach.clock import utc_now
from outreach.errors import OutreachError, ProviderUnavailable
from outreach.telephony.gateway import (
    Answer,
    AnsweredBy,
    AskForKey,
    BadSignature,
    Connect,
    End,
    InvalidRecipient,
    Leg,
    LegStatus,
    LetTalk,
    OutboundCall,
    OutcomeUnknown,
    Refused,
    SignedRequest,
    TooFast,
    Words,
)
from tests.integration.telephony.conftest import ACCOUNT_SID, NOBODY, gateway
from tests.twilio import FakeTwilio

CALL = OutboundCall(reference=7, to="+15125550190", shown="+15125550100")
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
ASK = AskForKey(7, Words("Press 1.", "en"))
TO_PATIENT = Connect(7, "+15125550147", "+15125550100", Leg.PATIENT)
TO_STAFF = Connect(7, "+15125550190", "+15125550100", Leg.STAFF)
SORRY = End(Words("Le devolveremos la llamada.", "es"))


def read(answer: Answer) -> ET.Element:
    return ET.fromstring(gateway(NOBODY).document(answer))  # noqa: S314 - our own words


def test_the_callers_telephone_is_rung_and_nothing_is_recorded(twilio: FakeTwilio) -> None:
    receipt = gateway(twilio.address).place_call(CALL)

    assert receipt.provider_id == twilio.calls[0]["sid"]
    assert twilio.requests == [
        {
            "To": "+15125550190",
            "From": "+15125550100",
            "Url": "https://outreach.example/webhooks/voice/7/answered",
            "StatusCallback": "https://outreach.example/webhooks/voice/7/staff#rc=3&rp=all",
            "StatusCallbackEvent": ["initiated", "ringing", "answered", "completed"],
            "Timeout": "25",
            "TimeLimit": "14400",
        }
    ]


@pytest.mark.parametrize("answer", [ASK, TO_PATIENT, TO_STAFF, SORRY, End(), LetTalk()])
def test_no_answer_of_ours_asks_for_a_recording(answer: Answer) -> None:
    assert "record" not in gateway(NOBODY).document(answer).lower()


def test_nothing_in_the_product_asks_for_a_recording() -> None:
    asks = re.compile(r"record\s*=|recording_|\.record\(action|<Record|Record=")
    files = (ROOT / "outreach" / "telephony").glob("*.py")

    assert [path.name for path in files if asks.search(path.read_text())] == []


def test_the_patient_sees_the_clinics_number_and_a_machine_is_noticed() -> None:
    dial = read(TO_PATIENT)[0]

    assert dial.get("callerId") == "+15125550100"
    assert dial.get("timeLimit") == "14400"
    assert dial.get("action") == "https://outreach.example/webhooks/voice/7/over"
    number = dial[0]
    assert (number.tag, number.text) == ("Number", "+15125550147")
    assert number.get("statusCallback") == (
        "https://outreach.example/webhooks/voice/7/patient#rc=3&rp=all"
    )
    assert number.get("machineDetection") == "Enable"
    assert number.get("url") is None


def test_one_of_the_staff_is_asked_for_a_key_before_being_put_through() -> None:
    number = read(TO_STAFF)[0][0]

    assert number.get("url") == "https://outreach.example/webhooks/voice/7/answered"
    assert number.get("machineDetection") is None


def test_without_a_key_the_call_ends() -> None:
    gather, hangup = read(ASK)

    assert (gather.tag, gather.get("numDigits"), hangup.tag) == ("Gather", "1", "Hangup")
    assert gather.get("action") == "https://outreach.example/webhooks/voice/7/key"


def test_words_are_said_in_their_language() -> None:
    say, hangup = read(SORRY)

    assert (say.get("language"), hangup.tag) == ("es-MX", "Hangup")


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        pytest.param(400, 21211, InvalidRecipient, id="not a number"),
        pytest.param(400, 21210, Refused, id="a number that is not ours"),
        pytest.param(429, 20429, TooFast, id="too many requests"),
        pytest.param(500, 20500, OutcomeUnknown, id="a fault after who knows what"),
    ],
)
def test_twilios_refusals_of_a_call_become_our_own_errors(
    twilio: FakeTwilio, status: int, code: int, error: type[OutreachError]
) -> None:
    twilio.failures = [(status, code)]

    with pytest.raises(error) as raised:
        gateway(twilio.address).place_call(CALL)

    assert type(raised.value) is error


def test_a_call_whose_answer_was_lost_is_found_unless_known(twilio: FakeTwilio) -> None:
    twilio.failures = [(0, 0)]
    impatient = gateway(twilio.address, timeout_seconds=0.3)

    with pytest.raises(OutcomeUnknown):
        impatient.place_call(CALL)
    twilio.release.set()
    sid = twilio.calls[0]["sid"]

    found = impatient.find_call(CALL, since=utc_now() - timedelta(minutes=1), not_these=[])
    assert found is not None
    assert found.provider_id == sid
    assert impatient.find_call(CALL, since=LONG_AGO, not_these=[sid]) is None
    assert impatient.find_call(CALL, since=utc_now() + timedelta(hours=1), not_these=[]) is None


def test_how_a_call_went_can_be_asked(twilio: FakeTwilio) -> None:
    carrier = gateway(twilio.address)
    sid = carrier.place_call(CALL).provider_id
    ended = datetime(2026, 11, 23, 16, 12, tzinfo=UTC)
    twilio.dials(
        sid,
        "+15125550147",
        status="completed",
        duration="610",
        start_time=format_datetime(ended - timedelta(seconds=610)),
        end_time=format_datetime(ended),
    )

    picture = carrier.look_up_call(sid)

    assert picture is not None
    assert picture.first.status is LegStatus.INITIATED
    assert picture.second is not None
    assert picture.second.status is LegStatus.COMPLETED
    assert (picture.second.seconds, picture.second.at) == (610, ended)
    assert carrier.look_up_call("CA" + "f" * 32) is None


def test_hanging_up_twice_is_no_trouble(twilio: FakeTwilio) -> None:
    carrier = gateway(twilio.address)
    sid = carrier.place_call(CALL).provider_id

    carrier.hang_up(sid)
    carrier.hang_up(sid)
    carrier.hang_up("CA" + "f" * 32)

    assert twilio.calls[0]["status"] == "completed"


def test_no_answer_to_a_question_is_no_news(twilio: FakeTwilio) -> None:
    carrier = gateway(twilio.address)
    sid = carrier.place_call(CALL).provider_id
    twilio.failures = [(503, 20503), (503, 20503)]

    with pytest.raises(ProviderUnavailable):
        carrier.look_up_call(sid)
    with pytest.raises(ProviderUnavailable):
        carrier.hang_up(sid)
    for ask in (
        lambda: gateway(NOBODY).look_up_call(sid),
        lambda: gateway(NOBODY).hang_up(sid),
        lambda: gateway(NOBODY).find_call(CALL, since=LONG_AGO, not_these=[]),
    ):
        with pytest.raises(ProviderUnavailable):
            ask()


def test_a_list_of_calls_that_can_not_be_had_is_no_news(twilio: FakeTwilio) -> None:
    carrier = gateway(twilio.address)
    sid = carrier.place_call(CALL).provider_id

    twilio.list_failures = [500]
    with pytest.raises(ProviderUnavailable):
        carrier.find_call(CALL, since=LONG_AGO, not_these=[])
    twilio.list_failures = [500]
    with pytest.raises(ProviderUnavailable):
        carrier.look_up_call(sid)


URL = "https://outreach.example/webhooks/voice/7/patient"
PARAMETERS = {
    "AccountSid": ACCOUNT_SID,
    "CallSid": "CA2",
    "ParentCallSid": "CA1",
    "CallStatus": "completed",
    "CallDuration": "610",
    "SequenceNumber": "3",
    "Timestamp": "Mon, 23 Nov 2026 16:12:00 +0000",
    "NewOne": "added without notice",
}


def signed(parameters: dict[str, str], url: str = URL, token: str = "secret") -> SignedRequest:
    signature = RequestValidator(token).compute_signature(url, parameters)
    return SignedRequest(URL, {name: [value] for name, value in parameters.items()}, signature)


def test_a_signed_report_of_a_call_is_read() -> None:
    news = gateway(NOBODY).read_voice(signed(PARAMETERS))

    assert news.leg is not None
    assert (news.leg.provider_id, news.leg.status) == ("CA2", LegStatus.COMPLETED)
    assert (news.leg.seconds, news.leg.sequence) == (610, 3)
    assert news.leg.at == datetime(2026, 11, 23, 16, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ("human", AnsweredBy.HUMAN),
        ("machine_start", AnsweredBy.MACHINE),
        ("fax", AnsweredBy.MACHINE),
        ("unknown", AnsweredBy.UNKNOWN),
        ("a new word", None),
    ],
)
def test_who_picked_up_is_read(said: str, means: AnsweredBy | None) -> None:
    news = gateway(NOBODY).read_voice(signed(PARAMETERS | {"AnsweredBy": said}))

    assert news.answered_by is means


@pytest.mark.parametrize(
    "odd",
    [
        {"CallStatus": "a new one", "Timestamp": "yesterday", "CallDuration": "long"},
        {"CallStatus": "", "Timestamp": "Mon, 99 Nov 2026 99:99:99 +9999", "CallDuration": "-1"},
        {"SequenceNumber": "9" * 40, "Timestamp": "Sat, 01 Jan 0001 00:00:00 +2359"},
        {"DialCallStatus": "?", "Digits": "#*0123", "CallSid": "x" * 500},
    ],
)
def test_odd_parameters_are_passed_over(odd: dict[str, str]) -> None:
    news = gateway(NOBODY).read_voice(signed(PARAMETERS | odd))

    assert len(news.provider_id) <= 64
    assert len(news.key) <= 1


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(signed(PARAMETERS, token="guessed"), id="forged"),
        pytest.param(SignedRequest(URL, {}, ""), id="empty"),
        pytest.param(signed(PARAMETERS, URL.replace("https", "http")), id="another address"),
        pytest.param(signed(PARAMETERS | {"AccountSid": "AC" + "b" * 32}), id="another account"),
    ],
)
def test_a_report_that_is_not_ours_is_refused(request_: SignedRequest) -> None:
    with pytest.raises(BadSignature):
        gateway(NOBODY).read_voice(request_)
