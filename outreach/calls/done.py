"""What a caller has dealt with today."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.accounts.rules import Actor
from outreach.calls.models import Attempt
from outreach.calls.rules import Outcome, is_fresh
from outreach.clock import day_began_at
from outreach.patients.models import Patient
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus


@dataclass(frozen=True)
class Done:
    """A call that this caller dealt with today."""

    attempt_id: int
    ref: str
    full_name: str
    zone: str
    at: datetime
    outcome: Outcome
    minutes: int
    status: CallStatus
    next_from_at: datetime

    def may_be_undone(self, now: datetime) -> bool:
        """Whether its caller may still take it back."""
        return is_fresh(self.at, now)


def today(session: Session, actor: Actor, *, now: datetime) -> list[Done]:
    """Return what ``actor`` recorded since their own day began, newest first; one statement."""
    began_at = day_began_at(now, ZoneInfo(actor.zone))
    rows = session.execute(
        select(
            Attempt.id,
            Patient.ref,
            Patient.given_name,
            Patient.family_name,
            Patient.zone,
            Attempt.at,
            Attempt.outcome,
            Attempt.minutes,
            PlannedCall.status,
            PlannedCall.dial_from_at,
        )
        .join(PlannedCall, PlannedCall.id == Attempt.planned_call_id)
        .join(Patient, Patient.id == Attempt.patient_id)
        .where(
            Attempt.caller_id == actor.staff_id,
            Attempt.at >= began_at,
            Attempt.superseded_at.is_(None),
        )
        .order_by(Attempt.at.desc(), Attempt.id.desc())
    ).all()
    return [
        Done(
            attempt_id=row.id,
            ref=row.ref,
            full_name=f"{row.given_name} {row.family_name}",
            zone=row.zone,
            at=row.at,
            outcome=row.outcome,
            minutes=row.minutes,
            status=row.status,
            next_from_at=row.dial_from_at,
        )
        for row in rows
    ]
