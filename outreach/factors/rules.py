"""Codes that change with time, codes on paper, and what a passkey must be. Pure.

Sources: RFC 6238 (steps of 30 seconds, a window of one step), NIST SP 800-63B-4 (a code is
accepted once).
"""

import base64
import hmac
import re
import secrets
from datetime import datetime, timedelta

from pyotp import HOTP

from outreach.errors import RuleBroken

STEP = timedelta(seconds=30)
DIGITS = 6
SECRET_BYTES = 20
WINDOW = 1
# How far a telephone's clock may be off for us to see that it is the clock.
SKEW_SEEN = 20

RECOVERY_CODES = 10
# 31 signs that nobody takes for one another, on paper or aloud; 12 of them hold 59 bits.
_SIGNS = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS, _GROUP = 3, 4

_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,1400}={0,2}")

CHALLENGE_LIVES = timedelta(minutes=5)


class PasskeyRefused(RuleBroken):
    """The device's answer does not fit what was asked, or its key is not one of ours."""


def key_id_of(sent: object) -> str:
    """Return the id of a passkey as a device gives it, in base64url; empty for anything else."""
    return sent if isinstance(sent, str) and _KEY_ID.fullmatch(sent) else ""


def step_at(instant: datetime) -> int:
    """Return the number of the 30-second step that ``instant`` falls into."""
    return int(instant.timestamp() // STEP.total_seconds())


def code_of(secret: bytes, step: int) -> str:
    """Return the code of six digits that ``secret`` shows in ``step``."""
    return HOTP(base64.b32encode(secret).decode(), digits=DIGITS).at(step)


def matching_step(
    secret: bytes, written: str, *, at: int, after: int | None = None, window: int = WINDOW
) -> int | None:
    """Return the step near ``at`` whose code is ``written``, None where none is.

    ``after``: the last step that was used; it and those before it count no more.
    """
    code = digits_of(written)
    if code is None:
        return None
    found = None
    for step in range(max(0, at - window), at + window + 1):
        is_same = hmac.compare_digest(code_of(secret, step), code)
        if is_same and (after is None or step > after):
            found = step
    return found


def clock_error(secret: bytes, written: str, *, at: int) -> timedelta | None:
    """Return how far the clock that made ``written`` is ahead of ours; None: not the clock."""
    step = matching_step(secret, written, at=at, window=SKEW_SEEN)
    return None if step is None else (step - at) * STEP


def digits_of(written: str) -> str | None:
    """Return the six digits of a code as it was typed, None where it is no code."""
    code = "".join(written.split())
    is_code = len(code) == DIGITS and code.isascii() and code.isdigit()
    return code if is_code else None


def shown_secret(secret: bytes) -> str:
    """Return ``secret`` as people type it: base 32 in groups of four."""
    text = base64.b32encode(secret).decode()
    return " ".join(text[first : first + 4] for first in range(0, len(text), 4))


def new_recovery_code() -> str:
    """Return a code for paper, as ``k7wm-p2xa-9fht``: 12 of 31 signs, 59 bits."""
    groups = ("".join(secrets.choice(_SIGNS) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)


def recovery_code_of(written: str) -> str:
    """Return a recovery code as it is kept, however it was typed: lower case, no separators."""
    return "".join(sign for sign in written.lower() if sign.isalnum())
