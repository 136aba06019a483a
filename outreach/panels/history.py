"""Who called patients before."""

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import and_, exists, select
from sqlalchemy.orm import Session, aliased

from outreach.among import among
from outreach.panels.models import PanelMembership
from outreach.panels.rules import ChangeReason


def former_callers(session: Session, clinic_id: int, caller_ids: Collection[int]) -> dict[int, int]:
    """Return who called each patient last, where they are still a caller of the clinic."""
    later = aliased(PanelMembership)
    rows = session.execute(
        select(PanelMembership.patient_id, PanelMembership.caller_id)
        .outerjoin(
            later,
            and_(later.patient_id == PanelMembership.patient_id, later.id > PanelMembership.id),
        )
        .where(PanelMembership.clinic_id == clinic_id, later.id.is_(None))
    ).all()
    return {row.patient_id: row.caller_id for row in rows if row.caller_id in caller_ids}


def begun_ids(session: Session, clinic_id: int) -> set[int]:
    """Return the enrolments that had a caller before: their weeks have begun."""
    query = select(PanelMembership.enrolment_id).where(PanelMembership.clinic_id == clinic_id)
    return set(session.scalars(query.distinct()))


def parted(session: Session, patient_ids: Collection[int]) -> dict[int, frozenset[int]]:
    """Return after which callers each of ``patient_ids`` asked for somebody else, if any.

    Not where the same caller has called them again since.
    """
    following, again = aliased(PanelMembership), aliased(PanelMembership)
    rows = session.execute(
        select(PanelMembership.patient_id, PanelMembership.caller_id)
        .join(
            following,
            and_(
                following.patient_id == PanelMembership.patient_id,
                following.id > PanelMembership.id,
                following.from_at == PanelMembership.until_at,
                following.reason == ChangeReason.PATIENT_ASKED,
            ),
        )
        .where(
            among(PanelMembership.patient_id, sorted(patient_ids)),
            ~exists().where(
                again.patient_id == PanelMembership.patient_id,
                again.caller_id == PanelMembership.caller_id,
                again.id > PanelMembership.id,
            ),
        )
        .order_by(PanelMembership.id)
    ).all()
    found: defaultdict[int, set[int]] = defaultdict(set)
    for patient_id, caller_id in rows:
        found[patient_id].add(caller_id)
    return {patient_id: frozenset(caller_ids) for patient_id, caller_ids in found.items()}
