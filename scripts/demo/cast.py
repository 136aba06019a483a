"""Who has which part: how far everybody is in the programme, and who calls whom."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from outreach.panels import solving
from outreach.panels.rules import DEFAULT_PANEL_CAP, DEFAULT_WEEKLY_MINUTES
from outreach.panels.rules.matching import Candidate, Waiting
from outreach.patients.rules import Daypart, Wishes
from scripts.demo.people import (
    ANA,
    CALLERS,
    CEDAR,
    LUIS,
    MESA,
    SITES,
    SPANISH,
    DemoStaff,
    Fate,
    Part,
    Person,
    Site,
    chance,
    make_person,
    unique_names,
)

FIRST_DONE_HOUR, LAST_HOUR = 10, 19
PATIENTS_PER_SITE = 80
FATES = {
    CEDAR: {
        Fate.COMPLETED: 28,
        Fate.PAUSED: 2,
        Fate.WITHDRAWN: 1,
        Fate.UNREACHABLE: 1,
        Fate.WAITING: 4,
    },
    MESA: {
        Fate.COMPLETED: 28,
        Fate.PAUSED: 1,
        Fate.WITHDRAWN: 2,
        Fate.UNREACHABLE: 2,
        Fate.WAITING: 3,
    },
}
ANAS_PANEL = 19
# Of her patients so many speak Spanish with her.
ANAS_SPANISH = 8
ANAS_DAY = (
    Part.WORRYING,
    *(Part.DONE,) * 2,
    Part.TRIED,
    Part.BAD_NUMBER,
    Part.AGREED,
    Part.LAST_DAY,
    *(Part.NOW,) * 4,
    *(Part.LATER,) * 2,
)
# Days since the start, first and last; the programme has 182.
_DAYS_IN = {
    Fate.COMPLETED: (184, 250),
    Fate.PAUSED: (40, 120),
    Fate.WITHDRAWN: (70, 200),
    Fate.UNREACHABLE: (115, 150),
    Fate.WAITING: (-3, 1),
}
_ACTIVE_DAYS_IN = ((0, 5), (7, 27), (28, 160))  # by phase
_LONG_KNOWN = range(35, 150)
_ACTIVE_SHARES = (10, 22, 68)
_STOPPED_DAYS_AGO = {
    Fate.PAUSED: (3, 16),
    Fate.WITHDRAWN: (20, 45),
    Fate.UNREACHABLE: (4, 15),
}


def make_cast(rng: Random, *, now: datetime) -> list[Person]:
    """Return all 160 patients with their dates, callers and parts."""
    people: list[Person] = []
    for site in SITES:
        today = now.astimezone(ZoneInfo(site.zone)).date()
        for fate in _fates_of(site):
            person = make_person(rng, len(people) + 1, site, fate, today=today)
            people.append(_dated(rng, person, today=today))
    people = unique_names(people)
    cast = [person for site in SITES for person in _with_callers(people, site)]
    cast = _with_earlier_callers(rng, _with_parts(cast, now=now))
    return _with_a_new_caller(cast, now=now)


def enrolled_at(person: Person, *, now: datetime) -> datetime:
    """Return when somebody entered: in office hours of the weekday before the start."""
    zone = ZoneInfo(person.site.zone)
    day = min(person.starts_on, now.astimezone(zone).date()) - timedelta(days=1)
    at = time(10 + person.number % 6, person.number * 7 % 60)
    return datetime.combine(_on_weekday(day), at, tzinfo=zone)


def colleagues_of(person: Person) -> list[DemoStaff]:
    """Return who may stand in: callers of the same clinic who speak the language."""
    return [
        caller
        for caller in CALLERS
        if caller.site is person.site
        and caller is not person.caller
        and person.language in caller.languages
    ]


def _fates_of(site: Site) -> Iterator[Fate]:
    counts = FATES[site]
    for fate, count in counts.items():
        yield from (fate for _each in range(count))
    for _each in range(PATIENTS_PER_SITE - sum(counts.values())):
        yield Fate.ACTIVE


def _dated(rng: Random, person: Person, *, today: date) -> Person:
    days_in = _DAYS_IN.get(person.fate)
    if days_in is None:
        days_in = rng.choices(_ACTIVE_DAYS_IN, _ACTIVE_SHARES)[0]
    starts_on = today - timedelta(days=rng.randint(*days_in))
    stopped = _STOPPED_DAYS_AGO.get(person.fate)
    return replace(
        person,
        starts_on=starts_on if person.fate is Fate.WAITING else _on_weekday(starts_on),
        stops_on=today - timedelta(days=rng.randint(*stopped)) if stopped else None,
    )


def _on_weekday(day: date) -> date:
    """Return ``day``, or the Friday before a weekend."""
    return day - timedelta(days=max(0, day.weekday() - 4))


def _with_callers(people: Sequence[Person], site: Site) -> list[Person]:
    """Give the patients of ``site`` callers, as the product itself would suggest them.

    Those who have finished were on panels of their own time; Ana's panel is filled first,
    so that the demo has one full and lively queue.
    """
    own = [person for person in people if person.site is site]
    past = [person for person in own if person.fate in (Fate.COMPLETED, Fate.WITHDRAWN)]
    waiting = [person for person in own if person.fate is Fate.WAITING]
    current = [person for person in own if person not in past and person not in waiting]
    anas = _anas_panel(current) if site is ANA.site else []
    others = [person for person in current if person not in anas]
    return sorted(
        [
            *_suggested(past, site, {}),
            *(replace(person, caller=ANA) for person in anas),
            *_suggested(others, site, {ANA: len(anas)}),
            *waiting,
        ],
        key=lambda person: person.number,
    )


def _anas_panel(current: Sequence[Person]) -> list[Person]:
    able = [person for person in current if person.fate is Fate.ACTIVE]
    spanish = [person for person in able if person.language == SPANISH][:ANAS_SPANISH]
    english = [person for person in able if person.language != SPANISH]
    return [*spanish, *english[: ANAS_PANEL - len(spanish)]]


def _suggested(
    people: Sequence[Person], site: Site, sizes: dict[DemoStaff, int]
) -> Iterator[Person]:
    callers = [caller for caller in CALLERS if caller.site is site]
    facts = [
        Candidate(
            at,
            frozenset(caller.languages),
            DEFAULT_PANEL_CAP,
            sizes.get(caller, 0),
            DEFAULT_WEEKLY_MINUTES,
            load=(20.0 * sizes.get(caller, 0),),
        )
        for at, caller in enumerate(callers)
    ]
    waiting = [Waiting(person.number, person.language) for person in people]
    rooms = {each.caller_id: each.room for each in facts}
    caller_of = solving.solve(waiting, facts, rooms, 20.0, on=date.min).caller_of
    for person in people:
        yield replace(person, caller=callers[caller_of[person.number]])


def _with_parts(people: Sequence[Person], *, now: datetime) -> list[Person]:
    """Hand Ana's patients the parts of today's queue; newcomers keep their own."""
    parts = (part if _may_be(part, now) else Part.NOW for part in ANAS_DAY)
    result = []
    for person in people:
        is_free = person.caller is ANA and person.fate is Fate.ACTIVE
        is_settled = (person.local_day(now) - person.starts_on).days >= 9  # noqa: PLR2004
        part = next(parts, None) if is_free and is_settled else None
        result.append(_prepared(person, part, now=now) if part else person)
    return result


def _may_be(part: Part, now: datetime) -> bool:
    """Say whether the hour allows a part: nothing is done before 10, nothing ends at night."""
    hour = now.astimezone(ZoneInfo(CEDAR.zone)).hour
    if part in (Part.DONE, Part.WORRYING, Part.TRIED):
        return hour >= FIRST_DONE_HOUR
    return part is not Part.LAST_DAY or hour < LAST_HOUR


def _prepared(person: Person, part: Part, *, now: datetime) -> Person:
    """Return ``person`` with wishes that let today be a day of theirs, even a Sunday."""
    zone = ZoneInfo(person.site.zone)
    today = now.astimezone(zone).date()
    dayparts = {Part.TRIED: (Daypart.MORNING,), Part.LATER: (Daypart.EVENING,)}
    other_day, starts_on, choices = today.weekday() + 3, person.starts_on, person.choices
    if part is Part.BAD_NUMBER:
        other_day = today.weekday() - 1  # found out yesterday, where today has not begun
    if part is Part.LAST_DAY:
        # Weeks 2 to 4, today and tomorrow of each week: today's call can't wait any longer.
        other_day, starts_on = today.weekday() + 1, today - timedelta(days=16)
        choices = {**choices, "weeks_2_to_4": 2}
    return replace(
        person,
        part=part,
        wishes=Wishes(frozenset({today.weekday(), other_day % 7}), dayparts.get(part, ())),
        zone=zone,
        starts_on=starts_on,
        choices=choices,
    )


def _with_earlier_callers(rng: Random, people: Sequence[Person]) -> list[Person]:
    """Let a few have changed callers some weeks in."""
    result = []
    for person in people:
        able = colleagues_of(person) if person.fate is Fate.COMPLETED and person.caller else []
        changed = able and chance(rng, 0.1)
        result.append(replace(person, earlier_caller=rng.choice(able)) if changed else person)
    return result


def _with_a_new_caller(people: Sequence[Person], *, now: datetime) -> list[Person]:
    """Let Ana have taken somebody over from Luis yesterday, so that a hand-over is to be read."""
    able = (
        person
        for person in people
        if person.caller is ANA
        and person.fate is Fate.ACTIVE
        and person.part is None
        and (person.local_day(now) - person.starts_on).days in _LONG_KNOWN
    )
    chosen = next(able, None)
    return [
        replace(
            person,
            earlier_caller=LUIS,
            handed_over_on=person.local_day(now) - timedelta(days=1),
        )
        if person is chosen
        else person
        for person in people
    ]
