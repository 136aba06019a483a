"""Since when nobody has spoken with a patient, in SQL."""

from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, FromClause, ScalarSelect, Select, Table, exists, func, select
from sqlalchemy.orm import Session

from outreach.orm import Model
from outreach.panels.models import PanelMembership
from outreach.planning.follow_ups import GONE
from outreach.programmes.models import Enrolment, EnrolmentEvent, ProgrammeVersion
from outreach.programmes.rules import EnrolmentStatus, FollowUpPolicy
from outreach.sql import latest


@cache
def called_ids() -> Select[int]:
    """Select the enrolments that somebody is to call."""
    membership = PanelMembership.enrolment_id == Enrolment.id
    return select(Enrolment.id).where(
        Enrolment.status == EnrolmentStatus.ACTIVE,
        exists().where(membership, PanelMembership.until_at.is_(None)),
    )


@cache
def silences() -> Select[int, int, datetime, int, date]:
    """Select id, patient, ``since_at``, version and first day of the enrolments that are called.

    ``since_at`` leaves aside on which morning of the patient's the programme began.
    """
    return called_ids().add_columns(
        Enrolment.patient_id, _since().label("since_at"), Enrolment.version_id, Enrolment.starts_on
    )


def dialled_at(known: FromClause) -> ScalarSelect[datetime | None]:
    """Select when somebody last dialled for a row of :func:`silences`, NULL where nobody did."""
    attempt = _attempts()
    return (
        select(func.max(attempt.c.at))
        .where(
            attempt.c.patient_id == known.c.patient_id,
            attempt.c.enrolment_id == known.c.id,
            attempt.c.superseded_at.is_(None),
        )
        .correlate(known)
        .scalar_subquery()
    )


def policies(session: Session) -> dict[int, FollowUpPolicy]:
    """Return what each version of a programme says about calls that don't get through."""
    versions = session.scalars(select(ProgrammeVersion).order_by(ProgrammeVersion.id))
    return {version.id: version.protocol.follow_up for version in versions}


def _since() -> ColumnElement[datetime]:
    attempt = _attempts()
    spoken_at = select(func.max(attempt.c.at)).where(
        attempt.c.patient_id == Enrolment.patient_id,
        attempt.c.enrolment_id == Enrolment.id,
        attempt.c.outcome.in_(_reached(attempt)),
        attempt.c.superseded_at.is_(None),
    )
    gone_at = select(func.max(EnrolmentEvent.at)).where(
        EnrolmentEvent.enrolment_id == Enrolment.id, EnrolmentEvent.status.in_(GONE)
    )
    assigned_at = select(func.min(PanelMembership.from_at)).where(
        PanelMembership.enrolment_id == Enrolment.id
    )
    instants = [spoken_at, gone_at, assigned_at]
    known = [each.correlate(Enrolment).scalar_subquery() for each in instants]
    return latest(
        Enrolment.enrolled_at, *(func.coalesce(each, Enrolment.enrolled_at) for each in known)
    )


def _attempts() -> Table:
    # The table lies in a package above this one: named, not imported, as a foreign key is.
    return Model.metadata.tables["attempt"]


def _reached(attempt: Table) -> list[Any]:
    outcomes = getattr(attempt.c.outcome.type, "enum_class", None) or ()
    return [each for each in outcomes if each.is_reached]
