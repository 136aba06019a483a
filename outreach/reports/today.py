"""What needs a manager today, at one clinic. Each question is one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from outreach.accounts.models import Clinic, EmergencyAccess, StaffMember
from outreach.concerns import readiness
from outreach.concerns.models import Concern
from outreach.concerns.rules import ConcernStatus, Span
from outreach.intake.models import ImportRun
from outreach.messaging import holding
from outreach.messaging.models import Message
from outreach.messaging.rules import LETTERS, MessageStatus
from outreach.panels import duty
from outreach.panels.models import PanelMembership
from outreach.patients.models import Patient, PhoneNumber
from outreach.patients.rules import NumberHealth, name_key
from outreach.planning import interruption
from outreach.planning.models import FollowUp, Interruption, PlannedCall
from outreach.planning.rules import FollowUpKind
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus
from outreach.reports import today_calls
from outreach.reports.asked import Here
from outreach.reports.today_calls import CallerDay
from outreach.seeing import every_clinic

TEXTS_LOOKED_BACK = timedelta(days=7)
IMPORTS_LOOKED_BACK = timedelta(days=7)
EMERGENCIES_LOOKED_BACK = timedelta(days=7)
COVER_LOOKED_AHEAD = timedelta(days=7)
NAMED = 8  # The rest are one click away.
MOST_NAMED = 1000
TROUBLED = (
    MessageStatus.FAILED,
    MessageStatus.UNDELIVERED,
    MessageStatus.UNKNOWN,
    MessageStatus.LOST,
)


@dataclass(frozen=True)
class NamedPatient:
    """A patient to look at, with their caller."""

    ref: str
    name: str
    caller: str | None
    dials: int = 0


@dataclass(frozen=True)
class Some:
    """So many patients, the first of them by name."""

    count: int
    named: tuple[NamedPatient, ...]


@dataclass(frozen=True)
class Concerns:
    """Concerns that nobody has taken on yet, and those that are being worked.

    With when the oldest of each was raised.
    """

    waiting: int
    oldest_at: datetime | None
    taken_on: int
    oldest_taken_on_at: datetime | None


@dataclass(frozen=True)
class Net:
    """Whether a call may start now, and when in the coming days none could."""

    is_enough: bool
    gaps: Sequence[Span]


@dataclass(frozen=True)
class FailedImport:
    """A file of which ``refused`` rows or resources were not taken in."""

    run_id: int
    at: datetime
    refused: int


@dataclass(frozen=True)
class Today:
    """Everything on the page."""

    net: Net
    callers: Sequence[CallerDay]
    closing: Some
    waiting: int
    uncovered: Some
    concerns: Concerns
    texts: int
    letters: int
    numberless: Some
    to_check: int
    to_welfare: int
    imports: Sequence[FailedImport]
    interruptions: Sequence[Interruption]
    texts_held_since: datetime | None
    emergencies: int

    @property
    def needs_nothing(self) -> bool:
        """Whether nobody and nothing waits for a manager."""
        return not (
            not self.net.is_enough
            or self.net.gaps
            or self.closing.count
            or self.waiting
            or self.uncovered.count
            or self.concerns.waiting
            or self.concerns.taken_on
            or self.texts
            or self.letters
            or self.texts_held_since
            or self.emergencies
            or self.numberless.count
            or self.to_check
            or self.to_welfare
            or self.imports
        )


def at(session: Session, here: Here, *, named: int = NAMED) -> Today:
    """Return what a manager is needed for at one clinic today; ``named``: how many by name."""
    to_follow = _to_follow(session, here)
    texts, letters = _texts(session, here)
    return Today(
        net=_net(session, here),
        callers=today_calls.by_caller(session, here),
        closing=_closing(session, here, named),
        waiting=_waiting(session, here),
        uncovered=_uncovered(session, here, named),
        concerns=_concerns(session, here),
        texts=texts,
        letters=letters,
        numberless=_numberless(session, here, named),
        to_check=to_follow.get(FollowUpKind.CONTACT_CHECK, 0),
        to_welfare=to_follow.get(FollowUpKind.WELFARE_CHECK, 0),
        imports=_imports(session, here),
        interruptions=interruption.recent(session, now=here.now),
        texts_held_since=hold.since if (hold := holding.current(session)) else None,
        emergencies=_emergencies(session, here),
    )


def _emergencies(session: Session, here: Here) -> int:
    """Count how often administrators opened somebody with a reason, lately."""
    opened = select(func.count(EmergencyAccess.id)).where(
        here.within(EmergencyAccess.clinic_id),
        EmergencyAccess.from_at > here.now - EMERGENCIES_LOOKED_BACK,
    )
    return session.scalar(opened) or 0


def _net(session: Session, here: Here) -> Net:
    """Return whether somebody stands behind the calls of now and of the coming week."""
    clinic = session.get_one(Clinic, here.clinic_id)
    watch, gaps = readiness.outlook(session, clinic, now=here.now)
    return Net(watch.is_enough, gaps)


def _people(
    patient_id: InstrumentedAttribute[int],
    enrolment_id: InstrumentedAttribute[int],
    here: Here,
    *more: Any,
) -> Select[*tuple[Any, ...]]:
    """Select how many there are in all, each patient, who calls them now, and ``more``."""
    return (
        select(
            func.count().over(),
            Patient.ref,
            Patient.given_name,
            Patient.family_name,
            StaffMember.name,
            *more,
        )
        .select_from(patient_id.class_)
        .join(Patient, Patient.id == patient_id)
        .outerjoin(StaffMember, StaffMember.id == duty.caller_on_duty(enrolment_id, here.now))
    )


def _closing(session: Session, here: Here, named: int) -> Some:
    """Return whose call has its last day today, or had it and is not closed yet."""
    rows = session.execute(
        _people(PlannedCall.patient_id, PlannedCall.enrolment_id, here, PlannedCall.dials)
        .where(
            here.within(PlannedCall.clinic_id),
            PlannedCall.is_open,
            PlannedCall.complete_by_on <= here.today,
        )
        .order_by(PlannedCall.complete_by_on, PlannedCall.dials, PlannedCall.id)
        .limit(named)
    ).all()
    people = tuple(
        NamedPatient(ref, f"{given} {family}", caller, dials)
        for _count, ref, given, family, caller, dials in rows
    )
    return Some(rows[0][0] if rows else 0, people)


def _waiting(session: Session, here: Here) -> int:
    """Count active enrolments without a caller."""
    has_caller = exists().where(_is_current(Enrolment.id))
    return (
        session.scalar(
            select(func.count())
            .select_from(Enrolment)
            .where(
                here.within(Enrolment.clinic_id),
                Enrolment.status == EnrolmentStatus.ACTIVE,
                ~has_caller,
            )
        )
        or 0
    )


def _uncovered(session: Session, here: Here, named: int) -> Some:
    """Return whose caller is absent, or will be within a week, with nobody standing in."""
    asked = (
        _people(PanelMembership.patient_id, PanelMembership.enrolment_id, here)
        .join(Enrolment, Enrolment.id == PanelMembership.enrolment_id)
        .where(
            here.within(Enrolment.clinic_id),
            Enrolment.status == EnrolmentStatus.ACTIVE,
            duty.is_uncovered(here.now, ahead=COVER_LOOKED_AHEAD),
        )
        .order_by(Enrolment.id)
    )
    with every_clinic(session, "whoever is away from one clinic is away"):
        rows = session.execute(asked).all()
    return _first_by_name(rows, named)


def _concerns(session: Session, here: Here) -> Concerns:
    rows = session.execute(
        select(Concern.status, func.count(), func.min(Concern.raised_at))
        .where(here.within(Concern.clinic_id), Concern.status != ConcernStatus.CLOSED)
        .group_by(Concern.status)
        .order_by(Concern.status)
    )
    found = {status: (count, oldest_at) for status, count, oldest_at in rows}
    waiting, oldest_at = found.get(ConcernStatus.OPEN, (0, None))
    return Concerns(waiting, oldest_at, *found.get(ConcernStatus.ACKNOWLEDGED, (0, None)))


def _texts(session: Session, here: Here) -> tuple[int, int]:
    """Count texts, and e-mails, of the last days that failed, or of which nobody knows."""
    counted = func.count(case((Message.kind.not_in(LETTERS), 1)))
    texts, letters = session.execute(
        select(counted, func.count() - counted).where(
            here.within(Message.clinic_id),
            Message.status.in_(TROUBLED),
            Message.created_at >= here.now - TEXTS_LOOKED_BACK,
        )
    ).one()
    return texts, letters


def _numberless(session: Session, here: Here, named: int) -> Some:
    """Return patients in the programme whom no number reaches."""
    has_number = exists().where(
        PhoneNumber.patient_id == Enrolment.patient_id,
        PhoneNumber.health == NumberHealth.WORKING,
    )
    rows = session.execute(
        _people(Enrolment.patient_id, Enrolment.id, here)
        .where(
            here.within(Enrolment.clinic_id),
            Enrolment.status.in_((EnrolmentStatus.ACTIVE, EnrolmentStatus.UNREACHABLE)),
            ~has_number,
        )
        .order_by(Enrolment.id)
    ).all()
    return _first_by_name(rows, named)


def _first_by_name(rows: Sequence[Any], named: int) -> Some:
    """Return how many there are and the first of them; names are encrypted, so all are read."""
    by_name = sorted(rows, key=lambda row: name_key(row.family_name, row.given_name))
    people = tuple(
        NamedPatient(ref, f"{given} {family}", caller)
        for _count, ref, given, family, caller in by_name[:named]
    )
    return Some(len(rows), people)


def _to_follow(session: Session, here: Here) -> dict[FollowUpKind, int]:
    """Count patients whom calls don't get through to, by what somebody is to look at."""
    rows = session.execute(
        select(FollowUp.kind, func.count())
        .join(Enrolment, Enrolment.id == FollowUp.enrolment_id)
        .where(
            here.within(FollowUp.clinic_id),
            FollowUp.done_at.is_(None),
            Enrolment.status.in_((EnrolmentStatus.ACTIVE, EnrolmentStatus.UNREACHABLE)),
        )
        .group_by(FollowUp.kind)
        .order_by(FollowUp.kind)
    )
    return {kind: count for kind, count in rows}  # noqa: C416


def _imports(session: Session, here: Here) -> list[FailedImport]:
    """Return the newest import of each kind of file in the last days, where it left rows out.

    A later file of the same kind that was taken whole has put it right.
    """
    newest = (
        select(func.max(ImportRun.id))
        .where(here.within(ImportRun.clinic_id), ImportRun.at >= here.now - IMPORTS_LOOKED_BACK)
        .group_by(ImportRun.kind)
    )
    runs = session.execute(
        select(ImportRun.id, ImportRun.at, ImportRun.counts)
        .where(ImportRun.id.in_(newest))
        .order_by(ImportRun.id.desc())
    )
    return [
        FailedImport(run_id, at, counts["refused"])
        for run_id, at, counts in runs
        if counts.get("refused")
    ]


def _is_current(enrolment_id: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """Return the condition that a panel membership is the current one of an enrolment."""
    return and_(PanelMembership.enrolment_id == enrolment_id, PanelMembership.until_at.is_(None))
