"""The strata of the PHQ-9, and those from 5 on together, as the published trial had them."""

from datetime import date

import pytest
from sqlalchemy.orm import Session

from outreach.accounts.rules import Scope
from outreach.reports import outcomes, strata
from outreach.reports.asked import Here
from outreach.reports.breakdown import Dimension, NoSuchGroup
from outreach.reports.rules.outcomes import FROM_5_ON, Group, OutcomeMeasure, Point, Stratum
from tests.builders import make_clinic
from tests.fakes import MONDAY_10_CHICAGO as NOW
from tests.integration.reports.test_outcome_pages import followed

DAY = date(2026, 11, 20)
WHAT = (OutcomeMeasure.HBA1C, Point.MONTH_6)


def told(session: Session, **people: int) -> strata.Strata:
    """Return the strata of so many people by their PHQ-9: ``from_12=3``."""
    clinic = make_clinic(session)
    for name, count in people.items():
        for _ in range(count):
            followed(session, clinic, "9.8", None, "8.8", phq9=name.removeprefix("from_"))
    here = Here.of(Scope(0, everything=True, clinic_ids=frozenset()), clinic, now=NOW)
    found = outcomes.cohort(session, here, DAY)
    return strata.of(session, here, DAY, found, WHAT, Dimension.PHQ9)


def test_those_from_five_on_are_both_strata_together(session: Session) -> None:
    found = told(session, from_12=12, from_7=13, from_2=14)

    assert found.shown(FROM_5_ON).count(Group.MEASURED) == 25
    apart = [found.shown(each.value) for each in (Stratum.FROM_10, Stratum.FROM_5)]
    together = found.shown(FROM_5_ON)
    for group in Group:
        assert together.count(group) == sum(each.count(group) for each in apart)
    assert together.change
    assert together.change.mean == pytest.approx(-1)


@pytest.mark.parametrize("people", [{"from_12": 12, "from_7": 3}, {"from_12": 3, "from_7": 12}])
def test_together_they_do_not_tell_of_the_one_that_is_hidden(
    session: Session, people: dict[str, int]
) -> None:
    found = told(session, **people, from_2=14)

    assert FROM_5_ON in found.hidden
    with pytest.raises(NoSuchGroup):
        found.shown(FROM_5_ON)
    assert not found.tells(FROM_5_ON, Group.MISSING)
