"""Headers of every answer: a strict policy, and nothing about patients kept in caches."""

from flask import Flask, Response, request

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)

_FIXED = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


OK = 200


def init_app(app: Flask, *, is_loopback: bool) -> None:
    """Add the headers to every answer of ``app``, errors and redirects too."""

    @app.after_request
    def add(response: Response) -> Response:
        response.headers.update(_FIXED)
        if not is_loopback:
            response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        if request.endpoint == "static" and response.status_code == OK:
            response.cache_control.no_cache = None
            response.cache_control.max_age = 31536000
            response.cache_control.immutable = True
        else:
            response.cache_control.no_store = True
        return response
