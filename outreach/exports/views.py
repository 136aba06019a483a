"""Asking for files, following them, taking them away."""

import secrets

from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from outreach import orm
from outreach.accounts import staff
from outreach.accounts.access import fresh_download, fresh_required, role_required, signed_in
from outreach.accounts.rules import Role
from outreach.db import db
from outreach.deps import deps
from outreach.exports import labels, requesting
from outreach.exports.forms import FileForm
from outreach.exports.requesting import NoSuchExport, Wish
from outreach.exports.rules import Content, Format, Progress, download_name, may_take
from outreach.patient_list import views as patient_list
from outreach.patients import finding
from outreach.reports.asked import Here
from outreach.reports.forms import PeriodForm

bp = Blueprint("exports", __name__, url_prefix="/exports")
bp.add_app_template_global(lambda: labels, "export_labels")
bp.add_app_template_global(lambda: secrets.token_urlsafe(16), "new_form_key")

TAKERS = (Role.MANAGER, Role.ADMINISTRATOR)
MIMES = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.PDF: "application/pdf",
    Format.ZIP: "application/zip",
}


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
    wish = _wish(content, ending, form.params)
    requesting.ask(db.session, actor, wish, form_key=form.form_key.data or "", now=now)
    db.session.commit()
    flash(_("The file is being written. You find it here as soon as it is ready."), "good")
    return redirect(url_for("exports.mine"))


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
    day = f"{found.asked_at:%Y-%m-%d}"
    return send_file(
        path,
        mimetype=MIMES[found.format],
        as_attachment=True,
        download_name=download_name(found.content, day, found.format),
        max_age=0,
    )


def _wish(content: Content, ending: Format, params: MultiDict[str, str]) -> Wish:
    if content is Content.RESEARCH:
        return Wish(content, ending, {})
    if content is Content.PATIENTS:
        question = patient_list.ask(params)
        if question.form.errors:
            raise NoSuchExport("There is no such list.")
        return Wish(content, ending, question.params)
    return _about_days(content, ending, params)


def _about_days(content: Content, ending: Format, params: MultiDict[str, str]) -> Wish:
    with orm.reading(), db.sessionmaker() as reader:
        scope = finding.managing(signed_in())
        clinic = staff.clinic_in(reader, scope, params.get("clinic"))
        form = PeriodForm(params)
        period = form.chosen(today=Here.of(scope, clinic, now=deps().clock()).today)
    if form.errors:
        raise NoSuchExport("There is no such report.")
    asked = {
        "clinic": clinic.code,
        "from_on": period.from_on.isoformat(),
        "until_on": period.until_on.isoformat(),
    }
    return Wish(content, ending, asked, clinic.id)
