"""The ladder of domain.md C2 beyond single values: signs, repeats, HI and LO."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.concerns.rules import (
    FRESH,
    HIGH_TWICE_WITHIN,
    LOWS_WITHIN,
    ConcernKind,
    Measured,
    Trigger,
    Urgency,
    lows_before,
    trigger_of,
)
from outreach.measures.rules import GLUCOSE, Bound, MeasureKind, Sign

NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)
OLD = NOW - FRESH - timedelta(microseconds=1)
A_MOMENT = timedelta(microseconds=1)
LOW, HIGH, PRESSURE, SAFETY = (
    ConcernKind.GLUCOSE_LOW,
    ConcernKind.GLUCOSE_HIGH,
    ConcernKind.PRESSURE_HIGH,
    ConcernKind.SAFETY,
)
SIGNS = st.frozensets(st.sampled_from(Sign))


def judged(
    value: str | Decimal,
    *signs: Sign,
    kind: MeasureKind = MeasureKind.GLUCOSE,
    taken_at: datetime = NOW,
    bound: Bound | None = None,
    earlier: tuple[Measured, ...] = (),
) -> Trigger | None:
    return trigger_of(
        kind,
        Decimal(value),
        taken_at=taken_at,
        now=NOW,
        signs=frozenset(signs),
        bound=bound,
        earlier=earlier,
    )


def sugar(value: str, before: timedelta, bound: Bound | None = None) -> Measured:
    return Measured(MeasureKind.GLUCOSE, Decimal(value), NOW - before, bound=bound)


@pytest.mark.parametrize(
    ("value", "sign", "expected"),
    [
        ("239.9", Sign.ILLNESS, None),
        ("240", Sign.ILLNESS, Trigger(HIGH, Urgency.SAME_DAY)),
        ("240", None, None),
        ("299.9", Sign.ILLNESS, Trigger(HIGH, Urgency.SAME_DAY)),
        ("300", Sign.ILLNESS, Trigger(HIGH, Urgency.NOW)),
        ("300", Sign.KETONES, Trigger(HIGH, Urgency.NOW)),
        ("300", None, Trigger(HIGH, Urgency.SAME_DAY)),
        ("120", Sign.KETONES, Trigger(HIGH, Urgency.SAME_DAY)),
        ("240", Sign.KETONES, Trigger(HIGH, Urgency.SAME_DAY)),
        ("399.9", None, Trigger(HIGH, Urgency.SAME_DAY)),
        ("400", None, Trigger(HIGH, Urgency.NOW)),
        ("60", Sign.ILLNESS, Trigger(LOW, Urgency.SAME_DAY)),
    ],
)
def test_illness_and_ketones_make_a_high_worse(
    value: str, sign: Sign | None, expected: Trigger | None
) -> None:
    assert judged(value, *([sign] if sign else [])) == expected


@pytest.mark.parametrize(
    ("value", "kind"),
    [("40", LOW), ("69.9", LOW), ("70", SAFETY), ("239.9", SAFETY), ("240", HIGH), ("320", HIGH)],
)
def test_danger_signs_are_now_whatever_the_value_and_its_age(value: str, kind: ConcernKind) -> None:
    assert judged(value, Sign.DANGER) == Trigger(kind, Urgency.NOW)
    assert judged(value, Sign.DANGER, taken_at=OLD) == Trigger(kind, Urgency.NOW)


@pytest.mark.parametrize(
    ("value", "kind"), [("40", LOW), ("65", LOW), ("150", LOW), ("239.9", LOW), ("240", HIGH)]
)
def test_a_low_that_needed_help_is_severe_now_and_a_task_later(
    value: str, kind: ConcernKind
) -> None:
    assert judged(value, Sign.HELP_NEEDED) == Trigger(kind, Urgency.NOW)
    late = judged(value, Sign.HELP_NEEDED, taken_at=OLD)
    assert late == Trigger(kind, Urgency.NEXT_BUSINESS_DAY)


@pytest.mark.parametrize(
    ("bound", "kind"), [(Bound.HIGH, HIGH), (Bound.LOW, LOW)], ids=["HI", "LO"]
)
def test_a_meter_without_a_number_is_now(bound: Bound, kind: ConcernKind) -> None:
    # The figure that stands for it decides nothing.
    assert judged("100", bound=bound) == Trigger(kind, Urgency.NOW)
    assert judged("100", bound=bound, taken_at=OLD) == Trigger(kind, Urgency.NEXT_BUSINESS_DAY)


@pytest.mark.parametrize(
    ("earlier", "urgency"),
    [
        (sugar("300", timedelta(hours=3)), Urgency.NOW),
        (sugar("299.9", timedelta(hours=3)), Urgency.SAME_DAY),
        (sugar("300", HIGH_TWICE_WITHIN), Urgency.NOW),
        (sugar("300", HIGH_TWICE_WITHIN + A_MOMENT), Urgency.SAME_DAY),
        (sugar("300", timedelta(0)), Urgency.SAME_DAY),
        (sugar("300", -timedelta(hours=1)), Urgency.SAME_DAY),
        (sugar("100", timedelta(hours=3), Bound.HIGH), Urgency.NOW),
    ],
)
def test_300_twice_is_now_by_the_times_of_the_readings(earlier: Measured, urgency: Urgency) -> None:
    assert judged("300", earlier=(earlier,)) == Trigger(HIGH, urgency)


def test_twice_is_told_late_is_still_only_a_task() -> None:
    earlier = (sugar("350", timedelta(hours=30)),)

    late = judged("350", taken_at=OLD, earlier=earlier)

    assert late == Trigger(HIGH, Urgency.NEXT_BUSINESS_DAY)


@pytest.mark.parametrize(
    ("earlier", "count"),
    [
        (sugar("53.9", LOWS_WITHIN), 1),
        (sugar("53.9", LOWS_WITHIN + A_MOMENT), 0),
        (sugar("54", timedelta(days=1)), 0),
        (sugar("100", timedelta(days=1), Bound.LOW), 1),
        (sugar("53.9", timedelta(0)), 0),
    ],
)
def test_level_2_lows_are_counted_over_two_weeks(earlier: Measured, count: int) -> None:
    second = Measured(MeasureKind.GLUCOSE, Decimal(50), NOW)

    assert lows_before(second, [earlier]) == count
    told_late = judged("50", taken_at=OLD, earlier=(earlier,))
    assert told_late == Trigger(LOW, Urgency.NEXT_BUSINESS_DAY)


@pytest.mark.parametrize(
    ("kind", "below", "at"),
    [(MeasureKind.SYSTOLIC, "179", "180"), (MeasureKind.DIASTOLIC, "119", "120")],
)
def test_symptoms_make_a_high_pressure_urgent(kind: MeasureKind, below: str, at: str) -> None:
    assert judged(below, kind=kind) is None
    assert judged(below, Sign.DANGER, kind=kind) == Trigger(SAFETY, Urgency.NOW)
    assert judged(at, kind=kind) == Trigger(PRESSURE, Urgency.SAME_DAY)
    assert judged(at, Sign.DANGER, kind=kind) == Trigger(PRESSURE, Urgency.NOW)


@given(st.sampled_from(GLUCOSE), st.decimals(10, 1000, places=1), SIGNS, SIGNS)
def test_another_sign_never_makes_it_less_urgent(
    kind: MeasureKind, value: Decimal, signs: frozenset[Sign], more: frozenset[Sign]
) -> None:
    order = [*Urgency]
    before = judged(value, *signs, kind=kind)
    after = judged(value, *signs, *more, kind=kind)

    if before:
        assert after
        assert order.index(after.urgency) <= order.index(before.urgency)


@given(st.decimals(10, 1000, places=1), st.lists(st.decimals(10, 1000, places=1)))
def test_what_was_measured_before_never_makes_it_less_urgent(
    value: Decimal, before: list[Decimal]
) -> None:
    earlier = tuple(
        sugar(str(each), timedelta(hours=hours + 1)) for hours, each in enumerate(before)
    )
    alone, together = judged(value), judged(value, earlier=earlier)

    assert (alone is None) is (together is None)
    if alone and together:
        assert [*Urgency].index(together.urgency) <= [*Urgency].index(alone.urgency)
