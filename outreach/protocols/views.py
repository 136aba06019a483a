"""Programmes: what they say, a patient's weeks, editing and publishing."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from outreach import orm
from outreach.accounts.access import role_required, signed_in
from outreach.accounts.rules import Role
from outreach.audit import trail
from outreach.db import db
from outreach.deps import deps
from outreach.patients import finding
from outreach.programmes import editing, labels, protocol
from outreach.programmes.editing import ChangedMeanwhile, Listed, NothingChanged
from outreach.programmes.models import ProgrammeVersion
from outreach.programmes.rules import Protocol
from outreach.programmes.rules.checking import problems
from outreach.protocols import labels as protocol_labels
from outreach.protocols.forms import PreviewForm, ProtocolForm, PublishForm, StartForm
from outreach.protocols.rules import preview

bp = Blueprint("protocols", __name__, url_prefix="/programmes")
bp.add_app_template_global(lambda: labels, "programme_labels")
bp.add_app_template_global(lambda: protocol_labels, "protocol_labels")

LOOKERS = (Role.MANAGER, Role.ADMINISTRATOR)


@bp.get("/")
@role_required(*LOOKERS)
def programmes() -> ResponseReturnValue:
    """List every programme with its version and who is on it."""
    with orm.reading():
        listed = editing.all_programmes(db.session, finding.managing(signed_in()))
    return render_template("protocols/programmes.html", listed=listed)


@bp.post("/")
@role_required(Role.ADMINISTRATOR)
def set_up() -> ResponseReturnValue:
    """Add the published protocol where there is no programme yet."""
    protocol.newest_version(db.session, now=deps().clock())
    db.session.commit()
    return redirect(url_for("protocols.programmes"))


@bp.get("/<code>")
@role_required(*LOOKERS)
def programme(code: str) -> ResponseReturnValue:
    """Show what a programme says, a patient's weeks, and its versions."""
    with orm.reading():
        listed = _listed(code)
    asked = PreviewForm(request.args)
    return render_template(
        "protocols/programme.html",
        listed=listed,
        protocol=listed.newest.protocol,
        asked=asked,
        preview=preview(listed.newest.protocol, *asked.asked),
        start=StartForm(),
    )


@bp.route("/<code>/edit", methods=["GET", "POST"])
@role_required(Role.ADMINISTRATOR)
def edit(code: str) -> ResponseReturnValue:
    """Show the editor; check, preview or review what is typed. Nothing is saved here."""
    listed, step = _listed(code), request.form.get("do", "")
    if request.method == "GET":
        return _editor(listed, ProtocolForm.of(listed.newest.protocol, listed.newest.number))
    if step.startswith(("add-", "remove-", "up-")):
        return _editor(listed, ProtocolForm.stepped(request.form, step), step=step)
    if step == "back":
        return _editor(listed, _carried(listed))
    form = ProtocolForm()
    draft = _checked(form, listed)
    if draft is not None and step == "review":
        return _review(listed, PublishForm(formdata=None), draft, form.seen_number)
    return _editor(listed, form, draft), 200 if draft else 422


@bp.post("/<code>/versions")
@role_required(Role.ADMINISTRATOR)
def publish(code: str) -> ResponseReturnValue:
    """Publish a new version, and say for whom it holds."""
    listed, form = _listed(code), PublishForm()
    carried = form.carried()
    if carried is None:
        return redirect(url_for("protocols.edit", code=code))
    form.show(carried, form.seen_number, _words_for(listed))
    if not form.validate_on_submit():
        return _review(listed, form, carried, form.seen_number), 422
    try:
        version = _publish(listed, form, carried)
    except (ChangedMeanwhile, NothingChanged) as error:
        db.session.rollback()
        return _refused(code, form, carried, error)
    db.session.commit()
    flash(_("Version %(n)s holds now.", n=version.number), "good")
    return redirect(url_for("protocols.programme", code=code))


@bp.post("/<code>/copies")
@role_required(Role.ADMINISTRATOR)
def start(code: str) -> ResponseReturnValue:
    """Begin another programme as a copy of this one."""
    now, listed, form = deps().clock(), _listed(code), StartForm()
    if not form.validate_on_submit():
        page = render_template("protocols/start.html", listed=listed, start=form)
        return page, 422
    staff_id, name = signed_in().staff_id, (form.name.data or "").strip()
    added = editing.start(db.session, listed, name, by_staff_id=staff_id, now=now)
    trail.record(
        db.session, "added programme", actor_id=staff_id, now=now, about=("programme", added.id)
    )
    db.session.commit()
    flash(_("Added. It begins as a copy: change what is different."), "good")
    return redirect(url_for("protocols.edit", code=added.code))


def _listed(code: str) -> Listed:
    return editing.one_programme(db.session, finding.managing(signed_in()), code)


def _checked(form: ProtocolForm, listed: Listed) -> Protocol | None:
    """Return what was typed where it makes sense; else mark what does not."""
    if not form.validate():
        return None
    draft = editing.with_codes(listed, form.to_protocol())
    found = problems(draft)
    form.mark(found)
    return None if found else draft


def _carried(listed: Listed) -> ProtocolForm:
    """Return the editor with the protocol that was to be published."""
    publication = PublishForm()
    draft = publication.carried() or listed.newest.protocol
    return ProtocolForm.of(draft, publication.seen_number)


def _editor(
    listed: Listed, form: ProtocolForm, draft: Protocol | None = None, *, step: str = ""
) -> str:
    asked = PreviewForm(request.form)
    if draft is None and not step and not form.wrong():
        draft = form.to_protocol()
    return render_template(
        "protocols/edit.html",
        listed=listed,
        form=form,
        step=step,
        protocol=draft,
        asked=asked,
        preview=preview(draft, *asked.asked) if draft else None,
    )


def _review(listed: Listed, form: PublishForm, draft: Protocol, seen: int) -> str:
    form.show(draft, seen, _words_for(listed))
    return render_template(
        "protocols/review.html",
        listed=listed,
        form=form,
        protocol=draft,
        changes=protocol_labels.changes(listed.newest.protocol, draft),
    )


def _refused(
    code: str, form: PublishForm, draft: Protocol, error: ChangedMeanwhile | NothingChanged
) -> ResponseReturnValue:
    """Show the review again, against the version that holds by now."""
    listed = _listed(code)
    if isinstance(error, NothingChanged):
        form.form_errors.append(_("Nothing is different from the version that holds."))
        return _review(listed, form, draft, listed.newest.number), 422
    form.form_errors.append(
        _(
            "Somebody else published version %(n)s meanwhile. Below is what differs from it now.",
            n=listed.newest.number,
        )
    )
    return _review(listed, form, draft, listed.newest.number), 409


def _publish(listed: Listed, form: PublishForm, draft: Protocol) -> ProgrammeVersion:
    now, staff_id = deps().clock(), signed_in().staff_id
    publication = form.to_publication(draft)
    version = editing.publish(db.session, listed, publication, by_staff_id=staff_id, now=now)
    about = ("programme version", version.id)
    trail.record(db.session, "published version", actor_id=staff_id, now=now, about=about)
    return version


def _words_for(listed: Listed) -> str:
    """Return the choice that moves those enrolled now, with how many they are."""
    return str(
        ngettext(
            "Also the %(num)s person enrolled now, from their next call on",
            "Also the %(num)s people enrolled now, from their next call on",
            listed.enrolled,
        )
    )
