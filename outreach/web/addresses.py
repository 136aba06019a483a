"""Addresses within the product, as templates write them: each made once.

A queue of thirty rows has a hundred, and to make them anew each time was a tenth of its page.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from flask import Flask, request

REMEMBERED = 20_000  # addresses; most of them name a patient
LONGEST = 40  # characters of a value: what somebody typed is not kept


def init_app(app: Flask) -> None:
    """Give templates an ``url_for`` that remembers what it made."""
    app.add_template_global(remembering(app.url_for), "url_for")


def remembering(make: Callable[..., str]) -> Callable[..., str]:
    """Return ``make``, Flask's ``url_for``, with a memory."""

    # By kind too, since 1 and True are one key and two addresses.
    @lru_cache(maxsize=REMEMBERED, typed=True)
    def made(_root: str, endpoint: str, names: tuple[str, ...], *values: Any) -> str:
        return make(endpoint, **dict(zip(names, values, strict=True)))

    def url_for(endpoint: str, **values: Any) -> str:
        """Return the address of a page, as Flask's own does."""
        names = tuple(values)
        if _is_always_the_same(endpoint, names) and all(map(_is_small, values.values())):
            return made(request.script_root, endpoint, names, *values.values())
        return make(endpoint, **values)

    return url_for


@lru_cache(maxsize=REMEMBERED)
def _is_always_the_same(endpoint: str, names: tuple[str, ...]) -> bool:
    """Say whether an address depends on nothing of this request but where the product lies.

    ``.page`` is one of this very blueprint; ``_external`` and its like are about the host.
    """
    return endpoint[0] != "." and all(name[0] != "_" or name == "_anchor" for name in names)


def _is_small(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= LONGEST
    return value is None or isinstance(value, int)
