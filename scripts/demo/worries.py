"""Concerns of the demo: those of the past, dealt with, and two that are not done yet."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from outreach.calls.rules import Outcome
from outreach.concerns.rules import ConcernKind, Trigger, Urgency, trigger_of
from outreach.measures.rules import REGISTRY, in_both_units
from scripts.demo import words
from scripts.demo.people import ANA, CEDAR, Part, Person
from scripts.demo.readings import Measured, read_out
from scripts.demo.story import Dial
from scripts.demo.today import Lived

SAFETY = Trigger(ConcernKind.SAFETY, Urgency.NOW)
VERY_LOW, HIGH = 52, 341
_FRESH = timedelta(hours=3)
_UNTIL_REVIEW = timedelta(days=7)
_ABOUT_TWO_HOURS = timedelta(hours=2)
_MINUTES_TO_ANSWER = {
    Urgency.NOW: (3, 13),
    Urgency.SAME_DAY: (12, 210),
    Urgency.NEXT_BUSINESS_DAY: (60, 600),
}
_NOTED = {
    ConcernKind.GLUCOSE_LOW: "Called back. Ate, measured again: {again}. Knows what to do.",
    ConcernKind.GLUCOSE_HIGH: "Called back. Feels well, has pills again since this morning.",
    ConcernKind.SAFETY: "Spoke for half an hour. Not in danger, sister is staying the night.",
}
_CLOSED = {
    ConcernKind.GLUCOSE_LOW: "Fine since. Told the doctor, who looks at the evening dose.",
    ConcernKind.GLUCOSE_HIGH: "Back under 200. Visit booked for next week.",
    ConcernKind.SAFETY: "Saw the counselor today. The next visit is booked.",
}


@dataclass(frozen=True)
class Worry:
    """A concern and how far it got. Instants are aware; None: not yet."""

    person: Person
    trigger: Trigger
    raised_at: datetime
    words: str
    reading: Measured | None
    dial: Dial
    acknowledged_at: datetime | None
    closed_at: datetime | None
    noted: str
    closing: str

    @property
    def noted_at(self) -> datetime | None:
        """When the nurse wrote how calling back went; on the same day, before the end."""
        if self.acknowledged_at is None or self.closed_at is None:
            return None
        return min(self.acknowledged_at + timedelta(minutes=17), self.closed_at)

    def reviewed_at(self, now: datetime) -> datetime | None:
        """Return when a second person looked at how it was closed; the last week's wait."""
        if self.trigger.urgency is not Urgency.NOW or self.closed_at is None:
            return None
        reviewed_at = self.closed_at + _UNTIL_REVIEW
        return reviewed_at if reviewed_at < now else None


def of_reading(
    rng: Random, person: Person, measured: Measured, *, is_settled: bool, now: datetime
) -> Worry | None:
    """Return the concern that a reading from a call raises under the product's rule."""
    dial = measured.dial
    if dial is None:
        return None
    trigger = trigger_of(
        measured.kind, measured.value, taken_at=measured.taken_at, now=measured.recorded_at
    )
    if trigger is None:
        return None
    canonical = REGISTRY[measured.kind].in_canonical_unit(measured.value, measured.unit)
    told = in_both_units(measured.kind, str(measured.value), measured.unit, canonical)
    return _worry(rng, person, trigger, dial, (told, measured), is_settled=is_settled, now=now)


def of_safety(rng: Random, person: Person, dial: Dial, *, now: datetime) -> Worry:
    """Return the concern that a caller's own worry raises."""
    return _worry(rng, person, SAFETY, dial, (words.SAFETY, None), is_settled=True, now=now)


def mark_safety(rng: Random, lived: Sequence[Lived], *, now: datetime) -> None:
    """Let three calls of the past have ended with the nurse on the line."""
    able = [
        (call, at)
        for _person, story in lived
        for call in story.calls
        for at, dial in enumerate(call.dials)
        if dial.outcome is Outcome.COMPLETED and now - dial.at > timedelta(days=6)
    ]
    for call, at in rng.sample(able, 3):
        call.dials[at] = replace(call.dials[at], outcome=Outcome.SAFETY)


def of_today(lived: Sequence[Lived], *, now: datetime) -> list[tuple[Person, Measured]]:
    """Return the two readings that still wait for the nurse: a very low one and a high one.

    The low one was told on a call of Ana's some two hours ago, where calls were lawful then.
    """
    talks = [
        (person, call.dials[-1])
        for person, story in lived
        if person.site is CEDAR and story.open_call
        for call in story.calls
        if call.dials and call.dials[-1].outcome is Outcome.COMPLETED
    ]
    wanted = now - _ABOUT_TWO_HOURS
    by_ana = [talk for talk in talks if talk[1].caller is ANA]
    arranged = [talk for talk in by_ana if talk[0].part is Part.WORRYING]
    low = min(arranged or by_ana, key=lambda talk: (abs(talk[1].at - wanted), talk[0].number))
    others = [talk for talk in talks if talk[0] is not low[0] and talk[1].at < low[1].at]
    high = max(others, key=lambda talk: (talk[1].at, talk[0].number))
    return [(low[0], read_out(low[1], VERY_LOW)), (high[0], read_out(high[1], HIGH))]


def _worry(
    rng: Random,
    person: Person,
    trigger: Trigger,
    dial: Dial,
    what: tuple[str, Measured | None],
    *,
    is_settled: bool,
    now: datetime,
) -> Worry:
    told, reading = what
    raised_at = dial.over_at
    answered_at = raised_at + timedelta(minutes=rng.randint(*_MINUTES_TO_ANSWER[trigger.urgency]))
    # What is not settled has been answered, unless it is fresh and the most urgent of all.
    is_answered = is_settled or now - raised_at > _FRESH or trigger.urgency is not Urgency.NOW
    return Worry(
        person=person,
        trigger=trigger,
        raised_at=raised_at,
        words=told,
        reading=reading,
        dial=dial,
        acknowledged_at=min(answered_at, now) if is_answered else None,
        closed_at=answered_at + timedelta(hours=rng.randint(2, 26)) if is_settled else None,
        noted=_NOTED[trigger.kind].format(again=rng.randint(92, 128)),
        closing=_CLOSED[trigger.kind],
    )
