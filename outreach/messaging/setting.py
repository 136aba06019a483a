"""What a clinic wants sent by itself."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, exists, select, update
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.accounts.rules import Scope
from outreach.accounts.scoping import visible_clinics
from outreach.errors import NotFound
from outreach.messaging.models import MessageSetting
from outreach.messaging.rules import BY_CHOICE, MessageKind
from outreach.orm import insert_new


class NoSuchClinic(NotFound):
    """There is no such clinic in one's scope."""


def chosen(session: Session, scope: Scope) -> list[tuple[Clinic, set[MessageKind]]]:
    """Return the clinics in ``scope``, by name, with the kinds that each has sent by itself."""
    clinics = session.scalars(
        select(Clinic).where(visible_clinics(scope, Clinic.id)).order_by(Clinic.name, Clinic.id)
    ).all()
    kinds: dict[int, set[MessageKind]] = {each.id: set() for each in clinics}
    rows = session.execute(
        select(MessageSetting.clinic_id, MessageSetting.kind).where(
            MessageSetting.is_on.is_(True), MessageSetting.clinic_id.in_(kinds)
        )
    )
    for clinic_id, kind in rows:
        kinds[clinic_id].add(kind)
    return [(each, kinds[each.id]) for each in clinics]


def choose(
    session: Session,
    scope: Scope,
    clinic_id: int,
    kinds: Collection[MessageKind],
    *,
    by_staff_id: int,
    now: datetime,
) -> None:
    """Let exactly ``kinds`` be sent by themselves at a clinic. Does not commit.

    Raises:
        NoSuchClinic: it is outside ``scope``.
    """
    if not session.scalar(
        select(Clinic.id).where(Clinic.id == clinic_id, visible_clinics(scope, Clinic.id))
    ):
        raise NoSuchClinic("There is no such clinic.")
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


def is_on(clinic_id: ColumnElement[int] | object, kind: MessageKind) -> ColumnElement[bool]:
    """Return the condition that a clinic, a column of the query around it, wants ``kind``."""
    return exists().where(
        MessageSetting.clinic_id == clinic_id,
        MessageSetting.kind == kind,
        MessageSetting.is_on.is_(True),
    )
