"""What people see where what they sent holds a NUL: a character that no database takes.

Nothing that is typed holds one; a paste from another program may. What they typed is kept on the
page without it, and one press sends it.
"""

from collections.abc import Iterator

from flask import Flask, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from outreach.web.out_of_order import typed

NUL = "\x00"


class Unstorable(BadRequest):
    """A path, or a name or value of a parameter, holds a NUL."""


def init_app(app: Flask, *, taken_by: str) -> None:
    """Refuse a NUL everywhere but on the blueprint ``taken_by``, which takes it."""

    def refuse() -> None:
        if request.blueprint != taken_by and any(NUL in each for each in _sent()):
            raise Unstorable

    app.before_request(refuse)
    app.register_error_handler(Unstorable, _page)


def _sent() -> Iterator[str]:
    yield request.path
    for name in request.values:
        yield name
        yield from request.values.getlist(name)


def _page(error: Unstorable) -> ResponseReturnValue:
    del error
    fields = typed()
    clean = [(name.replace(NUL, ""), value.replace(NUL, "")) for name, value in fields or ()]
    is_kept = fields is not None and NUL not in request.path
    page = render_template("errors/unstorable.html", typed=clean if is_kept else None)
    return page, 400
