"""The outside world of telephones as values and one Protocol. Nothing here does anything."""

import enum
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from outreach.errors import NotAllowed, OutreachError, ProviderUnavailable


@dataclass(frozen=True)
class OutboundSms:
    """One text to hand over. ``reference`` is our message id; numbers are E.164."""

    reference: int
    to: str
    body: str
    sender: str | None = None


@dataclass(frozen=True)
class ProviderReceipt:
    """The provider took it and calls it ``provider_id``."""

    provider_id: str


class DeliveryStatus(enum.StrEnum):
    """What a provider says became of a text."""

    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"


@dataclass(frozen=True)
class DeliveryReport:
    """One report about one text; reports come in any order and more than once."""

    provider_id: str
    status: DeliveryStatus
    error_code: int | None = None
    is_opt_out: bool = False


@dataclass(frozen=True)
class SignedRequest:
    """A webhook call as received: every parameter with all its values."""

    url: str
    parameters: Mapping[str, Sequence[str]]
    signature: str


class OutcomeUnknown(ProviderUnavailable):
    """We asked and got no answer: it may have gone out. Look before trying again."""


class TooFast(ProviderUnavailable):
    """The provider refused before acting because we ask too often."""


class InvalidRecipient(OutreachError):
    """The number cannot receive texts; retrying never helps."""


class OptedOut(OutreachError):
    """The provider knows that this number said stop."""


class Refused(OutreachError):
    """The provider will not take this text; somebody has to change a setting."""


class BadSignature(NotAllowed):
    """The webhook call does not come from the provider."""


class TelephonyGateway(Protocol):
    """A telephone company, both directions. Implementations leak none of their own errors."""

    name: str

    def send_sms(self, sms: OutboundSms) -> ProviderReceipt:
        """Hand one text over.

        Raises:
            OutcomeUnknown: it may or may not have gone out.
            ProviderUnavailable: it has not gone out; retrying may help.
            InvalidRecipient, OptedOut, Refused: it has not, and retrying does not help.
        """
        ...

    def find_sms(
        self, sms: OutboundSms, *, since: datetime, not_these: Collection[str]
    ) -> ProviderReceipt | None:
        """Return the receipt of ``sms`` if the provider took it at or after ``since``.

        ``not_these`` are provider ids that belong to other texts to the same number.
        """
        ...

    def read_report(self, request: SignedRequest) -> DeliveryReport:
        """Return the news in a webhook call, or raise BadSignature."""
        ...
