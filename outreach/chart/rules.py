"""What a patient's page decides by itself. Pure."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from outreach.patients.rules import ConsentSource
from outreach.programmes.rules import OPEN_STATUSES, EnrolmentStatus

DAYS_A_WEEK = 7


class Show(enum.StrEnum):
    """Which patients the register lists."""

    ALL = "all"
    WAITING = "waiting"
    ACTIVE = "active"
    FINISHED = "finished"


class Texts(enum.StrEnum):
    """Whether one number may be texted."""

    YES = "yes"
    NO = "no"
    STOPPED = "stopped"


@dataclass(frozen=True)
class ConsentFact:
    """One event of the consent ledger, as far as it matters here."""

    number: str
    is_given: bool
    source: ConsentSource
    at: datetime


def texts_to(number: str, ledger: Sequence[ConsentFact]) -> tuple[Texts, datetime | None]:
    """Return whether ``number`` may be texted, and since when that holds.

    ``ledger`` is every event, newest first; the newest of the number counts.
    """
    of_number = [fact for fact in ledger if fact.number == number]
    if not of_number:
        return Texts.NO, None
    newest = of_number[0]
    if newest.is_given:
        return Texts.YES, newest.at
    is_stop = newest.source in {ConsentSource.CARRIER, ConsentSource.SMS}
    return (Texts.STOPPED if is_stop else Texts.NO), newest.at


def programme_week(day: date, starts_on: date) -> int | None:
    """Return the week of the programme that ``day`` lies in, from 1; None before it."""
    return (day - starts_on).days // DAYS_A_WEEK + 1 if day >= starts_on else None


# What was entered by mistake can be undone; the end of the programme can't.
_NEXT: dict[EnrolmentStatus, tuple[EnrolmentStatus, ...]] = {
    EnrolmentStatus.ACTIVE: (
        EnrolmentStatus.PAUSED,
        EnrolmentStatus.WITHDRAWN,
        EnrolmentStatus.DIED,
    ),
    EnrolmentStatus.PAUSED: (
        EnrolmentStatus.ACTIVE,
        EnrolmentStatus.PAUSED,  # until another day
        EnrolmentStatus.WITHDRAWN,
        EnrolmentStatus.DIED,
    ),
    EnrolmentStatus.UNREACHABLE: (
        EnrolmentStatus.ACTIVE,
        EnrolmentStatus.WITHDRAWN,
        EnrolmentStatus.DIED,
    ),
    EnrolmentStatus.WITHDRAWN: (EnrolmentStatus.ACTIVE, EnrolmentStatus.DIED),
    EnrolmentStatus.DIED: (EnrolmentStatus.ACTIVE,),
    EnrolmentStatus.COMPLETED: (),
}


def next_statuses(
    status: EnrolmentStatus, *, is_pause_to_come: bool = False
) -> tuple[EnrolmentStatus, ...]:
    """Return what an enrolment that stands at ``status`` may be moved to by hand.

    A pause that is to come can be called off: ACTIVE goes on as ACTIVE.
    """
    if is_pause_to_come and status is EnrolmentStatus.ACTIVE:
        return (EnrolmentStatus.ACTIVE, *_NEXT[status])
    return _NEXT[status]


def may_enrol(latest: EnrolmentStatus | None) -> bool:
    """Say whether a patient whose latest enrolment stands at ``latest`` may be enrolled."""
    return latest is None or latest not in (*OPEN_STATUSES, EnrolmentStatus.DIED)
