"""How far a call on the telephone has come, and how it ended. Pure."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from outreach.telephony.gateway import AnsweredBy, LegStatus

LEASE = timedelta(minutes=1)  # how long one process may take to ask the carrier
LOOK_AFTER = timedelta(seconds=45)  # without news of a call under way, the carrier is asked
SETTLE_AFTER = timedelta(minutes=2)  # a carrier's list shows a call well before this
CONNECT_WITHIN = timedelta(minutes=3)  # of pressing Call: later, the patient isn't rung any more
LONGEST_CALL = timedelta(hours=4)  # the carrier ends it then
CLOCKS_DIFFER = timedelta(minutes=1)


class Direction(enum.StrEnum):
    """Who rang whom."""

    OUT = "out"
    IN = "in"


class Stage(enum.StrEnum):
    """How far a call has come, as the caller sees it."""

    ASKING = "asking"
    RINGING_STAFF = "ringing_staff"
    STAFF_ON = "staff_on"
    RINGING_PATIENT = "ringing_patient"
    CONNECTED = "connected"
    ENDED = "ended"


class Ending(enum.StrEnum):
    """How a call ended. LOST: nobody can tell any more, not even the carrier."""

    TALKED = "talked"
    MACHINE = "machine"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    UNREACHABLE = "unreachable"
    GIVEN_UP = "given_up"
    NOBODY_THERE = "nobody_there"
    NOT_PLACED = "not_placed"
    LOST = "lost"


_RANK = {LegStatus.NONE: 0, LegStatus.INITIATED: 1, LegStatus.RINGING: 2, LegStatus.ANSWERED: 3}
_FINAL = 4


def advanced(current: LegStatus, reported: LegStatus) -> LegStatus:
    """Return the status of one telephone after a report; late or repeated ones change nothing.

    Reports arrive in any order and more than once, so status only moves up, and the first
    ending stays.
    """
    further = _RANK.get(reported, _FINAL) > _RANK.get(current, _FINAL)
    return reported if further else current


@dataclass(frozen=True)
class Facts:
    """What is known of one call. ``is_talk``: the two were put through to each other."""

    direction: Direction
    staff: LegStatus
    patient: LegStatus
    is_talk: bool = False
    answered_by: AnsweredBy | None = None
    is_ended: bool = False


def is_over(facts: Facts) -> bool:
    """Say whether either telephone is done: the other one is then hung up as well."""
    return facts.staff.is_final or facts.patient.is_final


def stage_of(facts: Facts) -> Stage:
    """Return how far a call has come. Never back: each fact it depends on only moves on."""
    if facts.is_ended or is_over(facts):
        return Stage.ENDED
    if facts.is_talk:
        return Stage.CONNECTED
    if facts.direction is Direction.OUT and facts.patient is not LegStatus.NONE:
        return Stage.RINGING_PATIENT
    if facts.staff is LegStatus.ANSWERED:
        return Stage.STAFF_ON
    return Stage.ASKING if facts.staff is LegStatus.NONE else Stage.RINGING_STAFF


def ending_of(facts: Facts) -> Ending:
    """Return how a call that is over ended.

    Somebody who returns a call and does not get through has given up, or found nobody.
    """
    if facts.is_talk:
        by_machine = facts.answered_by is AnsweredBy.MACHINE
        return Ending.MACHINE if by_machine else Ending.TALKED
    if facts.direction is Direction.IN:
        return Ending.NOBODY_THERE
    ended = {
        LegStatus.NO_ANSWER: Ending.NO_ANSWER,
        LegStatus.BUSY: Ending.BUSY,
        LegStatus.FAILED: Ending.UNREACHABLE,
        LegStatus.NONE: Ending.NOBODY_THERE,
    }
    return ended.get(facts.patient, Ending.GIVEN_UP)


def happened_at(reported: datetime | None, now: datetime) -> datetime:
    """Return when something happened: by the carrier's clock, unless that can't be."""
    if reported is None or not now - LONGEST_CALL - SETTLE_AFTER <= reported <= now:
        return now
    return reported


def talk_seconds(
    answered_at: datetime | None, ended_at: datetime | None, now: datetime
) -> int | None:
    """Return how long two people have talked, None where they have not."""
    if answered_at is None:
        return None
    return max(0, int(((ended_at or now) - answered_at).total_seconds()))


def begun_minutes(seconds: int) -> int:
    """Return a length in whole minutes, begun minutes counted, as on the caller's own clock."""
    return max(1, -(-seconds // 60))


@dataclass(frozen=True)
class WorkHours:
    """Some hours of one weekday on somebody's own wall clock, [begins, ends). 0 is Monday."""

    weekday: int
    begins: time
    ends: time


def is_on_shift(shifts: Iterable[WorkHours], local: datetime) -> bool:
    """Say whether somebody works at ``local``, an aware instant in their own zone.

    Who keeps no shifts is never on one: a private telephone must not ring at any hour.
    """
    at = local.time()
    return any(each.weekday == local.weekday() and each.begins <= at < each.ends for each in shifts)
