"""After how many years a clinic anonymises, and what its page tells."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from outreach.accounts.rules import Actor
from outreach.audit import trail
from outreach.errors import NotAllowed, RuleBroken
from outreach.patients import finding
from outreach.patients.models import Anonymised, Patient
from outreach.retention import due
from outreach.retention.models import DeletionRequest, LegalHold, RetentionSetting
from outreach.retention.rules import FEWEST_YEARS, MOST_YEARS, WARNED_BEFORE, Obstacle

MOST_SHOWN = 200


@dataclass(frozen=True)
class Overview:
    """What is kept how long at one clinic. Every count is of ``patients``.

    ``due_soon``: who becomes due within WARNED_BEFORE, if nothing happens; ``soon`` names them.
    """

    years: int | None
    patients: int
    anonymised: int
    due: int
    due_soon: int
    soon: Sequence[Patient]
    waiting: dict[Obstacle, int]
    holds: Sequence[LegalHold]
    open_requests: Sequence[DeletionRequest]
    decided: Sequence[DeletionRequest]


def change(
    session: Session, actor: Actor, clinic_id: int, years: int | None, *, now: datetime
) -> None:
    """Let a clinic anonymise after ``years``, or never (None). Does not commit.

    Raises:
        NotAllowed: ``actor`` does not manage the clinic.
        RuleBroken: fewer years than the law keeps records for, or more than MOST_YEARS.
    """
    if not finding.may_manage(actor, clinic_id):
        raise NotAllowed("Only managers of this clinic change this.")
    if years is not None and not FEWEST_YEARS <= years <= MOST_YEARS:
        raise RuleBroken("Records are kept six years at least.")
    setting = session.get(RetentionSetting, clinic_id, with_for_update=True)
    if setting is None:
        setting = RetentionSetting(clinic_id=clinic_id)
        session.add(setting)
    setting.years, setting.changed_at, setting.by_staff_id = years, now, actor.staff_id
    trail.record(
        session,
        "changed years of keeping",
        actor_id=actor.staff_id,
        now=now,
        clinic_id=clinic_id,
        about=("retention_setting", years),
    )


def years(session: Session, clinic_id: int) -> int | None:
    """Return after how many years a clinic anonymises; None: never."""
    setting = session.get(RetentionSetting, clinic_id)
    return setting.years if setting else None


def warned_of(session: Session, clinic_id: int, *, now: datetime) -> int:
    """Return how many of a clinic become due within WARNED_BEFORE, if nothing happens."""
    if years(session, clinic_id) is None:
        return 0
    is_due = due.count(session, clinic_id, now=now)
    return due.count(session, clinic_id, now=now + WARNED_BEFORE) - is_due


def overview(
    session: Session, clinic_id: int, *, now: datetime, most: int | None = MOST_SHOWN
) -> Overview:
    """Return what a clinic's page shows: of holds and requests the newest; ``most`` None: all."""
    patients = select(func.count(Patient.id)).where(Patient.clinic_id == clinic_id)
    gone = select(func.count(Anonymised.patient_id)).where(Anonymised.clinic_id == clinic_id)
    holds = (
        select(LegalHold)
        .join(LegalHold.patient)
        .options(contains_eager(LegalHold.patient), joinedload(LegalHold.placed_by))
        .where(LegalHold.clinic_id == clinic_id, LegalHold.lifted_at.is_(None))
        .order_by(LegalHold.placed_at.desc(), LegalHold.id.desc())
        .limit(most)
    )
    requests = (
        select(DeletionRequest)
        .join(DeletionRequest.patient)
        .options(
            contains_eager(DeletionRequest.patient),
            joinedload(DeletionRequest.noted_by),
            joinedload(DeletionRequest.decided_by),
        )
        .where(DeletionRequest.clinic_id == clinic_id)
        .order_by(DeletionRequest.noted_at.desc(), DeletionRequest.id.desc())
        .limit(most)
    )
    is_open = DeletionRequest.decided_at.is_(None)
    is_due = due.count(session, clinic_id, now=now)
    return Overview(
        years(session, clinic_id),
        session.scalar(patients) or 0,
        session.scalar(gone) or 0,
        is_due,
        due.count(session, clinic_id, now=now + WARNED_BEFORE) - is_due,
        due.soon(session, clinic_id, now=now, within=WARNED_BEFORE, most=most),
        due.waiting(session, clinic_id, now=now),
        session.scalars(holds).all(),
        session.scalars(requests.where(is_open)).all(),
        session.scalars(requests.where(~is_open)).all(),
    )
