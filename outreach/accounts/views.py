"""Signing in and out, and the way from the front door to one's own first page."""

from urllib.parse import urlsplit

from argon2 import PasswordHasher
from flask import Blueprint, current_app, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import generate_csrf

from outreach import orm
from outreach.accounts import access
from outreach.accounts import sign_in as sessions
from outreach.accounts.access import open_to_all, role_required, signed_in
from outreach.accounts.forms import SignInForm
from outreach.accounts.rules import Role
from outreach.audit import trail
from outreach.db import db
from outreach.deps import deps

bp = Blueprint("accounts", __name__)

_HOME = {
    Role.CALLER: "calls.queue",
    Role.NURSE: "concerns.open_concerns",
    Role.MANAGER: "reports.today",
    Role.ADMINISTRATOR: "reports.today",
}


@bp.get("/")
@role_required(*Role)
def home() -> ResponseReturnValue:
    """Send everyone to the page their day begins with."""
    roles = signed_in().roles
    return redirect(url_for(next(page for role, page in _HOME.items() if role in roles)))


@bp.route("/sign-in", methods=["GET", "POST"])
@open_to_all
def sign_in() -> ResponseReturnValue:
    """Ask for address and password."""
    form = SignInForm()
    if form.validate_on_submit() and _is_let_in(form):
        return redirect(_inside(request.args.get("next")))
    return render_template("accounts/sign_in.html", form=form), 422 if form.errors else 200


@bp.get("/form-token")
@role_required(*Role)
def form_token() -> ResponseReturnValue:
    """Return a fresh form token, for a page that outlived the session it was made in."""
    return jsonify(token=generate_csrf())


@bp.post("/sign-out")
@open_to_all
def sign_out() -> ResponseReturnValue:
    """End this session; what was being typed stays on the server."""
    token = access.current_token()
    if token:
        sessions.end(db.session, token, now=deps().clock())
        db.session.commit()
    access.let_out()
    answer = redirect(url_for("accounts.sign_in"))
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


def _is_let_in(form: SignInForm) -> bool:
    """Check the form's answers; begin a session, or put the reason beside the field."""
    now, email = deps().clock(), form.email.data or ""
    address = request.remote_addr or ""
    with orm.reading():  # hashing takes its time: no write lock meanwhile
        may_try = sessions.may_try(db.session, email, address, now=now)
        staff = sessions.find(db.session, email)
        db.session.close()  # which leaves `staff` as it was read
    if not may_try:
        form.password.errors = [_("Too many tries. Wait a quarter of an hour.")]
        return False
    hasher: PasswordHasher = current_app.extensions["password_hasher"]
    is_right = sessions.is_password(staff, form.password.data or "", hasher)
    if staff is None or not is_right:
        sessions.note_failure(db.session, email, address, now=now)
        db.session.commit()
        form.password.errors = [_("The e-mail address or the password is not right.")]
        return False
    before = access.current_token()
    if before:
        sessions.end(db.session, before, now=now)
    token = sessions.begin(db.session, staff, now=now)
    trail.record(db.session, "signed in", actor_id=staff.id, now=now)
    db.session.commit()
    access.let_in(token)
    return True


def _inside(target: str | None) -> str:
    """Return ``target`` if it is a path of ours, else the front door."""
    parts = urlsplit(target or "")
    if target and target.startswith("/") and not target.startswith(("//", "/\\")):
        return target if not parts.scheme and not parts.netloc else url_for("accounts.home")
    return url_for("accounts.home")
