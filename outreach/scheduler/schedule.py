"""Everything the system does by itself, and how often. Read this first."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from config import Config
from outreach.audit.jobs import link_events
from outreach.calling_hours.jobs import refit_changed_hours
from outreach.calls.jobs import catch_up_overdue_calls, write_courtesies
from outreach.clock import Clock
from outreach.concerns.jobs import alert_unanswered
from outreach.exports.jobs import expire_exports, write_exports
from outreach.exports.making import Place
from outreach.intake.jobs import sweep_uploads
from outreach.messaging.jobs import send_due_messages, settle_lost_messages
from outreach.orm import Sessions
from outreach.patient_list.jobs import forget_searches
from outreach.phoning.jobs import settle_lost_calls
from outreach.planning.jobs import (
    begin_pauses,
    end_pauses,
    follow_silences,
    plan_missing_calls,
    refit_changed_versions,
    write_reminders,
)
from outreach.results.jobs import write_measure_reminders
from outreach.searching.jobs import index_backlog
from outreach.telephony.gateway import TelephonyGateway


@dataclass(frozen=True)
class PeriodicJob:
    """A short tick without memory of its own: what is due lives in our tables.

    Correct if run twice, late, at once in two places, or after three days off. One that
    ``is_long`` runs beside the others, so that they don't wait for it.
    """

    name: str
    every_seconds: float
    run: Callable[[], int]
    is_long: bool = False


def periodic_jobs(
    sessions: Sessions,
    gateway: TelephonyGateway,
    clock: Clock,
    uploads: Path,
    exports: Place | None = None,
) -> tuple[PeriodicJob, ...]:
    """Return every periodic job of the product, in the order in which one feeds the next.

    ``uploads`` is the folder of files that wait to be imported, ``exports`` where those lie
    that people asked for; None: this process writes none.
    """
    return (
        PeriodicJob("catch up overdue calls", 30, lambda: catch_up_overdue_calls(sessions, clock)),
        PeriodicJob(
            "refit changed versions",
            60,
            lambda: refit_changed_versions(sessions, clock),
            is_long=True,
        ),
        PeriodicJob(
            "refit changed hours", 20, lambda: refit_changed_hours(sessions, clock), is_long=True
        ),
        PeriodicJob("begin pauses", 60, lambda: begin_pauses(sessions, clock)),
        PeriodicJob("end pauses", 60, lambda: end_pauses(sessions, clock)),
        PeriodicJob("follow silences", 300, lambda: follow_silences(sessions, clock)),
        PeriodicJob("plan missing calls", 20, lambda: plan_missing_calls(sessions, clock)),
        PeriodicJob("alert unanswered concerns", 10, lambda: alert_unanswered(sessions, clock)),
        PeriodicJob("write reminders", 20, lambda: write_reminders(sessions, clock)),
        PeriodicJob("write courtesies", 60, lambda: write_courtesies(sessions, clock)),
        PeriodicJob(
            "write measure reminders", 60, lambda: write_measure_reminders(sessions, clock)
        ),
        PeriodicJob("send due messages", 10, lambda: send_due_messages(sessions, gateway, clock)),
        PeriodicJob(
            "settle lost messages", 60, lambda: settle_lost_messages(sessions, gateway, clock)
        ),
        PeriodicJob("settle lost calls", 15, lambda: settle_lost_calls(sessions, gateway, clock)),
        PeriodicJob("link audit events", 30, lambda: link_events(sessions)),
        PeriodicJob("index backlog", 60, lambda: index_backlog(sessions)),
        PeriodicJob("forget searches", 3600, lambda: forget_searches(sessions, clock)),
        PeriodicJob("sweep uploads", 600, lambda: sweep_uploads(uploads, clock)),
        *(_of_exports(sessions, clock, exports) if exports else ()),
    )


def _of_exports(sessions: Sessions, clock: Clock, place: Place) -> tuple[PeriodicJob, ...]:
    return (
        PeriodicJob(
            "write exports", 2, lambda: write_exports(sessions, clock, place), is_long=True
        ),
        PeriodicJob("expire exports", 600, lambda: expire_exports(sessions, clock, place)),
    )


def exports_of(config: Config) -> Place:
    """Return where this installation keeps the files that people asked for."""
    days = timedelta(days=config.export_days)
    return Place(
        config.exports, days, config.secret_key.encode(), config.administrators_need_reason
    )
