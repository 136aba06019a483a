"""Putting back what a recorded call changed, as far as nobody has gone on from there."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from outreach.accounts.rules import Actor
from outreach.calls.models import (
    Attempt,
    AttemptBefore,
    Lease,
    Promise,
)
from outreach.errors import RuleBroken
from outreach.patients import consent
from outreach.patients.models import ConsentEvent, Patient, PhoneNumber
from outreach.patients.rules import ConsentSource, NumberHealth, Slot
from outreach.planning import next_call
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from outreach.programmes import enrolment as enrolments
from outreach.programmes.models import Enrolment, EnrolmentEvent
from outreach.programmes.rules import EnrolmentStatus


class MovedOn(RuleBroken):
    """Others have acted on what was recorded, so it can't be taken back."""


def refuse_moved_on(session: Session, attempt: Attempt, call: PlannedCall) -> AttemptBefore:
    """Return how the call stood before, or raise MovedOn where others have acted since."""
    later = session.scalar(
        select(Attempt.id)
        .where(
            Attempt.enrolment_id == attempt.enrolment_id,
            Attempt.id > attempt.id,
            Attempt.superseded_at.is_(None),
        )
        .limit(1)
    )
    before = session.get(AttemptBefore, attempt.id)
    is_as_left = call.is_open or call.closed_at == attempt.recorded_at
    if later is not None or before is None or not is_as_left:
        raise MovedOn("Somebody has dialled since, or the plan has changed: it stays recorded.")
    return before


def reopen(
    session: Session, attempt: Attempt, call: PlannedCall, before: AttemptBefore, *, now: datetime
) -> None:
    """Open a call as it stood, and cancel the one that was planned after it.

    A text that names a time which was agreed in the attempt does not go out.
    """
    if not call.is_open:
        _cancel_successor(session, attempt, call, now=now)
    call.status, call.closed_at = CallStatus.PLANNED, None
    call.complete_by_on = before.complete_by_on
    slot = Slot(before.dial_from_at, before.dial_until_at)
    next_call.move(session, call, slot, now=now, is_agreed=before.is_agreed)
    session.flush()


def _cancel_successor(
    session: Session, attempt: Attempt, call: PlannedCall, *, now: datetime
) -> None:
    following = next_call.open_call(session, call.enrolment_id, is_locked=True)
    if following is None:
        return
    held = session.scalar(
        select(Lease.staff_id).where(
            Lease.planned_call_id == following.id,
            Lease.until_at > now,
            Lease.staff_id != attempt.caller_id,
        )
    )
    is_untouched = following.planned_at == attempt.recorded_at and following.dials == 0
    if held is not None or not is_untouched or following.is_agreed:
        raise MovedOn("The next call was changed or is being made: this one stays recorded.")
    next_call.close(session, following, CallStatus.CANCELLED, now=now)


def resume(session: Session, attempt: Attempt, *, actor: Actor, now: datetime) -> None:
    """Let the programme go on where this attempt ended it; refuse where others stopped it."""
    enrolment = session.get_one(
        Enrolment, attempt.enrolment_id, with_for_update=True, populate_existing=True
    )
    if enrolment.status is EnrolmentStatus.ACTIVE:
        if _is_pause_announced_at(session, enrolment, attempt.recorded_at):
            enrolments.forget_coming_pause(enrolment)
        return
    if enrolment.status_at != attempt.recorded_at:
        raise MovedOn("The patient's place in the programme has changed since.")
    enrolments.change_status(
        enrolment,
        EnrolmentStatus.ACTIVE,
        reason="a call was taken back",
        now=now,
        by_staff_id=actor.staff_id,
    )


def _is_pause_announced_at(session: Session, enrolment: Enrolment, at: datetime) -> bool:
    announced = select(EnrolmentEvent.id).where(
        EnrolmentEvent.enrolment_id == enrolment.id,
        EnrolmentEvent.at == at,
        EnrolmentEvent.resume_on == enrolment.away_until_on,
    )
    return session.scalar(announced.limit(1)) is not None


def give_promises_back(session: Session, attempt: Attempt, *, now: datetime) -> None:
    """Open again what was ticked off in the attempt, and drop what was promised in it."""
    session.execute(
        update(Promise)
        .where(
            Promise.patient_id == attempt.patient_id,
            Promise.kept_at == attempt.recorded_at,
            Promise.kept_by_id == attempt.caller_id,
        )
        .values(kept_at=None, kept_by_id=None)
    )
    session.execute(
        update(Promise).where(Promise.attempt_id == attempt.id).values(withdrawn_at=now)
    )


def mend_number(session: Session, attempt: Attempt, *, now: datetime) -> None:
    """Let a number work again that this attempt called wrong or disconnected."""
    if attempt.outcome.spoils_number:
        session.execute(
            update(PhoneNumber)
            .where(
                PhoneNumber.patient_id == attempt.patient_id,
                PhoneNumber.health_at == attempt.recorded_at,
            )
            .values(health=NumberHealth.WORKING, health_at=now)
        )


def give_consents_back(
    session: Session, patient: Patient, attempt: Attempt, *, actor: Actor, now: datetime
) -> None:
    """Note as given again what held before this attempt withdrew it."""
    events = consent.ledger(session, patient.id)
    for event in withdrawn(events, attempt):
        held = _newest_before(events, event)
        if held is not None and held.is_given:
            consent.note(
                session,
                patient,
                event.channel,
                event.number,
                is_given=True,
                source=ConsentSource.CALL,
                by_staff_id=actor.staff_id,
                now=now,
                topics=[event.topic],
            )


def withdrawn(events: Sequence[ConsentEvent], attempt: Attempt) -> list[ConsentEvent]:
    """Return the consents that ended with ``attempt``, where nothing was said since.

    A stop that came from the telephone meanwhile is not the caller's to take back.
    """
    newest = {(each.topic, each.number): each for each in reversed(events)}
    return [
        event for event in newest.values() if event.at == attempt.recorded_at and not event.is_given
    ]


def _newest_before(events: Sequence[ConsentEvent], event: ConsentEvent) -> ConsentEvent | None:
    """Return what held for the same number and topic before ``event``; newest come first."""
    same = (event.topic, event.number)
    earlier = (each for each in events if each.id < event.id)
    return next((each for each in earlier if (each.topic, each.number) == same), None)
