"""A caller's queue: who to call now, in what order and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from itertools import takewhile
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Row, Select, and_, bindparam, func, select
from sqlalchemy.orm import Session, aliased

from outreach.accounts.models import StaffMember
from outreach.accounts.rules import Actor
from outreach.calls import done, promised, trying
from outreach.calls.done import Done
from outreach.calls.models import Attempt, CallNote, Draft, Hiding, Lease, Promise
from outreach.calls.promised import Loose
from outreach.calls.rules import (
    REACHED,
    QueueFacts,
    QueueGroup,
    Score,
    group_of,
    may_wait,
    order_key,
    score_of,
)
from outreach.calls.trying import PastAttempt, RowNumber
from outreach.clock import day_began_at, local_day
from outreach.concerns.models import Concern, ConcernStep
from outreach.concerns.rules import StepKind
from outreach.orm import UTCDateTime
from outreach.panels import duty
from outreach.panels.models import PanelMembership
from outreach.patients import hours
from outreach.patients.models import Patient, PhoneNumber
from outreach.patients.rules import (
    ContactHours,
    NumberHealth,
    Wishes,
    hours_on,
    weekdays_from_mask,
)
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from outreach.programmes.models import Enrolment


@dataclass(frozen=True)
class Entry:
    """One call of the queue, with all that its row shows."""

    planned_call_id: int
    ref: str
    called: str
    full_name: str
    language: str
    zone: str
    facts: QueueFacts
    complete_by_on: date
    last_note: str | None
    last_note_at: datetime | None
    promise_id: int | None
    promise: str | None
    promise_on: date | None
    held_by: str | None
    held_until: datetime | None
    covered_for: str | None
    has_draft: bool
    hidden_because: str | None
    attempts: Sequence[PastAttempt]
    numbers: Sequence[RowNumber]
    tries_a_day: int

    @property
    def tried_today(self) -> int:
        """How often this call was tried on the patient's own day."""
        zone = ZoneInfo(self.zone)
        today = local_day(self.facts.now, zone)
        return sum(local_day(each.at, zone) == today for each in self.attempts)

    @property
    def group(self) -> QueueGroup:
        """The part of the queue it stands in."""
        return group_of(self.facts)

    @property
    def score(self) -> Score:
        """Why it stands where it stands."""
        return score_of(self.facts)

    @property
    def may_wait_a_day(self) -> bool:
        """Whether nothing is lost where it comes again tomorrow."""
        return may_wait(self.facts) and not self.facts.is_last_day

    @property
    def is_hidden(self) -> bool:
        """Whether somebody said 'not today'; what must not wait is shown all the same."""
        return self.hidden_because is not None and may_wait(self.facts)


@dataclass(frozen=True)
class Queue:
    """A caller's day, split by state, each part in the order to work it.

    ``loose``: promises that are due while no call is planned.
    """

    entries: Sequence[Entry]
    done: Sequence[Done]
    loose: Sequence[Loose] = ()

    @property
    def closing(self) -> int:
        """How many calls of today have their last day."""
        return sum(
            each.facts.is_last_day and each.group in (QueueGroup.NOW, QueueGroup.LATER)
            for each in self.entries
        )

    @property
    def finished(self) -> int:
        """How many calls were completed or given up today, however many dials they took."""
        return sum(each.status is not CallStatus.PLANNED for each in self.done)

    def of(self, group: QueueGroup) -> list[Entry]:
        """Return the entries of one part that are theirs to work now."""
        return [
            entry
            for entry in self.entries
            if entry.group is group and entry.held_by is None and not entry.is_hidden
        ]

    @property
    def hidden(self) -> list[Entry]:
        """Return the entries that are not for today, because somebody said so."""
        return [entry for entry in self.entries if entry.held_by is None and entry.is_hidden]

    @property
    def with_others(self) -> list[Entry]:
        """Return the entries that somebody else has open now: theirs to call, not ours."""
        return [entry for entry in self.entries if entry.held_by is not None]


def queue_of(session: Session, actor: Actor, *, now: datetime) -> Queue:
    """Return the queue of ``actor`` at ``now``. Eight statements, for 3 patients or 300."""
    wanted = {"caller_id": actor.staff_id, "now": now}
    rows = session.execute(_open_calls(), wanted).all()
    book = hours.book_of(session, today=now.date(), clinic_ids={row.clinic_id for row in rows})
    tried = trying.attempts_of(session, [row.id for row in rows if row.dials])
    numbers = trying.numbers_of(session, [row.patient_id for row in rows])
    tries = trying.tries_a_day(session)
    zone = ZoneInfo(actor.zone)
    day_ends_at = day_began_at(now, zone) + timedelta(days=1)
    entries = [
        _entry(
            row,
            tried.get(row.id, ()),
            actor.staff_id,
            book.of(row.clinic_id, row.state),
            numbers=numbers.get(row.patient_id, ()),
            tries_a_day=tries.get(row.version_id, 0),
            now=now,
            day_ends_at=day_ends_at,
        )
        for row in rows
    ]
    entries.sort(key=lambda entry: (*order_key(entry.facts), entry.planned_call_id))
    loose = promised.without_call(session, actor, now=now)
    return Queue(entries, done.today(session, actor, now=now), loose)


def next_ref(session: Session, actor: Actor, *, now: datetime) -> str | None:
    """Return the patient to call next: the first in NOW that nobody else has open."""
    first = next(iter(queue_of(session, actor, now=now).of(QueueGroup.NOW)), None)
    return first.ref if first else None


@cache
def _open_calls() -> Select[*tuple[Any, ...]]:
    """Return the statement of a queue, for ``caller_id`` and ``now``; built once."""
    caller_id: ColumnElement[int] = bindparam("caller_id")
    holder = aliased(StaffMember)
    now: ColumnElement[datetime] = bindparam("now", type_=UTCDateTime())
    others = and_(
        Lease.planned_call_id == PlannedCall.id,
        Lease.staff_id != caller_id,
        Lease.until_at > now,
    )
    return (
        select(
            PlannedCall.id,
            PlannedCall.phase,
            PlannedCall.patient_id,
            Enrolment.version_id,
            PlannedCall.sequence,
            PlannedCall.complete_by_on,
            PlannedCall.dial_from_at,
            PlannedCall.dial_until_at,
            PlannedCall.is_agreed,
            PlannedCall.dials,
            Patient.ref,
            Patient.given_name,
            Patient.family_name,
            Patient.preferred_name,
            Patient.language,
            Patient.zone,
            Patient.weekdays,
            PlannedCall.clinic_id,
            Patient.state,
            StaffMember.id.label("dedicated_id"),
            StaffMember.name.label("dedicated_name"),
            _one(
                select(PhoneNumber.id).where(
                    PhoneNumber.patient_id == Patient.id,
                    PhoneNumber.health == NumberHealth.WORKING,
                )
            ).label("number_id"),
            _one(_newest_note(CallNote.text)).label("last_note"),
            _one(_newest_note(CallNote.at)).label("last_note_at"),
            _one(_next_promise(Promise.id)).label("promise_id"),
            _one(_next_promise(Promise.text)).label("promise"),
            _one(_next_promise(Promise.due_on)).label("promise_on"),
            _one(_before(0)).label("status_before"),
            _one(_before(1)).label("status_two_before"),
            _one(_last_conversation()).label("spoken_at"),
            _one(_nurses_answer()).label("answered_at"),
            _one(select(holder.name).join(Lease, Lease.staff_id == holder.id).where(others)).label(
                "held_by"
            ),
            _one(select(Lease.until_at).where(others)).label("held_until"),
            _one(
                select(Draft.id).where(
                    Draft.planned_call_id == PlannedCall.id,
                    Draft.staff_id == caller_id,
                    Draft.version > 0,
                )
            ).label("draft_id"),
            _one(
                select(Hiding.reason).where(
                    Hiding.planned_call_id == PlannedCall.id,
                    Hiding.until_at > now,
                    Hiding.shown_again_at.is_(None),
                )
            ).label("hidden_because"),
        )
        .select_from(PanelMembership)
        .join(PlannedCall, PlannedCall.enrolment_id == PanelMembership.enrolment_id)
        .join(Enrolment, Enrolment.id == PlannedCall.enrolment_id)
        .join(Patient, Patient.id == PlannedCall.patient_id)
        .join(StaffMember, StaffMember.id == PanelMembership.caller_id)
        .where(
            duty.enrolments_of(caller_id, now),
            PlannedCall.status == CallStatus.PLANNED,
        )
        .order_by(PlannedCall.dial_from_at, PlannedCall.id)
    )


def _one(query: Select[Any]) -> ColumnElement[Any]:
    return query.correlate(PlannedCall, Patient).limit(1).scalar_subquery()


def _before(skipped: int) -> Select[Any]:
    """Select what became of an earlier call of the enrolment; cancelled ones were none."""
    earlier = aliased(PlannedCall)
    return (
        select(earlier.status)
        .where(
            earlier.enrolment_id == PlannedCall.enrolment_id,
            earlier.sequence < PlannedCall.sequence,
            earlier.status != CallStatus.CANCELLED,
        )
        .order_by(earlier.sequence.desc())
        .offset(skipped)
    )


def _last_conversation() -> Select[Any]:
    return (
        select(Attempt.at)
        .where(
            Attempt.patient_id == Patient.id,
            Attempt.outcome.in_(REACHED),
            Attempt.superseded_at.is_(None),
        )
        .order_by(Attempt.at.desc())
    )


def _nurses_answer() -> Select[Any]:
    """Select when a nurse last wrote about a concern: the caller comes back to it."""
    return (
        select(ConcernStep.at)
        .join(Concern, Concern.id == ConcernStep.concern_id)
        .where(
            Concern.patient_id == Patient.id,
            ConcernStep.kind.in_((StepKind.NOTED, StepKind.CLOSED)),
        )
        .order_by(ConcernStep.at.desc())
    )


def _newest_note(column: Any) -> Select[Any]:
    return (
        select(column)
        .where(CallNote.patient_id == Patient.id, CallNote.superseded_at.is_(None))
        .order_by(CallNote.at.desc(), CallNote.id.desc())
    )


def _next_promise(column: Any) -> Select[Any]:
    return (
        select(column)
        .where(
            Promise.patient_id == Patient.id,
            Promise.kept_at.is_(None),
            Promise.withdrawn_at.is_(None),
        )
        .order_by(func.coalesce(Promise.due_on, date.max), Promise.id)
    )


def _entry(
    row: Row[Any],
    attempts: Sequence[PastAttempt],
    caller_id: int,
    usual: ContactHours,
    *,
    numbers: Sequence[RowNumber],
    tries_a_day: int,
    now: datetime,
    day_ends_at: datetime,
) -> Entry:
    zone = ZoneInfo(row.zone)
    today = local_day(now, zone)
    wishes = Wishes(weekdays_from_mask(row.weekdays))
    lawful = hours_on(today, zone, usual.wished(wishes))
    is_lawful = lawful is not None and lawful.from_at <= now < lawful.until_at
    facts = QueueFacts(
        now=now,
        day_ends_at=day_ends_at,
        dial_from_at=row.dial_from_at,
        dial_until_at=row.dial_until_at,
        lawful_until_at=lawful.until_at if lawful and is_lawful else None,
        is_agreed=row.is_agreed,
        is_last_day=row.complete_by_on <= today,
        is_first_call=row.sequence == 1,
        missed_in_a_row=_missed_in_a_row(row.status_before, row.status_two_before),
        dials=row.dials,
        has_number=row.number_id is not None,
        is_promise_due=row.promise_on is not None and row.promise_on <= today,
        spoken_at=row.spoken_at,
        answered_at=row.answered_at,
    )
    return Entry(
        planned_call_id=row.id,
        ref=row.ref,
        called=row.preferred_name or row.given_name,
        full_name=f"{row.given_name} {row.family_name}",
        language=row.language,
        zone=row.zone,
        facts=facts,
        complete_by_on=row.complete_by_on,
        last_note=row.last_note,
        last_note_at=row.last_note_at,
        promise_id=row.promise_id,
        promise=row.promise,
        promise_on=row.promise_on,
        held_by=row.held_by,
        held_until=row.held_until,
        covered_for=row.dedicated_name if row.dedicated_id != caller_id else None,
        has_draft=row.draft_id is not None,
        hidden_because=row.hidden_because,
        attempts=attempts,
        numbers=numbers,
        tries_a_day=tries_a_day,
    )


def _missed_in_a_row(*before: CallStatus | None) -> int:
    """Count the missed calls right before this one, newest first; more than two is two."""
    return len(list(takewhile(lambda status: status is CallStatus.MISSED, before)))
