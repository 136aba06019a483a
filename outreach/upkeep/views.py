"""What load balancers and monitors ask."""

import hmac
import ipaddress

from flask import Blueprint, Response, abort, request
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy.exc import SQLAlchemyError

from outreach.accounts.access import open_to_all, open_to_monitors
from outreach.db import db
from outreach.deps import deps
from outreach.messaging import holding
from outreach.orm import reading
from outreach.upkeep import figures, fitting, second_wall, vitals
from outreach.upkeep.versions import trouble

bp = Blueprint("upkeep", __name__)

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

    It says so too where texts wait after a restore.
    """
    is_held = False
    try:
        with db.engine.connect() as connection:
            words = trouble(connection)
            words = words or fitting.trouble(connection, deps().config.data_keys)
            words = words or second_wall.trouble(connection, deps().config.web_database_role)
        if not words:
            with reading(), db.sessionmaker() as session:
                is_held = holding.current(session) is not None
    except SQLAlchemyError:
        words = "The database does not answer."
    well = "ok, but texts wait since a restore: flask messages reconcile" if is_held else "ok"
    return _plain(words or well, status=503 if words else 200)


@bp.get("/metrics")
@open_to_monitors
def metrics() -> Response:
    """Return figures for Prometheus, to whoever knows the token or sits on this machine."""
    if not _may_read():
        abort(404)
    with reading(), db.sessionmaker() as session:
        now = deps().clock()
        text = figures.exposition(vitals.read(session, now=now), now=now)
    return Response(text, content_type=CONTENT_TYPE_LATEST)


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
