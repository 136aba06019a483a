"""Who makes the calls of an enrolment at a given time: its caller, or who covers for them."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from outreach.panels.models import Cover, PanelMembership


def is_current(now: datetime | ColumnElement[datetime]) -> ColumnElement[bool]:
    """Return the condition that a row of Cover holds at ``now``.

    An ended cover counts no more, even where its end was set to a time to come.
    """
    return and_(Cover.from_at <= now, Cover.until_at > now, Cover.ended_at.is_(None))


def caller_on_duty(
    enrolment_id: ColumnElement[int] | Any, now: datetime | ColumnElement[datetime]
) -> ColumnElement[int]:
    """Return the id of who calls an enrolment at ``now``, NULL where nobody does.

    Args:
        enrolment_id: a column of the statement around it.
        now: an aware instant, or a bound parameter for one.
    """
    stand_in = (
        select(Cover.stand_in_id)
        .where(Cover.enrolment_id == enrolment_id, is_current(now))
        .order_by(Cover.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    own = (
        select(PanelMembership.caller_id)
        .where(PanelMembership.enrolment_id == enrolment_id, PanelMembership.until_at.is_(None))
        .scalar_subquery()
    )
    return func.coalesce(stand_in, own)


def enrolments_of(
    caller_id: int | ColumnElement[int], now: datetime | ColumnElement[datetime]
) -> ColumnElement[bool]:
    """Return the condition that a row of PanelMembership is called by ``caller_id`` at ``now``.

    That is: it is current, and theirs while nobody covers it, or covered by them.
    """
    covered = exists().where(Cover.enrolment_id == PanelMembership.enrolment_id, is_current(now))
    by_them = covered.where(Cover.stand_in_id == caller_id)
    return and_(
        PanelMembership.until_at.is_(None),
        or_(and_(PanelMembership.caller_id == caller_id, ~covered), by_them),
    )


def on_duty(session: Session, enrolment_id: int, *, now: datetime) -> int | None:
    """Return who calls an enrolment at ``now``, None where nobody does."""
    return session.scalar(select(caller_on_duty(enrolment_id, now)))


def unread_handover(
    session: Session, enrolment_id: int, staff_id: int, *, now: datetime
) -> PanelMembership | Cover | None:
    """Return what ``staff_id`` must read about before their first dial, or None.

    A cover, or a membership that took over from somebody, whose summary they have not
    opened yet. A first caller has nobody to take over from.
    """
    cover = session.scalar(
        select(Cover)
        .where(Cover.enrolment_id == enrolment_id, Cover.stand_in_id == staff_id, is_current(now))
        .order_by(Cover.id.desc())
        .limit(1)
    )
    if cover is not None:
        return None if cover.opened_at else cover
    earlier = select(PanelMembership.id).where(
        PanelMembership.enrolment_id == enrolment_id, PanelMembership.until_at.is_not(None)
    )
    return session.scalar(
        select(PanelMembership).where(
            PanelMembership.enrolment_id == enrolment_id,
            PanelMembership.caller_id == staff_id,
            PanelMembership.until_at.is_(None),
            PanelMembership.opened_at.is_(None),
            earlier.exists(),
        )
    )
