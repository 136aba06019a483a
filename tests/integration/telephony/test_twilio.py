"""The official Twilio client, held to Twilio's own description of its API."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime

import pytest
from twilio.request_validator import RequestValidator

from outreach.clock import utc_now
from outreach.errors import OutreachError, ProviderUnavailable
from outreach.telephony.gateway import (
    BadSignature,
    DeliveryStatus,
    InvalidRecipient,
    OptedOut,
    OutboundSms,
    OutcomeUnknown,
    Refused,
    SignedRequest,
    TooFast,
)
from tests.integration.telephony.conftest import gateway
from tests.twilio import FakeTwilio

SMS = OutboundSms(reference=7, to="+15125550147", body="Cedar Creek Clinic: Ana will call.")
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_text_goes_out_with_a_callback_that_carries_our_own_id(twilio: FakeTwilio) -> None:
    receipt = gateway(twilio.address).send_sms(SMS)

    assert receipt.provider_id == twilio.messages[0]["sid"]
    assert twilio.requests == [
        {
            "To": "+15125550147",
            "From": "+15125550100",
            "Body": SMS.body,
            "StatusCallback": "https://outreach.example/webhooks/sms-status/7#rc=3&rp=all",
        }
    ]


def test_a_messaging_service_is_named_as_one(twilio: FakeTwilio) -> None:
    gateway(twilio.address, sender="MG" + "b" * 32).send_sms(SMS)

    assert twilio.requests[0]["MessagingServiceSid"] == "MG" + "b" * 32


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        pytest.param(400, 21610, OptedOut, id="said stop"),
        pytest.param(400, 21211, InvalidRecipient, id="not a number"),
        pytest.param(400, 21614, InvalidRecipient, id="a landline"),
        pytest.param(400, 21606, Refused, id="a sender that is not ours"),
        pytest.param(401, 20003, Refused, id="wrong credentials"),
        pytest.param(429, 20429, TooFast, id="too many requests"),
        pytest.param(500, 20500, OutcomeUnknown, id="a fault after who knows what"),
        pytest.param(503, 20503, OutcomeUnknown, id="unavailable"),
    ],
)
def test_twilios_refusals_become_our_own_errors(
    twilio: FakeTwilio, status: int, code: int, error: type[OutreachError]
) -> None:
    twilio.failures = [(status, code)]

    with pytest.raises(error) as raised:
        gateway(twilio.address).send_sms(SMS)

    assert type(raised.value) is error
    assert SMS.to not in str(raised.value)


@pytest.mark.parametrize(
    ("header", "wait"),
    [("7", timedelta(seconds=7)), ("99999", timedelta(hours=1)), ("soon", None), (None, None)],
)
def test_a_refusal_for_haste_says_how_long_to_wait(
    twilio: FakeTwilio, header: str | None, wait: timedelta | None
) -> None:
    twilio.failures, twilio.retry_after = [(429, 20429)], header

    with pytest.raises(TooFast) as raised:
        gateway(twilio.address).send_sms(SMS)

    assert raised.value.retry_after == wait


def test_an_answer_that_never_comes_is_unknown_and_can_be_looked_up(twilio: FakeTwilio) -> None:
    twilio.failures = [(0, 0)]
    impatient = gateway(twilio.address, timeout_seconds=0.3)

    with pytest.raises(OutcomeUnknown):
        impatient.send_sms(SMS)
    twilio.release.set()

    found = impatient.find_sms(SMS, since=LONG_AGO, not_these=[])
    assert found is not None
    assert found.provider_id == twilio.messages[0]["sid"]


def test_looking_up_passes_over_other_texts_and_those_already_known(twilio: FakeTwilio) -> None:
    carrier = gateway(twilio.address)
    first = carrier.send_sms(SMS)

    other = OutboundSms(8, SMS.to, "Something else.")

    assert carrier.find_sms(SMS, since=LONG_AGO, not_these=[first.provider_id]) is None
    assert carrier.find_sms(other, since=LONG_AGO, not_these=[]) is None


def test_a_list_that_lags_shows_a_text_later(twilio: FakeTwilio) -> None:
    carrier = gateway(twilio.address)
    receipt = carrier.send_sms(SMS)
    twilio.unlisted = 1

    assert carrier.find_sms(SMS, since=LONG_AGO, not_these=[]) is None
    twilio.unlisted = 0

    assert carrier.find_sms(SMS, since=LONG_AGO, not_these=[]) == receipt


@pytest.mark.parametrize("is_sent", [True, False])
def test_a_text_is_found_on_a_later_page_sent_or_still_waiting(
    twilio: FakeTwilio, *, is_sent: bool
) -> None:
    carrier = gateway(twilio.address)
    receipt = carrier.send_sms(SMS)
    if not is_sent:
        twilio.messages[0]["date_sent"] = None
    for number in range(230):
        carrier.send_sms(OutboundSms(100 + number, SMS.to, f"Something else {number}."))
    twilio.pages_read = 0

    assert carrier.find_sms(SMS, since=LONG_AGO, not_these=[]) == receipt
    assert twilio.pages_read == (3 if is_sent else 6)


def test_what_was_sent_before_is_another_text(twilio: FakeTwilio) -> None:
    carrier = gateway(twilio.address)
    carrier.send_sms(SMS)
    twilio.messages[0]["date_created"] = twilio.messages[0]["date_sent"] = format_datetime(
        utc_now() - timedelta(days=3)
    )

    assert carrier.find_sms(SMS, since=utc_now() - timedelta(days=1), not_these=[]) is None


@pytest.mark.parametrize(
    "changed",
    [
        "Sent from your Twilio trial account - Cedar Creek Clinic: Ana will call.",
        "Cedar Creek Clinic: Ana will call. ",
        "Cedar Creek Clinic:\u00a0Ana will call.",
        "Cedar Creek Clinic: Ana will call.\r\n",
    ],
)
def test_a_text_is_found_though_its_words_were_changed_on_the_way(
    twilio: FakeTwilio, changed: str
) -> None:
    carrier = gateway(twilio.address)
    receipt = carrier.send_sms(SMS)
    twilio.messages[0]["body"] = changed

    assert carrier.find_sms(SMS, since=LONG_AGO, not_these=[]) == receipt


def test_a_list_without_words_can_not_tell(twilio: FakeTwilio) -> None:
    carrier = gateway(twilio.address)
    carrier.send_sms(SMS)
    twilio.messages[0]["body"] = ""

    with pytest.raises(ProviderUnavailable):
        carrier.find_sms(SMS, since=LONG_AGO, not_these=[])


def test_the_list_after_a_restore_has_every_page(twilio: FakeTwilio) -> None:
    carrier = gateway(twilio.address)
    for number in range(230):
        carrier.send_sms(OutboundSms(number, SMS.to, f"Cedar Creek Clinic: {number}."))
    newest_first = [each["sid"] for each in twilio.messages]
    twilio.pages_read = 0

    listed = carrier.list_sms(since=LONG_AGO)

    assert [each.provider_id for each in listed] == newest_first
    assert twilio.pages_read == 3
    assert (listed[0].to, listed[0].body) == (SMS.to, "Cedar Creek Clinic: 229.")
    assert listed[0].at == parsedate_to_datetime(twilio.messages[0]["date_created"])


def test_the_list_after_a_restore_ends_where_the_backup_was_made(twilio: FakeTwilio) -> None:
    carrier = gateway(twilio.address)
    for number in range(230):
        carrier.send_sms(OutboundSms(number, SMS.to, f"Cedar Creek Clinic: {number}."))
    for older in twilio.messages[90:]:
        older["date_created"] = format_datetime(utc_now() - timedelta(days=3))
    twilio.pages_read = 0

    assert len(carrier.list_sms(since=utc_now() - timedelta(days=1))) == 90
    assert twilio.pages_read == 1


@pytest.mark.parametrize(
    ("deviations", "listed"),
    [
        ({"status": "failed", "error_code": 30006}, 0),
        ({"status": "undelivered", "error_code": 30003}, 0),
        ({"status": "canceled"}, 0),
        ({"status": "failed", "body": ""}, 0),
        ({"status": "received", "direction": "inbound"}, 0),
        ({"status": "delivered"}, 1),
        ({"status": "scheduled"}, 1),
        ({"status": "partially_delivered"}, 1),
        ({"direction": "outbound-reply"}, 1),
    ],
)
def test_what_did_not_arrive_and_what_came_in_are_no_texts_of_ours(
    twilio: FakeTwilio, deviations: dict[str, object], listed: int
) -> None:
    carrier = gateway(twilio.address)
    carrier.send_sms(SMS)
    twilio.messages[0] |= deviations

    assert len(carrier.list_sms(since=LONG_AGO)) == listed


@pytest.mark.parametrize("missing", ["date_created", "body"])
def test_a_list_that_can_not_tell_is_no_list(twilio: FakeTwilio, missing: str) -> None:
    """One text without a time must not hide those that are older."""
    carrier = gateway(twilio.address)
    carrier.send_sms(SMS)
    twilio.messages[0][missing] = None

    with pytest.raises(ProviderUnavailable):
        carrier.list_sms(since=LONG_AGO)


@pytest.mark.parametrize("status", [401, 429, 500, 503])
@pytest.mark.parametrize("page", [0, 1])
def test_a_list_with_a_page_missing_is_no_list(twilio: FakeTwilio, status: int, page: int) -> None:
    carrier = gateway(twilio.address)
    for number in range(101):
        carrier.send_sms(OutboundSms(number, SMS.to, f"Cedar Creek Clinic: {number}."))

    twilio.list_failures = [200] * page + [status]
    with pytest.raises(ProviderUnavailable):
        carrier.list_sms(since=LONG_AGO)
    twilio.list_failures = [200] * page + [status]
    with pytest.raises(ProviderUnavailable):
        carrier.find_sms(SMS, since=LONG_AGO, not_these=[])


def test_no_list_where_nobody_is_at_the_address() -> None:
    with pytest.raises(ProviderUnavailable):
        gateway("http://127.0.0.1:9").list_sms(since=LONG_AGO)


def test_nobody_at_the_address_means_certainly_not_sent() -> None:
    with pytest.raises(ProviderUnavailable) as raised:
        gateway("http://127.0.0.1:9").send_sms(SMS)

    assert not isinstance(raised.value, OutcomeUnknown)


URL = "https://outreach.example/webhooks/sms-status/7"
PARAMETERS = {"MessageSid": "SM1", "MessageStatus": "delivered", "NewOne": "added without notice"}


def signed(parameters: dict[str, str], url: str = URL) -> SignedRequest:
    signature = RequestValidator("secret").compute_signature(url, parameters)
    return SignedRequest(URL, {name: [value] for name, value in parameters.items()}, signature)


def test_a_signed_report_is_read() -> None:
    report = gateway("http://127.0.0.1:9").read_report(signed(PARAMETERS))

    assert (report.provider_id, report.status) == ("SM1", DeliveryStatus.DELIVERED)


def test_a_report_of_error_21610_is_an_opt_out() -> None:
    parameters = PARAMETERS | {"MessageStatus": "failed", "ErrorCode": "21610"}

    assert gateway("http://127.0.0.1:9").read_report(signed(parameters)).is_opt_out


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(
            SignedRequest(URL, {"MessageSid": ["SM1"], "MessageStatus": ["sent"]}, "forged"),
            id="forged",
        ),
        pytest.param(SignedRequest(URL, {}, ""), id="empty"),
        pytest.param(signed(PARAMETERS, URL.replace("https", "http")), id="another address"),
        pytest.param(
            SignedRequest(
                URL,
                {name: [value, "again"] for name, value in PARAMETERS.items()},
                signed(PARAMETERS).signature,
            ),
            id="a parameter repeated",
        ),
    ],
)
def test_a_report_whose_signature_does_not_fit_is_refused(request_: SignedRequest) -> None:
    with pytest.raises(BadSignature):
        gateway("http://127.0.0.1:9").read_report(request_)


def test_the_lookup_asks_for_texts_since_we_asked(twilio: FakeTwilio) -> None:
    carrier = gateway(twilio.address)
    carrier.send_sms(SMS)

    since = utc_now() - timedelta(minutes=1)

    assert carrier.find_sms(SMS, since=since, not_these=[]) is not None
