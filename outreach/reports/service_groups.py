"""What stands around the calls, by clinic, region, caller, phase, week, and who patients are.

Sums of the facts behind each figure (``service``), so groups add up to it, and the list behind a
group's figure is its facts by patient.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.reports import belonging, breakdown, concerns_met, places
from outreach.reports.asked import Asked
from outreach.reports.breakdown import Dimension, NoSuchGroup
from outreach.reports.concerns_met import Met
from outreach.reports.facts import Fact
from outreach.reports.rules.suppression import hidden
from outreach.reports.service import Service, ServiceFigure, ServiceMeasure, service

Figures = Mapping[ServiceMeasure, ServiceFigure]
Facts = Mapping[ServiceMeasure, list[Fact]]


@dataclass(frozen=True)
class ServiceLine:
    """One group. ``key`` is what addresses carry; "" is for what belongs nowhere.

    ``few``: measures behind which there are so few of its patients that they are not told.
    ``minutes``: the median until a concern was taken on; ``tells_minutes``: whether it is told.
    """

    key: str
    name: str
    figures: Figures
    is_hidden: bool = False
    few: frozenset[ServiceMeasure] = frozenset()
    minutes: float | None = None
    tells_minutes: bool = True

    def tells(self, measure: ServiceMeasure) -> bool:
        """Say whether a measure of this group may be shown."""
        return not self.is_hidden and measure not in self.few


def to_group(session: Session, asked: Asked, dimension: Dimension) -> Service:
    """Return every figure, counted as finely as groups of ``dimension`` need it."""
    return service(session, asked, by_day=not dimension.groups_patients)


def lines_of(
    session: Session,
    clinics: Sequence[Clinic],
    found: Service,
    asked: Asked,
    dimension: Dimension,
) -> list[ServiceLine]:
    """Return the groups of ``found``, or what is found at each of ``clinics`` or their regions.

    ``found``: as :func:`to_group` returned it.
    """
    if dimension.is_over_clinics:
        return _of_places(session, clinics, asked, dimension)
    return _of_one_clinic(session, found, asked, dimension)


def shown(
    session: Session,
    found: Service,
    asked: Asked,
    measure: ServiceMeasure,
    group: tuple[Dimension, str],
) -> ServiceLine:
    """Return one group of which the list behind a figure may be shown.

    Raises:
        NoSuchGroup: it is none, its figure is hidden, or it is a clinic or a region: each clinic
            has a report of its own.
    """
    dimension, key = group
    if not dimension.is_over_clinics:
        for line in _of_one_clinic(session, found, asked, dimension):
            if line.key == key and line.tells(measure):
                return line
    raise NoSuchGroup("There is no such group.")


def _of_one_clinic(
    session: Session, found: Service, asked: Asked, dimension: Dimension
) -> list[ServiceLine]:
    group_of = _group_of(session, asked, dimension)
    facts: defaultdict[str, dict[ServiceMeasure, list[Fact]]] = defaultdict(
        lambda: {measure: [] for measure in ServiceMeasure}
    )
    for measure, figure in found.figures.items():
        for fact in figure.facts:
            facts[group_of(fact)][measure].append(fact)
    waited = _waited(asked, found, group_of, facts)
    kept: frozenset[str] = frozenset()
    few: Mapping[ServiceMeasure, frozenset[str]] = {}
    untimed: frozenset[str] = frozenset()
    if dimension.is_about_patients:
        untimed = hidden({key: _people(waited[key]) for key in facts})
        kept = hidden({key: _people(*of_it.values()) for key, of_it in facts.items()})
        few = {
            measure: hidden({key: _people(of_it[measure]) for key, of_it in facts.items()})
            for measure in ServiceMeasure
        }
    names = breakdown.names(session, dimension, facts)
    return [
        ServiceLine(
            key,
            names.get(key, ""),
            _figures(facts[key]),
            key in kept,
            frozenset(measure for measure, keys in few.items() if key in keys),
            _median(found.concerns, waited[key]),
            key not in untimed | kept,
        )
        for key in breakdown.in_order(facts, names)
    ]


def _waited(
    asked: Asked, found: Service, group_of: Callable[[Fact], str], groups: Iterable[str]
) -> Mapping[str, list[Fact]]:
    """Return by group the concerns that were taken on."""
    waited: dict[str, list[Fact]] = {key: [] for key in groups}
    for fact in concerns_met.taken_on_facts(asked, found.concerns):
        waited[group_of(fact)].append(fact)
    return waited


def _median(concerns: Iterable[Met], some: Iterable[Fact]) -> float | None:
    """Return the median of those of ``concerns`` that are ``some``."""
    ids = {fact.row_id for fact in some}
    return concerns_met.median_minutes([each for each in concerns if each.id in ids])


def _group_of(session: Session, asked: Asked, dimension: Dimension) -> Callable[[Fact], str]:
    """Return what says which group a fact belongs to."""
    if not dimension.is_about_patients:
        return belonging.group_of(session, asked, dimension)
    groups = breakdown.patient_groups(
        session, asked, dimension, on=asked.period.until_on, then=asked.past
    )
    return lambda fact: groups.get(fact.patient_id, "")


def _people(*facts: Iterable[Fact]) -> int:
    return len({fact.patient_id for some in facts for fact in some})


def _of_places(
    session: Session, clinics: Sequence[Clinic], asked: Asked, dimension: Dimension
) -> list[ServiceLine]:
    lines = []
    for place in places.of(session, clinics, by_region=dimension is Dimension.REGION):
        facts: dict[ServiceMeasure, list[Fact]] = {measure: [] for measure in ServiceMeasure}
        concerns: list[Met] = []
        for clinic in place.clinics:
            there = service(session, asked.at(clinic))
            concerns += there.concerns
            for measure, figure in there.figures.items():
                facts[measure] += figure.facts
        minutes = concerns_met.median_minutes(concerns)
        lines.append(ServiceLine(place.key, place.name, _figures(facts), minutes=minutes))
    return lines


def _figures(facts: Facts) -> Figures:
    return {measure: ServiceFigure(measure, some) for measure, some in facts.items()}
