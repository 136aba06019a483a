"""The outside world of telephones as values and one Protocol. Nothing here does anything."""

import enum
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
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


@dataclass(frozen=True)
class ListedSms:
    """One text that the provider took from us, as its list shows it."""

    provider_id: str
    to: str
    body: str
    at: datetime


class DeliveryStatus(enum.StrEnum):
    """What a provider says became of a text."""

    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"


@dataclass(frozen=True)
class DeliveryReport:
    """One report about one text; reports come in any order and more than once.

    ``is_unreachable``: no telephone that takes texts was found at the number.
    """

    provider_id: str
    status: DeliveryStatus
    error_code: int | None = None
    is_opt_out: bool = False
    is_unreachable: bool = False


@dataclass(frozen=True)
class InboundSms:
    """One text that came in, as the provider hands it over; it may do so more than once.

    ``service`` is the pool of numbers that it came through, if any. ``is_answered``: the
    provider has answered it by itself, as it does with STOP. ``taken_as``: "stop", "start" or
    "help" where it has acted on it so, whatever the words are. ``attachments`` are counted.
    """

    provider_id: str
    from_number: str
    to_number: str
    body: str
    service: str = ""
    attachments: int = 0
    is_answered: bool = False
    taken_as: str = ""


class Leg(enum.StrEnum):
    """Which of the two telephones of one call a report is about."""

    STAFF = "staff"
    PATIENT = "patient"


class LegStatus(enum.StrEnum):
    """How far one telephone of a call has come. NONE: nobody has rung it yet."""

    NONE = "none"
    INITIATED = "initiated"
    RINGING = "ringing"
    ANSWERED = "answered"
    COMPLETED = "completed"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing follows any more."""
        return self not in _UNDER_WAY


_UNDER_WAY = (LegStatus.NONE, LegStatus.INITIATED, LegStatus.RINGING, LegStatus.ANSWERED)


class AnsweredBy(enum.StrEnum):
    """Who or what picked up, as far as the provider can tell."""

    HUMAN = "human"
    MACHINE = "machine"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class OutboundCall:
    """A call to one of the staff, who is then put through. ``shown`` is what both see.

    ``reference`` is our id of the call; numbers are E.164.
    """

    reference: int
    to: str
    shown: str


@dataclass(frozen=True)
class LegNews:
    """What a provider says about one telephone of a call, once or again, in any order.

    ``at`` is when it happened by the provider's clock, ``began_at`` when it was picked up.
    """

    provider_id: str
    status: LegStatus
    sequence: int | None = None
    at: datetime | None = None
    seconds: int | None = None
    began_at: datetime | None = None


@dataclass(frozen=True)
class VoiceNews:
    """One signed webhook call about a call: which one, and what it tells or asks.

    ``dialled`` is the other telephone, where the provider tells how dialling it ended;
    ``key`` the digit somebody pressed.
    """

    leg: LegNews | None
    dialled: LegNews | None
    provider_id: str
    from_number: str
    to_number: str
    key: str
    answered_by: AnsweredBy | None


@dataclass(frozen=True)
class CallPicture:
    """A call as the provider has it now: the telephone it rang first, and the other one."""

    first: LegNews
    second: LegNews | None


@dataclass(frozen=True)
class Words:
    """Something that a machine says aloud, in one language."""

    text: str
    language: str


@dataclass(frozen=True)
class AskForKey:
    """Say ``words`` and wait for a key; whoever presses none is not a person at the telephone."""

    reference: int
    words: Words


@dataclass(frozen=True)
class Connect:
    """Ring ``to`` as well, showing ``shown``, and let the two talk.

    ``leg`` is whom that rings. One of the staff has to press a key before they are put
    through, so that their own voicemail never is.
    """

    reference: int
    to: str
    shown: str
    leg: Leg


@dataclass(frozen=True)
class End:
    """Say ``words``, if any, and hang up."""

    words: Words | None = None


@dataclass(frozen=True)
class LetTalk:
    """Nothing to say: the two are put through."""


Answer = AskForKey | Connect | End | LetTalk


@dataclass(frozen=True)
class SignedRequest:
    """A webhook call as received: every parameter with all its values."""

    url: str
    parameters: Mapping[str, Sequence[str]]
    signature: str


class OutcomeUnknown(ProviderUnavailable):
    """We asked and got no answer: it may have gone out. Look before trying again."""


class TooFast(ProviderUnavailable):
    """The provider refused before acting because we ask too often.

    ``retry_after``: how long it asked us to wait, where it said so.
    """

    def __init__(self, reason: str, retry_after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


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
    can_call: bool

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

        ``not_these`` are provider ids that belong to other texts to the same number. Bodies
        are compared as :func:`bodies.is_same` does: carriers change them.

        Raises:
            ProviderUnavailable: the list can't be had, or can't tell.
        """
        ...

    def list_sms(self, *, since: datetime) -> Sequence[ListedSms]:
        """Return every text that the provider took from us at or after ``since``.

        Raises:
            ProviderUnavailable: the list can't be had, or can't tell.
        """
        ...

    def read_report(self, request: SignedRequest) -> DeliveryReport:
        """Return the news in a webhook call, or raise BadSignature."""
        ...

    def read_inbound(self, request: SignedRequest) -> InboundSms:
        """Return the text in a webhook call, or raise BadSignature."""
        ...

    def place_call(self, call: OutboundCall) -> ProviderReceipt:
        """Ring one of the staff; raises as :meth:`send_sms` does."""
        ...

    def find_call(
        self, call: OutboundCall, *, since: datetime, not_these: Collection[str]
    ) -> ProviderReceipt | None:
        """Return the receipt of ``call`` if the provider took it at or after ``since``."""
        ...

    def look_up_call(self, provider_id: str) -> CallPicture | None:
        """Return how far a call has come, None where the provider knows no such call.

        Raises:
            ProviderUnavailable: no answer; ask again later.
        """
        ...

    def hang_up(self, provider_id: str) -> None:
        """End a call for both sides; one that is over already stays so.

        Raises:
            ProviderUnavailable: no answer; it may go on.
        """
        ...

    def read_voice(self, request: SignedRequest) -> VoiceNews:
        """Return what a webhook call about a call says, or raise BadSignature."""
        ...

    def document(self, answer: Answer) -> str:
        """Return ``answer`` as the provider reads it."""
        ...
