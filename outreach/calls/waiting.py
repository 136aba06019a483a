"""What is put off in the queue: a promise to another day, a call to tomorrow. History is kept."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from outreach.accounts.rules import Actor
from outreach.accounts.scoping import visible
from outreach.calls import leases
from outreach.calls.models import Hiding, Promise, PromiseMove
from outreach.clock import day_began_at, local_day
from outreach.errors import NotFound, RuleBroken
from outreach.patients.models import Patient
from outreach.planning.models import PlannedCall

LONGEST_REASON = 200


class NoSuchPromise(NotFound):
    """No promise in the actor's scope has that number."""


class ReasonMissing(RuleBroken):
    """A call is put off with a few words on why."""


def promise_of(session: Session, actor: Actor, promise_id: int) -> Promise:
    """Return one promise in the actor's scope, locked, or raise NoSuchPromise."""
    promise = session.scalar(
        select(Promise)
        .where(
            Promise.id == promise_id,
            visible(actor.scope, Promise.clinic_id, Promise.patient_id),
        )
        .with_for_update()
    )
    if promise is None:
        raise NoSuchPromise("There is no such promise.")
    return promise


def keep(promise: Promise, actor: Actor, *, now: datetime) -> None:
    """Note that a promise was kept; a second time changes nothing. Does not commit."""
    if promise.kept_at is None:
        promise.kept_at, promise.kept_by_id = now, actor.staff_id


def put_off(session: Session, promise: Promise, actor: Actor, *, now: datetime) -> None:
    """Let a promise that is due come back tomorrow, where the patient is. Does not commit.

    One that was kept, or is not due yet, stays as it is: two presses put it off once.
    """
    patient = session.get_one(Patient, promise.patient_id)
    today = local_day(now, ZoneInfo(patient.zone))
    if promise.kept_at is not None or promise.due_on is None or promise.due_on > today:
        return
    tomorrow = today + timedelta(days=1)
    session.add(
        PromiseMove(
            clinic_id=promise.clinic_id,
            patient_id=promise.patient_id,
            promise_id=promise.id,
            from_on=promise.due_on,
            to_on=tomorrow,
            by_staff_id=actor.staff_id,
            at=now,
        )
    )
    promise.due_on = tomorrow


def hide(
    session: Session,
    patient: Patient,
    call: PlannedCall,
    reason: str,
    actor: Actor,
    *,
    now: datetime,
) -> None:
    """Keep a call out of the queue's way until the patient's tomorrow. Does not commit.

    The plan does not change: a call whose last day this is counts as missed. One that is out
    of the way already stays so, for the reason that was given first.

    Raises:
        ReasonMissing: no words on why.
    """
    words = reason.strip()[:LONGEST_REASON]
    if not words:
        raise ReasonMissing("Say in a few words why not today.")
    tomorrow = day_began_at(now, ZoneInfo(patient.zone)) + timedelta(days=1, hours=2)
    is_hidden = exists().where(
        Hiding.planned_call_id == call.id,
        Hiding.until_at > now,
        Hiding.shown_again_at.is_(None),
    )
    if session.scalar(select(is_hidden)):
        return
    session.add(
        Hiding(
            clinic_id=call.clinic_id,
            patient_id=call.patient_id,
            planned_call_id=call.id,
            reason=words,
            by_staff_id=actor.staff_id,
            at=now,
            until_at=day_began_at(tomorrow, ZoneInfo(patient.zone)),
        )
    )


def hand_back(
    session: Session, call_ids: Sequence[int], reason: str, actor: Actor, *, now: datetime
) -> None:
    """Let calls wait until the patient's tomorrow, and nobody hold them. Does not commit."""
    for call_id in call_ids:
        call = session.get_one(PlannedCall, call_id)
        patient = session.get_one(Patient, call.patient_id)
        leases.release(session, call, actor)
        hide(session, patient, call, reason, actor, now=now)


def show_again(session: Session, call: PlannedCall, *, now: datetime) -> None:
    """Bring a hidden call back into the queue. Does not commit."""
    session.execute(
        update(Hiding)
        .where(Hiding.planned_call_id == call.id, Hiding.shown_again_at.is_(None))
        .values(shown_again_at=now)
    )
