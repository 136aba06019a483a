"""Planning for enrolments by the thousand: the rule of ``next_call``, a page at a time.

The next contact depends on a few facts and not on who the patient is. It is worked out once
for all enrolments of a run that share them, and written by one statement a page.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Dialect
from sqlalchemy.orm import Session

from outreach.bulk import BulkInsert
from outreach.clock import day_began_at, local_day
from outreach.orm import row_failed
from outreach.patients.rules import Slot
from outreach.planning import next_call
from outreach.planning.courses import Progress, Reader
from outreach.planning.models import PlannedCall
from outreach.planning.rules import (
    Calendar,
    CallStatus,
    Due,
    contact_slot,
    first_day,
    next_contact,
    next_due,
)

log = logging.getLogger(__name__)

# Enrolments of the same weeks stand together and are alike, so few need remembering.
MOST_KEPT = 20_000
_OF_ROW = ("clinic_id", "patient_id", "enrolment_id", "sequence")
_OF_DUE = ("version_id", "phase", "due_on", "complete_by_on")
_OF_SLOT = ("dial_from_at", "dial_until_at")
Stored = tuple[Any, ...]
Days = tuple[date, date] | None


class Page(NamedTuple):
    """What one page needs: calls as they are stored, and after whom the next page begins."""

    calls: list[Stored]
    next_after_id: int | None


class _Next(NamedTuple):
    """The next due contact of a course, as it is stored; ``due`` None: none is left."""

    due: Due | None
    days: Days
    stored: Stored


@dataclass
class _Days:
    """Days that many places share, and what comes next there, by ``Row.course``.

    ``calendar`` is that of one of them: on all, the same days are open and suit best.
    """

    today: date
    calendar: Calendar
    nexts: dict[str, _Next] = field(default_factory=dict)


@dataclass
class _Spot:
    """What places share in which people have equal days: the slots by the days of a contact."""

    calendar: Calendar
    began_at: datetime
    days: _Days
    slots: dict[Days, Stored] = field(default_factory=dict)


class Planner:
    """Plans pages of enrolments at one instant, and remembers what it worked out."""

    def __init__(self, dialect: Dialect, now: datetime) -> None:
        self._now = now
        self._reader = Reader(now)
        columns = (*_OF_ROW, *_OF_DUE, *_OF_SLOT)
        same = {"is_agreed": False, "dials": 0, "status": CallStatus.PLANNED, "planned_at": now}
        self._calls = BulkInsert(dialect, PlannedCall, columns, same)
        self._places: dict[str, tuple[int, _Spot]] = {}
        self._spots: dict[int, _Spot] = {}
        self._days: dict[tuple[Any, ...], _Days] = {}
        self._progress: dict[str, Progress] = {}
        self._dues: dict[Stored, Stored] = {}
        self._kept = 0

    def decide(self, session: Session, *, after_id: int, limit: int) -> Page:
        """Decide for enrolments from ``after_id`` on that should have a call and have none.

        They are locked until the transaction of ``session`` ends, in which :meth:`write` follows.
        """
        if self._kept > MOST_KEPT:
            self._forget()
        rows = self._reader.unplanned(session, after_id=after_id, limit=limit)
        calls = []
        for enrolment_id, patient_id, last_sequence, course, place in rows:
            try:
                found = self._next_contact(session, enrolment_id, course, place)
            except Exception:  # a row that can't be read never stops the others
                log.exception("no call planned for enrolment %s", enrolment_id)
                row_failed(enrolment_id)
                continue
            if found is not None:
                clinic_id, contact = found
                sequence = (last_sequence or 0) + 1
                calls.append((clinic_id, patient_id, enrolment_id, sequence, *contact))
        return Page(calls, rows[-1][0] if len(rows) == limit else None)

    def write(self, session: Session, calls: Sequence[Stored]) -> int:
        """Write the calls of a page; return how many are new.

        Whoever planned for one of them meanwhile has taken its next number in the sequence,
        which is unique. Does not commit.
        """
        return self._calls.write(session, calls)

    def _next_contact(
        self, session: Session, enrolment_id: int, course: str, place: str
    ) -> tuple[int, Stored] | None:
        """Return the clinic of an enrolment and its ``rules.next_contact``, as it is stored.

        A programme that is over is completed.
        """
        clinic_id, spot = self._places.get(place) or self._new_place(session, place)
        coming = spot.days.nexts.get(course) or self._new_next(session, course, spot)
        if coming.due is None:
            if self._is_over(session, course, spot):
                next_call.finish(session, enrolment_id, now=self._now)
            return None
        known = spot.slots.get(coming.days)
        slot = self._new_slot(spot, coming.due) if known is None else known
        contact = coming.stored + slot if slot else self._later(session, course, spot)
        return (clinic_id, contact) if contact else None

    def _new_place(self, session: Session, text: str) -> tuple[int, _Spot]:
        place = self._reader.place(session, text)
        spot = self._spots.get(id(place.calendar)) or self._new_spot(place.calendar)
        known = self._places[text] = (place.clinic_id, spot)
        self._kept += 1
        return known

    def _new_spot(self, calendar: Calendar) -> _Spot:
        today, open_days = local_day(self._now, calendar.zone), calendar.lawful().by_day()
        by_day = (calendar.wishes.weekdays, calendar.worked, open_days, today)
        spot = self._spots[id(calendar)] = _Spot(
            calendar,
            day_began_at(self._now, calendar.zone),
            self._days.setdefault(by_day, _Days(today, calendar)),
        )
        self._kept += 1
        return spot

    def _new_next(self, session: Session, text: str, spot: _Spot) -> _Next:
        progress = self._progress_of(session, text)
        today, last_on = spot.days.today, progress.last_due_on
        is_done_today = _is_done_today(progress, spot)
        first = first_day(progress.starts_on, last_on, today, is_done_today=is_done_today)
        course = progress.course(spot.days.calendar)
        due = next_due(course, after=first - timedelta(days=1))
        coming = _Next(due, _days(due), self._stored_due(progress, due) if due else ())
        if progress.completed_at is None:  # else it depends on the zone as well
            spot.days.nexts[text] = coming
            self._kept += 1
        return coming

    def _progress_of(self, session: Session, text: str) -> Progress:
        progress = self._progress.get(text)
        if progress is None:
            progress = self._progress[text] = self._reader.progress(session, text)
        return progress

    def _is_over(self, session: Session, text: str, spot: _Spot) -> bool:
        progress = self._progress_of(session, text)
        return spot.days.today >= progress.protocol.ends_on(progress.starts_on)

    def _new_slot(self, spot: _Spot, due: Due) -> Stored:
        slot = contact_slot(spot.calendar, due, not_before=self._now)
        stored = self._stored_slot(slot) if slot else ()
        spot.slots[_days(due)] = stored
        self._kept += 1
        return stored

    def _later(self, session: Session, text: str, spot: _Spot) -> Stored | None:
        """Return the first contact after one whose days leave no time to dial."""
        progress = self._progress_of(session, text)
        course, is_done = progress.course(spot.calendar), _is_done_today(progress, spot)
        found = next_contact(course, now=self._now, is_done_today=is_done)
        if found is None:
            return None
        return self._stored_due(progress, found.due) + self._stored_slot(found.slot)

    def _stored_due(self, progress: Progress, due: Due) -> Stored:
        values = (progress.version_id, due.phase, due.on, due.complete_by_on)
        if values not in self._dues:  # few days lie ahead, many courses lead to them
            self._dues[values] = self._stored(_OF_DUE, values)
        return self._dues[values]

    def _stored_slot(self, slot: Slot) -> Stored:
        return self._stored(_OF_SLOT, (slot.from_at, slot.until_at))

    def _stored(self, columns: Sequence[str], values: Stored) -> Stored:
        pairs = zip(columns, values, strict=True)
        return tuple(self._calls.stored(column, value) for column, value in pairs)

    def _forget(self) -> None:
        for kept in (self._places, self._spots, self._days, self._progress, self._dues):
            kept.clear()
        self._kept = 0


def _days(due: Due | None) -> Days:
    return (due.on, due.complete_by_on) if due else None


def _is_done_today(progress: Progress, spot: _Spot) -> bool:
    return progress.completed_at is not None and progress.completed_at >= spot.began_at
