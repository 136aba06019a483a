"""What the timeline shows besides calls that were written down: a statement for each kind."""

from typing import Any

from sqlalchemy import Select, exists, select

from outreach.accounts.models import StaffMember
from outreach.calls.models import Attempt, Hiding
from outreach.concerns.models import Concern, ConcernStep, OwnLimits
from outreach.concerns.rules import StepKind
from outreach.phoning.models import PhoneCall
from outreach.planning.models import FollowUp, PlannedCall
from outreach.visits.models import Visit


def phone_calls(patient_id: int) -> Select[*tuple[Any, ...]]:
    """Select telephone calls that no written call tells of: rung back, or never recorded."""
    is_told = exists().where(Attempt.phone_call_id == PhoneCall.id, Attempt.superseded_at.is_(None))
    return (
        select(
            PhoneCall.id,
            PhoneCall.asked_at.label("at"),
            PhoneCall.direction,
            PhoneCall.answered_at,
            PhoneCall.ended_at,
            PhoneCall.seconds,
            PhoneCall.ending,
            StaffMember.name.label("by"),
        )
        .outerjoin(StaffMember, StaffMember.id == PhoneCall.caller_id)
        .where(PhoneCall.patient_id == patient_id, ~is_told)
        .order_by(PhoneCall.asked_at.desc(), PhoneCall.id.desc())
    )


def follow_ups(patient_id: int) -> Select[*tuple[Any, ...]]:
    """Select what somebody was asked to see to because calls didn't get through."""
    return (
        select(
            FollowUp.id,
            FollowUp.opened_at.label("at"),
            FollowUp.kind,
            FollowUp.reason,
            FollowUp.letter_at,
        )
        .where(FollowUp.patient_id == patient_id)
        .order_by(FollowUp.opened_at.desc(), FollowUp.id.desc())
    )


def follow_ups_done(patient_id: int) -> Select[*tuple[Any, ...]]:
    """Select what was seen to, with what came of it; without words a conversation ended it."""
    return (
        select(
            FollowUp.id,
            FollowUp.done_at.label("at"),
            FollowUp.kind,
            FollowUp.note,
            StaffMember.name.label("by"),
        )
        .outerjoin(StaffMember, StaffMember.id == FollowUp.by_staff_id)
        .where(FollowUp.patient_id == patient_id, FollowUp.done_at.is_not(None))
        .order_by(FollowUp.done_at.desc(), FollowUp.id.desc())
    )


def concern_steps(patient_id: int) -> Select[*tuple[Any, ...]]:
    """Select what was done about concerns after they were raised."""
    return (
        select(
            ConcernStep.id,
            ConcernStep.at,
            ConcernStep.kind.label("step"),
            ConcernStep.note,
            Concern.kind,
            StaffMember.name.label("by"),
        )
        .join(Concern, Concern.id == ConcernStep.concern_id)
        .outerjoin(StaffMember, StaffMember.id == ConcernStep.by_staff_id)
        .where(Concern.patient_id == patient_id, ConcernStep.kind != StepKind.RAISED)
        .order_by(ConcernStep.at.desc(), ConcernStep.id.desc())
    )


def put_off(patient_id: int) -> Select[*tuple[Any, ...]]:
    """Select when somebody said 'not today' of a call, and why."""
    own = select(PlannedCall.id).where(PlannedCall.patient_id == patient_id)
    return (
        select(
            Hiding.id,
            Hiding.at,
            Hiding.reason.label("note"),
            Hiding.shown_again_at,
            StaffMember.name.label("by"),
        )
        .join(StaffMember, StaffMember.id == Hiding.by_staff_id)
        .where(Hiding.planned_call_id.in_(own))
        .order_by(Hiding.at.desc(), Hiding.id.desc())
    )


def own_limits(patient_id: int) -> Select[*tuple[Any, ...]]:
    """Select every setting of the patient's own limits."""
    return (
        select(
            OwnLimits.id,
            OwnLimits.at,
            OwnLimits.kind,
            OwnLimits.low,
            OwnLimits.high,
            OwnLimits.unit,
            OwnLimits.until_on,
            OwnLimits.reason.label("note"),
            StaffMember.name.label("by"),
        )
        .join(StaffMember, StaffMember.id == OwnLimits.by_staff_id)
        .where(OwnLimits.patient_id == patient_id)
        .order_by(OwnLimits.at.desc(), OwnLimits.id.desc())
    )


def visits(patient_id: int) -> Select[*tuple[Any, ...]]:
    """Select visits to the clinic, as imports told of them."""
    return (
        select(Visit.id, Visit.at, Visit.took_place_on, Visit.kind)
        .where(Visit.patient_id == patient_id)
        .order_by(Visit.at.desc(), Visit.id.desc())
    )
