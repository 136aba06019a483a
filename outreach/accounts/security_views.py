"""My sign-in: one's own password, second factors, recovery codes and sessions."""

import io
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from outreach.accounts import access, passwords, sessions, views
from outreach.accounts.access import (
    fresh_required,
    open_without_factor,
    role_required,
    signed_in,
)
from outreach.accounts.forms import CodeForm, NewPasswordForm
from outreach.accounts.models import StaffMember
from outreach.accounts.rules import MUST_HAVE_FACTOR, Role
from outreach.accounts.sign_in import token_hash
from outreach.audit import trail
from outreach.db import db
from outreach.deps import deps
from outreach.errors import NotFound, RuleBroken
from outreach.factors import authenticator, passkeys, recovery
from outreach.factors.passkeys import Holder
from outreach.factors.rules import shown_secret
from outreach.web.json_sent import json_sent

bp = Blueprint("security", __name__, url_prefix="/my-sign-in")
bp.add_app_template_filter(sessions.device_words)


@bp.get("/")
@role_required(*Role)
@open_without_factor
def mine() -> ResponseReturnValue:
    """Show how one signs in, and where one is signed in."""
    return _page()


@bp.post("/password")
@role_required(*Role)
@open_without_factor
@fresh_required
def change_password() -> ResponseReturnValue:
    """Choose another password; all other sessions end."""
    form, person, now = NewPasswordForm(), _self(), deps().clock()
    if not form.validate_on_submit():
        return _page(form), 422
    try:
        passwords.check(
            form.password.data or "",
            passwords.own_words(db.session, person),
            breached_list=deps().config.breached_passwords,
        )
    except RuleBroken as error:
        form.password.errors = [str(error)]
        return _page(form), 422
    hashed = passwords.hashed(form.password.data or "", views.hasher())
    keep = access.current_token()
    passwords.change(db.session, person, hashed, keep=token_hash(keep) if keep else None, now=now)
    return _done("changed password", _("Your password is changed. Other devices are signed out."))


@bp.post("/authenticator")
@role_required(*Role)
@open_without_factor
@fresh_required
def propose_authenticator() -> ResponseReturnValue:
    """Begin to set up an authenticator app."""
    authenticator.propose(db.session, signed_in().staff_id, deps().cipher, now=deps().clock())
    db.session.commit()
    return redirect(url_for("security.authenticator_page"), 303)


@bp.route("/authenticator", methods=["GET"])
@role_required(*Role)
@open_without_factor
@fresh_required
def authenticator_page() -> ResponseReturnValue:
    """Show the picture and the secret that the app takes, until a code of it is confirmed."""
    return _proposed(CodeForm(None))


@bp.get("/authenticator.svg")
@role_required(*Role)
@open_without_factor
@fresh_required
def authenticator_picture() -> ResponseReturnValue:
    """Draw the secret for the camera of a telephone."""
    import segno  # noqa: PLC0415 - for one page, which people need once a telephone

    secret = _waiting_secret()
    drawn = io.BytesIO()
    picture = segno.make_qr(authenticator.uri(secret, _self().email), error="m")
    picture.save(drawn, kind="svg", scale=5, border=4, dark="#000", light="#fff")
    return Response(drawn.getvalue(), content_type="image/svg+xml")


@bp.post("/authenticator/confirm")
@role_required(*Role)
@open_without_factor
@fresh_required
def confirm_authenticator() -> ResponseReturnValue:
    """Take the app into use, once a code shows that it has the secret."""
    form, staff_id, now = CodeForm(), signed_in().staff_id, deps().clock()
    if not form.validate_on_submit():
        return _proposed(form), 422
    had_factor = access.present().has_factor
    try:
        authenticator.confirm(db.session, staff_id, form.code.data or "", deps().cipher, now=now)
    except authenticator.NotTheCode as error:
        form.code.errors = [_why_not(error)]
        return _proposed(form), 422
    _note("set up authenticator")
    return _first_codes() if not had_factor else _done(None, _("Your app is set up."))


@bp.post("/authenticator/end")
@role_required(*Role)
@fresh_required
def end_authenticator() -> ResponseReturnValue:
    """Sign in without the app from now on."""
    if _is_last_factor(but_app=True):
        return _kept_last()
    if not authenticator.end(db.session, signed_in().staff_id, now=deps().clock()):
        raise NotFound("There is no app.")
    return _done("ended authenticator", _("The app is no longer asked for."))


@bp.post("/recovery-codes")
@role_required(*Role)
@fresh_required
def new_recovery_codes() -> ResponseReturnValue:
    """Make ten new recovery codes; the old ones are worth nothing."""
    return _first_codes()


@bp.post("/passkeys/question")
@role_required(*Role)
@open_without_factor
@fresh_required
def passkey_question() -> ResponseReturnValue:
    """Ask the browser to make a passkey."""
    person = _self()
    holder = Holder(person.id, person.email, person.name)
    question = passkeys.registration(db.session, access.site(), holder, now=deps().clock())
    db.session.commit()
    return Response(question, content_type="application/json")


@bp.post("/passkeys")
@role_required(*Role)
@open_without_factor
@fresh_required
def keep_passkey() -> ResponseReturnValue:
    """Keep the passkey that the browser made."""
    sent = json_sent()
    told: dict[str, Any] = sent if isinstance(sent, dict) else {}
    staff_id, now = signed_in().staff_id, deps().clock()
    had_factor = access.present().has_factor
    name = str(told.get("name") or "")
    try:
        passkeys.register(db.session, access.site(), staff_id, told.get("answer"), name, now=now)
    except passkeys.PasskeyRefused as error:
        db.session.commit()  # the question is used up
        return jsonify(problem=str(error)), 422
    _note("added passkey")
    db.session.commit()
    flash(_("The passkey is kept."), "good")
    if not had_factor:
        flash(_("Now make recovery codes, for a day without your device."), "warm")
    return jsonify(next=url_for("security.mine"))


@bp.post("/passkeys/<int:passkey_id>/remove")
@role_required(*Role)
@fresh_required
def remove_passkey(passkey_id: int) -> ResponseReturnValue:
    """Remove a passkey of one's own."""
    staff_id, now = signed_in().staff_id, deps().clock()
    if passkey_id not in {each.id for each in passkeys.of(db.session, staff_id)}:
        raise NotFound("There is no such passkey.")
    if _is_last_factor(but_passkey=passkey_id):
        return _kept_last()
    passkeys.remove(db.session, staff_id, passkey_id, now=now)
    return _done("removed passkey", _("The passkey is removed."))


@bp.post("/confirm/passkey/question")
@role_required(*Role)
@open_without_factor
def confirm_question() -> ResponseReturnValue:
    """Ask a passkey of one's own, before something that matters."""
    question = passkeys.question(
        db.session, access.site(), signed_in().staff_id, now=deps().clock()
    )
    db.session.commit()
    return Response(question, content_type="application/json")


@bp.post("/confirm/passkey")
@role_required(*Role)
@open_without_factor
def confirm_by_passkey() -> ResponseReturnValue:
    """Accept a passkey of one's own as proof of who is at the keyboard."""
    staff_id, now = signed_in().staff_id, deps().clock()
    try:
        passkeys.accept(db.session, access.site(), json_sent(), staff_id, now=now)
    except passkeys.PasskeyRefused as error:
        db.session.commit()
        return jsonify(problem=str(error)), 422
    views.confirm_now(staff_id)
    return jsonify(next=None)


@bp.post("/sessions/<int:sign_in_id>/end")
@role_required(*Role)
@open_without_factor
def end_session(sign_in_id: int) -> ResponseReturnValue:
    """End one session of one's own."""
    if not sessions.end_one(db.session, signed_in().staff_id, sign_in_id, now=deps().clock()):
        raise NotFound("There is no such session.")
    return _done("ended own session", _("That session is ended."))


@bp.post("/sessions/end-others")
@role_required(*Role)
@open_without_factor
def end_other_sessions() -> ResponseReturnValue:
    """End all sessions of one's own but this one."""
    own = access.present().sign_in_id
    sessions.end_all(db.session, signed_in().staff_id, now=deps().clock(), but=own)
    return _done("ended other sessions", _("You are signed out everywhere else."))


def _page(form: NewPasswordForm | None = None) -> str:
    config, staff_id, now = deps().config, signed_in().staff_id, deps().clock()
    present = access.present()
    return render_template(
        "accounts/my_sign_in.html",
        form=form or NewPasswordForm(None),
        app=authenticator.in_use(db.session, staff_id),
        passkeys=passkeys.of(db.session, staff_id),
        can_passkey=access.site().is_possible,
        codes=recovery.left(db.session, staff_id),
        present=present,
        is_required=bool(config.requires_second_factor and present.actor.roles & MUST_HAVE_FACTOR),
        open_sessions=sessions.open_of(
            db.session,
            staff_id,
            now=now,
            idle=timedelta(minutes=config.idle_minutes),
            longest=timedelta(hours=config.session_hours),
        ),
    )


def _proposed(form: CodeForm) -> str:
    return render_template(
        "accounts/authenticator.html", form=form, secret=shown_secret(_waiting_secret())
    )


def _waiting_secret() -> bytes:
    secret = authenticator.proposed(db.session, signed_in().staff_id, deps().cipher)
    if secret is None:
        raise NotFound("No app is being set up.")
    return secret


def _first_codes() -> ResponseReturnValue:
    """Show ten new recovery codes, which are shown only here."""
    codes = recovery.renew(db.session, signed_in().staff_id, deps().cipher, now=deps().clock())
    _note("made recovery codes")
    db.session.commit()
    return render_template("accounts/recovery_codes.html", codes=codes)


def _why_not(error: authenticator.NotTheCode) -> str:
    if error.ahead is None:
        return _("That is not the code that your app shows now.")
    minutes = max(1, round(abs(error.ahead).total_seconds() / 60))
    if error.ahead > timedelta(0):
        return _(
            "The code is right, but your phone's clock is about %(n)s min ahead. "
            "Let the phone set its time by itself.",
            n=minutes,
        )
    return _(
        "The code is right, but your phone's clock is about %(n)s min behind. "
        "Let the phone set its time by itself.",
        n=minutes,
    )


def _is_last_factor(*, but_app: bool = False, but_passkey: int | None = None) -> bool:
    """Say whether nothing would be left to somebody who must have a second factor."""
    present, staff_id = access.present(), signed_in().staff_id
    if not deps().config.requires_second_factor or not present.actor.roles & MUST_HAVE_FACTOR:
        return False
    has_app = not but_app and authenticator.in_use(db.session, staff_id) is not None
    others = [each for each in passkeys.of(db.session, staff_id) if each.id != but_passkey]
    return not has_app and not others


def _kept_last() -> ResponseReturnValue:
    flash(_("Your role needs a second factor. Add another one first, then end this."), "warm")
    return redirect(url_for("security.mine"), 303)


def _self() -> StaffMember:
    return db.session.get_one(StaffMember, signed_in().staff_id)


def _note(action: str) -> None:
    staff_id = signed_in().staff_id
    trail.record(
        db.session,
        action,
        actor_id=staff_id,
        now=deps().clock(),
        about=("staff_member", staff_id),
    )


def _done(action: str | None, words: str) -> ResponseReturnValue:
    if action:
        _note(action)
    db.session.commit()
    flash(words, "good")
    return redirect(url_for("security.mine"), 303)
