"""What is due to be measured: of one enrolment, and of everybody whose window is open."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload

from outreach import absent
from outreach.accounts.rules import Scope
from outreach.accounts.scoping import visible
from outreach.among import among
from outreach.built_once import built_once
from outreach.measures.models import Reading
from outreach.measures.readings import is_current
from outreach.measures.rules import REGISTRY, MeasureKind
from outreach.orm import rows_of
from outreach.patients.models import Patient
from outreach.programmes.models import Enrolment, ProgrammeVersion
from outreach.programmes.rules import OPEN_STATUSES, Protocol
from outreach.questionnaires.asking import KINDS
from outreach.questionnaires.models import Questionnaire
from outreach.results.rules import PointStanding, PointState, Taken, stand

_A_DAY = timedelta(days=1)
_APART = {kind.value: each.apart for kind, each in REGISTRY.items() if each.apart is not None}


@dataclass(frozen=True)
class Due:
    """One patient whose window is open, and how it stands."""

    patient: Patient
    enrolment: Enrolment
    standing: PointStanding


@dataclass(frozen=True)
class DueList:
    """Everybody in scope with an open window: ``complete`` of ``everybody`` have all of it."""

    everybody: Sequence[Due]

    @property
    def missing(self) -> list[Due]:
        """Those of whom something is missing, the window that closes first on top."""
        found = [each for each in self.everybody if each.standing.missing]
        return sorted(found, key=lambda each: (each.standing.until_on, each.patient.id))

    @property
    def complete(self) -> int:
        """How many have everything."""
        return len(self.everybody) - len(self.missing)

    def measured(self, code: str) -> tuple[int, int]:
        """Return of how many ``code`` was measured, and of how many it is asked."""
        asked = [each for each in self.everybody if code in each.standing.point.measures]
        return sum(code not in each.standing.missing for each in asked), len(asked)

    @property
    def codes(self) -> list[str]:
        """The measures that are asked of anybody, in the programme's order."""
        asked = (each.standing.point.measures for each in self.everybody)
        return list(dict.fromkeys(code for codes in asked for code in codes))


def of(
    session: Session,
    patient_id: int,
    protocol: Protocol,
    starts_on: date,
    zone: ZoneInfo,
    today: date,
) -> list[PointStanding]:
    """Return how each measurement point of a patient's enrolment stands on their ``today``.

    Args:
        protocol: what they are enrolled in, since ``starts_on``.
        zone: where they live.
    """
    taken = _taken(session, {patient_id: zone}, _span([protocol], [starts_on]))
    found = taken.get(patient_id, ())
    return stand(protocol.measure_points, starts_on, found, today=today, apart=_APART)


def everybody(session: Session, scope: Scope, *, now: datetime) -> DueList:
    """Return the open windows of all enrolments in scope, in four statements."""
    versions = session.scalars(select(ProgrammeVersion).order_by(ProgrammeVersion.id)).all()
    protocols = {version.id: version.protocol for version in versions}
    days = [point for each in protocols.values() for point in each.measure_points]
    if not days:
        return DueList(())
    today = now.date()
    first = today - max(point.until_day for point in days) * _A_DAY - _A_DAY
    last = today - min(point.from_day for point in days) * _A_DAY + _A_DAY
    rows = session.execute(
        select(Enrolment, Patient)
        .join(Patient, Patient.id == Enrolment.patient_id)
        .options(joinedload(Patient.clinic))
        .where(
            visible(scope, Enrolment.clinic_id, Enrolment.patient_id),
            Enrolment.status.in_(OPEN_STATUSES),
            Enrolment.starts_on.between(first, last),
        )
        .order_by(Enrolment.id)
    ).all()
    if not rows:
        return DueList(())
    pairs = [(enrolment, patient) for enrolment, patient in rows]
    found = open_points(session, pairs, protocols, now=now)
    return DueList(found)


def open_points(
    session: Session,
    enrolled: Sequence[tuple[Enrolment, Patient]],
    protocols: Mapping[int, Protocol],
    *,
    now: datetime,
) -> list[Due]:
    """Return how each open window of ``enrolled`` stands, in two statements.

    Args:
        enrolled: enrolments with their patients, at least one.
        protocols: by id of version.
        now: aware instant; which day it is depends on where the patient lives.
    """
    zones = {patient.id: ZoneInfo(patient.zone) for _enrolment, patient in enrolled}
    starts = [enrolment.starts_on for enrolment, _patient in enrolled]
    taken = _taken(session, zones, _span(protocols.values(), starts))
    found = []
    for enrolment, patient in enrolled:
        standings = stand(
            protocols[enrolment.version_id].measure_points,
            enrolment.starts_on,
            taken.get(patient.id, ()),
            today=now.astimezone(zones[patient.id]).date(),
            apart=_APART,
        )
        found += [
            Due(patient, enrolment, each) for each in standings if each.state is PointState.OPEN
        ]
    return found


def _span(protocols: Iterable[Protocol], starts: Sequence[date]) -> tuple[datetime, datetime]:
    """Return the instants around all windows of enrolments, a day wider at both ends."""
    points = [point for each in protocols for point in each.measure_points]
    first = min((point.from_day for point in points), default=0)
    last = max((point.until_day for point in points), default=0)
    begins, ends = min(starts) + (first - 1) * _A_DAY, max(starts) + (last + 2) * _A_DAY
    return datetime.combine(begins, time(), tzinfo=UTC), datetime.combine(ends, time(), tzinfo=UTC)


def _taken(
    session: Session, zones: dict[int, ZoneInfo], span: tuple[datetime, datetime]
) -> dict[int, list[Taken]]:
    """Return what was measured of each patient: readings, and questionnaires with a score.

    An estimated total is no reading, but the questionnaire was answered.
    """
    begins, ends = span
    found: dict[int, list[Taken]] = {}
    for patient_id, kind, at, value in rows_of(session, *_measured(sorted(zones), begins, ends)):
        on = at.astimezone(zones[patient_id]).date()
        found.setdefault(patient_id, []).append(Taken(kind.value, on, value))
    asked = [
        each
        for each in sorted(zones)
        if not absent.is_known(session, Questionnaire.patient_id, each)
    ]
    answered = rows_of(session, *_answered(asked, begins, ends)) if asked else ()
    for patient_id, code, at, total in answered:
        on = at.astimezone(zones[patient_id]).date()
        found.setdefault(patient_id, []).append(Taken(KINDS[code].value, on, total))
    return found


@built_once
def _measured(patient_ids: Any, begins: Any, ends: Any) -> Select[int, MeasureKind, datetime, Any]:
    return select(Reading.patient_id, Reading.kind, Reading.taken_at, Reading.value).where(
        among(Reading.patient_id, patient_ids),
        Reading.taken_at.between(begins, ends),
        is_current(),
    )


@built_once
def _answered(patient_ids: Any, begins: Any, ends: Any) -> Select[*tuple[Any, ...]]:
    return select(
        Questionnaire.patient_id, Questionnaire.code, Questionnaire.at, Questionnaire.score
    ).where(
        among(Questionnaire.patient_id, patient_ids),
        Questionnaire.at.between(begins, ends),
        Questionnaire.score.is_not(None),
        Questionnaire.code.in_(KINDS),
    )
