"""All that somebody must know before they first call a patient of somebody else.

Opening the page changes nothing; saying "I have read this" does, and only then may they dial
(:func:`outreach.panels.duty.unread_handover`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session, joinedload

from outreach.accounts.models import StaffMember
from outreach.accounts.rules import in_order_of_names
from outreach.audit import trail
from outreach.calls import screen
from outreach.calls.models import Attempt, CallNote, Promise
from outreach.calls.rules import Outcome
from outreach.chart import care
from outreach.chart.care import Course
from outreach.concerns import steps
from outreach.concerns.models import Concern
from outreach.concerns.rules import ConcernStatus, trigger_of
from outreach.errors import NotFound, Stale
from outreach.measures import readings
from outreach.measures.models import Reading
from outreach.measures.rules import REGISTRY, MeasureKind
from outreach.panels import duty
from outreach.panels.models import Cover, PanelMembership
from outreach.panels.rules import ChangeReason
from outreach.patients.models import Patient

LAST_NOTES = 3
_COMPLETING = [outcome for outcome in Outcome if outcome.completes]


class NothingToHandOver(NotFound):
    """The patient is in no programme, or has no caller."""


class HandoverMoved(Stale):
    """Something else is to be taken over by now than what was on the page."""


@dataclass(frozen=True)
class TakenOver:
    """Who calls now, from whom, why, and what they wrote about it.

    ``until_at`` is when the calls come back, None for good; ``before`` is whom to ask.
    """

    caller: StaffMember
    before: StaffMember | None
    reason: ChangeReason | None
    note: str
    since_at: datetime
    until_at: datetime | None


@dataclass(frozen=True)
class Meanwhile:
    """What somebody else did while the caller was away."""

    name: str
    completed: int
    dials: int


@dataclass(frozen=True)
class Note:
    """What was written about one call."""

    text: str
    at: datetime
    name: str


@dataclass(frozen=True)
class Worry:
    """A concern that is not closed, with the words it was raised with."""

    concern: Concern
    words: str


@dataclass(frozen=True)
class Summary:
    """The page. ``unread`` names what the reader has still to read, None where nothing is."""

    patient: Patient
    course: Course | None
    taken_over: TakenOver
    promises: Sequence[Promise]
    notes: Sequence[Note]
    worries: Sequence[Worry]
    readings: Sequence[Reading]
    meanwhile: Sequence[Meanwhile]
    unread: str | None


def summary_of(session: Session, patient: Patient, staff_id: int, *, now: datetime) -> Summary:
    """Return the summary of ``patient`` for ``staff_id``. Changes nothing.

    Raises:
        NothingToHandOver: nobody calls this patient.

    """
    course = care.course_of(session, patient, now=now)
    membership = care.membership_of(session, course.enrolment.id) if course else None
    if course is None or membership is None:
        raise NothingToHandOver("Nobody calls this patient.")
    enrolment_id = course.enrolment.id
    unread = duty.unread_handover(session, enrolment_id, staff_id, now=now)
    return Summary(
        patient=patient,
        course=course,
        taken_over=_taken_over(session, membership, now=now),
        promises=screen.open_promises(session, patient.id),
        notes=_notes(session, patient.id),
        worries=_worries(session, patient.id),
        readings=_out_of_range(session, patient.id),
        meanwhile=meanwhile(session, membership, staff_id, now=now),
        unread=_token(unread) if unread else None,
    )


def mark_read(
    session: Session, patient: Patient, staff_id: int, seen: str, *, now: datetime
) -> None:
    """Note that ``staff_id`` read the summary they had before them. Does not commit.

    Nothing happens where there was nothing left to read.

    Raises:
        HandoverMoved: there is another one to read by now.

    """
    course = care.course_of(session, patient, now=now)
    unread = (
        duty.unread_handover(session, course.enrolment.id, staff_id, now=now) if course else None
    )
    if unread is None:
        return
    if _token(unread) != seen:
        raise HandoverMoved("Somebody changed who calls this patient. Read it once more.")
    unread.opened_at = now
    session.flush()
    trail.record(
        session,
        "read hand-over",
        actor_id=staff_id,
        now=now,
        clinic_id=unread.clinic_id,
        patient_id=unread.patient_id,
        about=(unread.__tablename__, unread.id),
    )


def meanwhile(
    session: Session, membership: PanelMembership, staff_id: int, *, now: datetime
) -> Sequence[Meanwhile]:
    """Return who else called since the caller last did, once they are on duty again."""
    is_back = staff_id == membership.caller_id and (
        duty.on_duty(session, membership.enrolment_id, now=now) == staff_id
    )
    if not is_back:
        return ()
    own_last = (
        select(func.max(Attempt.at))
        .where(
            Attempt.enrolment_id == membership.enrolment_id,
            Attempt.caller_id == staff_id,
            Attempt.superseded_at.is_(None),
        )
        .scalar_subquery()
    )
    rows = session.execute(
        select(
            StaffMember.id,
            StaffMember.name,
            func.sum(case((Attempt.outcome.in_(_COMPLETING), 1), else_=0)).label("completed"),
            func.count(Attempt.id).label("dials"),
        )
        .join(StaffMember, StaffMember.id == Attempt.caller_id)
        .where(
            Attempt.enrolment_id == membership.enrolment_id,
            Attempt.caller_id != staff_id,
            Attempt.superseded_at.is_(None),
            Attempt.at >= membership.from_at,
            Attempt.at > func.coalesce(own_last, membership.from_at),
        )
        .group_by(StaffMember.id, StaffMember.name)
    )
    by_name = sorted(rows, key=lambda row: in_order_of_names(row.name, row.id))
    return [Meanwhile(row.name, int(row.completed), row.dials) for row in by_name]


def _taken_over(session: Session, membership: PanelMembership, *, now: datetime) -> TakenOver:
    cover = duty.current_cover(session, membership.enrolment_id, now=now)
    if cover is not None:
        return TakenOver(
            cover.stand_in, membership.caller, None, cover.note, cover.from_at, cover.until_at
        )
    earlier = session.scalar(
        select(PanelMembership)
        .options(joinedload(PanelMembership.caller))
        .where(
            PanelMembership.enrolment_id == membership.enrolment_id,
            PanelMembership.until_at.is_not(None),
        )
        .order_by(PanelMembership.until_at.desc(), PanelMembership.id.desc())
        .limit(1)
    )
    return TakenOver(
        membership.caller,
        earlier.caller if earlier else None,
        membership.reason,
        membership.note,
        membership.from_at,
        None,
    )


def _notes(session: Session, patient_id: int) -> list[Note]:
    rows = session.execute(
        select(CallNote.text, CallNote.at, StaffMember.name)
        .join(StaffMember, StaffMember.id == CallNote.by_staff_id)
        .where(CallNote.patient_id == patient_id, CallNote.superseded_at.is_(None))
        .order_by(CallNote.at.desc(), CallNote.id.desc())
        .limit(LAST_NOTES)
    )
    return [Note(text, at, name) for text, at, name in rows]


def _worries(session: Session, patient_id: int) -> list[Worry]:
    found = session.scalars(
        select(Concern)
        .where(Concern.patient_id == patient_id, Concern.status != ConcernStatus.CLOSED)
        .order_by(Concern.raised_at.desc(), Concern.id.desc())
    ).all()
    words = steps.first_words(session, found)
    return [Worry(concern, words.get(concern.id, "")) for concern in found]


def _out_of_range(session: Session, patient_id: int) -> list[Reading]:
    """Return the latest reading of each kind that is unusual or that a nurse would look at."""
    return [
        reading
        for reading in readings.latest(session, patient_id, list(MeasureKind))
        if not REGISTRY[reading.kind].soft.holds(reading.value)
        or trigger_of(reading.kind, reading.value, taken_at=reading.taken_at, now=reading.taken_at)
    ]


def _token(unread: PanelMembership | Cover) -> str:
    return f"{unread.__tablename__}-{unread.id}"
