"""What load balancers and monitors ask."""

import hmac
import ipaddress
from collections.abc import Iterator

from flask import Blueprint, Response, abort, request
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from outreach import same_time, versions
from outreach.accounts.access import open_to_all, open_to_monitors
from outreach.clock import utc_now
from outreach.db import db
from outreach.deps import deps
from outreach.messaging import holding
from outreach.orm import reading
from outreach.upkeep import figures, fitting, second_wall, vitals

bp = Blueprint("upkeep", __name__)

MONITORED = frozenset({"/healthz", "/readyz", "/metrics"})  # asked of each machine by itself

_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via")


@bp.get("/healthz")
@open_to_all
def healthz() -> Response:
    """Answer while this process lives, whatever else is down."""
    return _plain("ok")


@bp.get("/readyz")
@open_to_monitors
def readyz() -> Response:
    """Answer 200 while pages can be served: the database answers, and fits release and keys.

    It says so too where texts wait after a restore, or the database is a newer release's.
    """
    try:
        with db.engine.connect() as connection:
            words = _trouble(connection)
            well = ", but ".join(["ok", *([] if words else _remarks(connection))])
    except SQLAlchemyError:
        words = "The database does not answer."
    return _plain(words or well, status=503 if words else 200)


@bp.get("/metrics")
@open_to_monitors
def metrics() -> Response:
    """Return figures for Prometheus, to whoever knows the token or sits on this machine."""
    if not _may_read():
        abort(404)
    with reading(), db.sessionmaker() as session:
        now = deps().clock()
        is_ready = _trouble(session.connection()) is None
        text = figures.exposition(vitals.read(session, now=now), now=now, is_ready=is_ready)
    return Response(text, content_type=CONTENT_TYPE_LATEST)


def _trouble(connection: Connection) -> str | None:
    """Return why no page can be served, None where they can."""
    config = deps().config
    return (
        versions.trouble(connection)
        or fitting.trouble(connection, config.data_keys)
        or second_wall.trouble(connection, config.web_database_role)
        or same_time.trouble(connection, utc_now())
    )


def _remarks(connection: Connection) -> Iterator[str]:
    if version := versions.ahead(connection):
        yield f"the database is of a newer release: {version}"
    with reading(), Session(connection) as session:
        if holding.current(session) is not None:
            yield "texts wait since a restore: flask messages reconcile"
    config = deps().config
    if not (config.is_loopback or config.breached_passwords):
        yield "no list of breached passwords: BREACHED_PASSWORDS"


def _may_read() -> bool:
    token = deps().config.metrics_token
    if token:
        given = request.headers.get("Authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {token}".encode())
    # A proxy's own address says nothing, whether we were told of the proxy or not.
    is_forwarded = any(name in request.headers for name in _FORWARDED)
    if deps().config.trusted_proxies or is_forwarded:
        return False
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


def _plain(words: str, *, status: int = 200) -> Response:
    return Response(f"{words}\n", status, content_type="text/plain; charset=utf-8")
