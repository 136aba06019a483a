"""With which dial patients are reached, by group: each call once, where it was due.

A call belongs to whoever had the patient as its due day ended, like all planned calls.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import starmap

from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.reports import adherence, breakdown, counted, places
from outreach.reports.adherence import DialTable
from outreach.reports.asked import Asked
from outreach.reports.breakdown import Behind, Dimension, NoSuchGroup
from outreach.reports.counted import Dialled
from outreach.reports.facts import Fact, together
from outreach.reports.rules.period import monday_of
from outreach.reports.rules.suppression import hidden
from outreach.reports.rules.tally import Cell


@dataclass(frozen=True)
class DialLine:
    """One group. ``key`` is what addresses carry; "" is for what belongs nowhere."""

    key: str
    name: str
    table: DialTable
    is_hidden: bool = False


def lines_of(
    session: Session, clinics: Sequence[Clinic], asked: Asked, dimension: Dimension
) -> list[DialLine]:
    """Return with which dial each group was reached, or each clinic or region."""
    if dimension.is_over_clinics:
        return _of_places(session, clinics, asked, dimension)
    return _lines(session, dimension, _grouped(session, asked, dimension))


def _lines(
    session: Session, dimension: Dimension, groups: Mapping[str, Sequence[Dialled]]
) -> list[DialLine]:
    kept: frozenset[str] = frozenset()
    if dimension.is_about_patients:
        kept = hidden({key: len({each.patient_id for each in of}) for key, of in groups.items()})
    named = breakdown.names(session, dimension, groups)
    return [
        DialLine(key, named.get(key, ""), _table(groups[key]), key in kept)
        for key in breakdown.in_order(groups, named)
    ]


def behind(
    session: Session, asked: Asked, dial: int, group: tuple[Dimension, str] | None
) -> tuple[list[Behind], str]:
    """Return who is behind the share reached by a dial, and the name of the group.

    Raises:
        NoSuchGroup: it is none, it is hidden, or it is a clinic or a region.
    """
    if group is None:
        return together(starmap(Fact, counted.people_by_dial(session, asked, dial))), ""
    dimension, key = group
    groups = {} if dimension.is_over_clinics else _grouped(session, asked, dimension)
    lines = _lines(session, dimension, groups)
    line = next((each for each in lines if each.key == key and not each.is_hidden), None)
    if line is None:
        raise NoSuchGroup("There is no such group.")
    facts = (
        Fact(each.patient_id, each.calls * (0 < each.dial <= dial), each.calls)
        for each in groups[key]
    )
    return together(facts), line.name


def _grouped(session: Session, asked: Asked, dimension: Dimension) -> dict[str, list[Dialled]]:
    key = breakdown.key_of(session, asked, dimension)
    found: defaultdict[str, list[Dialled]] = defaultdict(list)
    for each in counted.dialled(session, asked):
        cell = Cell(each.caller_id, each.patient_id, each.phase, monday_of(each.due_on))
        found[key(cell)].append(each)
    return dict(found)


def _table(found: Sequence[Dialled]) -> DialTable:
    by_dial: Counter[int] = Counter()
    for each in found:
        by_dial[each.dial] += each.calls
    return DialTable(by_dial.total(), {dial: by_dial[dial] for dial in sorted(by_dial) if dial})


def _of_places(
    session: Session, clinics: Sequence[Clinic], asked: Asked, dimension: Dimension
) -> list[DialLine]:
    lines = []
    for place in places.of(session, clinics, by_region=dimension is Dimension.REGION):
        calls, reached = 0, Counter[int]()
        for clinic in place.clinics:
            there = adherence.by_dial(session, asked.at(clinic))
            calls += there.calls
            reached.update(there.reached_at)
        lines.append(DialLine(place.key, place.name, DialTable(calls, dict(reached))))
    return lines
