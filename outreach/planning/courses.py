"""What the planner needs to know of enrolments, read in sets."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, ScalarSelect, and_, exists, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from outreach.accounts.models import Clinic
from outreach.panels.models import PanelMembership
from outreach.patients.models import Patient
from outreach.patients.rules import ContactHours
from outreach.planning.models import PlannedCall
from outreach.planning.rules import Calendar, CallStatus, Course
from outreach.programmes import choices
from outreach.programmes.models import Enrolment, ProgrammeVersion
from outreach.programmes.rules import EnrolmentStatus, Protocol


@dataclass(frozen=True)
class Standing:
    """One enrolment and where its plan stands.

    ``last_sequence`` is of its latest planned call, open or not; ``last_completed_at`` is
    when a call of it was last completed.
    """

    enrolment_id: int
    clinic_id: int
    patient_id: int
    course: Course
    last_sequence: int
    last_completed_at: datetime | None

    @property
    def zone(self) -> ZoneInfo:
        """Where the patient lives."""
        return self.course.calendar.zone


def unplanned_ids(session: Session, *, after_id: int, limit: int) -> Sequence[int]:
    """Return enrolments that should have an open call and have none, by id from ``after_id``.

    That is: active, with a dedicated caller. Without a caller nobody would make the call.
    """
    return session.scalars(
        select(Enrolment.id)
        .where(
            Enrolment.id > after_id,
            Enrolment.status == EnrolmentStatus.ACTIVE,
            exists().where(
                PanelMembership.enrolment_id == Enrolment.id, PanelMembership.until_at.is_(None)
            ),
            ~exists().where(
                PlannedCall.enrolment_id == Enrolment.id, PlannedCall.status == CallStatus.PLANNED
            ),
        )
        .order_by(Enrolment.id)
        .limit(limit)
    ).all()


def standings(session: Session, enrolment_ids: Sequence[int]) -> list[Standing]:
    """Return where each of ``enrolment_ids`` stands, by id. Three statements for any number."""
    rows = session.execute(
        select(
            Enrolment.id,
            Enrolment.clinic_id,
            Enrolment.patient_id,
            Enrolment.starts_on,
            Enrolment.version_id,
            Patient,
            Clinic.opens,
            Clinic.closes,
            _newest(PlannedCall.due_on, PlannedCall.status != CallStatus.CANCELLED).label(
                "last_due_on"
            ),
            _newest(PlannedCall.sequence).label("last_sequence"),
            _newest(PlannedCall.closed_at, PlannedCall.status == CallStatus.COMPLETED).label(
                "last_completed_at"
            ),
        )
        .join(Patient, Patient.id == Enrolment.patient_id)
        .join(Clinic, Clinic.id == Enrolment.clinic_id)
        .where(Enrolment.id.in_(enrolment_ids))
        .order_by(Enrolment.id)
    ).all()
    protocols = _protocols(session, {row.version_id for row in rows})
    chosen = choices.current_of(session, [row.id for row in rows])
    return [
        Standing(
            row.id,
            row.clinic_id,
            row.patient_id,
            Course(
                protocols[row.version_id],
                row.starts_on,
                chosen[row.id],
                Calendar(
                    ZoneInfo(row.Patient.zone),
                    row.Patient.wishes,
                    ContactHours(row.opens, row.closes),
                ),
                row.last_due_on,
            ),
            row.last_sequence or 0,
            row.last_completed_at,
        )
        for row in rows
    ]


def standing_of(session: Session, enrolment_id: int) -> Standing:
    """Return where one enrolment stands."""
    return standings(session, [enrolment_id])[0]


def _newest(
    column: InstrumentedAttribute[Any], *conditions: ColumnElement[bool]
) -> ScalarSelect[Any]:
    return (
        select(func.max(column))
        .where(and_(PlannedCall.enrolment_id == Enrolment.id, *conditions))
        .correlate(Enrolment)
        .scalar_subquery()
    )


def _protocols(session: Session, version_ids: set[int]) -> dict[int, Protocol]:
    versions = session.scalars(
        select(ProgrammeVersion).where(ProgrammeVersion.id.in_(sorted(version_ids)))
    )
    return {version.id: version.protocol for version in versions}


def active_ids(session: Session, enrolment_ids: Sequence[int]) -> Sequence[int]:
    """Return those of ``enrolment_ids`` that are active, locked until the transaction ends.

    Somebody may withdraw between the moment a planner looks and the moment it writes.
    """
    return session.scalars(
        select(Enrolment.id)
        .where(Enrolment.id.in_(enrolment_ids), Enrolment.status == EnrolmentStatus.ACTIVE)
        .order_by(Enrolment.id)
        .with_for_update()
    ).all()


def assigned_ids(session: Session, enrolment_ids: Sequence[int]) -> Sequence[int]:
    """Return those of ``enrolment_ids`` that have a dedicated caller now."""
    return session.scalars(
        select(PanelMembership.enrolment_id)
        .where(PanelMembership.enrolment_id.in_(enrolment_ids), PanelMembership.until_at.is_(None))
        .order_by(PanelMembership.enrolment_id)
    ).all()
