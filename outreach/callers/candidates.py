"""Which colleagues could take patients over, and what they have to do already."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import takewhile
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.accounts import staff
from outreach.accounts.models import StaffMember
from outreach.callers import profile
from outreach.callers.rules import Helper, minutes_in
from outreach.panels import duty
from outreach.panels.models import Cover, PanelMembership
from outreach.patients.rules import Slot
from outreach.planning import courses
from outreach.planning.rules import due_days
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus
from outreach.seeing import every_clinic


@dataclass(frozen=True)
class Candidate:
    """A colleague who may take calls over."""

    name: str
    helper: Helper

    @property
    def caller_id(self) -> int:
        """Their id."""
        return self.helper.caller_id


class Due(NamedTuple):
    """Calls that fall due in some days, and the minutes that they take by the programme."""

    calls: int
    minutes: int


NOTHING = Due(0, 0)


def due_calls(
    session: Session, enrolment_ids: Sequence[int], days: tuple[date, date], *, now: datetime
) -> dict[int, Due]:
    """Return what falls due for each of ``enrolment_ids`` in days (first, last)."""
    before, last = days[0] - timedelta(days=1), days[1]
    found = {}
    for standing in courses.standings(session, enrolment_ids, now=now):
        ahead = due_days(standing.course, after=before)
        calls = sum(1 for _due in takewhile(lambda due: due[0] <= last, ahead))
        minutes = calls * standing.course.protocol.minutes_per_call
        found[standing.enrolment_id] = Due(calls, minutes)
    return found


def among(
    session: Session,
    clinic_id: int,
    caller_id: int,
    span: Slot,
    days: tuple[date, date],
    *,
    absence_id: int | None,
    now: datetime,
) -> list[Candidate]:
    """Return the other callers of a clinic with what they have to do in ``span``, by name."""
    people = [
        person
        for person in staff.callers_of(session, clinic_id, on=now.date())
        if person.id != caller_id
    ]
    ids = [person.id for person in people]
    profiles = profile.of(session, ids)
    with every_clinic(session, "somebody who calls for two clinics has one working day"):
        away = _away(session, ids, span)
        minutes = _minutes_of(session, ids, span, days, absence_id, now=now)
    day_count = (days[1] - days[0]).days + 1
    return [
        Candidate(
            person.name,
            Helper(
                person.id,
                kept.languages,
                kept.gender,
                is_trained=kept.trained_on is not None and kept.trained_on <= days[0],
                is_away=person.id in away,
                minutes=minutes.get(person.id, 0),
                most_minutes=minutes_in(kept.weekly_minutes, day_count),
            ),
        )
        for person in people
        for kept in (profiles[person.id],)
    ]


def _away(session: Session, staff_ids: Sequence[int], span: Slot) -> set[int]:
    return set(
        session.scalars(
            select(StaffMember.id).where(
                StaffMember.id.in_(staff_ids),
                duty.is_away(StaffMember.id, span.from_at, span.until_at),
            )
        )
    )


def _minutes_of(
    session: Session,
    caller_ids: Sequence[int],
    span: Slot,
    days: tuple[date, date],
    absence_id: int | None,
    *,
    now: datetime,
) -> dict[int, int]:
    """Return the minutes of calls of each caller in ``days``: their panel and whom they cover."""
    own = (
        select(PanelMembership.caller_id, PanelMembership.enrolment_id)
        .join(Enrolment, Enrolment.id == PanelMembership.enrolment_id)
        .where(
            PanelMembership.caller_id.in_(caller_ids),
            PanelMembership.until_at.is_(None),
            Enrolment.status == EnrolmentStatus.ACTIVE,
        )
    )
    covered = (
        select(Cover.stand_in_id, Cover.enrolment_id)
        .join(Enrolment, Enrolment.id == Cover.enrolment_id)
        .where(
            Cover.stand_in_id.in_(caller_ids),
            Cover.ended_at.is_(None),
            Cover.from_at < span.until_at,
            Cover.until_at > span.from_at,
            Cover.absence_id.is_distinct_from(absence_id),
            Enrolment.status == EnrolmentStatus.ACTIVE,
        )
    )
    rows = session.execute(own.union(covered)).all()
    due = due_calls(session, sorted({row[1] for row in rows}), days, now=now)
    minutes: defaultdict[int, int] = defaultdict(int)
    for caller_id, enrolment_id in rows:
        minutes[caller_id] += due.get(enrolment_id, NOTHING).minutes
    return minutes
