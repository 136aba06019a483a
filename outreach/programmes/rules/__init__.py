"""A calling programme as data: phases, attempts, follow-up, measures, milestones. Pure."""

import enum
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

DAYS_A_WEEK = 7


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


class PauseReason(enum.StrEnum):
    """Why calls rest for a while."""

    TRAVEL = "travel"
    HOSPITAL = "hospital"
    OTHER = "other"


class PauseTrouble(enum.StrEnum):
    """What is wrong with the days of a pause."""

    BEGINS_EARLY = "begins early"
    HAS_NO_END = "has no end"
    ENDS_EARLY = "ends early"
    ENDS_LATE = "ends late"

    @property
    def is_about_end(self) -> bool:
        """Whether the day from which calls go on is to be mended."""
        return self is not PauseTrouble.BEGINS_EARLY


# Beyond, it is a slip of the keyboard, and they would be called no more. Who is away for longer
# is paused until somebody resumes them, and stays on the list of who is.
LONGEST_PAUSE = timedelta(days=366)


def trouble_with_pause(first: date | None, until: date | None, today: date) -> PauseTrouble | None:
    """Return what is wrong with a pause; ``first`` None: it begins at once.

    ``until`` is the day from which calls go on, None until somebody resumes them: that is
    only possible for a pause that begins at once.
    """
    if first is not None and first <= today:
        return PauseTrouble.BEGINS_EARLY
    if first is not None and until is None:
        return PauseTrouble.HAS_NO_END
    if until is not None and until <= (first or today):
        return PauseTrouble.ENDS_EARLY
    if until is not None and until > today + LONGEST_PAUSE:
        return PauseTrouble.ENDS_LATE
    return None


def pause_words(reason: PauseReason, note: str = "") -> str:
    """Return a pause's reason as it is stored: 'travel', 'travel: to her sister'."""
    if reason is PauseReason.OTHER and note:
        return note
    return f"{reason.value}: {note}" if note else reason.value


@dataclass(frozen=True)
class Phase:
    """Some weeks of a programme, counted from 1, both ends included.

    ``choices`` is what the patient may choose from, in the unit of ``rhythm``; one choice
    means that it is fixed. ``default`` holds until the patient has chosen. ``code`` is what
    choices are stored under, so it stays when ``name`` changes and is never used again.
    """

    code: str
    first_week: int
    last_week: int
    rhythm: Rhythm
    choices: tuple[int, ...]
    default: int
    name: str = ""

    @property
    def weeks(self) -> int:
        """Length of this phase."""
        return self.last_week - self.first_week + 1

    def first_day(self, starts_on: date) -> date:
        """Return the first day of this phase for an enrolment that starts on ``starts_on``."""
        return starts_on + timedelta(weeks=self.first_week - 1)

    def end_day(self, starts_on: date) -> date:
        """Return the day after the last one."""
        return starts_on + timedelta(weeks=self.last_week)

    def chosen(self, choice: int | None) -> int:
        """Return the patient's choice where this phase offers it, else the default."""
        return choice if choice in self.choices else self.default

    def calls_with(self, value: int) -> int:
        """Return how many calls this phase has when the patient chose ``value``."""
        if self.rhythm is Rhythm.CALLS_PER_WEEK:
            return value * self.weeks
        return -(-self.weeks * DAYS_A_WEEK // value)


@dataclass(frozen=True)
class AttemptPolicy:
    """How hard one scheduled call is tried for. Source: domain.md E2."""

    max_dials: int = 3
    max_dials_per_day: int = 2
    min_days: int = 2
    min_dayparts: int = 2
    hours_between: int = 3


@dataclass(frozen=True)
class FollowUpPolicy:
    """What follows when calls don't get through. Source: domain.md E2.

    After ``missed_to_review`` missed calls in a row the caller reviews the patient's times.
    After ``missed_to_check`` of them, or ``silent_days_early`` days without a conversation
    in the first ``early_weeks`` weeks and ``silent_days_late`` later, a coordinator checks
    the contact. After ``unreachable_days`` days the patient counts as unreachable.
    After ``missed_to_welfare`` missed calls in a row, or ``silent_days_welfare`` days in
    which somebody tried, a nurse makes sure that they are well; 0: no such rule.
    """

    missed_to_review: int = 2
    missed_to_check: int = 3
    silent_days_early: int = 14
    silent_days_late: int = 30
    early_weeks: int = 4
    unreachable_days: int = 60
    missed_to_welfare: int = 0
    silent_days_welfare: int = 0


@dataclass(frozen=True)
class MeasurePoint:
    """When something is measured. Days count from the start, which is day 0.

    ``measures`` are codes of the registry of measures and questionnaires. What is measured
    from ``from_day`` to ``until_day``, both included, counts; nearest to the target is best.
    """

    code: str
    name: str
    measures: tuple[str, ...]
    target_day: int
    from_day: int
    until_day: int

    def days(self, starts_on: date) -> tuple[date, date]:
        """Return the first and last day on which a measurement counts."""
        return (
            starts_on + timedelta(days=self.from_day),
            starts_on + timedelta(days=self.until_day),
        )


@dataclass(frozen=True)
class Milestone:
    """Something besides calls that is due from ``from_day`` to ``until_day`` after the start."""

    code: str
    name: str
    from_day: int
    until_day: int


@dataclass(frozen=True)
class Protocol:
    """A whole programme, as one version of it says.

    ``minutes_per_call`` is how much of a caller's week one call is reckoned at, with notes.
    ``measure_lead_days`` is how many days before the best day of a measurement a text says
    that it is time, None: no such text.
    """

    phases: tuple[Phase, ...]
    attempts: AttemptPolicy = AttemptPolicy()
    reminder_lead_minutes: int = 24 * 60
    minutes_per_call: int = 20
    follow_up: FollowUpPolicy = FollowUpPolicy()
    measure_points: tuple[MeasurePoint, ...] = ()
    milestones: tuple[Milestone, ...] = ()
    measure_lead_days: int | None = None

    @property
    def weeks(self) -> int:
        """Length of the programme."""
        return max(phase.last_week for phase in self.phases)

    @property
    def fewest_calls(self) -> int:
        """How many calls a patient has who chooses the fewest everywhere."""
        return sum(min(map(each.calls_with, each.choices)) for each in self.phases)

    @property
    def most_calls(self) -> int:
        """How many calls a patient has who chooses the most everywhere."""
        return sum(max(map(each.calls_with, each.choices)) for each in self.phases)

    def phase_on(self, day: date, starts_on: date) -> Phase | None:
        """Return the phase that ``day`` lies in, or None before the start and after the end."""
        for phase in self.phases:
            if phase.first_day(starts_on) <= day < phase.end_day(starts_on):
                return phase
        return None

    def phase_to_choose(self, day: date, starts_on: date) -> Phase | None:
        """Return the phase, current on ``day`` or next, in which the patient has a choice."""
        for phase in self.phases:
            if day < phase.end_day(starts_on) and len(phase.choices) > 1:
                return phase
        return None

    def points_on(self, day: date, starts_on: date) -> tuple[MeasurePoint, ...]:
        """Return the measurement points whose window holds ``day``."""
        return tuple(
            point
            for point in self.measure_points
            if point.from_day <= (day - starts_on).days <= point.until_day
        )

    def ends_on(self, starts_on: date) -> date:
        """Return the day after the last day of the programme."""
        return starts_on + timedelta(weeks=self.weeks)

    def as_data(self) -> dict[str, Any]:
        """Return this protocol as it is stored: JSON's own types only."""
        data = asdict(self)
        data["phases"] = [
            {**phase, "choices": list(phase["choices"]), "rhythm": phase["rhythm"].value}
            for phase in data["phases"]
        ]
        data["measure_points"] = [
            {**point, "measures": list(point["measures"])} for point in data["measure_points"]
        ]
        data["milestones"] = list(data["milestones"])
        return data

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Protocol":
        """Return the protocol that :meth:`as_data` stored.

        What an older release did not store yet is as its fields' defaults say.
        """
        given = dict(data)
        given["phases"] = tuple(map(_phase, data["phases"]))
        given["attempts"] = AttemptPolicy(**data.get("attempts", {}))
        given["follow_up"] = FollowUpPolicy(**data.get("follow_up", {}))
        given["measure_points"] = tuple(map(_measure_point, data.get("measure_points", ())))
        given["milestones"] = tuple(Milestone(**each) for each in data.get("milestones", ()))
        return cls(**given)


def _phase(data: Mapping[str, Any]) -> Phase:
    given = dict(data)
    given["rhythm"], given["choices"] = Rhythm(data["rhythm"]), tuple(data["choices"])
    return Phase(**given)


def _measure_point(data: Mapping[str, Any]) -> MeasurePoint:
    given = dict(data)
    given["measures"] = tuple(data["measures"])
    return MeasurePoint(**given)


_MEASURED = ("hba1c", "phq9_total")

# Source: Kahlon et al., JAMA Netw Open 2024;7(12):e2448809, and domain.md A1: 3 calls in
# week 1, the patient's choice of 1 to 5 a week in weeks 2 to 4, then one every 1 or 2 weeks
# to month 6. What holds before the patient has chosen is ours, not the trial's. Windows of
# months 3 and 6: domain.md E4; that of the baseline is ours: a laboratory's HbA1c up to
# three months old. Tool, letter and gifts: the trial's registry, domain.md A1; a week to
# either side of 2.5 and 4.5 months is ours.
PUBLISHED_PROTOCOL = Protocol(
    phases=(
        Phase("week_1", 1, 1, Rhythm.CALLS_PER_WEEK, (3,), 3, "Getting to know each other"),
        Phase(
            "weeks_2_to_4", 2, 4, Rhythm.CALLS_PER_WEEK, (1, 2, 3, 4, 5), 2, "As often as wished"
        ),
        Phase("weeks_5_to_26", 5, 26, Rhythm.DAYS_BETWEEN, (7, 14), 7, "Staying in touch"),
    ),
    # Not the trial's: ours, later than the coordinator's check and before 'unreachable'.
    follow_up=FollowUpPolicy(missed_to_welfare=8, silent_days_welfare=45),
    measure_points=(
        MeasurePoint("baseline", "Baseline", _MEASURED, 0, -90, 14),
        MeasurePoint("month_3", "Month 3", _MEASURED, 91, 60, 120),
        MeasurePoint("month_6", "Month 6", _MEASURED, 182, 150, 210),
    ),
    milestones=(
        Milestone("health_tool", "Health tool chosen", 0, 6),
        Milestone("education_letter", "Education letter", 0, 13),
        Milestone("gift_1", "First gift", 69, 83),
        Milestone("gift_2", "Second gift", 130, 144),
    ),
)


def minimum_calls_in_week(phase: Phase, choice: int | None) -> tuple[int, int]:
    """Return (calls, weeks): how many completed calls per how many weeks the phase asks for.

    Weeks 2 to 4 ask for what the patient chose; one call every 14 days is (1, 2).
    """
    value = phase.chosen(choice)
    if phase.rhythm is Rhythm.CALLS_PER_WEEK:
        return value, 1
    return 1, max(1, -(-value // DAYS_A_WEEK))
