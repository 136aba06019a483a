"""Means of groups tell nobody's value to who has two reports of neighbouring days."""

from datetime import date, timedelta
from decimal import Decimal
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.reports.rules.outcomes import (
    Followed,
    Group,
    Outcome,
    OutcomeMeasure,
    Point,
    Taken,
    outcome_of,
)
from outreach.reports.rules.rounding import MMOL, MMOL_STEP, OfAGroup, step_of
from outreach.reports.rules.suppression import FEWEST_SHOWN

DAY = date(2026, 3, 2)
HBA1C = st.decimals("4", "15", places=1, allow_nan=False)
# What a clinician would call a difference in one patient. Source: domain.md E4 and C2.
TELLING = {
    OutcomeMeasure.HBA1C: 0.5,
    OutcomeMeasure.PHQ9: 5,
    OutcomeMeasure.GAD7: 4,
    OutcomeMeasure.GLUCOSE: 20,
    OutcomeMeasure.GLUCOSE_FASTING: 20,
    OutcomeMeasure.SYSTOLIC: 10,
    OutcomeMeasure.DIASTOLIC: 5,
    OutcomeMeasure.WEIGHT: 5,
}


def outcome(pairs: list[tuple[Decimal, Decimal]]) -> Outcome:
    people = [
        Followed(
            n,
            DAY,
            {
                OutcomeMeasure.HBA1C: [
                    Taken(DAY, before), Taken(DAY + timedelta(days=182), after),
                ]
            },
        )
        for n, (before, after) in enumerate(pairs)
    ]  # fmt: skip
    today = DAY + timedelta(days=400)
    return outcome_of(people, OutcomeMeasure.HBA1C, Point.MONTH_6, today=today)


def of_group(pairs: list[tuple[Decimal, Decimal]]) -> OfAGroup:
    return OfAGroup.of_outcome(outcome(pairs), Decimal("0.1"))


@pytest.mark.parametrize("measure", OutcomeMeasure)
def test_two_days_leave_open_more_than_a_clinical_difference(measure: OutcomeMeasure) -> None:
    step = float(step_of(measure, "mg/dL"))

    assert (2 * FEWEST_SHOWN + 1) * step / 2 > TELLING[measure]


def test_glucose_in_the_other_unit_has_a_step_of_its_own() -> None:
    assert step_of(OutcomeMeasure.GLUCOSE, MMOL) == MMOL_STEP
    assert step_of(OutcomeMeasure.HBA1C, MMOL) == Decimal("0.1")


def test_the_twelfth_value_is_not_told_by_the_means_of_eleven_and_of_twelve() -> None:
    eleven = [(Decimal("9.8"), Decimal("7.4"))] * 10 + [(Decimal("9.9"), Decimal("7.5"))]
    exact, told = outcome(eleven), of_group(eleven)
    newcomers = [(Decimal("9.8"), Decimal(n) / 10) for n in range(70, 80)]

    means = {of_group([*eleven, each]).mean_after for each in newcomers}

    assert len({outcome([*eleven, each]).mean_after for each in newcomers}) == len(newcomers)
    assert means == {told.mean_after}
    assert exact.mean_after != told.mean_after


@given(st.lists(st.tuples(HBA1C, HBA1C), min_size=2, max_size=40))
def test_rounded_figures_lie_near_the_exact_ones(pairs: list[tuple[Decimal, Decimal]]) -> None:
    exact, told = outcome(pairs), of_group(pairs)

    assert exact.change
    assert exact.change.interval
    assert told.change
    assert told.change.interval
    near = pytest.approx
    assert told.mean_before(Group.MEASURED) == near(exact.mean_before(Group.MEASURED), abs=0.0501)
    assert told.mean_after == near(fmean(float(after) for _before, after in pairs), abs=0.0501)
    assert told.change.mean == near(exact.change.mean, abs=0.0501)
    assert told.change.sd == near(exact.change.sd, abs=0.0501)
    assert told.change.interval.low <= exact.change.interval.low + 1e-9
    assert told.change.interval.high >= exact.change.interval.high - 1e-9
    assert told.count(Group.MEASURED) == exact.count(Group.MEASURED)


@given(st.lists(st.tuples(HBA1C, HBA1C), min_size=1, max_size=40))
def test_every_figure_is_a_multiple_of_the_step(pairs: list[tuple[Decimal, Decimal]]) -> None:
    told = of_group(pairs)

    assert told.change
    found = [told.mean_before(Group.MEASURED), told.mean_after, told.change.mean]
    found += [told.change.median, told.change.sd]
    if told.change.interval:
        found += [told.change.interval.low, told.change.interval.high]
    assert all(each is None or each == round(each, 1) for each in found)
    assert told.decimals("mg/dL") == 1


def test_nobody_has_no_mean() -> None:
    told = of_group([])

    assert (told.change, told.mean_after, told.mean_before(Group.MEASURED)) == (None, None, None)
