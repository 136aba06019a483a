"""The monthly question, and what may be told of the answers. Pure. Source: domain.md B2.

The non-proprietary single item of the Physician Work Life Study on burnout by one's own
definition, tested among 5,404 staff with and without a clinical role
(domain.md B2): five answers in order, from 1 to 5.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

ANSWERS = range(1, 6)
MONTHS_SHOWN = 12
# A month longer than what is shown, so that the last one is whole when it is.
MONTHS_KEPT = MONTHS_SHOWN + 1


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
