"""The monthly question, one's own answers, and asking for support.

None of it is in the audit trail: that is read by others.
"""

from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo

from flask import Blueprint, Flask, flash, redirect, render_template, request, session, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import user_logged_in

from outreach import orm
from outreach.accounts.access import Badge, actor_or_none, role_required, signed_in
from outreach.accounts.rules import Actor, Role
from outreach.clock import local_day
from outreach.db import db
from outreach.deps import deps
from outreach.pulse import asking, supporting, work_life
from outreach.pulse.forms import AnswerForm, WorkLifeForm
from outreach.pulse.labels import ACTS_WORDS, ANSWER_WORDS
from outreach.pulse.listeners import Listener
from outreach.pulse.rules import MONTHS_KEPT, Acts, month_of, quarter_of
from outreach.pulse.supporting import Asks
from outreach.questionnaires.labels import PART_WORDS

bp = Blueprint("pulse", __name__, url_prefix="/pulse")

# Who may hear that a caller wants to talk: managers, a clinic's lead, administrators.
LISTENERS = (Role.MANAGER, Role.NURSE, Role.ADMINISTRATOR)
WAITS = "pulse"  # whether the month's question waits; in the signed cookie


@bp.get("/")
@role_required(Role.CALLER)
def mine() -> ResponseReturnValue:
    """Show the month's question and what one answered before."""
    return _page(AnswerForm())


@bp.post("/")
@role_required(Role.CALLER)
def answer() -> ResponseReturnValue:
    """Keep an answer; until the month is over it may be changed."""
    form = AnswerForm()
    if not form.validate_on_submit():
        return _page(form), 422
    if form.month.data != _month(signed_in()).isoformat():
        flash(_("A new month has begun since: this is its question. Nothing was kept."), "warm")
        return redirect(url_for("pulse.mine"))
    _keep(int(form.answer.data))
    flash(_("Kept, for you alone. You may change it until the month is over."), "good")
    return redirect(url_for("pulse.mine"))


@bp.get("/working-life")
@role_required(Role.CALLER)
def working_life() -> ResponseReturnValue:
    """Show the questionnaire on one's working life, as one answered it in this quarter."""
    quarter = quarter_of(_today(signed_in()))
    given = work_life.answered(db.session, signed_in().staff_id, quarter)
    return _working_life_page(WorkLifeForm.of(work_life.instrument(db.session), given))


@bp.post("/working-life")
@role_required(Role.CALLER)
def answer_working_life() -> ResponseReturnValue:
    """Keep what one answered about one's working life, for oneself."""
    form = WorkLifeForm.of(work_life.instrument(db.session), {})
    if not form.validate_on_submit():
        return _working_life_page(form), 422
    staff_id, quarter = signed_in().staff_id, quarter_of(_today(signed_in()))
    if form.quarter.data != quarter.isoformat():
        flash(_("A new quarter has begun since: this is its page. Nothing was kept."), "warm")
        return redirect(url_for("pulse.working_life"))
    work_life.keep(db.session, staff_id, quarter, form.given, now=deps().clock())
    db.session.commit()
    flash(_("Kept, for you alone. You may change it until the quarter is over."), "good")
    return redirect(url_for("pulse.working_life", _anchor="scores"))


@bp.post("/not-this-month")
@role_required(Role.CALLER)
def put_away() -> ResponseReturnValue:
    """Ask no more in this month."""
    _keep(None)
    return redirect(url_for("calls.queue"))


@bp.post("/support")
@role_required(Role.CALLER)
def ask_for_support() -> ResponseReturnValue:
    """Let whoever is to hear it know that one wants to talk."""
    staff_id, now = signed_in().staff_id, deps().clock()
    supporting.ask(db.session, staff_id, now=now)
    db.session.commit()
    if supporting.who_sees(db.session, staff_id, now=now):
        flash(_("They see it on their first page, with your name."), "good")
    else:
        flash(_("Nobody is there yet who would see it: tell somebody you trust."), "warm")
    return redirect(url_for("pulse.mine", _anchor="support"))


@bp.post("/support/<int:request_id>/spoken")
@role_required(*LISTENERS)
def spoken(request_id: int) -> ResponseReturnValue:
    """Note that one has spoken with somebody who asked for support."""
    supporting.note_spoken(
        db.session, request_id, by_staff_id=signed_in().staff_id, now=deps().clock()
    )
    db.session.commit()
    code = request.args.get("clinic")
    return redirect(url_for("reports.today", clinic=code) if code else url_for("accounts.home"))


@bp.app_template_global("support_asked")
def _asked() -> Sequence[Asks]:
    """Return who asks for support and the person at the keyboard is to hear it."""
    actor = actor_or_none()
    if actor is None or actor.roles.isdisjoint(LISTENERS):
        return ()
    return supporting.heard_by(db.session, actor.staff_id, now=deps().clock())


@bp.record_once
def _look_when_somebody_signs_in(state: BlueprintSetupState) -> None:
    user_logged_in.connect(_look_up, state.app)


def _look_up(_app: Flask, user: Badge) -> None:
    """Look up whether to invite who signs in, so that no page has to ask: it lasts a day."""
    if Role.CALLER in user.actor.roles:
        with orm.reading(), db.sessionmaker() as own:
            session[WAITS] = asking.waits(own, user.actor.staff_id, _month(user.actor))


@bp.app_template_global("pulse_waits")
def _waits() -> bool:
    """Say whether to invite the person at the keyboard."""
    return bool(session.get(WAITS))


def _keep(told: int | None) -> None:
    actor, now = signed_in(), deps().clock()
    month = _month(actor)
    asking.keep(db.session, actor.staff_id, month, told, now=now)
    db.session.commit()
    session[WAITS] = False


def _month(actor: Actor) -> date:
    return month_of(_today(actor))


def _today(actor: Actor) -> date:
    return local_day(deps().clock(), ZoneInfo(actor.zone))


def _working_life_page(form: WorkLifeForm) -> str:
    actor = signed_in()
    form.quarter.data = quarter_of(_today(actor)).isoformat()
    return render_template(
        "pulse/working_life.html",
        form=form,
        own=work_life.own(db.session, actor.staff_id),
        part_words=PART_WORDS,
        months_kept=MONTHS_KEPT + 1,
    )


def _page(form: AnswerForm) -> str:
    actor, config = signed_in(), deps().config
    month, own = _month(actor), asking.own(db.session, actor.staff_id)
    told = {each.month: each.answer for each in own}
    if form.answer.data is None and told.get(month):
        form.answer.data = str(told[month])
    return render_template(
        "pulse/mine.html",
        form=form,
        month=month,
        own=[each for each in own if each.answer],
        is_open=month not in told,
        answer_words=ANSWER_WORDS,
        asked=supporting.latest(db.session, actor.staff_id),
        listeners=_named_once(supporting.who_sees(db.session, actor.staff_id, now=deps().clock())),
        acts_words=ACTS_WORDS,
        least=config.pulse_least_answers,
        has_working_life=work_life.is_permitted(db.session),
        months_kept=MONTHS_KEPT + 1,  # with the one that goes on
    )


def _named_once(heard: Sequence[Listener]) -> Sequence[Listener]:
    """Leave out who is named already: an administrator acts at every clinic."""
    is_everywhere = {each.person.id: each for each in heard if each.acts_as is Acts.ADMINISTRATOR}
    some = [each for each in heard if each.acts_as is not Acts.ADMINISTRATOR]
    return [*some, *is_everywhere.values()]
