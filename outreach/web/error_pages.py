"""Errors as pages: the one place where an error becomes an HTTP status."""

import logging
from datetime import timedelta
from typing import Any

from flask import Flask, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, SecurityError

from outreach import errors
from outreach.web.out_of_order import typed

log = logging.getLogger(__name__)

_STATUS: dict[type[errors.OutreachError], int] = {
    errors.NotFound: 404,
    errors.NotAllowed: 403,
    errors.Stale: 409,
    errors.RuleBroken: 422,
    errors.ProviderUnavailable: 503,
}


def init_app(app: Flask) -> None:
    """Give ``app`` its error pages."""
    app.register_error_handler(errors.OutreachError, _ours)
    app.register_error_handler(errors.TooOften, braked)
    app.register_error_handler(CSRFError, _expired)
    app.register_error_handler(HTTPException, _http)
    app.log_exception = _log_exception  # type: ignore[method-assign]


def status_of(error: errors.OutreachError) -> int:
    """Return the HTTP status of one of our errors, by its nearest category."""
    for kind in type(error).__mro__:
        if kind in _STATUS:
            return _STATUS[kind]
    return 500


def _ours(error: errors.OutreachError) -> ResponseReturnValue:
    status = status_of(error)
    log.info("%s: %s, %s", type(error).__name__, status, request.endpoint)
    return _page(status, str(error)), status


def _log_exception(exc_info: Any) -> None:
    """Name the page, never its address as Flask does: that may hold the token of a link."""
    log.error("failed: %s %s", request.method, request.endpoint, exc_info=exc_info)


def braked(error: errors.TooOften) -> ResponseReturnValue:
    """Answer 429: say for how long, and keep what was typed on the page."""
    log.warning("braked: %s", request.endpoint)
    page = render_template(
        "errors/out_of_order.html",
        reason=too_many(error.wait),
        typed=typed(),
        is_change=request.method == "POST",
        request_id=g.get("request_id"),
    )
    return page, 429, {"Retry-After": str(max(1, round(error.wait.total_seconds())))}


def too_many(wait: timedelta) -> str:
    """Return the words for somebody who tries too often."""
    seconds = max(1, round(wait.total_seconds()))
    if seconds < 90:  # noqa: PLR2004
        return ngettext(
            "Too many tries. Wait one second.", "Too many tries. Wait %(num)s seconds.", seconds
        )
    minutes = round(seconds / 60)
    return ngettext(
        "Too many tries. Wait one minute.", "Too many tries. Wait %(num)s minutes.", minutes
    )


def _expired(error: CSRFError) -> ResponseReturnValue:
    log.info("form token refused: %s", error.description)
    return _page(
        400, _("This form was open too long. Go back, reload the page and try again.")
    ), 400


def _http(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if status < 400:  # noqa: PLR2004 - redirects pass through
        return error.get_response()
    if isinstance(error, SecurityError):  # a host that is not ours: no page of ours either
        return "", 400
    methods = getattr(error, "valid_methods", None)
    allowed = {"Allow": ", ".join(sorted(methods))} if methods else {}
    return _page(status, ""), status, allowed


def is_error_page() -> bool:
    """Say whether the request at hand is answered by one of our pages about an error."""
    return bool(g.get("is_error_page", False))


def _page(status: int, message: str) -> str:
    g.is_error_page = True
    titles = {
        400: _("That request did not make sense"),
        403: _("You can't do this"),
        404: _("There is nothing here"),
        405: _("That is not possible here"),
        409: _("This changed while you had it open"),
        413: _("That file is too large"),
        422: _("That is not possible"),
        429: _("Too many tries"),
        503: _("The telephone service does not answer"),
    }
    title = titles.get(status, _("Something went wrong"))
    return render_template(
        "errors/error.html",
        title=title,
        message=message,
        status=status,
        request_id=g.get("request_id") if status >= 500 else None,  # noqa: PLR2004
    )
