"""Pages on which managers say who is on call, and what is said in danger."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf import FlaskForm

from outreach.accounts import staff
from outreach.accounts.access import fresh_required, role_required, signed_in
from outreach.accounts.forms import StaffNumberForm
from outreach.accounts.models import Clinic
from outreach.accounts.rules import Role
from outreach.audit import trail
from outreach.clock import local_day
from outreach.concerns import cards, low_sugar, readiness, rota, weekly
from outreach.concerns.card_forms import CardForm, LowSugarForm
from outreach.concerns.forms import DutyForm, NetForm, WeekForm
from outreach.concerns.labels import RANK_WORDS
from outreach.db import db
from outreach.deps import deps

bp = Blueprint("rota", __name__, url_prefix="/concerns/on-call")

KEEPERS = (Role.MANAGER, Role.ADMINISTRATOR)


@dataclass(frozen=True)
class Forms:
    """The forms of the page; the one that was sent holds what was typed."""

    duty: DutyForm
    week: WeekForm
    net: NetForm

    @property
    def has_errors(self) -> bool:
        """Whether something that was sent was refused."""
        return bool(self.duty.errors or self.week.errors or self.net.errors)


@bp.route("", methods=["GET", "POST"])
@role_required(*KEEPERS)
def on_call() -> ResponseReturnValue:
    """Show who is on call, and put somebody on call for some days."""
    now, clinic = deps().clock(), _clinic()
    forms = _forms(clinic, sent="duty", now=now)
    if forms.duty.validate_on_submit() and _is_added(clinic, forms.duty, now=now):
        return _changed(clinic, "put somebody on call", _("On call."))
    return _page(clinic, forms, now=now)


@bp.get("/now")
@role_required(Role.NURSE)
def who() -> ResponseReturnValue:
    """Show a nurse who is on call, now and in the coming days: managers change it."""
    now, clinic = deps().clock(), _clinic()
    watch, gaps = readiness.outlook(db.session, clinic, now=now)
    return render_template(
        "concerns/who.html",
        clinic=clinic,
        clinics=staff.clinics_in(db.session, signed_in().scope),
        watch=watch,
        gaps=gaps,
        duties=rota.coming(db.session, clinic.id, now=now),
        weeks=weekly.held(db.session, clinic.id, today=_today(clinic, now)),
        rank_words=RANK_WORDS,
    )


@bp.post("/weekly")
@role_required(*KEEPERS)
def add_week() -> ResponseReturnValue:
    """Put somebody on call at the same hours of every week."""
    now, clinic = deps().clock(), _clinic()
    forms = _forms(clinic, sent="week", now=now)
    if forms.week.validate_on_submit() and _is_week_added(clinic, forms.week, now=now):
        return _changed(clinic, "put somebody on call", _("On call every week."))
    return _page(clinic, forms, now=now)


@bp.post("/weekly/<int:week_id>/end")
@role_required(*KEEPERS)
def end_week(week_id: int) -> ResponseReturnValue:
    """End a weekly time on call."""
    clinic = _clinic()
    weekly.end(db.session, clinic.id, week_id, today=_today(clinic, deps().clock()))
    return _changed(clinic, "ended a time on call", _("Ended."))


@bp.post("/net")
@role_required(*KEEPERS)
def keep_net() -> ResponseReturnValue:
    """Keep who must be on call before a call starts, and who leads."""
    now, clinic = deps().clock(), _clinic()
    forms = _forms(clinic, sent="net", now=now)
    if forms.net.validate_on_submit():
        readiness.keep_net(db.session, clinic, forms.net.to_net(), now=now)
        return _changed(clinic, "changed who must be on call", _("Saved."))
    return _page(clinic, forms, now=now)


@bp.post("/<int:duty_id>/end")
@role_required(*KEEPERS)
def end_on_call(duty_id: int) -> ResponseReturnValue:
    """End a time on call."""
    clinic = _clinic()
    rota.end(db.session, clinic.id, duty_id, now=deps().clock())
    return _changed(clinic, "ended a time on call", _("Ended."))


@bp.post("/numbers/<int:staff_id>")
@role_required(*KEEPERS)
@fresh_required
def alert_number(staff_id: int) -> ResponseReturnValue:
    """Keep the number at which one of the staff is told of concerns."""
    now, clinic = deps().clock(), _clinic()
    if staff_id not in {person.id for person in rota.people(db.session, clinic.id, now=now)}:
        raise rota.NoSuchDuty("Nobody of this clinic.")
    form = StaffNumberForm(clinic.region)
    if form.validate_on_submit():
        rota.keep_number(db.session, staff_id, form.e164)
        return _changed(clinic, "changed a number for alerts", _("Saved."))
    flash(_("That is not a telephone number. Nothing was saved."), "warm")
    return redirect(url_for("rota.on_call", clinic=clinic.code))


@bp.route("/card", methods=["GET", "POST"])
@role_required(*KEEPERS)
def card() -> ResponseReturnValue:
    """Change the numbers and words for when somebody is in danger, in one language."""
    now, clinic = deps().clock(), _clinic()
    asked = request.args.get("language", "")
    language = asked if asked in cards.LANGUAGES else cards.LANGUAGES[0]
    form = CardForm.of(cards.of(db.session, clinic.id, language))
    if form.validate_on_submit():
        staff_id = signed_in().staff_id
        cards.keep(db.session, clinic.id, language, form.to_card(), by_staff_id=staff_id, now=now)
        return _changed(clinic, "changed the words for danger", _("Saved."))
    page = render_template(
        "concerns/card.html",
        clinic=clinic,
        language=language,
        languages=cards.LANGUAGES,
        form=form,
    )
    return page, 422 if form.errors else 200


@bp.route("/low-sugar", methods=["GET", "POST"])
@role_required(*KEEPERS)
def low_sugar_card() -> ResponseReturnValue:
    """Look at what is read aloud with a low blood sugar, its versions, and write the next."""
    now, clinic = deps().clock(), _clinic()
    asked = request.args.get("language", "")
    language = asked if asked in low_sugar.LANGUAGES else low_sugar.LANGUAGES[0]
    current = low_sugar.of(db.session, clinic.id, language)
    form = LowSugarForm.of(current)
    if form.is_submitted() and form.look.data:
        form.is_readable()
    elif form.is_submitted() and form.is_possible(_today(clinic, now)):
        kept = _keep_low_sugar(clinic, language, form, now=now)
        if kept is not None:
            return kept
    page = render_template(
        "concerns/low_sugar.html",
        clinic=clinic,
        clinics=staff.clinics_in(db.session, signed_in().scope),
        language=language,
        languages=low_sugar.LANGUAGES,
        form=form,
        current=current,
        emergency=cards.of(db.session, clinic.id, language).emergency,
        history=low_sugar.history(db.session, clinic.id, language),
        built_in=low_sugar.BUILT_IN[language],
        today=_today(clinic, now),
    )
    return page, 422 if form.errors else 200


def _keep_low_sugar(
    clinic: Clinic, language: str, form: LowSugarForm, *, now: datetime
) -> ResponseReturnValue | None:
    """Keep a version and show the page anew; None where somebody else wrote one meanwhile."""
    by, new = signed_in().staff_id, form.to_card()
    try:
        low_sugar.write(db.session, clinic.id, language, new, by_staff_id=by, now=now)
    except low_sugar.WrittenMeanwhile:
        newest = low_sugar.of(db.session, clinic.id, language)
        form.seen.data = str(newest.number)
        form.say.errors = [
            _("Somebody else changed this card meanwhile. Theirs is below; yours is kept here.")
        ]
        return None
    _record(clinic, "changed the low-sugar card")
    flash(_("Saved. Callers read this from now on."), "good")
    return redirect(url_for("rota.low_sugar_card", clinic=clinic.code, language=language))


def _clinic() -> Clinic:
    return staff.clinic_in(db.session, signed_in().scope, request.values.get("clinic"))


def _today(clinic: Clinic, now: datetime) -> date:
    return local_day(now, ZoneInfo(clinic.zone))


def _forms(clinic: Clinic, *, sent: str, now: datetime) -> Forms:
    """Return the three forms, with what was typed into the one that was sent."""
    begins = now.astimezone(ZoneInfo(clinic.zone)).replace(tzinfo=None)
    people = rota.people(db.session, clinic.id, now=now)
    return Forms(
        DutyForm.of(people, begins, begins + timedelta(days=1), is_sent=sent == "duty"),
        WeekForm.of(people, is_sent=sent == "week"),
        NetForm.of(people, readiness.net_of(db.session, clinic.id), is_sent=sent == "net"),
    )


def _is_added(clinic: Clinic, form: DutyForm, *, now: datetime) -> bool:
    """Put somebody on call as answered, or put the reason beside the field."""
    duty = form.to_duty(ZoneInfo(clinic.zone))
    try:
        rota.add(db.session, clinic, duty, by_staff_id=signed_in().staff_id, now=now)
    except rota.Overlaps as error:
        return _is_refused(form, error)
    return True


def _is_week_added(clinic: Clinic, form: WeekForm, *, now: datetime) -> bool:
    """Put somebody on call every week, or put the reason beside the field."""
    week = form.to_week(_today(clinic, now))
    try:
        weekly.add(db.session, clinic, week, by_staff_id=signed_in().staff_id, now=now)
    except rota.Overlaps as error:
        return _is_refused(form, error)
    return True


def _is_refused(form: FlaskForm, error: rota.Overlaps) -> bool:
    name = error.other.staff.name
    form.rank.errors = [_("%(name)s is on call in this place then.", name=name)]
    return False


def _changed(clinic: Clinic, action: str, words: str) -> ResponseReturnValue:
    """Commit what was changed, with who did it, and show the page anew."""
    _record(clinic, action)
    flash(words, "good")
    return redirect(url_for("rota.on_call", clinic=clinic.code))


def _record(clinic: Clinic, action: str) -> None:
    trail.record(
        db.session,
        action,
        actor_id=signed_in().staff_id,
        now=deps().clock(),
        clinic_id=clinic.id,
        about=("clinic", clinic.id),
    )
    db.session.commit()


def _page(clinic: Clinic, forms: Forms, *, now: datetime) -> ResponseReturnValue:
    watch, gaps = readiness.outlook(db.session, clinic, now=now)
    page = render_template(
        "concerns/on_call.html",
        clinic=clinic,
        clinics=staff.clinics_in(db.session, signed_in().scope),
        forms=forms,
        watch=watch,
        gaps=gaps,
        duties=rota.coming(db.session, clinic.id, now=now),
        weeks=weekly.held(db.session, clinic.id, today=_today(clinic, now)),
        people=rota.people(db.session, clinic.id, now=now),
        rank_words=RANK_WORDS,
    )
    return page, 422 if forms.has_errors else 200
