"""Taking a recorded call back, or putting it right: by new rows, never by deletion.

Within UNDO_FOR the caller takes their own attempt back: what it did is undone as far as it
can be, and what was typed is in the form again. Later, a manager amends the record with a
reason; the plan, which others may have acted on, then stays as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from outreach.accounts.rules import Actor
from outreach.audit import trail
from outreach.calls import drafts
from outreach.calls.models import (
    Attempt,
    AttemptBefore,
    AttemptCorrection,
    CallNote,
    Lease,
    Promise,
)
from outreach.calls.rules import UNDO_FOR, Outcome, is_fresh
from outreach.concerns import raising
from outreach.errors import NotFound, RuleBroken
from outreach.measures import readings
from outreach.patients import consent
from outreach.patients.models import ConsentEvent, Patient, PhoneNumber
from outreach.patients.rules import ConsentSource, NumberHealth
from outreach.planning import follow_ups, next_call
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from outreach.programmes import enrolment as enrolments
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus

# Outcomes that only taking back undoes: they changed more than the record.
NOT_AMENDED = (Outcome.OPTED_OUT, Outcome.SAFETY, Outcome.WRONG_NUMBER, Outcome.DISCONNECTED)


class NoSuchAttempt(NotFound):
    """This patient has no such attempt."""


class MovedOn(RuleBroken):
    """Others have acted on what was recorded, so it can't be taken back."""


class TooLate(RuleBroken):
    """Only a manager corrects what was recorded a while ago."""


class ReasonMissing(RuleBroken):
    """A record is corrected with words on why."""


@dataclass(frozen=True)
class Amended:
    """What should have been recorded."""

    outcome: Outcome
    minutes: int
    note: str
    reason: str
    form_key: str


@dataclass(frozen=True)
class Recorded:
    """One attempt as the page shows it; ``has_withdrawn``: consents ended with it."""

    attempt: Attempt
    note: str
    may_take_back: bool
    until: datetime
    has_withdrawn: bool


def of(session: Session, patient: Patient, attempt_id: int) -> Attempt:
    """Return an attempt of ``patient``, or raise NoSuchAttempt."""
    attempt = session.get(Attempt, attempt_id)
    if attempt is None or attempt.patient_id != patient.id:
        raise NoSuchAttempt("There is no such call.")
    return attempt


def recorded(session: Session, attempt: Attempt, actor: Actor, *, now: datetime) -> Recorded:
    """Return what was recorded, and whether ``actor`` may take it back."""
    note = session.scalar(select(CallNote.text).where(CallNote.attempt_id == attempt.id))
    return Recorded(
        attempt,
        note or "",
        may_take_back=attempt.caller_id == actor.staff_id and is_fresh(attempt.at, now),
        until=attempt.at + UNDO_FOR,
        has_withdrawn=bool(_withdrawn(consent.ledger(session, attempt.patient_id), attempt)),
    )


def take_back(
    session: Session,
    patient: Patient,
    attempt: Attempt,
    *,
    may_go_on: bool = False,
    actor: Actor,
    now: datetime,
) -> None:
    """Undo what one's own attempt did; a second time changes nothing. Does not commit.

    The planned call stands as it stood, its successor is cancelled, the number works again,
    promises and readings of it count no more. A concern stays, and its nurse is told. Consents
    are a ledger: they, and the programme, come back only where ``may_go_on`` says so.

    Raises:
        TooLate: it is somebody else's, or was recorded too long ago.
        MovedOn: somebody has dialled since, or the plan has changed.
    """
    if attempt.caller_id != actor.staff_id or not is_fresh(attempt.at, now):
        raise TooLate("Ten minutes have passed, or this is not yours: a manager can correct it.")
    if not _supersede(session, attempt, None, "", actor=actor, now=now):
        return
    call = session.get_one(
        PlannedCall, attempt.planned_call_id, with_for_update=True, populate_existing=True
    )
    before = _refuse_moved_on(session, attempt, call)
    _give_promises_back(session, attempt, now=now)
    readings.withdraw(session, attempt.id, now=now)
    _mend_number(session, attempt, now=now)
    _tell_nurses(session, attempt, actor=actor, now=now)
    follow_ups.open_again(
        session, attempt.enrolment_id, ended_at=attempt.at, by_staff_id=attempt.caller_id
    )
    call.dials -= 1
    if may_go_on:
        _give_consents_back(session, patient, attempt, actor=actor, now=now)
    elif attempt.outcome is Outcome.OPTED_OUT:
        return
    _resume(session, attempt, actor=actor, now=now)
    _reopen(session, attempt, call, before, now=now)
    drafts.give_back(session, call, actor, before.answers, now=now)


def amend(
    session: Session, attempt: Attempt, amended: Amended, *, actor: Actor, now: datetime
) -> None:
    """Put another attempt in the place of one, with a reason; the plan stays. Does not commit.

    A second time with the same form changes nothing.

    Raises:
        ReasonMissing: no words on why.
        MovedOn: the outcome changed more than the record, or is to.
    """
    if not amended.reason.strip():
        raise ReasonMissing("Say why this is corrected.")
    outcomes = {attempt.outcome, amended.outcome}
    if len(outcomes) > 1 and outcomes.intersection(NOT_AMENDED):
        raise MovedOn("That outcome changed more than the record. Correct minutes or note only.")
    instead = Attempt(
        form_key=amended.form_key,
        clinic_id=attempt.clinic_id,
        patient_id=attempt.patient_id,
        enrolment_id=attempt.enrolment_id,
        planned_call_id=attempt.planned_call_id,
        caller_id=attempt.caller_id,
        is_primary_caller=attempt.is_primary_caller,
        at=attempt.at,
        minutes=amended.minutes if amended.outcome.is_reached else 0,
        outcome=amended.outcome,
    )
    if not _supersede(session, attempt, instead, amended.reason.strip(), actor=actor, now=now):
        return
    if amended.note.strip():
        session.add(
            CallNote(
                clinic_id=attempt.clinic_id,
                patient_id=attempt.patient_id,
                attempt_id=instead.id,
                by_staff_id=attempt.caller_id,
                text=amended.note.strip(),
                at=attempt.at,
            )
        )
    _tell_nurses(session, attempt, actor=actor, now=now)
    _count_again(session, attempt, now=now)


def _supersede(
    session: Session,
    attempt: Attempt,
    instead: Attempt | None,
    reason: str,
    *,
    actor: Actor,
    now: datetime,
) -> bool:
    """Mark an attempt as counting no more; False where somebody did before.

    A conditional UPDATE decides between two who correct at the same moment.
    """
    claimed = session.scalar(
        update(Attempt)
        .where(Attempt.id == attempt.id, Attempt.superseded_at.is_(None))
        .values(superseded_at=now)
        .returning(Attempt.id)
    )
    if claimed is None:
        return False
    if instead is not None:
        session.add(instead)
        session.flush()
    owned = {"clinic_id": attempt.clinic_id, "patient_id": attempt.patient_id}
    session.add(
        AttemptCorrection(
            **owned,
            attempt_id=attempt.id,
            replaced_by_id=instead.id if instead else None,
            reason=reason,
            by_staff_id=actor.staff_id,
            at=now,
        )
    )
    session.execute(
        update(CallNote).where(CallNote.attempt_id == attempt.id).values(superseded_at=now)
    )
    trail.record(
        session,
        "amended a call" if instead else "took back a call",
        actor_id=actor.staff_id,
        now=now,
        about=("attempt", attempt.id),
        **owned,
    )
    return True


def _refuse_moved_on(session: Session, attempt: Attempt, call: PlannedCall) -> AttemptBefore:
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
    is_as_left = call.status is CallStatus.PLANNED or call.closed_at == attempt.at
    if later is not None or before is None or not is_as_left:
        raise MovedOn("Somebody has dialled since, or the plan has changed: it stays recorded.")
    return before


def _reopen(
    session: Session, attempt: Attempt, call: PlannedCall, before: AttemptBefore, *, now: datetime
) -> None:
    """Open a call as it stood, and cancel the one that was planned after it."""
    if call.status is not CallStatus.PLANNED:
        _cancel_successor(session, attempt, call, now=now)
    call.status, call.closed_at = CallStatus.PLANNED, None
    call.dial_from_at, call.dial_until_at = before.dial_from_at, before.dial_until_at
    call.complete_by_on, call.is_agreed = before.complete_by_on, before.is_agreed
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
    is_untouched = following.planned_at == attempt.at and following.dials == 0
    if held is not None or not is_untouched or following.is_agreed:
        raise MovedOn("The next call was changed or is being made: this one stays recorded.")
    next_call.close(session, following, CallStatus.CANCELLED, now=now)


def _resume(session: Session, attempt: Attempt, *, actor: Actor, now: datetime) -> None:
    """Let the programme go on where this attempt ended it; refuse where others stopped it."""
    enrolment = session.get_one(
        Enrolment, attempt.enrolment_id, with_for_update=True, populate_existing=True
    )
    if enrolment.status is EnrolmentStatus.ACTIVE:
        return
    if enrolment.status_at != attempt.at:
        raise MovedOn("The patient's place in the programme has changed since.")
    enrolments.change_status(
        enrolment,
        EnrolmentStatus.ACTIVE,
        reason="a call was taken back",
        now=now,
        by_staff_id=actor.staff_id,
    )


def _give_promises_back(session: Session, attempt: Attempt, *, now: datetime) -> None:
    """Open again what was ticked off in the attempt, and drop what was promised in it."""
    session.execute(
        update(Promise)
        .where(
            Promise.patient_id == attempt.patient_id,
            Promise.kept_at == attempt.at,
            Promise.kept_by_id == attempt.caller_id,
        )
        .values(kept_at=None, kept_by_id=None)
    )
    session.execute(
        update(Promise).where(Promise.attempt_id == attempt.id).values(withdrawn_at=now)
    )


def _mend_number(session: Session, attempt: Attempt, *, now: datetime) -> None:
    """Let a number work again that this attempt called wrong or disconnected."""
    if attempt.outcome.spoils_number:
        session.execute(
            update(PhoneNumber)
            .where(
                PhoneNumber.patient_id == attempt.patient_id, PhoneNumber.health_at == attempt.at
            )
            .values(health=NumberHealth.WORKING, health_at=now)
        )


def _tell_nurses(session: Session, attempt: Attempt, *, actor: Actor, now: datetime) -> None:
    raising.note_correction(
        session,
        attempt.patient_id,
        "",
        raised_at=attempt.at,
        by_staff_id=actor.staff_id,
        now=now,
    )


def _give_consents_back(
    session: Session, patient: Patient, attempt: Attempt, *, actor: Actor, now: datetime
) -> None:
    """Note as given again what held before this attempt withdrew it."""
    events = consent.ledger(session, patient.id)
    for event in _withdrawn(events, attempt):
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
            )


def _withdrawn(events: Sequence[ConsentEvent], attempt: Attempt) -> list[ConsentEvent]:
    return [event for event in events if event.at == attempt.at and not event.is_given]


def _newest_before(events: Sequence[ConsentEvent], event: ConsentEvent) -> ConsentEvent | None:
    """Return what held for the same number and channel before ``event``; newest come first."""
    same = (event.channel, event.number)
    earlier = (each for each in events if each.id < event.id)
    return next((each for each in earlier if (each.channel, each.number) == same), None)


def _count_again(session: Session, attempt: Attempt, *, now: datetime) -> None:
    """Let a planned call be completed or missed by the attempts that count now."""
    call = session.get_one(
        PlannedCall, attempt.planned_call_id, with_for_update=True, populate_existing=True
    )
    outcomes = session.scalars(
        select(Attempt.outcome).where(
            Attempt.planned_call_id == call.id, Attempt.superseded_at.is_(None)
        )
    )
    is_completed = any(outcome.completes for outcome in outcomes)
    if call.status is CallStatus.PLANNED and is_completed:
        next_call.close(session, call, CallStatus.COMPLETED, now=now)
        next_call.plan(session, [call.enrolment_id], now=now)
    elif call.status in (CallStatus.COMPLETED, CallStatus.MISSED):
        call.status = CallStatus.COMPLETED if is_completed else CallStatus.MISSED
