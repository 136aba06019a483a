"""The door: who is at the keyboard, and which pages open for whom."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar
from urllib.parse import urlsplit

from flask import (
    Flask,
    abort,
    current_app,
    g,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import LoginManager, current_user, login_user, logout_user
from flask_login.mixins import UserMixin

from outreach import orm
from outreach.accounts import sign_in
from outreach.accounts.forms import ConfirmForm
from outreach.accounts.rules import FRESH_FOR, MUST_HAVE_FACTOR, Actor, Role
from outreach.accounts.sign_in import Present
from outreach.db import db, see, seeing_accounts
from outreach.deps import deps
from outreach.factors import passkeys
from outreach.factors.passkeys import Site
from outreach.seeing import NOTHING, Reach, Sees

P = ParamSpec("P")
R = TypeVar("R", bound=ResponseReturnValue)

_HALFWAY = "halfway"


class Badge(UserMixin):
    """What Flask-Login carries: the session's token and who is behind it."""

    def __init__(self, token: str, present: Present) -> None:
        self.token = token
        self.present = present
        self.actor = present.actor
        self.roles = present.actor.roles  # each link of a page asks for them

    def get_id(self) -> str:
        """Return the token, which is all that the cookie holds."""
        return self.token


def init_app(app: Flask) -> None:
    """Attach the door to ``app``."""
    app.before_request(_see_by_page)
    manager = LoginManager(app)
    manager.session_protection = None  # the token is looked up on every request
    manager.user_loader(_load)
    manager.unauthorized_handler(_to_sign_in)
    app.add_template_filter(as_seen)
    app.add_template_filter(if_seen)
    app.context_processor(_of_page)


def role_required(*roles: Role) -> Callable[[Callable[P, Any]], Callable[P, Any]]:
    """Open the view to those who hold one of ``roles``; to others it does not exist."""

    def guard(view: Callable[P, Any]) -> Callable[P, Any]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> Any:
            if not current_user.is_authenticated:
                return _to_sign_in()
            actor: Actor = current_user.actor
            if not actor.roles.intersection(roles):
                current_app.logger.warning("not for them: %s, %s", request.endpoint, actor.staff_id)
                abort(404)
            if _owes_a_factor(current_user.present) and not _needs_none(view):
                return _to_set_up()
            g.actor = actor.acting_as(roles)
            return view(*args, **kwargs)

        guarded.allowed_roles = frozenset(roles)  # type: ignore[attr-defined]
        return guarded

    return guard


def open_to_all(view: Callable[P, Any]) -> Callable[P, Any]:
    """Mark a view that needs no sign-in; a test lists them all."""
    return _open(view, Reach.SIGN_IN)


def open_to_carrier(view: Callable[P, Any]) -> Callable[P, Any]:
    """As :func:`open_to_all`, for what the carrier reports: its signature is the proof."""
    return _open(view, Reach.CARRIER)


def open_to_monitors(view: Callable[P, Any]) -> Callable[P, Any]:
    """As :func:`open_to_all`, for what counts over the whole installation and names nobody."""
    return _open(view, Reach.EVERY_CLINIC)


def _open(view: Callable[P, Any], reach: Reach) -> Callable[P, Any]:
    view.allowed_roles = None  # type: ignore[attr-defined]
    view.reach = reach  # type: ignore[attr-defined]
    return view


def open_without_factor(view: Callable[P, Any]) -> Callable[P, Any]:
    """Open the view also to those who must still set up a second factor."""
    view.is_open_without_factor = True  # type: ignore[attr-defined]
    return view


def fresh_required(view: Callable[P, Any]) -> Callable[P, Any]:
    """Open the view to those who proved within FRESH_FOR who they are; ask the others now.

    Stands below :func:`role_required`. What was posted is kept on the page that asks, and
    posted again afterwards, except passwords.
    """

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Any:
        return view(*args, **kwargs) if is_fresh() else _ask_again()

    guarded.needs_fresh = True  # type: ignore[attr-defined]
    return guarded


def fresh_to_change(view: Callable[P, Any]) -> Callable[P, Any]:
    """As :func:`fresh_required`, on a page that anybody of the role may read at any time."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Any:
        is_let = request.method != "POST" or is_fresh()
        return view(*args, **kwargs) if is_let else _ask_again()

    guarded.needs_fresh = True  # type: ignore[attr-defined]
    return guarded


def fresh_download(view: Callable[P, Any]) -> Callable[P, Any]:
    """As :func:`fresh_required`, for a file: afterwards one is back at the page that offers it.

    A browser that takes a file stays on the page where it was, so the page must not be the one
    that asked who one is.
    """

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Any:
        if is_fresh():
            return view(*args, **kwargs)
        return redirect(url_for("accounts.confirm", next=_came_from(), file=1), 303)

    guarded.needs_fresh = True  # type: ignore[attr-defined]
    return guarded


def is_fresh() -> bool:
    """Say whether the person at the keyboard proved within FRESH_FOR who they are."""
    confirmed_at = current_user.present.confirmed_at
    return confirmed_at is not None and deps().clock() - confirmed_at <= FRESH_FOR


def present() -> Present:
    """Return the session at hand, with when it was last confirmed. Only behind a role."""
    found: Present = current_user.present
    return found


def signed_in() -> Actor:
    """Return the person at the keyboard, in the roles that this page is for.

    Only behind :func:`role_required`.
    """
    actor: Actor = g.actor
    return actor


def actor_or_none() -> Actor | None:
    """Return the person at the keyboard, if anybody is signed in."""
    badge = _badge_shown()
    return badge.actor if badge else None


def may_open(endpoint: str, clinic_id: int | None = None) -> bool:
    """Say whether the person at the keyboard may open the page ``endpoint``.

    ``clinic_id``: that of the patient whom the page is about; a role elsewhere opens nothing.
    """
    return _opens_for(_badge_shown(), current_app.view_functions, endpoint, clinic_id)


def _of_page() -> dict[str, object]:
    """Return what a page asks of the person at the keyboard, looked up once, not once a link."""
    badge, views = _badge_shown(), current_app.view_functions
    return {"actor": badge.actor if badge else None, "may_open": partial(_opens_for, badge, views)}


def _badge_shown() -> Badge | None:
    user = current_user._get_current_object()  # noqa: SLF001 - asked for once, not at each use
    return user if user and user.is_authenticated else None


def _opens_for(
    badge: Badge | None, views: Mapping[str, object], endpoint: str, clinic_id: int | None = None
) -> bool:
    if badge is None:
        return False
    view = views.get(endpoint)
    allowed: frozenset[Role] = getattr(view, "allowed_roles", None) or frozenset()
    roles = badge.roles if clinic_id is None else badge.actor.at(clinic_id).roles
    return not roles.isdisjoint(allowed) and (
        _needs_none(view) or not _owes_a_factor(badge.present)
    )


def as_seen(name: str, ref: str = "") -> str:
    """Return a patient's name on a page about many, or what stands for it.

    Administrators who need a reason to open a patient see that there is one, not who: a page of
    many has no reason. ``ref`` tells one from another. Source: security.md, who may do what.
    """
    actor = actor_or_none()
    if actor is None or actor.opened_patients is None:
        return name
    return str(_("Patient %(code)s", code=ref[:6]).strip())


def if_seen(words: str) -> str:
    """Return a record number, or free words about a patient, to those who see names; else "".

    On a page about many, beside a name that passes :func:`as_seen`.
    """
    actor = actor_or_none()
    return words if actor is None or actor.opened_patients is None else ""


def let_in(token: str) -> None:
    """Give this browser the session behind ``token``, under a new cookie."""
    badge = _load(token)
    if badge is None:
        abort(404)
    session.clear()
    login_user(badge)


def let_in_halfway(token: str) -> None:
    """Keep, in this browser, that the password was right and the second factor is to come."""
    session.clear()
    session[_HALFWAY] = token


def halfway_token() -> str | None:
    """Return the token of a browser that still owes the second factor."""
    token: str | None = session.get(_HALFWAY)
    return token


def exchange(token: str) -> None:
    """Go on under ``token``, the new one of the session at hand; open forms stay good."""
    badge = _load(token)
    if badge is None:
        abort(404)
    login_user(badge)


def let_out() -> None:
    """Forget this browser's session."""
    logout_user()
    session.clear()


def site() -> Site:
    """Return the address that passkeys hold for: the public one, else as the browser calls us."""
    return Site(deps().config.public_url or request.host_url.rstrip("/"))


def has_passkey() -> bool:
    """Say whether the person at the keyboard can confirm by a passkey."""
    return site().is_possible and bool(passkeys.of(db.session, current_user.actor.staff_id))


def current_token() -> str | None:
    """Return the token of this browser's session, if it has one."""
    return current_user.token if current_user.is_authenticated else None


def _see_by_page() -> None:
    """See, until it is known who asks, what the page needs for that: mostly nothing."""
    view = current_app.view_functions.get(request.endpoint or "")
    g.sees = Sees(reach=getattr(view, "reach", Reach.CLINICS))


def _see_as(actor: Actor) -> None:
    """See the rows of the clinics at which ``actor`` holds any role, for all of this request."""
    if g.get("sees", NOTHING).reach in {Reach.CARRIER, Reach.EVERY_CLINIC}:
        return
    at = {held.clinic_id for held in actor.held}
    reach = Reach.EVERY_CLINIC if None in at or actor.scope.everything else Reach.CLINICS
    see(Sees(frozenset(each for each in at if each is not None), actor.staff_id, reach))


def _load(token: str) -> Badge | None:
    with seeing_accounts():
        badge = _badge(token)
    if badge is not None:
        _see_as(badge.actor)
    return badge


def _badge(token: str) -> Badge | None:
    outside = deps()
    now = outside.clock()
    with orm.reading(), db.sessionmaker() as own:
        found = sign_in.present(
            own,
            token,
            now=now,
            idle=timedelta(minutes=outside.config.idle_minutes),
            longest=timedelta(hours=outside.config.session_hours),
            needs_reason=outside.config.administrators_need_reason,
        )
    if found is None:
        return None
    # A page that refreshes itself is nobody at the keyboard.
    is_person = "X-Background" not in request.headers
    if is_person and now - found.seen_at > sign_in.SEEN_EVERY:
        with orm.writing(), db.sessionmaker.begin() as own:
            sign_in.touch(own, token, now=now)
    return Badge(token, found)


def _needs_none(view: object) -> bool:
    return getattr(view, "is_open_without_factor", False)


def _owes_a_factor(found: Present) -> bool:
    must_have = bool(found.actor.roles & MUST_HAVE_FACTOR)
    return deps().config.requires_second_factor and must_have and not found.has_factor


def _to_set_up() -> ResponseReturnValue:
    return ("", 403) if _is_script() else redirect(url_for("security.mine"))


def _ask_again() -> ResponseReturnValue:
    if _is_script():
        return "", 403
    if request.method == "GET":
        return redirect(url_for("accounts.confirm", next=request.full_path.rstrip("?")))
    kept = [
        (name, value)
        for name, values in request.form.lists()
        for value in values
        if name != "csrf_token" and "password" not in name
    ]
    path = request.full_path.rstrip("?")
    page = render_template(
        "accounts/confirm.html",
        form=ConfirmForm(None),
        path=path,
        kept=kept,
        has_passkey=has_passkey(),
    )
    return page, 403


def _is_script() -> bool:
    return "HX-Request" in request.headers or request.is_json


def _to_sign_in() -> ResponseReturnValue:
    if _is_script():
        return "", 401
    back = request.full_path.rstrip("?") if request.method == "GET" else _came_from()
    return redirect(url_for("accounts.sign_in", next=back))


def _came_from() -> str | None:
    """Return the page of ours that sent this, None where it was none."""
    came_from = urlsplit(request.referrer or "")
    is_ours = came_from.netloc == request.host
    return f"{came_from.path}?{came_from.query}".rstrip("?") if is_ours else None
