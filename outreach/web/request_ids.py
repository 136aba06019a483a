"""A number for each request: in its answer, on error pages, and in every line it logs."""

import re
import secrets

from flask import Flask, Response, g, request

from outreach import logs

HEADER = "X-Request-Id"
_FIT = re.compile(r"[A-Za-z0-9-]{8,64}")


def init_app(app: Flask, *, is_behind_proxy: bool) -> None:
    """Number the requests of ``app``: as a trusted proxy did, else by a number of our own."""

    def begin() -> None:
        told = request.headers.get(HEADER, "") if is_behind_proxy else ""
        g.request_id = told if _FIT.fullmatch(told) else secrets.token_hex(8)
        logs.request_id.set(g.request_id)

    def answer(response: Response) -> Response:
        if "request_id" in g:
            response.headers[HEADER] = g.request_id
        return response

    def end(_error: BaseException | None) -> None:
        logs.request_id.set(None)

    app.before_request(begin)
    app.after_request(answer)
    app.teardown_request(end)
