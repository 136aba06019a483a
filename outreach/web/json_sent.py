"""The JSON of a request, from whoever sent it."""

from typing import Any

from flask import request


def json_sent() -> Any:
    """Return the JSON that came along; None where it is none, or nested without end."""
    try:
        return request.get_json(silent=True)
    except RecursionError:
        return None
