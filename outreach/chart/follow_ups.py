"""Contacts to check: whom calls don't get through to, and what was tried."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Scope
from outreach.accounts.scoping import visible
from outreach.among import among
from outreach.calls.models import Attempt
from outreach.calls.rules import REACHED, Outcome
from outreach.chart.care import NotPossibleNow
from outreach.panels import duty
from outreach.patients.models import Patient, PhoneNumber
from outreach.planning import next_call, silence
from outreach.planning.models import FollowUp
from outreach.planning.rules import FollowUpKind
from outreach.planning.rules.silence import silent_days
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus

MOST = 50
TRIES = 5
TRIED_WITHIN = timedelta(days=60)
STAYING = (EnrolmentStatus.ACTIVE, EnrolmentStatus.UNREACHABLE)


@dataclass(frozen=True)
class Try:
    """One dial."""

    at: datetime
    outcome: Outcome
    by: str


@dataclass(frozen=True)
class Check:
    """One contact to check. ``spoken_at``: the last conversation, None without one."""

    follow_up: FollowUp
    patient: Patient
    clinic_name: str
    status: EnrolmentStatus
    caller: str | None
    spoken_at: datetime | None
    tries: Sequence[Try]
    numbers: Sequence[PhoneNumber]


@dataclass(frozen=True)
class Checks:
    """The first of the open contact checks, the longest open first, and how many there are."""

    count: int
    shown: Sequence[Check]


def open_checks(
    session: Session,
    scope: Scope,
    *,
    kind: FollowUpKind = FollowUpKind.CONTACT_CHECK,
    now: datetime,
    most: int | None = MOST,
) -> Checks:
    """Return what is open of ``kind`` in ``scope``, in three statements; ``most`` None: all."""
    rows = session.execute(_checks(scope, kind, now).limit(most)).all()
    tries = _tries(session, [row.FollowUp.enrolment_id for row in rows], now=now)
    numbers = _numbers(session, [row.Patient.id for row in rows])
    shown = [_check(row, tries, numbers) for row in rows]
    return Checks(rows[0].of_all if rows else 0, shown)


def give_up(session: Session, follow_up: FollowUp, *, by_staff_id: int, now: datetime) -> None:
    """Count the patient of a follow-up as unreachable. Does not commit.

    Raises:
        NotPossibleNow: they are not called any more.
    """
    enrolment, _call = next_call.lock(session, follow_up.enrolment_id)
    if enrolment.status is not EnrolmentStatus.ACTIVE:
        raise NotPossibleNow("This patient is not called now.")
    known = silence.read(session, [enrolment.id]).get(enrolment.id)
    days = silent_days(known.silence, now=now) if known else 0
    silence.give_up(session, enrolment, days=days, by_staff_id=by_staff_id, now=now)


def _checks(scope: Scope, kind: FollowUpKind, now: datetime) -> Select[*tuple[Any, ...]]:
    spoken_at = (
        select(func.max(Attempt.at))
        .where(
            Attempt.patient_id == FollowUp.patient_id,
            Attempt.outcome.in_(REACHED),
            Attempt.superseded_at.is_(None),
        )
        .correlate(FollowUp)
        .scalar_subquery()
    )
    return (
        select(
            FollowUp,
            Patient,
            Clinic.name.label("clinic_name"),
            Enrolment.status,
            StaffMember.name.label("caller"),
            spoken_at.label("spoken_at"),
            func.count().over().label("of_all"),
        )
        .join(Patient, Patient.id == FollowUp.patient_id)
        .join(Clinic, Clinic.id == FollowUp.clinic_id)
        .join(Enrolment, Enrolment.id == FollowUp.enrolment_id)
        .outerjoin(StaffMember, StaffMember.id == duty.caller_on_duty(FollowUp.enrolment_id, now))
        .where(
            FollowUp.kind == kind,
            FollowUp.done_at.is_(None),
            Enrolment.status.in_(STAYING),
            visible(scope, FollowUp.clinic_id, FollowUp.patient_id),
        )
        .order_by(FollowUp.opened_at, FollowUp.id)
    )


def _tries(
    session: Session, enrolment_ids: Sequence[int], *, now: datetime
) -> Mapping[int, Sequence[Try]]:
    """Return the last dials for each enrolment, the newest first."""
    place = func.row_number().over(
        partition_by=Attempt.enrolment_id, order_by=(Attempt.at.desc(), Attempt.id.desc())
    )
    last = (
        select(
            Attempt.enrolment_id,
            Attempt.at,
            Attempt.outcome,
            Attempt.caller_id,
            place.label("place"),
        )
        .where(
            among(Attempt.enrolment_id, enrolment_ids),
            Attempt.at > now - TRIED_WITHIN,
            Attempt.superseded_at.is_(None),
        )
        .subquery()
    )
    rows = session.execute(
        select(last.c.enrolment_id, last.c.at, last.c.outcome, StaffMember.name)
        .join(StaffMember, StaffMember.id == last.c.caller_id)
        .where(last.c.place <= TRIES)
        .order_by(last.c.enrolment_id, last.c.place)
    )
    found: dict[int, list[Try]] = defaultdict(list)
    for enrolment_id, at, outcome, name in rows:
        found[enrolment_id].append(Try(at, outcome, name))
    return found


def _numbers(session: Session, patient_ids: Sequence[int]) -> Mapping[int, Sequence[PhoneNumber]]:
    rows = session.scalars(
        select(PhoneNumber)
        .where(among(PhoneNumber.patient_id, patient_ids))
        .order_by(PhoneNumber.patient_id, PhoneNumber.position, PhoneNumber.id)
    )
    found: dict[int, list[PhoneNumber]] = defaultdict(list)
    for number in rows:
        found[number.patient_id].append(number)
    return found


def _check(
    row: Row[Any],
    tries: Mapping[int, Sequence[Try]],
    numbers: Mapping[int, Sequence[PhoneNumber]],
) -> Check:
    return Check(
        follow_up=row.FollowUp,
        patient=row.Patient,
        clinic_name=row.clinic_name,
        status=row.status,
        caller=row.caller,
        spoken_at=row.spoken_at,
        tries=tries.get(row.FollowUp.enrolment_id, ()),
        numbers=numbers.get(row.Patient.id, ()),
    )
