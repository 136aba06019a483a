"""A calling programme as data: phases, attempt policy, reminders. Pure."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any


class Rhythm(enum.StrEnum):
    """What the numbers of a phase count."""

    CALLS_PER_WEEK = "calls per week"
    DAYS_BETWEEN = "days between"


class EnrolmentStatus(enum.StrEnum):
    """Where an enrolment stands. Only ACTIVE ones are called."""

    ACTIVE = "active"
    PAUSED = "paused"
    COMPLETED = "completed"
    WITHDRAWN = "withdrawn"
    UNREACHABLE = "unreachable"
    DIED = "died"


OPEN_STATUSES = (EnrolmentStatus.ACTIVE, EnrolmentStatus.PAUSED, EnrolmentStatus.UNREACHABLE)


@dataclass(frozen=True)
class Phase:
    """Some weeks of a programme, counted from 1, both ends included.

    ``choices`` is what the patient may choose from, in the unit of ``rhythm``; one choice
    means that it is fixed. ``default`` holds until the patient has chosen.
    """

    code: str
    first_week: int
    last_week: int
    rhythm: Rhythm
    choices: tuple[int, ...]
    default: int

    def first_day(self, starts_on: date) -> date:
        """Return the first day of this phase for an enrolment that starts on ``starts_on``."""
        return starts_on + timedelta(weeks=self.first_week - 1)

    def end_day(self, starts_on: date) -> date:
        """Return the day after the last one."""
        return starts_on + timedelta(weeks=self.last_week)

    def chosen(self, choice: int | None) -> int:
        """Return the patient's choice where this phase offers it, else the default."""
        return choice if choice in self.choices else self.default


@dataclass(frozen=True)
class AttemptPolicy:
    """How hard one scheduled call is tried for. Source: domain.md E2."""

    max_dials: int = 3
    max_dials_per_day: int = 2
    min_days: int = 2
    min_dayparts: int = 2
    hours_between: int = 3


@dataclass(frozen=True)
class Protocol:
    """A whole programme, as one version of it says."""

    phases: tuple[Phase, ...]
    attempts: AttemptPolicy = AttemptPolicy()
    reminder_lead_minutes: int = 24 * 60

    @property
    def weeks(self) -> int:
        """Length of the programme."""
        return max(phase.last_week for phase in self.phases)

    def phase_on(self, day: date, starts_on: date) -> Phase | None:
        """Return the phase that ``day`` lies in, or None before the start and after the end."""
        for phase in self.phases:
            if phase.first_day(starts_on) <= day < phase.end_day(starts_on):
                return phase
        return None

    def ends_on(self, starts_on: date) -> date:
        """Return the day after the last day of the programme."""
        return starts_on + timedelta(weeks=self.weeks)

    def as_data(self) -> dict[str, Any]:
        """Return this protocol as it is stored."""
        return {
            "phases": [
                {
                    "code": phase.code,
                    "first_week": phase.first_week,
                    "last_week": phase.last_week,
                    "rhythm": phase.rhythm.value,
                    "choices": list(phase.choices),
                    "default": phase.default,
                }
                for phase in self.phases
            ],
            "attempts": vars(self.attempts).copy(),
            "reminder_lead_minutes": self.reminder_lead_minutes,
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Protocol":
        """Return the protocol that :meth:`as_data` stored."""
        return cls(
            phases=tuple(
                Phase(
                    phase["code"],
                    phase["first_week"],
                    phase["last_week"],
                    Rhythm(phase["rhythm"]),
                    tuple(phase["choices"]),
                    phase["default"],
                )
                for phase in data["phases"]
            ),
            attempts=AttemptPolicy(**data["attempts"]),
            reminder_lead_minutes=data["reminder_lead_minutes"],
        )


# Source: Kahlon et al., JAMA Netw Open 2024;7(12):e2448809, and domain.md A1: 3 calls in
# week 1, the patient's choice of 1 to 5 a week in weeks 2 to 4, then one every 1 or 2 weeks
# to month 6. What holds before the patient has chosen is ours, not the trial's.
PUBLISHED_PROTOCOL = Protocol(
    phases=(
        Phase("week_1", 1, 1, Rhythm.CALLS_PER_WEEK, (3,), 3),
        Phase("weeks_2_to_4", 2, 4, Rhythm.CALLS_PER_WEEK, (1, 2, 3, 4, 5), 2),
        Phase("weeks_5_to_26", 5, 26, Rhythm.DAYS_BETWEEN, (7, 14), 7),
    )
)


def minimum_calls_in_week(phase: Phase, choice: int | None) -> tuple[int, int]:
    """Return (calls, weeks): how many completed calls per how many weeks the phase asks for.

    Weeks 2 to 4 ask for what the patient chose; one call every 14 days is (1, 2).
    """
    value = phase.chosen(choice)
    if phase.rhythm is Rhythm.CALLS_PER_WEEK:
        return value, 1
    return 1, max(1, -(-value // 7))
