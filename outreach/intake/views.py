"""Pages on which managers bring patients in: choose a file, see its check, import it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from flask import Blueprint, Response, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from outreach import orm
from outreach.accounts import staff
from outreach.accounts.access import fresh_download, role_required, signed_in
from outreach.accounts.rules import Role, Scope
from outreach.audit import trail
from outreach.brakes import access as brakes
from outreach.brakes import counting
from outreach.brakes.rules import Braked
from outreach.db import db
from outreach.deps import deps
from outreach.intake import csv_rows, csv_visits, importing, runs, uploads
from outreach.intake.files import BadFile
from outreach.intake.forms import UploadForm
from outreach.intake.rules import Remark, Report
from outreach.intake.runs import NoSuchRun
from outreach.visits.rules import VisitKind

bp = Blueprint("intake", __name__, url_prefix="/import")

ON_PAGE = 200  # remarks; the rest is in the download


@bp.route("/", methods=["GET", "POST"])
@role_required(Role.MANAGER, Role.ADMINISTRATOR)
def upload() -> ResponseReturnValue:
    """Take a file, check it and show what it holds; list past imports."""
    with orm.reading():
        clinics = staff.clinics_in(db.session, _scope())
        form = UploadForm().offer(clinics)
        if clinics and form.validate_on_submit():
            try:
                return redirect(url_for("intake.check", token=_check(form)), 303)
            except BadFile as error:
                form.files.errors = [str(error)]
        past = runs.recent(db.session, _scope())
    page = render_template(
        "intake/upload.html",
        form=form,
        clinics=clinics,
        past=past,
        required=csv_rows.REQUIRED,
        optional=csv_rows.UNDERSTOOD,
        visit_columns=(*csv_visits.REQUIRED, *csv_visits.OPTIONAL),
        visit_kinds=[each.value for each in VisitKind],
    )
    return page, 422 if form.errors else 200


@bp.get("/check/<token>")
@role_required(Role.MANAGER, Role.ADMINISTRATOR)
def check(token: str) -> ResponseReturnValue:
    """Show what a file would bring in, and what is wrong with it."""
    kept = _kept(token)
    clinic = staff.clinic_in(db.session, _scope(), kept.clinic_code)
    return render_template(
        "intake/check.html", kept=kept, report=kept.report, clinic=clinic, token=token, most=ON_PAGE
    )


@bp.post("/check/<token>")
@role_required(Role.MANAGER, Role.ADMINISTRATOR)
def carry_out(token: str) -> ResponseReturnValue:
    """Bring in a file that was checked."""
    now, staff_id = deps().clock(), signed_in().staff_id
    kept = _kept(token)
    target = _target(kept.clinic_code)
    with importing.read(kept.sources, target, now=now) as checked:
        run = importing.carry_out(db.session, checked, target, by_staff_id=staff_id, now=now)
        db.session.commit()
    uploads.discard(_folder(), staff_id, token)
    flash(_("The import is done."), "good")
    return redirect(url_for("intake.run", run_id=run.id), 303)


@bp.post("/check/<token>/discard")
@role_required(Role.MANAGER, Role.ADMINISTRATOR)
def discard(token: str) -> ResponseReturnValue:
    """Throw an uploaded file away."""
    uploads.discard(_folder(), signed_in().staff_id, token)
    flash(_("The file was thrown away. Nothing was imported."), "good")
    return redirect(url_for("intake.upload"), 303)


@bp.get("/check/<token>/problems.csv")
@role_required(Role.MANAGER, Role.ADMINISTRATOR)
@fresh_download
def check_problems(token: str) -> ResponseReturnValue:
    """Download what is wrong with a file that was checked: of whoever brought it, so theirs."""
    kept = _kept(token)
    clinic = staff.clinic_in(db.session, _scope(), kept.clinic_code)
    _note_taken(clinic.id, ("import check", None))
    return _download(kept.report.problems)


@bp.get("/runs/<int:run_id>")
@role_required(Role.MANAGER, Role.ADMINISTRATOR)
def run(run_id: int) -> ResponseReturnValue:
    """Show what an import did."""
    found, clinic = runs.one(db.session, _scope(), run_id)
    report = Report.from_data(found.counts, found.problems)
    return render_template(
        "intake/run.html", run=found, clinic=clinic, report=report, kind=found.kind, most=ON_PAGE,
        kept_days=runs.REMARKS_KEPT_FOR.days, reads_rows=_reads_rows(),
    )  # fmt: skip


@bp.get("/runs/<int:run_id>/problems.csv")
@role_required(Role.MANAGER, Role.ADMINISTRATOR)
@fresh_download
def problems(run_id: int) -> ResponseReturnValue:
    """Download what was refused in an import."""
    found, clinic = runs.one(db.session, _scope(), run_id)
    if not _reads_rows():
        raise NoSuchRun("There is no such import.")
    _note_taken(clinic.id, ("import run", found.id))
    return _download(Report.from_data(found.counts, found.problems).problems)


def _reads_rows() -> bool:
    """Say whether who is at the keyboard reads what an import said of single rows.

    It quotes names and telephones of people of whom some are no patients, so that nobody could
    be opened with a reason: administrators who need one read how many there are.
    """
    return signed_in().opened_patients is None


def _note_taken(clinic_id: int, about: tuple[str, int | None]) -> None:
    """Note, and count, that a file is taken: in a transaction of its own, before it is given."""
    staff_id, now = signed_in().staff_id, deps().clock()
    limit = brakes.limit_of(Braked.FILES)
    with orm.writing(), db.sessionmaker.begin() as own:
        counting.count(own, Braked.FILES, f"account {staff_id}", limit, now=now)
        action = "downloaded a file of import problems"
        trail.record(own, action, actor_id=staff_id, now=now, clinic_id=clinic_id, about=about)


def _scope() -> Scope:
    """Return the clinics to which the person at the keyboard may add patients.

    Narrower than what they may see: a nurse of another clinic brings nobody in there.
    """
    actor = signed_in()
    return replace(actor.scope, clinic_ids=actor.clinic_ids_as(Role.MANAGER))


def _folder() -> Path:
    return deps().config.uploads


def _kept(token: str) -> uploads.Upload:
    return uploads.find(_folder(), signed_in().staff_id, token, now=deps().clock())


def _target(clinic_code: str) -> importing.Target:
    """Return the clinic as a value, and leave no transaction open behind it."""
    with orm.reading():
        clinic = staff.clinic_in(db.session, _scope(), clinic_code)
        target = importing.Target.of(clinic)
        db.session.rollback()
    return target


def _check(form: UploadForm) -> str:
    """Keep the chosen files, check them and return their token; a bad file does not stay."""
    now, staff_id = deps().clock(), signed_in().staff_id
    clinic = staff.clinic_in(db.session, _scope(), form.clinic_code)
    target = importing.Target.of(clinic)
    token, sources = uploads.keep(_folder(), staff_id, form.chosen, now=now)
    try:
        with importing.read(sources, target, now=now) as checked:
            report = importing.preview(db.session, checked, target, now=now)
    except BadFile:
        uploads.discard(_folder(), staff_id, token)
        raise
    uploads.describe(sources, clinic.code, checked.kind, report, now=now)
    return token


def _download(remarks: Sequence[Remark]) -> Response:
    disposition = {"Content-Disposition": "attachment; filename=problems.csv"}
    return Response(runs.as_table(remarks), mimetype="text/csv", headers=disposition)
