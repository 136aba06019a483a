"""A list and its address say the same."""

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from outreach.patient_list.rules import (
    NOBODY,
    Column,
    Filters,
    Numbers,
    Sort,
    Standing,
    Stratum,
    Wanted,
    columns_named,
    turned,
    wanted_of,
    without,
)

PERCENT = st.none() | st.decimals(3, 20, places=1)
DAYS = st.none() | st.dates(date(2000, 1, 1), date(2100, 1, 1))
YES = st.none() | st.just(True)
FILTERS = st.builds(
    Filters,
    clinic=st.none() | st.just("NORTH"),
    caller=st.none() | st.sampled_from([NOBODY, "12"]),
    standing=st.none() | st.sampled_from(Standing),
    phase=st.none() | st.just("week_1"),
    language=st.none() | st.just("pt-BR"),
    hba1c_over=PERCENT,
    hba1c_under=PERCENT,
    phq9=st.none() | st.sampled_from(Stratum),
    silent_days=st.none() | st.integers(1, 3650),
    due=YES,
    concern=YES,
    number=st.none() | st.sampled_from(Numbers),
    stopped=YES,
    enrolled_from=DAYS,
    enrolled_until=DAYS,
)
LISTS = st.builds(
    Wanted,
    filters=FILTERS,
    sort=st.sampled_from(Sort),
    is_backwards=st.booleans(),
    columns=st.sets(st.sampled_from(Column)).map(lambda some: columns_named(map(str, some))),
)


@given(LISTS)
def test_an_address_leads_back_to_its_list(wanted: Wanted) -> None:
    params = wanted.as_params()

    assert wanted_of(params) == wanted
    assert set(wanted.filters.chosen) <= set(params)


@given(LISTS, st.sampled_from(Sort))
def test_sorting_twice_turns_the_list_and_thrice_turns_it_back(wanted: Wanted, sort: Sort) -> None:
    once = turned(wanted, sort)
    twice = turned(once, sort)

    assert once.filters == twice.filters == wanted.filters
    assert once.is_backwards != twice.is_backwards
    assert turned(twice, sort) == once


def test_a_usual_list_has_a_bare_address() -> None:
    assert Wanted().as_params() == {}
    assert wanted_of({}) == Wanted()
    three = Filters(hba1c_over=Decimal("9.0"), silent_days=30)
    assert Wanted(three).as_params() == {"hba1c_over": "9", "silent_days": "30"}
    assert without({"a": "1", "b": "2"}, "a") == {"b": "2"}


def test_bands_of_phq9_hold_every_total_once() -> None:
    totals = [
        total
        for stratum in Stratum
        if stratum.bounds
        for total in range(stratum.bounds[0], stratum.bounds[1] + 1)
    ]

    assert totals == list(range(28))
