"""Working out who could call whom, before anything changes: read, solve, spread the starts."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from statistics import fmean, median
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from outreach.accounts import staff
from outreach.accounts.models import Clinic
from outreach.clock import local_day
from outreach.panels import history, roster, solving
from outreach.panels.models import CallerProfile, PanelMembership, Shift
from outreach.panels.rules import LeftOut
from outreach.panels.rules.load import (
    WEEKS_AHEAD,
    WEEKS_WEIGHED,
    Weeks,
    added,
    coming_weeks,
    in_minutes,
    projected_calls,
)
from outreach.panels.rules.matching import Candidate, Unmet, Verdict, Waiting, left_out_by, unmet
from outreach.panels.rules.stagger import Begun, fits, stagger
from outreach.patients import hours
from outreach.patients.models import Patient
from outreach.patients.rules import Daypart, Wishes, weekdays_from_mask
from outreach.programmes import choices
from outreach.programmes.models import Enrolment, ProgrammeVersion
from outreach.programmes.rules import EnrolmentStatus, Protocol
from outreach.seeing import every_clinic

# A caller whose hours turn out too few for those given to them gives some back, and the rest
# is solved again: so often at most.
MOST_ROUNDS = 4


@dataclass(frozen=True)
class Person:
    """A waiting enrolment with all that assignment goes by."""

    facts: Waiting
    protocol: Protocol
    starts_on: date

    @property
    def enrolment_id(self) -> int:
        """Its enrolment."""
        return self.facts.enrolment_id

    def cost_from(self, starts_on: date, mondays: Sequence[date]) -> Weeks:
        """Return the minutes of each coming week if week 1 begins on ``starts_on``."""
        calls = projected_calls(self.protocol, starts_on, {}, mondays)
        return in_minutes(calls, self.protocol.minutes_per_call)


@dataclass(frozen=True)
class Place:
    """Where assignment happens: a clinic, its callers, its open days, and today."""

    callers: Sequence[Candidate]
    mondays: Sequence[date]
    today: date
    is_open: Callable[[date], bool]

    @property
    def by_id(self) -> dict[int, Candidate]:
        """Callers by their id."""
        return {caller.caller_id: caller for caller in self.callers}


@dataclass(frozen=True)
class Plan:
    """Who is proposed for whom and from when, or the rule that left somebody out.

    ``is_proven``: the solver proved it. ``rounds``: 1, or more where callers' hours held fewer
    than the solver gave them, so that it was solved again with less room: that proves nothing.
    """

    caller_of: Mapping[int, int]
    starts_on: Mapping[int, date]
    left_out: Mapping[int, LeftOut]
    unmet: Mapping[int, tuple[Unmet, ...]]
    is_proven: bool
    rounds: int
    loads: Mapping[int, Weeks]


@dataclass(frozen=True)
class _Before:
    """What was before, by patient; ``begun_ids`` are enrolments. See ``history``."""

    former: Mapping[int, int]
    parted: Mapping[int, frozenset[int]]
    begun_ids: Collection[int]


def spread_of(loads: Iterable[tuple[Candidate, Weeks]]) -> tuple[float, float, float]:
    """Return (lowest, median, highest) share of a caller's hours in their fullest week."""
    shares = [
        max(load[:WEEKS_AHEAD], default=0) / max(1, caller.weekly_minutes)
        for caller, load in loads
        if caller.is_trained and not caller.is_away
    ] or [0.0]
    return min(shares), median(shares), max(shares)


def work_out(people: Sequence[Person], place: Place) -> Plan:
    """Return the best assignment of ``people``, those who wait longest first.

    Language, training, cap and hours hold exactly; wishes and balance are the solver's.
    """
    least, typical = minutes_of(people, place)
    rooms = {each.caller_id: _room(each, least) for each in place.callers}
    by_id = {person.enrolment_id: person for person in people}
    waiting = [person.facts for person in people]
    rounds, is_settled = 0, False
    while not is_settled and rounds < MOST_ROUNDS:
        rounds += 1
        verdict = solving.solve(waiting, place.callers, rooms, typical, on=place.today)
        begun = _begin_all(verdict.caller_of, by_id, place)
        crowded = {caller_id: each for caller_id, each in begun.items() if each.too_many}
        is_settled = not crowded
        for caller_id, each in crowded.items():
            rooms[caller_id] = len(each.starts_on)
    return _plan(verdict, begun, people, place, rounds=rounds)


def _plan(
    verdict: Verdict,
    begun: Mapping[int, Begun],
    people: Sequence[Person],
    place: Place,
    *,
    rounds: int,
) -> Plan:
    starts_on = {each: day for found in begun.values() for each, day in found.starts_on.items()}
    callers = place.by_id
    caller_of = {each: who for each, who in verdict.caller_of.items() if each in starts_on}
    taken: defaultdict[int, int] = defaultdict(int)
    for caller_id in caller_of.values():
        taken[caller_id] += 1
    return Plan(
        caller_of=caller_of,
        starts_on=starts_on,
        left_out={
            person.enrolment_id: left_out_by(person.facts, place.callers, taken)
            for person in people
            if person.enrolment_id not in caller_of
        },
        unmet={
            person.enrolment_id: unmet(
                person.facts, callers[caller_of[person.enrolment_id]], on=place.today
            )
            for person in people
            if person.enrolment_id in caller_of
        },
        is_proven=verdict.is_proven and rounds == 1,
        rounds=rounds,
        loads={
            each.caller_id: begun[each.caller_id].load if each.caller_id in begun else each.load
            for each in place.callers
        },
    )


def _begin_all(
    caller_of: Mapping[int, int], by_id: Mapping[int, Person], place: Place
) -> dict[int, Begun]:
    """Spread the first days of each caller's new patients over the coming weeks."""
    dealt: defaultdict[int, list[Person]] = defaultdict(list)
    for enrolment_id, person in by_id.items():  # in the order in which they wait
        if enrolment_id in caller_of:
            dealt[caller_of[enrolment_id]].append(person)
    callers, costs = place.by_id, dict[tuple[int, date], Weeks]()
    return {
        caller_id: _begin(persons, callers[caller_id], place, costs)
        for caller_id, persons in dealt.items()
    }


def _begin(
    persons: Sequence[Person],
    caller: Candidate,
    place: Place,
    costs: dict[tuple[int, date], Weeks],
) -> Begun:
    """Begin those of one caller: first who keeps their weeks, then the new ones.

    ``costs`` remembers what a programme costs from a day on: the same for many.
    """
    load, kept, too_many = caller.load, {}, []
    for person in persons:
        fixed = person.facts.fixed_load
        if fixed is None:
            continue
        if fits(load, fixed, caller.weekly_minutes):
            load = added(load, fixed)
            kept[person.enrolment_id] = person.starts_on
        else:
            too_many.append(person.enrolment_id)
    new = [person for person in persons if person.facts.fixed_load is None]
    by_id = {person.enrolment_id: person for person in new}
    if not new:
        return Begun(kept, tuple(too_many), load)

    def cost_of(each: int, day: date) -> Weeks:
        person = by_id[each]
        key = (id(person.protocol), day)
        if key not in costs:
            costs[key] = person.cost_from(day, place.mondays)
        return costs[key]

    begun = stagger(
        [person.enrolment_id for person in new],
        load=load,
        weekly_minutes=caller.weekly_minutes,
        first_day=place.today,
        cost_of=cost_of,
        is_open=lambda day: place.is_open(day) and caller.may_begin_on(day),
    )
    return Begun({**kept, **begun.starts_on}, (*too_many, *begun.too_many), begun.load)


def minutes_of(people: Sequence[Person], place: Place) -> tuple[float, float]:
    """Return what one more patient costs in a week once under way: the least, and on average.

    The flow knows places, not patients: one of a dense programme and one of a sparse cost it
    the same. Hours are kept by what each of them really costs.
    """
    of_protocol: dict[int, float] = {}
    for person in people:
        if id(person.protocol) not in of_protocol:
            weeks = person.cost_from(place.mondays[0], place.mondays)
            of_protocol[id(person.protocol)] = weeks[-1]
    minutes = [of_protocol[id(person.protocol)] for person in people] or [0.0]
    return min(minutes), fmean(minutes)


def _room(caller: Candidate, minutes: float) -> int:
    """Return how many more patients a caller's cap, and hours once all are under way, hold."""
    if minutes <= 0:
        return caller.room
    free = caller.weekly_minutes - min(caller.load, default=0.0)
    return max(0, min(caller.room, int(free / minutes)))


def place_of(session: Session, clinic: Clinic, *, now: datetime) -> Place:
    """Return the callers of a clinic as assignment sees them, and its open days."""
    today = local_day(now, ZoneInfo(clinic.zone))
    mondays = coming_weeks(today, WEEKS_WEIGHED)
    book = hours.book_of(session, today=today, clinic_ids=[clinic.id])
    return Place(
        _candidates(session, clinic.id, mondays, now=now),
        mondays,
        today,
        book.of(clinic.id, None).is_open_day,
    )


def people_waiting(session: Session, clinic_id: int, place: Place) -> list[Person]:
    """Return the active enrolments of a clinic without a caller, longest waiting first."""
    rows = session.execute(
        select(
            Enrolment.id,
            Enrolment.version_id,
            Enrolment.starts_on,
            Enrolment.patient_id,
            Patient.language,
            Patient.zone,
            Patient.weekdays,
            Patient.dayparts,
            Patient.wished_caller,
        )
        .join(Patient, Patient.id == Enrolment.patient_id)
        .where(*roster.is_waiting(clinic_id))
        .order_by(Enrolment.enrolled_at, Enrolment.id)
    ).all()
    callers = {each.caller_id for each in place.callers}
    before = _Before(
        history.former_callers(session, clinic_id, callers),
        history.parted(session, [row.patient_id for row in rows]),
        history.begun_ids(session, clinic_id),
    )
    protocols = _protocols(session, {row.version_id for row in rows})
    return [_person(row, before, protocols[row.version_id], place) for row in rows]


def loads_of(
    session: Session, caller_ids: Collection[int], mondays: Sequence[date]
) -> dict[int, Weeks]:
    """Return the minutes that each caller's present panel costs in each coming week."""
    rows = session.execute(
        select(PanelMembership.caller_id, Enrolment.id, Enrolment.starts_on, Enrolment.version_id)
        .join(Enrolment, Enrolment.id == PanelMembership.enrolment_id)
        .where(
            PanelMembership.caller_id.in_(sorted(caller_ids)),
            PanelMembership.until_at.is_(None),
            Enrolment.status == EnrolmentStatus.ACTIVE,
        )
        .order_by(Enrolment.id)
    ).all()
    chosen = choices.current_of(session, [row.id for row in rows])
    protocols = _protocols(session, {row.version_id for row in rows})
    loads = {caller_id: (0.0,) * len(mondays) for caller_id in caller_ids}
    for row in rows:
        protocol = protocols[row.version_id]
        calls = projected_calls(protocol, row.starts_on, chosen[row.id], mondays)
        minutes = in_minutes(calls, protocol.minutes_per_call)
        loads[row.caller_id] = added(loads[row.caller_id], minutes)
    return loads


def _candidates(
    session: Session, clinic_id: int, mondays: Sequence[date], *, now: datetime
) -> list[Candidate]:
    panels = roster.callers(session, clinic_id, on=now.date())
    ids = [each.caller_id for each in panels]
    people = {each.id: each for each in staff.callers_of(session, clinic_id, on=now.date())}
    profiles = {
        each.staff_id: each
        for each in session.scalars(select(CallerProfile).where(CallerProfile.staff_id.in_(ids)))
    }
    shifts = _shifts(session, ids)
    away = roster.away(session, ids, now=now)
    with every_clinic(session, "somebody who calls for two clinics has one working week"):
        loads = loads_of(session, ids, mondays)
    bare = CallerProfile(panel_cap=0, weekly_minutes=0)
    return [
        Candidate(
            caller_id=each.caller_id,
            languages=each.languages,
            cap=each.cap,
            panel_size=each.panel_size,
            weekly_minutes=(profile := profiles.get(each.caller_id, bare)).weekly_minutes,
            load=loads[each.caller_id],
            zone=people[each.caller_id].zone,
            shifts=shifts.get(each.caller_id, ()),
            gender=profile.gender,
            is_trained=profile.trained_on is not None and profile.trained_on <= now.date(),
            is_away=each.caller_id in away,
        )
        for each in panels
    ]


def _shifts(session: Session, staff_ids: Sequence[int]) -> dict[int, tuple[Any, ...]]:
    found: defaultdict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for shift in session.scalars(
        select(Shift).where(Shift.staff_id.in_(staff_ids)).order_by(Shift.weekday, Shift.begins)
    ):
        found[shift.staff_id].append((shift.weekday, shift.begins, shift.ends))
    return {staff_id: tuple(each) for staff_id, each in found.items()}


def _person(
    row: Row[*tuple[Any, ...]], before: _Before, protocol: Protocol, place: Place
) -> Person:
    facts = Waiting(
        row.id,
        row.language,
        row.zone,
        Wishes(weekdays_from_mask(row.weekdays), tuple(map(Daypart, row.dayparts))),
        row.wished_caller,
        before.former.get(row.patient_id),
        parted=before.parted.get(row.patient_id, frozenset()),
    )
    person = Person(facts, protocol, row.starts_on)
    if row.id not in before.begun_ids:
        return person
    fixed = person.cost_from(row.starts_on, place.mondays)
    return replace(person, facts=replace(facts, fixed_load=fixed))


def _protocols(session: Session, version_ids: Collection[int]) -> dict[int, Protocol]:
    """Return the protocol of each version: few, however many enrolments share them."""
    versions = session.scalars(
        select(ProgrammeVersion).where(ProgrammeVersion.id.in_(sorted(version_ids)))
    )
    return {version.id: version.protocol for version in versions}
