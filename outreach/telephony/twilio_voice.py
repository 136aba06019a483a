"""Calls through Twilio: placing, finding and ending them, and what it tells about them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from requests.exceptions import RequestException
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from outreach.errors import ProviderUnavailable
from outreach.telephony.gateway import (
    AnsweredBy,
    CallPicture,
    LegNews,
    LegStatus,
    OutboundCall,
    ProviderReceipt,
    VoiceNews,
)
from outreach.telephony.twilio_errors import NO_LIST, NOT_FOUND, NOT_UNDER_WAY, translated
from outreach.telephony.twiml import (
    LONGEST_CALL_SECONDS,
    RING_STAFF_SECONDS,
    address,
    reported,
)

_MOST_SECONDS = 24 * 60 * 60
_STATUS = {
    "queued": LegStatus.INITIATED,
    "initiated": LegStatus.INITIATED,
    "ringing": LegStatus.RINGING,
    "in-progress": LegStatus.ANSWERED,
    "answered": LegStatus.ANSWERED,
    "completed": LegStatus.COMPLETED,
    "busy": LegStatus.BUSY,
    "no-answer": LegStatus.NO_ANSWER,
    "failed": LegStatus.FAILED,
    "canceled": LegStatus.CANCELLED,
}


class TwilioVoice:
    """Calls through one Twilio account."""

    def __init__(self, client: Client, public_url: str) -> None:
        self._client = client
        self._public_url = public_url

    def place(self, call: OutboundCall) -> ProviderReceipt:
        """Ring one of the staff; what to do once they answer is asked at our address."""
        try:
            taken = self._client.calls.create(
                to=call.to,
                from_=call.shown,
                url=address(self._public_url, call.reference, "answered"),
                status_callback=reported(self._public_url, call.reference, "staff"),
                status_callback_event=["initiated", "ringing", "answered", "completed"],
                timeout=RING_STAFF_SECONDS,
                time_limit=LONGEST_CALL_SECONDS,
            )
        except (TwilioRestException, RequestException) as error:
            raise translated(error) from error
        return ProviderReceipt(str(taken.sid))

    def find(
        self, call: OutboundCall, *, since: datetime, not_these: Collection[str]
    ) -> ProviderReceipt | None:
        """Look through Twilio's list for a call to the same telephone that we don't know yet."""
        try:
            placed = self._client.calls.list(to=call.to, from_=call.shown, limit=50)
        except NO_LIST as error:
            raise ProviderUnavailable(type(error).__name__) from error
        for each in placed:
            is_since = each.date_created is None or each.date_created >= since
            if is_since and each.sid not in not_these:
                return ProviderReceipt(str(each.sid))
        return None

    def look_up(self, sid: str) -> CallPicture | None:
        """Return how far a call has come, and the one it dialled."""
        try:
            first = self._client.calls(sid).fetch()
            dialled = self._client.calls.list(parent_call_sid=sid, limit=1)
        except TwilioRestException as error:
            if error.status == NOT_FOUND:
                return None
            raise ProviderUnavailable(str(error.status)) from error
        except NO_LIST as error:
            raise ProviderUnavailable(type(error).__name__) from error
        return CallPicture(_as_news(first), _as_news(dialled[0]) if dialled else None)

    def hang_up(self, sid: str) -> None:
        """End a call; one that Twilio says is over, or not there, is ended already."""
        try:
            self._client.calls(sid).update(status="completed")
        except TwilioRestException as error:
            if error.status != NOT_FOUND and error.code != NOT_UNDER_WAY:
                raise ProviderUnavailable(str(error.status)) from error
        except RequestException as error:
            raise ProviderUnavailable(type(error).__name__) from error


def news_of(parameters: Mapping[str, Sequence[str]]) -> VoiceNews:
    """Return what Twilio's parameters tell. Whatever is odd or new in them is passed over."""

    def first(name: str) -> str:
        return next(iter(parameters.get(name, ())), "")

    sid = first("CallSid")[:64]
    status, dialled = _STATUS.get(first("CallStatus")), _STATUS.get(first("DialCallStatus"))
    leg = LegNews(
        sid,
        status or LegStatus.NONE,
        sequence=_whole(first("SequenceNumber")),
        at=_instant(first("Timestamp")),
        seconds=_whole(first("CallDuration")),
    )
    other = LegNews(
        first("DialCallSid")[:64],
        dialled or LegStatus.NONE,
        seconds=_whole(first("DialCallDuration")),
    )
    return VoiceNews(
        leg=leg if status else None,
        dialled=other if dialled else None,
        provider_id=sid,
        from_number=first("From")[:40],
        to_number=first("To")[:40],
        key=first("Digits")[:1],
        answered_by=_answered_by(first("AnsweredBy")),
    )


def _as_news(call: Any) -> LegNews:
    status = _STATUS.get(str(call.status), LegStatus.INITIATED)
    seconds = _whole(str(call.duration or ""))
    return LegNews(
        str(call.sid),
        status,
        at=call.end_time if status.is_final else None,
        seconds=seconds,
        began_at=call.start_time if status in (LegStatus.ANSWERED, LegStatus.COMPLETED) else None,
    )


def _answered_by(text: str) -> AnsweredBy | None:
    if text.startswith(("machine", "fax")):
        return AnsweredBy.MACHINE
    return AnsweredBy(text) if text in set(AnsweredBy) else None


def _whole(text: str) -> int | None:
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(_MOST_SECONDS))
    return min(int(text), _MOST_SECONDS) if is_number else None


def _instant(text: str) -> datetime | None:
    """Return a time as Twilio writes it (RFC 2822, UTC), None where it is none."""
    try:
        found = parsedate_to_datetime(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
