"""Who has not been spoken with for too long, and what follows.

``candidates`` finds who may be concerned, ``rules.silence`` decides, and here it is done.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.among import among
from outreach.patients.models import Patient
from outreach.planning import follow_ups, next_call, spoken
from outreach.planning.models import FollowUp, PlannedCall
from outreach.planning.rules import CallStatus, FollowUpKind
from outreach.planning.rules.silence import Follow, Rest, Silence, Step, steps
from outreach.programmes import enrolment as enrolments
from outreach.programmes.models import Enrolment, EnrolmentEvent
from outreach.programmes.rules import EnrolmentStatus

KINDS = {
    Step.REVIEW_TIMES: FollowUpKind.REVIEW_TIMES,
    Step.CONTACT_CHECK: FollowUpKind.CONTACT_CHECK,
    Step.WELFARE_CHECK: FollowUpKind.WELFARE_CHECK,
}


@dataclass(frozen=True)
class Known:
    """One silent enrolment: its version, and what the rule wants to know."""

    version_id: int
    silence: Silence


def due(
    session: Session, enrolment_ids: Sequence[int], *, now: datetime
) -> dict[int, list[Follow]]:
    """Return what the silence of each of ``enrolment_ids`` asks for at ``now``; reads only."""
    policies = spoken.policies(session)
    return {
        enrolment_id: list(steps(each.silence, policies[each.version_id], now=now))
        for enrolment_id, each in read(session, enrolment_ids).items()
    }


def settle(session: Session, enrolment_id: int, *, now: datetime) -> int:
    """Do what the silence of an enrolment asks for; return how many steps were taken.

    Does not commit.
    """
    enrolment, call = next_call.lock(session, enrolment_id)
    if enrolment.status is not EnrolmentStatus.ACTIVE:
        return 0
    taken = 0
    for follow in due(session, [enrolment_id], now=now).get(enrolment_id, ()):
        if follow.step in KINDS:
            kind = KINDS[follow.step]
            taken += follow_ups.open_one(session, enrolment, kind, follow.reason, now=now)
        elif call is None or now < call.dial_from_at:  # else somebody may be ringing them
            give_up(session, enrolment, days=follow.number, by_staff_id=None, now=now)
            taken += 1
    return taken


def give_up(
    session: Session, enrolment: Enrolment, *, days: int, by_staff_id: int | None, now: datetime
) -> None:
    """Count a patient as unreachable: no calls, no texts, still in every figure.

    Whoever reaches them makes them active again. Does not commit.
    """
    enrolments.change_status(
        enrolment,
        EnrolmentStatus.UNREACHABLE,
        reason=f"{days} days without a conversation",
        by_staff_id=by_staff_id,
        now=now,
    )
    session.flush()
    next_call.replan(session, enrolment.id, now=now)


def read(session: Session, enrolment_ids: Sequence[int]) -> dict[int, Known]:
    """Return the silence of those of ``enrolment_ids`` that are called, in four statements."""
    found = spoken.silences().where(among(Enrolment.id, enrolment_ids)).subquery("known")
    rows = session.execute(
        select(
            found,
            Patient.zone,
            Patient.is_welfare_check_agreed,
            spoken.dialled_at(found).label("dialled_at"),
        )
        .join(Patient, Patient.id == found.c.patient_id)
        .order_by(found.c.id)
    ).all()
    ids = [row.id for row in rows]
    rests, asked = _rests(session, ids), _asked(session, ids)
    missed = _missed(session, ids)
    return {
        row.id: Known(row.version_id, _silence(row, missed[row.id], rests[row.id], asked[row.id]))
        for row in rows
    }


def _silence(
    row: Any, missed: Sequence[datetime], rests: Sequence[Rest], asked: Sequence[FollowUp]
) -> Silence:
    zone = ZoneInfo(row.zone)
    since_at = max(row.since_at, datetime.combine(row.starts_on, time(), tzinfo=zone))
    reviews = [each for each in asked if each.kind is FollowUpKind.REVIEW_TIMES]
    checks = [each for each in asked if each.kind is FollowUpKind.CONTACT_CHECK]
    welfare = [each for each in asked if each.kind is FollowUpKind.WELFARE_CHECK]
    return Silence(
        since_at=since_at,
        starts_on=row.starts_on,
        zone=zone,
        missed_at=tuple(at for at in missed if at > since_at),
        rests=tuple(rest for rest in rests if rest.until_at > since_at),
        is_dialled=row.dialled_at is not None and row.dialled_at > since_at,
        is_reviewed=any(each.opened_at > since_at or each.done_at is None for each in reviews),
        is_in_check=any(each.done_at is None for each in checks),
        checked_at=max((each.done_at for each in checks if each.done_at), default=None),
        has_welfare=any(each.opened_at > since_at or each.done_at is None for each in welfare),
        is_welfare_agreed=row.is_welfare_check_agreed is True,
    )


def _missed(session: Session, ids: Sequence[int]) -> Mapping[int, Sequence[datetime]]:
    rows = session.execute(
        select(PlannedCall.enrolment_id, PlannedCall.closed_at)
        .where(
            among(PlannedCall.enrolment_id, ids),
            PlannedCall.status == CallStatus.MISSED,
            PlannedCall.closed_at.is_not(None),
        )
        .order_by(PlannedCall.enrolment_id, PlannedCall.closed_at)
    )
    found: dict[int, list[datetime]] = defaultdict(list)
    for enrolment_id, closed_at in rows:
        if closed_at is not None:
            found[enrolment_id].append(closed_at)
    return found


def _rests(session: Session, ids: Sequence[int]) -> Mapping[int, Sequence[Rest]]:
    """Return the times in which each enrolment was not active, and is again."""
    events = session.execute(
        select(EnrolmentEvent.enrolment_id, EnrolmentEvent.status, EnrolmentEvent.at)
        .where(among(EnrolmentEvent.enrolment_id, ids))
        .order_by(EnrolmentEvent.enrolment_id, EnrolmentEvent.at, EnrolmentEvent.id)
    ).all()
    found: dict[int, list[Rest]] = defaultdict(list)
    for event, following in pairwise(events):
        is_rest = event.status is not EnrolmentStatus.ACTIVE
        if is_rest and event.enrolment_id == following.enrolment_id:
            found[event.enrolment_id].append(Rest(event.at, following.at))
    return found


def _asked(session: Session, ids: Sequence[int]) -> Mapping[int, Sequence[FollowUp]]:
    found: dict[int, list[FollowUp]] = defaultdict(list)
    asked = select(FollowUp).where(among(FollowUp.enrolment_id, ids)).order_by(FollowUp.id)
    for follow_up in session.scalars(asked.execution_options(populate_existing=True)):
        found[follow_up.enrolment_id].append(follow_up)
    return found
