"""Who has a call open: one person at a time, until they leave it or the lease runs out.

Opening the screen takes the lease, starting the call prolongs it, and whatever is typed keeps
it alive. One conditional statement decides between two who open at the same moment.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Delete,
    ScalarSelect,
    Select,
    and_,
    case,
    delete,
    exists,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.orm import Session, joinedload
from sqlalchemy.sql.dml import ReturningUpdate

from outreach import absent
from outreach.accounts.rules import Actor
from outreach.built_once import built_once
from outreach.calls.models import Draft, Lease
from outreach.calls.rules import HELD_FOR, LONGEST_CALL_MINUTES, OPEN_FOR
from outreach.orm import insert_new, rows_of
from outreach.patients.models import Patient
from outreach.planning.models import PlannedCall

LONGEST_CALL = timedelta(minutes=LONGEST_CALL_MINUTES)


@dataclass(frozen=True)
class Mark:
    """Somebody else has the call open, or is on the line, until they let go of it."""

    name: str
    since: datetime
    until: datetime
    is_on_the_line: bool


def take(session: Session, call: PlannedCall, actor: Actor, *, now: datetime) -> bool:
    """Lease ``call`` to ``actor`` unless somebody else has it; say whether it is theirs.

    A lease that they hold already is prolonged, one that ran out changes hands. Does not
    commit.
    """
    row = {
        "planned_call_id": call.id,
        "clinic_id": call.clinic_id,
        "patient_id": call.patient_id,
        "staff_id": actor.staff_id,
        "opened_at": now,
        "until_at": now + OPEN_FOR,
    }
    if insert_new(session, Lease, [row]) or keep(session, call, actor, now=now):
        return True
    return _move(session, call, actor, now=now, even_if_held=False)


def keep(session: Session, call: PlannedCall, actor: Actor, *, now: datetime) -> bool:
    """Prolong the lease that ``actor`` holds; False where they hold none. Does not commit.

    A clock that ran longer than any call was forgotten: the call begins anew.
    """
    forgotten = now - LONGEST_CALL
    kept = session.scalar(
        *_prolonged(call.id, actor.staff_id, forgotten, now, now + HELD_FOR, now + OPEN_FOR)
    )
    return kept is not None


@built_once
def _prolonged(
    call_id: Any, holder: Any, forgotten: Any, now: Any, on_the_line: Any, off_it: Any
) -> ReturningUpdate[int]:
    is_forgotten = Lease.opened_at <= forgotten
    is_on_the_line = and_(Lease.started_at.is_not(None), ~is_forgotten)
    on_the_line, off_it, begun_anew = (
        type_coerce(each, Lease.until_at.type) for each in (on_the_line, off_it, now)
    )
    return (
        update(Lease)
        .where(Lease.planned_call_id == call_id, Lease.staff_id == holder)
        .values(
            until_at=case((is_on_the_line, on_the_line), else_=off_it),
            opened_at=case((is_forgotten, begun_anew), else_=Lease.opened_at),
            started_at=case((is_forgotten, None), else_=Lease.started_at),
        )
        .returning(Lease.planned_call_id)
        .execution_options(synchronize_session=False)
    )


def start(session: Session, call: PlannedCall, actor: Actor, *, now: datetime) -> None:
    """Note that ``actor``, who holds the lease, is on the line. Does not commit."""
    session.execute(
        update(Lease)
        .where(Lease.planned_call_id == call.id, Lease.staff_id == actor.staff_id)
        .values(started_at=case((Lease.started_at.is_(None), now), else_=Lease.started_at))
        .execution_options(synchronize_session=False)
    )
    keep(session, call, actor, now=now)


def take_over(session: Session, call: PlannedCall, actor: Actor, *, now: datetime) -> None:
    """Give ``actor`` the lease, whoever holds it; what the other typed stays theirs."""
    if not take(session, call, actor, now=now):
        _move(session, call, actor, now=now, even_if_held=True)


def release(session: Session, call: PlannedCall, actor: Actor) -> None:
    """End the lease of ``actor``, if they hold one. Does not commit."""
    session.execute(*_released(call.id, actor.staff_id))


@built_once
def _released(call_id: Any, staff_id: Any) -> Delete:
    return (
        delete(Lease)
        .where(Lease.planned_call_id == call_id, Lease.staff_id == staff_id)
        .execution_options(synchronize_session="fetch")
    )


def started_at(call_id: Any, staff_id: Any) -> ScalarSelect[datetime | None]:
    """Return since when somebody is on the line, for a statement that asks for more."""
    return (
        select(Lease.started_at)
        .where(Lease.planned_call_id == call_id, Lease.staff_id == staff_id)
        .scalar_subquery()
    )


@dataclass(frozen=True)
class Held:
    """How a call stands for whoever looks: theirs and ``is_started``, or somebody ``other``'s."""

    is_started: bool = False
    other: Mark | None = None


def held(session: Session, call: PlannedCall, actor: Actor, *, now: datetime) -> Held:
    """Return whether ``actor`` is on the line, and did not just forget to leave it; or who has it.

    A lease of somebody else counts as long as it holds.
    """
    if absent.is_known(session, Lease.planned_call_id, call.id):
        return Held()
    lease = session.scalar(*_lease_of(call.id))
    if lease is None:
        return Held()
    if lease.staff_id == actor.staff_id:
        is_forgotten = lease.opened_at <= now - LONGEST_CALL
        return Held(is_started=lease.started_at is not None and not is_forgotten)
    return Held(other=_mark(lease) if lease.until_at > now else None)


@built_once
def _lease_of(call_id: Any) -> Select[Lease]:
    return (
        select(Lease)
        .options(joinedload(Lease.staff))
        .where(Lease.planned_call_id == call_id)
        .execution_options(populate_existing=True)
    )


@dataclass(frozen=True)
class Unfinished:
    """A call that somebody started and has not written down, nor left for later."""

    ref: str
    full_name: str
    since: datetime


def unfinished(
    session: Session, actor: Actor, *, besides: PlannedCall, now: datetime
) -> Unfinished | None:
    """Return the call that ``actor`` started last and left without a result, but ``besides``."""
    row = next(
        iter(rows_of(session, *_running(actor.staff_id, besides.id, now - LONGEST_CALL))), None
    )
    if row is None or row.started_at is None:
        return None
    return Unfinished(row.ref, f"{row.given_name} {row.family_name}", row.started_at)


@built_once
def _running(staff_id: Any, besides_id: Any, since: Any) -> Select[*tuple[Any, ...]]:
    return (
        select(Patient.ref, Patient.given_name, Patient.family_name, Lease.started_at)
        .join(Patient, Patient.id == Lease.patient_id)
        .join(PlannedCall, PlannedCall.id == Lease.planned_call_id)
        .where(
            Lease.staff_id == staff_id,
            Lease.planned_call_id != besides_id,
            PlannedCall.is_open,
            is_running(since),
        )
        .order_by(Lease.started_at.desc())
        .limit(1)
    )


def is_running(since: ColumnElement[datetime]) -> ColumnElement[bool]:
    """Return the condition that a row of Lease is of a call started and not just forgotten.

    Args:
        since: a bound parameter for the moment LONGEST_CALL ago.
    """
    return and_(Lease.started_at.is_not(None), Lease.opened_at > since)


def is_in_use(session: Session, call: PlannedCall, *, now: datetime) -> bool:
    """Say whether somebody is on the line, or has typed about the call they have open."""
    has_typed = exists().where(
        Draft.planned_call_id == call.id, Draft.staff_id == Lease.staff_id, Draft.version > 0
    )
    in_use = select(Lease.planned_call_id).where(
        Lease.planned_call_id == call.id,
        Lease.until_at > now,
        or_(Lease.started_at.is_not(None), has_typed),
    )
    return session.scalar(in_use) is not None


def mark_of_others(
    session: Session, call: PlannedCall, actor: Actor, *, now: datetime
) -> Mark | None:
    """Return who else has the call open, by a lease that still holds."""
    return held(session, call, actor, now=now).other


def on_the_line_with(session: Session, patient_id: int, *, now: datetime) -> Mark | None:
    """Return who talks with a patient now, by a lease that still holds."""
    lease = session.scalar(
        select(Lease)
        .options(joinedload(Lease.staff))
        .where(
            Lease.patient_id == patient_id,
            Lease.started_at.is_not(None),
            Lease.until_at > now,
        )
        .order_by(Lease.started_at.desc())
        .limit(1)
    )
    return _mark(lease) if lease else None


def _mark(lease: Lease) -> Mark:
    since = lease.started_at or lease.opened_at
    return Mark(lease.staff.name, since, lease.until_at, lease.started_at is not None)


def held_ids(session: Session, call_ids: Sequence[int], *, now: datetime) -> set[int]:
    """Return those of ``call_ids`` that somebody has open."""
    return set(
        session.scalars(
            select(Lease.planned_call_id).where(
                Lease.planned_call_id.in_(call_ids), Lease.until_at > now
            )
        )
    )


def _move(
    session: Session, call: PlannedCall, actor: Actor, *, now: datetime, even_if_held: bool
) -> bool:
    statement = update(Lease).where(Lease.planned_call_id == call.id)
    if not even_if_held:
        statement = statement.where(Lease.until_at <= now)
    moved = session.scalar(
        statement.values(
            staff_id=actor.staff_id, opened_at=now, started_at=None, until_at=now + OPEN_FOR
        )
        .returning(Lease.planned_call_id)
        .execution_options(synchronize_session=False)
    )
    return moved is not None
