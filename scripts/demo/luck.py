"""Whether somebody picks up, who dials, when, and for how long: the chances of the demo."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from outreach.calls.rules import Outcome
from outreach.patients.rules import Daypart, Slot, daypart_of
from scripts.demo.people import DemoStaff, Fate, Part, Person, chance
from scripts.demo.story import LONGEST_CALL, Call

SILENCE = timedelta(days=62)  # before somebody counts as not reachable; domain.md E2 says 60
_BY_NOW = (Part.DONE, Part.WORRYING, Part.TRIED, Part.BAD_NUMBER)
# Ours: the afternoon answers a little better. Source of the direction: domain.md E1.
_DAYPART_BONUS = {Daypart.MORNING: -0.03, Daypart.AFTERNOON: 0.03, Daypart.EVENING: 0.0}

Diary = defaultdict[tuple[str, date], list[tuple[datetime, datetime]]]


@dataclass
class Luck:
    """The chances of one person's calls. ``horizon``: nothing is dialled from then on."""

    person: Person
    rng: Random
    today: date
    horizon: datetime
    diary: Diary
    colleagues: list[DemoStaff]

    def outcome(self, call: Call, at: datetime) -> Outcome:
        """Return how a try at ``at`` ends."""
        person, day = self.person, self.person.local_day(at)
        if day == self.today and person.part in (Part.DONE, Part.WORRYING):
            return Outcome.COMPLETED
        if day == self.today and person.part is Part.TRIED:
            return Outcome.NO_ANSWER
        if person.part is Part.BAD_NUMBER and self._is_late(at):
            return Outcome.DISCONNECTED
        if person.fate is Fate.WITHDRAWN and person.stops_on and day >= person.stops_on:
            return Outcome.OPTED_OUT
        if not chance(self.rng, self._answer_share(at)):
            return self._not_reached(call)
        outcomes = (Outcome.COMPLETED, Outcome.CALL_BACK, Outcome.DECLINED_TODAY)
        return self.rng.choices(outcomes, (93, 4, 3))[0]

    def minutes(self, outcome: Outcome, *, is_first: bool) -> int:
        """Return the length of the talk, 0 where nobody was reached."""
        if not outcome.is_reached:
            return 0
        if not outcome.completes:
            return self.rng.choice((1, 1, 2, 3))
        longer = 1.3 if is_first else 1.0
        return min(25, max(6, round(self.rng.lognormvariate(2.4, 0.36) * longer)))

    def caller_at(self, at: datetime) -> DemoStaff:
        """Return who dials: mostly the dedicated caller, at times a colleague."""
        person = self.person
        if person.caller is None:
            raise ValueError("nobody calls those who wait for a caller")
        if self.colleagues and not person.part and chance(self.rng, 0.04):
            return self.rng.choice(self.colleagues)
        if person.earlier_caller and at < change_of_caller_at(person):
            return person.earlier_caller
        return person.caller

    def moment_in(self, slot: Slot) -> datetime | None:
        """Return when the caller dials within ``slot``; None where that has not come yet."""
        until_at = slot.until_at
        if self.person.part in _BY_NOW and self.person.local_day(slot.from_at) == self.today:
            until_at = min(until_at, self.horizon)
        if until_at <= slot.from_at:
            return None
        if self.person.part is Part.WORRYING and until_at == self.horizon:
            two_hours_ago = self.horizon - timedelta(minutes=94)
            return max(two_hours_ago, slot.from_at + timedelta(minutes=4)).replace(microsecond=0)
        for _try in range(12):
            share = self.rng.uniform(0.02, 0.8)
            at = slot.from_at + (until_at - slot.from_at) * share
            at = at.replace(second=self.rng.randrange(60), microsecond=0)
            if slot.from_at <= at < until_at and self._is_free(at):
                break
        return at if slot.from_at <= at <= self.horizon else None

    def _answer_share(self, at: datetime) -> float:
        person = self.person
        if self._is_silent(at):
            return 0.0
        weeks = (person.local_day(at) - person.starts_on).days / 7
        # People pick up for somebody they know, and for the first call, which they expect.
        known = 0.10 * min(1.0, weeks / 10) if weeks >= 1 else 0.08
        return min(0.85, person.answers + known + _DAYPART_BONUS[daypart_of(at, person.zone)])

    def _not_reached(self, call: Call) -> Outcome:
        if chance(self.rng, 0.1):
            return self.rng.choice((Outcome.BUSY, Outcome.BUSY, Outcome.THIRD_PARTY))
        heard = any(dial.outcome is Outcome.VOICEMAIL_LEFT for dial in call.dials)
        if self.person.is_voicemail_allowed and not heard and chance(self.rng, 0.6):
            return Outcome.VOICEMAIL_LEFT
        if self.person.is_voicemail_allowed is False and chance(self.rng, 0.4):
            return Outcome.VOICEMAIL_NOT_ALLOWED
        return Outcome.NO_ANSWER

    def _is_free(self, at: datetime) -> bool:
        if self.person.caller is None:
            return True
        taken = self.diary[self.person.caller.name, at.date()]
        return all(at + LONGEST_CALL <= begins or at >= ends for begins, ends in taken)

    def _is_late(self, at: datetime) -> bool:
        return self.person.local_day(at) >= self.today - timedelta(days=3)

    def _is_silent(self, at: datetime) -> bool:
        person = self.person
        if person.fate is not Fate.UNREACHABLE or person.stops_on is None:
            return False
        return person.local_day(at) > person.stops_on - SILENCE

    def write_down(self, caller: DemoStaff, at: datetime, over_at: datetime) -> None:
        """Note that ``caller`` is busy, so that nobody talks to two people at once."""
        self.diary[caller.name, at.date()].append((at, over_at + timedelta(minutes=2)))


def change_of_caller_at(person: Person) -> datetime:
    """Return when the earlier caller handed over: in the evening, mostly of the 40th day."""
    day = person.handed_over_on or person.starts_on + timedelta(days=40)
    return datetime.combine(day, time(20, 30), tzinfo=person.zone).astimezone(UTC)
