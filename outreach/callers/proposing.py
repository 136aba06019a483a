"""Who could take a caller's patients over, for a while or for good."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from outreach.accounts.models import StaffMember
from outreach.callers import candidates
from outreach.callers.candidates import Candidate
from outreach.callers.rules import Need, NotPlaced, days_of, share
from outreach.panels import history, roster
from outreach.panels.models import Absence, Cover, PanelMembership
from outreach.panels.rules import NEW_PATIENTS_WAIT
from outreach.patients.models import Patient
from outreach.patients.rules import Slot
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import OPEN_STATUSES, EnrolmentStatus
from outreach.seeing import every_clinic

LEAVING_DAYS = 28  # ours: the time whose calls are weighed where patients change for good

# A patient with enrolment and membership, for what time, and whose patient it really is.
_Found = tuple[Row[*tuple[Any, ...]], Slot, str | None]


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
    def is_parted(self) -> bool:
        """Whether the patient asked for somebody else after the chosen one."""
        return self.chosen_id in self.need.parted

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
    absence ``absence_id`` that is being changed, stays where they can; and so does one who
    is away for a part of it where somebody covers for them then.
    """
    days = days_of(span, ZoneInfo(caller.zone))
    rows = [
        *_panel(session, clinic_id, caller.id, span),
        *_covered(session, clinic_id, caller.id, span, absence_id),
    ]
    standing_in = _standing_in(session, absence_id, now=now)
    in_turn = _covered_in_turn(session, standing_in, span, now=now)
    colleagues = candidates.among(
        session, clinic_id, caller.id, span, days, absence_id=absence_id, now=now
    )
    return _lines(session, rows, colleagues, days, standing_in, in_turn, now=now)


def for_leaving(
    session: Session, clinic_id: int, caller: StaffMember, *, now: datetime
) -> list[Line]:
    """Return a new caller for each patient of ``caller`` at a clinic, by name."""
    today = now.astimezone(ZoneInfo(caller.zone)).date()
    days = (today, today + timedelta(days=LEAVING_DAYS - 1))
    span = Slot(now, now + NEW_PATIENTS_WAIT)
    colleagues = candidates.among(
        session, clinic_id, caller.id, span, days, absence_id=None, now=now
    )
    sizes = {each.caller_id: each for each in roster.callers(session, clinic_id, on=now.date())}
    roomy = [
        replace(each, helper=replace(each.helper, room=_room(sizes.get(each.caller_id))))
        for each in colleagues
    ]
    rows = _panel(session, clinic_id, caller.id, span)
    return _lines(session, rows, roomy, days, {}, frozenset(), now=now)


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
        .order_by(Patient.id)
    ).all()
    return [(row, span, None) for row in sorted(rows, key=lambda row: row.Patient.name_key)]


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
        .order_by(Cover.id)
    ).all()
    newest = {row.Enrolment.id: row for row in sorted(rows, key=lambda row: row.Patient.name_key)}
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


def _covered_in_turn(
    session: Session, standing_in: Mapping[int, Cover], span: Slot, *, now: datetime
) -> frozenset[int]:
    """Return the enrolments whose stand-in is covered all the time they will be away in ``span``.

    What is over by now needs no cover any more.
    """
    ahead = Slot(max(now, span.from_at), span.until_at)
    with every_clinic(session, "a stand-in may be away from another clinic"):
        away = session.execute(
            select(Absence, Cover)
            .outerjoin(Cover, (Cover.absence_id == Absence.id) & Cover.ended_at.is_(None))
            .where(
                Absence.staff_id.in_({cover.stand_in_id for cover in standing_in.values()}),
                Absence.ended_at.is_(None),
                Absence.from_at < ahead.until_at,
                Absence.until_at > ahead.from_at,
            )
        ).all()
    absences, covered = defaultdict(set), defaultdict(set)
    for absence, cover in away:
        absences[absence.staff_id].add(absence.id)
        if cover is not None and _lasts_through(cover, absence, ahead):
            covered[cover.enrolment_id].add(absence.id)
    return frozenset(
        enrolment_id
        for enrolment_id, cover in standing_in.items()
        if absences[cover.stand_in_id] <= covered[enrolment_id]
    )


def _lasts_through(cover: Cover, absence: Absence, span: Slot) -> bool:
    """Say whether ``cover`` holds for as much of ``absence`` as lies in ``span``."""
    begins, ends = max(absence.from_at, span.from_at), min(absence.until_at, span.until_at)
    return cover.from_at <= begins and ends <= cover.until_at


def _lines(
    session: Session,
    rows: Sequence[_Found],
    colleagues: Sequence[Candidate],
    days: tuple[date, date],
    standing_in: Mapping[int, Cover],
    in_turn: frozenset[int],
    *,
    now: datetime,
) -> list[Line]:
    active = [
        row.Enrolment.id for row, *_ in rows if row.Enrolment.status is EnrolmentStatus.ACTIVE
    ]
    due = candidates.due_calls(session, active, days, now=now)
    parted = history.parted(session, {row.Patient.id for row, *_ in rows})
    lines = [
        _line(found, due, _able(colleagues, found[0], cover, in_turn), cover, parted)
        for found in rows
        for cover in (standing_in.get(found[0].Enrolment.id),)
    ]
    return _proposed(lines, colleagues)


def _able(
    colleagues: Sequence[Candidate],
    row: Row[*tuple[Any, ...]],
    cover: Cover | None,
    in_turn: frozenset[int],
) -> list[Candidate]:
    """Return who may take a patient, and who calls them now and is covered while away."""
    kept_id = cover.stand_in_id if cover and row.Enrolment.id in in_turn else None
    return [
        each
        for each in colleagues
        if each.helper.may_take(row.Patient.language, even_away=each.caller_id == kept_id)
    ]


def _line(
    found: _Found,
    due: Mapping[int, candidates.Due],
    able: Sequence[Candidate],
    cover: Cover | None,
    parted: Mapping[int, frozenset[int]],
) -> Line:
    row, span, for_name = found
    patient, enrolment = row.Patient, row.Enrolment
    own = due.get(enrolment.id, candidates.NOTHING)
    is_kept = cover is not None and cover.stand_in_id in {each.caller_id for each in able}
    return Line(
        enrolment_id=enrolment.id,
        clinic_id=enrolment.clinic_id,
        patient_id=patient.id,
        membership_id=row.membership_id,
        ref=patient.ref,
        name=patient.full_name,
        language=patient.language,
        need=Need(
            enrolment.id,
            patient.language,
            patient.wished_caller,
            own.minutes,
            parted.get(patient.id, frozenset()),
        ),
        calls=own.calls,
        span=span,
        for_name=for_name,
        cover_id=cover.id if cover else None,
        able=able,
        chosen_id=cover.stand_in_id if cover and is_kept else None,
        left_out=None,
    )


def _proposed(lines: Sequence[Line], colleagues: Sequence[Candidate]) -> list[Line]:
    """Return ``lines`` with a proposal where nobody stands in yet."""
    helpers = []
    for each in colleagues:
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
