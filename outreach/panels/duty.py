"""Who makes the calls of an enrolment at a given time: its caller, or who covers for them.

Covers may lie inside each other: a stand-in who is away is covered in turn. The newest one
that holds counts; when it ends, the one around it holds again, and then the caller's own.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    SQLColumnExpression,
    and_,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session, aliased, joinedload

from outreach.built_once import built_once
from outreach.orm import UTCDateTime
from outreach.panels.models import Absence, Cover, PanelMembership
from outreach.programmes.models import Enrolment

Instant = datetime | SQLColumnExpression[datetime]


def is_current(now: Instant) -> ColumnElement[bool]:
    """Return the condition that a row of Cover holds at ``now``.

    An ended cover counts no more, even where its end was set to a time to come.
    """
    return and_(Cover.from_at <= now, Cover.until_at > now, Cover.ended_at.is_(None))


def caller_on_duty(enrolment_id: ColumnElement[int] | Any, now: Instant) -> ColumnElement[int]:
    """Return the id of who calls an enrolment at ``now``, NULL where nobody does.

    Args:
        enrolment_id: a column of the statement around it.
        now: an aware instant, or a column or bound parameter of one.
    """
    stand_in = _newest(Cover.stand_in_id, enrolment_id, now)
    membership = aliased(PanelMembership)
    own = (
        select(membership.caller_id)
        .where(membership.enrolment_id == enrolment_id, membership.until_at.is_(None))
        .correlate_except(membership)
        .scalar_subquery()
    )
    return func.coalesce(stand_in, own)


def cover_id_now(enrolment_id: ColumnElement[int] | Any, now: Instant) -> ColumnElement[int]:
    """Return the id of the cover of an enrolment that counts at ``now``, NULL without one."""
    return _newest(Cover.id, enrolment_id, now)


def enrolments_of(caller_id: int | ColumnElement[int], now: Instant) -> ColumnElement[bool]:
    """Return the condition that a row of PanelMembership is called by ``caller_id`` at ``now``.

    That is: it is current, and theirs while nobody covers it, or covered by them.

    Args:
        caller_id: an id, or a bound parameter for one.
        now: an aware instant, or a bound parameter for one.
    """
    own, covered = aliased(PanelMembership), aliased(PanelMembership)
    # By id, and each asked who calls it before anything is joined: the database begins at the
    # few rows of one caller, however it thinks of the other tables.
    theirs = (
        select(own.id)
        .where(
            own.caller_id == caller_id,
            own.until_at.is_(None),
            caller_on_duty(own.enrolment_id, now) == caller_id,
        )
        .union_all(
            select(covered.id)
            .join(Cover, Cover.enrolment_id == covered.enrolment_id)
            .where(
                Cover.stand_in_id == caller_id,
                is_current(now),
                covered.until_at.is_(None),
                caller_on_duty(covered.enrolment_id, now) == caller_id,
            )
        )
    )
    return PanelMembership.id.in_(theirs)


def on_duty(session: Session, enrolment_id: int, *, now: datetime) -> int | None:
    """Return who calls an enrolment at ``now``, None where nobody does."""
    return session.scalar(select(caller_on_duty(enrolment_id, now)))


def was_on_duty(session: Session, enrolment_id: int, staff_id: int, *, at: datetime) -> bool:
    """Say whether ``staff_id`` was the caller or a stand-in of an enrolment at ``at``.

    What ended since counts: a call begun on duty may be recorded after it.
    """
    membership = exists().where(
        PanelMembership.enrolment_id == enrolment_id,
        PanelMembership.caller_id == staff_id,
        PanelMembership.from_at <= at,
        or_(PanelMembership.until_at.is_(None), PanelMembership.until_at > at),
    )
    cover = exists().where(
        Cover.enrolment_id == enrolment_id,
        Cover.stand_in_id == staff_id,
        Cover.from_at <= at,
        Cover.until_at > at,
        or_(Cover.ended_at.is_(None), Cover.ended_at > at),
    )
    return bool(session.scalar(select(or_(membership, cover))))


def was_own_caller(
    enrolment_id: Any,
    staff_id: Any,
    *,
    since: Sequence[Instant | ScalarSelect[Any]],
    until: Instant,
) -> ColumnElement[bool]:
    """Return the condition that ``staff_id`` was the dedicated caller at some time of a call.

    A call keeps whose it was when it began, also where the patient changes hands before it is
    saved.

    Args:
        enrolment_id: of whom.
        staff_id: who called.
        since: when the call began; where there are several, the earliest that is not NULL.
        until: when it ended.
    """
    return exists().where(
        PanelMembership.enrolment_id == enrolment_id,
        PanelMembership.caller_id == staff_id,
        PanelMembership.from_at <= until,
        or_(
            PanelMembership.until_at.is_(None),
            *(PanelMembership.until_at >= each for each in since),
        ),
    )


def current_cover(session: Session, enrolment_id: int, *, now: datetime) -> Cover | None:
    """Return the cover of an enrolment that holds at ``now``, with its stand-in, if any."""
    return session.scalar(
        select(Cover)
        .options(joinedload(Cover.stand_in))
        .where(Cover.enrolment_id == enrolment_id, is_current(now))
        .order_by(Cover.id.desc())
        .limit(1)
    )


def end_covers(session: Session, enrolment_ids: Sequence[int], *, now: datetime) -> None:
    """End what is covered of ``enrolment_ids``, now or later: their caller is another one.

    Does not commit.
    """
    session.execute(
        update(Cover)
        .where(
            Cover.enrolment_id.in_(enrolment_ids), Cover.ended_at.is_(None), Cover.until_at > now
        )
        .values(ended_at=now)
    )


def is_away(
    staff_id: ColumnElement[int] | Any, from_at: datetime, until_at: datetime
) -> ColumnElement[bool]:
    """Return the condition that ``staff_id`` is absent at some time of [from_at, until_at)."""
    return exists().where(
        Absence.staff_id == staff_id,
        Absence.ended_at.is_(None),
        Absence.from_at < until_at,
        Absence.until_at > from_at,
    )


def is_uncovered(now: datetime, *, ahead: timedelta) -> ColumnElement[bool]:
    """Return the condition that a row of PanelMembership has, or gets, nobody to call.

    That is: whoever is on duty when an absence begins (now, where it has begun) is absent.

    Args:
        now: aware instant.
        ahead: how far off an absence may begin.
    """
    at_now = literal(now, UTCDateTime())
    begins_at = case((Absence.from_at > at_now, Absence.from_at), else_=at_now)
    return and_(
        PanelMembership.until_at.is_(None),
        exists().where(
            Absence.ended_at.is_(None),
            Absence.until_at > now,
            Absence.from_at <= now + ahead,
            caller_on_duty(PanelMembership.enrolment_id, begins_at) == Absence.staff_id,
        ),
    )


def unread_handover(
    session: Session, enrolment_id: int, staff_id: int, *, now: datetime
) -> PanelMembership | Cover | None:
    """Return what ``staff_id`` must read about before their first dial, or None.

    A cover, or a membership that took over from somebody, whose summary they have not
    opened yet. A first caller has nobody to take over from.
    """
    row = session.execute(*_taking_over(enrolment_id, staff_id, now)).first()
    cover, membership = row or (None, None)
    if cover is not None:
        return None if cover.opened_at else cover
    return membership


@built_once
def _taking_over(
    enrolment_id: Any, staff_id: Any, now: Any
) -> Select[Cover | None, PanelMembership | None]:
    earlier = aliased(PanelMembership)
    covers = and_(
        Cover.enrolment_id == Enrolment.id, Cover.stand_in_id == staff_id, is_current(now)
    )
    took_over = and_(
        PanelMembership.enrolment_id == Enrolment.id,
        PanelMembership.caller_id == staff_id,
        PanelMembership.until_at.is_(None),
        PanelMembership.opened_at.is_(None),
        exists().where(earlier.enrolment_id == Enrolment.id, earlier.until_at.is_not(None)),
    )
    return (
        select(Cover, PanelMembership)
        .select_from(Enrolment)
        .outerjoin(Cover, covers)
        .outerjoin(PanelMembership, took_over)
        .where(Enrolment.id == enrolment_id)
        .order_by(Cover.id.desc())
        .limit(1)
    )


def _newest(column: Any, enrolment_id: ColumnElement[int] | Any, now: Instant) -> ScalarSelect[int]:
    return (
        select(column)
        .where(Cover.enrolment_id == enrolment_id, is_current(now))
        .order_by(Cover.id.desc())
        .limit(1)
        .correlate_except(Cover)
        .scalar_subquery()
    )
