"""The hours in which each patient may be contacted: clinic, law of the place, closed days."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import Row, Select, bindparam, or_, select
from sqlalchemy.orm import Session

from outreach import asked_once
from outreach.accounts.models import Clinic, Closure
from outreach.built_once import built_once
from outreach.orm import rows_of
from outreach.patients.models import HoursRule, Patient
from outreach.patients.rules import ContactHours, Law, weekdays_from_mask

YEARS_BACK, YEARS_AHEAD = 1, 2


@dataclass(frozen=True)
class _House:
    """What a clinic itself says about its hours."""

    region: str
    hours: ContactHours


class HoursBook:
    """Answers, for one run, in which hours a patient of a clinic may be contacted.

    Equal answers are one object, so that they can stand in the key of a memory.
    """

    def __init__(
        self, houses: dict[int, _House], laws: dict[tuple[str, str | None], tuple[Law, ...]]
    ) -> None:
        self._houses = houses
        self._laws = laws
        self._known: dict[tuple[int, str | None], ContactHours] = {}

    def of(self, clinic_id: int, state: str | None) -> ContactHours:
        """Return the hours for patients of a clinic who live in ``state``.

        Sundays are not in them: ``ContactHours.wished`` adds the days that a patient asked
        for. A patient whose state is not known is kept to the law of the whole country.
        """
        key = (clinic_id, state)
        if key not in self._known:
            house = self._houses[clinic_id]
            laws = self._laws.get((house.region, None), ())
            if state:
                laws += self._laws.get((house.region, state), ())
            own = house.hours
            self._known[key] = ContactHours(
                own.opens, own.closes, own.weekdays, own.closed_on, laws
            )
        return self._known[key]

    def of_patient(self, patient: Patient) -> ContactHours:
        """Return the hours for one patient, with the days that they asked for."""
        return self.of(patient.clinic_id, patient.state).wished(patient.wishes)


def book_of(session: Session, *, today: date, clinic_ids: Iterable[int] | None = None) -> HoursBook:
    """Return the hours of ``clinic_ids``, or of every clinic. Two statements.

    Args:
        today: closed days are known from a year before it to two years after.
    """
    wanted = None if clinic_ids is None else tuple(sorted(clinic_ids))
    question = (HoursBook, today, wanted)
    return asked_once.answer(session, question, lambda: _read(session, today, wanted))


def _read(session: Session, today: date, clinic_ids: Sequence[int] | None) -> HoursBook:
    found: dict[int, Row[*tuple[Any, ...]]] = {}
    closed: dict[int, set[date]] = {}
    some = clinic_ids is not None
    wanted = {"clinic_ids": clinic_ids} if clinic_ids is not None else {}
    for row in rows_of(session, _clinics(some=some), wanted):
        found[row.id] = row
        closed.setdefault(row.id, set()).update([row.on] if row.on else [])
    houses = {
        each.id: _House(
            each.region,
            ContactHours(
                each.opens,
                each.closes,
                closed_on=frozenset(closed[each.id] | public_holidays(each, today).keys()),
            ),
        )
        for each in found.values()
    }
    return HoursBook(houses, _laws(session, today, {each.region for each in found.values()}))


@cache
def _clinics(*, some: bool) -> Select[*tuple[Any, ...]]:
    """Return the statement of clinics with their closed days, of ``clinic_ids`` where ``some``.

    Only what their hours depend on: names and numbers would be decrypted each time.
    """
    clinics = select(
        Clinic.id,
        Clinic.region,
        Clinic.opens,
        Clinic.closes,
        Clinic.keeps_holidays,
        Clinic.holiday_area,
        Closure.on,
    ).outerjoin(Closure, Closure.clinic_id == Clinic.id)
    if some:
        clinics = clinics.where(Clinic.id.in_(bindparam("clinic_ids", expanding=True)))
    return clinics.order_by(Clinic.id)


def hours_of(session: Session, patient: Patient, *, today: date) -> ContactHours:
    """Return the hours in which one patient may be contacted, Sundays as they asked."""
    return book_of(session, today=today, clinic_ids=[patient.clinic_id]).of_patient(patient)


def public_holidays(clinic: Clinic | Row[*tuple[Any, ...]], today: date) -> dict[date, str]:
    """Return the public holidays that a clinic keeps, with their names; also of a row of it."""
    if not clinic.keeps_holidays:
        return {}
    years = tuple(range(today.year - YEARS_BACK, today.year + YEARS_AHEAD + 1))
    return holidays_in(clinic.region, clinic.holiday_area, years)


@lru_cache(maxsize=256)
def holidays_in(country: str, area: str | None, years: tuple[int, ...]) -> dict[date, str]:
    """Return the holidays of a country, and of one of its parts; none where it is unknown."""
    import holidays  # noqa: PLC0415 - a fiftieth of a start, for clinics that keep some

    try:
        found = holidays.country_holidays(country, subdiv=area, years=years)
    except NotImplementedError:
        return holidays_in(country, None, years) if area else {}
    return dict(found)


def _laws(
    session: Session, today: date, regions: Iterable[str]
) -> dict[tuple[str, str | None], tuple[Law, ...]]:
    rules = rows_of(session, *_rules(sorted(regions), today))
    laws: dict[tuple[str, str | None], tuple[Law, ...]] = {}
    for rule in rules:
        region, state, *law = rule
        laws[region, state] = (*laws.get((region, state), ()), _law(*law))
    return laws


@lru_cache(maxsize=256)
def _law(weekdays: int, *when: Any) -> Law:
    return Law(weekdays_from_mask(weekdays), *when)


@built_once
def _rules(regions: Any, today: Any) -> Select[*tuple[Any, ...]]:
    """Select the laws of ``regions`` that count at ``today`` or later."""
    return (
        select(
            HoursRule.region,
            HoursRule.state,
            HoursRule.weekdays,
            HoursRule.opens,
            HoursRule.closes,
            HoursRule.from_on,
            HoursRule.until_on,
        )
        .where(
            HoursRule.region.in_(regions),
            or_(HoursRule.until_on.is_(None), HoursRule.until_on >= today),
        )
        .order_by(HoursRule.id)
    )
