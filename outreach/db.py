"""The database of a request: known to edges only."""

from collections.abc import Iterator
from contextlib import contextmanager
from inspect import iscoroutinefunction

from flask import Flask, g, has_request_context, request
from flask_sqlalchemy_lite import SQLAlchemy

from outreach import orm, seeing
from outreach.seeing import NOTHING, Reach, Sees

db = SQLAlchemy(session_options={"expire_on_commit": False})

_SAFE = {"GET", "HEAD", "OPTIONS"}


def init_app(app: Flask, url: str, role: str | None = None) -> None:
    """Give ``app`` its engine and sessions; its requests take ``role``, where there is one."""
    app.config["SQLALCHEMY_ENGINES"] = {"default": {"url": url, **orm.engine_options(url)}}
    db.init_app(app)
    _without_async(app)
    with app.app_context():
        orm.prepare(db.engine)
        if role:
            seeing.bind(db.engine, role, _asked)
    app.before_request(_read_on_get)
    app.teardown_request(_stop_reading)


def see(sees: Sees) -> None:
    """Let the request at hand see no other rows from now on, whatever it saw before."""
    g.sees = sees
    seeing.narrow(db.session, sees)


@contextmanager
def seeing_accounts() -> Iterator[None]:
    """Begin transactions as long as nobody is known: they see accounts, and no clinic's rows."""
    before = g.get("sees", NOTHING)
    g.sees = Sees(reach=Reach.SIGN_IN)
    try:
        yield
    finally:
        g.sees = before


def changes_nothing() -> bool:
    """Say whether the request at hand is one that only looks."""
    return request.method in _SAFE


def _asked() -> Sees | None:
    """Return whose rows the request at hand may see, None where there is no request."""
    return g.get("sees", NOTHING) if has_request_context() else None


def _without_async(app: Flask) -> None:
    """Close no asynchronous sessions after a request: there are none.

    Flask would start a thread and an event loop for it, at the end of every request.
    """
    kept = [each for each in app.teardown_appcontext_funcs if not iscoroutinefunction(each)]
    app.teardown_appcontext_funcs[:] = kept


def _read_on_get() -> None:
    """Begin transactions of requests that change nothing as readers."""
    if changes_nothing():
        g.reading = orm.reading()
        g.reading.__enter__()


def _stop_reading(_error: BaseException | None) -> None:
    reading = g.pop("reading", None)
    if reading is not None:
        reading.__exit__(None, None, None)
