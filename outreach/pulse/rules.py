"""The monthly question, what may be told of the answers, and who hears a request for support.

Pure. Source: domain.md B2.

The non-proprietary single item of the Physician Work Life Study on burnout by one's own
definition, tested among 5,404 staff with and without a clinical role
(domain.md B2): five answers in order, from 1 to 5.
"""

import enum
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

ANSWERS = range(1, 6)
MONTHS_SHOWN = 12
# A month longer than what is shown, so that the last one is whole when it is.
MONTHS_KEPT = MONTHS_SHOWN + 1


@dataclass(frozen=True)
class Telling:
    """``least``: so many must answer for a month to be told of; from ``burnout_from`` it counts."""

    least: int = 5
    burnout_from: int = 3


def quarter_of(day: date) -> date:
    """Return the first day of the quarter of ``day``."""
    return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)


@dataclass(frozen=True)
class Group:
    """The callers of one clinic in one month that is over.

    ``asked``: who called for the clinic in it. ``answered`` and ``burnt_out`` are None where
    fewer answered than may be told of; ``burnt_out`` alone where it is all of them or all but
    one, since the figure would tell what each of them answered.
    """

    month: date
    asked: int
    answered: int | None
    burnt_out: int | None


def month_of(day: date) -> date:
    """Return the first day of the month of ``day``."""
    return day.replace(day=1)


def months_before(month: date, count: int) -> Sequence[date]:
    """Return the ``count`` months before ``month``, the latest first."""
    found = [month]
    for _each in range(count):
        found.append(month_of(found[-1] - timedelta(days=1)))
    return found[1:]


def group_of(
    month: date, asked: int, answers: Collection[int], *, least: int, burnout_from: int
) -> Group:
    """Return what may be told of ``answers``: nothing, not even how many, below ``least``."""
    if len(answers) < least:
        return Group(month, asked, None, None)
    burnt_out = sum(each >= burnout_from for each in answers)
    is_nearly_all = burnt_out >= len(answers) - 1
    return Group(month, asked, len(answers), None if is_nearly_all else burnt_out)


class Acts(enum.StrEnum):
    """As what somebody hears that a caller wants to talk."""

    MANAGER = "manager"
    LEAD = "lead"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True)
class House:
    """Who could listen at one clinic. The lead is a nurse or manager of it, or there is none."""

    manager_ids: frozenset[int]
    lead_id: int | None


def listeners(asker_id: int, house: House, administrators: Collection[int]) -> Mapping[int, Acts]:
    """Return who sees that a caller of a clinic wants to talk, and as what.

    Its managers; where there is none, the lead; where there is none either, the administrators.
    Nobody asks themselves.
    """
    lead = set() if house.lead_id is None else {house.lead_id}
    for some, acts_as in (
        (house.manager_ids, Acts.MANAGER),
        (lead, Acts.LEAD),
        (administrators, Acts.ADMINISTRATOR),
    ):
        others = set(some) - {asker_id}
        if others:
            return dict.fromkeys(sorted(others), acts_as)
    return {}
