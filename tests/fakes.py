"""Stand-ins for what lies outside the process: time and the telephone company."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from outreach.errors import OutreachError, ProviderUnavailable
from outreach.telephony import twiml
from outreach.telephony.gateway import (
    Answer,
    BadSignature,
    CallPicture,
    DeliveryReport,
    DeliveryStatus,
    InboundSms,
    LegNews,
    LegStatus,
    ListedSms,
    OutboundCall,
    OutboundSms,
    OutcomeUnknown,
    ProviderReceipt,
    SignedRequest,
    VoiceNews,
)
from outreach.telephony.twilio_inbound import text_of
from outreach.telephony.twilio_voice import news_of

PUBLIC_URL = "https://outreach.example"

# A Monday, 10 in the morning in Chicago.
MONDAY_10_CHICAGO = datetime(2026, 11, 23, 16, tzinfo=UTC)


class FakeClock:
    """A clock that stands still until told otherwise."""

    def __init__(self, now: datetime = MONDAY_10_CHICAGO) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


@dataclass
class FakeGateway:
    """A carrier that keeps what it was given and fails when told to.

    ``troubles`` are raised, in order, by the next sends and calls. An OutcomeUnknown among them has
    taken the text if ``takes_unknown`` is set, as a carrier whose answer got lost has; any
    other exception is the end of our own process right after the carrier took it.
    """

    clock: FakeClock
    name: str = "fake"
    taken: list[tuple[datetime, OutboundSms]] = field(default_factory=list)
    troubles: list[BaseException] = field(default_factory=list)
    takes_unknown: bool = True
    can_call: bool = True
    placed: list[tuple[datetime, OutboundCall]] = field(default_factory=list)
    pictures: dict[str, CallPicture] = field(default_factory=dict)
    hung_up: list[str] = field(default_factory=list)
    silent: bool = False  # looking up and hanging up get no answer

    @property
    def sent(self) -> list[OutboundSms]:
        return [sms for _at, sms in self.taken]

    def send_sms(self, sms: OutboundSms) -> ProviderReceipt:
        self._take(lambda: self.taken.append((self.clock(), sms)))
        return ProviderReceipt(f"SM{sms.reference:032d}")

    def find_sms(
        self, sms: OutboundSms, *, since: datetime, not_these: Collection[str]
    ) -> ProviderReceipt | None:
        self._answer()
        for at, taken in self.taken:
            found = f"SM{taken.reference:032d}"
            is_same = (taken.to, taken.body) == (sms.to, sms.body)
            if is_same and at >= since and found not in not_these:
                return ProviderReceipt(found)
        return None

    def list_sms(self, *, since: datetime) -> list[ListedSms]:
        self._answer()
        return [
            ListedSms(f"SM{sms.reference:032d}", sms.to, sms.body, at)
            for at, sms in self.taken
            if at >= since
        ]

    def read_report(self, request: SignedRequest) -> DeliveryReport:
        if request.signature != "valid":
            raise BadSignature("The signature does not match.")
        code = request.parameters.get("ErrorCode", [""])[0]
        return DeliveryReport(
            request.parameters["MessageSid"][0],
            DeliveryStatus(request.parameters["MessageStatus"][0]),
            int(code) if code else None,
        )

    def read_inbound(self, request: SignedRequest) -> InboundSms:
        if request.signature != "valid":
            raise BadSignature("The signature does not match.")
        return text_of(request.parameters)

    def place_call(self, call: OutboundCall) -> ProviderReceipt:
        self._take(lambda: self.placed.append((self.clock(), call)))
        return ProviderReceipt(call_sid(call.reference))

    def find_call(
        self, call: OutboundCall, *, since: datetime, not_these: Collection[str]
    ) -> ProviderReceipt | None:
        self._answer()
        for at, placed in self.placed:
            found = call_sid(placed.reference)
            is_same = (placed.to, placed.shown) == (call.to, call.shown)
            if is_same and at >= since and found not in not_these:
                return ProviderReceipt(found)
        return None

    def look_up_call(self, provider_id: str) -> CallPicture | None:
        self._answer()
        if provider_id in self.pictures:
            return self.pictures[provider_id]
        known = [call_sid(call.reference) for _at, call in self.placed]
        ringing = CallPicture(LegNews(provider_id, LegStatus.RINGING), None)
        return ringing if provider_id in known else None

    def hang_up(self, provider_id: str) -> None:
        self._answer()
        self.hung_up.append(provider_id)

    def read_voice(self, request: SignedRequest) -> VoiceNews:
        if request.signature != "valid":
            raise BadSignature("The signature does not match.")
        return news_of(request.parameters)

    def document(self, answer: Answer) -> str:
        return twiml.written(answer, PUBLIC_URL)

    def _answer(self) -> None:
        if self.silent:
            raise ProviderUnavailable("no connection")

    def _take(self, keep: Callable[[], None]) -> None:
        """Keep what is handed over, or fail as told to; or both, as carriers do."""
        trouble = self.troubles.pop(0) if self.troubles else None
        is_lost = isinstance(trouble, OutcomeUnknown) and self.takes_unknown
        if trouble is None or is_lost or not isinstance(trouble, OutreachError):
            keep()
        if trouble is not None:
            raise trouble


def call_sid(reference: int) -> str:
    """Return what the fake carrier calls the call with our id ``reference``."""
    return f"CA{reference:032x}"
