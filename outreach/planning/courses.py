"""What the planner needs to know of enrolments, read in sets.

What the next contact depends on comes as two short texts, which many enrolments share: one
about the course, one about the place. They are the keys under which a planner remembers.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from operator import itemgetter
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from outreach.among import among
from outreach.built_once import built_once
from outreach.panels.models import PanelMembership
from outreach.patients import hours
from outreach.patients.hours import HoursBook
from outreach.patients.rules import ContactHours, Daypart, Wishes, weekdays_from_mask
from outreach.planning import course_rows
from outreach.planning.rules import WEEK, Calendar, Course
from outreach.programmes.models import Enrolment, ProgrammeVersion
from outreach.programmes.rules import EnrolmentStatus, Protocol, Rhythm

Found = sqlalchemy.Row[*tuple[Any, ...]]
# Longer than any local day, and than the week with the zones on both sides of it.
A_DAY, A_WEEK = timedelta(hours=26), timedelta(days=WEEK + 1)


class Row(NamedTuple):
    """One enrolment as it is read: ``course`` and ``place`` are JSON, for a :class:`Reader`."""

    enrolment_id: int
    patient_id: int
    last_sequence: int | None
    course: str
    place: str


@dataclass(frozen=True)
class Standing:
    """One enrolment and where its plan stands.

    ``last_sequence`` is of its latest planned call, open or not; ``is_done_today``: a call
    was completed on the patient's local day of today.
    """

    enrolment_id: int
    clinic_id: int
    patient_id: int
    version_id: int
    course: Course
    last_sequence: int
    is_done_today: bool

    @property
    def zone(self) -> ZoneInfo:
        """Where the patient lives."""
        return self.course.calendar.zone


@dataclass(frozen=True)
class Place:
    """A patient's clinic and days."""

    clinic_id: int
    calendar: Calendar


class Progress(NamedTuple):
    """How far an enrolment is in its programme, whoever and wherever the patient is.

    ``completed_at`` is when its latest call was completed, where that was lately.
    """

    version_id: int
    protocol: Protocol
    starts_on: date
    choices: dict[str, int]
    last_due_on: date | None
    due_in_week: int
    completed_at: datetime | None
    away: tuple[date, date] | None

    def course(self, calendar: Calendar) -> Course:
        """Return the course of somebody with these days."""
        return Course(
            self.protocol,
            self.starts_on,
            self.choices,
            calendar,
            self.last_due_on,
            self.due_in_week,
            self.away,
        )


class Reader:
    """Reads rows and what they mean at ``now``. Meant for one run: clinics change hours."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._protocols: dict[int, Protocol] = {}
        self._weekly_from: date | None = None
        self._book: HoursBook | None = None
        self._hours: dict[tuple[int, str | None], ContactHours] = {}
        self._alike: dict[ContactHours, ContactHours] = {}
        self._calendars: dict[tuple[Any, ...], Calendar] = {}

    def rows(self, session: Session, enrolment_ids: Sequence[int]) -> Sequence[Row]:
        """Return the row of each of ``enrolment_ids``, by id."""
        these = {"enrolment_ids": enrolment_ids}
        query = course_rows.of_enrolments()
        rows = []
        for *row, version_id, data in self._read(session, query, weekly_from=date.min, **these):
            if version_id not in self._protocols:
                self._protocols[version_id] = Protocol.from_data(json.loads(data))
            rows.append(Row(*row))
        return rows

    def unplanned(self, session: Session, *, after_id: int, limit: int) -> Sequence[Found]:
        """Return what a :class:`Row` holds of the enrolments of :func:`unplanned_ids`, locked.

        As the database gave it: of a hundred thousand, a row each would be a tenth of the work.
        Somebody may withdraw between the moment a planner looks and the moment it writes.
        """
        if self._weekly_from is None:  # the first page: what all of them need is read once
            self._weekly_from = self._first_weekly(session)
            self._book = hours.book_of(session, today=self.now.date())
        page = {"after_id": after_id, "limit": limit}
        return self._read(session, course_rows.of_page(), weekly_from=self._weekly_from, **page)

    def place(self, session: Session, text: str) -> Place:
        """Return what the ``place`` of a row says. Equal hours, and equal days, are one object."""
        clinic_id, state, zone, weekdays, dayparts, worked = json.loads(text)
        found = self._hours_of(session, clinic_id, state)
        alike = (zone, weekdays, dayparts, worked, id(found))
        if alike not in self._calendars:
            parts = tuple(Daypart(part) for part in json.loads(dayparts))
            wishes = Wishes(weekdays_from_mask(weekdays), parts)
            days = frozenset(int(day) for day in (worked or "").splitlines())
            self._calendars[alike] = Calendar(ZoneInfo(zone), wishes, found, days)
        return Place(clinic_id, self._calendars[alike])

    def progress(self, session: Session, text: str) -> Progress:
        """Return what the ``course`` of a row says."""
        version_id, starts_on, latest, chosen, recent, away_from, away_until = json.loads(text)
        last_due_on, completed_at = _parsed(latest) or (None, None)
        if version_id not in self._protocols:
            version = session.scalars(*_version(version_id)).one()
            self._protocols[version_id] = version.protocol
        begins = date.fromisoformat(starts_on)
        last = date.fromisoformat(last_due_on) if last_due_on else None
        return Progress(
            version_id,
            self._protocols[version_id],
            begins,
            _choices(chosen),
            last,
            _in_week_of(last, begins, recent),
            _instant(completed_at),
            _away(away_from, away_until),
        )

    def standing(self, session: Session, row: Row) -> Standing:
        """Return where the enrolment of ``row`` stands."""
        place = self.place(session, row.place)
        progress = self.progress(session, row.course)
        return Standing(
            row.enrolment_id,
            place.clinic_id,
            row.patient_id,
            progress.version_id,
            progress.course(place.calendar),
            row.last_sequence or 0,
            _is_today(progress.completed_at, place.calendar.zone, now=self.now),
        )

    def _hours_of(self, session: Session, clinic_id: int, state: str | None) -> ContactHours:
        known = self._hours.get((clinic_id, state))
        if known is None:
            today = self.now.date()
            book = self._book or hours.book_of(session, today=today, clinic_ids=[clinic_id])
            found = book.of(clinic_id, state)
            known = self._hours[clinic_id, state] = self._alike.setdefault(found, found)
        return known

    def _first_weekly(self, session: Session) -> date:
        """Return a day such that whoever started before it has no weeks of so many calls left."""
        weeks = [
            phase.last_week
            for version in session.scalars(select(ProgrammeVersion))
            for phase in version.protocol.phases
            if phase.rhythm is Rhythm.CALLS_PER_WEEK
        ]
        return (self.now - A_WEEK).date() - timedelta(weeks=max(weeks, default=0))

    def _read(
        self,
        session: Session,
        query: Select[*tuple[Any, ...]],
        *,
        weekly_from: date,
        **page: Any,
    ) -> Sequence[Found]:
        bound = page | {
            "day_ago": self.now - A_DAY,
            "week_ago": (self.now - A_WEEK).date(),
            "weekly_from": weekly_from,
        }
        found = session.connection().execute(query, bound)
        # Sorted here, where it costs nothing: SQLite would write all rows to a table first.
        return sorted(found.all(), key=itemgetter(0))


def standings(session: Session, enrolment_ids: Sequence[int], *, now: datetime) -> list[Standing]:
    """Return where each of ``enrolment_ids`` stands, by id; few statements for any number."""
    reader = Reader(now)
    rows = reader.rows(session, enrolment_ids)
    return [reader.standing(session, row) for row in rows]


def standing_of(session: Session, enrolment_id: int, *, now: datetime) -> Standing:
    """Return where one enrolment stands."""
    return standings(session, [enrolment_id], now=now)[0]


def unplanned_ids(session: Session, *, after_id: int, limit: int) -> Sequence[int]:
    """Return enrolments that should have an open call and have none, by id from ``after_id``.

    That is: active, with a dedicated caller. Without a caller nobody would make the call.
    """
    return session.scalars(course_rows.unplanned([Enrolment.id], after_id, limit)).all()


def active_ids(session: Session, enrolment_ids: Sequence[int]) -> Sequence[int]:
    """Return those of ``enrolment_ids`` that are active, locked until the transaction ends.

    Somebody may withdraw between the moment a planner looks and the moment it writes.
    """
    return session.scalars(*_active_ids(enrolment_ids)).all()


@built_once
def _version(version_id: Any) -> Select[ProgrammeVersion]:
    return select(ProgrammeVersion).where(ProgrammeVersion.id == version_id)


@built_once
def _active_ids(enrolment_ids: Any) -> Select[int]:
    return (
        select(Enrolment.id)
        .where(among(Enrolment.id, enrolment_ids), Enrolment.status == EnrolmentStatus.ACTIVE)
        .order_by(Enrolment.id)
        .with_for_update()
    )


def assigned_ids(session: Session, enrolment_ids: Sequence[int]) -> Sequence[int]:
    """Return those of ``enrolment_ids`` that have a dedicated caller now."""
    return session.scalars(
        select(PanelMembership.enrolment_id)
        .where(
            among(PanelMembership.enrolment_id, enrolment_ids), PanelMembership.until_at.is_(None)
        )
        .order_by(PanelMembership.enrolment_id)
    ).all()


def _parsed(inner: Any) -> Any:
    """Return JSON inside JSON: a text on SQLite, where PostgreSQL nests it."""
    return json.loads(inner) if isinstance(inner, str) else inner


def _choices(chosen: str | None) -> dict[str, int]:
    pairs = (line.rsplit("=", 1) for line in (chosen or "").splitlines())
    return {phase: int(value) for phase, value in pairs}


def _in_week_of(last: date | None, starts_on: date, recent: str | None) -> int:
    """Count the calls in the programme week of the last one; 0 where that week is over."""
    if last is None or recent is None:
        return 0
    begins = last - timedelta(days=(last - starts_on).days % WEEK)
    return sum(date.fromisoformat(day) >= begins for day in recent.splitlines())


def _away(from_on: str | None, until_on: str | None) -> tuple[date, date] | None:
    if from_on is None or until_on is None:
        return None
    return date.fromisoformat(from_on), date.fromisoformat(until_on)


def _instant(text: str | None) -> datetime | None:
    """Return a stored instant; SQLite keeps no zone beside it, since it is UTC."""
    if text is None:
        return None
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _is_today(at: datetime | None, zone: ZoneInfo, *, now: datetime) -> bool:
    return at is not None and at.astimezone(zone).date() >= now.astimezone(zone).date()
