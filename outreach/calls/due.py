"""What is due to be measured now, and what of it is still missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from outreach.clock import local_day
from outreach.measures.models import Reading
from outreach.planning.courses import Standing
from outreach.programmes.rules import MeasurePoint
from outreach.questionnaires.asking import KINDS

# A questionnaire's total stands among the readings; so it is asked by its own page.
INSTRUMENT_OF = {kind.value: instrument.value for instrument, kind in KINDS.items()}


@dataclass(frozen=True)
class Due:
    """A measurement point whose window is open. ``missing`` and ``done`` are codes."""

    point: MeasurePoint
    until_on: date
    missing: tuple[str, ...]
    done: tuple[str, ...]


def due_of(session: Session, standing: Standing, *, now: datetime) -> Sequence[Due]:
    """Return the points of the programme that lie open on the patient's today.

    A reading counts where its body was measured within the window, both days included.
    """
    course, today = standing.course, local_day(now, standing.zone)
    starts_on = course.starts_on
    points = course.protocol.points_on(today, starts_on)
    if not points:
        return ()
    since = min(starts_on + timedelta(days=each.from_day) for each in points)
    taken = _taken_since(session, standing, since)
    found = []
    for point in points:
        first, last = point.days(starts_on)
        done = {code for code, on in taken if first <= on <= last}
        found.append(
            Due(
                point,
                last,
                tuple(code for code in point.measures if code not in done),
                tuple(code for code in point.measures if code in done),
            )
        )
    return found


def _taken_since(session: Session, standing: Standing, since: date) -> list[tuple[str, date]]:
    """Return (code, the patient's day) of readings that nothing supersedes."""
    newer = aliased(Reading)
    begins = datetime.combine(since, time(), tzinfo=standing.zone).astimezone(UTC)
    rows = session.execute(
        select(Reading.kind, Reading.taken_at).where(
            Reading.patient_id == standing.patient_id,
            Reading.taken_at >= begins,
            ~select(newer.id).where(newer.supersedes_id == Reading.id).exists(),
        )
    )
    return [(kind.value, local_day(at, standing.zone)) for kind, at in rows]
