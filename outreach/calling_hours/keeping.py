"""Changing when patients may be called; the plan follows at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import product

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, Closure
from outreach.calling_hours import refitting
from outreach.errors import NotFound, RuleBroken
from outreach.orm import insert_new
from outreach.patients import hours
from outreach.patients.models import HoursRule
from outreach.patients.rules import mask_of_weekdays

LOOKED_AHEAD = timedelta(days=366)


class AlreadyClosed(RuleBroken):
    """The clinic makes no calls on that day as it is."""


class NoSuchRow(NotFound):
    """There is no such closed day, or no such law."""


class EndsBeforeItBegins(RuleBroken):
    """A law can't end before it began."""


class NeverOpen(RuleBroken):
    """It would leave somebody without a day of the year on which they may be called."""


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
) -> None:
    """Make no calls on ``on``; calls planned for that day move within minutes. Does not commit.

    Raises:
        AlreadyClosed: it is a holiday that the clinic keeps, or was closed before.
    """
    row = {"clinic_id": clinic.id, "on": on, "name": name, "by_staff_id": by_staff_id}
    if on in hours.public_holidays(clinic, on) or not insert_new(session, Closure, [row]):
        raise AlreadyClosed("No calls are made on that day already.")
    refitting.mark(session, Clinic.id == clinic.id, now=now)


def reopen_day(session: Session, clinic: Clinic, closure_id: int) -> None:
    """Make calls again on a day that was closed. Does not commit; raises NoSuchRow."""
    found = session.scalar(
        delete(Closure)
        .where(Closure.id == closure_id, Closure.clinic_id == clinic.id)
        .returning(Closure.id)
    )
    if found is None:
        raise NoSuchRow("There is no such closed day.")


def change(session: Session, clinic: Clinic, kept: ClinicHours, *, now: datetime) -> None:
    """Give a clinic other hours; calls planned outside move within minutes. Does not commit.

    Raises NeverOpen: with the law of some place nothing is left of them.
    """
    clinic.opens, clinic.closes = kept.opens, kept.closes
    clinic.keeps_holidays, clinic.holiday_area = kept.keeps_holidays, kept.holiday_area
    session.flush()
    _refuse_never_open(session, clinic.region, [clinic.id], now=now)
    refitting.mark(session, Clinic.id == clinic.id, now=now)


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


def add_law(session: Session, law: NewLaw, *, now: datetime) -> HoursRule:
    """Add a law, which narrows the hours of every clinic of its country from a day on.

    Calls that are planned for hours outside it move within minutes. One that is there already
    is not added a second time. Does not commit.

    Raises NeverOpen: it leaves patients of some clinic no day of a year.
    """
    said = {**vars(law), "weekdays": mask_of_weekdays(law.weekdays)}
    known = session.scalar(select(HoursRule).filter_by(**said, until_on=None).limit(1))
    if known is not None:
        return known
    rule = HoursRule(**said)
    session.add(rule)
    session.flush()
    here = session.scalars(select(Clinic.id).where(Clinic.region == law.region)).all()
    _refuse_never_open(session, law.region, here, now=now)
    refitting.mark(session, Clinic.region == law.region, now=now)
    return rule


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


def _refuse_never_open(
    session: Session, region: str, clinic_ids: Sequence[int], *, now: datetime
) -> None:
    """Refuse hours without an open day in a year: whoever asks for the next would find none."""
    known = laws(session, [region])
    today = now.date()
    begins = {today, *(law.from_on for law in known if law.from_on > today)}
    book = hours.book_of(session, today=today, clinic_ids=clinic_ids)
    for clinic_id, state in product(clinic_ids, {None, *(law.state for law in known)}):
        kept = book.of(clinic_id, state)
        for first in begins:
            year = (first + timedelta(days=ahead) for ahead in range(LOOKED_AHEAD.days))
            if not any(map(kept.is_open_day, year)):
                raise NeverOpen("These hours leave no day to call on.")
