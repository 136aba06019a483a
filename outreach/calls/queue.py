"""A caller's queue: who to call now, in what order and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache, cached_property
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from outreach.accounts.rules import Actor
from outreach.calls import done, open_calls, promised, trying
from outreach.calls.done import Done, Removed
from outreach.calls.open_calls import OpenCall
from outreach.calls.promised import Loose
from outreach.calls.rules import (
    AskedBy,
    QueueFacts,
    QueueGroup,
    Rest,
    Score,
    asked_by,
    group_of,
    may_wait,
    order_key,
    rest_of,
    score_of,
)
from outreach.calls.trying import PastAttempt, RowNumber
from outreach.clock import day_began_at, local_day
from outreach.patients import hours
from outreach.patients.rules import (
    ContactHours,
    Wishes,
    hours_on,
    may_agree,
    next_allowed_at,
    weekdays_from_mask,
)
from outreach.planning.rules import CallStatus


class Entry(NamedTuple):
    """One call of the queue, with all that its row shows.

    ``tried_today`` counts on the patient's own day. ``asked_by``: who asked for the time at which
    this call is now. ``rest``: why a call that is due is not to be made now; such a one stands
    apart, and what must not wait has none. ``ends_in_days``: how many are left after today, where
    the patient is, until it counts as missed.
    """

    planned_call_id: int
    ref: str
    called: str
    full_name: str
    language: str
    zone: str
    facts: QueueFacts
    group: QueueGroup
    score: Score
    rest: Rest | None
    complete_by_on: date
    ends_in_days: int
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
    tried_today: int
    asked_by: AskedBy | None
    numbers: Sequence[RowNumber]
    tries_a_day: int
    started_at: datetime | None

    @property
    def may_wait_a_day(self) -> bool:
        """Whether nothing is lost where it comes again tomorrow."""
        return may_wait(self.facts) and not self.facts.is_last_day

    @property
    def is_hidden(self) -> bool:
        """Whether it stands apart, with the reason; what must not wait is shown all the same."""
        return self.rest is not None


@dataclass(frozen=True)
class Queue:
    """A caller's day, split by state, each part in the order to work it.

    ``loose``: promises that are due while no call is planned. ``covered``: how many calls
    stand with somebody's cover, left out or not. ``removed``: what left the list without them.
    """

    entries: Sequence[Entry]
    done: Sequence[Done]
    loose: Sequence[Loose] = ()
    covered: int = 0
    removed: Sequence[Removed] = ()

    @property
    def ending(self) -> Sequence[Entry]:
        """The calls that count as missed unless they are made today or tomorrow, by their end."""
        soon = [
            each
            for each in self.entries
            if each.ends_in_days <= 1 and each.group is not QueueGroup.NUMBER_TO_FIX
        ]
        return sorted(soon, key=lambda each: (each.ends_in_days, each.facts.dial_from_at))

    @property
    def unfinished(self) -> Sequence[Entry]:
        """The calls that its caller started and has not written down, nor left for later."""
        return [each for each in self.entries if each.started_at is not None]

    @property
    def asked_for_now(self) -> int:
        """How many patients asked to be called now, whoever has their call open."""
        return sum(
            each.facts.is_agreed
            and not each.facts.is_barred
            and each.facts.dial_from_at <= each.facts.now < each.facts.dial_until_at
            for each in self.entries
        )

    @property
    def finished(self) -> int:
        """How many calls were completed or given up today, however many dials they took."""
        return sum(each.status is not CallStatus.PLANNED for each in self.done)

    def of(self, group: QueueGroup) -> list[Entry]:
        """Return the entries of one part that are theirs to work now."""
        return self._parts.get(group, [])

    @cached_property
    def _parts(self) -> dict[QueueGroup, list[Entry]]:
        found: dict[QueueGroup, list[Entry]] = {}
        for entry in self.entries:
            if entry.held_by is None and not entry.is_hidden:
                found.setdefault(entry.group, []).append(entry)
        return found

    @property
    def hidden(self) -> list[Entry]:
        """Return the entries that are not for now, each with its reason."""
        return [entry for entry in self.entries if entry.held_by is None and entry.is_hidden]

    @property
    def with_others(self) -> list[Entry]:
        """Return the entries that somebody else has open now: theirs to call, not ours."""
        return [entry for entry in self.entries if entry.held_by is not None]


def queue_of(session: Session, actor: Actor, *, now: datetime) -> Queue:
    """Return the queue of ``actor`` at ``now``. Five statements, for 3 patients or 300."""
    entries = _entries(session, actor, now=now)
    loose = promised.without_call(session, actor, now=now)
    covered = sum(entry.covered_for is not None for entry in entries)
    if actor.sees_own_only:
        entries = _own(entries)
    dealt_with, removed = done.today(session, actor, now=now)
    return Queue(entries, dealt_with, loose, covered, removed)


def next_ref(session: Session, actor: Actor, *, now: datetime) -> str | None:
    """Return the patient to call next: the first in NOW that nobody else has open."""
    entries = _entries(session, actor, now=now, has_begun=True)  # as all in NOW
    if actor.sees_own_only:
        entries = _own(entries)
    first = next(iter(Queue(entries, done=()).of(QueueGroup.NOW)), None)
    return first.ref if first else None


def _entries(
    session: Session, actor: Actor, *, now: datetime, has_begun: bool = False
) -> list[Entry]:
    """Return the open calls in the order to work them, those of one's cover too.

    Args:
        has_begun: only those whose time to dial has come.
    """
    rows = open_calls.of(session, actor.staff_id, now=now, has_begun=has_begun)
    book = hours.book_of(session, today=now.date(), clinic_ids={row.clinic_id for row in rows})
    day_ends_at = day_began_at(now, ZoneInfo(actor.zone)) + timedelta(days=1)

    @cache
    def there(clinic_id: int, state: str | None, zone: str, weekdays: int) -> _There:
        wishes = Wishes(weekdays_from_mask(weekdays))
        return _There(now, ZoneInfo(zone), book.of(clinic_id, state).wished(wishes))

    entries = [
        _entry(
            row,
            actor.staff_id,
            there(row.clinic_id, row.state, row.zone, row.weekdays),
            day_ends_at=day_ends_at,
        )
        for row in rows
    ]
    return sorted(
        entries,
        key=lambda each: (*order_key(each.facts, each.group, each.score), each.planned_call_id),
    )


def _own(entries: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in entries if entry.covered_for is None]


class _There:
    """What holds now where a patient is: the same for all who live there and wish the same."""

    def __init__(self, now: datetime, zone: ZoneInfo, theirs: ContactHours) -> None:
        self.now, self.zone, self._theirs = now, zone, theirs
        self.today = local_day(now, zone)
        lawful = hours_on(self.today, zone, theirs)
        self.is_lawful = lawful is not None and lawful.from_at <= now < lawful.until_at
        self.lawful_until_at = lawful.until_at if lawful and self.is_lawful else None
        self.is_barred = not self.is_lawful and not may_agree(now, zone, theirs)

    @cached_property
    def opens_at(self) -> datetime:
        """When calling is allowed again."""
        return next_allowed_at(self.now, self.zone, self._theirs)

    def is_today(self, at: datetime) -> bool:
        """Say whether ``at`` falls on the day that it is there now."""
        return local_day(at, self.zone) == self.today


def _entry(row: OpenCall, caller_id: int, there: _There, *, day_ends_at: datetime) -> Entry:
    numbers, attempts = trying.numbers_in(row.numbers), trying.attempts_in(row.tries)
    facts = _facts(row, there, has_number=any(each.works for each in numbers), until=day_ends_at)
    group = group_of(facts)
    tried_today = sum(there.is_today(each.at) for each in attempts)
    is_put_off = row.hidden_because is not None
    rest = rest_of(facts, is_put_off=is_put_off, was_tried_today=tried_today > 0)
    if group is QueueGroup.PROMISED and rest is not Rest.SAID:
        rest = None  # a promise alone never rests for tries
    return Entry(
        planned_call_id=row.id,
        ref=row.ref,
        called=row.preferred_name or row.given_name,
        full_name=f"{row.given_name} {row.family_name}",
        language=row.language,
        zone=row.zone,
        facts=facts,
        group=group,
        score=score_of(facts),
        rest=rest,
        complete_by_on=row.complete_by_on,
        ends_in_days=(row.complete_by_on - there.today).days,
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
        tried_today=tried_today,
        asked_by=asked_by(attempts[-1].outcome if attempts else None, is_agreed=row.is_agreed),
        numbers=numbers,
        tries_a_day=row.tries_a_day,
        started_at=row.started_at,
    )


def _facts(row: OpenCall, there: _There, *, has_number: bool, until: datetime) -> QueueFacts:
    """Return what the place of a call depends on; ``until`` the caller's own day lasts."""
    now, today = there.now, there.today
    is_kept = row.is_agreed and not there.is_barred and now < row.dial_until_at
    is_closed = row.dial_from_at <= now and not there.is_lawful and not is_kept
    return QueueFacts(
        now=now,
        day_ends_at=until,
        dial_from_at=row.dial_from_at,
        dial_until_at=row.dial_until_at,
        lawful_until_at=there.lawful_until_at,
        is_agreed=row.is_agreed,
        is_last_day=row.complete_by_on <= today,
        is_first_call=row.sequence == 1,
        missed_in_a_row=_missed_in_a_row(row.status_before, row.status_two_before),
        dials=row.dials,
        has_number=has_number,
        is_promise_due=row.promise_on is not None and row.promise_on <= today,
        spoken_at=row.spoken_at,
        answered_at=row.answered_at,
        is_barred=there.is_barred,
        opens_at=there.opens_at if is_closed else None,
    )


def _missed_in_a_row(before: CallStatus | None, two_before: CallStatus | None) -> int:
    """Count the missed calls right before this one; more than two is two."""
    if before is not CallStatus.MISSED:
        return 0
    return 2 if two_before is CallStatus.MISSED else 1
