"""The database of a request: known to edges only."""

from flask import Flask, g, request
from flask_sqlalchemy_lite import SQLAlchemy

from outreach import orm

db = SQLAlchemy(
    engine_options={"hide_parameters": True},  # no health text in errors and logs
    session_options={"expire_on_commit": False},
)

_SAFE = {"GET", "HEAD", "OPTIONS"}


def init_app(app: Flask, url: str) -> None:
    """Give ``app`` its engine and sessions."""
    app.config["SQLALCHEMY_ENGINES"] = {"default": url}
    db.init_app(app)
    with app.app_context():
        orm.prepare(db.engine)
    app.before_request(_read_on_get)
    app.teardown_request(_stop_reading)


def _read_on_get() -> None:
    """Begin transactions of requests that change nothing as readers."""
    if request.method in _SAFE:
        g.reading = orm.reading()
        g.reading.__enter__()


def _stop_reading(_error: BaseException | None) -> None:
    reading = g.pop("reading", None)
    if reading is not None:
        reading.__exit__(None, None, None)
