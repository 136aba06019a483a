"""Whose lists a patient stood on: a caller sees the names of their own panel without opening any.

Who has a panel is kept with its times anyway, so that no look at a queue need be noted.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from outreach.accounts import staff
from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Actor
from outreach.among import among
from outreach.oversight.events import Asked, readable_clinics
from outreach.panels.models import Cover, PanelMembership
from outreach.patients.models import Patient


@dataclass(frozen=True)
class OnList:
    """A patient was on somebody's list from ``since`` until ``until``, None: they still are."""

    staff: str
    since: datetime
    until: datetime | None
    record_number: str
    clinic: str
    is_stand_in: bool


def of(session: Session, actor: Actor, asked: Asked) -> list[OnList]:
    """Return on whose lists the patients of ``asked`` stood in its days, the latest first."""
    if not asked.patient_ids:
        return []
    ended_at = func.coalesce(Cover.ended_at, Cover.until_at)
    stood = (
        _stood(PanelMembership, PanelMembership.caller_id, PanelMembership.until_at, asked),
        _stood(Cover, Cover.stand_in_id, ended_at, asked),
    )
    told = tuple(_may_be_told(session, actor, asked))
    found = [
        OnList(row[0], row[1], row[2], row[3], row[4], is_stand_in)
        for query, is_stand_in in zip(stood, (False, True), strict=True)
        for row in session.execute(query.where(*told))
    ]
    return sorted(found, key=lambda each: (each.since, each.staff), reverse=True)


def _stood(
    model: type[PanelMembership | Cover],
    whose: InstrumentedAttribute[int],
    until: SQLColumnExpression[Any],
    asked: Asked,
) -> Select[*tuple[Any, ...]]:
    """Select who had the patients of ``asked``, by the rows of ``model``."""
    return (
        select(StaffMember.name, model.from_at, until, Patient.record_number, Clinic.name)
        .select_from(model)
        .join(StaffMember, StaffMember.id == whose)
        .join(Patient, Patient.id == model.patient_id)
        .join(Clinic, Clinic.id == model.clinic_id)
        .where(
            model.patient_id.in_(asked.patient_ids or ()),
            model.from_at < asked.ends_at,
            or_(until.is_(None), until > asked.begins_at),
        )
    )


def _may_be_told(session: Session, actor: Actor, asked: Asked) -> Iterator[ColumnElement[bool]]:
    clinics = readable_clinics(actor)
    if clinics is not None:
        yield Clinic.id.in_(sorted(clinics))
    if asked.staff:
        yield among(StaffMember.id, staff.called(session, asked.staff))
