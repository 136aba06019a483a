"""Flags about a risk: set by a nurse, looked at again by a day, never silently dropped."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload

from outreach import absent
from outreach.accounts.rules import Scope
from outreach.accounts.scoping import visible
from outreach.built_once import built_once
from outreach.concerns.models import RiskFlag, RiskReview
from outreach.concerns.rules import LONGEST_UNTIL_REVIEW, RiskKind
from outreach.errors import NotFound, RuleBroken, Stale
from outreach.patients.models import Patient
from outreach.sent_again import said_before


class NoSuchFlag(NotFound):
    """No flag in the actor's scope has that number."""


class AlreadyEnded(Stale):
    """Somebody ended this flag first."""


class BadReviewDay(RuleBroken):
    """A flag is looked at again within LONGEST_UNTIL_REVIEW, and not in the past."""


@dataclass(frozen=True)
class NewFlag:
    """What is needed to set a flag."""

    kind: RiskKind
    words: str
    review_on: date


def add(
    session: Session,
    patient: Patient,
    new: NewFlag,
    *,
    by_staff_id: int,
    today: date,
    now: datetime,
) -> RiskFlag:
    """Set a flag, one if sent twice. Does not commit. Raises BadReviewDay."""
    _refuse_bad_day(new.review_on, today)
    flag = RiskFlag(
        clinic_id=patient.clinic_id,
        patient_id=patient.id,
        kind=new.kind,
        words=new.words,
        raised_at=now,
        by_staff_id=by_staff_id,
        review_on=new.review_on,
    )
    known = said_before(session, flag, at="raised_at")
    if known is not None and known.ended_at is None:
        return known
    session.add(flag)
    session.flush()
    return flag


def review(
    session: Session,
    flag: RiskFlag,
    note: str,
    review_on: date | None,
    *,
    by_staff_id: int,
    today: date,
    now: datetime,
) -> None:
    """Keep a flag until another day, or end it where ``review_on`` is None. Does not commit.

    Raises:
        AlreadyEnded: somebody did first.
        BadReviewDay: the day is past or too far ahead.
    """
    session.refresh(flag, with_for_update=True, attribute_names=["ended_at", "review_on"])
    look = RiskReview(
        flag_id=flag.id, at=now, by_staff_id=by_staff_id, note=note, review_on=review_on
    )
    if said_before(session, look) is not None:
        return  # sent twice
    if flag.ended_at is not None:
        raise AlreadyEnded("Somebody ended this flag already.")
    if review_on is None:
        flag.ended_at = now
    else:
        _refuse_bad_day(review_on, today)
        flag.review_on = review_on
    session.add(look)
    session.flush()


def of_patient(session: Session, patient_id: int) -> Sequence[RiskFlag]:
    """Return the flags of a patient that nobody ended, overdue ones among them."""
    if absent.is_known(session, RiskFlag.patient_id, patient_id):
        return ()
    return session.scalars(*_of_patient(patient_id)).all()


@built_once
def _of_patient(patient_id: Any) -> Select[RiskFlag]:
    return (
        select(RiskFlag)
        .where(RiskFlag.patient_id == patient_id, RiskFlag.ended_at.is_(None))
        .order_by(RiskFlag.review_on, RiskFlag.id)
    )


def reviews_of(session: Session, patient_id: int) -> Sequence[RiskReview]:
    """Return every look at a patient's flags, newest first, with who looked."""
    return session.scalars(
        select(RiskReview)
        .join(RiskFlag, RiskFlag.id == RiskReview.flag_id)
        .options(joinedload(RiskReview.by))
        .where(RiskFlag.patient_id == patient_id)
        .order_by(RiskReview.id.desc())
    ).all()


def due(session: Session, scope: Scope, *, today: date) -> Sequence[RiskFlag]:
    """Return flags in scope whose day of review has come, the oldest first."""
    return session.scalars(
        select(RiskFlag)
        .options(joinedload(RiskFlag.patient).joinedload(Patient.clinic))
        .where(
            visible(scope, RiskFlag.clinic_id, RiskFlag.patient_id),
            RiskFlag.ended_at.is_(None),
            RiskFlag.review_on <= today,
        )
        .order_by(RiskFlag.review_on, RiskFlag.id)
    ).all()


def by_id(session: Session, scope: Scope, flag_id: int) -> RiskFlag:
    """Return one flag with its patient, or raise NoSuchFlag."""
    flag = session.scalar(
        select(RiskFlag)
        .options(joinedload(RiskFlag.patient).joinedload(Patient.clinic))
        .where(RiskFlag.id == flag_id, visible(scope, RiskFlag.clinic_id, RiskFlag.patient_id))
    )
    if flag is None:
        raise NoSuchFlag("There is no such flag.")
    return flag


def _refuse_bad_day(review_on: date, today: date) -> None:
    if not today <= review_on <= today + LONGEST_UNTIL_REVIEW:
        raise BadReviewDay("Choose a day within the next three months.")
