"""Asking for files, following them, taking them away."""

import logging
import secrets
from collections.abc import Mapping, Sequence
from itertools import chain
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from outreach import orm
from outreach.accounts import staff
from outreach.accounts.access import (
    actor_or_none,
    fresh_download,
    fresh_required,
    role_required,
    signed_in,
)
from outreach.accounts.rules import Role
from outreach.brakes import access as brakes
from outreach.brakes.rules import Braked
from outreach.clock import local_day
from outreach.db import db
from outreach.deps import deps
from outreach.encryption import CannotDecrypt
from outreach.exports import folder, labels, requesting
from outreach.exports.forms import FileForm
from outreach.exports.requesting import NoSuchExport, Wish
from outreach.exports.rules import Content, Format, Progress, download_name, may_take
from outreach.oversight.forms import AuditForm
from outreach.patient_list import views as patient_list
from outreach.patients import finding
from outreach.reports.asked import Here
from outreach.reports.forms import AdherenceForm, AsOfForm

log = logging.getLogger(__name__)
bp = Blueprint("exports", __name__, url_prefix="/exports")
bp.add_app_template_global(lambda: labels, "export_labels")
bp.add_app_template_global(lambda: secrets.token_urlsafe(16), "new_form_key")

MANAGERS = (Role.MANAGER, Role.ADMINISTRATOR)
TAKERS = (Role.CALLER, Role.NURSE, Role.AUDITOR, *MANAGERS)
# What may stand in the address of a list. Those that don't name a clinic are over all of one's.
OF_A_LIST: Mapping[Content, Sequence[str]] = {
    Content.QUEUE: (),
    Content.TO_MEASURE: (),
    Content.FOLLOW_UPS: (),
    Content.WELFARE: (),
    Content.CONCERNS: (),
    Content.SECOND_LOOKS: (),
    Content.RETURNED: (),
    Content.FLAGS: (),
    Content.MEASURES: (),
    Content.KEPT: ("clinic",),
    Content.CLOSED_DAYS: ("clinic",),
    Content.CALLERS: ("clinic",),
    Content.PANELS: ("clinic",),
    Content.PROPOSAL: ("clinic", "show"),
    Content.ON_CALL: ("clinic",),
    Content.EMERGENCIES: (),
    Content.STAFF: ("search",),
    Content.SENT_TEXTS: ("show", "kind"),
    Content.DELIVERY: ("days", "kind"),
    Content.TEXTS_WAITING: ("show",),
    Content.IMPORTS: (),
}
# What may stand in the address of a report besides clinic and days.
OF_A_TABLE = (
    "measure", "dial", "by", "group", "key", "weeks", "point", "month", "standing", "of", "caller",
)  # fmt: skip
MIMES = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.PDF: "application/pdf",
    Format.ZIP: "application/zip",
}


@bp.app_template_test("may_take")
def _may_take(content: str) -> bool:
    """Say whether the person at the keyboard may take ``content`` away as a file."""
    actor = actor_or_none()
    return actor is not None and may_take(actor.roles, Content(content))


@bp.get("/")
@role_required(*TAKERS)
def mine() -> ResponseReturnValue:
    """Show the files that one asked for, and how far they are."""
    actor = signed_in()
    files = requesting.own(db.session, actor)
    under_way = any(each.progress in (Progress.WAITING, Progress.WRITING) for each in files)
    is_part = request.headers.get("HX-Request") == "true"
    template = "exports/_files.html" if is_part else "exports/mine.html"
    return render_template(
        template,
        files=files,
        under_way=under_way,
        may_research=may_take(actor.roles, Content.RESEARCH),
        kept_days=deps().config.export_days,
    )


@bp.post("/")
@role_required(*TAKERS)
@fresh_required
def ask() -> ResponseReturnValue:
    """Ask for a file; it is written in the background."""
    form, now, actor = FileForm(), deps().clock(), signed_in()
    if not form.validate_on_submit():
        raise NoSuchExport("There is no such file.")
    content, ending = Content(form.content.data), Format(form.format.data)
    if not may_take(actor.roles, content):
        raise NoSuchExport("There is no such file.")
    brakes.count(Braked.FILES, actor.staff_id)
    wish = _wish(content, ending, form.params)
    requesting.ask(db.session, actor, wish, form_key=form.form_key.data or "", now=now)
    db.session.commit()
    flash(_("The file is being written. You find it here as soon as it is ready."), "good")
    return redirect(url_for("exports.mine"))


@bp.post("/patients/<ref>")
@role_required(*MANAGERS)
@fresh_required
def own_data(ref: str) -> ResponseReturnValue:
    """Ask for a copy of everything that is held of one patient."""
    actor, now = signed_in(), deps().clock()
    patient = finding.to_manage(db.session, actor, ref)
    brakes.count(Braked.FILES, actor.staff_id)
    wish = Wish(Content.OWN_DATA, Format.ZIP, {"patient": ref}, patient.clinic_id, patient.id)
    requesting.ask(db.session, actor, wish, form_key=request.form.get("form_key", ""), now=now)
    db.session.commit()
    flash(_("The file is being written. You find it here as soon as it is ready."), "good")
    return redirect(url_for("exports.mine"), 303)


@bp.get("/<export_ref>/file")
@role_required(*TAKERS)
@fresh_download
def download(export_ref: str) -> ResponseReturnValue:
    """Hand over a file to who asked for it, and note that they took it."""
    now = deps().clock()
    with orm.writing(), db.sessionmaker.begin() as own:
        found = requesting.take(own, signed_in(), export_ref, now=now)
    path = deps().config.exports / (found.file_name or "")
    if not path.is_file():
        raise NoSuchExport("There is no such file.")
    pieces = folder.read(path)
    try:
        first = next(pieces, b"")
    except CannotDecrypt as error:
        log.warning("file %s can't be read", found.id)
        raise NoSuchExport("There is no such file.") from error
    answer = Response(chain([first], pieces), content_type=MIMES[found.format])
    answer.call_on_close(pieces.close)
    name = download_name(found.content, f"{found.asked_at:%Y-%m-%d}", found.format)
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    if found.bytes is not None:
        answer.content_length = found.bytes
    return answer


def _wish(content: Content, ending: Format, params: MultiDict[str, str]) -> Wish:
    if content is Content.OWN_DATA:  # asked for on the patient's own page
        raise NoSuchExport("There is no such file.")
    if content is Content.RESEARCH:
        return Wish(content, ending, {})
    if content is Content.AUDIT:
        return Wish(content, ending, _of_the_trail(params))
    if content in OF_A_LIST:
        return _about_a_list(content, ending, params)
    if content in (Content.PATIENTS, Content.FHIR):
        question = patient_list.ask(params)
        if question.form.errors:
            raise NoSuchExport("There is no such list.")
        return Wish(content, ending, question.params)
    return _about_a_report(content, ending, params)


def _about_a_list(content: Content, ending: Format, params: MultiDict[str, str]) -> Wish:
    """Return the wish for a list, with the clinic that its page would show."""
    named = {name: params[name][:100] for name in OF_A_LIST[content] if params.get(name)}
    if "clinic" not in OF_A_LIST[content]:
        return Wish(content, ending, named)
    with orm.reading(), db.sessionmaker() as reader:
        scope = finding.managing(signed_in())
        clinic = staff.clinic_in(reader, scope, named.get("clinic"))
    return Wish(content, ending, named | {"clinic": clinic.code}, clinic.id)


def _of_the_trail(params: MultiDict[str, str]) -> Mapping[str, object]:
    """Return what the audit page was asked, of a patient by their id: files are kept for days."""
    actor, form = signed_in(), AuditForm(params, meta={"csrf": False})
    if not form.validate():
        raise NoSuchExport("There is no such list.")
    with orm.reading(), db.sessionmaker() as reader:
        today = local_day(deps().clock(), ZoneInfo(actor.zone))
        return form.asked(reader, actor.zone, today).params


def _about_a_report(content: Content, ending: Format, params: MultiDict[str, str]) -> Wish:
    """Return the wish for a table of a report, with its days written out."""
    with orm.reading(), db.sessionmaker() as reader:
        scope = finding.managing(signed_in())
        clinic = staff.clinic_in(reader, scope, params.get("clinic"))
        today = Here.of(scope, clinic, now=deps().clock()).today
        form: AdherenceForm | AsOfForm
        if content.is_as_of:
            form = AsOfForm(params)
            days = {"as_of": form.chosen(today=today).isoformat()}
            is_wrong = bool(form.errors)
        else:
            form = AdherenceForm(params)
            day = form.known_until(today=today) if content.may_be_past else today
            is_wrong = bool(form.errors)
            period = form.chosen_as_of(day, today=today)
            is_wrong = is_wrong or bool(form.errors)
            days = {"from_on": period.from_on.isoformat(), "until_on": period.until_on.isoformat()}
            days |= {"as_of": day.isoformat()} if day < today else {}
    if is_wrong:
        raise NoSuchExport("There is no such report.")
    more = {name: params[name][:100] for name in OF_A_TABLE if name in params}
    return Wish(content, ending, {"clinic": clinic.code, **days, **more}, clinic.id)
