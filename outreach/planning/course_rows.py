"""The statements by which the planner reads enrolments: a few looks into an index for each."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    ScalarSelect,
    Select,
    String,
    Text,
    bindparam,
    case,
    cast,
    exists,
    func,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute, aliased

from outreach.among import among
from outreach.panels.models import PanelMembership, Shift
from outreach.patients.models import Patient
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from outreach.programmes.models import CadenceChoice, Enrolment, ProgrammeVersion
from outreach.programmes.rules import EnrolmentStatus
from outreach.sql import as_json

# All that the rows of a page are read by.
OF_PAGE = (
    Enrolment.id,
    Enrolment.clinic_id,
    Enrolment.patient_id,
    Enrolment.version_id,
    Enrolment.starts_on,
    Enrolment.away_from_on,
    Enrolment.away_until_on,
    PanelMembership.caller_id,
)


def unplanned(
    columns: Iterable[Any], after_id: int | BindParameter[int], limit: int | BindParameter[int]
) -> Select[*tuple[Any, ...]]:
    """Select ``columns`` of the enrolments of :func:`courses.unplanned_ids`.

    Each table begins at ``after_id``: else the database may merge them from the beginning,
    for every page again.
    """
    membership, call = PanelMembership.enrolment_id, PlannedCall.enrolment_id
    return (
        select(*columns)
        .select_from(Enrolment)
        .join(PanelMembership, membership == Enrolment.id)
        .where(
            Enrolment.id > after_id,
            Enrolment.status == EnrolmentStatus.ACTIVE,
            membership > after_id,
            PanelMembership.until_at.is_(None),
            ~exists().where(call == Enrolment.id, call > after_id, PlannedCall.is_open),
        )
        .order_by(Enrolment.id)
        .limit(limit)
    )


def rows(of: type[Enrolment], caller_id: ColumnElement[int]) -> Select[*tuple[Any, ...]]:
    """Select the columns of :class:`courses.Row`: a few looks into an index for each enrolment.

    All are subqueries: the database may read a whole table for a join, once a page.
    """
    course = as_json(
        of.version_id,
        of.starts_on,
        _latest_counted(of),
        _newest_choices(of),
        _recent_due_days(of),
        of.away_from_on,
        of.away_until_on,
    )
    last_sequence = _calls(of, func.max(PlannedCall.sequence)).scalar_subquery()
    return select(of.id, of.patient_id, last_sequence, course, _place(of, caller_id))


@cache
def of_page() -> Select[*tuple[Any, ...]]:
    """Return :func:`rows` of a page of :func:`unplanned`, locked; built once.

    Binds ``after_id`` and ``limit``. The page comes first, so that nothing is looked up for
    rows that aren't on it, and with its columns: joined to its own table again, PostgreSQL
    reads that whole table for every page.
    """
    page = unplanned(OF_PAGE, bindparam("after_id"), bindparam("limit"))
    locked = page.with_for_update(of=Enrolment.__table__).cte("page")
    return rows(aliased(Enrolment, locked), locked.c.caller_id)


@cache
def of_enrolments() -> Select[*tuple[Any, ...]]:
    """Return :func:`rows` of ``enrolment_ids``, as most pages of one patient ask; built once.

    With the version of each, and its data as text: to be read once a version, not once a row.
    """
    these = among(Enrolment.id, bindparam("enrolment_ids"))
    data = (
        select(cast(ProgrammeVersion.data, Text))
        .where(ProgrammeVersion.id == Enrolment.version_id)
        .scalar_subquery()
    )
    found = rows(Enrolment, caller_id(Enrolment)).where(these)
    return found.add_columns(Enrolment.version_id, data)


def _place(of: type[Enrolment], caller_id: ColumnElement[int]) -> ScalarSelect[str]:
    place = as_json(
        of.clinic_id,
        Patient.state,
        Patient.zone,
        Patient.weekdays,
        cast(Patient.dayparts, String),
        _worked(caller_id),
    )
    return select(place).where(Patient.id == of.patient_id).correlate(of).scalar_subquery()


def caller_id(of: type[Enrolment]) -> ScalarSelect[int]:
    """Select the dedicated caller."""
    return (
        select(PanelMembership.caller_id)
        .where(PanelMembership.enrolment_id == of.id, PanelMembership.until_at.is_(None))
        .correlate(of)
        .scalar_subquery()
    )


def _worked(caller_id: ColumnElement[int]) -> ScalarSelect[str]:
    """Select the weekdays on which a caller works, one as often as it has shifts."""
    return (
        _joined(cast(Shift.weekday, String))
        .where(Shift.staff_id == caller_id)
        .correlate_except(Shift)
        .scalar_subquery()
    )


def _calls(of: type[Enrolment], column: Any) -> Select[Any]:
    return select(column).where(PlannedCall.enrolment_id == of.id).correlate(of)


def _latest_counted(of: type[Enrolment]) -> ScalarSelect[str]:
    """Select day and completion, if that was lately, of the latest call not cancelled."""
    completed_at = case((PlannedCall.status == CallStatus.COMPLETED, PlannedCall.closed_at))
    lately_at = case((completed_at >= bindparam("day_ago"), completed_at))
    return (
        _calls(of, as_json(PlannedCall.due_on, lately_at))
        .where(PlannedCall.status != CallStatus.CANCELLED)
        .order_by(PlannedCall.sequence.desc())
        .limit(1)
        .scalar_subquery()
    )


def _newest_choices(of: type[Enrolment]) -> ScalarSelect[str]:
    """Select ``phase=value`` of each phase that the patient chose for; the newest counts."""
    newer = aliased(CadenceChoice)
    is_old = exists().where(
        newer.enrolment_id == CadenceChoice.enrolment_id,
        newer.phase == CadenceChoice.phase,
        newer.id > CadenceChoice.id,
    )
    words = CadenceChoice.phase + "=" + cast(CadenceChoice.value, String)
    return _joined(words).where(CadenceChoice.enrolment_id == of.id, ~is_old).scalar_subquery()


def _recent_due_days(of: type[Enrolment]) -> ColumnElement[str | None]:
    """Select the days of the last week, and later, on which calls were due.

    Only for those in whose weeks calls are counted: they started on ``weekly_from`` or later.
    """
    recent = aliased(PlannedCall)
    days = _joined(cast(recent.due_on, String)).where(
        recent.patient_id == of.patient_id,
        recent.enrolment_id == of.id,
        recent.status != CallStatus.CANCELLED,
        recent.due_on >= bindparam("week_ago"),
    )
    return case((of.starts_on >= bindparam("weekly_from"), days.scalar_subquery()))


def _joined(words: ColumnElement[str] | InstrumentedAttribute[str]) -> Select[str]:
    return select(func.aggregate_strings(words, "\n"))
