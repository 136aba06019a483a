"""Which names we answer to: never any whatever, so that no page is made for somebody else's."""

from urllib.parse import urlsplit

from flask import Flask, request
from werkzeug.exceptions import SecurityError
from werkzeug.sansio.utils import host_is_trusted

from config import BadSetting

_THIS_MACHINE = ("localhost", "127.0.0.1")


def init_app(
    app: Flask,
    *,
    told: tuple[str, ...],
    public_url: str | None,
    is_loopback: bool,
    taken_by: frozenset[str],
) -> None:
    """Let ``app`` answer to the names it was told, else to its own address and machine.

    Where nobody told any, what has a proof of its own, and monitors, are answered by whatever
    name a proxy passes on: the blueprints ``taken_by``. A stop that was turned away is lost.

    Raises:
        BadSetting: others reach us, and nobody said by which name.
    """
    public = urlsplit(public_url or "").hostname
    if told:
        app.config["TRUSTED_HOSTS"] = list(told)
        return
    if not (public or is_loopback):
        raise BadSetting("ALLOWED_HOSTS or PUBLIC_URL must say by which name others reach us.")
    own = (public, *_THIS_MACHINE) if public else _THIS_MACHINE

    def refuse() -> None:
        if request.blueprint not in taken_by and not host_is_trusted(request.host, own):
            raise SecurityError(f"Host {request.host!r} is not ours.")

    app.before_request(refuse)
