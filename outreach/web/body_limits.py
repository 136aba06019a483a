"""How much of a request's body is taken: no more than is asked for, before any of it is read."""

from flask import Flask, request, session

from outreach.web.bounded import LARGEST_FORM


def init_app(app: Flask, *, uploads_at: str) -> None:
    """Take no more than LARGEST_FORM but where files are uploaded.

    A stranger's file is none: nobody without a session fills the disk.
    """

    def limit() -> None:
        if request.endpoint != uploads_at or "_user_id" not in session:
            request.max_content_length = LARGEST_FORM

    app.before_request(limit)
