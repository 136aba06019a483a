"""The open calls of a caller's patients, with all that the queue says of each: one statement."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, Text, and_, bindparam, func, select, type_coerce
from sqlalchemy.orm import Session, aliased

from outreach.accounts.models import StaffMember
from outreach.accounts.rules import Actor
from outreach.calls import leases
from outreach.calls.models import Attempt, CallNote, Draft, Hiding, Lease, Promise
from outreach.calls.rules import REACHED
from outreach.concerns.models import Concern, ConcernStep
from outreach.concerns.rules import StepKind
from outreach.orm import UTCDateTime, rows_of
from outreach.panels import duty
from outreach.panels.models import PanelMembership
from outreach.patients.models import Patient, PhoneNumber
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from outreach.programmes.models import Enrolment, ProgrammeVersion
from outreach.sql import all_as_json, is_one_of


class OpenCall(NamedTuple):
    """A row of the statement, in the order of its columns.

    Each is read forty times: a row of SQLAlchemy looks each name up, for longer than it took to
    read it.
    """

    id: int
    tries_a_day: int
    sequence: int
    complete_by_on: date
    dial_from_at: datetime
    dial_until_at: datetime
    is_agreed: bool
    dials: int
    ref: str
    given_name: str
    family_name: str
    preferred_name: str | None
    language: str
    zone: str
    weekdays: int
    clinic_id: int
    state: str | None
    dedicated_id: int
    dedicated_name: str
    last_note: str | None
    last_note_at: datetime | None
    promise_id: int | None
    promise: str | None
    promise_on: date | None
    status_before: CallStatus | None
    status_two_before: CallStatus | None
    spoken_at: datetime | None
    answered_at: datetime | None
    held_by: str | None
    held_until: datetime | None
    started_at: datetime | None
    tries: str | None
    numbers: str | None
    draft_id: int | None
    hidden_because: str | None


def of(
    session: Session, caller_id: int, *, now: datetime, has_begun: bool = False
) -> list[OpenCall]:
    """Return each open call of those whom ``caller_id`` calls at ``now``.

    Args:
        has_begun: only those whose time to dial has come, a few of a panel.
    """
    running_since = now - leases.LONGEST_CALL
    wanted = {"caller_id": caller_id, "now": now, "running_since": running_since}
    return list(map(OpenCall._make, rows_of(session, _statement(has_begun=has_begun), wanted)))


@dataclass(frozen=True)
class CallBacks:
    """How many patients asked to be called now; ``is_new``: one since somebody last looked."""

    count: int
    is_new: bool


def call_backs(
    session: Session, actor: Actor, *, looked_at: datetime | None, now: datetime
) -> CallBacks:
    """Return which agreed times have come for ``actor``, as their queue shows them.

    One statement.
    """
    statement = _call_backs()
    if actor.sees_own_only:
        statement = statement.where(PanelMembership.caller_id == actor.staff_id)
    wanted = {"caller_id": actor.staff_id, "now": now}
    count, newest = session.execute(statement, wanted).one()
    return CallBacks(count, newest is not None and (looked_at is None or newest > looked_at))


@cache
def _call_backs() -> Select[*tuple[Any, ...]]:
    """Return the statement of agreed times that have come, for ``caller_id`` and ``now``."""
    caller_id: ColumnElement[int] = bindparam("caller_id")
    now: ColumnElement[datetime] = bindparam("now", type_=UTCDateTime())
    return (
        select(func.count(PlannedCall.id), func.max(PlannedCall.dial_from_at))
        .select_from(PanelMembership)
        .join(PlannedCall, PlannedCall.enrolment_id == PanelMembership.enrolment_id)
        .where(
            duty.enrolments_of(caller_id, now),
            PlannedCall.is_open,
            PlannedCall.is_agreed.is_(True),
            PlannedCall.dial_from_at <= now,
            PlannedCall.dial_until_at > now,
        )
    )


@cache
def _statement(*, has_begun: bool) -> Select[*tuple[Any, ...]]:
    """Return the statement, for ``caller_id``, ``now`` and ``running_since``; built once."""
    caller_id: ColumnElement[int] = bindparam("caller_id")
    holder = aliased(StaffMember)
    now: ColumnElement[datetime] = bindparam("now", type_=UTCDateTime())
    running_since: ColumnElement[datetime] = bindparam("running_since", type_=UTCDateTime())
    others = and_(
        Lease.planned_call_id == PlannedCall.id,
        Lease.staff_id != caller_id,
        Lease.until_at > now,
    )
    found = (
        select(
            PlannedCall.id,
            ProgrammeVersion.data["attempts"]["max_dials_per_day"]
            .as_integer()
            .label("tries_a_day"),
            PlannedCall.sequence,
            PlannedCall.complete_by_on,
            PlannedCall.dial_from_at,
            PlannedCall.dial_until_at,
            PlannedCall.is_agreed,
            PlannedCall.dials,
            Patient.ref,
            Patient.given_name,
            Patient.family_name,
            Patient.preferred_name,
            Patient.language,
            Patient.zone,
            Patient.weekdays,
            PlannedCall.clinic_id,
            Patient.state,
            StaffMember.id.label("dedicated_id"),
            StaffMember.name.label("dedicated_name"),
            _one(_newest_note(CallNote.text)).label("last_note"),
            _one(_newest_note(CallNote.at)).label("last_note_at"),
            _one(_next_promise(Promise.id)).label("promise_id"),
            _one(_next_promise(Promise.text)).label("promise"),
            _one(_next_promise(Promise.due_on)).label("promise_on"),
            _one(_before(0)).label("status_before"),
            _one(_before(1)).label("status_two_before"),
            _one(_last_conversation()).label("spoken_at"),
            _one(_nurses_answer()).label("answered_at"),
            _only(select(holder.name).join(Lease, Lease.staff_id == holder.id).where(others)).label(
                "held_by"
            ),
            _only(select(Lease.until_at).where(others)).label("held_until"),
            _only(
                select(Lease.started_at).where(
                    Lease.planned_call_id == PlannedCall.id,
                    Lease.staff_id == caller_id,
                    leases.is_running(running_since),
                )
            ).label("started_at"),
            _only(_tries()).label("tries"),
            _only(_numbers()).label("numbers"),
            _only(
                select(Draft.id).where(
                    Draft.planned_call_id == PlannedCall.id,
                    Draft.staff_id == caller_id,
                    Draft.version > 0,
                )
            ).label("draft_id"),
            _one(
                select(Hiding.reason).where(
                    Hiding.planned_call_id == PlannedCall.id,
                    Hiding.until_at > now,
                    Hiding.shown_again_at.is_(None),
                )
            ).label("hidden_because"),
        )
        .select_from(PanelMembership)
        .join(PlannedCall, PlannedCall.enrolment_id == PanelMembership.enrolment_id)
        .join(Enrolment, Enrolment.id == PlannedCall.enrolment_id)
        .join(ProgrammeVersion, ProgrammeVersion.id == Enrolment.version_id)
        .join(Patient, Patient.id == PlannedCall.patient_id)
        .join(StaffMember, StaffMember.id == PanelMembership.caller_id)
        .where(
            duty.enrolments_of(caller_id, now),
            PlannedCall.is_open,
        )
        .order_by(PlannedCall.dial_from_at, PlannedCall.id)
    )
    return found.where(PlannedCall.dial_from_at <= now) if has_begun else found


def _one(query: Select[Any]) -> ColumnElement[Any]:
    return _only(query.limit(1))


def _only(query: Select[Any]) -> ColumnElement[Any]:
    """Return the value of a query of which there is no second row: a unique key, an aggregate."""
    return query.correlate(PlannedCall, Patient).scalar_subquery()


def _before(skipped: int) -> Select[Any]:
    """Select what became of an earlier call of the enrolment; cancelled ones were none."""
    earlier = aliased(PlannedCall)
    return (
        select(earlier.status)
        .where(
            earlier.enrolment_id == PlannedCall.enrolment_id,
            earlier.sequence < PlannedCall.sequence,
            earlier.status != CallStatus.CANCELLED,
        )
        .order_by(earlier.sequence.desc())
        .offset(skipped)
    )


def _last_conversation() -> Select[Any]:
    return (
        select(Attempt.at)
        .where(
            Attempt.patient_id == Patient.id,
            is_one_of(Attempt.outcome, REACHED),
            Attempt.superseded_at.is_(None),
        )
        .order_by(Attempt.at.desc())
    )


def _nurses_answer() -> Select[Any]:
    """Select when a nurse last wrote about a concern: the caller comes back to it."""
    return (
        select(ConcernStep.at)
        .join(Concern, Concern.id == ConcernStep.concern_id)
        .where(
            Concern.patient_id == Patient.id,
            is_one_of(ConcernStep.kind, (StepKind.NOTED, StepKind.CLOSED)),
        )
        .order_by(ConcernStep.at.desc())
    )


def _newest_note(column: Any) -> Select[Any]:
    return (
        select(column)
        .where(CallNote.patient_id == Patient.id, CallNote.superseded_at.is_(None))
        .order_by(CallNote.at.desc(), CallNote.id.desc())
    )


def _next_promise(column: Any) -> Select[Any]:
    return (
        select(column)
        .where(
            Promise.patient_id == Patient.id,
            Promise.kept_at.is_(None),
            Promise.withdrawn_at.is_(None),
        )
        .order_by(func.coalesce(Promise.due_on, date.max), Promise.id)
    )


def _tries() -> Select[Any]:
    """Select when this call was tried, what came of it and who did, as JSON."""
    return (
        select(all_as_json(Attempt.at, Attempt.outcome, _as_kept(StaffMember.name), Attempt.id))
        .join(StaffMember, StaffMember.id == Attempt.caller_id)
        .where(Attempt.planned_call_id == PlannedCall.id, Attempt.superseded_at.is_(None))
    )


def _numbers() -> Select[Any]:
    """Select the patient's numbers with the health of each, as JSON."""
    place = (PhoneNumber.position, PhoneNumber.id)
    return select(all_as_json(*place, _as_kept(PhoneNumber.e164), PhoneNumber.health)).where(
        PhoneNumber.patient_id == Patient.id
    )


def _as_kept(column: Any) -> ColumnElement[str]:
    """Return an encrypted column as it lies in the database: ``trying`` opens it."""
    return type_coerce(column, Text())
