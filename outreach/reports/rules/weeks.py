"""Programme weeks of enrolments, and whether each was kept to. Pure.

Source: domain.md A1 (what the protocol asks for) and E3 (protocol adherence).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from outreach.programmes.rules import Phase, Protocol, minimum_calls_in_week
from outreach.reports.rules.period import DAY, WEEK, Period


@dataclass(frozen=True)
class Course:
    """One enrolment as the report sees it; all days are the patient's local ones.

    ``left_on``: the day on which it ended or was paused. ``choices``: (day, phase, number)
    in the order in which they were made.
    """

    protocol: Protocol
    starts_on: date
    left_on: date | None
    choices: tuple[tuple[date, str, int], ...] = ()

    def last_day(self, week: int) -> date:
        """Return the last day of programme week ``week``, counted from 1."""
        return self.starts_on + week * WEEK - DAY

    def week_of(self, day: date) -> int:
        """Return the programme week that ``day`` lies in, counted from 1."""
        return (day - self.starts_on).days // 7 + 1

    def is_active_in(self, period: Period, *, today: date) -> bool:
        """Say whether this patient was in the programme on some day of ``period``."""
        return (
            self.starts_on <= min(period.until_on, today)
            and (self.left_on is None or self.left_on >= period.from_on)
            and self.protocol.ends_on(self.starts_on) > period.from_on
        )

    def is_over(self, week: int, *, today: date) -> bool:
        """Say whether ``week`` has passed with this patient enrolled to its end."""
        last = self.last_day(week)
        return last < today and (self.left_on is None or last < self.left_on)


@dataclass(frozen=True)
class Week:
    """A patient-week. ``is_kept`` is None where its two-week window is not over.

    ``is_chosen``: of a phase in which patients choose how often they are called.
    """

    number: int
    last_on: date
    is_kept: bool | None
    phase: str
    is_chosen: bool


def weeks_of(
    course: Course, period: Period, completed: Mapping[int, int], *, today: date
) -> Iterator[Week]:
    """Yield the weeks of ``course`` that end inside ``period`` and are over.

    ``completed`` is how many calls were completed in each programme week, ``today`` the
    clinic's local day.

    A week is kept when it has as many completed calls as its phase asks for. One call every
    14 days is asked of two weeks together, counted in pairs from the phase's first week, as
    the plan counts; both weeks of a pair are kept or not.
    """
    for phase in course.protocol.phases:
        for week in range(phase.first_week, phase.last_week + 1):
            last_on = course.last_day(week)
            if last_on in period and course.is_over(week, today=today):
                is_kept = _is_kept(course, phase, week, completed, today=today)
                yield Week(week, last_on, is_kept, phase.code, len(phase.choices) > 1)


def _is_kept(
    course: Course,
    phase: Phase,
    week: int,
    completed: Mapping[int, int],
    *,
    today: date,
) -> bool | None:
    calls, length = minimum_calls_in_week(phase, _choice(course, phase.code, week))
    first = week - (week - phase.first_week) % length
    last = min(first + length - 1, phase.last_week)
    if not course.is_over(last, today=today):
        return None
    return sum(completed.get(each, 0) for each in range(first, last + 1)) >= calls


def _choice(course: Course, phase: str, week: int) -> int | None:
    """Return the newest choice made before ``week`` began."""
    begins = course.starts_on + (week - 1) * WEEK
    made = [value for day, code, value in course.choices if code == phase and day < begins]
    return made[-1] if made else None
