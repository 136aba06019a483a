"""Changes come from our own pages: what browsers say of where a request began is believed.

A second lock behind the form's token. Browsers of today say Sec-Fetch-Site with every request,
older ones Origin with what changes something; who says neither is no browser, and has the token
or has not.
"""

import logging

from flask import Flask, request
from werkzeug.exceptions import Forbidden

log = logging.getLogger(__name__)

_SAFE = {"GET", "HEAD", "OPTIONS", "TRACE"}
_OURS = {"same-origin", "none"}  # none: typed, reloaded, or a bookmark


class ForeignOrigin(Forbidden):
    """Another site's page sent this."""


def init_app(app: Flask, *, public_url: str | None, taken_by: frozenset[str]) -> None:
    """Refuse changes that began elsewhere.

    Not on the blueprints ``taken_by``: no browser calls them, and each has a proof of its own.
    """

    def refuse() -> None:
        if request.method in _SAFE or request.blueprint in taken_by:
            return
        site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
        if site is not None:
            is_ours = site in _OURS
        else:
            is_ours = origin is None or origin in {request.host_url.rstrip("/"), public_url}
        if not is_ours:
            log.warning("refused from another origin: %s", request.endpoint)
            raise ForeignOrigin

    app.before_request(refuse)
