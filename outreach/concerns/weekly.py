"""Who is on call at the same hours of every week."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session, joinedload

from outreach.accounts.models import Clinic
from outreach.concerns import rota
from outreach.concerns.models import OnCallWeek
from outreach.concerns.rota import NoSuchDuty, Overlaps
from outreach.concerns.rules import OnCallRank, Turn
from outreach.patients.rules import mask_of_weekdays


@dataclass(frozen=True)
class NewWeek:
    """Somebody on call in one rank on some weekdays, on the clinic's clock."""

    staff_id: int
    rank: OnCallRank
    weekdays: frozenset[int]
    begins: time
    ends: time
    from_on: date

    @property
    def turn(self) -> Turn:
        """The hours, as the rules take them."""
        return Turn(self.weekdays, self.begins, self.ends, self.from_on)


def add(
    session: Session, clinic: Clinic, new: NewWeek, *, by_staff_id: int, now: datetime
) -> OnCallWeek:
    """Put somebody on call every week. Does not commit.

    Raises:
        UnfitForDuty: not a nurse or manager of the clinic.
        Overlaps: the rank is taken for part of that time.
    """
    # Two at once wait here for each other, so that the second one sees the first.
    own = select(Clinic.id).where(Clinic.id == clinic.id)
    session.execute(own.with_for_update(key_share=True))
    rota.refuse_unfit(session, clinic.id, new.staff_id, now=now)
    for other in held(session, clinic.id, today=new.from_on):
        if other.rank is new.rank and other.turn.meets(new.turn):
            raise Overlaps(other)
    row = OnCallWeek(
        clinic_id=clinic.id,
        staff_id=new.staff_id,
        rank=new.rank,
        weekdays=mask_of_weekdays(new.weekdays),
        begins=new.begins,
        ends=new.ends,
        from_on=new.from_on,
        by_staff_id=by_staff_id,
    )
    session.add(row)
    session.flush()
    return row


def end(session: Session, clinic_id: int, week_id: int, *, today: date) -> None:
    """End a weekly time on call; today's goes with it. Does not commit.

    Raises:
        NoSuchDuty: it is another clinic's, or over.
    """
    row = session.scalar(
        select(OnCallWeek)
        .where(OnCallWeek.id == week_id, OnCallWeek.clinic_id == clinic_id, _is_held(today))
        .with_for_update()
    )
    if row is None:
        raise NoSuchDuty("That time on call is over, or was never there.")
    row.until_on = today
    session.flush()


def held(session: Session, clinic_id: int, *, today: date) -> Sequence[OnCallWeek]:
    """Return the weekly times of a clinic that are not over, with who holds them."""
    return session.scalars(
        select(OnCallWeek)
        .options(joinedload(OnCallWeek.staff))
        .where(OnCallWeek.clinic_id == clinic_id, _is_held(today))
        .order_by(OnCallWeek.rank, OnCallWeek.begins, OnCallWeek.id)
    ).all()


def _is_held(today: date) -> ColumnElement[bool]:
    return or_(OnCallWeek.until_on.is_(None), OnCallWeek.until_on > today)
