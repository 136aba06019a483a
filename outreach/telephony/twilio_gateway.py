"""Twilio, by its official client. Its words occur in the twilio_* files and twiml.py only."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from requests.exceptions import RequestException
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from config import TwilioAccount
from outreach import traces
from outreach.errors import ProviderUnavailable
from outreach.telephony import bodies, twiml
from outreach.telephony.gateway import (
    Answer,
    BadSignature,
    CallPicture,
    DeliveryReport,
    DeliveryStatus,
    InboundSms,
    ListedSms,
    OutboundCall,
    OutboundSms,
    ProviderReceipt,
    SignedRequest,
    TooFast,
    VoiceNews,
)
from outreach.telephony.twilio_errors import (
    NO_LIST,
    OPTED_OUT,
    TOO_MANY,
    UNREACHABLE,
    retry_after,
    translated,
)
from outreach.telephony.twilio_inbound import text_of
from outreach.telephony.twilio_voice import TwilioVoice, news_of

_PAGE = 100  # texts to one number in one answer

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
_NOT_ARRIVED = frozenset({DeliveryStatus.UNDELIVERED, DeliveryStatus.FAILED})


class _RedirectedHttpClient(TwilioHttpClient):
    """Send every request to one base address, so that a mock can stand in for Twilio."""

    def __init__(self, base_url: str | None, timeout_seconds: float) -> None:
        super().__init__(timeout=timeout_seconds)
        self._base = urlsplit(base_url) if base_url else None

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        if self._base:
            parts = urlsplit(url)
            url = urlunsplit((self._base.scheme, self._base.netloc, parts.path, parts.query, ""))
        with traces.span("ask the carrier", "client"):
            response = super().request(method, url, *args, **kwargs)
            traces.describe({"http.response.status_code": response.status_code})
        if response.status_code == TOO_MANY:  # the client's own error forgets the headers
            raise TooFast(str(TOO_MANY), retry_after(response.headers or {}))
        return response


class TwilioGateway:
    """Texts and calls through one Twilio account."""

    name = "twilio"
    can_call = True

    def __init__(self, account: TwilioAccount, public_url: str) -> None:
        self._account = account
        self._public_url = public_url
        self._client = Client(
            account.account_sid,
            account.auth_token,
            http_client=_RedirectedHttpClient(account.base_url, account.timeout_seconds),
        )
        self._validator = RequestValidator(account.auth_token)
        self._voice = TwilioVoice(self._client, public_url)

    def send_sms(self, sms: OutboundSms) -> ProviderReceipt:
        """Hand one text to Twilio; its reports come to an address that carries our id."""
        callback = f"{self._public_url}/webhooks/sms-status/{sms.reference}#rc=3&rp=all"
        try:
            taken = self._client.messages.create(
                to=sms.to, body=sms.body, status_callback=callback, **self._sender(sms)
            )
        except (TwilioRestException, RequestException) as error:
            raise translated(error) from error
        return ProviderReceipt(str(taken.sid))

    def find_sms(
        self, sms: OutboundSms, *, since: datetime, not_these: Collection[str]
    ) -> ProviderReceipt | None:
        """Look through Twilio's list for the same body to the same number.

        Twilio takes no idempotency key, so this is how a lost answer is settled. What was
        sent since then is asked for page by page. That filter is by the date of sending: it
        may leave out what Twilio has taken and not sent yet, so the list is read without it
        too, down to what is older.
        """
        try:
            return self._found(sms, since, not_these, date_sent_after=since) or self._found(
                sms, since, not_these
            )
        except NO_LIST as error:
            raise ProviderUnavailable(type(error).__name__) from error

    def _found(
        self, sms: OutboundSms, since: datetime, not_these: Collection[str], **filters: datetime
    ) -> ProviderReceipt | None:
        """Return the text among the pages of one listing, as of :meth:`find_sms`."""
        is_hidden = False
        for message in self._client.messages.stream(to=sms.to, page_size=_PAGE, **filters):
            if message.date_created is not None and message.date_created < since:
                if not filters:  # newest first: all that follow are older
                    break
                continue
            if message.sid in not_these:
                continue
            if bodies.is_same(sms.body, message.body or ""):
                return ProviderReceipt(str(message.sid))
            is_hidden = is_hidden or not message.body
        if is_hidden:  # an account may keep no words: then nobody can tell which text it was
            raise ProviderUnavailable("the list shows no words")
        return None

    def list_sms(self, *, since: datetime) -> list[ListedSms]:
        """Read Twilio's list, newest first, down to what is older than ``since``.

        A text that Twilio says did not arrive is none: it may go out again.
        """
        found = []
        try:
            for message in self._client.messages.stream(page_size=_PAGE):
                at = message.date_created
                if at is None:
                    raise ProviderUnavailable("the list shows no time")
                if at < since:
                    break
                is_ours = str(message.direction).startswith("outbound")
                if not is_ours or _STATUS.get(str(message.status)) in _NOT_ARRIVED:
                    continue
                if not message.body:
                    raise ProviderUnavailable("the list shows no words")
                found.append(ListedSms(str(message.sid), str(message.to), message.body, at))
        except NO_LIST as error:
            raise ProviderUnavailable(type(error).__name__) from error
        return found

    def read_report(self, request: SignedRequest) -> DeliveryReport:
        """Check Twilio's signature over every parameter, then translate."""
        parameters = self._checked(request)
        status = _STATUS.get(parameters.first("MessageStatus"))
        if status is None:
            raise BadSignature("The report has no status that we know.")
        digits = parameters.first("ErrorCode")
        code = int(digits) if digits.isascii() and digits.isdigit() else None
        return DeliveryReport(
            parameters.first("MessageSid")[:64],
            status,
            code,
            is_opt_out=code == OPTED_OUT,
            is_unreachable=code in UNREACHABLE,
        )

    def read_inbound(self, request: SignedRequest) -> InboundSms:
        """Check Twilio's signature, and that it is about our account; then translate."""
        parameters = self._checked(request)
        if parameters.first("AccountSid") != self._account.account_sid:
            raise BadSignature("This is about another account.")
        return text_of(parameters)

    def place_call(self, call: OutboundCall) -> ProviderReceipt:
        """Ring one of the staff."""
        return self._voice.place(call)

    def find_call(
        self, call: OutboundCall, *, since: datetime, not_these: Collection[str]
    ) -> ProviderReceipt | None:
        """Look through Twilio's list of calls: it takes no idempotency key for these either."""
        return self._voice.find(call, since=since, not_these=not_these)

    def look_up_call(self, provider_id: str) -> CallPicture | None:
        """Return a call as Twilio has it now."""
        return self._voice.look_up(provider_id)

    def hang_up(self, provider_id: str) -> None:
        """End a call."""
        self._voice.hang_up(provider_id)

    def read_voice(self, request: SignedRequest) -> VoiceNews:
        """Check Twilio's signature, and that it is about our account; then translate."""
        parameters = self._checked(request)
        if parameters.first("AccountSid") != self._account.account_sid:
            raise BadSignature("This is about another account.")
        return news_of(parameters)

    def document(self, answer: Answer) -> str:
        """Return ``answer`` as TwiML."""
        return twiml.written(answer, self._public_url)

    def _checked(self, request: SignedRequest) -> "_Parameters":
        """Return the parameters of a call that Twilio signed, over every one of them."""
        parameters = _Parameters(request.parameters)
        if not self._validator.validate(request.url, parameters, request.signature):
            raise BadSignature("The signature does not match.")
        return parameters

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
