"""Pages that monitors and load balancers ask for by the address of one machine.

A list of host names keeps out names that are not ours: a stranger's page can let its own name
lead to our machine, and have a browser there read what we answer. An address, and the machine's
own name for itself, are nobody's to point elsewhere. So pages that name nobody, and that are
asked of each machine by itself, answer to them too.
"""

import ipaddress
import re
from collections.abc import Callable, Collection, Iterable
from typing import Any
from urllib.parse import urlsplit

from flask import Flask

_LOOKS_LIKE_A_HOST = re.compile(r"[A-Za-z0-9.:\[\]]+")
Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


def init_app(app: Flask, *, paths: Collection[str], names: Collection[str]) -> None:
    """Let ``paths`` of ``app`` be asked for by an address, where only ``names`` are answered."""
    if not names:
        return  # whatever name is answered to
    ours = next(iter(names)).lstrip(".")
    inner: Wsgi = app.wsgi_app

    def answer(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        if environ.get("PATH_INFO") in paths and is_address(environ.get("HTTP_HOST", "")):
            environ["HTTP_HOST"] = ours
        return inner(environ, start)

    app.wsgi_app = answer  # type: ignore[method-assign,assignment]


def is_address(host: str) -> bool:
    """Say whether a Host header names a machine by its address, or is ``localhost``."""
    if not _LOOKS_LIKE_A_HOST.fullmatch(host):
        return False
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or bool(ipaddress.ip_address(name))
    except ValueError:
        return False
