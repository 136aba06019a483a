"""Changing when patients may be called; the plan follows at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, Closure
from outreach.errors import NotFound, RuleBroken
from outreach.orm import insert_new
from outreach.patients import hours
from outreach.patients.models import HoursRule
from outreach.patients.rules import is_allowed_at, mask_of_weekdays
from outreach.planning import courses, next_call
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus

PAGE = 1000
LOOKED_AHEAD = timedelta(days=366)


class AlreadyClosed(RuleBroken):
    """The clinic makes no calls on that day as it is."""


class NoSuchRow(NotFound):
    """There is no such closed day, or no such law."""


class EndsBeforeItBegins(RuleBroken):
    """A law can't end before it began."""


@dataclass(frozen=True)
class ClosedDay:
    """A day without calls; ``closure_id`` is None where it is a public holiday."""

    on: date
    name: str
    closure_id: int | None


@dataclass(frozen=True)
class ClinicHours:
    """What a clinic says itself; the clock is the patient's."""

    opens: time
    closes: time
    keeps_holidays: bool
    holiday_area: str | None


@dataclass(frozen=True)
class NewLaw:
    """Hours that the law of a place sets; ``opens`` and ``closes`` None: no calls at all."""

    region: str
    state: str | None
    weekdays: frozenset[int]
    opens: time | None
    closes: time | None
    from_on: date
    source: str


@dataclass(frozen=True)
class Refitted:
    """What a change did to calls that were planned already.

    ``promised`` are times that patients asked for outside the new hours: they stay, and
    somebody has to ring those patients about another time.
    """

    moved: int
    promised: int


def closed_days(session: Session, clinic: Clinic, *, today: date) -> list[ClosedDay]:
    """Return the closed days of the coming year, in order."""
    own = session.execute(
        select(Closure.on, Closure.name, Closure.id).where(
            Closure.clinic_id == clinic.id, Closure.on >= today
        )
    ).all()
    kept = hours.public_holidays(clinic, today)
    public = [(on, name, None) for on, name in kept.items() if on >= today]
    days = sorted([*own, *public], key=lambda each: each[0])
    return [ClosedDay(*each) for each in days if each[0] < today + LOOKED_AHEAD]


def close_day(
    session: Session, clinic: Clinic, on: date, name: str, *, by_staff_id: int, now: datetime
) -> Refitted:
    """Make no calls on ``on``; calls planned for that day move. Does not commit.

    Raises:
        AlreadyClosed: it is a holiday that the clinic keeps, or was closed before.
    """
    row = {"clinic_id": clinic.id, "on": on, "name": name, "by_staff_id": by_staff_id}
    if on in hours.public_holidays(clinic, on) or not insert_new(session, Closure, [row]):
        raise AlreadyClosed("No calls are made on that day already.")
    return refit(session, clinic.id, now=now)


def reopen_day(session: Session, clinic: Clinic, closure_id: int) -> None:
    """Make calls again on a day that was closed. Does not commit; raises NoSuchRow."""
    found = session.scalar(
        delete(Closure)
        .where(Closure.id == closure_id, Closure.clinic_id == clinic.id)
        .returning(Closure.id)
    )
    if found is None:
        raise NoSuchRow("There is no such closed day.")


def change(session: Session, clinic: Clinic, kept: ClinicHours, *, now: datetime) -> Refitted:
    """Give a clinic other hours; calls planned outside them move. Does not commit."""
    clinic.opens, clinic.closes = kept.opens, kept.closes
    clinic.keeps_holidays, clinic.holiday_area = kept.keeps_holidays, kept.holiday_area
    session.flush()
    return refit(session, clinic.id, now=now)


def laws(session: Session, regions: Sequence[str]) -> Sequence[HoursRule]:
    """Return the laws of ``regions``, those of a whole country first, ended ones last."""
    return session.scalars(
        select(HoursRule)
        .where(HoursRule.region.in_(sorted(set(regions))))
        .order_by(
            HoursRule.until_on.is_not(None),
            HoursRule.region,
            HoursRule.state.is_not(None),
            HoursRule.state,
            HoursRule.from_on,
            HoursRule.id,
        )
    ).all()


def add_law(session: Session, law: NewLaw, *, now: datetime) -> tuple[HoursRule, Refitted]:
    """Add a law, which narrows the hours of every clinic of its country from a day on.

    Calls that are planned for hours outside it move at once. Does not commit.
    """
    rule = HoursRule(
        region=law.region,
        state=law.state,
        weekdays=mask_of_weekdays(law.weekdays),
        opens=law.opens,
        closes=law.closes,
        from_on=law.from_on,
        source=law.source,
    )
    session.add(rule)
    session.flush()
    clinics = select(Clinic.id).where(Clinic.region == law.region).order_by(Clinic.id)
    done = [refit(session, each, now=now) for each in session.scalars(clinics).all()]
    moved, promised = sum(each.moved for each in done), sum(each.promised for each in done)
    return rule, Refitted(moved, promised)


def end_law(session: Session, rule_id: int, until_on: date) -> HoursRule:
    """Let a law hold until the day before ``until_on``; it stays on record. Does not commit.

    Raises:
        NoSuchRow: there is no such law, or it has ended.
        EndsBeforeItBegins: ``until_on`` is before its first day.
    """
    rule = session.scalar(
        select(HoursRule)
        .where(HoursRule.id == rule_id, HoursRule.until_on.is_(None))
        .with_for_update()
    )
    if rule is None:
        raise NoSuchRow("There is no such law.")
    if until_on < rule.from_on:
        raise EndsBeforeItBegins("A law can't end before it began.")
    rule.until_on = until_on
    return rule


def refit(session: Session, clinic_id: int, *, now: datetime) -> Refitted:
    """Move each open call of a clinic whose slot is outside the hours now. Does not commit."""
    moved = promised = 0
    for enrolment_id, is_agreed in list(_outside(session, clinic_id, now=now)):
        if is_agreed:
            promised += 1
            continue
        next_call.replan(session, enrolment_id, now=now)
        moved += 1
    return Refitted(moved, promised)


def _outside(session: Session, clinic_id: int, *, now: datetime) -> Iterator[tuple[int, bool]]:
    """Yield (enrolment, whether the time was promised) of open calls outside the hours."""
    found = session.execute(
        select(PlannedCall.enrolment_id, PlannedCall.dial_from_at, PlannedCall.is_agreed)
        .where(
            PlannedCall.clinic_id == clinic_id,
            PlannedCall.status == CallStatus.PLANNED,
            PlannedCall.dial_until_at > now,
        )
        .order_by(PlannedCall.enrolment_id)
    ).all()
    by_enrolment = {row.enrolment_id: row for row in found}
    ids = list(by_enrolment)
    for first in range(0, len(ids), PAGE):
        for standing in courses.standings(session, ids[first : first + PAGE], now=now):
            row = by_enrolment[standing.enrolment_id]
            at = max(row.dial_from_at, now)
            if not is_allowed_at(at, standing.zone, standing.course.calendar.lawful()):
                yield row.enrolment_id, row.is_agreed
