"""Pages about texts: the list, what became of them in numbers, and one text's whole life."""

from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from outreach.accounts import staff
from outreach.accounts.access import role_required, signed_in
from outreach.accounts.models import Clinic
from outreach.accounts.rules import Role
from outreach.audit import trail
from outreach.clock import local_day
from outreach.db import db
from outreach.deps import deps
from outreach.messaging import delivery as deliveries
from outreach.messaging import labels, life, pacing, setting, thread
from outreach.messaging.delivery import Day
from outreach.messaging.forms import LimitsForm, SenderForm
from outreach.messaging.outbox import resend as write_again
from outreach.messaging.rules import BY_CHOICE, LETTERS, MessageKind, kind_named
from outreach.patients import finding
from outreach.telephony.mail import mailer_of
from outreach.web.bounded import whole
from outreach.web.charts import Chart, Series, line_chart

bp = Blueprint("messaging", __name__, url_prefix="/messages")


@bp.get("/")
@role_required(Role.MANAGER, Role.ADMINISTRATOR)
def outbox() -> ResponseReturnValue:
    """List texts, newest first."""
    show = request.args.get("show", "")
    page = thread.page_of(
        db.session,
        signed_in().scope,
        before_id=whole(request.args.get("before")),
        statuses=thread.SHOWN.get(show, ()),
        kind=_kind(),
        are_letters=show == thread.SHOW_LETTERS,
    )
    return render_template(
        "messaging/outbox.html",
        page=page,
        show=show if show in {*thread.SHOWN, thread.SHOW_LETTERS} else "",
        kind=_kind(),
        labels=labels,
        carrier=deps().gateway.name,
    )


@bp.get("/delivery")
@role_required(Role.MANAGER, Role.ADMINISTRATOR)
def delivery() -> ResponseReturnValue:
    """Show what became of texts, by day and by reason."""
    days = deliveries.days_of(request.args.get("days"))
    zone = ZoneInfo(signed_in().zone)
    found = deliveries.delivery(
        db.session,
        signed_in().scope,
        zone,
        today=local_day(deps().clock(), zone),
        days=days,
        kind=_kind(),
    )
    return render_template(
        "messaging/delivery.html",
        found=found,
        lines=pacing.lines(db.session, signed_in().scope, now=deps().clock()),
        chart=_chart(found.days),
        days=days,
        periods=deliveries.PERIODS,
        kind=_kind(),
        kinds=tuple(MessageKind),
        labels=labels,
    )


@bp.route("/settings", methods=["GET", "POST"])
@role_required(Role.MANAGER, Role.ADMINISTRATOR)
def settings() -> ResponseReturnValue:
    """Choose what a clinic sends by itself, and how much of it."""
    actor, scope = signed_in(), finding.managing(signed_in())
    clinic = staff.clinic_in(db.session, scope, request.values.get("clinic"))
    form = LimitsForm.of(setting.limits_by(db.session, [clinic.id])[clinic.id])
    if form.validate_on_submit():
        setting.limit(
            db.session,
            scope,
            clinic.id,
            form.to_limits(),
            by_staff_id=actor.staff_id,
            now=deps().clock(),
        )
        return _saved(clinic.id, clinic.code)
    return _settings_page(clinic, form, SenderForm.of(clinic.sms_sender, _pace(clinic)))


@bp.post("/settings/sender")
@role_required(Role.ADMINISTRATOR)
def choose_sender() -> ResponseReturnValue:
    """Choose by which sender a clinic's texts go out, and how many a second."""
    actor = signed_in()
    clinic = staff.clinic_in(db.session, actor.scope, request.args.get("clinic"))
    form = SenderForm()
    if not form.validate_on_submit():
        limits = LimitsForm.of(setting.limits_by(db.session, [clinic.id])[clinic.id])
        return _settings_page(clinic, limits, form)
    pacing.choose(
        db.session,
        clinic,
        form.to_sender(),
        form.to_per_second(),
        by_staff_id=actor.staff_id,
        now=deps().clock(),
    )
    return _saved(clinic.id, clinic.code)


def _pace(clinic: Clinic) -> int | None:
    return pacing.per_second_of(db.session, clinic.sms_sender)


def _settings_page(
    clinic: Clinic, form: LimitsForm, sender_form: SenderForm
) -> ResponseReturnValue:
    page = render_template(
        "messaging/settings.html",
        clinic=clinic,
        clinics=staff.clinics_in(db.session, finding.managing(signed_in())),
        form=form,
        sender_form=sender_form,
        pace=_pace(clinic),
        may_choose_sender=Role.ADMINISTRATOR in signed_in().roles,
        labels=labels,
        by_choice=BY_CHOICE,
        letters=LETTERS,
        chosen=setting.kinds_of(db.session, clinic.id),
        has_mail=mailer_of(deps().config) is not None,
    )
    return page, 422 if form.errors or sender_form.errors else 200


@bp.post("/clinics/<int:clinic_id>/kinds")
@role_required(Role.MANAGER, Role.ADMINISTRATOR)
def choose_kinds(clinic_id: int) -> ResponseReturnValue:
    """Choose what a clinic has sent by itself."""
    now, actor = deps().clock(), signed_in()
    wanted = {kind for kind in BY_CHOICE if kind.value in request.form.getlist("kinds")}
    clinic = setting.choose(
        db.session, actor.scope, clinic_id, wanted, by_staff_id=actor.staff_id, now=now
    )
    return _saved(clinic.id, clinic.code)


def _saved(clinic_id: int, code: str) -> ResponseReturnValue:
    trail.record(
        db.session,
        "changed which texts are sent",
        actor_id=signed_in().staff_id,
        now=deps().clock(),
        clinic_id=clinic_id,
        about=("clinic", clinic_id),
    )
    db.session.commit()
    flash(_("Saved."), "good")
    return redirect(url_for("messaging.settings", clinic=code))


@bp.get("/<int:message_id>")
@role_required(Role.MANAGER, Role.ADMINISTRATOR)
def message(message_id: int) -> ResponseReturnValue:
    """Show one text's whole life."""
    found = life.by_id(db.session, signed_in().scope, message_id)
    whole_life = life.life_of(db.session, found, now=deps().clock())
    return render_template("messaging/message.html", life=whole_life, labels=labels)


@bp.post("/<int:message_id>/resend")
@role_required(Role.MANAGER, Role.ADMINISTRATOR)
def resend(message_id: int) -> ResponseReturnValue:
    """Send a text once more that certainly never went out."""
    now = deps().clock()
    old = life.by_id(db.session, signed_in().scope, message_id)
    new_id = write_again(db.session, old, now=now)
    if new_id is None:
        flash(
            _("This text can't be sent again: it went out, or may have, or its time is over."),
            "warm",
        )
        return redirect(url_for("messaging.message", message_id=message_id))
    trail.record(
        db.session,
        life.RESENT,
        actor_id=signed_in().staff_id,
        now=now,
        clinic_id=old.clinic_id,
        patient_id=old.patient_id,
        about=("message", new_id),
    )
    db.session.commit()
    flash(_("It goes out within a minute, if consent, limits and hours allow it."), "good")
    return redirect(url_for("messaging.message", message_id=new_id))


def _kind() -> MessageKind | None:
    return kind_named(request.args.get("kind"))


def _chart(days: list[Day]) -> Chart | None:
    if not any(day.taken for day in days):
        return None
    return line_chart(
        [
            Series(_("handed to the carrier"), [(day.on, day.taken) for day in days if day.on]),
            Series(_("delivered"), [(day.on, day.delivered) for day in days if day.on]),
        ],
        unit=_("texts"),
        label=_("Texts handed to the carrier, and delivered, by day"),
    )
