"""The audit page, and the one place where looks at patients are noted."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from flask import (
    Blueprint,
    Response,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import DBAPIError
from wtforms import SelectChoice

from outreach import orm
from outreach.accounts import staff
from outreach.accounts.access import actor_or_none, fresh_required, role_required, signed_in
from outreach.accounts.rules import EMERGENCY_LASTS, Actor, Role
from outreach.brakes import access as brakes
from outreach.brakes.rules import Braked
from outreach.clock import local_day
from outreach.db import db
from outreach.deps import deps
from outreach.errors import NotAllowed, NotFound, TooOften
from outreach.oversight import emergency, events, looks, on_lists
from outreach.oversight.emergency import Wanted
from outreach.oversight.forms import SHOWN_DAYS, AuditForm, EmergencyForm
from outreach.web.bounded import whole
from outreach.web.error_pages import is_error_page

bp = Blueprint("oversight", __name__, url_prefix="/audit")

READERS = (Role.AUDITOR, Role.MANAGER, Role.ADMINISTRATOR)
OK = 200
SHOWN_AGAIN = (OK, 409, 422)
PAGE_WORDS = {
    "chart": _l("patient's page"),
    "calls": _l("call screen"),
    "concerns": _l("concern"),
    "safety": _l("concern"),
    "inbox": _l("conversation"),
    "messaging": _l("text"),
    "welfare": _l("welfare check"),
    "results": _l("readings"),
    "assessing": _l("readings"),
    "questionnaires": _l("questionnaire"),
    "asking": _l("questionnaire"),
    "nurse_asking": _l("questionnaire"),
    "patients": _l("details"),
    "goals": _l("goals"),
    "panels": _l("caller"),
    "phoning": _l("telephone call"),
    "retention": _l("keeping of data"),
    "fhir": _l("record, through the API"),
    "patient_list": _l("list of patients"),
    "reports": _l("list behind a figure"),
    "report_lists": _l("list behind a figure"),
    "outcomes": _l("list behind a figure"),
    "cohort": _l("list behind a figure"),
    "due": _l("list of whom to measure"),
    "callers": _l("a caller's patients"),
    "calling_hours": _l("calls outside new hours"),
    "protocols": _l("programme"),
    "intake": _l("rows of an import"),
}


@bp.app_template_filter("page_words")
def page_words(page: str) -> str:
    """Return what the page of an event is called."""
    return str(PAGE_WORDS.get(page.split(".", maxsplit=1)[0], page.replace("_", " ")))


@bp.app_template_filter("exact_moment")
def exact_moment(instant: datetime, zone: str) -> str:
    """Return an instant with year and second, as somebody who answers for it needs it."""
    return format_datetime(
        instant, "EEE, MMM d, y, h:mm:ss a", ZoneInfo(zone), str(get_locale() or "en")
    )


@bp.after_app_request
def note_look(response: Response) -> Response:
    """Note a page of a patient, or of many, that was just answered, in a transaction of its own.

    Where that fails the page fails: what can't be noted, or is too much, is not shown.
    """
    named, actor, page = request.view_args or {}, actor_or_none(), request.endpoint
    if actor is None or page is None or not _shows_somebody(response):
        return response
    db.session.rollback()  # the view is done; on SQLite it may hold the turn that noting needs
    try:
        if looks.names_a_patient(named):
            _note(actor.staff_id, page, named)
        else:
            if page in looks.LISTS:
                _note_list(actor.staff_id, page)
            if response.mimetype == "text/html" and _shows_names(actor):
                _note_shown(actor.staff_id, page, response.get_data(as_text=True))
    except (TooOften, DBAPIError) as error:  # nobody handles what is raised after a view
        return make_response(current_app.handle_user_exception(error))
    return response


def _shows_somebody(response: Response) -> bool:
    """Say whether an answer is a page of what was asked for.

    So is the page around a form that is refused: an empty one would show all of it unnoted.
    """
    if request.method == "GET":
        return response.status_code == OK
    is_page = response.status_code in SHOWN_AGAIN and response.mimetype == "text/html"
    return is_page and not is_error_page()


def _note(staff_id: int, page: str, named: Mapping[str, object]) -> None:
    limit = brakes.limit_of(Braked.LOOKS)
    with orm.writing(), db.sessionmaker.begin() as own:
        looks.note(own, staff_id, page, named, limit, now=deps().clock())


def _shows_names(actor: Actor) -> bool:
    """Say whether lists name patients whom ``actor`` doesn't call anyway.

    Callers see their own patients in lists, and administrators who need a reason see no names.
    """
    return actor.roles != {Role.CALLER} and actor.opened_patients is None


def _note_shown(staff_id: int, page: str, text: str) -> None:
    leads_to, now = looks.shown_by(text), deps().clock()
    if leads_to is None:
        return
    with orm.reading(), db.sessionmaker() as reader:
        shown = looks.not_noted(reader, staff_id, page, leads_to, now=now)
    if shown:
        with orm.writing(), db.sessionmaker.begin() as own:
            looks.note_shown(own, staff_id, page, shown, now=now)


def _note_list(staff_id: int, page: str) -> None:
    limit = brakes.limit_of(Braked.LISTS)
    with orm.writing(), db.sessionmaker.begin() as own:
        looks.note_list(own, staff_id, page, limit, now=deps().clock())


@bp.route("/", methods=["GET", "POST"])
@role_required(*READERS)
def trail_page() -> ResponseReturnValue:
    """Answer who looked at whom, and who did what. A question is posted and changes nothing."""
    actor = signed_in()
    today = local_day(deps().clock(), ZoneInfo(actor.zone))
    form = AuditForm()
    if not form.is_submitted():
        form.from_on.data, form.until_on.data = today - timedelta(days=SHOWN_DAYS - 1), today
        form.only_looks.data = True
    else:
        brakes.count(Braked.SEARCHES, actor.staff_id)
        db.session.commit()
        form.validate()
    asked = form.asked(db.session, actor.zone, today)
    page = whole(request.form.get("page")) or 1
    found = events.find(db.session, actor, asked, page=page)
    shown = render_template(
        "oversight/trail.html",
        form=form,
        found=found,
        files=events.files_of(db.session, actor, asked),
        on_lists=on_lists.of(db.session, actor, asked),
        most_files=events.MOST_FILES,
        page=page,
        pages=max(1, -(-found.total // events.ON_PAGE)),
    )
    return shown, 422 if form.errors else 200


@bp.route("/emergency", methods=["GET", "POST"])
@role_required(*READERS)
@fresh_required
def emergency_page() -> ResponseReturnValue:
    """Show who opened whom in an emergency and why; let administrators do so.

    Auditors read it as they read the trail: a reason is of use to who judges it.
    """
    actor, now, form = signed_in(), deps().clock(), EmergencyForm()
    may_open = Role.ADMINISTRATOR in actor.roles
    if request.method == "POST" and not may_open:
        raise NotAllowed("Only administrators open patients in an emergency.")
    clinics = staff.clinics_in(db.session, actor.scope)
    form.clinic.choices = [SelectChoice(each.code, each.name) for each in clinics]
    if form.validate_on_submit():
        brakes.count(Braked.EMERGENCIES, actor.staff_id)
        clinic = staff.clinic_in(db.session, actor.scope, form.clinic.data)
        wanted = Wanted(clinic.id, form.record_number.data or "", form.reason.data or "")
        try:
            ref = emergency.open_patient(db.session, actor, wanted, now=now)
        except NotFound as error:
            db.session.commit()  # a guess counts too
            form.record_number.errors = [str(error)]
        else:
            db.session.commit()
            return redirect(url_for("chart.patient", ref=ref), 303)
    shown = render_template(
        "oversight/emergency.html",
        form=form,
        may_open_patients=may_open and deps().config.administrators_need_reason,
        lines=emergency.recent(db.session, events.readable_clinics(actor), now=now),
        days=emergency.SHOWN.days,
        minutes=int(EMERGENCY_LASTS.total_seconds() // 60),
    )
    return shown, 422 if form.errors else 200
