"""Texts that a person has to see to, until somebody did."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased, joinedload

from outreach import absent
from outreach.accounts.models import StaffMember
from outreach.accounts.rules import Scope
from outreach.accounts.scoping import shape_of, values_of, visible_to_all_like
from outreach.built_once import built_once
from outreach.errors import NotFound
from outreach.inbox.models import InboxItem
from outreach.inbox.rules import OLD_AFTER, Understood
from outreach.messaging.models import InboundText
from outreach.orm import rows_of
from outreach.panels import duty
from outreach.panels.models import PanelMembership
from outreach.patients.models import Patient
from outreach.planning.models import PlannedCall

MOST = 200


class NoSuchText(NotFound):
    """No text in the actor's scope has that number."""


@dataclass(frozen=True)
class Line:
    """One text that waits, and who is on duty for whoever sent it, if anybody is."""

    item: InboxItem
    inbound: InboundText
    patient: Patient | None
    caller_name: str | None

    def is_old(self, now: datetime) -> bool:
        """Whether it has waited for so long that a manager is shown it."""
        return self.item.at <= now - OLD_AFTER


def lines(
    session: Session,
    scope: Scope,
    *,
    now: datetime,
    overdue_only: bool = False,
    danger_at: Collection[int] = (),
    most: int | None = MOST,
) -> list[Line]:
    """Return the texts in ``scope`` that wait: danger, then the newest. One statement.

    Args:
        most: so many of them; None: all.
        danger_at: clinics of a nurse, who sees danger from numbers that are nobody's: no
            concern can hold it, and whoever is on call was told to look.
        overdue_only: of clinics as a whole, only what waits for longer than OLD_AFTER, or has
            nobody to see to it; a caller's own are always there.
    """
    on_duty, shape = duty.caller_on_duty(PanelMembership.enrolment_id, now), shape_of(scope)
    rows = session.execute(
        select(InboxItem, InboundText, Patient, StaffMember.name)
        .join(InboundText, InboundText.id == InboxItem.inbound_id)
        .outerjoin(Patient, Patient.id == InboxItem.patient_id)
        .outerjoin(
            PanelMembership,
            and_(
                PanelMembership.patient_id == InboxItem.patient_id,
                PanelMembership.until_at.is_(None),
            ),
        )
        .outerjoin(StaffMember, StaffMember.id == on_duty)
        .where(*_waits(shape, overdue_only=overdue_only, has_danger=bool(danger_at)))
        .order_by(
            InboxItem.understood != Understood.DANGER, InboxItem.at.desc(), InboxItem.id.desc()
        )
        .limit(most),
        _values(scope, danger_at, now=now),
    ).all()
    return [Line(*row) for row in rows]


def count(
    session: Session,
    scope: Scope,
    *,
    now: datetime,
    overdue_only: bool = False,
    danger_at: Collection[int] = (),
) -> int:
    """Return how many texts in ``scope`` wait; the arguments are those of :func:`lines`."""
    statement = _count(shape_of(scope), overdue_only=overdue_only, has_danger=bool(danger_at))
    ((found,),) = rows_of(session, statement, _values(scope, danger_at, now=now))
    return int(found)


@cache
def _count(shape: Scope, *, overdue_only: bool, has_danger: bool) -> Select[*tuple[Any, ...]]:
    waits = _waits(shape, overdue_only=overdue_only, has_danger=has_danger)
    return select(func.count()).select_from(InboxItem).where(*waits)


def of_patient(session: Session, patient_id: int) -> Sequence[InboxItem]:
    """Return what waits of one patient, newest first, with the texts."""
    if absent.is_known(session, InboxItem.patient_id, patient_id):
        return ()
    return session.scalars(*_of_patient(patient_id)).all()


@built_once
def _of_patient(patient_id: Any) -> Select[InboxItem]:
    return (
        select(InboxItem)
        .options(joinedload(InboxItem.inbound))
        .where(InboxItem.patient_id == patient_id, InboxItem.done_at.is_(None))
        .order_by(InboxItem.at.desc(), InboxItem.id.desc())
    )


def is_confirmed(session: Session, call: PlannedCall) -> bool:
    """Say whether a patient confirmed, or chose, the time at which their call is now."""
    if absent.is_known(session, InboxItem.planned_call_id, call.id):
        return False
    return bool(session.scalar(*_is_confirmed(call.id, call.dial_from_at)))


@built_once
def _is_confirmed(call_id: Any, slot_at: Any) -> Select[bool]:
    confirmed = exists().where(
        InboxItem.planned_call_id == call_id,
        InboxItem.slot_at == slot_at,
        InboxItem.understood.in_((Understood.CONFIRMED, Understood.BOOKED)),
    )
    return select(confirmed)


def see_to(
    session: Session,
    scope: Scope,
    item_id: int,
    staff_id: int,
    *,
    now: datetime,
    danger_at: Collection[int] = (),
) -> None:
    """Note that one text is seen to; a second time changes nothing. Does not commit.

    Of a number that is nobody's, earlier texts from it are seen to as well.

    Raises:
        NoSuchText: it is outside ``scope``.
    """
    item = session.scalar(
        select(InboxItem)
        .options(joinedload(InboxItem.inbound))
        .where(InboxItem.id == item_id, _is_visible(shape_of(scope), has_danger=bool(danger_at))),
        _values(scope, danger_at, now=now),
    )
    if item is None:
        raise NoSuchText("There is no such text.")
    if item.patient_id is not None:
        _close(session, InboxItem.id == item.id, staff_id, now=now)
        return
    from_there = exists().where(
        InboundText.id == InboxItem.inbound_id,
        InboundText.from_number == item.inbound.from_number,
    )
    own = and_(
        InboxItem.patient_id.is_(None),
        InboxItem.clinic_id == item.clinic_id,
        InboxItem.id <= item.id,
        from_there,
    )
    _close(session, own, staff_id, now=now)


def see_to_all(
    session: Session, patient_id: int, up_to_id: int, staff_id: int, *, now: datetime
) -> None:
    """Note that a patient's texts up to one of them are seen to. Does not commit.

    Not those that came in while somebody was writing: they have not read them.
    """
    own = and_(InboxItem.patient_id == patient_id, InboxItem.id <= up_to_id)
    _close(session, own, staff_id, now=now)


def _close(session: Session, which: ColumnElement[bool], staff_id: int, *, now: datetime) -> None:
    closed = session.scalars(
        update(InboxItem)
        .where(which, InboxItem.done_at.is_(None))
        .values(done_at=now, done_by_id=staff_id)
        .returning(InboxItem.inbound_id)
        .execution_options(synchronize_session=False)
    ).all()
    # A text on a shared number waits until it is seen to for each who may have sent it.
    other = aliased(InboxItem)
    is_left = exists().where(other.inbound_id == InboundText.id, other.done_at.is_(None))
    session.execute(
        update(InboundText)
        .where(InboundText.id.in_(closed), InboundText.answered_at.is_(None), ~is_left)
        .values(answered_at=now)
        .execution_options(synchronize_session=False)
    )
    session.expire_all()


def _waits(shape: Scope, *, overdue_only: bool, has_danger: bool) -> list[ColumnElement[bool]]:
    """Return the conditions that a text waits for all whose scope is so shaped; for `_values`."""
    conditions = [InboxItem.done_at.is_(None), _is_visible(shape, has_danger=has_danger)]
    own = replace(shape, everything=False, clinic_ids=frozenset())
    # A caller has nothing but their own, all of which is shown: nothing to leave out.
    if overdue_only and (own != shape or has_danger):
        membership = aliased(PanelMembership)
        has_caller = exists().where(
            membership.patient_id == InboxItem.patient_id, membership.until_at.is_(None)
        )
        is_old = InboxItem.at <= bindparam("old_before")
        conditions.append(or_(is_old, ~has_caller, _is_visible(own)))
    return conditions


def _is_visible(shape: Scope, *, has_danger: bool = False) -> ColumnElement[bool]:
    own = visible_to_all_like(shape, InboxItem.clinic_id, InboxItem.patient_id)  # type: ignore[arg-type]
    danger_of_nobody = and_(
        InboxItem.clinic_id.in_(bindparam("danger_at")),
        InboxItem.patient_id.is_(None),
        InboxItem.understood == Understood.DANGER,
    )
    return or_(own, danger_of_nobody) if has_danger else own


def _values(scope: Scope, danger_at: Collection[int], *, now: datetime) -> dict[str, Any]:
    return values_of(scope) | {"danger_at": sorted(danger_at), "old_before": now - OLD_AFTER}
