"""Twilio's error codes, and what they mean to us. They occur in this file only."""

from collections.abc import Mapping
from datetime import timedelta

from requests.exceptions import ConnectTimeout, RequestException
from twilio.base.exceptions import TwilioException, TwilioRestException
from urllib3.exceptions import NewConnectionError

from outreach.errors import ProviderUnavailable
from outreach.telephony.gateway import (
    InvalidRecipient,
    OptedOut,
    OutcomeUnknown,
    Refused,
)

# What reading a list may raise: for a page that can't be had the client has no error of its own.
NO_LIST = (TwilioException, RequestException, ValueError)
OPTED_OUT = 21610
UNREACHABLE = frozenset({30003, 30005, 30006})
NOT_FOUND = 404
NOT_UNDER_WAY = 21220
_BAD_NUMBERS = frozenset({21211, 21214, 21217, 21401, 21407, 21421, 21601, 21612, 21614})
TOO_MANY = 429
_SERVER_FAULT = 500
_LONGEST_WAIT = 60 * 60
_MOST_DIGITS = 9  # what has more is no number of seconds


def translated(error: TwilioRestException | RequestException) -> Exception:
    """Return one of our errors for one of Twilio's, or of the connection to it."""
    if isinstance(error, RequestException):
        return _unanswered(error)
    if error.code == OPTED_OUT:
        return OptedOut(str(error.code))
    if error.code in _BAD_NUMBERS:
        return InvalidRecipient(str(error.code))
    if error.status >= _SERVER_FAULT:
        return OutcomeUnknown(str(error.status))
    return Refused(str(error.code))


def retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """Return how long a refusal asks us to wait, None where it does not say in seconds."""
    digits = headers.get("Retry-After", "")
    is_number = digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS
    return timedelta(seconds=min(int(digits), _LONGEST_WAIT)) if is_number else None


def _unanswered(error: RequestException) -> Exception:
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(error, ConnectTimeout) or isinstance(reason, NewConnectionError):
        return ProviderUnavailable(type(error).__name__)
    return OutcomeUnknown(type(error).__name__)
