"""The registry against domain.md C, written down here once more by hand."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.accounts.rules import Role
from outreach.concerns.rules import Urgency, trigger_of
from outreach.measures.rules import (
    GLUCOSE,
    REGISTRY,
    Doubt,
    Level,
    MeasureKind,
    Place,
    doubt_about,
    doubt_about_change,
    entered_by,
    in_both_units,
)
from outreach.questionnaires.rules import INSTRUMENTS, InstrumentCode

K = MeasureKind
NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)
A_LITTLE = Decimal("0.01")

# kind, unit: (hard low, hard high), (soft low, soft high)
RANGES = [
    (K.HBA1C, "%", ("3.0", "20.0"), ("4.0", "15.0")),
    (K.HBA1C, "mmol/mol", ("9", "195"), ("20", "140")),
    (K.GMI, "%", ("4", "16"), None),
    (K.GLUCOSE, "mg/dL", ("10", "1000"), ("40", "400")),
    (K.GLUCOSE_FASTING, "mg/dL", ("10", "1000"), ("50", "350")),
    (K.GLUCOSE_LAB, "mg/dL", ("10", "1000"), ("40", "400")),
    (K.GLUCOSE_LAB_FASTING, "mg/dL", ("10", "1000"), ("50", "350")),
    (K.SYSTOLIC, "mm[Hg]", ("50", "300"), ("80", "200")),
    (K.DIASTOLIC, "mm[Hg]", ("20", "200"), ("40", "120")),
    (K.PULSE, "/min", ("20", "250"), ("40", "130")),
    (K.WEIGHT, "kg", ("20", "400"), ("35", "250")),
    (K.HEIGHT, "cm", ("90", "250"), None),
    (K.BMI, "kg/m2", ("8", "100"), ("15", "60")),
    (K.PHQ2_TOTAL, "{score}", ("0", "6"), None),
    (K.PHQ9_TOTAL, "{score}", ("0", "27"), None),
    (K.GAD7_TOTAL, "{score}", ("0", "21"), None),
    (K.PEG_MEAN, "{score}", ("0", "10"), None),
    (K.PAIN, "{score}", ("0", "10"), None),
    (K.DDS2_MEAN, "{score}", ("1", "6"), None),
    (K.DDS17_MEAN, "{score}", ("1", "6"), None),
    (K.UCLA3_TOTAL, "{score}", ("3", "9"), None),
    (K.CARE_TOTAL, "{score}", ("10", "50"), None),
    (K.EQ_VAS, "{score}", ("0", "100"), None),
    (K.PROMIS_MENTAL, "{Tscore}", ("16", "68"), None),
    (K.PROMIS_PHYSICAL, "{Tscore}", ("16", "68"), None),
    (K.SELF_RATED_HEALTH, "{score}", ("1", "5"), None),
    (K.PDSMS_TOTAL, "{score}", ("8", "40"), None),
    (K.SDSCA_GENERAL_DIET, "{score}", ("0", "7"), None),
    (K.SDSCA_SPECIFIC_DIET, "{score}", ("0", "7"), None),
    (K.SDSCA_EXERCISE, "{score}", ("0", "7"), None),
    (K.SDSCA_TESTING, "{score}", ("0", "7"), None),
    (K.SDSCA_FEET, "{score}", ("0", "7"), None),
]
LOINC = {
    K.HBA1C: "4548-4",
    K.GMI: "97506-0",
    K.GLUCOSE: "41653-7",
    K.GLUCOSE_FASTING: "41604-0",
    K.GLUCOSE_LAB: "2345-7",
    K.GLUCOSE_LAB_FASTING: "1558-6",
    K.SYSTOLIC: "8480-6",
    K.DIASTOLIC: "8462-4",
    K.PULSE: "8867-4",
    K.WEIGHT: "29463-7",
    K.HEIGHT: "8302-2",
    K.BMI: "39156-5",
    K.PHQ2_TOTAL: "55758-7",
    K.PHQ9_TOTAL: "44261-6",
    K.GAD7_TOTAL: "70274-6",
    K.PEG_MEAN: "91147-9",
    K.PAIN: "72514-3",
    K.PROMIS_MENTAL: "71969-0",
    K.PROMIS_PHYSICAL: "71971-6",
}


def edges() -> list[tuple[MeasureKind, str, Decimal, Doubt | None]]:
    """Each end of each range: just outside, at, and just inside."""
    found = []
    for kind, unit, hard, soft in RANGES:
        step = Decimal(1) if REGISTRY[kind].is_whole else A_LITTLE
        low, high = map(Decimal, hard)
        inside = Doubt.UNUSUAL if soft else None
        found += [(kind, unit, low - step, Doubt.IMPOSSIBLE), (kind, unit, low, inside)]
        found += [(kind, unit, high + step, Doubt.IMPOSSIBLE), (kind, unit, high, inside)]
        if soft:
            low, high = map(Decimal, soft)
            found += [(kind, unit, low - step, Doubt.UNUSUAL), (kind, unit, low, None)]
            found += [(kind, unit, high + step, Doubt.UNUSUAL), (kind, unit, high, None)]
    return found


def expected(kind: MeasureKind, unit: str, value: Decimal, doubt: Doubt | None) -> Doubt | None:
    """A likely slip of the unit is named instead of the range."""
    if kind in GLUCOSE and value < 33:
        return Doubt.MAYBE_MMOL_L if value >= 10 else Doubt.LOOKS_LIKE_MMOL_L
    if kind is K.HBA1C and unit == "%" and value > 20:
        return Doubt.LOOKS_LIKE_MMOL_MOL
    return doubt


def test_the_table_has_every_kind() -> None:
    assert {row[0] for row in RANGES} == set(MeasureKind)
    assert {kind: REGISTRY[kind].loinc for kind in LOINC} == LOINC
    assert all(REGISTRY[kind].loinc is None for kind in set(MeasureKind) - set(LOINC))


@pytest.mark.parametrize(("kind", "unit", "value", "doubt"), edges())
def test_every_edge_of_every_range(
    kind: MeasureKind, unit: str, value: Decimal, doubt: Doubt | None
) -> None:
    assert doubt_about(kind, value, unit) is expected(kind, unit, value, doubt)


@pytest.mark.parametrize(
    ("mmol_l", "doubt"),
    [
        ("0.5", Doubt.IMPOSSIBLE),
        ("0.6", Doubt.UNUSUAL),
        ("55.5", Doubt.UNUSUAL),
        ("55.6", Doubt.IMPOSSIBLE),
    ],
)
def test_glucose_in_mmol_has_its_own_edges(mmol_l: str, doubt: Doubt) -> None:
    assert doubt_about(K.GLUCOSE, Decimal(mmol_l), "mmol/L") is doubt


# kind, value: what it means just below, at, and just above
LEVELS = [
    (K.HBA1C, "9", None, None, Level.POOR),
    (K.GLUCOSE, "54", Level.VERY_LOW, Level.LOW, Level.LOW),
    (K.GLUCOSE, "70", Level.LOW, None, None),
    (K.GLUCOSE, "180", None, Level.HIGH, Level.HIGH),
    (K.GLUCOSE, "300", Level.HIGH, Level.NURSE_SAME_DAY, Level.NURSE_SAME_DAY),
    (K.GLUCOSE, "400", Level.NURSE_SAME_DAY, Level.NURSE_NOW, Level.NURSE_NOW),
    (K.GLUCOSE_FASTING, "130", None, None, Level.HIGH),
    (K.SYSTOLIC, "90", Level.LOW, None, None),
    (K.SYSTOLIC, "130", None, Level.STAGE_1, Level.STAGE_1),
    (K.SYSTOLIC, "140", Level.STAGE_1, Level.STAGE_2, Level.STAGE_2),
    (K.SYSTOLIC, "180", Level.STAGE_2, Level.URGENT, Level.URGENT),
    (K.DIASTOLIC, "80", None, Level.STAGE_1, Level.STAGE_1),
    (K.DIASTOLIC, "90", Level.STAGE_1, Level.STAGE_2, Level.STAGE_2),
    (K.DIASTOLIC, "120", Level.STAGE_2, Level.URGENT, Level.URGENT),
    (K.BMI, "25", None, Level.OVERWEIGHT, Level.OVERWEIGHT),
    (K.BMI, "30", Level.OVERWEIGHT, Level.OBESE, Level.OBESE),
    (K.BMI, "35", Level.OBESE, Level.OBESE_2, Level.OBESE_2),
    (K.BMI, "40", Level.OBESE_2, Level.OBESE_3, Level.OBESE_3),
    (K.PHQ2_TOTAL, "3", None, Level.POSITIVE, Level.POSITIVE),
    (K.PHQ9_TOTAL, "5", None, Level.MILD, Level.MILD),
    (K.PHQ9_TOTAL, "10", Level.MILD, Level.MODERATE, Level.MODERATE),
    (K.PHQ9_TOTAL, "15", Level.MODERATE, Level.MODERATELY_SEVERE, Level.MODERATELY_SEVERE),
    (K.PHQ9_TOTAL, "20", Level.MODERATELY_SEVERE, Level.SEVERE, Level.SEVERE),
    (K.GAD7_TOTAL, "5", None, Level.MILD, Level.MILD),
    (K.GAD7_TOTAL, "10", Level.MILD, Level.MODERATE, Level.MODERATE),
    (K.GAD7_TOTAL, "15", Level.MODERATE, Level.SEVERE, Level.SEVERE),
    (K.PAIN, "1", None, Level.MILD, Level.MILD),
    (K.PAIN, "4", Level.MILD, Level.MODERATE, Level.MODERATE),
    (K.PAIN, "7", Level.MODERATE, Level.SEVERE, Level.SEVERE),
    (K.DDS2_MEAN, "3", None, Level.POSITIVE, Level.POSITIVE),
    (K.DDS17_MEAN, "2", None, Level.MODERATE, Level.MODERATE),
    (K.DDS17_MEAN, "3", Level.MODERATE, Level.HIGH, Level.HIGH),
    (K.UCLA3_TOTAL, "6", None, Level.LONELY, Level.LONELY),
    (K.SELF_RATED_HEALTH, "3", Level.FAIR_OR_POOR, None, None),
]


@pytest.mark.parametrize(("kind", "value", "below", "at", "above"), LEVELS)
def test_every_threshold_below_at_and_above(
    kind: MeasureKind, value: str, below: Level | None, at: Level | None, above: Level | None
) -> None:
    step = Decimal(1) if REGISTRY[kind].is_whole else A_LITTLE
    level_of = REGISTRY[kind].level_of

    assert level_of(Decimal(value) - step) is below
    assert level_of(Decimal(value)) is at
    assert level_of(Decimal(value) + step) is above


@pytest.mark.parametrize(
    ("kind", "value", "is_met"),
    [
        ("hba1c", "6.9", {Level.GOAL, Level.GOOD}),
        ("hba1c", "7", {Level.GOOD}),
        ("hba1c", "7.4", {Level.GOOD}),
        ("hba1c", "7.5", {Level.GOOD, Level.TRIAL_ENTRY}),
        ("hba1c", "7.9", {Level.GOOD, Level.TRIAL_ENTRY}),
        ("hba1c", "8", {Level.TRIAL_ENTRY}),
        ("care_total", "29", set()),
        ("care_total", "30", {Level.VERY_EMPATHIC}),
    ],
)
def test_goals_have_edges_too(kind: str, value: str, is_met: set[Level]) -> None:
    thresholds = REGISTRY[MeasureKind(kind)].thresholds

    assert {each.level for each in thresholds if each.is_met(Decimal(value))} == is_met


def test_what_is_from_memory_is_marked() -> None:
    unverified = {
        (kind, int(each.value))
        for kind, measure in REGISTRY.items()
        for each in measure.thresholds
        if not each.is_verified
    }

    assert unverified == {
        (K.GLUCOSE, 180),
        (K.GLUCOSE_LAB, 180),
        (K.GLUCOSE_FASTING, 130),
        (K.GLUCOSE_LAB_FASTING, 130),
        (K.SYSTOLIC, 90),
        (K.BMI, 25),
        (K.BMI, 30),
        (K.BMI, 35),
        (K.BMI, 40),
        (K.GAD7_TOTAL, 5),
        (K.GAD7_TOTAL, 15),
        (K.UCLA3_TOTAL, 6),
        (K.SELF_RATED_HEALTH, 3),
    }


def test_the_ladder_and_the_registry_name_the_same_figures() -> None:
    alarming = {Level.VERY_LOW, Level.LOW, Level.NURSE_SAME_DAY, Level.NURSE_NOW, Level.URGENT}
    pressures = (K.SYSTOLIC, K.DIASTOLIC)
    for kind in (*GLUCOSE, *pressures):
        for value in range(10, 500):
            level = REGISTRY[kind].level_of(Decimal(value))
            is_low_pressure = kind in pressures and level is Level.LOW
            trigger = trigger_of(kind, Decimal(value), taken_at=NOW, now=NOW)
            assert (trigger is not None) is (level in alarming and not is_low_pressure)
            if level in {Level.VERY_LOW, Level.NURSE_NOW} and trigger:
                assert trigger.urgency is Urgency.NOW


def test_bands_of_questionnaires_and_thresholds_are_the_same() -> None:
    for code, kind in (
        (InstrumentCode.PHQ_9, K.PHQ9_TOTAL),
        (InstrumentCode.GAD_7, K.GAD7_TOTAL),
        (InstrumentCode.PAIN, K.PAIN),
        (InstrumentCode.DDS_17, K.DDS17_MEAN),
    ):
        bands = [band.from_score for band in INSTRUMENTS[code].bands[1:]]
        assert [each.value for each in REGISTRY[kind].thresholds] == bands


def test_callers_enter_what_patients_tell_and_nurses_what_laboratories_do() -> None:
    by_callers = {measure.kind for measure in entered_by(Role.CALLER)}
    by_nurses = {measure.kind for measure in entered_by(Role.NURSE)}

    assert by_callers == {
        K.HBA1C,
        K.GLUCOSE,
        K.GLUCOSE_FASTING,
        K.SYSTOLIC,
        K.DIASTOLIC,
        K.PULSE,
        K.WEIGHT,
    }
    assert by_callers < by_nurses
    assert {K.GLUCOSE_LAB, K.GLUCOSE_LAB_FASTING, K.GMI, K.HEIGHT} <= by_nurses
    assert not entered_by(Role.MANAGER)


def test_everything_shows_somewhere() -> None:
    assert all(measure.shown_on <= set(Place) for measure in REGISTRY.values())
    assert all(Place.CHART in measure.shown_on for measure in REGISTRY.values())


@given(st.integers(9, 195))
def test_an_ifcc_value_comes_back_as_it_went(mmol_mol: int) -> None:
    hba1c = REGISTRY[K.HBA1C]
    canonical = hba1c.in_canonical_unit(Decimal(mmol_mol), "mmol/mol")

    assert hba1c.units["mmol/mol"].from_canonical(canonical) == mmol_mol


@given(
    st.sampled_from([(kind, unit) for kind in K for unit in REGISTRY[kind].units]),
    st.decimals(0, 1000, places=1),
)
def test_what_was_typed_is_shown_again_in_its_unit(
    of: tuple[MeasureKind, str], value: Decimal
) -> None:
    kind, unit = of
    row = REGISTRY[kind].units[unit]
    typed = round(value, row.decimals)
    back = row.from_canonical(row.to_canonical(typed))

    # Way and back of the master equations differ by less than the least place shown.
    tolerance = Decimal(0) if row.back is None or typed <= 195 else Decimal(2)
    assert abs(back - typed) <= tolerance


@given(st.decimals(3, 20, places=1), st.decimals(3, 20, places=1))
def test_a_difference_is_scaled_and_never_moved(first: Decimal, second: Decimal) -> None:
    unit = REGISTRY[K.HBA1C].units["mmol/mol"]
    change = second - first

    assert abs(unit.difference(change) - change * Decimal("10.93")) <= Decimal("0.5")
    assert unit.difference(Decimal(0)) == 0
    assert unit.difference(-change) == -unit.difference(change)


def test_the_trials_change_in_mmol_mol() -> None:
    assert REGISTRY[K.HBA1C].units["mmol/mol"].difference(Decimal("-0.7")) == -8


@pytest.mark.parametrize(
    ("weight", "days", "doubt"),
    [
        ("110", 0, None),
        ("110.1", 0, Doubt.BIG_CHANGE),
        ("90", 30, None),
        ("89.9", 30, Doubt.BIG_CHANGE),
        ("89.9", 31, None),
        ("120", 60, None),
        ("120.1", 60, Doubt.BIG_CHANGE),
    ],
)
def test_a_tenth_of_the_weight_a_month_is_asked_about(
    weight: str, days: int, doubt: Doubt | None
) -> None:
    earlier_at = NOW - timedelta(days=days)

    found = doubt_about_change(
        K.WEIGHT, Decimal(weight), taken_at=NOW, earlier=Decimal(100), earlier_at=earlier_at
    )

    assert found is doubt


def test_only_weight_is_held_against_the_last_one() -> None:
    found = doubt_about_change(
        K.GLUCOSE, Decimal(300), taken_at=NOW, earlier=Decimal(100), earlier_at=NOW
    )

    assert found is None


@pytest.mark.parametrize(
    ("kind", "entered", "unit", "value", "words"),
    [
        (MeasureKind.GLUCOSE, "52", "mg/dL", "52", "52 mg/dL (2.9 mmol/L)"),
        (MeasureKind.GLUCOSE, "2.8", "mmol/L", "50.4448", "2.8 mmol/L (50 mg/dL)"),
        (MeasureKind.GLUCOSE, "HI", "mg/dL", "600", "HI"),
        (MeasureKind.HBA1C, "9.0", "%", "9.0", "9.0 % (75 mmol/mol)"),
        (MeasureKind.SYSTOLIC, "185", "mm[Hg]", "185", "185 mmHg"),
        (MeasureKind.PHQ9_TOTAL, "12", "{score}", "12", "12"),
    ],
)
def test_a_nurse_reads_a_value_as_it_was_said_and_in_the_other_unit(
    kind: MeasureKind, entered: str, unit: str, value: str, words: str
) -> None:
    assert in_both_units(kind, entered, unit, Decimal(value)) == words
