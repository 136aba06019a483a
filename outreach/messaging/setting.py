"""What a clinic wants sent by itself, and how much of it."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, select, update
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.accounts.rules import Scope
from outreach.accounts.scoping import visible_clinics
from outreach.built_once import built_once
from outreach.errors import NotFound
from outreach.messaging.models import MessageSetting, TextLimit
from outreach.messaging.rules import BY_CHOICE, LIMITS, UNLESS_REFUSED, Limits, MessageKind
from outreach.orm import insert_new


class NoSuchClinic(NotFound):
    """There is no such clinic in one's scope."""


def kinds_of(session: Session, clinic_id: int) -> set[MessageKind]:
    """Return the kinds that a clinic has sent by itself, of those it may choose."""
    said = session.execute(
        select(MessageSetting.kind, MessageSetting.is_on).where(
            MessageSetting.clinic_id == clinic_id
        )
    ).all()
    refused = {kind for kind, is_wanted in said if not is_wanted}
    return {kind for kind, is_wanted in said if is_wanted} | (UNLESS_REFUSED - refused)


def choose(
    session: Session,
    scope: Scope,
    clinic_id: int,
    kinds: Collection[MessageKind],
    *,
    by_staff_id: int,
    now: datetime,
) -> Clinic:
    """Let exactly ``kinds`` be sent by themselves at a clinic; return it. Does not commit.

    Raises:
        NoSuchClinic: it is outside ``scope``.
    """
    clinic = _own(session, scope, clinic_id)
    for kind in BY_CHOICE:
        is_on = kind in kinds
        values = {"is_on": is_on, "by_staff_id": by_staff_id, "changed_at": now}
        insert_new(session, MessageSetting, [{"clinic_id": clinic_id, "kind": kind} | values])
        session.execute(
            update(MessageSetting)
            .where(
                MessageSetting.clinic_id == clinic_id,
                MessageSetting.kind == kind,
                MessageSetting.is_on.is_not(is_on),
            )
            .values(**values)
        )
    return clinic


def limits_by(
    session: Session, clinic_ids: Iterable[int] | None = None
) -> defaultdict[int, Limits]:
    """Return the limits of ``clinic_ids``, or of every clinic, by id. One statement."""
    some = _limits_of(sorted(clinic_ids)) if clinic_ids is not None else (select(TextLimit), {})
    found = {
        each.clinic_id: Limits(
            each.per_day, each.per_week, each.unreachable_times, each.settle_minutes
        )
        for each in session.scalars(*some)
    }
    return defaultdict(lambda: LIMITS, found)


@built_once
def _limits_of(clinic_ids: Any) -> Select[TextLimit]:
    return select(TextLimit).where(TextLimit.clinic_id.in_(clinic_ids))


def limit(
    session: Session,
    scope: Scope,
    clinic_id: int,
    limits: Limits,
    *,
    by_staff_id: int,
    now: datetime,
) -> None:
    """Let a clinic's texts keep to ``limits`` from now on. Does not commit.

    Raises:
        NoSuchClinic: it is outside ``scope``.
    """
    _own(session, scope, clinic_id)
    values = asdict(limits) | {"by_staff_id": by_staff_id, "changed_at": now}
    if not insert_new(session, TextLimit, [{"clinic_id": clinic_id} | values]):
        session.execute(update(TextLimit).where(TextLimit.clinic_id == clinic_id).values(**values))


def _own(session: Session, scope: Scope, clinic_id: int) -> Clinic:
    clinic = session.scalar(
        select(Clinic).where(Clinic.id == clinic_id, visible_clinics(scope, Clinic.id))
    )
    if clinic is None:
        raise NoSuchClinic("There is no such clinic.")
    return clinic


def is_on(clinic_id: ColumnElement[int] | object, kind: MessageKind) -> ColumnElement[bool]:
    """Return the condition that a clinic, a column of the query around it, wants ``kind``."""
    said = exists().where(
        MessageSetting.clinic_id == clinic_id,
        MessageSetting.kind == kind,
        MessageSetting.is_on.is_(kind not in UNLESS_REFUSED),
    )
    return ~said if kind in UNLESS_REFUSED else said
