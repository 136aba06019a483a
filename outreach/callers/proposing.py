"""Who could take a caller's patients over, for a while or for good."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import takewhile
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from outreach.accounts import staff
from outreach.accounts.models import StaffMember
from outreach.callers import profile
from outreach.callers.rules import Helper, Need, NotPlaced, days_of, minutes_in, share
from outreach.panels import duty, roster
from outreach.panels.models import Cover, PanelMembership
from outreach.panels.rules import NEW_PATIENTS_WAIT
from outreach.patients.models import Patient
from outreach.patients.rules import Slot
from outreach.planning import courses
from outreach.planning.rules import due_days
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import OPEN_STATUSES, EnrolmentStatus

LEAVING_DAYS = 28  # ours: the time whose calls are weighed where patients change for good

# A patient with enrolment and membership, for what time, and whose patient it really is.
_Found = tuple[Row[*tuple[Any, ...]], Slot, str | None]


@dataclass(frozen=True)
class Candidate:
    """A colleague who may take calls over."""

    name: str
    helper: Helper

    @property
    def caller_id(self) -> int:
        """Their id."""
        return self.helper.caller_id


@dataclass(frozen=True)
class Line:
    """One patient, who may take them over, and who is proposed or was chosen.

    ``calls`` fall due in the days in question. ``span`` is to be taken over; ``for_name`` is
    whose patient it is where the caller is a stand-in themselves. ``membership_id`` and
    ``cover_id`` (of the absence that is changed) are what was there when the page was made.
    """

    enrolment_id: int
    clinic_id: int
    patient_id: int
    membership_id: int
    ref: str
    name: str
    language: str
    need: Need
    calls: int
    span: Slot
    for_name: str | None
    cover_id: int | None
    able: Sequence[Candidate]
    chosen_id: int | None
    left_out: NotPlaced | None

    @property
    def is_wish_unmet(self) -> bool:
        """Whether the chosen one is not whom the patient would rather speak with."""
        chosen = [each for each in self.able if each.caller_id == self.chosen_id]
        return any(not each.helper.meets(self.need.wished) for each in chosen)

    @property
    def is_fit(self) -> bool:
        """Whether nobody is chosen, or somebody who may take this patient."""
        return self.chosen_id in {None, *(each.caller_id for each in self.able)}

    def decided(self, chosen_id: int | None) -> "Line":
        """Return this line with ``chosen_id`` and nobody else."""
        return replace(self, chosen_id=chosen_id)

    def answered(self, chosen_of: Mapping[int, int | None]) -> "Line":
        """Return this line with what a manager chose, where they chose."""
        if self.enrolment_id not in chosen_of:
            return self
        return replace(self, chosen_id=chosen_of[self.enrolment_id])


def fingerprint(lines: Sequence[Line]) -> str:
    """Return what a page of ``lines`` stands on: another one means that it is out of date."""
    return " ".join(
        f"{line.enrolment_id}.{line.membership_id}.{line.cover_id or 0}"
        for line in sorted(lines, key=lambda each: each.enrolment_id)
    )


def for_absence(
    session: Session,
    clinic_id: int,
    caller: StaffMember,
    span: Slot,
    *,
    absence_id: int | None = None,
    now: datetime,
) -> list[Line]:
    """Return a stand-in for each patient whom ``caller`` calls in ``span``, by name.

    Their panel, and those whom they cover in that time. Who stands in already, in the
    absence ``absence_id`` that is being changed, stays where they can.
    """
    days = days_of(span, ZoneInfo(caller.zone))
    rows = [
        *_panel(session, clinic_id, caller.id, span),
        *_covered(session, clinic_id, caller.id, span, absence_id),
    ]
    standing_in = _standing_in(session, absence_id, now=now)
    candidates = _candidates(
        session, clinic_id, caller.id, span, days, absence_id=absence_id, now=now
    )
    return _lines(session, rows, candidates, days, standing_in, now=now)


def for_leaving(
    session: Session, clinic_id: int, caller: StaffMember, *, now: datetime
) -> list[Line]:
    """Return a new caller for each patient of ``caller`` at a clinic, by name."""
    today = now.astimezone(ZoneInfo(caller.zone)).date()
    days = (today, today + timedelta(days=LEAVING_DAYS - 1))
    span = Slot(now, now + NEW_PATIENTS_WAIT)
    candidates = _candidates(session, clinic_id, caller.id, span, days, absence_id=None, now=now)
    sizes = {each.caller_id: each for each in roster.callers(session, clinic_id, on=now.date())}
    roomy = [
        replace(each, helper=replace(each.helper, room=_room(sizes.get(each.caller_id))))
        for each in candidates
    ]
    rows = _panel(session, clinic_id, caller.id, span)
    return _lines(session, rows, roomy, days, {}, now=now)


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


def _panel(session: Session, clinic_id: int, caller_id: int, span: Slot) -> list[_Found]:
    rows = session.execute(
        select(Patient, Enrolment, PanelMembership.id.label("membership_id"))
        .select_from(PanelMembership)
        .join(Enrolment, Enrolment.id == PanelMembership.enrolment_id)
        .join(Patient, Patient.id == PanelMembership.patient_id)
        .where(
            PanelMembership.caller_id == caller_id,
            PanelMembership.until_at.is_(None),
            Enrolment.clinic_id == clinic_id,
            Enrolment.status.in_(OPEN_STATUSES),
        )
        .order_by(Patient.family_name, Patient.given_name, Patient.id)
    ).all()
    return [(row, span, None) for row in rows]


def _covered(
    session: Session, clinic_id: int, caller_id: int, span: Slot, absence_id: int | None
) -> list[_Found]:
    """Return those whom the caller covers for a part of ``span``, and for which part."""
    rows = session.execute(
        select(
            Patient,
            Enrolment,
            PanelMembership.id.label("membership_id"),
            Cover,
            StaffMember.name.label("for_name"),
        )
        .select_from(Cover)
        .join(Enrolment, Enrolment.id == Cover.enrolment_id)
        .join(Patient, Patient.id == Cover.patient_id)
        .join(
            PanelMembership,
            (PanelMembership.enrolment_id == Enrolment.id) & PanelMembership.until_at.is_(None),
        )
        .join(StaffMember, StaffMember.id == PanelMembership.caller_id)
        .where(
            Cover.stand_in_id == caller_id,
            Cover.ended_at.is_(None),
            Cover.from_at < span.until_at,
            Cover.until_at > span.from_at,
            Cover.absence_id.is_distinct_from(absence_id),
            PanelMembership.caller_id != caller_id,
            Enrolment.clinic_id == clinic_id,
            Enrolment.status.in_(OPEN_STATUSES),
        )
        .order_by(Patient.family_name, Patient.given_name, Cover.id)
    ).all()
    newest = {row.Enrolment.id: row for row in rows}
    return [
        (
            row,
            Slot(max(span.from_at, row.Cover.from_at), min(span.until_at, row.Cover.until_at)),
            row.for_name,
        )
        for row in newest.values()
    ]


def _standing_in(session: Session, absence_id: int | None, *, now: datetime) -> dict[int, Cover]:
    """Return the covers of an absence that hold now or will, by enrolment."""
    found = session.scalars(
        select(Cover)
        .where(Cover.absence_id == absence_id, Cover.ended_at.is_(None), Cover.until_at > now)
        .order_by(Cover.id)
    )
    return {cover.enrolment_id: cover for cover in found}


def _candidates(
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


def _lines(
    session: Session,
    rows: Sequence[_Found],
    candidates: Sequence[Candidate],
    days: tuple[date, date],
    standing_in: Mapping[int, Cover],
    *,
    now: datetime,
) -> list[Line]:
    active = [
        row.Enrolment.id for row, *_ in rows if row.Enrolment.status is EnrolmentStatus.ACTIVE
    ]
    due = due_calls(session, active, days, now=now)
    lines = [
        _line(row, span, for_name, due, candidates, standing_in.get(row.Enrolment.id))
        for row, span, for_name in rows
    ]
    return _proposed(lines, candidates)


def _line(
    row: Row[*tuple[Any, ...]],
    span: Slot,
    for_name: str | None,
    due: Mapping[int, Due],
    candidates: Sequence[Candidate],
    cover: Cover | None,
) -> Line:
    patient, enrolment = row.Patient, row.Enrolment
    own = due.get(enrolment.id, NOTHING)
    able = [each for each in candidates if each.helper.may_take(patient.language)]
    is_kept = cover is not None and cover.stand_in_id in {each.caller_id for each in able}
    return Line(
        enrolment_id=enrolment.id,
        clinic_id=enrolment.clinic_id,
        patient_id=patient.id,
        membership_id=row.membership_id,
        ref=patient.ref,
        name=patient.full_name,
        language=patient.language,
        need=Need(enrolment.id, patient.language, patient.wished_caller, own.minutes),
        calls=own.calls,
        span=span,
        for_name=for_name,
        cover_id=cover.id if cover else None,
        able=able,
        chosen_id=cover.stand_in_id if cover and is_kept else None,
        left_out=None,
    )


def _proposed(lines: Sequence[Line], candidates: Sequence[Candidate]) -> list[Line]:
    """Return ``lines`` with a proposal where nobody stands in yet."""
    helpers = []
    for each in candidates:
        kept = sum(line.need.minutes for line in lines if line.chosen_id == each.caller_id)
        helpers.append(replace(each.helper, minutes=each.helper.minutes + kept))
    shared = share([line.need for line in lines if line.chosen_id is None], helpers)
    return [
        line
        if line.chosen_id is not None
        else replace(
            line,
            chosen_id=shared.caller_of.get(line.enrolment_id),
            left_out=shared.left_out.get(line.enrolment_id),
        )
        for line in lines
    ]


def _room(caller: roster.PanelCaller | None) -> int:
    return max(0, caller.cap - caller.panel_size) if caller else 0
