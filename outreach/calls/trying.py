"""What a row of the queue says about trying: tries so far, a patient's numbers, tries a day."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from outreach import sealing
from outreach.calls.rules import Outcome
from outreach.patients.rules import NumberHealth
from outreach.sql import instant_from_json

SHOWN_DIGITS = 2
_NOTHING = (None, "[]")  # as the two databases say it


@dataclass(frozen=True)
class PastAttempt:
    """One try of the call in the queue."""

    at: datetime
    outcome: Outcome
    caller_name: str


@dataclass(frozen=True)
class RowNumber:
    """One number of a patient, told by its last digits: whoever is put through sees no more."""

    last_digits: str
    health: NumberHealth

    @property
    def works(self) -> bool:
        """Whether it may be dialled."""
        return self.health is NumberHealth.WORKING


def numbers_in(kept: str | None) -> Sequence[RowNumber]:
    """Return a patient's numbers in the order in which they are tried; see open_calls."""
    return [
        RowNumber(sealing.NUMBERS.opened(e164)[-SHOWN_DIGITS:], NumberHealth(health))
        for _position, _id, e164, health in sorted(json.loads(kept or "[]"))
    ]


def attempts_in(kept: str | None) -> Sequence[PastAttempt]:
    """Return the tries of a call, in order; see open_calls."""
    if kept in _NOTHING:  # as it is of most calls
        return ()
    found = [
        (instant_from_json(at), row_id, Outcome(outcome), str(sealing.STAFF_NAMES.read(name)))
        for at, outcome, name, row_id in json.loads(kept or "[]")
    ]
    return [PastAttempt(at, outcome, name) for at, _id, outcome, name in sorted(found)]
