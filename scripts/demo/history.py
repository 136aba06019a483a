"""Live through one enrolment, call by call, under the product's own rules.

Which contact is due, when to dial and when to dial again is asked of ``planning.rules``;
only whether somebody picks up is left to chance.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from outreach.calls.rules import Outcome
from outreach.patients.rules import Slot
from outreach.planning.rules import (
    CallStatus,
    Course,
    PastDial,
    agreed_slot,
    first_slot,
    next_due,
    next_slot,
    retry_slot,
)
from outreach.programmes.rules import PUBLISHED_PROTOCOL
from scripts.demo.luck import Diary, Luck
from scripts.demo.people import DemoStaff, Fate, Part, Person, chance
from scripts.demo.story import LONGEST_CALL, Call, Dial, Story

POLICY = PUBLISHED_PROTOCOL.attempts
REST = timedelta(hours=POLICY.hours_between)
_SECOND_PHASE, _THIRD_PHASE = (phase.code for phase in PUBLISHED_PROTOCOL.phases[1:])
_HELD_TODAY = (Part.AGREED, Part.LAST_DAY, Part.NOW, Part.LATER)


class Walk:
    """Lives one person's enrolment from the day they entered until now."""

    def __init__(
        self,
        person: Person,
        rng: Random,
        *,
        enrolled_at: datetime,
        now: datetime,
        colleagues: list[DemoStaff],
        diary: Diary,
    ) -> None:
        self.person, self.rng, self.now = person, rng, now
        self.today = person.local_day(now)
        self.story = Story()
        self.course = Course(PUBLISHED_PROTOCOL, person.starts_on, {}, person.calendar)
        self.choices: dict[str, int] = {}
        self.last_at = enrolled_at  # when the next call gets planned
        self.last_completed_on: date | None = None
        self.luck = Luck(person, rng, self.today, self._horizon(), diary, colleagues)

    def run(self) -> Story:
        """Return what happened until now."""
        while (call := self._plan_next()) is not None:
            self.story.calls.append(call)
            if not self._work_on(call) or call.status is CallStatus.CANCELLED:
                break
        return self.story

    def _plan_next(self) -> Call | None:
        """Plan as ``planning.next_call`` does: no day twice, nothing made up for."""
        person, calls = self.person, self.story.calls
        floors = [person.starts_on, person.local_day(self.last_at)]
        if calls:
            floors.append(calls[-1].due.on + timedelta(days=1))
            self.course = replace(self.course, last_due_on=calls[-1].due.on)
        if self.last_completed_on:
            floors.append(self.last_completed_on + timedelta(days=1))
        after = max(floors) - timedelta(days=1)
        while (due := next_due(self.course, after=after)) is not None:
            slot = first_slot(person.calendar, due.on, not_before=self.last_at) or next_slot(
                person.calendar, days=(due.on, due.complete_by_on), not_before=self.last_at
            )
            if slot:
                return Call(len(calls) + 1, due, self.last_at, slot, slot)
            after = due.on
        return None

    def _work_on(self, call: Call) -> bool:
        """Dial until the call is closed; return False where it is still open now."""
        while call.status is CallStatus.PLANNED:
            at = self.luck.moment_in(call.slot)
            if at is None:
                return self._move_on(call)
            if not call.dials and not self.person.part and chance(self.rng, 0.02):
                self._pass_over(call)
            else:
                self._dial(call, at)
            if call.status is CallStatus.PLANNED and self._is_frozen(call):
                return self._move_on(call)
        return True

    def _move_on(self, call: Call) -> bool:
        """Give a slot that passed unused a successor, as ``planning.catch_up`` does.

        Returns whether the call was given up, so that the next one gets planned.
        """
        if self.person.stops_on or call.slot.until_at > self.now:
            return False
        calendar, last = self.person.calendar, call.due.complete_by_on
        if call.dials:
            slot = self._again(call, not_before=self.now)
        else:
            slot = next_slot(calendar, days=(self.today, last), not_before=self.now)
        if slot:
            call.slot = Slot(max(slot.from_at, self.now), slot.until_at)
            return False
        self._give_up(call, self.now)
        return True

    def _pass_over(self, call: Call) -> None:
        """Let a slot pass without a dial: the caller was ill, or the day too full."""
        after = call.slot.until_at + timedelta(minutes=1)
        days = (self.person.local_day(after), call.due.complete_by_on)
        slot = next_slot(self.person.calendar, days=days, not_before=after)
        if slot:
            call.slot = slot
        else:
            self._give_up(call, after)

    def _dial(self, call: Call, at: datetime) -> None:
        outcome = self.luck.outcome(call, at)
        caller = self.luck.caller_at(at)
        minutes = self.luck.minutes(outcome, is_first=not self.story.calls[0].dials)
        dial = Dial(at, minutes, outcome, caller)
        call.dials.append(dial)
        self.luck.write_down(caller, at, dial.over_at)
        if outcome.completes:
            call.close(CallStatus.COMPLETED, dial.over_at)
            self.last_at = dial.over_at
            self.last_completed_on = self.person.local_day(at)
            self._maybe_choose(dial)
        elif outcome is Outcome.OPTED_OUT:
            call.close(CallStatus.CANCELLED, dial.over_at)
        elif not outcome.spoils_number and not self._agree(call, dial):
            self._retry(call, dial)

    def _retry(self, call: Call, dial: Dial) -> None:
        is_over_for_today = dial.outcome in (Outcome.CALL_BACK, Outcome.DECLINED_TODAY)
        midnight = self._midnight(self.person.local_day(dial.at) + timedelta(days=1))
        rested = dial.over_at + REST
        not_before = max(rested, midnight) if is_over_for_today else rested
        slot = self._again(call, not_before=not_before)
        if slot:
            call.slot, call.is_agreed = slot, False
        else:
            self._give_up(call, dial.over_at)

    def _again(self, call: Call, *, not_before: datetime) -> Slot | None:
        days = (self.person.local_day(not_before), call.due.complete_by_on)
        dials = [PastDial(dial.at) for dial in call.dials]
        return retry_slot(self.person.calendar, POLICY, dials, days=days, not_before=not_before)

    def _agree(self, call: Call, dial: Dial) -> bool:
        """Move the call to a time that the patient asked for, where one is left."""
        if dial.outcome is not Outcome.CALL_BACK or len(call.dials) >= POLICY.max_dials:
            return False
        first = self.person.local_day(dial.at) + timedelta(days=1)
        day = next_slot(
            self.person.calendar, days=(first, call.due.complete_by_on), not_before=dial.over_at
        )
        if day is None:
            return False
        at = time(self.rng.randrange(10, 19), self.rng.choice((0, 30)))
        call.slot = agreed_slot(self.person.calendar, self.person.local_day(day.from_at), at)
        call.is_agreed = True
        return True

    def _give_up(self, call: Call, at: datetime) -> None:
        call.close(CallStatus.MISSED, at)
        self.last_at = at

    def _maybe_choose(self, dial: Dial) -> None:
        """Ask near the end of a phase how often to call in the next; some change later."""
        ahead = self.person.local_day(dial.at) + timedelta(days=4)
        weeks_in = (ahead - self.person.starts_on).days // 7
        wish = self.person.choices
        if weeks_in >= 1 and _SECOND_PHASE not in self.choices:
            self._choose(_SECOND_PHASE, wish[_SECOND_PHASE], dial)
        if weeks_in >= 4 and _THIRD_PHASE not in self.choices:  # noqa: PLR2004 - weeks 5 on
            self._choose(_THIRD_PHASE, wish[_THIRD_PHASE], dial)
        elif weeks_in >= 11 and not self.person.part and chance(self.rng, 0.02):  # noqa: PLR2004
            self._choose(_THIRD_PHASE, 21 - self.choices[_THIRD_PHASE], dial)  # 7 or 14

    def _choose(self, phase: str, value: int, dial: Dial) -> None:
        self.choices = {**self.choices, phase: value}
        self.story.choices.append((phase, value, dial.caller, dial.over_at))
        self.course = replace(self.course, choices=self.choices)

    def _is_frozen(self, call: Call) -> bool:
        """Say whether the day's arranged part is played, so that nothing more is dialled."""
        last = call.dials[-1].outcome if call.dials else None
        if self.person.part is Part.BAD_NUMBER:
            return last is Outcome.DISCONNECTED
        tried_on = self.person.local_day(call.dials[-1].at) if call.dials else None
        return self.person.part is Part.TRIED and tried_on == self.today

    def _horizon(self) -> datetime:
        """Return from when on nothing is dialled."""
        horizon = self.now - LONGEST_CALL
        if self.person.part in _HELD_TODAY:
            return min(horizon, self._midnight(self.today))
        if self.person.stops_on and self.person.fate is not Fate.WITHDRAWN:
            return min(horizon, self._midnight(self.person.stops_on))
        return horizon

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), tzinfo=self.person.zone).astimezone(UTC)
