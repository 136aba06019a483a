"""What a visit to the clinic is, who was out of care, and who came back. Pure.

Somebody is out of care on a day when no visit was in the YEAR before it. Source: domain.md A,
where the trial asks for at least one visit, in person or by telehealth, in 12 months.
"""

import enum
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

YEAR = timedelta(days=365)


class VisitKind(enum.StrEnum):
    """How a patient and the clinic met."""

    IN_PERSON = "in person"
    TELEHEALTH = "telehealth"
    HOME = "home"
    EMERGENCY = "emergency"
    INPATIENT = "inpatient"

    @property
    def is_care(self) -> bool:
        """Whether it is a visit to the clinic: who is only in hospital is not in its care."""
        return self not in (VisitKind.EMERGENCY, VisitKind.INPATIENT)


@dataclass(frozen=True)
class Seen:
    """Whether somebody was out of care as they enrolled, and came back.

    ``was_out`` None: not known, as no visit of theirs is on file at all.
    """

    was_out: bool | None
    came_back: bool


def seen(visited_on: Collection[date], *, enrolled_on: date, within_days: int) -> Seen:
    """Judge the days of somebody's visits, all that are on file.

    The day of enrolment itself belongs to neither: people are often enrolled at a visit, and
    that visit is before the calls; they are in care then.

    Args:
        visited_on: days of visits that are care.
        enrolled_on: first day of the programme.
        within_days: how many days after it a visit counts as coming back.
    """
    until_on = enrolled_on + timedelta(days=within_days)
    was_in = any(enrolled_on - YEAR <= day <= enrolled_on for day in visited_on)
    came_back = any(enrolled_on < day <= until_on for day in visited_on)
    return Seen(None if not visited_on else not was_in, came_back)
