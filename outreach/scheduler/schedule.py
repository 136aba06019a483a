"""Everything the system does by itself, and how often. Read this first."""

import enum
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from config import Config
from outreach import sealing
from outreach.accounts.jobs import clear_sign_ins
from outreach.audit.jobs import link_events
from outreach.calling_hours.jobs import refit_changed_hours
from outreach.calls.jobs import catch_up_overdue_calls, mail_digests, write_courtesies
from outreach.clock import Clock
from outreach.concerns.jobs import alert_unanswered
from outreach.exports.jobs import expire_exports, write_exports
from outreach.exports.making import Place
from outreach.intake.jobs import forget_remarks, sweep_uploads
from outreach.messaging.jobs import (
    forget_unrecorded,
    send_due_messages,
    send_in_turn,
    settle_lost_messages,
)
from outreach.orm import Sessions
from outreach.patient_list.jobs import forget_searches
from outreach.phoning.jobs import settle_lost_calls
from outreach.planning.jobs import (
    begin_pauses,
    end_pauses,
    follow_silences,
    plan_missing_calls,
    refit_callers_days,
    refit_changed_versions,
    write_reminders,
)
from outreach.pulse.jobs import forget_answers, mail_support, write_support_texts
from outreach.pulse.rules import Telling
from outreach.questionnaires.jobs import end_left_questionnaires
from outreach.reports.jobs import roll_up
from outreach.results.jobs import write_measure_reminders
from outreach.retention.jobs import anonymise_due
from outreach.searching.jobs import fold_directories, index_backlog
from outreach.telephony.gateway import TelephonyGateway
from outreach.telephony.mail import Mailer
from outreach.typed.jobs import forget_typed
from outreach.upkeep.jobs import seal_what_is_in_clear


class Lane(enum.Enum):
    """Jobs of one lane run one after another, those of different lanes beside each other.

    SHORT waits for nobody outside: whoever is on call is told of a concern in seconds, however
    slow the carrier is. LONG is for what takes minutes, and reads. SENDING lasts as long as texts
    are due, PACED for hours, as long as any waits for its turn. SETTLING asks the carrier what
    became of things.
    """

    SHORT = "default"
    LONG = "long"
    SENDING = "sending"
    PACED = "paced"
    SETTLING = "settling"


@dataclass(frozen=True)
class PeriodicJob:
    """A short tick without memory of its own: what is due lives in our tables.

    Correct if run twice, late, at once in two places, or after three days off.
    """

    name: str
    every_seconds: float
    run: Callable[[], int]
    lane: Lane = Lane.SHORT


def periodic_jobs(
    sessions: Sessions,
    gateway: TelephonyGateway,
    clock: Clock,
    uploads: Path,
    exports: Place | None = None,
    public_url: str | None = None,
    mailer: Mailer | None = None,
    go_on: Callable[[], bool] = lambda: True,
    audit_head: Path | None = None,
) -> tuple[PeriodicJob, ...]:
    """Return every periodic job of the product, in the order in which one feeds the next.

    ``uploads`` is the folder of files that wait to be imported, ``exports`` where those lie
    that people asked for; None: this process writes none. ``public_url`` is the address that
    texts to staff lead to; None: they name none. ``mailer`` takes e-mails; None: none is sent.
    ``go_on`` says no once this process was told to stop. ``audit_head`` is the file that keeps the
    end of the audit trail's chain; None: this process keeps none.
    """
    return (
        PeriodicJob("catch up overdue calls", 30, lambda: catch_up_overdue_calls(sessions, clock)),
        PeriodicJob(
            "refit changed versions",
            60,
            lambda: refit_changed_versions(sessions, clock),
            lane=Lane.LONG,
        ),
        PeriodicJob(
            "refit changed hours", 20, lambda: refit_changed_hours(sessions, clock), lane=Lane.LONG
        ),
        PeriodicJob("refit callers' days", 60, lambda: refit_callers_days(sessions, clock)),
        PeriodicJob("begin pauses", 60, lambda: begin_pauses(sessions, clock)),
        PeriodicJob("end pauses", 60, lambda: end_pauses(sessions, clock)),
        PeriodicJob("follow silences", 300, lambda: follow_silences(sessions, clock)),
        PeriodicJob("plan missing calls", 20, lambda: plan_missing_calls(sessions, clock)),
        PeriodicJob(
            "end left questionnaires", 600, lambda: end_left_questionnaires(sessions, clock)
        ),
        PeriodicJob("alert unanswered concerns", 10, lambda: alert_unanswered(sessions, clock)),
        PeriodicJob("write reminders", 20, lambda: write_reminders(sessions, clock)),
        PeriodicJob("write courtesies", 60, lambda: write_courtesies(sessions, clock, public_url)),
        PeriodicJob("write support texts", 20, lambda: write_support_texts(sessions, clock)),
        PeriodicJob(
            "write measure reminders", 60, lambda: write_measure_reminders(sessions, clock)
        ),
        PeriodicJob(
            "send due messages",
            10,
            lambda: send_due_messages(sessions, gateway, clock, go_on=go_on),
            lane=Lane.SENDING,
        ),
        PeriodicJob(
            "send in turn",
            2,
            lambda: send_in_turn(sessions, gateway, clock, go_on=go_on),
            lane=Lane.PACED,
        ),
        PeriodicJob(
            "settle lost messages",
            60,
            lambda: settle_lost_messages(sessions, gateway, clock),
            lane=Lane.SETTLING,
        ),
        PeriodicJob(
            "settle lost calls",
            15,
            lambda: settle_lost_calls(sessions, gateway, clock),
            lane=Lane.SETTLING,
        ),
        PeriodicJob("link audit events", 30, lambda: link_events(sessions, audit_head)),
        PeriodicJob("fold directories", 60, lambda: fold_directories(sessions), lane=Lane.LONG),
        PeriodicJob("index backlog", 60, lambda: index_backlog(sessions)),
        PeriodicJob("roll up reports", 60, lambda: roll_up(sessions, clock), lane=Lane.LONG),
        PeriodicJob("clear sign-ins", 3600, lambda: clear_sign_ins(sessions, clock)),
        PeriodicJob("forget searches", 3600, lambda: forget_searches(sessions, clock)),
        PeriodicJob("forget typed forms", 3600, lambda: forget_typed(sessions, clock)),
        PeriodicJob("forget pulse answers", 3600, lambda: forget_answers(sessions, clock)),
        PeriodicJob("forget remarks of imports", 3600, lambda: forget_remarks(sessions, clock)),
        PeriodicJob("forget unrecorded texts", 3600, lambda: forget_unrecorded(sessions, clock)),
        PeriodicJob(
            "anonymise who is due", 3600, lambda: anonymise_due(sessions, clock), lane=Lane.LONG
        ),
        # Of this lane, so not before this process has led for so long: until then some of the
        # release before may run, which can't read what is sealed.
        PeriodicJob(
            "seal what is in clear",
            sealing.RENEWED_WITHIN_SECONDS,
            lambda: seal_what_is_in_clear(sessions),
            lane=Lane.LONG,
        ),
        PeriodicJob("sweep uploads", 600, lambda: sweep_uploads(uploads, clock)),
        *(_of_exports(sessions, clock, exports) if exports else ()),
        *(_of_mail(sessions, clock, mailer, public_url) if mailer else ()),
    )


def _of_mail(
    sessions: Sessions, clock: Clock, mailer: Mailer, public_url: str | None
) -> tuple[PeriodicJob, ...]:
    def mail() -> int:
        return mail_digests(sessions, mailer, clock, public_url)

    def mail_who_hears() -> int:
        return mail_support(sessions, mailer, clock, public_url)

    return (
        PeriodicJob("mail digests", 300, mail, lane=Lane.LONG),
        PeriodicJob("mail support", 60, mail_who_hears, lane=Lane.LONG),
    )


def _of_exports(sessions: Sessions, clock: Clock, place: Place) -> tuple[PeriodicJob, ...]:
    return (
        PeriodicJob(
            "write exports", 2, lambda: write_exports(sessions, clock, place), lane=Lane.LONG
        ),
        PeriodicJob("expire exports", 600, lambda: expire_exports(sessions, clock, place)),
    )


def exports_of(config: Config) -> Place:
    """Return where this installation keeps the files that people asked for."""
    days = timedelta(days=config.export_days)
    telling = Telling(config.pulse_least_answers, config.pulse_burnout_from)
    key, needs_reason = config.secret_key.encode(), config.administrators_need_reason
    return Place(config.exports, days, key, needs_reason, telling)
