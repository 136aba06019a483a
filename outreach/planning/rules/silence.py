"""What follows when calls don't get through. Pure: the time is an argument.

Source: domain.md E2. After some missed calls in a row the caller reviews the patient's times;
after more of them, or after days of silence, a coordinator checks the contact; after many
days the patient counts as unreachable. How many is the programme's own version to say.

What was seen to once is not asked for again:

- Times are reviewed once in one silence. Then it is the coordinator's turn.
- After a contact check, missed calls and days count anew, because a new number or a letter
  deserves its chance. So the calls that brought a check never bring a second one.
- A welfare check is asked for once in one silence, for whoever was tried and agreed to it:
  nobody asks family or neighbours about somebody who did not sign up for that.
- A conversation ends the silence, and everything counts anew.
- Unreachable is only who was tried: nobody is given up because nobody called.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from outreach.programmes.rules import FollowUpPolicy


class Step(enum.StrEnum):
    """What a silence asks for."""

    REVIEW_TIMES = "review times"
    CONTACT_CHECK = "contact check"
    WELFARE_CHECK = "welfare check"
    UNREACHABLE = "unreachable"


class Cause(enum.StrEnum):
    """Why it does."""

    MISSED = "missed in a row"
    SILENT = "days without a conversation"


@dataclass(frozen=True)
class Follow:
    """One step, and the number of missed calls or of days that asks for it."""

    step: Step
    cause: Cause
    number: int

    @property
    def reason(self) -> str:
        """The cause as it is stored: 'missed in a row: 3'."""
        return f"{self.cause.value}: {self.number}"


def parsed_reason(reason: str) -> tuple[Cause, int]:
    """Return cause and number of a stored :attr:`Follow.reason`."""
    cause, _colon, number = reason.partition(": ")
    return Cause(cause), int(number)


@dataclass(frozen=True)
class Rest:
    """A time in which an enrolment was not active, so that nobody was to call."""

    from_at: datetime
    until_at: datetime


@dataclass(frozen=True)
class Silence:
    """The time in which nobody has spoken with the patient of an active enrolment.

    It began at ``since_at``: the last conversation, the first day of the programme, the
    first day with a caller, or the return of somebody who had left, whichever came last.
    ``missed_at`` are the planned calls closed as missed since then, ``rests`` what lies in
    between, ``is_dialled`` whether anybody tried. ``is_reviewed``: times were, or are, being
    reviewed in this silence; ``is_in_check``: a contact check is open; ``checked_at``: when
    the last one was done. ``has_welfare``: a welfare check was, or is, made in this silence;
    ``is_welfare_agreed``: the patient agreed that one is made.
    """

    since_at: datetime
    starts_on: date
    zone: ZoneInfo
    missed_at: tuple[datetime, ...] = ()
    rests: tuple[Rest, ...] = ()
    is_dialled: bool = False
    is_reviewed: bool = False
    is_in_check: bool = False
    checked_at: datetime | None = None
    has_welfare: bool = False
    is_welfare_agreed: bool = False

    @property
    def counted_from(self) -> datetime:
        """From when on missed calls and days count towards the next contact check."""
        return max(self.since_at, self.checked_at or self.since_at)

    def missed_since(self, since_at: datetime, *, now: datetime) -> int:
        """Count the planned calls that were missed after ``since_at``, until ``now``."""
        return sum(since_at < at <= now for at in self.missed_at)


def silent_for_at(since_at: datetime, days: int, rests: Sequence[Rest]) -> datetime:
    """Return when a silence has lasted ``days`` days, each of 24 hours, rests not counted."""
    at = since_at + timedelta(days=days)
    for rest in sorted(rests, key=lambda each: each.from_at):
        if rest.from_at >= at:
            break
        if rest.until_at > since_at:
            at += rest.until_at - max(rest.from_at, since_at)
    return at


def silent_days(silence: Silence, *, now: datetime) -> int:
    """Return for how many whole days nobody has spoken with the patient, rests not counted."""
    rested = sum(
        (
            min(rest.until_at, now) - max(rest.from_at, silence.since_at)
            for rest in silence.rests
            if rest.until_at > silence.since_at and rest.from_at < now
        ),
        timedelta(),
    )
    return max(timedelta(), now - silence.since_at - rested).days


def steps(silence: Silence, policy: FollowUpPolicy, *, now: datetime) -> tuple[Follow, ...]:
    """Return what ``silence`` asks for at ``now`` and was not done about it yet."""
    found = []
    missed = silence.missed_since(silence.since_at, now=now)
    if missed >= policy.missed_to_review and not silence.is_reviewed:
        found.append(Follow(Step.REVIEW_TIMES, Cause.MISSED, missed))
    cause = None if silence.is_in_check else _cause_to_check(silence, policy, now=now)
    if cause is not None:
        number = missed if cause is Cause.MISSED else silent_days(silence, now=now)
        found.append(Follow(Step.CONTACT_CHECK, cause, number))
    cause = _cause_of_welfare(silence, policy, now=now)
    if cause is not None:
        number = missed if cause is Cause.MISSED else silent_days(silence, now=now)
        found.append(Follow(Step.WELFARE_CHECK, cause, number))
    if silence.is_dialled and _is_silent(silence, policy.unreachable_days, now=now):
        days = silent_days(silence, now=now)
        found.append(Follow(Step.UNREACHABLE, Cause.SILENT, days))
    return tuple(found)


def _cause_to_check(silence: Silence, policy: FollowUpPolicy, *, now: datetime) -> Cause | None:
    since_at = silence.counted_from
    if silence.missed_since(since_at, now=now) >= policy.missed_to_check:
        return Cause.MISSED
    early_at = silent_for_at(since_at, policy.silent_days_early, silence.rests)
    early_end = silence.starts_on + timedelta(weeks=policy.early_weeks)
    is_early = early_at.astimezone(silence.zone).date() < early_end
    late_at = silent_for_at(since_at, policy.silent_days_late, silence.rests)
    return Cause.SILENT if (is_early and early_at <= now) or late_at <= now else None


def _cause_of_welfare(silence: Silence, policy: FollowUpPolicy, *, now: datetime) -> Cause | None:
    if silence.has_welfare or not silence.is_welfare_agreed:
        return None
    missed, days = policy.missed_to_welfare, policy.silent_days_welfare
    if missed and silence.missed_since(silence.since_at, now=now) >= missed:
        return Cause.MISSED
    is_tried = silence.is_dialled and days > 0
    return Cause.SILENT if is_tried and _is_silent(silence, days, now=now) else None


def _is_silent(silence: Silence, days: int, *, now: datetime) -> bool:
    return silent_for_at(silence.since_at, days, silence.rests) <= now
