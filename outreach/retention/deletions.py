"""Requests that a patient's data be deleted: noted by one person, decided by another."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from outreach.accounts.rules import Actor
from outreach.audit import trail
from outreach.errors import NotAllowed, RuleBroken
from outreach.patients import finding
from outreach.patients.models import Anonymised, Patient
from outreach.retention import due, holding
from outreach.retention.models import DeletionRequest
from outreach.retention.rules import AskedBy, Decision, Ground, Obstacle


class AskedAlready(RuleBroken):
    """A request for this patient is open, or granted."""


class NothingAsked(RuleBroken):
    """No request for this patient is open."""


class SamePerson(NotAllowed):
    """Who noted a request does not decide it."""


class CannotGrant(RuleBroken):
    """Something stands in the way; ``obstacles`` says what."""

    def __init__(self, obstacles: frozenset[Obstacle]) -> None:
        super().__init__("This can't be granted now.")
        self.obstacles = obstacles


@dataclass(frozen=True)
class Asked:
    """Who asked, on which day at the clinic, and how we know."""

    by: AskedBy
    on: date
    note: str


@dataclass(frozen=True)
class Decided:
    """What was decided; ``ground`` where it was refused."""

    decision: Decision
    ground: Ground | None
    explanation: str


def note(session: Session, actor: Actor, ref: str, asked: Asked, *, now: datetime) -> None:
    """Note a request for a patient of a clinic that ``actor`` manages. Does not commit.

    Raises:
        AskedAlready: it is open or granted, or the patient is anonymised.
        NotFound, NotAllowed: as :func:`finding.to_manage`.
    """
    patient = finding.to_manage(session, actor, ref)
    holding.lock(session, patient.id)
    if under_way(session, patient.id) or session.get(Anonymised, patient.id):
        raise AskedAlready("This was asked for already.")
    request = DeletionRequest(
        clinic_id=patient.clinic_id,
        patient_id=patient.id,
        asked_by=asked.by,
        asked_on=asked.on,
        note=asked.note.strip(),
        noted_at=now,
        noted_by_id=actor.staff_id,
    )
    session.add(request)
    session.flush()
    _record(session, actor, "noted a deletion request", request, now=now)


def decide(session: Session, actor: Actor, ref: str, decided: Decided, *, now: datetime) -> None:
    """Decide the open request of a patient; what is granted is done by a job. Does not commit.

    Raises:
        CannotGrant: a hold, an open enrolment or a concern stands in the way.
        NothingAsked
        RuleBroken: refused without a ground.
        SamePerson: ``actor`` noted it.
        NotFound, NotAllowed: as :func:`finding.to_manage`.
    """
    patient = finding.to_manage(session, actor, ref)
    holding.lock(session, patient.id)
    request = open_one(session, patient.id)
    if request is None:
        raise NothingAsked("No request is open.")
    is_decision = decided.decision is not Decision.WITHDRAWN
    if is_decision and request.noted_by_id == actor.staff_id:
        raise SamePerson("Somebody else decides what you noted.")
    if (decided.decision is Decision.REFUSED) != (decided.ground is not None):
        raise RuleBroken("A refusal, and only that, names its ground.")
    if decided.decision is Decision.GRANTED:
        _refuse_obstacles(session, patient)
    request.decision, request.ground = decided.decision, decided.ground
    request.explanation = decided.explanation.strip()
    request.decided_at, request.decided_by_id = now, actor.staff_id
    _record(session, actor, f"deletion request {decided.decision.value}", request, now=now)


def open_one(session: Session, patient_id: int) -> DeletionRequest | None:
    """Return the request of a patient that nobody has decided, with who noted it."""
    return session.scalar(
        select(DeletionRequest)
        .options(joinedload(DeletionRequest.noted_by))
        .where(DeletionRequest.patient_id == patient_id, DeletionRequest.decided_at.is_(None))
    )


def under_way(session: Session, patient_id: int) -> DeletionRequest | None:
    """Return the request of a patient that is open, or granted and not done yet."""
    return session.scalar(
        select(DeletionRequest)
        .where(
            DeletionRequest.patient_id == patient_id,
            DeletionRequest.done_at.is_(None),
            DeletionRequest.decision.is_(None) | (DeletionRequest.decision == Decision.GRANTED),
        )
        .limit(1)
    )


def decided(session: Session, patient_id: int) -> list[DeletionRequest]:
    """Return what was decided of a patient's requests, newest first."""
    return list(
        session.scalars(
            select(DeletionRequest)
            .options(joinedload(DeletionRequest.noted_by), joinedload(DeletionRequest.decided_by))
            .where(
                DeletionRequest.patient_id == patient_id,
                DeletionRequest.decided_at.is_not(None),
            )
            .order_by(DeletionRequest.id.desc())
        )
    )


def _refuse_obstacles(session: Session, patient: Patient) -> None:
    # A text under way ends by itself within days; the job waits for it.
    found = due.obstacles(session, patient.id) - {Obstacle.TEXT}
    if found:
        raise CannotGrant(found)


def _record(
    session: Session, actor: Actor, action: str, request: DeletionRequest, *, now: datetime
) -> None:
    trail.record(
        session,
        action,
        actor_id=actor.staff_id,
        now=now,
        clinic_id=request.clinic_id,
        patient_id=request.patient_id,
        about=("deletion_request", request.id),
    )
