"""From which difference on a change counts. Source: domain.md C and C1."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.measures.labels import changed_words
from outreach.measures.rules import REGISTRY, Change, MeasureKind
from outreach.measures.rules import MeasureKind as K

# kind: points, share, whether a source says so
COUNTS = {
    K.HBA1C: ("0.5", None, False),
    K.PHQ9_TOTAL: ("5", None, True),
    K.GAD7_TOTAL: ("4", None, False),
    K.PEG_MEAN: (None, "0.3", False),
    K.PAIN: ("2", "0.3", False),
}


def test_the_registry_says_which_change_counts_where_a_source_does() -> None:
    expected = {
        kind: Change(
            None if points is None else Decimal(points),
            None if share is None else Decimal(share),
            is_verified,
        )
        for kind, (points, share, is_verified) in COUNTS.items()
    }
    assert {kind: each.change for kind, each in REGISTRY.items() if each.change} == expected


@pytest.mark.parametrize(
    ("kind", "before", "after", "is_met"),
    [
        (K.HBA1C, "9.0", "8.6", False),
        (K.HBA1C, "9.0", "8.5", True),
        (K.HBA1C, "8.5", "9.0", True),
        (K.PHQ9_TOTAL, "14", "10", False),
        (K.PHQ9_TOTAL, "14", "9", True),
        (K.GAD7_TOTAL, "10", "7", False),
        (K.GAD7_TOTAL, "10", "6", True),
        (K.PEG_MEAN, "6.0", "4.3", False),
        (K.PEG_MEAN, "6.0", "4.2", True),
        (K.PEG_MEAN, "0", "3", False),
        (K.PAIN, "8", "7", False),
        (K.PAIN, "8", "6", True),
        (K.PAIN, "3", "2", True),
        (K.PAIN, "4", "3", False),
    ],
)
def test_every_edge_of_a_change(
    kind: MeasureKind, before: str, after: str, *, is_met: bool
) -> None:
    change = REGISTRY[kind].change
    assert change is not None
    assert change.is_met(Decimal(before), Decimal(after)) is is_met


@given(st.sampled_from(sorted(COUNTS)), st.decimals(0, 27, places=1), st.decimals(0, 27, places=1))
def test_points_count_either_way(kind: MeasureKind, first: Decimal, second: Decimal) -> None:
    change = REGISTRY[kind].change
    assert change is not None
    by_points = Change(change.points, None, change.is_verified)
    assert by_points.is_met(first, second) is by_points.is_met(second, first)


def test_no_change_is_told_where_no_source_says_which_counts() -> None:
    assert not changed_words(K.WEIGHT, Decimal(80), Decimal(120))
