"""Texts that come in, as Twilio tells of them: https://www.twilio.com/docs/messaging/guides/webhook-request."""

from collections.abc import Mapping, Sequence

from outreach.telephony.gateway import InboundSms

# What Twilio acts on and answers by itself where nothing else is set up, alone in a text.
# Source: domain.md D, Twilio default keywords.
_ANSWERED = frozenset(
    {
        "stop", "stopall", "unsubscribe", "end", "quit", "cancel", "revoke", "optout",
        "start", "yes", "unstop", "help", "info",
    }
)  # fmt: skip
_LONGEST = 20_000
_DIGITS = 3


def text_of(parameters: Mapping[str, Sequence[str]]) -> InboundSms:
    """Return what Twilio's parameters tell. Whatever is odd or new in them is passed over.

    No database takes a NUL: it becomes the sign for a character that can't be shown.
    """

    def first(name: str) -> str:
        return next(iter(parameters.get(name, ())), "").replace("\x00", "\ufffd")

    body, attachments = first("Body")[:_LONGEST], first("NumMedia")
    is_count = attachments.isascii() and attachments.isdigit() and len(attachments) <= _DIGITS
    return InboundSms(
        provider_id=(first("MessageSid") or first("SmsSid"))[:64],
        from_number=first("From")[:40],
        to_number=first("To")[:40],
        body=body,
        service=first("MessagingServiceSid")[:40],
        attachments=int(attachments) if is_count else 0,
        # Words that an account adds to the carrier's own are known to the carrier alone:
        # https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out
        taken_as=first("OptOutType").casefold()[:10],
        is_answered=bool(first("OptOutType")) or body.strip().casefold() in _ANSWERED,
    )
