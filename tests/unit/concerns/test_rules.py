"""The ladder of worry: at which value, and how soon somebody must act."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.concerns.rules import FRESH, ConcernKind, Trigger, Urgency, trigger_of
from outreach.measures.rules import MeasureKind

NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)
LOW, HIGH, PRESSURE = (
    ConcernKind.GLUCOSE_LOW,
    ConcernKind.GLUCOSE_HIGH,
    ConcernKind.PRESSURE_HIGH,
)
VALUES = st.decimals(0, 1000, places=1)


def fresh(kind: MeasureKind, value: str | Decimal) -> Trigger | None:
    return trigger_of(kind, Decimal(value), taken_at=NOW, now=NOW)


@pytest.mark.parametrize("kind", [MeasureKind.GLUCOSE, MeasureKind.GLUCOSE_FASTING])
@pytest.mark.parametrize(
    ("value", "trigger"),
    [
        ("53", Trigger(LOW, Urgency.NOW)),
        ("53.9", Trigger(LOW, Urgency.NOW)),
        ("54", Trigger(LOW, Urgency.SAME_DAY)),
        ("69", Trigger(LOW, Urgency.SAME_DAY)),
        ("69.9", Trigger(LOW, Urgency.SAME_DAY)),
        ("70", None),
        ("299", None),
        ("299.9", None),
        ("300", Trigger(HIGH, Urgency.SAME_DAY)),
        ("399", Trigger(HIGH, Urgency.SAME_DAY)),
        ("399.9", Trigger(HIGH, Urgency.SAME_DAY)),
        ("400", Trigger(HIGH, Urgency.NOW)),
    ],
)
def test_glucose_climbs_the_ladder_at_its_edges(
    kind: MeasureKind, value: str, trigger: Trigger | None
) -> None:
    assert fresh(kind, value) == trigger


@pytest.mark.parametrize(
    ("kind", "value", "trigger"),
    [
        (MeasureKind.SYSTOLIC, "179", None),
        (MeasureKind.SYSTOLIC, "180", Trigger(PRESSURE, Urgency.SAME_DAY)),
        (MeasureKind.DIASTOLIC, "119", None),
        (MeasureKind.DIASTOLIC, "120", Trigger(PRESSURE, Urgency.SAME_DAY)),
    ],
)
def test_pressure_is_a_concern_from_its_limit(
    kind: MeasureKind, value: str, trigger: Trigger | None
) -> None:
    assert fresh(kind, value) == trigger


@given(
    st.sampled_from([MeasureKind.HBA1C, MeasureKind.WEIGHT, MeasureKind.PHQ9_TOTAL]),
    VALUES,
)
def test_other_measures_raise_nothing(kind: MeasureKind, value: Decimal) -> None:
    assert fresh(kind, value) is None


@pytest.mark.parametrize(
    ("age", "urgency"),
    [
        (timedelta(0), Urgency.NOW),
        (FRESH, Urgency.NOW),
        (FRESH + timedelta(microseconds=1), Urgency.NEXT_BUSINESS_DAY),
        (timedelta(days=400), Urgency.NEXT_BUSINESS_DAY),
    ],
)
def test_an_old_reading_is_a_task_and_no_alarm(age: timedelta, urgency: Urgency) -> None:
    trigger = trigger_of(MeasureKind.GLUCOSE, Decimal(40), taken_at=NOW - age, now=NOW)

    assert trigger == Trigger(LOW, urgency)


@given(st.sampled_from(MeasureKind), VALUES, st.timedeltas(timedelta(0), timedelta(days=900)))
def test_age_changes_how_soon_but_never_whether_or_what(
    kind: MeasureKind, value: Decimal, age: timedelta
) -> None:
    now, later = fresh(kind, value), trigger_of(kind, value, taken_at=NOW - age, now=NOW)

    assert (now is None) is (later is None)
    if now and later:
        assert now.kind is later.kind
        assert now.urgency.target <= later.urgency.target


def test_every_urgency_has_a_target_and_more_urgent_means_sooner() -> None:
    targets = [urgency.target for urgency in Urgency]

    assert targets == sorted(targets)
    assert targets[0] == timedelta(minutes=15)
