"""Limits of a patient's own move the middle rungs of the ladder, and never the outermost."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.concerns.rules import (
    LIMITED,
    PUBLISHED,
    ConcernKind,
    Limits,
    LimitTrouble,
    Measured,
    Trigger,
    Urgency,
    limited_kind,
    trigger_of,
    trouble_with,
)
from outreach.concerns.rules.limits import OUTERMOST, filled
from outreach.measures.rules import GLUCOSE, REGISTRY, Bound, MeasureKind, Sign

NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)
LOW, HIGH, OWN = ConcernKind.GLUCOSE_LOW, ConcernKind.GLUCOSE_HIGH, ConcernKind.OWN_LIMIT
GLUCOSES, VALUES = st.sampled_from(sorted(GLUCOSE)), st.decimals(10, 999, places=1)
SIDES = st.none() | VALUES
ANY_LIMITS = st.builds(Limits, SIDES, SIDES)  # also those that no form lets through
SIGNS = st.frozensets(st.sampled_from(Sign))
ORDER = [*Urgency]


def judged(
    value: str | Decimal,
    own: Limits | None = None,
    *,
    kind: MeasureKind = MeasureKind.GLUCOSE,
    signs: frozenset[Sign] = frozenset(),
    bound: Bound | None = None,
    earlier: tuple[Measured, ...] = (),
) -> Trigger | None:
    return trigger_of(
        kind,
        Decimal(value),
        taken_at=NOW,
        now=NOW,
        signs=signs,
        bound=bound,
        earlier=earlier,
        own=own,
    )


def limits(low: str | None, high: str | None) -> Limits:
    return Limits(Decimal(low) if low else None, Decimal(high) if high else None)


@pytest.mark.parametrize(
    ("value", "own", "expected"),
    [
        ("79.9", limits("80", None), Trigger(LOW, Urgency.SAME_DAY)),
        ("80", limits("80", None), None),
        ("65", limits("60", None), None),
        ("59.9", limits("60", None), Trigger(LOW, Urgency.SAME_DAY)),
        ("250", limits(None, "250"), Trigger(HIGH, Urgency.SAME_DAY)),
        ("249.9", limits(None, "250"), None),
        ("349", limits(None, "350"), None),
        ("350", limits(None, "350"), Trigger(HIGH, Urgency.SAME_DAY)),
        ("69", limits(None, "250"), Trigger(LOW, Urgency.SAME_DAY)),
        ("300", limits("80", None), Trigger(HIGH, Urgency.SAME_DAY)),
    ],
)
def test_own_limits_stand_in_place_of_the_published_ones(
    value: str, own: Limits, expected: Trigger | None
) -> None:
    assert judged(value, own) == expected


@pytest.mark.parametrize(
    ("kind", "value", "own", "expected"),
    [
        (MeasureKind.SYSTOLIC, "94", limits("95", None), Trigger(OWN, Urgency.SAME_DAY)),
        (MeasureKind.SYSTOLIC, "95", limits("95", None), None),
        (
            MeasureKind.SYSTOLIC,
            "160",
            limits(None, "160"),
            Trigger(ConcernKind.PRESSURE_HIGH, Urgency.SAME_DAY),
        ),
        (MeasureKind.WEIGHT, "90", limits(None, "90"), Trigger(OWN, Urgency.SAME_DAY)),
        (MeasureKind.PULSE, "49", limits("50", "110"), Trigger(OWN, Urgency.SAME_DAY)),
        (MeasureKind.PULSE, "50", limits("50", "110"), None),
        (MeasureKind.PULSE, "49", None, None),
        (MeasureKind.HBA1C, "12", limits(None, "9"), None),
    ],
)
def test_other_measures_gain_a_rung(
    kind: MeasureKind, value: str, own: Limits | None, expected: Trigger | None
) -> None:
    assert judged(value, own, kind=kind) == expected


def test_a_high_that_comes_again_is_judged_by_the_own_limit() -> None:
    own = limits(None, "350")
    before = Measured(MeasureKind.GLUCOSE, Decimal(320), NOW - timedelta(hours=2))

    assert judged("330", own, earlier=(before,)) is None
    again = Measured(MeasureKind.GLUCOSE, Decimal(351), NOW - timedelta(hours=2))
    assert judged("360", own, earlier=(again,)) == Trigger(HIGH, Urgency.NOW)


@given(GLUCOSES, VALUES, ANY_LIMITS, SIGNS)
def test_what_asks_for_somebody_now_does_so_whatever_is_set(
    kind: MeasureKind, value: Decimal, own: Limits, signs: frozenset[Sign]
) -> None:
    usual = judged(value, kind=kind, signs=signs)
    if usual is not None and usual.urgency is Urgency.NOW:
        assert judged(value, own, kind=kind, signs=signs) == usual


@given(ANY_LIMITS, st.sampled_from(Bound), SIGNS)
def test_a_meter_that_shows_no_number_is_never_silenced(
    own: Limits, bound: Bound, signs: frozenset[Sign]
) -> None:
    assert judged("20", own, bound=bound, signs=signs) == judged("20", bound=bound, signs=signs)


@given(
    st.sampled_from((MeasureKind.SYSTOLIC, MeasureKind.DIASTOLIC)),
    st.decimals(20, 300, places=0),
    ANY_LIMITS,
    SIGNS,
)
def test_pressure_is_never_judged_more_lightly_than_for_everybody(
    kind: MeasureKind, value: Decimal, own: Limits, signs: frozenset[Sign]
) -> None:
    usual, theirs = (
        judged(value, kind=kind, signs=signs),
        judged(value, own, kind=kind, signs=signs),
    )
    if usual is not None:
        assert theirs is not None
        assert ORDER.index(theirs.urgency) <= ORDER.index(usual.urgency)


@given(GLUCOSES, VALUES, SIGNS)
def test_limits_that_say_what_is_published_change_nothing(
    kind: MeasureKind, value: Decimal, signs: frozenset[Sign]
) -> None:
    usual = judged(value, kind=kind, signs=signs)

    assert judged(value, PUBLISHED[MeasureKind.GLUCOSE], kind=kind, signs=signs) == usual
    assert judged(value, Limits(), kind=kind, signs=signs) == usual


@given(st.sampled_from(LIMITED), SIDES, SIDES)
def test_what_is_let_through_lies_within_what_is_dangerous(
    kind: MeasureKind, low: Decimal | None, high: Decimal | None
) -> None:
    own = Limits(low, high)
    if trouble_with(kind, own) is not None:
        return
    assert own != Limits()
    kept, outermost = filled(kind, own), OUTERMOST.get(kind, Limits())
    assert kept.low is None or kept.high is None or kept.low < kept.high
    assert low is None or low >= (outermost.low or REGISTRY[kind].hard.low)
    assert high is None or high <= (outermost.high or REGISTRY[kind].hard.high)


@pytest.mark.parametrize(
    ("kind", "own", "trouble"),
    [
        (MeasureKind.GLUCOSE, Limits(), LimitTrouble.EMPTY),
        (MeasureKind.GLUCOSE, limits("54", "400"), None),
        (MeasureKind.GLUCOSE, limits("53.9", None), LimitTrouble.TOO_WEAK),
        (MeasureKind.GLUCOSE, limits(None, "400.1"), LimitTrouble.TOO_WEAK),
        (MeasureKind.GLUCOSE, limits("200", "150"), LimitTrouble.CROSSED),
        (MeasureKind.GLUCOSE, limits(None, "70"), LimitTrouble.CROSSED),
        (MeasureKind.GLUCOSE, limits("5", None), LimitTrouble.IMPOSSIBLE),
        (MeasureKind.SYSTOLIC, limits(None, "181"), LimitTrouble.TOO_WEAK),
        (MeasureKind.SYSTOLIC, limits("95", "160"), None),
        (MeasureKind.WEIGHT, limits(None, "90"), None),
    ],
)
def test_limits_are_refused_with_the_reason(
    kind: MeasureKind, own: Limits, trouble: LimitTrouble | None
) -> None:
    assert trouble_with(kind, own) is trouble


def test_all_blood_sugars_share_their_limits() -> None:
    assert {limited_kind(kind) for kind in GLUCOSE} == {MeasureKind.GLUCOSE}
    assert limited_kind(MeasureKind.PHQ9_TOTAL) is None
