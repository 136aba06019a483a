"""Browsers that an account was let in by before: strangers' tries slow none of them down."""

import secrets
from datetime import timedelta

from flask import current_app, request
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug import Response as BaseResponse

from outreach.accounts.throttle import Source
from outreach.deps import deps

_KNOWN_FOR = timedelta(days=180)
_MOST_ACCOUNTS = 20


def source_of(staff_id: int | None) -> Source:
    """Return where a try at this account comes from: a device it knows, or an address."""
    device, known = _device()
    if device and staff_id in known:
        return Source(f"device {device}", is_known=True)
    return Source.at(request.remote_addr)


def known_name() -> str | None:
    """Return the name of this browser where anybody was let in by it, None where nobody was."""
    device, known = _device()
    return f"device {device}" if device and known else None


def remember(response: BaseResponse, staff_id: int) -> None:
    """Let this browser be known to an account: strangers' failures no longer slow it down."""
    device, known = _device()
    kept = [staff_id, *(each for each in known if each != staff_id)][:_MOST_ACCOUNTS]
    response.set_cookie(
        _cookie(),
        _signer().dumps([device or secrets.token_urlsafe(16), kept]),
        max_age=_KNOWN_FOR,
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
    )


def _device() -> tuple[str | None, list[int]]:
    try:
        device, known = _signer().loads(
            request.cookies.get(_cookie(), ""),
            max_age=int(_KNOWN_FOR.total_seconds()),
        )
    except (BadData, ValueError, TypeError):
        return None, []
    return device, known


def _cookie() -> str:
    return f"{current_app.config['SESSION_COOKIE_NAME']}-device"


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(deps().config.secret_key, salt="known device")
