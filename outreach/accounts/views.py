"""The door: signing in in one step or two, and out; proving once more who one is; links."""

import logging
from urllib.parse import urlsplit

from argon2 import PasswordHasher
from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    jsonify,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import generate_csrf
from werkzeug import Response as BaseResponse

from outreach import orm
from outreach.accounts import access, access_links, devices, passwords, proving, throttle
from outreach.accounts import sign_in as sessions
from outreach.accounts.access import (
    open_to_all,
    open_without_factor,
    role_required,
    signed_in,
)
from outreach.accounts.forms import CodeForm, ConfirmForm, NewPasswordForm, SignInForm
from outreach.accounts.models import StaffMember
from outreach.accounts.rules import Role
from outreach.accounts.sign_in import Browser
from outreach.audit import trail
from outreach.brakes import access as brakes
from outreach.db import db
from outreach.deps import deps
from outreach.errors import RuleBroken
from outreach.factors import authenticator, passkeys
from outreach.web.error_pages import too_many
from outreach.web.json_sent import json_sent

bp = Blueprint("accounts", __name__)
log = logging.getLogger(__name__)

_HOME = {
    Role.CALLER: "calls.queue",
    Role.NURSE: "concerns.open_concerns",
    Role.MANAGER: "reports.today",
    Role.ADMINISTRATOR: "reports.today",
    Role.AUDITOR: "oversight.trail_page",
    Role.ASSESSOR: "assessing.find",
}


@bp.before_request
def _know_who_is_here() -> None:
    """Note that somebody is there before a page of these writes: SQLite has one turn to write."""
    access.current_token()


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
    if form.validate_on_submit():
        person = _who(form)
        if person is not None:
            return _first_step_done(person)
    page = render_template(
        "accounts/sign_in.html", form=form, can_passkey=access.site().is_possible
    )
    return page, 422 if form.errors else 200


@bp.route("/sign-in/code", methods=["GET", "POST"])
@open_to_all
def second_step() -> ResponseReturnValue:
    """Ask for the second factor of somebody whose password was right."""
    now, token = deps().clock(), access.halfway_token()
    person = sessions.half_signed_in(db.session, token, now=now) if token else None
    if token is None or person is None:
        return redirect(url_for("accounts.sign_in", next=request.args.get("next")))
    form = CodeForm()
    if form.validate_on_submit():
        source = devices.source_of(person.id)
        written = form.code.data or ""
        try:
            proving.by_code(db.session, person, written, prover(), source, now=now)
        except RuleBroken as error:
            log.warning("second factor refused: account %s", person.id)
            form.code.errors = [refusal(error)]
        else:
            sessions.end(db.session, token, now=now)
            return _let_in(person)
        db.session.commit()
    page = render_template(
        "accounts/second_step.html",
        form=form,
        has_app=authenticator.in_use(db.session, person.id) is not None,
        has_passkey=access.site().is_possible and bool(passkeys.of(db.session, person.id)),
    )
    return page, 422 if form.errors else 200


@bp.post("/sign-in/passkey/question")
@open_to_all
def passkey_question() -> ResponseReturnValue:
    """Ask the browser for any passkey of ours. Each question is a row, so they are counted.

    A browser that somebody was let in by is counted alone: a clinic has one address, and nobody
    there keeps the others from their passkeys.
    """
    brakes.count_stranger(devices.known_name())
    question = passkeys.question(db.session, access.site(), None, now=deps().clock())
    db.session.commit()
    return Response(question, content_type="application/json")


@bp.post("/sign-in/passkey")
@open_to_all
def passkey() -> ResponseReturnValue:
    """Sign in by a passkey alone: it is something one has, opened by something one is or knows."""
    now, answer = deps().clock(), json_sent()
    try:
        used = passkeys.accept(db.session, access.site(), answer, None, now=now)
    except passkeys.PasskeyRefused as error:
        db.session.commit()  # the question is used up
        log.warning("passkey refused")
        return jsonify(problem=str(error)), 422
    person = db.session.get_one(StaffMember, used.staff_id)
    if not person.is_active:
        return jsonify(problem=_("This account is closed.")), 422
    going = _let_in(person)
    answered = jsonify(next=going.location)
    devices.remember(answered, person.id)
    return answered


@bp.route("/confirm", methods=["GET", "POST"])
@role_required(*Role)
@open_without_factor
def confirm() -> ResponseReturnValue:
    """Ask once more who is at the keyboard, before something that matters."""
    form, now = ConfirmForm(), deps().clock()
    path = _inside(request.values.get("next"))
    kept = [
        (name, value)
        for name, values in request.form.lists()
        for value in values
        if name not in {"csrf_token", "next", "proof", "kept", "file"}
    ]
    is_replay = "kept" in request.form
    if request.method == "POST" and access.is_fresh():  # by a passkey, a moment ago
        _say_file_is_ready()
        return redirect(path, 307 if is_replay else 303)
    if form.validate_on_submit():
        person = db.session.get_one(StaffMember, signed_in().staff_id)
        source = devices.source_of(person.id)
        proof = form.proof.data or ""
        try:
            proving.again(db.session, person, proof, prover(), source, now=now)
        except RuleBroken as error:
            log.warning("proof refused: account %s", person.id)
            form.proof.errors = [refusal(error)]
        else:
            confirm_now(person.id)
            _say_file_is_ready()
            # 307 repeats what was posted; the proof goes along to ourselves, who ignore it.
            return redirect(path, 307 if is_replay else 303)
        db.session.commit()
    page = render_template(
        "accounts/confirm.html",
        form=form,
        path=path,
        kept=kept if is_replay else None,
        has_passkey=access.has_passkey(),
    )
    return page, 422 if form.errors else 200


@bp.route("/welcome/<token>", methods=["GET", "POST"])
@open_to_all
@brakes.strangers_counted(access_links.LinkOver)
def welcome(token: str) -> ResponseReturnValue:
    """Let the owner of a link set their own password."""
    now, form = deps().clock(), NewPasswordForm()
    person = access_links.owner(db.session, token, now=now)
    if form.validate_on_submit():
        password = form.password.data or ""
        try:
            passwords.check(
                password,
                passwords.own_words(db.session, person),
                breached_list=deps().config.breached_passwords,
            )
        except RuleBroken as error:
            form.password.errors = [str(error)]
        else:
            hashed = passwords.hashed(password, hasher())
            access_links.use(db.session, token, hashed, now=now)
            trail.record(
                db.session,
                "set password by link",
                actor_id=person.id,
                now=now,
                about=("staff_member", person.id),
            )
            return _first_step_done(person)
    page = render_template("accounts/welcome.html", form=form, person=person)
    return page, 422 if form.errors else 200


@bp.get("/form-token")
@role_required(*Role)
@open_without_factor
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


def hasher() -> PasswordHasher:
    """Return what passwords are hashed with."""
    found: PasswordHasher = current_app.extensions["password_hasher"]
    return found


def prover() -> proving.Prover:
    """Return what codes and passwords are checked with."""
    return proving.Prover(hasher(), deps().cipher)


def refusal(error: RuleBroken) -> str:
    """Return the words for a refused proof."""
    if isinstance(error, proving.MustWait):
        return too_many(error.wait)
    return _("That is not right. A code counts once: wait for the next one.")


def confirm_now(staff_id: int) -> None:
    """Note that the person at the keyboard has just proved who they are. Commits."""
    now, token = deps().clock(), access.current_token()
    if token is None:
        return
    fresh = sessions.confirm(db.session, token, now=now)
    trail.record(db.session, "confirmed identity", actor_id=staff_id, now=now)
    db.session.commit()
    access.exchange(fresh)


def _who(form: SignInForm) -> StaffMember | None:
    """Check the form's answers; return who it is, or put the reason beside the field."""
    now, email = deps().clock(), form.email.data or ""
    account = throttle.by_address(email)
    with orm.reading():  # hashing takes its time: no write lock meanwhile
        staff = sessions.find(db.session, email)
        source = devices.source_of(staff.id if staff else None)
        wait = throttle.wait(db.session, account, source, now=now)
        db.session.close()  # which leaves `staff` as it was read
    whose = staff.id if staff else "nobody's"
    if wait:
        log.warning("sign-in refused: too many tries, account %s", whose)
        form.password.errors = [too_many(wait)]
        return None
    if not passwords.is_right(staff, form.password.data or "", hasher()):
        throttle.note_failure(db.session, account, source, now=now)
        db.session.commit()
        log.warning("sign-in refused: wrong password, account %s", whose)
        form.password.errors = [_("The e-mail address or the password is not right.")]
        return None
    throttle.forget(db.session, account, source)
    return staff


def _first_step_done(person: StaffMember) -> ResponseReturnValue:
    """Let somebody in whose password was right, or ask for their second factor."""
    now = deps().clock()
    if not sessions.owes_second_step(db.session, person.id):
        return _let_in(person)
    token = sessions.begin(db.session, person, _browser(), now=now, awaits_factor=True)
    db.session.commit()
    access.let_in_halfway(token)
    return redirect(url_for("accounts.second_step", next=request.args.get("next")))


def _let_in(person: StaffMember) -> BaseResponse:
    """Begin a session; the one before in this browser ends. Commits."""
    now, before = deps().clock(), access.current_token()
    if before:
        sessions.end(db.session, before, now=now)
    token = sessions.begin(db.session, person, _browser(), now=now)
    trail.record(db.session, "signed in", actor_id=person.id, now=now)
    db.session.commit()
    access.let_in(token)
    answer = redirect(_inside(request.args.get("next")))
    devices.remember(answer, person.id)
    return answer


def _say_file_is_ready() -> None:
    if request.values.get("file"):
        flash(_("Confirmed. You can download the file now."), "good")


def _browser() -> Browser:
    return Browser(request.user_agent.string, request.remote_addr or "")


def _inside(target: str | None) -> str:
    """Return ``target`` if it is a path of ours, else the front door."""
    parts = urlsplit(target or "")
    if target and target.startswith("/") and not target.startswith(("//", "/\\")):
        return target if not parts.scheme and not parts.netloc else url_for("accounts.home")
    return url_for("accounts.home")
