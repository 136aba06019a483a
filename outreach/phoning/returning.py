"""Patients who ring the clinic's number back: to their own caller, or to a task."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    bindparam,
    literal,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.orm import Session

from outreach import absent
from outreach.accounts.models import Clinic, Membership, StaffMember
from outreach.accounts.rules import Role, Scope
from outreach.accounts.scoping import visible
from outreach.among import among
from outreach.errors import NotFound
from outreach.orm import UTCDateTime, insert_new, rows_of
from outreach.panels import duty
from outreach.panels.models import PanelMembership, Shift
from outreach.patients.models import TAIL_DIGITS, Patient, PhoneNumber, tail_of
from outreach.patients.rules import NumberHealth
from outreach.phoning import progress, templates
from outreach.phoning.models import PhoneCall, ReturnedCall
from outreach.phoning.rules import Direction, Ending, WorkHours, is_on_shift
from outreach.planning import next_call
from outreach.sealing import is_either
from outreach.telephony.gateway import Answer, Connect, End, Leg, LegStatus, VoiceNews

SHORTEST_SEARCH = TAIL_DIGITS
MOST_FOUND = 20
_RINGING = 0  # stands where a task has its id


class NoSuchTask(NotFound):
    """No returned call in the actor's reach has that number."""


@dataclass(frozen=True)
class Known:
    """A patient who has the number that rings. ``caller_id`` is who is on duty for them."""

    patient_id: int
    clinic_id: int
    language: str
    enrolment_id: int | None
    caller_id: int | None


@dataclass(frozen=True)
class Waiting:
    """A patient who rang back and waits. ``times`` counts how often since."""

    task_id: int
    ref: str
    full_name: str
    zone: str
    at: datetime
    times: int


@dataclass(frozen=True)
class Board:
    """What a caller's queue shows of returned calls: who rings now, and who rang and waits."""

    ringing: Waiting | None
    waiting: Sequence[Waiting]


def arrive(session: Session, news: VoiceNews, *, now: datetime) -> Answer:
    """Answer somebody who rings a clinic's number. A repeat gets the same answer, no more.

    Rings the caller on duty, where there is one for everybody who has this number, they are
    on shift and their telephone is free; else says that we ring back, and makes the tasks.
    Does not commit.
    """
    clinics = _clinics(session, news.to_number)
    if not clinics or not news.provider_id:
        return End(templates.later(templates.FALLBACK))
    people = _people(session, [each.id for each in clinics], news.from_number, now=now)
    caller = _one_on_shift(session, people, now=now)
    key = f"in:{news.provider_id}"
    call = session.scalar(select(PhoneCall).where(PhoneCall.press_key == key))
    if call is None:
        call = _new(session, key, news, clinics[0], people, caller, now=now)
    if call.staff_number and call.ended_at is None:
        return Connect(call.id, call.staff_number, call.shown_number, Leg.STAFF)
    return _nobody(session, call, people, now=now)


def missed(session: Session, call: PhoneCall, *, now: datetime) -> Answer:
    """Say that we ring back, and make the tasks. Does not commit."""
    people = _people(session, _clinics_of(session, call), call.number, now=now)
    return _nobody(session, call, people, now=now)


def note_if_missed(session: Session, call: PhoneCall, *, now: datetime) -> None:
    """Make the tasks of a call that came in, is over, and reached nobody. Does not commit."""
    if call.direction is Direction.IN and call.ended_at and call.answered_at is None:
        missed(session, call, now=now)


def board_of(session: Session, caller_id: int, *, now: datetime) -> Board:
    """Return who rings ``caller_id`` back now, and who did and waits. One statement."""
    ringing: Waiting | None = None
    found: dict[str, Waiting] = {}
    for row in rows_of(session, _board(), {"caller_id": caller_id, "now": now}):
        name = f"{row.given_name} {row.family_name}"
        each = Waiting(row.task_id, row.ref, name, row.zone, row.at, 1)
        if row.task_id == _RINGING:
            ringing = each
        elif row.ref in found:
            found[row.ref] = replace(found[row.ref], times=found[row.ref].times + 1)
        else:
            found[row.ref] = each
    return Board(ringing, list(found.values()))


@cache
def _board() -> CompoundSelect[*tuple[Any, ...]]:
    """Return the statement of a board, for ``caller_id`` and ``now``; built once."""
    caller_id: ColumnElement[int] = bindparam("caller_id")
    now: ColumnElement[datetime] = bindparam("now", type_=UTCDateTime())
    person = (Patient.ref, Patient.given_name, Patient.family_name, Patient.zone)
    waiting = (
        select(ReturnedCall.id.label("task_id"), ReturnedCall.at.label("at"), *person)
        .join(Patient, Patient.id == ReturnedCall.patient_id)
        .join(PanelMembership, PanelMembership.enrolment_id == ReturnedCall.enrolment_id)
        .where(ReturnedCall.done_at.is_(None), duty.enrolments_of(caller_id, now))
    )
    ringing = (
        select(literal(_RINGING), PhoneCall.asked_at, *person)
        .join(Patient, Patient.id == PhoneCall.patient_id)
        .where(
            PhoneCall.caller_id == caller_id,
            PhoneCall.direction == Direction.IN,
            PhoneCall.ended_at.is_(None),
        )
    )
    return union_all(waiting, ringing).order_by("at", "task_id")


@dataclass(frozen=True)
class Task:
    """One returned call as a manager sees it; ``patient`` None where the number is unknown."""

    id: int
    number: str
    at: datetime
    patient: Patient | None
    caller_name: str | None


def open_in(session: Session, scope: Scope, *, now: datetime) -> list[Task]:
    """Return every returned call in ``scope`` that nobody has seen to, unknown numbers first."""
    on_duty = duty.caller_on_duty(ReturnedCall.enrolment_id, now)
    rows = session.execute(
        select(ReturnedCall, Patient, StaffMember.name)
        .outerjoin(Patient, Patient.id == ReturnedCall.patient_id)
        .outerjoin(StaffMember, StaffMember.id == on_duty)
        .where(
            ReturnedCall.done_at.is_(None),
            visible(scope, ReturnedCall.clinic_id, ReturnedCall.patient_id),  # type: ignore[arg-type]
        )
        .order_by(Patient.id.is_not(None), ReturnedCall.at, ReturnedCall.id)
    ).all()
    return [
        Task(row.ReturnedCall.id, row.ReturnedCall.number, row.ReturnedCall.at, row[1], row[2])
        for row in rows
    ]


def see_to(session: Session, scope: Scope, task_id: int, staff_id: int, *, now: datetime) -> None:
    """Note that a returned call, and earlier ones of the same patient, are seen to. No commit.

    Raises:
        NoSuchTask: it is outside ``scope``.
    """
    task = session.scalar(
        select(ReturnedCall).where(
            ReturnedCall.id == task_id,
            visible(scope, ReturnedCall.clinic_id, ReturnedCall.patient_id),  # type: ignore[arg-type]
        )
    )
    if task is None:
        raise NoSuchTask("There is no such returned call.")
    same = ReturnedCall.id == task.id
    if task.patient_id is not None:
        same = or_(same, ReturnedCall.patient_id == task.patient_id)
    _close(session, same, staff_id, now=now)


def talked(session: Session, patient_id: int, staff_id: int, *, now: datetime) -> None:
    """Note that a patient has been spoken with, so nobody has to ring back. No commit."""
    if absent.is_known(session, ReturnedCall.patient_id, patient_id):
        return
    _close(session, ReturnedCall.patient_id == patient_id, staff_id, now=now)


def open_again(session: Session, patient_id: int, staff_id: int, *, closed_at: datetime) -> None:
    """Let somebody wait again whom a conversation that was taken back had closed. No commit."""
    session.execute(
        update(ReturnedCall)
        .where(
            ReturnedCall.patient_id == patient_id,
            ReturnedCall.done_at == closed_at,
            ReturnedCall.done_by_id == staff_id,
        )
        .values(done_at=None, done_by_id=None)
        .execution_options(synchronize_session=False)
    )


def find(session: Session, scope: Scope, written: str) -> Sequence[Patient]:
    """Return patients in ``scope`` whose number ends as ``written``; none for less than four.

    Args:
        written: a number as people write it, or its last digits.
    """
    digits = "".join(each for each in written if each.isascii() and each.isdigit())
    if len(digits) < SHORTEST_SEARCH:
        return []
    # Numbers are encrypted: the last digits find some, and those are compared here.
    likely = session.execute(
        select(PhoneNumber.patient_id, PhoneNumber.e164).where(
            PhoneNumber.tail == tail_of(digits),
            visible(scope, PhoneNumber.clinic_id, PhoneNumber.patient_id),
        )
    )
    found = [row.patient_id for row in likely if row.e164.endswith(digits[-11:])]
    patients = session.scalars(
        select(Patient)
        .where(visible(scope, Patient.clinic_id, Patient.id), among(Patient.id, found))
        .order_by(Patient.id)
    )
    return sorted(patients, key=lambda each: each.name_key)[:MOST_FOUND]


def _clinics(session: Session, number: str) -> Sequence[Clinic]:
    return session.scalars(
        select(Clinic).where(is_either(Clinic.phone_number, number)).order_by(Clinic.id)
    ).all()


def _clinics_of(session: Session, call: PhoneCall) -> list[int]:
    return [each.id for each in _clinics(session, call.shown_number)] or [call.clinic_id]


def _people(
    session: Session, clinic_ids: Sequence[int], number: str, *, now: datetime
) -> list[Known]:
    """Return the patients who have ``number``, with who is on duty for each.

    Somebody whose number turned out to be another's is not meant.
    """
    rows = session.execute(
        select(
            Patient.id,
            Patient.clinic_id,
            Patient.language,
            PanelMembership.enrolment_id,
            duty.caller_on_duty(PanelMembership.enrolment_id, now).label("caller_id"),
        )
        .join(PhoneNumber, PhoneNumber.patient_id == Patient.id)
        .outerjoin(
            PanelMembership,
            (PanelMembership.patient_id == Patient.id) & PanelMembership.until_at.is_(None),
        )
        .where(
            PhoneNumber.e164 == number,
            PhoneNumber.health != NumberHealth.WRONG,
            Patient.clinic_id.in_(clinic_ids),
        )
        .order_by(Patient.id)
    ).all()
    return [Known(*row) for row in rows]


def _one_on_shift(
    session: Session, people: Iterable[Known], *, now: datetime
) -> StaffMember | None:
    """Return the one caller of all of ``people``, if they work now and have a telephone."""
    callers = {(each.caller_id, each.clinic_id) for each in people}
    if len(callers) != 1:
        return None
    ((caller_id, clinic_id),) = callers
    today = now.date()
    person = session.scalar(
        select(StaffMember)
        .join(Membership, Membership.staff_id == StaffMember.id)
        .where(
            StaffMember.id == caller_id,
            StaffMember.is_active.is_(True),
            StaffMember.work_phone.is_not(None),
            Membership.clinic_id == clinic_id,
            Membership.role == Role.CALLER,
            Membership.from_on <= today,
            or_(Membership.until_on.is_(None), Membership.until_on > today),
            ~duty.is_away(StaffMember.id, now, now + timedelta(seconds=1)),
        )
    )
    if person is None or person.work_phone is None:  # or one that can't be read
        return None
    shifts = session.scalars(select(Shift).where(Shift.staff_id == person.id))
    hours = [WorkHours(each.weekday, each.begins, each.ends) for each in shifts]
    return person if is_on_shift(hours, now.astimezone(ZoneInfo(person.zone))) else None


def _new(
    session: Session,
    key: str,
    news: VoiceNews,
    clinic: Clinic,
    people: Sequence[Known],
    caller: StaffMember | None,
    *,
    now: datetime,
) -> PhoneCall:
    """Write a call that came in down; a caller who is on the telephone is not rung."""
    only = people[0] if len(people) == 1 else None
    planned = None
    if only and only.enrolment_id:
        planned = next_call.open_call(session, only.enrolment_id)
    row = {
        "press_key": key,
        "direction": Direction.IN,
        "clinic_id": people[0].clinic_id if people else clinic.id,
        "patient_id": only.patient_id if only else None,
        "planned_call_id": planned.id if planned else None,
        "caller_id": caller.id if caller else None,
        "number": news.from_number,
        "staff_number": caller.work_phone if caller else None,
        "shown_number": news.to_number,
        "may_leave_voicemail": False,
        "staff_leg": LegStatus.NONE,
        "patient_leg": LegStatus.ANSWERED,
        "patient_sid": news.provider_id,
        "asked_at": now,
        "heard_at": now,
        "failure": "",
    }
    if not insert_new(session, PhoneCall, [row]):
        unrung = {"caller_id": None, "staff_number": None, "planned_call_id": None}
        insert_new(session, PhoneCall, [row | unrung])
    return session.scalars(select(PhoneCall).where(PhoneCall.press_key == key)).one()


def _nobody(session: Session, call: PhoneCall, people: Sequence[Known], *, now: datetime) -> Answer:
    progress.give_up(call, Ending.NOBODY_THERE, "", now=now)
    meant: Sequence[Known | None] = people or [None]
    rows = [
        {
            "dedupe_key": f"{call.id}/{each.patient_id if each else 0}",
            "clinic_id": each.clinic_id if each else call.clinic_id,
            "phone_call_id": call.id,
            "patient_id": each.patient_id if each else None,
            "enrolment_id": each.enrolment_id if each else None,
            "number": call.number,
            "at": call.asked_at,
        }
        for each in meant
    ]
    insert_new(session, ReturnedCall, rows)
    languages = {each.language for each in people}
    return End(templates.later(languages.pop() if len(languages) == 1 else templates.FALLBACK))


def _close(session: Session, which: object, staff_id: int, *, now: datetime) -> None:
    session.execute(
        update(ReturnedCall)
        .where(which, ReturnedCall.done_at.is_(None))  # type: ignore[arg-type]
        .values(done_at=now, done_by_id=staff_id)
        .execution_options(synchronize_session=False)
    )
