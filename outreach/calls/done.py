"""What a caller has dealt with today, and what left their list without them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    and_,
    bindparam,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from outreach.accounts.rules import Actor
from outreach.calls.models import Attempt
from outreach.calls.rules import LONGEST_WAIT, Outcome, is_fresh
from outreach.clock import day_began_at
from outreach.orm import UTCDateTime, rows_of
from outreach.panels.models import PanelMembership
from outreach.patients.models import Patient
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus


@dataclass(frozen=True)
class Done:
    """A call that this caller dealt with today."""

    attempt_id: int
    ref: str
    full_name: str
    zone: str
    at: datetime
    saved_at: datetime
    outcome: Outcome
    minutes: int
    status: CallStatus
    next_from_at: datetime

    def may_be_undone(self, now: datetime) -> bool:
        """Whether its caller may still take it back."""
        return is_fresh(self.saved_at, now)


@dataclass(frozen=True)
class Removed:
    """A call that left this caller's list today without them.

    ``status`` of PLANNED: it is somebody else's now. ``enrolment``: how the patient stands.
    """

    full_name: str
    at: datetime
    status: CallStatus
    enrolment: EnrolmentStatus


def today(
    session: Session, actor: Actor, *, now: datetime
) -> tuple[Sequence[Done], Sequence[Removed]]:
    """Return what ``actor`` recorded, and what was taken away, since their own day began.

    Newest first; one statement.
    """
    began_at = day_began_at(now, ZoneInfo(actor.zone))
    wanted = {"caller_id": actor.staff_id, "began_at": began_at}
    wanted |= {"waited_since": began_at - LONGEST_WAIT}
    rows = rows_of(session, _statement(), wanted)
    done = [
        Done(
            attempt_id=row.id,
            ref=row.ref,
            full_name=f"{row.given_name} {row.family_name}",
            zone=row.zone,
            at=row.at,
            saved_at=row.saved_at,
            outcome=row.outcome,
            minutes=row.minutes,
            status=row.status,
            next_from_at=row.dial_from_at,
        )
        for row in rows
        if row.outcome is not None
    ]
    removed = [
        Removed(f"{row.given_name} {row.family_name}", row.at, row.status, row.enrolment)
        for row in rows
        if row.outcome is None
    ]
    return done, removed


_CALLER_ID: ColumnElement[int] = bindparam("caller_id", type_=Integer())
_BEGAN_AT: ColumnElement[datetime] = bindparam("began_at", type_=UTCDateTime())
# What was saved today may have happened before midnight; the bound keeps the index of use.
_WAITED_SINCE: ColumnElement[datetime] = bindparam("waited_since", type_=UTCDateTime())


@cache
def _statement() -> Select[*tuple[Any, ...]]:
    """Return the statement, for ``caller_id`` and ``began_at``; built once."""
    both = union_all(_recorded(), _removed()).subquery()
    return select(both).order_by(both.c.at.desc(), both.c.id.desc())


def _recorded() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Attempt.id,
            Patient.ref,
            Patient.given_name,
            Patient.family_name,
            Patient.zone,
            Attempt.at,
            Attempt.recorded_at.label("saved_at"),
            Attempt.outcome,
            Attempt.minutes,
            PlannedCall.status,
            PlannedCall.dial_from_at,
            Enrolment.status.label("enrolment"),
        )
        .join(PlannedCall, PlannedCall.id == Attempt.planned_call_id)
        .join(Enrolment, Enrolment.id == PlannedCall.enrolment_id)
        .join(Patient, Patient.id == Attempt.patient_id)
        .where(_is_own_of_today())
    )


def _removed() -> Select[*tuple[Any, ...]]:
    """Select what ended without the caller, or went to somebody else; not what was planned anew."""
    later = aliased(PlannedCall)
    is_planned_anew = exists().where(later.enrolment_id == PlannedCall.enrolment_id, later.is_open)
    is_own = exists().where(Attempt.planned_call_id == PlannedCall.id, _is_own_of_today())
    ended = and_(
        PanelMembership.until_at.is_(None),
        PlannedCall.closed_at >= _BEGAN_AT,
        or_(PlannedCall.status != CallStatus.CANCELLED, ~is_planned_anew),
        ~is_own,
    )
    went = and_(PanelMembership.until_at >= _BEGAN_AT, PlannedCall.is_open)
    return (
        select(
            PlannedCall.id,
            Patient.ref,
            Patient.given_name,
            Patient.family_name,
            Patient.zone,
            # Of a call that went to somebody else, when it did.
            func.coalesce(PlannedCall.closed_at, PanelMembership.until_at),
            null(),
            null(),
            literal(0),
            PlannedCall.status,
            PlannedCall.dial_from_at,
            Enrolment.status,
        )
        .select_from(PanelMembership)
        .join(PlannedCall, PlannedCall.enrolment_id == PanelMembership.enrolment_id)
        .join(Enrolment, Enrolment.id == PlannedCall.enrolment_id)
        .join(Patient, Patient.id == PlannedCall.patient_id)
        .where(PanelMembership.caller_id == _CALLER_ID, or_(ended, went))
    )


def _is_own_of_today() -> ColumnElement[bool]:
    return and_(
        Attempt.caller_id == _CALLER_ID,
        Attempt.at >= _WAITED_SINCE,
        Attempt.recorded_at >= _BEGAN_AT,
        Attempt.superseded_at.is_(None),
    )
