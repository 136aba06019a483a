"""The door for other systems: whose key it is. No session cookie opens it, and no page asks it."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

from flask import g, request

from outreach import orm
from outreach.access_keys import keys
from outreach.access_keys.keys import Holder
from outreach.access_keys.rules import MOST_A_MINUTE, Minute
from outreach.accounts import throttle
from outreach.accounts.access import open_to_all
from outreach.accounts.throttle import Source
from outreach.db import db, see, seeing_accounts
from outreach.deps import deps
from outreach.errors import NotAllowed
from outreach.seeing import Sees

P = ParamSpec("P")


class NoKey(NotAllowed):
    """No key came along, or none that opens anything."""


class TooMany(NotAllowed):
    """Too many requests, or too many keys that are none; the next may come in ``seconds``."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many requests. Try again in {seconds} seconds.")
        self.seconds = seconds


def key_required(view: Callable[P, Any]) -> Callable[P, Any]:
    """Open the view to whoever sends an access key that holds, and only to its clinic's rows.

    Raises, when it is asked:
        NoKey, TooMany
    """

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Any:
        g.system = _let_in()
        return view(*args, **kwargs)

    guarded.needs_key = True  # type: ignore[attr-defined]
    return open_to_all(guarded)


def system() -> Holder:
    """Return the system that asks. Only behind :func:`key_required`."""
    found: Holder = g.system
    return found


def _let_in() -> Holder:
    """Return the system that asks, and see its clinic's rows alone from now on.

    Raises:
        NoKey, TooMany
    """
    key = _sent()
    outside, now = deps(), deps().clock()
    with seeing_accounts(), orm.reading(), db.sessionmaker() as own:
        found = keys.holder(own, key, outside.cipher, now=now) if key else None
    if found is None:
        if key:  # a link that somebody follows guesses at nothing
            _count_refusal()
        raise NoKey("An access key is needed: Authorization: Bearer <key>.")
    see(Sees(frozenset({found.clinic_id})))
    with orm.writing(), db.sessionmaker.begin() as own:
        made = keys.count(own, found.key_id, key, outside.cipher, now=now)
    if made > MOST_A_MINUTE:
        raise TooMany(Minute.of(now).seconds_left(now))
    return found


def _sent() -> str:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def _count_refusal() -> None:
    """Let an address that sends wrong keys wait. Signing in from there is counted elsewhere."""
    now = deps().clock()
    source = Source(f"access keys from {Source.at(request.remote_addr).name}")
    with seeing_accounts(), orm.writing(), db.sessionmaker.begin() as own:
        wait = throttle.wait(own, source.name, source, now=now)
        if not wait:
            throttle.note_failure(own, source.name, source, now=now)
    if wait:
        raise TooMany(max(1, round(wait.total_seconds())))
