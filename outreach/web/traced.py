"""Each request as a span: its page, method and status, and the number that the log has."""

from collections.abc import Iterable
from typing import Any

from flask import Flask, Response, g, request

from outreach import traces

_METHODS = {"GET", "HEAD", "POST", "OPTIONS"}  # a stranger may send any word
_FAILED = 500


def init_app(app: Flask, *, is_behind_proxy: bool) -> None:
    """Tell of the requests of ``app``, within what a trusted proxy began, if it says so."""
    if not traces.is_on():
        return
    answer = app.wsgi_app

    def traced(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        parent = environ.get("HTTP_TRACEPARENT") if is_behind_proxy else None
        with traces.span("request", "server", traceparent=parent):
            return answer(environ, start_response)

    app.wsgi_app = traced  # type: ignore[method-assign]
    app.after_request(_tell)


def _tell(response: Response) -> Response:
    method = request.method if request.method in _METHODS else "_OTHER"
    rule = request.url_rule.rule if request.url_rule else ""  # without what stands in it
    status = response.status_code
    traces.describe(
        {
            "http.request.method": method,
            "http.route": rule,
            "http.response.status_code": status,
            "outreach.request": g.get("request_id", ""),
        },
        name=f"{method} {request.endpoint or 'none'}",
        error=str(status) if status >= _FAILED else None,
    )
    return response
