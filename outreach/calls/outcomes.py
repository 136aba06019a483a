"""Recording how a call went, and what follows from it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from outreach import absent
from outreach.accounts.rules import Actor
from outreach.audit import trail
from outreach.built_once import built_once
from outreach.calls import drafts, ending, leases, overtaken, promised, seldom_there, told, tried
from outreach.calls.ending import AS_BEFORE, Afterwards, Ending
from outreach.calls.models import Attempt, AttemptBefore, CallNote
from outreach.calls.rules import Outcome
from outreach.concerns import at_once, low_sugar, raising
from outreach.concerns.low_sugar import Said
from outreach.concerns.models import Concern
from outreach.errors import RuleBroken, Stale
from outreach.goals import setting
from outreach.measures.readings import ReportedReading
from outreach.measures.rules import ReadingSource
from outreach.panels import duty
from outreach.patients import registry
from outreach.patients.models import Patient
from outreach.patients.rules import NumberHealth
from outreach.phoning import bridging, returning
from outreach.planning import follow_ups, next_call, retrying
from outreach.planning.models import PlannedCall
from outreach.planning.retrying import Agreed
from outreach.planning.rules import CallStatus, PastDial
from outreach.questionnaires import item_by_item
from outreach.results import entering


class CallAlreadyClosed(Stale):
    """Somebody recorded this call first, or the plan moved on."""


class OtherWords(Stale):
    """Another tab typed something else about this call: choose first."""


@dataclass(frozen=True)
class CallReport:
    """What a caller wrote down about one dial.

    ``agreed`` is the call-back that the patient asked for; ``promise_on`` and ``agreed``
    are on the patient's calendar and clock. ``form_key`` makes a double save one attempt.
    ``answers`` is what was typed, to give it back if the attempt is taken back. ``ended_at``
    is when Save was pressed, where that was earlier: the page had no connection. ``low_said``
    is what was said to the low-sugar card, None where no blood sugar was low.
    """

    form_key: str
    outcome: Outcome
    minutes: int
    note: str = ""
    agreed: Agreed | None = None
    promise: str = ""
    promise_on: date | None = None
    kept_promise_ids: tuple[int, ...] = ()
    readings: tuple[ReportedReading, ...] = ()
    low_said: Said | None = None
    number_id: int | None = None
    answers_hash: str = ""
    ended_at: datetime | None = None
    afterwards: Afterwards = AS_BEFORE
    answers: Mapping[str, Any] = field(default_factory=dict)
    goal_news: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Event:
    """One attempt on its way through the consequences below."""

    session: Session
    patient: Patient
    call: PlannedCall
    attempt: Attempt
    report: CallReport
    actor: Actor
    now: datetime


def recorded(session: Session, form_key: str) -> Attempt | None:
    """Return the attempt that the form with this key was recorded as, if it was."""
    if absent.is_known(session, Attempt.form_key, form_key):
        return None
    return session.scalar(*_recorded_as(form_key))


@built_once
def _recorded_as(form_key: Any) -> Select[Attempt]:
    return select(Attempt).where(Attempt.form_key == form_key)


def record(
    session: Session,
    patient: Patient,
    call_id: int,
    report: CallReport,
    *,
    actor: Actor,
    now: datetime,
) -> Attempt:
    """Keep one dial with all that was said, and do what its outcome asks for.

    A second time with the same ``form_key`` and answers returns the attempt of the first.
    Does not commit.

    Raises:
        CallAlreadyClosed: the call is not open any more, or other answers were recorded
            under this key; roll back, and nothing is changed.
        OtherWords: another tab typed something else, and nobody has chosen yet.
        TimePassed: the agreed time is over.
    """
    call = _claim(session, patient, call_id, report)
    # Somebody may have sent the same form at the same moment: they held the row until now.
    known = _same(recorded(session, report.form_key), report)
    if known is not None and call is not None:
        call.dials -= 1
    if known is not None:
        return known
    if call is None:
        raise CallAlreadyClosed("This call was recorded already, or the plan has changed.")
    if drafts.asides_of(session, call, actor):
        raise OtherWords("Another tab holds other words about this call.")
    attempt = _add_attempt(session, call, report, actor, now=now)
    event = Event(session, patient, call, attempt, report, actor, now)
    _keep_words(event)
    _keep_readings(event)
    ending.begin(_ending(event), report.afterwards)
    _CONSEQUENCES[report.outcome](event)
    ending.settle(_ending(event), report.afterwards)
    if report.promise:
        promised.make(session, patient, attempt, report.promise, report.promise_on, now=now)
    if report.afterwards.tells_missed:
        tried.tell(session, patient, attempt, actor, now=now)
    if report.outcome.is_reached:
        overtaken.drop(session, patient.id, now=now)
        follow_ups.end_by_conversation(
            session, call.enrolment_id, by_staff_id=actor.staff_id, now=now
        )
    item_by_item.finish_whole(session, patient, actor=actor, now=now)
    drafts.drop(session, call, actor)
    leases.release(session, call, actor)
    trail.record(
        session,
        "recorded a call",
        actor_id=actor.staff_id,
        now=now,
        clinic_id=call.clinic_id,
        patient_id=call.patient_id,
        about=("attempt", attempt.id),
    )
    return attempt


def _same(known: Attempt | None, report: CallReport) -> Attempt | None:
    """Return ``known`` where it is this very report sent again."""
    if known is not None and known.answers_hash != report.answers_hash:
        raise CallAlreadyClosed("Something else was recorded from this page before.")
    return known


def _claim(
    session: Session, patient: Patient, call_id: int, report: CallReport
) -> PlannedCall | None:
    """Return the open call, with one more dial counted; a conditional UPDATE decides.

    Then what of it need not be read is found out, while nobody else adds to it.
    """
    call = session.scalar(*_claimed(call_id, patient.id))
    if call is None:
        return None
    if report.outcome.is_reached:
        follow_ups.hold(session, call.enrolment_id)
    seldom_there.look_ahead_to_record(session, call, report.form_key)
    return call


@built_once
def _claimed(call: Any, patient: Any) -> ReturningUpdate[PlannedCall]:
    return (
        update(PlannedCall)
        .where(
            PlannedCall.id == call,
            PlannedCall.patient_id == patient,
            PlannedCall.is_open,
        )
        .values(dials=PlannedCall.dials + 1)
        .returning(PlannedCall)
        .execution_options(populate_existing=True, synchronize_session=False)
    )


def _add_attempt(
    session: Session, call: PlannedCall, report: CallReport, actor: Actor, *, now: datetime
) -> Attempt:
    at = min(report.ended_at or now, now)
    minutes = report.minutes if report.outcome.is_reached else 0
    since = at - timedelta(minutes=minutes)
    is_own = session.scalar(*_is_own(call.enrolment_id, call.id, actor.staff_id, since, at))
    attempt = Attempt(
        form_key=report.form_key,
        answers_hash=report.answers_hash,
        clinic_id=call.clinic_id,
        patient_id=call.patient_id,
        enrolment_id=call.enrolment_id,
        planned_call_id=call.id,
        caller_id=actor.staff_id,
        is_primary_caller=bool(is_own),
        at=at,
        saved_at=now,
        minutes=minutes,
        outcome=report.outcome,
        phone_call_id=bridging.write_down(session, call.id, actor.staff_id, now=now),
    )
    if report.outcome.is_reached:
        returning.talked(session, call.patient_id, actor.staff_id, now=now)
    session.add(attempt)
    session.flush()
    session.add(
        AttemptBefore(
            attempt_id=attempt.id,
            dial_from_at=call.dial_from_at,
            dial_until_at=call.dial_until_at,
            complete_by_on=call.complete_by_on,
            is_agreed=call.is_agreed,
            answers=dict(report.answers),
        )
    )
    return attempt


@built_once
def _is_own(enrolment_id: Any, call_id: Any, staff_id: Any, since: Any, until: Any) -> Select[bool]:
    begins = (since, leases.started_at(call_id, staff_id))
    return select(duty.was_own_caller(enrolment_id, staff_id, since=begins, until=until))


def _keep_words(event: Event) -> None:
    """Keep the note, news of goals, and which promises were kept."""
    session, report, call = event.session, event.report, event.call
    owned = {"clinic_id": call.clinic_id, "patient_id": call.patient_id}
    author = {"attempt_id": event.attempt.id, "by_staff_id": event.actor.staff_id}
    if report.note:
        session.add(CallNote(**owned, **author, text=report.note, at=event.now))
    if report.goal_news:
        setting.note_news(session, call.patient_id, report.goal_news, **author, now=event.now)
    if report.kept_promise_ids:
        promised.keep(session, call.patient_id, report.kept_promise_ids, event.actor, now=event.now)


def _keep_readings(event: Event) -> None:
    """Keep what was measured; a value that somebody must look at raises a concern."""
    before: Sequence[Concern] = ()
    if event.report.outcome.is_reached:
        before = told.of_call(event.session, event.patient, event.attempt, now=event.now)
    kept = entering.keep(
        event.session,
        event.patient,
        event.report.readings,
        source=ReadingSource.CALL,
        actor=event.actor,
        now=event.now,
        attempt_id=event.attempt.id,
        note=event.report.note,
        told=before,
    )
    at_once.note_unjoined(event.session, before, by_staff_id=event.actor.staff_id, now=event.now)
    if event.report.low_said is not None:
        low_sugar.note_answer(
            event.session,
            event.patient,
            [each.id for each in kept],
            event.report.low_said,
            by_staff_id=event.actor.staff_id,
            now=event.now,
        )


def _complete(event: Event) -> None:
    next_call.close(event.session, event.call, CallStatus.COMPLETED, now=event.now)
    next_call.plan(event.session, [event.call.enrolment_id], now=event.now)


def _complete_with_concern(event: Event) -> None:
    raising.raise_with_call(
        event.session,
        event.patient,
        event.report.note,
        by_staff_id=event.actor.staff_id,
        since=told.last_recorded(
            event.session, event.patient.id, event.actor.staff_id, besides=event.attempt.id
        ),
        now=event.now,
    )
    _complete(event)


def _call_back(event: Event) -> None:
    if event.report.agreed is None:
        raise RuleBroken("A call-back needs its day and time.")
    retrying.agree(event.session, event.call, event.report.agreed, now=event.now)


def _by_somebody_else(event: Event) -> None:
    """Ring when whoever answered said that the patient is there; else try as usual."""
    if event.report.agreed is None:
        _try_again(event)
    else:
        retrying.agree(event.session, event.call, event.report.agreed, now=event.now)


def _try_again(event: Event) -> None:
    _retry(event, is_over_for_today=False)


def _try_tomorrow(event: Event) -> None:
    _retry(event, is_over_for_today=True)


def _retry(event: Event, *, is_over_for_today: bool) -> None:
    dials = dials_of(event.session, event.call.id)
    retrying.try_again_or_miss(
        event.session, event.call, dials, is_over_for_today=is_over_for_today, now=event.now
    )


def _spoil(health: NumberHealth) -> Callable[[Event], None]:
    def spoil(event: Event) -> None:
        """Never dial this number again; another working one may be dialled at once."""
        dialled = event.report.number_id
        if dialled is None:
            first = registry.working_number(event.session, event.patient.id)
            dialled = first.id if first else None
        if dialled is not None:
            registry.spoil_number(event.session, event.patient.id, dialled, health, now=event.now)

    return spoil


def _stop(event: Event) -> None:
    ending.stop(_ending(event), event.report.afterwards.words)
    next_call.close(event.session, event.call, CallStatus.CANCELLED, now=event.now)


def _ending(event: Event) -> Ending:
    return Ending(event.session, event.patient, event.call.enrolment_id, event.actor, event.now)


_CONSEQUENCES: dict[Outcome, Callable[[Event], None]] = {
    Outcome.COMPLETED: _complete,
    Outcome.SAFETY: _complete_with_concern,
    Outcome.CALL_BACK: _call_back,
    Outcome.DECLINED_TODAY: _try_tomorrow,
    Outcome.OPTED_OUT: _stop,
    Outcome.NO_ANSWER: _try_again,
    Outcome.VOICEMAIL_LEFT: _try_again,
    Outcome.VOICEMAIL_NOT_ALLOWED: _try_again,
    Outcome.BUSY: _try_again,
    Outcome.THIRD_PARTY: _by_somebody_else,
    Outcome.WRONG_NUMBER: _spoil(NumberHealth.WRONG),
    Outcome.DISCONNECTED: _spoil(NumberHealth.DISCONNECTED),
}


def dials_of(session: Session, planned_call_id: int) -> Sequence[PastDial]:
    """Return the tries of a planned call that count, in order."""
    rows = session.execute(
        select(Attempt.at, Attempt.outcome)
        .where(Attempt.planned_call_id == planned_call_id, Attempt.superseded_at.is_(None))
        .order_by(Attempt.at, Attempt.id)
    )
    return counting((at, outcome) for at, outcome in rows)


def counting(tries: Iterable[tuple[datetime, Outcome]]) -> Sequence[PastDial]:
    """Return those of ``tries`` since the patient last named a time, in their order.

    Somebody who asked for another time has answered: trying begins anew.
    """
    since: list[PastDial] = []
    for at, outcome in tries:
        since = [] if outcome is Outcome.CALL_BACK else [*since, PastDial(at)]
    return since
