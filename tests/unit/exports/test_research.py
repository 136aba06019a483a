"""De-identified: the same person always alike, nobody in a small cell, nothing else told."""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.exports.rules.research import (
    FARTHEST_SHIFT,
    HIDDEN,
    HIDDEN_ALL,
    MOST_WITHHELD,
    SMALLEST_CELL,
    Person,
    band,
    coarsen,
    other_name,
    shift_of,
    shifted,
    told_age,
    told_statuses,
    visible_bounds,
    withheld,
)

KEYS = st.binary(min_size=8, max_size=32)
PEOPLE = st.lists(
    st.builds(
        Person,
        site=st.sampled_from(["site 1", "site 2"]),
        age=st.integers(18, 104),
        sex=st.sampled_from(["female", "male", "other"]),
        language=st.sampled_from(["en", "es", "vi", "ht"]),
    ),
    max_size=400,
)


@given(KEYS, st.integers(1, 10**9), st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_days_move_by_the_same_number_of_days_and_never_by_none(
    key: bytes, patient_id: int, day: date
) -> None:
    shift = shift_of(key, patient_id)
    moved = shifted(day, shift)

    assert shift == shift_of(key, patient_id)
    assert timedelta(0) < abs(shift) <= timedelta(days=FARTHEST_SHIFT)
    assert moved is not None
    assert moved - day == shift
    assert shifted(None, shift) is None


def test_another_key_or_patient_gives_other_names_and_shifts() -> None:
    names = {other_name(key, number) for key in (b"a", b"b") for number in range(500)}
    shifts = Counter(shift_of(b"a", number).days for number in range(5000))

    assert len(names) == 1000
    assert len(shifts) == 2 * FARTHEST_SHIFT
    assert min(shifts) == -FARTHEST_SHIFT
    assert max(shifts) == FARTHEST_SHIFT


@pytest.mark.parametrize(
    ("age", "told", "ten"),
    [(18, "18", "10-19"), (80, "80", "80-89"), (89, "89", "80-89"), (90, "90+", "90+"),
     (112, "90+", "90+")],
)  # fmt: skip
def test_ages_from_90_on_are_one(age: int, told: str, ten: str) -> None:
    assert told_age(age) == told
    assert band(age, 10) == ten


@given(PEOPLE)
def test_nobody_stands_in_a_small_cell(people: list[Person]) -> None:
    found = coarsen(people)

    if len(people) < SMALLEST_CELL:
        assert found is None
        return
    assert found is not None
    assert len(found.told) == len(people)
    assert min(Counter(found.told).values()) >= SMALLEST_CELL


@given(PEOPLE)
def test_what_is_told_is_true(people: list[Person]) -> None:
    found = coarsen(people)
    for person, told in zip(people, found.told if found else (), strict=False):
        site, _age, sex, language = told
        assert site in {person.site, HIDDEN}
        assert sex in {person.sex, HIDDEN}
        assert language in {person.language, "other", HIDDEN}


def test_as_little_is_taken_away_as_needed() -> None:
    many = [Person("site 1", 45, "female", "en")] * 300
    many_told = ("site 1", "40-49", "female", "en")
    few = [Person("site 2", 81, "male", "ht")] * 12
    one = [Person("site 2", 81, "male", "vi")]

    fine = coarsen([*many, *few])
    together = coarsen([*many, *few, *one])

    assert fine is not None
    assert fine.told[-1] == ("site 2", "80-89", "male", "ht")
    assert together is not None
    assert together.smallest == {"site, ages by 10 years, sex, language": 1}
    assert together.hidden == 13
    assert together.told[0] == many_told
    assert set(together.told[300:]) == {HIDDEN_ALL}


def test_where_hiding_would_take_too_many_all_are_told_less_of() -> None:
    people = [Person("site 1", 45, "female", "en")] * 50 + [
        Person("site 1", 45, "female", language) for language in ("ht", "vi") for _each in range(9)
    ]

    found = coarsen(people)

    assert found is not None
    assert found.hidden == 0
    assert found.told[0] == ("site 1", "40-49", "female", "en")
    assert set(found.told[50:]) == {("site 1", "40-49", "female", "other")}
    assert found.smallest == {
        "site, ages by 10 years, sex, language": 9,
        "rare languages together": 18,
    }


def test_a_few_young_people_do_not_cost_everybody_their_age_and_sex() -> None:
    sizes = {("male", 33): 5, ("female", 33): 14, ("male", 50): 40, ("female", 50): 60}
    sizes |= {("male", 70): 20, ("female", 70): 21}
    people = [
        Person(f"site {number % 4}", age, sex, "en" if number % 3 else "es")
        for (sex, age), size in sizes.items()
        for number in range(size)
    ]

    found = coarsen(people)

    assert found is not None
    assert found.step == "two bands of age, and sex"
    assert found.hidden == 0
    assert Counter(found.told) == {
        (HIDDEN, "under 65", "male", HIDDEN): 45,
        (HIDDEN, "under 65", "female", HIDDEN): 74,
        (HIDDEN, "65+", "male", HIDDEN): 20,
        (HIDDEN, "65+", "female", HIDDEN): 21,
    }


def test_sex_alone_is_told_where_ages_cannot_be() -> None:
    people = [Person("site 1", 50, sex, "en") for sex in ("male", "female") for _each in range(20)]
    people += [Person("site 1", 70, "male", "en")] * 5

    found = coarsen(people)

    assert found is not None
    assert found.step == "sex alone"
    assert set(found.told) == {(HIDDEN, HIDDEN, sex, HIDDEN) for sex in ("male", "female")}


def test_those_in_small_cells_hide_among_each_other() -> None:
    crowd = [Person("site 1", 45, "female", "en")] * 600
    rare = [Person("site 1", 20 + 10 * n, "male", "en") for n in range(7)] * 3

    found = coarsen([*crowd, *rare])

    assert found is not None
    assert found.hidden == 21
    assert found.told[0] == ("site 1", "40-49", "female", "en")
    assert set(found.told[600:]) == {(HIDDEN,) * 4}


@given(KEYS, st.integers(1, 10**9))
def test_the_last_days_are_left_out_by_another_number_for_each(key: bytes, who: int) -> None:
    assert timedelta(1) <= withheld(key, who) <= timedelta(MOST_WITHHELD)
    assert len({withheld(key, who + each) for each in range(200)}) > MOST_WITHHELD / 2


@given(st.lists(st.sampled_from(["active", "completed", "died", "withdrawn"]), max_size=120))
def test_no_status_is_told_of_few(statuses: list[str]) -> None:
    told = told_statuses(statuses)
    assert all(count >= SMALLEST_CELL for each, count in Counter(told).items() if each != HIDDEN)
    hidden = Counter(told)[HIDDEN]
    assert hidden == 0 or hidden >= SMALLEST_CELL or hidden == len(statuses)
    assert all(each in (status, HIDDEN) for each, status in zip(told, statuses, strict=True))


@given(st.lists(st.tuples(st.integers(80, 450), st.integers(0, 90)), max_size=60))
def test_whoever_is_seen_from_afar_stands_among_others(bodies: list[tuple[int, int]]) -> None:
    values = [(Decimal(low), Decimal(low + more)) for low, more in bodies]
    bounds = visible_bounds(values)
    if bounds is None:
        return
    low, high = bounds
    assert sum(least <= low for least, _most in values) >= SMALLEST_CELL
    assert sum(most >= high for _least, most in values) >= SMALLEST_CELL


def test_of_few_bodies_nothing_is_told() -> None:
    some = [(Decimal(100 + each), Decimal(101 + each)) for each in range(2 * SMALLEST_CELL - 1)]
    assert visible_bounds(some) is None
    assert visible_bounds([*some, (Decimal(500), Decimal(500))]) == (Decimal(110), Decimal(112))
