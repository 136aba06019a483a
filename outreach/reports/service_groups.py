"""What stands around the calls, by clinic, region, and who patients are.

Sums of the rows behind each figure (``service``), so groups add up to it, and the list behind a
group's figure is its rows.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.reports import breakdown, places
from outreach.reports.asked import Asked
from outreach.reports.breakdown import Behind, Dimension, NoSuchGroup
from outreach.reports.rules.suppression import hidden
from outreach.reports.service import Service, ServiceFigure, ServiceMeasure, service

Figures = Mapping[ServiceMeasure, ServiceFigure]


@dataclass(frozen=True)
class ServiceLine:
    """One group. ``key`` is what addresses carry; "" is for what belongs nowhere.

    ``few``: measures behind which there are so few of its patients that they are not told.
    """

    key: str
    name: str
    figures: Figures
    is_hidden: bool = False
    few: frozenset[ServiceMeasure] = frozenset()

    def tells(self, measure: ServiceMeasure) -> bool:
        """Say whether a measure of this group may be shown."""
        return not self.is_hidden and measure not in self.few


def lines_of(
    session: Session,
    clinics: Sequence[Clinic],
    found: Service,
    asked: Asked,
    dimension: Dimension,
) -> list[ServiceLine]:
    """Return the groups of ``found``, or what is found at each of ``clinics`` or their regions.

    Raises:
        NoSuchGroup: patients are not grouped by ``dimension``.
    """
    if dimension.is_over_clinics:
        return _of_places(session, clinics, asked, dimension)
    return _of_people(session, found, asked, dimension)


def behind(
    session: Session,
    found: Service,
    asked: Asked,
    measure: ServiceMeasure,
    group: tuple[Dimension, str],
) -> Sequence[Behind]:
    """Return what each patient of a group adds to a figure.

    Raises:
        NoSuchGroup: it is none, its figure is hidden, or it is a clinic or a region: each clinic
            has a report of its own.
    """
    dimension, key = group
    for line in _of_people(session, found, asked, dimension):
        if line.key == key and line.tells(measure):
            return line.figures[measure].rows
    raise NoSuchGroup("There is no such group.")


def _of_people(
    session: Session, found: Service, asked: Asked, dimension: Dimension
) -> list[ServiceLine]:
    if not dimension.is_about_patients:
        raise NoSuchGroup("There are no such groups.")
    groups = breakdown.patient_groups(
        session, asked, dimension, on=asked.period.until_on, then=asked.past
    )
    rows: defaultdict[str, dict[ServiceMeasure, list[Behind]]] = defaultdict(
        lambda: {measure: [] for measure in ServiceMeasure}
    )
    for measure, figure in found.figures.items():
        for row in figure.rows:
            rows[groups.get(row.patient_id, "")][measure].append(row)
    people = {
        key: len({row.patient_id for some in by_measure.values() for row in some})
        for key, by_measure in rows.items()
    }
    kept = hidden(people)
    few = {
        measure: hidden({key: len(by_measure[measure]) for key, by_measure in rows.items()})
        for measure in ServiceMeasure
    }
    return [
        ServiceLine(
            key,
            "",
            _figures(rows[key]),
            key in kept,
            frozenset(measure for measure, keys in few.items() if key in keys),
        )
        for key in breakdown.in_order(session, dimension, rows)
    ]


def _of_places(
    session: Session, clinics: Sequence[Clinic], asked: Asked, dimension: Dimension
) -> list[ServiceLine]:
    lines = []
    for place in places.of(session, clinics, by_region=dimension is Dimension.REGION):
        rows: dict[ServiceMeasure, list[Behind]] = {measure: [] for measure in ServiceMeasure}
        for clinic in place.clinics:
            for measure, figure in service(session, asked.at(clinic)).figures.items():
                rows[measure] += figure.rows
        lines.append(ServiceLine(place.key, place.name, _figures(rows)))
    return lines


def _figures(rows: Mapping[ServiceMeasure, Sequence[Behind]]) -> Figures:
    return {measure: ServiceFigure(measure, some) for measure, some in rows.items()}
