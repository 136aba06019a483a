"""The weeks of a preview are those of the planner, and what is typed is what is meant."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from outreach.measures.rules import MeasureKind
from outreach.programmes.rules import PUBLISHED_PROTOCOL, Protocol
from outreach.protocols.rules import (
    Band,
    BandKind,
    Pick,
    bands,
    lanes,
    preview,
    read_choices,
    stepped,
    typed_choices,
)
from tests.unit.programmes.protocols import protocols

WEEKDAYS = st.integers(0, 6)


def test_the_published_programme_has_17_31_or_40_calls_whatever_day_it_starts() -> None:
    for weekday in range(7):
        calls = [preview(PUBLISHED_PROTOCOL, pick, weekday).calls for pick in Pick]

        assert calls == [17, 31, 40]


@given(protocols(), st.sampled_from(Pick), WEEKDAYS)
def test_every_week_of_any_programme_is_shown_once_with_all_its_bands(
    protocol: Protocol, pick: Pick, weekday: int
) -> None:
    shown = preview(protocol, pick, weekday)

    assert [week.number for week in shown.weeks] == list(range(1, protocol.weeks + 1))
    assert [week.begins for week in shown.weeks if week.begins] == list(protocol.phases)
    for lane, of_lane in enumerate(shown.lanes):
        cells = [shown.in_week(week.number)[lane] for week in shown.weeks]
        # Each row of each lane is covered by exactly one cell.
        assert sum(length for _band, length in filter(None, cells)) == len(shown.weeks)
        assert [cell[0] for cell in cells if cell and cell[0]] == list(of_lane)


@given(protocols())
def test_bands_of_one_lane_never_overlap_and_none_is_lost(protocol: Protocol) -> None:
    found = bands(protocol)
    in_lanes = lanes(found)

    for lane in in_lanes:
        assert all(a.last_week < b.first_week for a, b in pairwise(lane))
    assert sorted(map(repr, found)) == sorted(repr(each) for lane in in_lanes for each in lane)


def test_a_window_that_outlasts_the_programme_says_so() -> None:
    month_6 = Band("Month 6", BandKind.MEASURE, 22, 26, goes_on=True)

    assert month_6 in bands(PUBLISHED_PROTOCOL)


@given(st.sets(st.integers(1, 28), min_size=1).map(sorted))
def test_choices_are_read_as_they_were_typed(values: list[int]) -> None:
    assert read_choices(typed_choices(values)) == tuple(values)


def test_choices_may_be_typed_in_words() -> None:
    assert read_choices(" 1 to 5 ") == (1, 2, 3, 4, 5)
    assert read_choices("14 or 7") == (7, 14)
    assert read_choices("3") == (3,)


@given(st.text("0123456789 ,;-–to or", max_size=12))
def test_whatever_is_typed_is_read_or_refused(text: str) -> None:
    found = read_choices(text)

    assert found is None or list(found) == sorted(set(found))


def test_rows_are_added_removed_and_moved() -> None:
    posted = [("seen", "1"), ("phases-0-name", "a"), ("phases-2-name", "b"), ("phases-2-x", "y")]

    assert stepped(posted, "add-phases")[1:] == [
        ("phases-0-name", "a"),
        ("phases-1-name", "b"),
        ("phases-1-x", "y"),
        ("phases-2-name", ""),
    ]
    assert stepped(posted, "remove-phases-0")[1:] == [("phases-0-name", "b"), ("phases-0-x", "y")]
    assert stepped(posted, "up-phases-1")[1:] == [
        ("phases-0-name", "b"),
        ("phases-0-x", "y"),
        ("phases-1-name", "a"),
    ]
    assert stepped(posted, "up-phases-9")[0] == ("seen", "1")


@given(st.text(max_size=20))
def test_no_other_step_changes_anything(step: str) -> None:
    posted = [("phases-0-name", "a"), ("milestones-0-name", "b")]

    assert stepped(posted, step) == posted or step.startswith(("add-", "remove-", "up-"))


def test_the_published_programme_measures_what_can_be_recorded() -> None:
    known = {kind.value for kind in MeasureKind}

    for point in PUBLISHED_PROTOCOL.measure_points:
        assert set(point.measures) <= known
