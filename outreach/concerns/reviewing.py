"""A second person looks at how an urgent concern was closed, and may open it again."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from outreach.accounts.rules import Scope
from outreach.accounts.scoping import visible
from outreach.concerns import alerting
from outreach.concerns.models import Concern, ConcernStep
from outreach.concerns.raising import NoteMissing
from outreach.concerns.rules import ConcernStatus, StepKind, Urgency
from outreach.errors import NotAllowed, Stale
from outreach.patients.models import Patient


class SamePerson(NotAllowed):
    """Whoever closed a concern is not the one who reviews it."""


class NotClosed(Stale):
    """It is open: somebody opened it again, or it never was closed."""


class AlreadyReviewed(Stale):
    """A second person looked at it before."""


def pending(session: Session, scope: Scope) -> Sequence[Concern]:
    """Return urgent concerns in scope that one person closed and no other looked at yet."""
    return session.scalars(
        select(Concern)
        .options(
            joinedload(Concern.patient).joinedload(Patient.clinic), joinedload(Concern.closed_by)
        )
        .where(
            visible(scope, Concern.clinic_id, Concern.patient_id),
            Concern.status == ConcernStatus.CLOSED,
            Concern.urgency == Urgency.NOW,
            Concern.reviewed_at.is_(None),
        )
        .order_by(Concern.closed_at, Concern.id)
    ).all()


def review(
    session: Session, concern: Concern, text: str, *, by_staff_id: int, now: datetime
) -> None:
    """Agree with how a concern was closed. Does not commit.

    Raises:
        NotClosed: it is open.
        AlreadyReviewed: somebody did before.
        SamePerson: ``by_staff_id`` closed it.
    """
    _refuse_open(session, concern)
    if concern.reviewed_at is not None:
        raise AlreadyReviewed("Somebody reviewed this before.")
    if concern.closed_by_id == by_staff_id:
        raise SamePerson("You closed this: somebody else reviews it.")
    concern.reviewed_at, concern.reviewed_by_id = now, by_staff_id
    _step(session, concern, StepKind.REVIEWED, text, by_staff_id=by_staff_id, now=now)


def reopen(
    session: Session, concern: Concern, reason: str, *, by_staff_id: int, now: datetime
) -> None:
    """Open a closed concern again, with a reason, and tell who is on call. Does not commit.

    Raises:
        NotClosed: it is open.
        NoteMissing: no reason was given.
    """
    _refuse_open(session, concern)
    if not reason.strip():
        raise NoteMissing("Write why it is opened again.")
    concern.status, concern.reopened_at = ConcernStatus.OPEN, now
    concern.times_reopened += 1
    concern.acknowledged_at = concern.closed_at = concern.reviewed_at = None
    concern.acknowledged_by_id = concern.closed_by_id = concern.reviewed_by_id = None
    _step(session, concern, StepKind.REOPENED, reason, by_staff_id=by_staff_id, now=now)
    alerting.alert(session, concern, now=now)


def _refuse_open(session: Session, concern: Concern) -> None:
    """Raise NotClosed by what is stored now; two people at once wait for each other."""
    session.refresh(
        concern,
        with_for_update=True,
        attribute_names=["status", "closed_by_id", "reviewed_at", "times_reopened"],
    )
    if concern.status is not ConcernStatus.CLOSED:
        raise NotClosed("This concern is open.")


def _step(
    session: Session,
    concern: Concern,
    kind: StepKind,
    text: str,
    *,
    by_staff_id: int,
    now: datetime,
) -> None:
    session.add(
        ConcernStep(
            concern_id=concern.id, kind=kind, note=text.strip(), by_staff_id=by_staff_id, at=now
        )
    )
    session.flush()
