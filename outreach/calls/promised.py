"""Promises: made and kept with a call, and due though no call is planned to bring them back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Date, Select, bindparam, exists, or_, select, update
from sqlalchemy.orm import Session

from outreach.accounts.rules import Actor
from outreach.calls.models import Attempt, Promise
from outreach.clock import local_day
from outreach.orm import UTCDateTime, rows_of
from outreach.panels import duty
from outreach.panels.models import PanelMembership
from outreach.patients.models import Patient
from outreach.planning import next_call
from outreach.planning.models import PlannedCall
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus
from outreach.sql import is_one_of

# Whoever left for good, or died, is not rung any more, whatever was promised.
GONE = (EnrolmentStatus.WITHDRAWN, EnrolmentStatus.DIED)
WEEK = timedelta(weeks=1)
FARTHEST_ZONE = timedelta(hours=14)  # ahead of UTC


@dataclass(frozen=True)
class Loose:
    """A promise that is due, of a patient of one's own whom no call is planned for.

    One without a day, as they were kept once, is due as soon as no call will bring it back.
    """

    promise_id: int
    ref: str
    full_name: str
    zone: str
    text: str
    due_on: date | None
    status: EnrolmentStatus


def make(
    session: Session,
    patient: Patient,
    attempt: Attempt,
    text: str,
    due_on: date | None,
    *,
    now: datetime,
) -> None:
    """Keep what was promised in a call whose plan is made. Does not commit.

    Without a day of its own it is due with the next call, or in a week where none is planned.
    """
    if due_on is None:
        zone = ZoneInfo(patient.zone)
        today, following = local_day(now, zone), next_call.open_call(session, attempt.enrolment_id)
        next_on = local_day(following.dial_from_at, zone) if following else today + WEEK
        due_on = max(next_on, today)
    session.add(
        Promise(
            clinic_id=attempt.clinic_id,
            patient_id=attempt.patient_id,
            attempt_id=attempt.id,
            by_staff_id=attempt.caller_id,
            text=text,
            due_on=due_on,
            made_at=now,
        )
    )


def keep(
    session: Session, patient_id: int, promise_ids: Sequence[int], actor: Actor, *, now: datetime
) -> None:
    """Note that promises of a patient were kept. Does not commit."""
    session.execute(
        update(Promise)
        .where(
            Promise.patient_id == patient_id,
            Promise.id.in_(promise_ids),
            Promise.kept_at.is_(None),
            Promise.withdrawn_at.is_(None),
        )
        .values(kept_at=now, kept_by_id=actor.staff_id)
    )


def without_call(session: Session, actor: Actor, *, now: datetime) -> list[Loose]:
    """Return what ``actor`` promised or took over, the longest due first; one statement."""
    wanted = {
        "caller_id": actor.staff_id,
        "now": now,
        "latest": (now + FARTHEST_ZONE).date(),
    }
    rows = rows_of(session, _statement(), wanted)
    return [
        Loose(
            promise_id=row.id,
            ref=row.ref,
            full_name=f"{row.given_name} {row.family_name}",
            zone=row.zone,
            text=row.text,
            due_on=row.due_on,
            status=row.status,
        )
        for row in rows
        if row.due_on is None or row.due_on <= local_day(now, ZoneInfo(row.zone))
    ]


@cache
def _statement() -> Select[*tuple[Any, ...]]:
    """Return the statement, for ``caller_id``, ``now`` and ``latest``; built once."""
    caller_id: ColumnElement[int] = bindparam("caller_id")
    now: ColumnElement[datetime] = bindparam("now", type_=UTCDateTime())
    has_call = exists().where(
        PlannedCall.enrolment_id == PanelMembership.enrolment_id,
        PlannedCall.is_open,
    )
    return (
        select(
            Promise.id,
            Promise.text,
            Promise.due_on,
            Patient.ref,
            Patient.given_name,
            Patient.family_name,
            Patient.zone,
            Enrolment.status,
        )
        .select_from(PanelMembership)
        .join(Enrolment, Enrolment.id == PanelMembership.enrolment_id)
        .join(Patient, Patient.id == PanelMembership.patient_id)
        .join(Promise, Promise.patient_id == PanelMembership.patient_id)
        .where(
            duty.enrolments_of(caller_id, now),
            ~is_one_of(Enrolment.status, GONE),
            ~has_call,
            Promise.kept_at.is_(None),
            Promise.withdrawn_at.is_(None),
            or_(Promise.due_on.is_(None), Promise.due_on <= bindparam("latest", type_=Date())),
        )
        .order_by(Promise.due_on.nulls_first(), Promise.id)
    )
