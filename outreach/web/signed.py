"""Webhook calls as they came, with what their signature covers."""

from flask import request

from outreach.deps import deps
from outreach.telephony.gateway import SignedRequest


def signed_request() -> SignedRequest:
    """Return the request at hand, under the public address that the carrier signed."""
    base = deps().config.public_url or request.url_root.rstrip("/")
    return SignedRequest(
        base + request.full_path.rstrip("?"),
        {name: request.form.getlist(name) for name in request.form},
        request.headers.get("X-Twilio-Signature", ""),
    )
