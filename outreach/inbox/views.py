"""Pages of what patients send back: what waits, and one conversation."""

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from outreach.accounts.access import actor_or_none, role_required, signed_in
from outreach.accounts.rules import Role
from outreach.audit import trail
from outreach.brakes import access as brakes
from outreach.brakes.rules import Braked
from outreach.db import db
from outreach.deps import deps
from outreach.inbox import permission, stopping, thread, waiting, writing
from outreach.inbox.forms import AnswerForm
from outreach.inbox.labels import UNDERSTOOD
from outreach.inbox.rules import LONGEST_BODY
from outreach.messaging.labels import SKIP_WORDS, STATUS_WORDS
from outreach.patients import finding, registry
from outreach.patients.models import Patient
from outreach.patients.rules import ConsentSource
from outreach.web.bounded import whole
from outreach.web.template_filters import local_weekday_time

bp = Blueprint("inbox", __name__, url_prefix="/texts")
bp.add_app_template_global(lambda kind: UNDERSTOOD[kind], "understood_words")
bp.add_app_template_global(
    lambda patient: waiting.of_patient(db.session, patient.id), "texts_waiting_of"
)
bp.add_app_template_global(lambda call: waiting.is_confirmed(db.session, call), "confirmed_by_text")

KEEPERS = (Role.CALLER, Role.MANAGER, Role.ADMINISTRATOR)
REVIEWERS = (*KEEPERS, Role.NURSE)


@bp.app_template_global("texts_to_answer")
def _to_answer() -> int:
    """Return how many texts the person at the keyboard is shown as waiting."""
    actor = actor_or_none()
    if actor is None:
        return 0
    scope = finding.managing(actor)
    at = actor.clinic_ids_as(Role.NURSE)
    return waiting.count(db.session, scope, now=deps().clock(), overdue_only=True, danger_at=at)


@bp.get("/")
@role_required(*REVIEWERS)
def review() -> ResponseReturnValue:
    """List texts that wait: a caller's own; of whole clinics those that wait for too long.

    Nurses see danger from numbers that are nobody's: no concern can hold it.
    """
    now, actor = deps().clock(), signed_in()
    scope, shows_all = finding.managing(actor), request.args.get("show") == "all"
    at = actor.clinic_ids_as(Role.NURSE)
    lines = waiting.lines(db.session, scope, now=now, overdue_only=not shows_all, danger_at=at)
    is_manager = bool(scope.clinic_ids) or scope.everything
    return render_template(
        "inbox/review.html", lines=lines, shows_all=shows_all, is_manager=is_manager
    )


@bp.post("/items/<int:item_id>/done")
@role_required(*REVIEWERS)
def done(item_id: int) -> ResponseReturnValue:
    """Note that one text is seen to."""
    actor, now = signed_in(), deps().clock()
    scope, at = finding.managing(actor), actor.clinic_ids_as(Role.NURSE)
    waiting.see_to(db.session, scope, item_id, actor.staff_id, now=now, danger_at=at)
    trail.record(
        db.session,
        "saw to a text",
        actor_id=actor.staff_id,
        now=now,
        about=("inbox_item", item_id),
    )
    db.session.commit()
    flash(_("Marked as seen to."), "good")
    return redirect(url_for("inbox.review"))


@bp.route("/<ref>", methods=["GET", "POST"])
@role_required(*KEEPERS)
def conversation(ref: str) -> ResponseReturnValue:
    """Show one conversation, and send an answer in one's own words."""
    actor, now, form = signed_in(), deps().clock(), AnswerForm()
    patient = finding.to_change(db.session, actor, ref)
    if form.validate_on_submit():
        brakes.count(Braked.TEXTS, actor.staff_id)
        try:
            reach = writing.send(db.session, patient, form.to_answer(), actor.staff_id, now=now)
        except (writing.SaidStop, writing.NothingToAnswer) as error:
            form.words.errors = [_reason(error)]
        else:
            _saved(patient, "answered a text")
            flash(_said_when(reach, patient), "good")
            return redirect(url_for("inbox.conversation", ref=ref))
    draft = writing.draft_of(db.session, patient.id, actor.staff_id)
    if not form.is_submitted():
        form.words.data = draft.text if draft else ""
        form.form_key.data = draft.form_key if draft else writing.new_key()
    shown = thread.of_patient(db.session, patient.id)
    newest = shown.newest
    form.read_up_to.data = str(newest.id) if newest else "0"
    page = render_template(
        "inbox/conversation.html",
        form=form,
        draft=draft,
        reach=writing.reach_of(db.session, patient, now=now),
        sends_readings=permission.is_given(db.session, patient.id),
        longest=LONGEST_BODY,
        **_shown(patient, shown),
    )
    return page, 422 if form.errors else 200


@bp.get("/<ref>/lines")
@role_required(*KEEPERS)
def lines(ref: str) -> ResponseReturnValue:
    """Return the texts of a conversation alone, for a page that asks again and again."""
    patient = finding.to_change(db.session, signed_in(), ref)
    shown = thread.of_patient(db.session, patient.id)
    return render_template("inbox/_lines.html", **_shown(patient, shown))


@bp.post("/<ref>/draft")
@role_required(*KEEPERS)
def draft(ref: str) -> ResponseReturnValue:
    """Keep what is being typed."""
    actor, now = signed_in(), deps().clock()
    patient = finding.to_change(db.session, actor, ref)
    try:
        version = writing.save_draft(
            db.session,
            patient,
            request.form.get("words", ""),
            actor.staff_id,
            version=whole(request.form.get("version")) or 0,
            form_key=request.form.get("form_key", "")[:40],
            now=now,
        )
    except writing.DraftedElsewhere:
        return jsonify(is_elsewhere=True), 409
    db.session.commit()
    return jsonify(version=version)


@bp.post("/<ref>/done")
@role_required(*KEEPERS)
def all_done(ref: str) -> ResponseReturnValue:
    """Note that a conversation needs no answer, up to the text that the page showed."""
    actor, now = signed_in(), deps().clock()
    patient = finding.to_change(db.session, actor, ref)
    read_up_to = whole(request.form.get("read_up_to")) or 0
    waiting.see_to_all(db.session, patient.id, read_up_to, actor.staff_id, now=now)
    _saved(patient, "saw to texts")
    flash(_("Marked as seen to."), "good")
    return redirect(url_for("inbox.review"))


@bp.post("/<ref>/stop")
@role_required(*KEEPERS)
def stop(ref: str) -> ResponseReturnValue:
    """Note that this patient wants no more texts on the number that they wrote from."""
    actor, now = signed_in(), deps().clock()
    patient = finding.to_change(db.session, actor, ref)
    number = writing.reach_of(db.session, patient, now=now).number
    if number is not None:
        stopping.stop_number(
            db.session,
            [patient.clinic_id],
            number,
            source=ConsentSource.SMS,
            by_staff_id=actor.staff_id,
            now=now,
        )
    _saved(patient, "noted a stop to texts")
    flash(_("No more texts go to this number. Calls go on."), "good")
    return redirect(url_for("inbox.conversation", ref=ref))


@bp.post("/<ref>/readings")
@role_required(*KEEPERS)
def readings(ref: str) -> ResponseReturnValue:
    """Note whether this patient agreed, when asked, to send blood sugar by text."""
    actor, now = signed_in(), deps().clock()
    patient = finding.to_change(db.session, actor, ref)
    permission.note(
        db.session,
        patient,
        is_given=request.form.get("agreed") == "yes",
        by_staff_id=actor.staff_id,
        now=now,
    )
    _saved(patient, "noted a permission to send readings")
    flash(_("Saved."), "good")
    return redirect(url_for("inbox.conversation", ref=ref))


def _shown(patient: Patient, shown: thread.Conversation) -> dict[str, object]:
    return {
        "patient": patient,
        "conversation": shown,
        "numbers": registry.numbers_of(db.session, patient.id),
        "status_words": STATUS_WORDS,
        "skip_words": SKIP_WORDS,
    }


def _said_when(reach: writing.Reach, patient: Patient) -> str:
    if reach.is_now:
        return _("Your answer goes out now.")
    when = local_weekday_time(reach.goes_at, patient.zone)
    return _("Your answer goes out at %(when)s their time.", when=when)


def _reason(error: Exception) -> str:
    if isinstance(error, writing.SaidStop):
        return _("They said stop to texts. Ring them instead.")
    return _("This patient has sent no text to answer.")


def _saved(patient: Patient, action: str) -> None:
    """Record what was done to a patient's texts, and commit."""
    _note(db.session, patient, action)
    db.session.commit()


def _note(session: Session, patient: Patient, action: str) -> None:
    trail.record(
        session,
        action,
        actor_id=signed_in().staff_id,
        now=deps().clock(),
        clinic_id=patient.clinic_id,
        patient_id=patient.id,
        about=("patient", patient.id),
    )
