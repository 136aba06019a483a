"""Windows, responders and the missing: what the outcomes page says of made-up patients."""

import random
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.measures.rules import MeasureKind, Place, shown_on
from outreach.reports.rules.glycaemic import (
    Glycaemic,
    GlycaemicGroup,
    GlycaemicStatus,
    age_on,
    counts,
)
from outreach.reports.rules.outcomes import (
    MEASURE_OF,
    Followed,
    Group,
    OutcomeMeasure,
    Point,
    Stratum,
    Taken,
    Talk,
    outcome_of,
)
from outreach.reports.rules.strata import by_stratum
from outreach.reports.rules.suppression import FEWEST_SHOWN, hidden

START = date(2026, 1, 5)
LONG_AFTER = date(2027, 1, 1)
HBA1C, PHQ9 = OutcomeMeasure.HBA1C, OutcomeMeasure.PHQ9


def patient(
    values: Mapping[int, str], measure: OutcomeMeasure = HBA1C, patient_id: int = 1
) -> Followed:
    """Somebody measured on some days after the first one."""
    taken = [Taken(START + timedelta(days=day), Decimal(value)) for day, value in values.items()]
    return Followed(patient_id, START, {measure: taken})


@pytest.mark.parametrize(
    ("day", "point"),
    [
        (-91, None), (-90, Point.BASELINE), (14, Point.BASELINE), (15, None),
        (59, None), (60, Point.MONTH_3), (120, Point.MONTH_3), (121, None),
        (149, None), (150, Point.MONTH_6), (210, Point.MONTH_6), (211, None),
    ],
)  # fmt: skip
def test_windows_hold_both_their_ends(day: int, point: Point | None) -> None:
    found = {each: patient({day: "9.0"}).at(HBA1C, each) for each in Point}

    assert [each for each, taken in found.items() if taken] == ([point] if point else [])


@pytest.mark.parametrize(
    ("values", "nearest"),
    [
        ({80: "8.0", 100: "9.0"}, "9.0"),  # 11 days before the target, 9 after it
        ({86: "8.0", 96: "9.0"}, "9.0"),  # as near: the later one
        ({96: "9.0", 86: "8.0"}, "9.0"),
        ({91: "7.5", 92: "9.0"}, "7.5"),
    ],
)
def test_the_value_nearest_to_the_target_counts(values: Mapping[int, str], nearest: str) -> None:
    found = patient(values).at(HBA1C, Point.MONTH_3)

    assert found is not None
    assert found.value == Decimal(nearest)


def test_of_two_on_one_day_the_last_one_counts() -> None:
    day = START + timedelta(days=91)
    twice = [Taken(day, Decimal("9.0")), Taken(day, Decimal("8.0"))]

    assert Followed(1, START, {HBA1C: twice}).at(HBA1C, Point.MONTH_3) == twice[1]


@pytest.mark.parametrize(("after_days", "is_eligible"), [(120, False), (121, True)])
def test_nobody_is_missing_whose_window_is_still_open(after_days: int, is_eligible: bool) -> None:  # noqa: FBT001
    today = START + timedelta(days=after_days)

    outcome = outcome_of([patient({0: "9.0", 91: "8.0"})], HBA1C, Point.MONTH_3, today=today)

    assert outcome.count(Group.ELIGIBLE) == is_eligible
    assert outcome.count(Group.WINDOW_OPEN) == (not is_eligible)


def test_exactly_half_a_point_is_a_response() -> None:
    people = [
        patient({0: "9.8", 91: "9.3"}),  # as floats, 9.8 - 9.3 is a little over 0.5
        patient({0: "8.1", 91: "7.6"}),  # and 8.1 - 7.6 a little under
        patient({0: "9.0", 91: "8.6"}),
    ]

    outcome = outcome_of(people, HBA1C, Point.MONTH_3, today=LONG_AFTER)

    assert outcome.responders is not None
    assert (outcome.responders.part, outcome.responders.whole) == (2, 3)


def test_levels_leave_their_bounds_out() -> None:
    people = [patient({0: "8.0", 91: "7.9"}), patient({0: "9.0", 91: "9.1"})]

    outcome = outcome_of(people, HBA1C, Point.MONTH_3, today=LONG_AFTER)

    counts_of = {group: outcome.count(group) for group in Group}
    assert (counts_of[Group.LOW_BEFORE], counts_of[Group.LOW_AFTER]) == (0, 1)
    assert (counts_of[Group.HIGH_BEFORE], counts_of[Group.HIGH_AFTER]) == (0, 1)


def test_a_phq9_responds_from_ten_and_by_half() -> None:
    people = [
        patient({0: "10", 91: "5"}, PHQ9),  # by half, and not below 5
        patient({0: "11", 91: "6"}, PHQ9),  # less than half
        patient({0: "20", 91: "4"}, PHQ9),
        patient({0: "9", 91: "0"}, PHQ9),  # began too low
        patient({0: "12"}, PHQ9),
    ]

    outcome = outcome_of(people, PHQ9, Point.MONTH_3, today=LONG_AFTER)

    assert outcome.count(Group.MAY_RESPOND) == 3
    assert outcome.count(Group.RESPONDED) == 2
    assert outcome.count(Group.REMITTED) == 1
    assert outcome.count(Group.MISSING) == 1


def test_those_from_five_on_are_told_beside_those_from_ten() -> None:
    people = [
        patient({0: "10", 91: "4"}, PHQ9),
        patient({0: "5", 91: "3"}, PHQ9),  # less than half
        patient({0: "6", 91: "6"}, PHQ9),
        patient({0: "4", 91: "0"}, PHQ9),
        patient({0: "7"}, PHQ9),
    ]

    outcome = outcome_of(people, PHQ9, Point.MONTH_3, today=LONG_AFTER)

    assert outcome.count(Group.FROM_5) == 3
    assert outcome.count(Group.RESPONDED_FROM_5) == 1
    assert outcome.count(Group.REMITTED_FROM_5) == 2
    change = outcome.change_in(Group.FROM_5)
    assert change is not None
    assert change.mean == pytest.approx(-8 / 3)
    of_hba1c = outcome_of([patient({0: "9", 91: "4"})], HBA1C, Point.MONTH_3, today=LONG_AFTER)
    assert of_hba1c.count(Group.FROM_5) == 0


def test_a_measure_without_a_rule_has_no_responders() -> None:
    weight = OutcomeMeasure.WEIGHT

    outcome = outcome_of(
        [patient({0: "90", 91: "80"}, weight)], weight, Point.MONTH_3, today=LONG_AFTER
    )

    assert outcome.responders is None


@pytest.mark.parametrize(
    ("values", "stratum"),
    [({0: "10"}, Stratum.FROM_10), ({0: "9"}, Stratum.FROM_5), ({0: "5"}, Stratum.FROM_5),
     ({0: "4"}, Stratum.BELOW_5), ({60: "20"}, Stratum.UNKNOWN)],
)  # fmt: skip
def test_strata_go_by_the_baseline(values: Mapping[int, str], stratum: Stratum) -> None:
    someone = patient(values, PHQ9)

    assert by_stratum([someone])[stratum.value] == [someone]


def test_a_dose_is_what_was_given_until_the_measurement() -> None:
    talks = [
        Talk(START + timedelta(days=day), minutes, is_completed=is_completed)
        for day, minutes, is_completed in (
            (-1, 50, True),
            (0, 10, True),
            (91, 7, False),
            (92, 9, True),
        )
    ]
    someone = Followed(1, START, patient({0: "9.0", 91: "8.0"}).taken, talks)

    (followup,) = outcome_of([someone], HBA1C, Point.MONTH_3, today=LONG_AFTER).of(Group.ELIGIBLE)

    assert followup.dose is not None
    assert (followup.dose.calls, followup.dose.minutes) == (1, 17)


days = st.integers(-120, 240)
readings = st.dictionaries(
    days, st.integers(50, 140).map(lambda n: str(Decimal(n) / 10)), max_size=6
)


@given(st.lists(readings, max_size=25), st.sampled_from([Point.MONTH_3, Point.MONTH_6]))
def test_an_outcome_equals_a_slow_recount(people: list[dict[int, str]], point: Point) -> None:
    """Every patient looked at by hand, with windows written out."""
    bounds = {Point.MONTH_3: (60, 91, 120), Point.MONTH_6: (150, 182, 210)}[point]
    pairs, missing, unbased = [], [], 0
    for values in people:
        near = sorted((d for d in values if -90 <= d <= 14), key=lambda d: (abs(d), -d))
        after = sorted(
            (d for d in values if bounds[0] <= d <= bounds[2]),
            key=lambda d: (abs(d - bounds[1]), -d),
        )
        if not near:
            unbased += 1
        elif not after:
            missing.append(Decimal(values[near[0]]))
        else:
            pairs.append((Decimal(values[near[0]]), Decimal(values[after[0]])))

    outcome = outcome_of([patient(each) for each in people], HBA1C, point, today=LONG_AFTER)

    assert outcome.count(Group.ELIGIBLE) == len(people)
    assert outcome.count(Group.WITHOUT_BASELINE) == unbased
    assert outcome.count(Group.MISSING) == len(missing)
    assert sorted(outcome.changes) == sorted(after - before for before, after in pairs)
    assert outcome.count(Group.RESPONDED) == sum(a <= b - Decimal("0.5") for b, a in pairs)
    assert outcome.count(Group.HIGH_AFTER) == sum(a > 9 for _b, a in pairs)
    assert outcome.count(Group.LOW_BEFORE) == sum(b < 8 for b, _a in pairs)
    if missing:
        assert outcome.mean_before(Group.MISSING) == pytest.approx(
            float(sum(missing)) / len(missing)
        )
    if pairs:
        assert outcome.change is not None
        assert outcome.change.median == pytest.approx(float(median([a - b for b, a in pairs])))


@given(st.lists(readings, max_size=25))
def test_groups_add_up(people: list[dict[int, str]]) -> None:
    outcome = outcome_of([patient(each) for each in people], HBA1C, Point.MONTH_6, today=LONG_AFTER)
    parts = (Group.MEASURED, Group.MISSING, Group.WITHOUT_BASELINE)

    assert sum(map(outcome.count, parts)) == outcome.count(Group.ELIGIBLE)
    assert outcome.count(Group.WITH_BASELINE) == sum(map(outcome.count, parts[:2]))


@pytest.mark.parametrize(
    ("born_on", "day", "age"),
    [(date(1951, 12, 31), date(2026, 12, 31), 75), (date(1951, 12, 31), date(2026, 12, 30), 74),
     (date(2008, 2, 29), date(2026, 2, 28), 17), (date(2008, 2, 29), date(2026, 3, 1), 18)],
)  # fmt: skip
def test_ages(born_on: date, day: date, age: int) -> None:
    assert age_on(born_on, day) == age
    assert counts(born_on, day) == (18 <= age <= 75)


def test_above_nine_or_missing_counts_against_the_panel() -> None:
    """Nine exactly is not above nine."""
    values = [None, Decimal("9.1"), Decimal("9.0"), Decimal("7.0")]
    status = GlycaemicStatus([Glycaemic(who, each, None) for who, each in enumerate(values)])

    share = status.share(GlycaemicGroup.POOR_OR_MISSING)

    assert (share.part, share.whole) == (2, 4)
    assert [each.patient_id for each in status.of(GlycaemicGroup.POOR)] == [1]
    assert [each.patient_id for each in status.of(GlycaemicGroup.MISSING)] == [0]


@pytest.mark.parametrize(
    ("groups", "kept"),
    [
        ({"en": 40, "es": 30, "pt": 12}, {"en", "es", "pt"}),
        ({"en": 40, "es": 30, "pt": 3}, {"en"}),  # es hides too: 73 - 40 - 30 would tell
        ({"en": 40, "es": 4, "pt": 3}, set()),  # 47 - 40 tells of 7 together
        ({"en": 40, "es": 30, "pt": 4, "vi": 8}, {"en", "es"}),
        ({"en": 40, "es": 12, "pt": 0}, {"en", "es", "pt"}),
        ({"en": 5, "es": 0}, set()),
        ({}, set()),
    ],
)
def test_small_groups_hide_and_never_alone(groups: dict[str, int], kept: set[str]) -> None:
    kept_to_itself = hidden(groups)

    assert set(groups) - kept_to_itself == kept


@given(st.dictionaries(st.integers(0, 9), st.integers(0, 40), max_size=8))
def test_nothing_about_fewer_than_eleven_can_be_worked_out(groups: dict[int, int]) -> None:
    kept_to_itself = hidden(groups)
    together = sum(groups[key] for key in kept_to_itself)

    assert all(
        groups[key] == 0 or groups[key] >= FEWEST_SHOWN for key in set(groups) - kept_to_itself
    )
    if kept_to_itself and kept_to_itself != set(groups):
        assert together >= FEWEST_SHOWN
        assert len([key for key in kept_to_itself if groups[key]]) > 1


def test_the_order_of_patients_changes_nothing() -> None:
    """Order of patients changes no figure."""
    people = [
        patient({0: f"{8 + n / 10}", 182: f"{7 + n / 7:.1f}"}, patient_id=n) for n in range(20)
    ]
    shuffled = random.Random(3).sample(people, 20)  # noqa: S311

    ours = outcome_of(people, HBA1C, Point.MONTH_6, today=LONG_AFTER)
    theirs = outcome_of(shuffled, HBA1C, Point.MONTH_6, today=LONG_AFTER)

    assert ours.change is not None
    assert theirs.change is not None
    assert ours.change.mean == pytest.approx(theirs.change.mean)
    assert ours.change.sd == pytest.approx(theirs.change.sd)


def test_reports_tell_what_the_registry_says_that_they_show() -> None:
    assert {*MEASURE_OF, MeasureKind.GMI} == set(shown_on(Place.REPORT))
