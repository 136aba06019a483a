"""Taking a recorded call back, or putting it right: by new rows, never by deletion.

Within UNDO_FOR the caller takes their own attempt back: what it did is undone as far as it
can be, and what was typed is in the form again. Later, a manager amends the record with a
reason; the plan, which others may have acted on, then stays as it is.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from outreach.accounts.rules import Actor
from outreach.audit import trail
from outreach.calls import drafts, last_talk, overtaken, restoring
from outreach.calls.models import (
    Attempt,
    AttemptCorrection,
    CallNote,
)
from outreach.calls.rules import UNDO_FOR, Outcome, is_fresh
from outreach.concerns import raising
from outreach.errors import NotFound, RuleBroken
from outreach.measures import newest
from outreach.patients import consent
from outreach.patients.models import Patient
from outreach.phoning import bridging, returning
from outreach.planning import follow_ups, next_call
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus

# Outcomes that only taking back undoes: they changed more than the record.
NOT_AMENDED = (Outcome.OPTED_OUT, Outcome.SAFETY, Outcome.WRONG_NUMBER, Outcome.DISCONNECTED)


class NoSuchAttempt(NotFound):
    """This patient has no such attempt."""


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
    ledger = consent.ledger(session, attempt.patient_id)
    return Recorded(
        attempt,
        note or "",
        may_take_back=attempt.caller_id == actor.staff_id and is_fresh(attempt.recorded_at, now),
        until=attempt.recorded_at + UNDO_FOR,
        has_withdrawn=bool(restoring.withdrawn(ledger, attempt)),
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
    if attempt.caller_id != actor.staff_id or not is_fresh(attempt.recorded_at, now):
        raise TooLate("Ten minutes have passed, or this is not yours: a manager can correct it.")
    if not _supersede(session, attempt, None, "", actor=actor, now=now):
        return
    # The next call before the enrolment, as whoever changes the plan holds them.
    next_call.lock(session, attempt.enrolment_id)
    call = session.get_one(
        PlannedCall, attempt.planned_call_id, with_for_update=True, populate_existing=True
    )
    before = restoring.refuse_moved_on(session, attempt, call)
    restoring.give_promises_back(session, attempt, now=now)
    newest.withdraw(session, attempt.id, now=now)
    restoring.mend_number(session, attempt, now=now)
    _tell_nurses(session, attempt, actor=actor, now=now)
    follow_ups.open_again(
        session,
        attempt.enrolment_id,
        ended_at=attempt.recorded_at,
        by_staff_id=attempt.caller_id,
    )
    returning.open_again(session, attempt.patient_id, actor.staff_id, closed_at=attempt.recorded_at)
    overtaken.drop(session, patient.id, now=now)
    call.dials -= 1
    if may_go_on:
        restoring.give_consents_back(session, patient, attempt, actor=actor, now=now)
    elif attempt.outcome is Outcome.OPTED_OUT:
        return
    restoring.resume(session, attempt, actor=actor, now=now)
    restoring.reopen(session, attempt, call, before, now=now)
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
        raise restoring.MovedOn(
            "That outcome changed more than the record. Correct minutes or note only."
        )
    instead = Attempt(
        form_key=amended.form_key,
        clinic_id=attempt.clinic_id,
        patient_id=attempt.patient_id,
        enrolment_id=attempt.enrolment_id,
        planned_call_id=attempt.planned_call_id,
        caller_id=attempt.caller_id,
        is_primary_caller=attempt.is_primary_caller,
        at=attempt.at,
        saved_at=attempt.saved_at,
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
    overtaken.drop(session, attempt.patient_id, now=now)
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
    last_talk.find_again(session, attempt.patient_id)
    _pass_phone_call_on(session, attempt, instead)
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


def _pass_phone_call_on(session: Session, attempt: Attempt, instead: Attempt | None) -> None:
    """Tie the telephone call to what is recorded in the place of ``attempt``, now or later."""
    phone_call_id, attempt.phone_call_id = attempt.phone_call_id, None
    session.flush()
    if instead is not None:
        instead.phone_call_id = phone_call_id
        session.add(instead)
        session.flush()
    elif phone_call_id is not None:
        bridging.write_down_again(session, phone_call_id)


def _tell_nurses(session: Session, attempt: Attempt, *, actor: Actor, now: datetime) -> None:
    raising.note_correction(
        session,
        attempt.patient_id,
        "",
        raised_at=attempt.recorded_at,
        by_staff_id=actor.staff_id,
        now=now,
    )


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
    if call.is_open and is_completed:
        next_call.close(session, call, CallStatus.COMPLETED, now=now)
        next_call.plan(session, [call.enrolment_id], now=now)
    elif call.status in (CallStatus.COMPLETED, CallStatus.MISSED):
        call.status = CallStatus.COMPLETED if is_completed else CallStatus.MISSED
