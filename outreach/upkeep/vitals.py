"""Whether an installation is well: what a monitor asks every few seconds. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from outreach.audit import chain
from outreach.concerns.models import Concern
from outreach.concerns.rules import ConcernStatus, Urgency
from outreach.messaging import holding
from outreach.messaging.models import Message
from outreach.messaging.rules import MessageStatus
from outreach.planning.models import Beat, PlannedCall
from outreach.upkeep import job_ends
from outreach.upkeep.models import JobEnd, LastBackup


@dataclass(frozen=True)
class Waiting:
    """How many of something wait, and since when the longest of them does."""

    count: int
    since: datetime | None

    def seconds(self, now: datetime) -> float:
        """Return how long the longest has waited; 0 where nothing waits."""
        return max(0.0, (now - self.since).total_seconds()) if self.since else 0.0


@dataclass(frozen=True)
class Vitals:
    """The figures of all clinics together; none of them tells of a person.

    ``planner_seen_at`` is when a scheduler last planned, None before the first one did, and
    ``leader`` the machine on which; ``outbox_held_since`` since when texts wait after a restore,
    None where they do not; ``backed_up_at`` when the newest backup was made, None before one was;
    ``jobs`` how it went with each job of the scheduler; ``plan_complete_at`` when the planner last
    left nobody without the call they should have, None until it looked, and ``lacking`` how many it
    left so when it last ran; ``is_trail_whole`` whether the audit trail is as it was kept, None
    until somebody looked.
    """

    calls_to_make: Waiting
    calls_overdue: Waiting
    texts_due: Waiting
    texts_unknown: Waiting
    concerns: dict[Urgency, Waiting]
    planner_seen_at: datetime | None
    leader: str | None = None
    outbox_held_since: datetime | None = None
    backed_up_at: datetime | None = None
    jobs: Sequence[JobEnd] = ()
    plan_complete_at: datetime | None = None
    lacking: int = 0
    is_trail_whole: bool | None = None


def read(session: Session, *, now: datetime) -> Vitals:
    """Return the figures at ``now``, in nine statements."""
    hold = holding.current(session)
    beat = session.scalars(select(Beat)).first()
    opens, ends = PlannedCall.dial_from_at, PlannedCall.dial_until_at
    is_open = PlannedCall.is_open
    to_make, since, overdue, overdue_since = session.execute(
        select(
            func.count().filter(ends > now),
            func.min(opens).filter(ends > now),
            func.count().filter(ends <= now),
            func.min(ends).filter(ends <= now),
        ).where(is_open, opens <= now)
    ).one()
    return Vitals(
        Waiting(to_make, since),
        Waiting(overdue, overdue_since),
        _texts(session, MessageStatus.SCHEDULED, now=now),
        _texts(session, MessageStatus.UNKNOWN, now=now),
        _concerns(session),
        beat.at if beat else None,
        beat.host if beat else None,
        hold.began_at if hold else None,
        session.scalar(select(func.max(LastBackup.at))),
        jobs=job_ends.every(session),
        plan_complete_at=beat.complete_at if beat else None,
        lacking=(beat.lacking or 0) if beat else 0,
        is_trail_whole=chain.was_whole(session),
    )


def _texts(session: Session, status: MessageStatus, *, now: datetime) -> Waiting:
    row = session.execute(
        select(func.count(), func.min(Message.send_after)).where(
            Message.status == status, Message.send_after <= now
        )
    ).one()
    return Waiting(*row)


def _concerns(session: Session) -> dict[Urgency, Waiting]:
    waits_since = func.coalesce(Concern.reopened_at, Concern.raised_at)
    rows = session.execute(
        select(Concern.urgency, func.count(), func.min(waits_since))
        .where(Concern.status == ConcernStatus.OPEN)
        .group_by(Concern.urgency)
    ).all()
    found = {urgency: Waiting(count, since) for urgency, count, since in rows}
    return {urgency: found.get(urgency, Waiting(0, None)) for urgency in Urgency}
