"""Patients entering, pausing and leaving a programme.

Whoever changes a status or a version makes the plan fit afterwards: ``next_call.replan``.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    SQLColumnExpression,
    and_,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.orm import Session

from outreach import bulk
from outreach.among import among
from outreach.built_once import built_once
from outreach.errors import RuleBroken
from outreach.orm import rows_of
from outreach.patients import registry
from outreach.patients.models import Patient
from outreach.programmes import protocol
from outreach.programmes.models import Enrolment, EnrolmentBefore, EnrolmentEvent
from outreach.programmes.rules import OPEN_STATUSES, EnrolmentStatus

LONGEST_REASON = 200  # characters; what a status keeps of somebody's words


class AlreadyEnrolled(RuleBroken):
    """A patient is in one programme at a time."""


class NotPausable(RuleBroken):
    """Only calls that go on can rest for a while."""


def current(session: Session, patient_id: int) -> Enrolment | None:
    """Return the enrolment that is open, else the latest one, else None."""
    return session.scalar(
        select(Enrolment)
        .where(Enrolment.patient_id == patient_id)
        .order_by(Enrolment.status.in_(OPEN_STATUSES).desc(), Enrolment.id.desc())
        .limit(1)
    )


def active_among(session: Session, patient_ids: Sequence[int]) -> set[int]:
    """Return which of these patients have an active enrolment."""
    return {row.patient_id for row in rows_of(session, *_active(patient_ids))}


@built_once
def _active(patient_ids: Any) -> Select[int]:
    return select(Enrolment.patient_id).where(
        among(Enrolment.patient_id, patient_ids), Enrolment.status == EnrolmentStatus.ACTIVE
    )


def has_died_since(session: Session, patient_id: int, *, at: datetime) -> bool:
    """Say whether a patient has died, and we learned of it after ``at``."""
    newest = current(session, patient_id)
    if newest is None or newest.status is not EnrolmentStatus.DIED:
        return False
    return newest.status_at > at


def enrol(
    session: Session,
    patient: Patient,
    *,
    starts_on: date,
    now: datetime,
    programme: str = protocol.PUBLISHED,
    by_staff_id: int | None = None,
) -> Enrolment:
    """Enrol a patient from ``starts_on``, their local day, in a programme's newest version.

    Does not commit.

    Raises:
        AlreadyEnrolled: an enrolment of theirs is open.
        IsAnonymised: there is nobody left to enrol.
        NoSuchProgramme: there is no ``programme`` with this code.
    """
    # Two at once wait here for each other, so that the second one sees the first.
    own = select(Patient.id).where(Patient.id == patient.id)
    session.execute(own.with_for_update(key_share=True))
    registry.refuse_anonymised(session, patient.id)
    open_one = current(session, patient.id)
    if open_one is not None and open_one.status in OPEN_STATUSES:
        raise AlreadyEnrolled("This patient is already enrolled.")
    enrolment = Enrolment(
        clinic_id=patient.clinic_id,
        patient_id=patient.id,
        version_id=protocol.newest_version(session, now=now, code=programme).id,
        starts_on=starts_on,
        status=EnrolmentStatus.ACTIVE,
        status_at=now,
        status_reason="",
        enrolled_at=now,
    )
    session.add(enrolment)
    session.flush()
    _note(enrolment, "", by_staff_id=by_staff_id, now=now)
    session.flush()
    return enrolment


def pause(
    session: Session,
    enrolment: Enrolment,
    *,
    until: date | None,
    reason: str,
    by_staff_id: int | None,
    now: datetime,
) -> None:
    """Let the calls rest, or give a pause another end. Does not commit.

    Args:
        session: the open session.
        enrolment: an active or paused one.
        until: the patient's local day from which calls go on by themselves; None: until
            somebody resumes them.
        reason: a few words; see :class:`PauseReason` for the usual ones.
        by_staff_id: who noted it, None for the system.
        now: aware instant.

    Raises:
        NotPausable: the enrolment is neither active nor paused.
    """
    session.refresh(enrolment, with_for_update=True)
    if enrolment.status not in (EnrolmentStatus.ACTIVE, EnrolmentStatus.PAUSED):
        raise NotPausable("Only calls that go on can be paused.")
    change_status(
        enrolment,
        EnrolmentStatus.PAUSED,
        reason=reason,
        now=now,
        by_staff_id=by_staff_id,
        resume_on=until,
    )


def announce_pause(
    session: Session,
    enrolment: Enrolment,
    days: tuple[date, date],
    *,
    reason: str,
    by_staff_id: int | None,
    now: datetime,
) -> None:
    """Let the calls rest on days to come; calls before them stay. Does not commit.

    ``days``: first day of the pause, and the first day after it, on the patient's calendar.
    Another pause that was to come gives way.

    Raises:
        NotPausable: the enrolment is not active.
    """
    session.refresh(enrolment, with_for_update=True)
    if enrolment.status is not EnrolmentStatus.ACTIVE:
        raise NotPausable("Only calls that go on can be paused.")
    enrolment.away_from_on, enrolment.away_until_on = days
    enrolment.away_reason = reason
    words = f"pause from {days[0].isoformat()}: {reason}"
    _note(enrolment, words[:LONGEST_REASON], resume_on=days[1], by_staff_id=by_staff_id, now=now)


def forget_coming_pause(enrolment: Enrolment) -> None:
    """Let a pause that was to come be none. Does not commit."""
    enrolment.away_from_on = enrolment.away_until_on = None
    enrolment.away_reason = ""


def change_status(
    enrolment: Enrolment,
    status: EnrolmentStatus,
    *,
    reason: str,
    now: datetime,
    by_staff_id: int | None = None,
    resume_on: date | None = None,
) -> None:
    """Move an enrolment to ``status``, and note it in its history. Does not commit.

    Args:
        enrolment: of an open session, locked where somebody else may decide meanwhile.
        status: the new one.
        reason: a few words.
        now: aware instant.
        by_staff_id: who decided, None for the system.
        resume_on: only with PAUSED: the day on which the pause ends by itself.
    """
    enrolment.status, enrolment.status_reason, enrolment.status_at = status, reason, now
    enrolment.resume_on = resume_on if status is EnrolmentStatus.PAUSED else None
    forget_coming_pause(enrolment)
    _note(enrolment, reason, resume_on=enrolment.resume_on, by_staff_id=by_staff_id, now=now)


def move_first_day(session: Session, enrolment: Enrolment, day: date, *, now: datetime) -> None:
    """Let week 1 begin on ``day``, and keep when it began before. Does not commit."""
    session.add(
        EnrolmentBefore(
            clinic_id=enrolment.clinic_id,
            patient_id=enrolment.patient_id,
            enrolment_id=enrolment.id,
            starts_on=enrolment.starts_on,
            until_at=now,
        )
    )
    enrolment.starts_on = day


def move_first_days(
    session: Session,
    which: ColumnElement[bool],
    first_day: SQLColumnExpression[date | None],
    *,
    now: datetime,
) -> None:
    """Do as :func:`move_first_day` for all enrolments of which ``which`` holds, in two statements.

    Objects in ``session`` don't follow. Does not commit.
    """
    is_moved = and_(which, first_day.is_not(None), Enrolment.starts_on != first_day)
    columns = (Enrolment.clinic_id, Enrolment.patient_id, Enrolment.id, Enrolment.starts_on)
    until_at = literal(now, EnrolmentBefore.until_at.type)
    session.execute(
        insert(EnrolmentBefore).from_select(
            ["clinic_id", "patient_id", "enrolment_id", "starts_on", "until_at"],
            select(*columns, until_at).where(is_moved).order_by(Enrolment.id),
        )
    )
    session.execute(
        update(Enrolment)
        .where(is_moved)
        .values(starts_on=first_day)
        .execution_options(synchronize_session=False)
    )


def begin_histories(
    session: Session, patient_ids: Sequence[int], *, by_staff_id: int | None
) -> None:
    """Note the enrolment of newcomers who were written in bulk. Does not commit."""
    rows = session.execute(
        select(
            Enrolment.clinic_id,
            Enrolment.patient_id,
            Enrolment.id.label("enrolment_id"),
            Enrolment.status,
            Enrolment.version_id,
            Enrolment.status_reason.label("reason"),
            Enrolment.enrolled_at.label("at"),
        )
        .where(Enrolment.patient_id.in_(patient_ids))
        .order_by(Enrolment.id)
    ).mappings()
    # Not copied by the database: a reason is encrypted for its own table.
    events = [{**row, "by_staff_id": by_staff_id} for row in rows]
    bulk.write_new(session.connection(), EnrolmentEvent, events)


def _note(
    enrolment: Enrolment,
    reason: str,
    *,
    by_staff_id: int | None,
    now: datetime,
    resume_on: date | None = None,
) -> None:
    enrolment.events.add(
        EnrolmentEvent(
            clinic_id=enrolment.clinic_id,
            patient_id=enrolment.patient_id,
            status=enrolment.status,
            version_id=enrolment.version_id,
            reason=reason,
            resume_on=resume_on,
            at=now,
            by_staff_id=by_staff_id,
        )
    )
