"""What is urgent on a page that isn't saved: by the ladder, whatever the page still asks for.

Source: domain.md C2. Level 3 and danger signs, below 54, 400 and more or HI, and what else the
ladder wants a nurse to hear of now. Why so: docs/decisions/0017.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from outreach.concerns.at_once import Urgent
from outreach.concerns.rules import FRESH, ConcernKind, Urgency
from outreach.measures import readings
from outreach.measures.readings import ReportedReading
from outreach.measures.rules import ReadingSource, Sign, units_meant
from outreach.patients.models import Patient
from outreach.results import entering
from outreach.results.entering import Judged

# Said without a value that counts, these are urgent by themselves.
_BY_ITSELF = {
    Sign.DANGER: Urgent(ConcernKind.SAFETY, "Danger signs."),
    Sign.HELP_NEEDED: Urgent(ConcernKind.GLUCOSE_LOW, "Needed help with a low blood sugar."),
}


@dataclass(frozen=True)
class Typed:
    """What stands on a page: values, what was said with them, and of when that is.

    ``is_confirmed``: an unusual value was read back. ``instead_of_id``: the reading that they
    stand in place of, which is no earlier one.
    """

    readings: Sequence[ReportedReading]
    signs: frozenset[Sign]
    signs_at: datetime
    is_confirmed: bool
    instead_of_id: int | None = None


def found_in(session: Session, patient: Patient, typed: Typed, *, now: datetime) -> list[Urgent]:
    """Return what a nurse must hear of now."""
    found, carried = [], frozenset[Sign]()
    for each in typed.readings:
        ways = _ways(each, is_confirmed=typed.is_confirmed)
        judged = [_judged(session, patient, way, typed.instead_of_id, now=now) for way in ways]
        urgent = [each for each in judged if each and each.trigger.urgency is Urgency.NOW]
        if urgent and len(urgent) == len(ways):
            words = " or ".join(each.words for each in urgent)
            found.append(Urgent(urgent[0].trigger.kind, words))
        carried |= each.signs if ways else frozenset()
    bare = typed.signs - carried
    if Sign.DANGER in bare:
        found.append(_BY_ITSELF[Sign.DANGER])
    if Sign.HELP_NEEDED in bare and now - typed.signs_at <= FRESH:
        found.append(_BY_ITSELF[Sign.HELP_NEEDED])
    return found


def _ways(reading: ReportedReading, *, is_confirmed: bool) -> list[ReportedReading]:
    """Return what a value may mean: itself, itself in the other unit, or nothing at all."""
    if reading.bound is not None:
        return [reading]
    units = units_meant(reading.kind, reading.value, reading.unit, is_confirmed=is_confirmed)
    return [replace(reading, unit=unit) for unit in units]


def _judged(
    session: Session,
    patient: Patient,
    reported: ReportedReading,
    instead_of_id: int | None,
    *,
    now: datetime,
) -> Judged | None:
    reading = readings.made(
        patient, reported, source=ReadingSource.CALL, attempt_id=None, by_staff_id=None, now=now
    )
    reading.supersedes_id = instead_of_id
    return entering.judge(session, reading, now=now)
