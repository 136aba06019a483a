"""Twilio, by its official client. Its words and error codes occur in this file only."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from requests.exceptions import ConnectTimeout, RequestException
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from urllib3.exceptions import NewConnectionError

from config import TwilioAccount
from outreach.errors import ProviderUnavailable
from outreach.telephony.gateway import (
    BadSignature,
    DeliveryReport,
    DeliveryStatus,
    InvalidRecipient,
    OptedOut,
    OutboundSms,
    OutcomeUnknown,
    ProviderReceipt,
    Refused,
    SignedRequest,
    TooFast,
)

_OPTED_OUT = 21610
_BAD_NUMBERS = frozenset({21211, 21214, 21217, 21401, 21407, 21421, 21601, 21612, 21614})
_TOO_MANY = 429
_SERVER_FAULT = 500

_STATUS = {
    "accepted": DeliveryStatus.ACCEPTED,
    "scheduled": DeliveryStatus.ACCEPTED,
    "queued": DeliveryStatus.ACCEPTED,
    "sending": DeliveryStatus.ACCEPTED,
    "sent": DeliveryStatus.SENT,
    "delivered": DeliveryStatus.DELIVERED,
    "read": DeliveryStatus.DELIVERED,
    "undelivered": DeliveryStatus.UNDELIVERED,
    "failed": DeliveryStatus.FAILED,
    "canceled": DeliveryStatus.FAILED,
}


class _RedirectedHttpClient(TwilioHttpClient):
    """Send every request to one base address, so that a mock can stand in for Twilio."""

    def __init__(self, base_url: str | None, timeout_seconds: float) -> None:
        super().__init__(timeout=timeout_seconds)
        self._base = urlsplit(base_url) if base_url else None

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        if self._base:
            parts = urlsplit(url)
            url = urlunsplit((self._base.scheme, self._base.netloc, parts.path, parts.query, ""))
        return super().request(method, url, *args, **kwargs)


class TwilioGateway:
    """Texts through one Twilio account."""

    name = "twilio"

    def __init__(self, account: TwilioAccount, public_url: str) -> None:
        self._account = account
        self._public_url = public_url
        self._client = Client(
            account.account_sid,
            account.auth_token,
            http_client=_RedirectedHttpClient(account.base_url, account.timeout_seconds),
        )
        self._validator = RequestValidator(account.auth_token)

    def send_sms(self, sms: OutboundSms) -> ProviderReceipt:
        """Hand one text to Twilio; its reports come to an address that carries our id."""
        callback = f"{self._public_url}/webhooks/sms-status/{sms.reference}#rc=3&rp=all"
        try:
            taken = self._client.messages.create(
                to=sms.to, body=sms.body, status_callback=callback, **self._sender(sms)
            )
        except TwilioRestException as error:
            raise _translated(error) from error
        except RequestException as error:
            raise _unanswered(error) from error
        return ProviderReceipt(str(taken.sid))

    def find_sms(
        self, sms: OutboundSms, *, since: datetime, not_these: Collection[str]
    ) -> ProviderReceipt | None:
        """Look through Twilio's list for the same body to the same number.

        Twilio takes no idempotency key, so this is how a lost answer is settled. Its filter
        by date sent would leave out what it has taken and not sent yet, so the date of
        creation is compared here.
        """
        try:
            sent = self._client.messages.list(to=sms.to, limit=50)
        except (TwilioRestException, RequestException) as error:
            raise ProviderUnavailable(type(error).__name__) from error
        for message in sent:
            is_since = message.date_created is None or message.date_created >= since
            if message.body == sms.body and is_since and message.sid not in not_these:
                return ProviderReceipt(str(message.sid))
        return None

    def read_report(self, request: SignedRequest) -> DeliveryReport:
        """Check Twilio's signature over every parameter, then translate."""
        parameters = _Parameters(request.parameters)
        if not self._validator.validate(request.url, parameters, request.signature):
            raise BadSignature("The signature does not match.")
        status = _STATUS.get(parameters.first("MessageStatus"))
        if status is None:
            raise BadSignature("The report has no status that we know.")
        digits = parameters.first("ErrorCode")
        code = int(digits) if digits.isascii() and digits.isdigit() else None
        return DeliveryReport(
            parameters.first("MessageSid")[:64], status, code, is_opt_out=code == _OPTED_OUT
        )

    def _sender(self, sms: OutboundSms) -> dict[str, Any]:
        sender = sms.sender or self._account.sender
        if sender.startswith("MG"):
            return {"messaging_service_sid": sender}
        return {"from_": sender}


class _Parameters(dict[str, list[str]]):
    """Form parameters in the shape Twilio's validator reads: all values of each name."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__({name: list(given) for name, given in values.items()})

    def getlist(self, name: str) -> list[str]:
        return self[name]

    def first(self, name: str) -> str:
        return self.get(name, [""])[0]


def _translated(error: TwilioRestException) -> Exception:
    if error.code == _OPTED_OUT:
        return OptedOut(str(error.code))
    if error.code in _BAD_NUMBERS:
        return InvalidRecipient(str(error.code))
    if error.status == _TOO_MANY:
        return TooFast(str(error.code))
    if error.status >= _SERVER_FAULT:
        return OutcomeUnknown(str(error.status))
    return Refused(str(error.code))


def _unanswered(error: RequestException) -> Exception:
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(error, ConnectTimeout) or isinstance(reason, NewConnectionError):
        return ProviderUnavailable(type(error).__name__)
    return OutcomeUnknown(type(error).__name__)
