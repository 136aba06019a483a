"""Outcomes by kinds of people: page, list and file have the same groups, and hide the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.reports import breakdown, outcomes, places
from outreach.reports.asked import Here
from outreach.reports.breakdown import Dimension, NoSuchGroup
from outreach.reports.rules.outcomes import (
    FROM_5_ON,
    Group,
    Outcome,
    OutcomeMeasure,
    Point,
    Stratum,
    outcome_of,
    together,
)
from outreach.reports.rules.rounding import OfAGroup, step_of
from outreach.reports.rules.strata import by_stratum, grouped
from outreach.reports.rules.suppression import hidden

# What is said of part of a group: how many of those who could respond did, and where those began
# who are missing at follow-up.
PARTLY = (Group.MAY_RESPOND, Group.MISSING)


@dataclass(frozen=True)
class Strata:
    """One outcome of each kind of people; ``hidden`` are of so few that they could be known.

    Means are rounded, so that two days tell nobody's value (``rules/rounding.py``).
    ``few``: of which groups a figure is hidden that is about part of them, by which part.
    ``names``: of groups that are data, clinics and regions; of those nothing is hidden or
    rounded, as each clinic's own report tells it.
    """

    outcomes: Mapping[str, Outcome]
    hidden: frozenset[str] = frozenset()
    few: Mapping[Group, frozenset[str]] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    def tells(self, key: str, part: Group) -> bool:
        """Say whether figures about a part of a group may be shown."""
        return key not in self.hidden and key not in self.few.get(part, ())

    def shown(self, key: str) -> Outcome:
        """Return the outcome of one group; NoSuchGroup where it is none, or hidden."""
        if key not in self.outcomes or key in self.hidden:
            raise NoSuchGroup("There is no such group.")
        return self.outcomes[key]


def of(
    session: Session,
    here: Here,
    day: date,
    cohort: outcomes.Cohort,
    what: tuple[OutcomeMeasure, Point],
    dimension: Dimension,
    clinics: Sequence[Clinic] = (),
) -> Strata:
    """Return what became of each kind of people in one measure at one point.

    ``clinics``: those of which it may tell one by one, or by region.

    Raises:
        NoSuchGroup: ``dimension`` is about neither; callers are never compared on outcomes.
    """
    if dimension.is_over_clinics and clinics:
        return _by_place(session, here, day, clinics, what, dimension)
    if not dimension.is_about_patients:
        raise NoSuchGroup("There are no such groups.")
    if dimension is Dimension.PHQ9:
        people = by_stratum(cohort.patients)
    else:
        then = here.then(cohort.known_at)
        groups = breakdown.patient_groups(session, here, dimension, on=day, then=then)
        people = grouped(cohort.patients, groups)
    unit = session.get_one(Clinic, here.clinic_id).glucose_unit
    step = step_of(what[0], unit)
    found = {
        key: OfAGroup.of_outcome(outcome_of(some, *what, today=cohort.today), step)
        for key, some in people.items()
    }
    # Few eligible patients, or few whose values are shown.
    eligible = hidden({key: outcome.count(Group.ELIGIBLE) for key, outcome in found.items()})
    measured = hidden({key: outcome.count(Group.MEASURED) for key, outcome in found.items()})
    few = {
        part: hidden({key: outcome.count(part) for key, outcome in found.items()})
        for part in PARTLY
    }
    of_parts = Strata(found, eligible | measured, few)
    return _with_both(of_parts, step) if dimension is Dimension.PHQ9 else of_parts


def _with_both(strata: Strata, step: Decimal) -> Strata:
    """Return the strata of the PHQ-9 with those from 5 on together.

    Hidden where either of the two is: without the other, it would tell of the hidden one.
    """
    both = [Stratum.FROM_10.value, Stratum.FROM_5.value]
    first, second = (strata.outcomes[key] for key in both)
    from_5_on = OfAGroup.of_outcome(together([first, second], first.measure, first.point), step)

    def widened(keys: frozenset[str]) -> frozenset[str]:
        return keys | {FROM_5_ON} if keys.intersection(both) else keys

    return Strata(
        {**strata.outcomes, FROM_5_ON: from_5_on},
        widened(strata.hidden),
        {part: widened(keys) for part, keys in strata.few.items()},
    )


def _by_place(
    session: Session,
    here: Here,
    day: date,
    clinics: Sequence[Clinic],
    what: tuple[OutcomeMeasure, Point],
    dimension: Dimension,
) -> Strata:
    """Return one measure at one point by clinic or by region, in the units of the clinic here.

    Each clinic as its own report tells it, as of the end of the day there; where that has not
    come yet, as far as it went. A region is everybody of its clinics.
    """
    unit = session.get_one(Clinic, here.clinic_id).glucose_unit
    found: dict[str, Outcome] = {}
    names: dict[str, str] = {}
    for place in places.of(session, clinics, by_region=dimension is Dimension.REGION):
        names[place.key] = place.name
        there: list[Outcome] = []
        for clinic in place.clinics:
            cohort = outcomes.cohort(
                session,
                Here.of(here.scope, clinic, now=here.now),
                day,
                glucose_unit=unit,
                measures=[what[0]],
                with_talks=False,
            )
            there.append(outcome_of(cohort.patients, *what, today=cohort.today))
        found[place.key] = together(there, *what)
    return Strata(found, names=names)
