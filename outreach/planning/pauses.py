"""Pauses that begin or end on a day: calls rest and go on by themselves."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from outreach.clock import local_day
from outreach.patients.models import Patient
from outreach.planning import next_call
from outreach.programmes import enrolment as enrolments
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus

EARLIEST_ZONE = timedelta(hours=14)  # UTC+14, where every day begins first


def over_ids(session: Session, *, now: datetime) -> Sequence[int]:
    """Return enrolments whose pause ends today where the patient is, or ended before."""
    return _due(session, EnrolmentStatus.PAUSED, Enrolment.resume_on, now=now)


def begun_ids(session: Session, *, now: datetime) -> Sequence[int]:
    """Return enrolments whose coming pause begins today where the patient is, or began before."""
    return _due(session, EnrolmentStatus.ACTIVE, Enrolment.away_from_on, now=now)


def _due(
    session: Session,
    status: EnrolmentStatus,
    day: InstrumentedAttribute[date | None],
    *,
    now: datetime,
) -> Sequence[int]:
    """Return enrolments of ``status`` whose ``day`` has come on the patient's own calendar."""
    rows = session.execute(
        select(Enrolment.id, day, Patient.zone)
        .join(Patient, Patient.id == Enrolment.patient_id)
        .where(Enrolment.status == status, day <= (now + EARLIEST_ZONE).date())
        .order_by(day, Enrolment.id)
    )
    return [
        enrolment_id
        for enrolment_id, on, zone in rows
        if on is not None and on <= local_day(now, ZoneInfo(zone))
    ]


def begin(session: Session, enrolment_id: int, *, now: datetime) -> bool:
    """Begin a pause whose day has come; say whether it was. Does not commit.

    One that is over already, because nothing ran meanwhile, is only put away.
    """
    enrolment, _call = next_call.lock(session, enrolment_id)
    from_on, until_on, reason = (
        enrolment.away_from_on,
        enrolment.away_until_on,
        enrolment.away_reason,
    )
    zone = session.scalar(select(Patient.zone).where(Patient.id == enrolment.patient_id))
    if enrolment.status is not EnrolmentStatus.ACTIVE or from_on is None or zone is None:
        return False
    today = local_day(now, ZoneInfo(zone))
    if from_on > today:
        return False
    if until_on is not None and until_on <= today:
        enrolments.forget_coming_pause(enrolment)
        return False
    enrolments.change_status(
        enrolment, EnrolmentStatus.PAUSED, reason=reason, now=now, resume_on=until_on
    )
    session.flush()
    next_call.replan(session, enrolment_id, now=now)
    return True


def end(session: Session, enrolment_id: int, *, now: datetime) -> bool:
    """End a pause that is over and plan the next call; say whether it was. Does not commit.

    Somebody may have ended or prolonged it meanwhile: the row is looked at again, locked.
    """
    enrolment, _call = next_call.lock(session, enrolment_id)
    if enrolment.status is not EnrolmentStatus.PAUSED or enrolment.resume_on is None:
        return False
    zone = session.scalar(select(Patient.zone).where(Patient.id == enrolment.patient_id))
    if zone is None or enrolment.resume_on > local_day(now, ZoneInfo(zone)):
        return False
    enrolments.change_status(enrolment, EnrolmentStatus.ACTIVE, reason="the pause is over", now=now)
    session.flush()
    next_call.replan(session, enrolment_id, now=now)
    return True
