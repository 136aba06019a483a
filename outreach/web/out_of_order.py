"""What people see while the database is away, full or takes no changes, or two were at once.

Nothing they typed is lost: the page holds it, and one press sends it again. What had got
through all the same is there once, since the form's key is the same.
"""

import logging
import sqlite3

from flask import Flask, current_app, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as NoConnectionFree

log = logging.getLogger(__name__)

RETRY_SECONDS = 10
KINDS = (OperationalError, InterfaceError, InternalError, NoConnectionFree)
_DISK_FULL, _DISK_BROKEN, _READ_ONLY = "53100", "58030", "25006"  # PostgreSQL, appendix A
_TWICE, _IN_A_CIRCLE = "23505", "40P01"
_TWICE_IN_SQLITE = (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
_SECRET = ("password", "proof", "code")


def init_app(app: Flask) -> None:
    """Give ``app`` this page."""
    for kind in KINDS:
        app.register_error_handler(kind, _is_away)
    app.register_error_handler(IntegrityError, _is_there)


def _is_away(error: DBAPIError | NoConnectionFree) -> ResponseReturnValue:
    """Answer 503."""
    log.error("the database is out of order", exc_info=error)
    return _page(error), 503, {"Retry-After": str(RETRY_SECONDS)}


def _is_there(error: IntegrityError) -> ResponseReturnValue:
    """Answer 409 where somebody else was quicker by a moment; any other is a fault of ours.

    Both had looked and found nothing. Who sends it again is told what the other one did.
    """
    if not _is_twice(error.orig):
        raise error
    log.warning("two wrote the same at once: %s", type(error.orig).__name__)  # it tells the value
    return _page(error), 409


def _is_twice(cause: BaseException | None) -> bool:
    if isinstance(cause, sqlite3.Error):
        return cause.sqlite_errorcode in _TWICE_IN_SQLITE
    return getattr(cause, "sqlstate", None) == _TWICE


def _page(error: DBAPIError | NoConnectionFree) -> str:
    """Return the page, without a look into the database."""
    g.is_error_page = True
    current_app.login_manager._update_request_context_with_user()  # type: ignore[attr-defined]  # noqa: SLF001 - whoever is signed in is a row
    return render_template(
        "errors/out_of_order.html",
        reason=_reason(getattr(error, "orig", None)),
        typed=typed(),
        is_change=request.method == "POST",
        request_id=g.get("request_id"),
    )


def _reason(cause: BaseException | None) -> str:
    if _is_twice(cause) or getattr(cause, "sqlstate", None) == _IN_A_CIRCLE:
        return _("Somebody changed the same at this very moment.")
    if isinstance(cause, sqlite3.Error):
        kind = cause.sqlite_errorcode & 0xFF  # the rest says more than people need
        is_full, is_kept_from_writing = kind == sqlite3.SQLITE_FULL, kind == sqlite3.SQLITE_READONLY
        is_disk_broken = kind == sqlite3.SQLITE_IOERR
    else:
        code = getattr(cause, "sqlstate", None)
        is_full, is_kept_from_writing = code == _DISK_FULL, code == _READ_ONLY
        is_disk_broken = code == _DISK_BROKEN
    if is_full:
        return _("There is no room left on the disk.")
    if is_kept_from_writing:
        return _("The database takes no changes at the moment.")
    if is_disk_broken:  # or a quota is used up, which looks the same
        return _("The disk takes no more, or fails.")
    return _("The database does not answer.")


def typed() -> list[tuple[str, str]] | None:
    """Return the fields of the form, None where they can't be sent again from this page."""
    if request.method != "POST" or request.files:
        return None
    fields = list(request.form.items(multi=True))
    is_secret = any(word in name for name, _value in fields for word in _SECRET)
    return None if is_secret else fields
