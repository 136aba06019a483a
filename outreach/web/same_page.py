"""The address of the page at hand, with some of what it asks changed."""

from urllib.parse import urlencode

from flask import request


def same_page(**changes: object) -> str:
    """Return the path at hand with the questions of its address, but for ``changes``.

    One that is None is left out. Only questions come from the address: as arguments of
    ``url_for`` some of them would say which scheme a link has, or where it leads.
    """
    asked = {**request.args.to_dict(), **changes}
    kept = {name: value for name, value in asked.items() if value is not None}
    return f"{request.path}?{urlencode(kept)}" if kept else request.path
