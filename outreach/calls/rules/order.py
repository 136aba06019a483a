"""In what part of a queue a call stands, in what order, and why. Pure.

The order is a score that keeps its reasons; docs/queue-order.md explains it to people.
"""

import enum
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

CLOSES_SOON = timedelta(hours=1)  # ours: long enough to call two others first, no longer
MISSED_TWICE = 2  # Source: domain.md E2, two missed in a row.
_NEVER = datetime.min.replace(tzinfo=UTC)


class QueueGroup(enum.StrEnum):
    """The parts a queue is split into."""

    NOW = "now"
    LATER = "later"
    NUMBER_TO_FIX = "number_to_fix"
    PROMISED = "promised"
    COMING = "coming"


class Why(enum.StrEnum):
    """Why a patient stands where they stand, most pressing first."""

    SAFETY = "safety"
    AGREED = "agreed"
    AGREED_PASSED = "agreed_passed"
    LAST_DAY = "last_day"
    CLOSES_SOON = "closes_soon"
    PROMISE_DUE = "promise_due"
    MISSED_TWICE = "missed_twice"
    MISSED_LAST = "missed_last"
    FIRST_CALL = "first_call"
    TRIED_BEFORE = "tried_before"
    DUE = "due"

    @property
    def points(self) -> int:
        """More than all less pressing reasons together; 0 for DUE, which is none."""
        return _POINTS[self]


# Powers of two: what leads decides, and what else holds decides among equals.
_POINTS = {why: 2**place // 2 for place, why in enumerate(reversed(Why))}


@dataclass(frozen=True)
class QueueFacts:
    """What the order of a queue depends on.

    ``lawful_until_at`` is None while calling is not lawful where the patient is.
    ``day_ends_at`` is when the caller's own day ends. ``spoken_at`` is the last conversation
    with the patient, whoever had it; ``answered_at`` is when a nurse last wrote what was done
    about a concern of theirs; ``missed_in_a_row`` counts the calls missed before this one.
    ``is_barred``: the law lets nobody ring now, whatever was agreed. ``opens_at`` is when a call
    that is due and can't be made now can be made; None for all others.
    """

    now: datetime
    day_ends_at: datetime
    dial_from_at: datetime
    dial_until_at: datetime
    lawful_until_at: datetime | None
    is_agreed: bool
    is_last_day: bool
    is_first_call: bool
    missed_in_a_row: int
    dials: int
    has_number: bool
    is_promise_due: bool = False
    spoken_at: datetime | None = None
    answered_at: datetime | None = None
    is_barred: bool = False
    opens_at: datetime | None = None

    @property
    def from_at(self) -> datetime:
        """When it can be made: its time, or when calling is allowed again."""
        return self.opens_at or self.dial_from_at

    @property
    def closes_at(self) -> datetime:
        """When this time to dial is over: its slot ends, or calling is not lawful any more."""
        return min(self.dial_until_at, self.lawful_until_at or self.dial_until_at)

    @property
    def is_answered(self) -> bool:
        """Whether a nurse wrote about a concern since anybody spoke with the patient."""
        if self.answered_at is None:
            return False
        return self.spoken_at is None or self.spoken_at < self.answered_at


@dataclass(frozen=True)
class Score:
    """How much a call presses, and every reason for it, most pressing first; never none."""

    whys: tuple[Why, ...]

    @property
    def points(self) -> int:
        """The sum of the reasons: another reason never makes it less."""
        return sum([_POINTS[why] for why in self.whys])

    @property
    def leading(self) -> Why:
        """The reason that decides."""
        return self.whys[0]

    @property
    def others(self) -> tuple[Why, ...]:
        """What else speaks for calling soon."""
        return self.whys[1:]


def group_of(facts: QueueFacts) -> QueueGroup:
    """Return the part of the queue that a call belongs in.

    A slot that has passed unused stays in NOW while calling is still lawful today. A time
    that the patient asked for is NOW even outside the usual hours, but never where the law bars
    it: then it is LATER, once calling is allowed again today. Where no call is due, a promise
    that is due is PROMISED by itself.
    """
    if not facts.has_number:
        return QueueGroup.NUMBER_TO_FIX
    not_today = QueueGroup.PROMISED if facts.is_promise_due else QueueGroup.COMING
    if facts.dial_from_at >= facts.day_ends_at:
        return not_today
    if facts.now < facts.dial_from_at:
        return QueueGroup.LATER
    is_kept = facts.is_agreed and facts.now < facts.dial_until_at and not facts.is_barred
    if facts.lawful_until_at is not None or is_kept:
        return QueueGroup.NOW
    opens_today = facts.opens_at is not None and facts.opens_at < facts.day_ends_at
    return QueueGroup.LATER if facts.is_agreed and opens_today else not_today


class Rest(enum.StrEnum):
    """Why a call that is due is not to be made now."""

    SAID = "said"
    TRIED = "tried"
    HOURS = "hours"


def rest_of(facts: QueueFacts, *, is_put_off: bool, was_tried_today: bool) -> Rest | None:
    """Say why a call rests: somebody put it off, it was tried today, or hours are over there.

    None: it is to be made now or later today, needs a number, or is simply not due yet.
    """
    if is_put_off and may_wait(facts):
        return Rest.SAID
    if group_of(facts) not in (QueueGroup.COMING, QueueGroup.PROMISED):
        return None
    if facts.dial_from_at <= facts.now:
        return Rest.HOURS
    return Rest.TRIED if was_tried_today else None


def may_wait(facts: QueueFacts) -> bool:
    """Say whether a call may be hidden for today.

    A nurse's answer and a time that the patient asked for may not.
    """
    return not facts.is_answered and not (facts.is_agreed and facts.now < facts.dial_until_at)


def score_of(facts: QueueFacts) -> Score:
    """Return how much a call presses, with its reasons."""
    is_passed = facts.dial_until_at <= facts.now
    has_begun = facts.dial_from_at <= facts.now
    missed = facts.missed_in_a_row
    holding = {
        Why.SAFETY: facts.is_answered,
        Why.AGREED: facts.is_agreed and not is_passed,
        Why.AGREED_PASSED: facts.is_agreed and is_passed,
        Why.LAST_DAY: facts.is_last_day,
        Why.CLOSES_SOON: has_begun and facts.closes_at <= facts.now + CLOSES_SOON,
        Why.PROMISE_DUE: facts.is_promise_due,
        Why.MISSED_TWICE: missed >= MISSED_TWICE,
        Why.MISSED_LAST: 0 < missed < MISSED_TWICE,
        Why.FIRST_CALL: facts.is_first_call,
        Why.TRIED_BEFORE: facts.dials > 0,
    }
    return Score(tuple([why for why, holds in holding.items() if holds]) or (Why.DUE,))


def whys_of(facts: QueueFacts) -> tuple[Why, ...]:
    """Return every reason that holds, most pressing first; never empty."""
    return score_of(facts).whys


def order_key(
    facts: QueueFacts, group: QueueGroup, score: Score
) -> tuple[int, datetime, int, datetime]:
    """Return the sort key of a call within its ``group``: lower is sooner.

    What is to be called now goes by its score; among equals, whoever was spoken with longest
    ago comes first, so that nobody starves. What comes later goes by its time.
    """
    if group is not QueueGroup.NOW:
        return 0, facts.from_at, -score.points, facts.closes_at
    return -score.points, facts.spoken_at or _NEVER, 0, facts.closes_at
