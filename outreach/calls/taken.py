"""A call that somebody else took over: whose it is now, and what was typed about it before.

Whoever takes a call over may have been given the patient as well: then the page of the one
before leads nowhere any more, and what they type there is kept all the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select, true
from sqlalchemy.orm import Session

from outreach import absent
from outreach.accounts.models import StaffMember
from outreach.accounts.rules import Actor
from outreach.built_once import built_once
from outreach.calls import drafts, leases
from outreach.calls.drafts import Typed
from outreach.calls.models import Attempt, Draft
from outreach.orm import rows_of
from outreach.patients.models import Patient
from outreach.planning.models import PlannedCall


@dataclass(frozen=True)
class Taken:
    """A call that ``actor`` was writing about; ``is_recorded``: by the other one, meanwhile."""

    call: PlannedCall
    draft: Draft
    name: str
    at: datetime
    is_recorded: bool


@dataclass(frozen=True)
class Left:
    """What somebody else wrote about a call and has not saved."""

    name: str
    note: str
    at: datetime


def of(
    session: Session, ref: str, call_id: int | None, actor: Actor, *, now: datetime
) -> Taken | None:
    """Return the call that ``actor`` was writing about and somebody else has or recorded since.

    Asked for where the patient does not exist for ``actor`` any more: what they began to type is
    the proof that they had them open.
    """
    query = _written_about(ref, actor, now=now).where(PlannedCall.id == call_id)
    return _taken(session, query, actor, now=now)


def last_of(session: Session, ref: str, actor: Actor, *, now: datetime) -> Taken | None:
    """As :func:`of`, for whoever comes back to the page: the call that they wrote about last."""
    query = _written_about(ref, actor, now=now).order_by(Draft.saved_at.desc(), Draft.id).limit(1)
    return _taken(session, query, actor, now=now)


def _written_about(ref: str, actor: Actor, *, now: datetime) -> Select[PlannedCall, Draft]:
    return (
        select(PlannedCall, Draft)
        .join(Draft, Draft.planned_call_id == PlannedCall.id)
        .join(Patient, Patient.id == PlannedCall.patient_id)
        .where(
            Patient.ref == ref,
            Draft.staff_id == actor.staff_id,
            Draft.saved_at > now - leases.LONGEST_CALL,
        )
    )


def _taken(
    session: Session, query: Select[PlannedCall, Draft], actor: Actor, *, now: datetime
) -> Taken | None:
    row = session.execute(query).first()
    if row is None:
        return None
    call, draft = row
    mark = leases.mark_of_others(session, call, actor, now=now)
    if mark is not None:
        return Taken(call, draft, mark.name, mark.since, is_recorded=False)
    # Earlier tries are no takeover. Whoever never began to talk has no beginning to go by.
    since = Attempt.recorded_at >= draft.started_at if draft.started_at else true()
    recorded = session.execute(
        select(StaffMember.name, Attempt.at)
        .join(StaffMember, StaffMember.id == Attempt.caller_id)
        .where(
            Attempt.planned_call_id == call.id,
            Attempt.caller_id != actor.staff_id,
            Attempt.superseded_at.is_(None),
            since,
        )
        .order_by(Attempt.id.desc())
        .limit(1)
    ).first()
    return Taken(call, draft, recorded.name, recorded.at, is_recorded=True) if recorded else None


def keep(session: Session, taken: Taken, actor: Actor, typed: Typed, *, now: datetime) -> int:
    """Keep what was typed since as theirs, and return its version. Does not commit."""
    over = replace(typed, version=taken.draft.version)
    return drafts.save(session, taken.call, actor, over, now=now)


def left_by_others(session: Session, call: PlannedCall, actor: Actor) -> Sequence[Left]:
    """Return what others wrote about ``call`` without saving it, oldest first."""
    if absent.is_known(session, Draft.planned_call_id, call.id):
        return ()
    rows = rows_of(session, *_others(call.id, actor.staff_id))
    notes = ((name, "\n".join(answers.get("note", ())).strip(), at) for name, answers, at in rows)
    return [Left(name, note, at) for name, note, at in notes if note]


@built_once
def _others(call_id: Any, staff_id: Any) -> Select[str, dict[str, Any], datetime]:
    return (
        select(StaffMember.name, Draft.answers, Draft.saved_at)
        .join(StaffMember, StaffMember.id == Draft.staff_id)
        .where(
            Draft.planned_call_id == call_id,
            Draft.staff_id != staff_id,
            Draft.version > 0,
        )
        .order_by(Draft.saved_at)
    )
