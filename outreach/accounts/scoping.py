"""The one place that decides whose records exist for whom.

Every query about people's data passes its table through :func:`visible`, or, where it is built
once for many, :func:`visible_to_all_like`. What that leaves out does not exist for the actor:
pages answer 404.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, false, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute

from outreach.accounts.rules import Scope
from outreach.orm import Model

# The longest call there is (calls.rules.LONGEST_CALL_MINUTES): by then it has been recorded.
LONGEST_LEASE = timedelta(hours=4)


def visible(
    scope: Scope,
    clinic_id: InstrumentedAttribute[int],
    patient_id: InstrumentedAttribute[int],
) -> ColumnElement[bool]:
    """Return the condition that a row is within ``scope``.

    Args:
        scope: whose view it is.
        clinic_id: the row's clinic column.
        patient_id: the row's patient column (for the patient table, its id).
    """
    return _visible(scope, SimpleNamespace(**values_of(scope)), clinic_id, patient_id)


def visible_to_all_like(
    shape: Scope,
    clinic_id: InstrumentedAttribute[int],
    patient_id: InstrumentedAttribute[int],
) -> ColumnElement[bool]:
    """As :func:`visible`, for a statement that is built once for all whose scope is so shaped.

    ``shape``: of :func:`shape_of`. Whoever asks tells :func:`values_of` their own scope.
    """
    return _visible(shape, _LATER, clinic_id, patient_id)


def shape_of(scope: Scope) -> Scope:
    """Return what all scopes have in common that differ only in whose, where and when."""
    return replace(
        scope,
        staff_id=0,
        clinic_ids=frozenset([0] if scope.clinic_ids else []),
        panel_clinic_ids=frozenset([0] if scope.panel_clinic_ids else []),
        as_of=scope.as_of and datetime.max.replace(tzinfo=UTC),
        opened_patients=scope.opened_patients and frozenset([0]),
    )


def values_of(scope: Scope) -> dict[str, Any]:
    """Return whose, where and when a scope is, by the names that statements have for it."""
    return {
        "scope_staff_id": scope.staff_id,
        "scope_clinic_ids": sorted(scope.clinic_ids),
        "scope_panel_clinic_ids": sorted(scope.panel_clinic_ids),
        "scope_opened_patients": sorted(scope.opened_patients or ()),
        "scope_as_of": scope.as_of,
        "scope_leases_since": scope.as_of and scope.as_of - LONGEST_LEASE,
    }


_NAMES = values_of(Scope(0, everything=False, clinic_ids=frozenset()))
_LATER = SimpleNamespace(**{name: bindparam(name) for name in _NAMES})


def _visible(scope: Scope, told: Any, clinic_id: Any, patient_id: Any) -> ColumnElement[bool]:
    """Return the condition of a ``scope`` of this shape, whose values are ``told``."""
    if scope.everything and scope.opened_patients is None:
        return true()
    conditions: list[ColumnElement[bool]] = []
    if scope.everything and scope.opened_patients:
        conditions.append(patient_id.in_(told.scope_opened_patients))
    if scope.panel_clinic_ids:
        at_own_clinic = clinic_id.in_(told.scope_panel_clinic_ids)
        conditions.append(and_(at_own_clinic, patient_id.in_(_own_panel(scope, told))))
    if scope.clinic_ids:
        conditions.append(clinic_id.in_(told.scope_clinic_ids))
    # Never a part that is always false: beside one, SQLite looks nothing up by an index.
    return or_(*conditions) if conditions else false()


def visible_clinics(scope: Scope, clinic_id: Any) -> ColumnElement[bool]:
    """Return the condition that a row of a whole clinic (a report, an import) is in scope."""
    if scope.everything:
        return true()
    return clinic_id.in_(sorted(scope.clinic_ids)) if scope.clinic_ids else false()


def visible_at_clinic(scope: Scope, clinic_id: Any, patient_id: Any) -> ColumnElement[bool]:
    """As :func:`visible_clinics`, for rows that may name a patient, or nobody (NULL).

    Administrators who need a reason see of patients' rows those of whom they opened.
    """
    at_clinic = visible_clinics(scope, clinic_id)
    if scope.opened_patients is None:
        return at_clinic
    return and_(at_clinic, or_(patient_id.is_(None), patient_id.in_(sorted(scope.opened_patients))))


def _own_panel(scope: Scope, told: Any) -> Any:
    # The tables lie in a package above this one: named, not imported, as a foreign key is.
    membership = Model.metadata.tables["panel_membership"]
    own = select(membership.c.patient_id).where(
        and_(membership.c.caller_id == told.scope_staff_id, membership.c.until_at.is_(None))
    )
    if scope.as_of is None:
        return own
    cover = Model.metadata.tables["cover"]
    covered = select(cover.c.patient_id).where(
        cover.c.stand_in_id == told.scope_staff_id,
        cover.c.from_at <= told.scope_as_of,
        cover.c.until_at > told.scope_as_of,
        cover.c.ended_at.is_(None),
    )
    # Whoever has a call open when their cover ends finishes it: nothing typed is lost. To save
    # one that they began they need no lease that holds, which runs out where there is no network:
    # it is theirs until somebody else takes it.
    lease = Model.metadata.tables["call_lease"]
    in_hands = select(lease.c.patient_id).where(
        lease.c.staff_id == told.scope_staff_id,
        or_(
            lease.c.until_at > told.scope_as_of,
            lease.c.started_at.is_not(None) if scope.saves_begun else false(),
        ),
        lease.c.opened_at > told.scope_leases_since,
    )
    return own.union_all(covered, in_hands)
