"""What is tried in a welfare check, and how one ends. Pure.

Source: domain.md E1 (telecare: a named neighbour or relative) and E2: only somebody whom the
patient agreed to is rung about them.
"""

import enum


class StepKind(enum.StrEnum):
    """One thing that was tried, in the order in which it is best tried."""

    OTHER_NUMBER = "other number"
    EMERGENCY_CONTACT = "emergency contact"
    CLINIC_VISIT = "clinic visit"
    LETTER = "letter"
    OTHER = "other"
    CLOSED = "closed"


# What a nurse goes through before a check may end without news.
TRIED_FIRST = (StepKind.OTHER_NUMBER, StepKind.CLINIC_VISIT, StepKind.LETTER)


class Outcome(enum.StrEnum):
    """How a welfare check ends."""

    SPOKEN = "spoken with"
    HEARD_OF = "heard of"
    IN_CARE = "in care"
    MOVED = "moved"
    DIED = "died"
    NO_NEWS = "no news"


def untried(tried: set[StepKind], *, may_ring_contact: bool) -> tuple[StepKind, ...]:
    """Return what has yet to be tried before a check may end without news, in order."""
    wanted = [*TRIED_FIRST]
    if may_ring_contact:
        wanted.insert(1, StepKind.EMERGENCY_CONTACT)
    return tuple(step for step in wanted if step not in tried)
