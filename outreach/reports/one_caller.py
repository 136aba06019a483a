"""One caller beside everybody of the clinic: what they did, for a talk about how it goes.

Measures of what they do alone, never of how their patients' values change (domain.md E4).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from outreach.reports import adherence, load
from outreach.reports.adherence import WeekRate
from outreach.reports.asked import Asked
from outreach.reports.rules.load import Load
from outreach.reports.rules.tally import Measure, Tally

COMPARED = (
    Measure.COMPLETION,
    Measure.REACH_PER_DIAL,
    Measure.REACH_PER_PATIENT,
    Measure.PROTOCOL,
    Measure.CHOSEN,
    Measure.DIALS_PER_REACH,
    Measure.CALLS_MEAN,
    Measure.MINUTES_MEAN,
    Measure.FIRST_CALL,
    Measure.CONTINUITY,
)


@dataclass(frozen=True)
class OneCaller:
    """What is said of a caller. ``days``: on how many of them they dialled."""

    tally: Tally
    total: Tally
    load: Load
    days: int
    weeks: Sequence[WeekRate]

    @property
    def is_idle(self) -> bool:
        """Whether nothing of these days is theirs."""
        return not self.tally and self.load == Load()


def of(session: Session, asked: Asked, caller_id: int, series: Measure) -> OneCaller:
    """Return one caller's part of the adherence report, and a rate of theirs week by week.

    Raises:
        KeyError: ``series`` is none that is drawn by week.
    """
    report = adherence.report(session, asked)
    own = (line.tally for line in report.lines if line.caller_id == caller_id)
    loads = load.of_team(session, asked, report.dialled)
    return OneCaller(
        next(own, Tally()),
        report.total,
        loads.get(caller_id, Load()),
        report.days.get(caller_id, 0),
        adherence.by_week(session, asked, series, caller_id=caller_id),
    )
