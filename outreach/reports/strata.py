"""Outcomes by kinds of people: page, list and file have the same groups, and hide the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.reports import breakdown, outcomes
from outreach.reports.asked import Here
from outreach.reports.breakdown import Dimension, NoSuchGroup
from outreach.reports.rules.outcomes import (
    Group,
    Outcome,
    OutcomeMeasure,
    Point,
    by_stratum,
    grouped,
    outcome_of,
)
from outreach.reports.rules.rounding import OfAGroup, step_of
from outreach.reports.rules.suppression import hidden

# What is said of part of a group: how many of those who could respond did, and where those began
# who are missing at follow-up.
PARTLY = (Group.MAY_RESPOND, Group.MISSING)


@dataclass(frozen=True)
class Strata:
    """One outcome of each kind of people; ``hidden`` are of so few that they could be known.

    Means are rounded, so that two days tell nobody's value (``rules/rounding.py``).
    ``few``: of which groups a figure is hidden that is about part of them, by which part.
    """

    outcomes: Mapping[str, Outcome]
    hidden: frozenset[str]
    few: Mapping[Group, frozenset[str]]

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
) -> Strata:
    """Return what became of each kind of people in one measure at one point.

    Raises:
        NoSuchGroup: ``dimension`` is not about patients; callers are never compared on outcomes.
    """
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
    eligible = hidden({key: len(outcome.followups) for key, outcome in found.items()})
    measured = hidden({key: outcome.count(Group.MEASURED) for key, outcome in found.items()})
    few = {
        part: hidden({key: outcome.count(part) for key, outcome in found.items()})
        for part in PARTLY
    }
    return Strata(found, eligible | measured, few)
