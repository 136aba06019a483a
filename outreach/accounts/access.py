"""The door: who is at the keyboard, and which pages open for whom."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import Flask, abort, current_app, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, current_user, login_user, logout_user
from flask_login.mixins import UserMixin

from outreach import orm
from outreach.accounts import sign_in
from outreach.accounts.rules import Actor, Role
from outreach.db import db
from outreach.deps import deps

P = ParamSpec("P")
R = TypeVar("R", bound=ResponseReturnValue)


class Badge(UserMixin):
    """What Flask-Login carries: the session's token and the actor behind it."""

    def __init__(self, token: str, actor: Actor) -> None:
        self.token = token
        self.actor = actor

    def get_id(self) -> str:
        """Return the token, which is all that the cookie holds."""
        return self.token


def init_app(app: Flask) -> None:
    """Attach the door to ``app``."""
    manager = LoginManager(app)
    manager.session_protection = None  # the token is looked up on every request
    manager.user_loader(_load)
    manager.unauthorized_handler(_to_sign_in)
    app.context_processor(lambda: {"actor": actor_or_none(), "may_open": may_open})


def role_required(*roles: Role) -> Callable[[Callable[P, Any]], Callable[P, Any]]:
    """Open the view to those who hold one of ``roles``; to others it does not exist."""

    def guard(view: Callable[P, Any]) -> Callable[P, Any]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> Any:
            if not current_user.is_authenticated:
                return _to_sign_in()
            actor: Actor = current_user.actor
            if not actor.roles.intersection(roles):
                abort(404)
            g.actor = actor.acting_as(roles)
            return view(*args, **kwargs)

        guarded.allowed_roles = frozenset(roles)  # type: ignore[attr-defined]
        return guarded

    return guard


def open_to_all(view: Callable[P, Any]) -> Callable[P, Any]:
    """Mark a view that needs no sign-in; a test lists them all."""
    view.allowed_roles = None  # type: ignore[attr-defined]
    return view


def signed_in() -> Actor:
    """Return the person at the keyboard, in the roles that this page is for.

    Only behind :func:`role_required`.
    """
    actor: Actor = g.actor
    return actor


def actor_or_none() -> Actor | None:
    """Return the person at the keyboard, if anybody is signed in."""
    user = current_user._get_current_object()  # noqa: SLF001 - asked for once, not at each use
    return user.actor if user and user.is_authenticated else None


def may_open(endpoint: str) -> bool:
    """Say whether the person at the keyboard may open the page ``endpoint``."""
    actor = actor_or_none()
    allowed: frozenset[Role] | None = getattr(
        current_app.view_functions.get(endpoint), "allowed_roles", frozenset()
    )
    return actor is not None and bool(actor.roles.intersection(allowed or frozenset()))


def let_in(token: str) -> None:
    """Give this browser the session behind ``token``, under a new cookie."""
    badge = _load(token)
    if badge is None:
        abort(404)
    session.clear()
    login_user(badge)


def let_out() -> None:
    """Forget this browser's session."""
    logout_user()
    session.clear()


def current_token() -> str | None:
    """Return the token of this browser's session, if it has one."""
    return current_user.token if current_user.is_authenticated else None


def _load(token: str) -> Badge | None:
    outside = deps()
    now = outside.clock()
    with orm.reading(), db.sessionmaker() as own:
        found = sign_in.actor_of(
            own,
            token,
            now=now,
            idle=timedelta(minutes=outside.config.idle_minutes),
            longest=timedelta(hours=outside.config.session_hours),
        )
    if found is None:
        return None
    actor, seen_at = found
    # A page that refreshes itself is nobody at the keyboard.
    is_person = "X-Background" not in request.headers
    if is_person and now - seen_at > sign_in.SEEN_EVERY:
        with db.sessionmaker.begin() as own:
            sign_in.touch(own, token, now=now)
    return Badge(token, actor)


def _to_sign_in() -> ResponseReturnValue:
    if "HX-Request" in request.headers or request.is_json:
        return "", 401
    back = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("accounts.sign_in", next=back))
