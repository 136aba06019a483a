"""When each text of a sender gets its turn, where its carrier sends only so much a second. Pure.

A carrier counts segments: a long text takes several. Each text is given a turn, an instant;
it is handed over then, or up to LATE later, or gets another turn. So whatever the hands that
send, no ten seconds see more segments than ten times the pace.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

WINDOW = timedelta(seconds=10)
# A text may leave so long after its turn: a connection is made, a thread wakes late.
LATE = timedelta(milliseconds=200)
# Texts that leave up to LATE after their turn fit in a window only with that much more room.
_APART = (WINDOW + LATE) / WINDOW
# From when on turns are given: what is claimed now has to be stored first.
SOON = timedelta(milliseconds=300)
# Turns are given so far ahead, so that hands are never idle; an alert waits no longer for those.
AHEAD = timedelta(seconds=2)
# Segments a second. A long code sends 1, a short code 100. Source: performance.md 2d.
SLOWEST, FASTEST = 1, 500

_T = TypeVar("_T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Turn:
    """One text's turn: when, and how many segments it takes."""

    at: datetime
    segments: int


@dataclass(frozen=True)
class Given:
    """The turns that a sender gave lately, in order, and when each clinic had its last."""

    recent: tuple[Turn, ...]
    served: Mapping[int, datetime]

    @property
    def last_at(self) -> datetime | None:
        """The last turn that was given."""
        return self.recent[-1].at if self.recent else None

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON keeps it."""
        return {
            "recent": [[_number(turn.at), turn.segments] for turn in self.recent],
            "served": {str(clinic_id): _number(at) for clinic_id, at in self.served.items()},
        }

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Given":
        """Return what JSON kept."""
        return cls(
            tuple(Turn(_instant(at), segments) for at, segments in data.get("recent", ())),
            {int(each): _instant(at) for each, at in data.get("served", {}).items()},
        )

    def and_for(self, turns: Iterable[tuple[int, Turn]]) -> "Given":
        """Return it with the turns of some clinics more; what no longer counts is dropped."""
        new = list(turns)
        recent = (*self.recent, *(turn for _clinic_id, turn in new))
        if not recent:
            return self
        counts_from = recent[-1].at - WINDOW - LATE
        kept = tuple(turn for turn in recent[:-1] if turn.at > counts_from)
        return Given((*kept, recent[-1]), {**self.served, **{c: turn.at for c, turn in new}})


def turns_for(
    sizes: Iterable[int], recent: Sequence[Turn], per_second: int, *, now: datetime
) -> list[Turn]:
    """Return the turns of texts of these ``sizes``, in segments; those too far ahead get none.

    Evenly apart, and within any WINDOW never more than ``per_second`` allows, counted with
    those given before. A text that is larger than a whole window goes alone.
    """
    room, most = deque(recent), int(per_second * WINDOW.total_seconds())
    used = sum(turn.segments for turn in room)
    last = recent[-1] if recent else None
    found = []
    for segments in sizes:
        at = now + SOON
        if last is not None:
            at = max(at, last.at + last.segments * _APART / per_second * timedelta(seconds=1))
        while room and (room[0].at <= at - WINDOW - LATE or used + segments > most):
            oldest = room.popleft()
            used -= oldest.segments
            at = max(at, oldest.at + WINDOW + LATE)
        if at > now + AHEAD:
            break
        last = Turn(at, segments)
        room.append(last)
        used += segments
        found.append(last)
    return found


def most_texts(per_second: int) -> int:
    """Return how many texts can at most get a turn at one time."""
    return int(per_second * AHEAD.total_seconds()) + 1


def look_again_at(last_at: datetime | None, *, now: datetime) -> datetime:
    """Return when there are turns to give again, while hands still have half of the last ones."""
    return now if last_at is None else max(now, last_at - AHEAD / 2)


def in_fair_order(waiting: Mapping[int, Sequence[_T]], served: Mapping[int, datetime]) -> list[_T]:
    """Return what waits at each clinic, by its id: one of each in turn.

    Whoever waits longest for a turn of theirs begins; each clinic's own order stays.
    """
    line = sorted(waiting, key=lambda each: (served.get(each, _EPOCH), each))
    rounds = max((len(texts) for texts in waiting.values()), default=0)
    return [
        waiting[clinic_id][place]
        for place in range(rounds)
        for clinic_id in line
        if place < len(waiting[clinic_id])
    ]


def _number(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def _instant(number: int) -> datetime:
    return _EPOCH + number * _MICROSECOND
