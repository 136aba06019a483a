"""Stand-ins for what lies outside the process: time and the telephone company."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from outreach.errors import OutreachError
from outreach.telephony.gateway import (
    BadSignature,
    DeliveryReport,
    DeliveryStatus,
    OutboundSms,
    OutcomeUnknown,
    ProviderReceipt,
    SignedRequest,
)

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

    ``troubles`` are raised, in order, by the next sends. An OutcomeUnknown among them has
    taken the text if ``takes_unknown`` is set, as a carrier whose answer got lost has; any
    other exception is the end of our own process right after the carrier took it.
    """

    clock: FakeClock
    name: str = "fake"
    taken: list[tuple[datetime, OutboundSms]] = field(default_factory=list)
    troubles: list[BaseException] = field(default_factory=list)
    takes_unknown: bool = True

    @property
    def sent(self) -> list[OutboundSms]:
        return [sms for _at, sms in self.taken]

    def send_sms(self, sms: OutboundSms) -> ProviderReceipt:
        trouble = self.troubles.pop(0) if self.troubles else None
        is_lost = isinstance(trouble, OutcomeUnknown) and self.takes_unknown
        if trouble is None or is_lost or not isinstance(trouble, OutreachError):
            self.taken.append((self.clock(), sms))
        if trouble is not None:
            raise trouble
        return ProviderReceipt(f"SM{sms.reference:032d}")

    def find_sms(
        self, sms: OutboundSms, *, since: datetime, not_these: Collection[str]
    ) -> ProviderReceipt | None:
        for at, taken in self.taken:
            found = f"SM{taken.reference:032d}"
            is_same = (taken.to, taken.body) == (sms.to, sms.body)
            if is_same and at >= since and found not in not_these:
                return ProviderReceipt(found)
        return None

    def read_report(self, request: SignedRequest) -> DeliveryReport:
        if request.signature != "valid":
            raise BadSignature("The signature does not match.")
        code = request.parameters.get("ErrorCode", [""])[0]
        return DeliveryReport(
            request.parameters["MessageSid"][0],
            DeliveryStatus(request.parameters["MessageStatus"][0]),
            int(code) if code else None,
        )
