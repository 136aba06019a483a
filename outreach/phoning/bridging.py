"""Putting a caller through: their own telephone first, then the patient's.

A row moves on in committed steps around the carrier, as texts do: it is there before the
carrier is asked, and whoever dies in between leaves a row that is looked up there (see
``jobs.settle_lost_calls``), never a call that is placed again.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, or_, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from outreach import absent, sealing
from outreach.accounts.models import StaffMember
from outreach.built_once import built_once
from outreach.errors import NotFound, RuleBroken
from outreach.orm import insert_new
from outreach.patients import consent, hours
from outreach.patients.models import Patient, PhoneNumber
from outreach.patients.rules import Channel, NumberHealth
from outreach.phoning import progress
from outreach.phoning.models import PhoneCall
from outreach.phoning.rules import (
    CLOCKS_DIFFER,
    CONNECT_WITHIN,
    LEASE,
    Direction,
    Ending,
    advanced,
    begun_minutes,
    talk_seconds,
)
from outreach.planning import next_call
from outreach.planning.models import PlannedCall
from outreach.telephony.gateway import AnsweredBy, LegStatus, OutboundCall


class NoSuchCall(NotFound):
    """No call of this person on the telephone has that number."""


class OnThePhone(RuleBroken):
    """The caller, or somebody else with this patient, is on the telephone: one call at a time."""


@dataclass(frozen=True)
class Press:
    """One press of Call, checked by whoever calls :func:`begin`.

    ``shown`` is the clinic's number. ``may_leave_voicemail``: the patient allows a neutral
    one, and none was left yet for this planned call.
    """

    key: str
    caller_id: int
    staff_number: str
    clinic_id: int
    patient_id: int
    planned_call_id: int
    number: str
    shown: str
    may_leave_voicemail: bool


@dataclass(frozen=True)
class Desk:
    """What a caller's call screen shows of the telephone.

    ``is_bridge``: pressing Call rings both telephones. ``call`` is the last one about this
    planned call that has not been written down yet. ``elsewhere`` is a call of theirs with
    somebody else that has not ended. ``press_key`` is for the next press.
    """

    is_bridge: bool
    has_number: bool
    call: PhoneCall | None
    elsewhere: PhoneCall | None
    press_key: str

    def minutes(self, now: datetime) -> int | None:
        """Return how long the two have talked, in begun minutes.

        None where they have not, or where nobody knows: an end that was never told is no length.
        """
        call = self.call
        is_unknown = call is not None and call.ending is Ending.LOST
        if call is None or is_unknown or call.answered_by is AnsweredBy.MACHINE:
            return None
        seconds = call.seconds
        if seconds is None:
            seconds = talk_seconds(call.answered_at, call.ended_at, now)
        return None if seconds is None else begun_minutes(seconds)


def desk_of(session: Session, planned_call_id: int, staff_id: int, *, can_call: bool) -> Desk:
    """Return what ``staff_id`` sees of the telephone beside a planned call."""
    calls = session.execute(*_here_and_elsewhere(planned_call_id, staff_id)).all()
    own = work_number(session, staff_id) if can_call else None
    return Desk(
        can_call,
        own is not None,
        call=next((call for call, here in calls if here), None),
        elsewhere=next((call for call, here in calls if not here), None),
        press_key=secrets.token_urlsafe(18),
    )


@built_once
def _here_and_elsewhere(planned_call_id: Any, staff_id: Any) -> Select[PhoneCall, bool]:
    is_here = and_(PhoneCall.planned_call_id == planned_call_id, PhoneCall.recorded_at.is_(None))
    is_theirs = PhoneCall.caller_id == staff_id  # said of each: each has an index of its own
    return (
        select(PhoneCall, is_here)
        .where(or_(and_(is_theirs, is_here), and_(is_theirs, _is_elsewhere(planned_call_id))))
        .order_by(PhoneCall.id.desc())
    )


def _elsewhere(session: Session, staff_id: int, planned_call_id: int | None) -> PhoneCall | None:
    """Return the live call of ``staff_id`` unless it is about ``planned_call_id``."""
    return session.scalar(
        select(PhoneCall).where(PhoneCall.caller_id == staff_id, _is_elsewhere(planned_call_id))
    )


def _is_elsewhere(planned_call_id: int | None) -> ColumnElement[bool]:
    """Return the condition that a call is live and not about ``planned_call_id``."""
    return and_(
        PhoneCall.ended_at.is_(None),
        or_(
            PhoneCall.planned_call_id.is_distinct_from(planned_call_id),
            PhoneCall.recorded_at.is_not(None),
        ),
    )


def work_number(session: Session, staff_id: int) -> str | None:
    """Return the telephone on which one of the staff makes and takes calls, if any."""
    return session.scalar(select(StaffMember.work_phone).where(StaffMember.id == staff_id))


def begin(session: Session, press: Press, *, now: datetime) -> OutboundCall | None:
    """Write a call down before the carrier is asked; None where this press made one already.

    Does not commit; commit before handing the result over.

    Raises:
        OnThePhone: the caller has another call under way, or somebody has one with the patient.
    """
    row = {
        "press_key": press.key,
        "direction": Direction.OUT,
        "clinic_id": press.clinic_id,
        "patient_id": press.patient_id,
        "planned_call_id": press.planned_call_id,
        "caller_id": press.caller_id,
        "number": press.number,
        "staff_number": press.staff_number,
        "shown_number": press.shown,
        "may_leave_voicemail": press.may_leave_voicemail,
        "staff_leg": LegStatus.NONE,
        "patient_leg": LegStatus.NONE,
        "asked_at": now,
        "lease_until": now + LEASE,
        "heard_at": now,
        "failure": "",
    }
    is_new = insert_new(session, PhoneCall, [row])
    call = session.scalar(select(PhoneCall).where(PhoneCall.press_key == press.key))
    if call is None and _elsewhere(session, press.caller_id, None) is not None:
        raise OnThePhone("You are on the telephone already. End that call first.")
    if call is None:
        raise OnThePhone("Somebody is on the telephone with this patient already.")
    return as_outbound(call) if is_new else None


def as_outbound(call: PhoneCall) -> OutboundCall:
    """Return a call as the carrier takes it."""
    return OutboundCall(call.id, call.staff_number or "", call.shown_number)


def mark_taken(session: Session, phone_call_id: int, provider_id: str, *, now: datetime) -> None:
    """Note that the carrier took a call; its first report may have come before. No commit.

    In one statement: a second one would let PostgreSQL look for the planned call once more,
    which who presses Call at this moment holds while they wait for this row.
    """
    call = progress.locked(session, phone_call_id)
    if call is not None:
        call.staff_sid = call.staff_sid or provider_id
        call.lease_until, call.heard_at = None, now
        call.staff_leg = advanced(call.staff_leg, LegStatus.INITIATED)


def mark_unknown(session: Session, phone_call_id: int) -> None:
    """Note that the carrier was asked and did not answer: look at once. Does not commit."""
    call = progress.locked(session, phone_call_id)
    if call is not None:
        call.lease_until, call.failure = None, "no answer from the carrier"


def mark_not_placed(session: Session, phone_call_id: int, failure: str, *, now: datetime) -> None:
    """Note that no telephone rang, and why. Does not commit."""
    call = progress.locked(session, phone_call_id)
    if call is not None:
        progress.give_up(call, Ending.NOT_PLACED, failure, now=now)


def known_sids(session: Session, call: PhoneCall) -> list[str]:
    """Return the carrier's ids of our other calls to the same telephone of our staff."""
    if call.staff_number is None:  # or one that can't be read
        return []
    found = session.scalars(
        select(PhoneCall.staff_sid).where(
            sealing.is_either(PhoneCall.staff_number, call.staff_number),
            PhoneCall.id != call.id,
            PhoneCall.staff_sid.is_not(None),
            PhoneCall.asked_at >= call.asked_at - 2 * CLOCKS_DIFFER,
        )
    )
    return [sid for sid in found if sid is not None]


def admit(call: PhoneCall, provider_id: str, *, now: datetime) -> bool:
    """Say whether the telephone ``provider_id`` is the caller's own of ``call``, still wanted.

    ``call`` is locked. Where the carrier took one press twice, the first telephone that is
    picked up is let in and the other is not: a patient is rung once.
    """
    is_known = call.staff_sid in (None, provider_id) and bool(provider_id)
    is_wanted = call.ended_at is None and call.stop_asked_at is None
    if not is_known or not is_wanted or now - call.asked_at > CONNECT_WITHIN:
        return False
    call.staff_sid, call.heard_at = provider_id, now
    call.staff_leg = advanced(call.staff_leg, LegStatus.ANSWERED)
    return not call.staff_leg.is_final


def may_ring_patient(session: Session, call: PhoneCall, *, now: datetime) -> bool:
    """Say whether the patient may still be rung, minutes after Call was pressed.

    Their planned call is open, the number works, nobody said stop, and it is not too late in
    their day.
    """
    row = session.execute(
        select(Patient, PlannedCall)
        .join(PlannedCall, PlannedCall.patient_id == Patient.id)
        .join(PhoneNumber, PhoneNumber.patient_id == Patient.id)
        .where(
            Patient.id == call.patient_id,
            PlannedCall.id == call.planned_call_id,
            PlannedCall.is_open,
            PhoneNumber.e164 == call.number,
            PhoneNumber.health == NumberHealth.WORKING,
        )
    ).one_or_none()
    if row is None:
        return False
    patient, planned = row
    if consent.is_withdrawn(session, patient.id, Channel.CALL, call.number):
        return False
    lawful = hours.hours_of(session, patient, today=now.date())
    return next_call.may_ring_at(planned, ZoneInfo(patient.zone), lawful, now=now)


def own_call(session: Session, phone_call_id: int, staff_id: int) -> tuple[PhoneCall, Patient]:
    """Return a call of ``staff_id`` and whom it is with, or raise NoSuchCall."""
    found = session.execute(
        select(PhoneCall, Patient)
        .join(Patient, Patient.id == PhoneCall.patient_id)
        .where(PhoneCall.id == phone_call_id, PhoneCall.caller_id == staff_id)
    ).one_or_none()
    if found is None:
        raise NoSuchCall("There is no such call.")
    return found[0], found[1]


def ask_to_stop(session: Session, phone_call_id: int, *, now: datetime) -> str | None:
    """Note that a call is to end; return what the carrier calls it, if we know. No commit."""
    call = progress.locked(session, phone_call_id)
    if call is None or call.ended_at is not None:
        return None
    call.stop_asked_at = call.stop_asked_at or now
    return first_sid(call)


def first_sid(call: PhoneCall) -> str | None:
    """Return what the carrier calls the telephone that began ``call``; ending it ends both."""
    return call.staff_sid if call.direction is Direction.OUT else call.patient_sid


def write_down(
    session: Session, planned_call_id: int, staff_id: int, *, now: datetime
) -> int | None:
    """Note that somebody recorded what came of their calls; return the last one's id, if any.

    Does not commit.
    """
    if absent.is_known(session, PhoneCall.planned_call_id, planned_call_id):
        return None
    found = session.scalars(*_written_down(planned_call_id, staff_id, now)).all()
    return max(found, default=None)


@built_once
def _written_down(call: Any, caller: Any, now: Any) -> ReturningUpdate[int]:
    return (
        update(PhoneCall)
        .where(
            PhoneCall.planned_call_id == call,
            PhoneCall.caller_id == caller,
            PhoneCall.recorded_at.is_(None),
        )
        .values(recorded_at=now)
        .returning(PhoneCall.id)
        .execution_options(synchronize_session=False)
    )


def write_down_again(session: Session, phone_call_id: int) -> None:
    """Let a call be recorded anew whose record was taken back. Does not commit."""
    session.execute(update(PhoneCall).where(PhoneCall.id == phone_call_id).values(recorded_at=None))
