"""Who may be whose caller, which wishes that meets, and what it costs. Pure.

Language, training, room on the panel and hours are kept always. Wishes are met where they can
be; ``UNMET_COST`` says which goes first. Among callers who meet the same wishes, the one whose
hours are least filled by projected calls comes first.
"""

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from outreach.panels.rules import LeftOut
from outreach.panels.rules.load import Weeks
from outreach.patients.rules import Daypart, Sex, Wishes

# A part of a week: weekday (0 Monday) and part of the day, on the patient's clock.
Part = tuple[int, Daypart]
_SUNDAY = 6
_ANY_PART = frozenset((weekday, part) for weekday in range(7) for part in Daypart)
# A shift on the caller's own clock: weekday, begins, ends.
Stretch = tuple[int, time, time]


class Unmet(enum.StrEnum):
    """A wish that a caller does not meet."""

    SOMEBODY_ELSE = "somebody else"
    CONTINUITY = "continuity"
    CALLER = "caller"
    TIMES = "times"


# Ours: nobody is given back to a caller after whom they asked for somebody else, if it can be
# helped. To have the former caller back outweighs the other wishes, and a wish outweighs balance.
UNMET_COST = {
    Unmet.SOMEBODY_ELSE: 1000, Unmet.CONTINUITY: 400, Unmet.CALLER: 200, Unmet.TIMES: 120,
}  # fmt: skip
# What the last place on a panel costs when it fills the caller's hours; the first costs least.
FULL_HOURS_COST = 100


@dataclass(frozen=True)
class Candidate:
    """A caller as assignment sees them.

    ``load`` is what their panel costs in minutes in each coming week; ``shifts`` are on the
    clock of ``zone``, none meaning that they work at any time. ``is_away``: now, or at some
    time of the coming week.
    """

    caller_id: int
    languages: frozenset[str]
    cap: int
    panel_size: int
    weekly_minutes: int
    load: Weeks
    zone: str = "UTC"
    shifts: tuple[Stretch, ...] = ()
    gender: Sex | None = None
    is_trained: bool = True
    is_away: bool = False

    @property
    def room(self) -> int:
        """How many more patients fit under the cap."""
        return max(0, self.cap - self.panel_size)

    def may_begin_on(self, day: date) -> bool:
        """Say whether a new patient may begin on ``day``: one on which they work, if that is known.

        Sunday shifts alone leave every day: hardly any patient may be called on a Sunday.
        """
        worked = {weekday for weekday, _begins, _ends in self.shifts} - {_SUNDAY}
        return not worked or day.weekday() in worked


@dataclass(frozen=True)
class Waiting:
    """An enrolment without a caller.

    ``fixed_load``: minutes a week of one that has begun and keeps its weeks; None for one
    whose first day is still to be chosen. ``former_id``: who called this patient before;
    ``parted``: the callers after whom they asked for somebody else.
    """

    enrolment_id: int
    language: str
    zone: str = "UTC"
    wishes: Wishes = field(default_factory=Wishes)
    wished_caller: Sex | None = None
    former_id: int | None = None
    fixed_load: Weeks | None = None
    parted: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Verdict:
    """A caller for each enrolment, or the rule that left it out."""

    caller_of: Mapping[int, int]
    left_out: Mapping[int, LeftOut]
    is_proven: bool


def is_allowed(patient: Waiting, caller: Candidate) -> bool:
    """Say whether ``caller`` may be the caller of ``patient``, room and hours aside."""
    return patient.language in caller.languages and caller.is_trained and not caller.is_away


def unmet(patient: Waiting, caller: Candidate, *, on: date) -> tuple[Unmet, ...]:
    """Return the wishes of ``patient`` that ``caller`` does not meet, the weightiest first."""
    found = []
    if caller.caller_id in patient.parted:
        found.append(Unmet.SOMEBODY_ELSE)
    if patient.former_id not in (None, caller.caller_id):
        found.append(Unmet.CONTINUITY)
    if patient.wished_caller is not None and patient.wished_caller is not caller.gender:
        found.append(Unmet.CALLER)
    wanted = wanted_parts(patient.wishes)
    if wanted and not wanted & worked_parts(caller, patient.zone, on=on):
        found.append(Unmet.TIMES)
    return tuple(found)


def wish_cost(patient: Waiting, caller: Candidate, *, on: date) -> int:
    """Return what giving ``patient`` to ``caller`` costs in wishes that are not met."""
    return sum(UNMET_COST[wish] for wish in unmet(patient, caller, on=on))


def place_costs(caller: Candidate, typical_minutes: float, places: int) -> list[int]:
    """Return what the first, second ... new place of ``caller`` costs; it never falls.

    The share of their hours that is filled once that place is taken, by the week in which
    their panel costs most.
    """
    base = max(caller.load, default=0.0)
    hours = max(1, caller.weekly_minutes)
    return [
        round(FULL_HOURS_COST * (base + taken * typical_minutes) / hours)
        for taken in range(1, places + 1)
    ]


def total_cost(
    caller_of: Mapping[int, int],
    waiting: Iterable[Waiting],
    callers: Sequence[Candidate],
    typical_minutes: float,
    *,
    on: date,
) -> int:
    """Return what a whole assignment costs, worked out apart from any solver."""
    by_id = {caller.caller_id: caller for caller in callers}
    taken = dict.fromkeys(by_id, 0)
    cost = 0
    for patient in waiting:
        caller_id = caller_of.get(patient.enrolment_id)
        if caller_id is None:
            continue
        cost += wish_cost(patient, by_id[caller_id], on=on)
        taken[caller_id] += 1
    places = {
        each: place_costs(by_id[each], typical_minutes, count) for each, count in taken.items()
    }
    return cost + sum(sum(costs) for costs in places.values())


def left_out_by(
    patient: Waiting, callers: Sequence[Candidate], taken: Mapping[int, int]
) -> LeftOut:
    """Return the first rule that leaves nobody for ``patient``; ``taken``: new places so far."""
    speaking = [each for each in callers if patient.language in each.languages]
    if not speaking:
        return LeftOut.NO_SHARED_LANGUAGE
    trained = [each for each in speaking if each.is_trained]
    if not trained:
        return LeftOut.NOT_TRAINED
    ready = [each for each in trained if not each.is_away]
    if not ready:
        return LeftOut.AWAY
    if all(taken.get(each.caller_id, 0) >= each.room for each in ready):
        return LeftOut.PANELS_FULL
    return LeftOut.HOURS_FULL


@lru_cache(maxsize=4096)
def wanted_parts(wishes: Wishes) -> frozenset[Part]:
    """Return the parts of the week that a patient named; nothing named means no wish."""
    if not wishes.weekdays and not wishes.dayparts:
        return frozenset()
    weekdays = wishes.weekdays or frozenset(range(6))
    dayparts = wishes.dayparts or tuple(Daypart)
    return frozenset((weekday, part) for weekday in weekdays for part in dayparts)


def worked_parts(caller: Candidate, zone: str, *, on: date) -> frozenset[Part]:
    """Return the parts of a patient's week in which ``caller`` works for half an hour or more.

    Shifts are on the caller's clock and parts on the patient's; ``on`` fixes the week whose
    clocks are compared.
    """
    if not caller.shifts:
        return _ANY_PART
    monday = on - timedelta(days=on.weekday())
    return _parts_of(caller.shifts, caller.zone, zone, monday)


@lru_cache(maxsize=16_384)
def _parts_of(
    shifts: tuple[Stretch, ...], own_zone: str, their_zone: str, monday: date
) -> frozenset[Part]:
    own, theirs = ZoneInfo(own_zone), ZoneInfo(their_zone)
    found = set()
    for weekday, begins, ends in shifts:
        day = monday + timedelta(days=weekday)
        at = datetime.combine(day, begins, tzinfo=own).astimezone(theirs)
        until = datetime.combine(day, ends, tzinfo=own).astimezone(theirs)
        while at + timedelta(minutes=30) <= until:
            part = next((p for p in Daypart if p.begins <= at.time() < p.ends), None)
            if part is not None:
                found.add((at.weekday(), part))
            at += timedelta(minutes=30)
    return frozenset(found)
