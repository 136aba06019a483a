"""Addresses within the product, as templates write them: each made once.

A queue of thirty rows has a hundred, and to make them anew each time was a tenth of its page.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from flask import Flask, request

REMEMBERED = 20_000  # addresses; most of them name a patient
LONGEST = 40  # characters of a value: what somebody typed is not kept
_Given = tuple[tuple[str, type, Any], ...]


def init_app(app: Flask) -> None:
    """Give templates an ``url_for`` that remembers what it made."""
    app.add_template_global(remembering(app.url_for), "url_for")


def remembering(make: Callable[..., str]) -> Callable[..., str]:
    """Return ``make``, Flask's ``url_for``, with a memory."""

    @lru_cache(maxsize=REMEMBERED)
    def made(_root: str, endpoint: str, given: _Given) -> str:
        return make(endpoint, **{name: value for name, _kind, value in given})

    def url_for(endpoint: str, **values: Any) -> str:
        """Return the address of a page, as Flask's own does."""
        if not _is_always_the_same(endpoint, values):
            return make(endpoint, **values)
        # With its kind, since 1 and True are one key and two addresses.
        given = tuple([(name, value.__class__, value) for name, value in values.items()])
        return made(request.script_root, endpoint, given)

    return url_for


def _is_always_the_same(endpoint: str, values: dict[str, Any]) -> bool:
    """Say whether an address depends on nothing of this request but where the product lies.

    ``.page`` is one of this very blueprint; ``_external`` and its like are about the host.
    """
    return endpoint[0] != "." and all(
        (name[0] != "_" or name == "_anchor") and _is_small(value) for name, value in values.items()
    )


def _is_small(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= LONGEST
    return value is None or isinstance(value, int)
