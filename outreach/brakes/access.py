"""Counting for the request at hand: by the account that asks, or by the address of a stranger."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

from flask import Flask, current_app, request

from config import BadSetting
from outreach import orm
from outreach.brakes import counting
from outreach.brakes.rules import BadLimits, Braked, Limit, limits_of, network_of
from outreach.db import db, seeing_accounts
from outreach.deps import deps
from outreach.errors import OutreachError

P = ParamSpec("P")

_KEPT_AS = "brakes"


def init_app(app: Flask, written: str) -> None:
    """Let ``app`` brake by the limits of a setting.

    Raises:
        BadSetting
    """
    try:
        app.extensions[_KEPT_AS] = limits_of(written)
    except BadLimits as error:
        raise BadSetting(str(error)) from error


def limit_of(what: Braked) -> Limit:
    """Return how often ``what`` may be done."""
    limit: Limit = current_app.extensions[_KEPT_AS][what]
    return limit


def count(what: Braked, staff_id: int) -> None:
    """Count what an account does, in the transaction at hand. Does not commit.

    Raises:
        TooOften
    """
    who = f"account {staff_id}"
    counting.count(db.session, what, who, limit_of(what), now=deps().clock())


def count_stranger(known: str | None = None) -> None:
    """Count what a stranger tried from the address at hand. Commits in a transaction of its own.

    ``known``: the name of a browser that is counted by itself, whoever shares its address.

    Raises:
        TooOften
    """
    who = known or f"address {network_of(request.remote_addr or '')}"
    with seeing_accounts(), orm.writing(), db.sessionmaker.begin() as own:
        counting.count(own, Braked.STRANGERS, who, limit_of(Braked.STRANGERS), now=deps().clock())


def strangers_counted(
    *refusals: type[OutreachError],
) -> Callable[[Callable[P, Any]], Callable[P, Any]]:
    """Count whoever a view refuses by one of ``refusals``, by address; nobody else is braked.

    What is let in is not counted: the carrier reports as often as it has to.
    """

    def brake(view: Callable[P, Any]) -> Callable[P, Any]:
        @wraps(view)
        def braked(*args: P.args, **kwargs: P.kwargs) -> Any:
            try:
                return view(*args, **kwargs)
            except refusals:
                db.session.rollback()
                count_stranger()
                raise

        return braked

    return brake
