"""When callers work, and who takes over whose calls."""

from datetime import date, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.callers.rules import (
    Helper,
    Need,
    NotHours,
    NotPlaced,
    Stretch,
    days_of,
    minutes_in,
    read_stretches,
    share,
    span_of,
    written,
)
from outreach.patients.rules import Sex

CHICAGO = ZoneInfo("America/Chicago")
LANGUAGES = st.sampled_from(["en", "es", "vi"])
WISHES = st.sampled_from([None, Sex.FEMALE, Sex.MALE])


def needs() -> st.SearchStrategy[list[Need]]:
    one = st.builds(Need, st.integers(1, 40), LANGUAGES, WISHES, minutes=st.integers(0, 12))
    return st.lists(one, max_size=20, unique_by=lambda need: need.enrolment_id)


def helpers() -> st.SearchStrategy[list[Helper]]:
    one = st.builds(
        Helper,
        st.integers(1, 8),
        st.frozensets(LANGUAGES, min_size=1),
        WISHES,
        is_trained=st.booleans(),
        is_away=st.booleans(),
        minutes=st.integers(0, 40),
        most_minutes=st.integers(0, 60),
        room=st.none() | st.integers(0, 5),
    )
    return st.lists(one, max_size=6, unique_by=lambda helper: helper.caller_id)


def helper(caller_id: int, **deviations: object) -> Helper:
    values: dict[str, object] = {
        "languages": frozenset({"en"}),
        "gender": None,
        "is_trained": True,
        "is_away": False,
        "minutes": 0,
        "most_minutes": 40,
    }
    return Helper(caller_id, **(values | deviations))  # type: ignore[arg-type]


@given(needs(), helpers())
def test_nobody_gets_what_they_may_not_take(needs: list[Need], helpers: list[Helper]) -> None:
    shared = share(needs, helpers)
    by_id = {each.caller_id: each for each in helpers}

    for need in needs:
        chosen = shared.caller_of.get(need.enrolment_id)
        assert (chosen is None) is (need.enrolment_id in shared.left_out)
        assert chosen is None or by_id[chosen].may_take(need.language)
    for each in helpers:
        mine = [need for need in needs if shared.caller_of.get(need.enrolment_id) == each.caller_id]
        assert each.room is None or len(mine) <= each.room
        assert not mine or each.minutes + sum(need.minutes for need in mine) <= each.most_minutes


@given(needs(), helpers())
def test_the_order_in_which_they_are_given_changes_nothing(
    needs: list[Need], helpers: list[Helper]
) -> None:
    assert share(needs, helpers) == share(needs[::-1], helpers[::-1])


@given(needs(), helpers())
def test_whoever_is_left_out_is_left_out_by_the_rule_that_is_named(
    needs: list[Need], helpers: list[Helper]
) -> None:
    shared = share(needs, helpers)

    for need in needs:
        speakers = [each for each in helpers if need.language in each.languages]
        trained = [each for each in speakers if each.is_trained]
        here = [each for each in trained if not each.is_away]
        match shared.left_out.get(need.enrolment_id):
            case NotPlaced.NO_SHARED_LANGUAGE:
                assert speakers == []
            case NotPlaced.NOT_TRAINED:
                assert speakers
                assert trained == []
            case NotPlaced.AWAY:
                assert trained
                assert here == []
            case NotPlaced.PANELS_FULL | NotPlaced.HOURS_FULL:
                assert here


@given(st.lists(st.integers(0, 5), min_size=1, max_size=20), st.integers(2, 5))
def test_calls_are_spread_as_evenly_as_single_calls_allow(calls: list[int], count: int) -> None:
    needs = [Need(at, "en", None, each) for at, each in enumerate(calls)]

    shared = share(needs, [helper(each, most_minutes=500) for each in range(count)])

    loads = dict.fromkeys(range(count), 0)
    for need in needs:
        loads[shared.caller_of[need.enrolment_id]] += need.minutes
    assert max(loads.values()) - min(loads.values()) <= max(calls)


def test_those_with_few_hours_get_few_calls() -> None:
    needs = [Need(at, "en", None, 1) for at in range(12)]

    shared = share(needs, [helper(1, most_minutes=40), helper(2, most_minutes=20)])

    taken = list(shared.caller_of.values())
    assert (taken.count(1), taken.count(2)) == (8, 4)


def test_a_wish_is_kept_where_somebody_meets_it() -> None:
    women_only = Need(1, "en", Sex.FEMALE, 2)
    busy_woman = helper(7, gender=Sex.FEMALE, minutes=30)

    assert share([women_only], [helper(1), busy_woman]).caller_of == {1: 7}
    assert share([women_only], [helper(1)]).caller_of == {1: 1}


def test_nobody_goes_back_to_a_caller_after_whom_they_asked_for_somebody_else() -> None:
    parted = Need(1, "en", Sex.FEMALE, 2, parted=frozenset({7}))
    woman = helper(7, gender=Sex.FEMALE)

    assert share([parted], [helper(1, minutes=30), woman]).caller_of == {1: 1}
    assert share([parted], [woman]).caller_of == {1: 7}


def test_a_language_that_few_speak_is_placed_first() -> None:
    needs = [Need(1, "en", None, 4), Need(2, "vi", None, 4)]
    both = helper(1, languages=frozenset({"en", "vi"}), most_minutes=4)

    assert share(needs, [both, helper(2, most_minutes=4)]).caller_of == {2: 1, 1: 2}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("9:00-12:00, 13:00-17:00", [(9, 0, 12, 0), (13, 0, 17, 0)], id="two"),
        pytest.param("13-17, 9-12", [(9, 0, 12, 0), (13, 0, 17, 0)], id="out of order"),
        pytest.param("9.30 – 12.45", [(9, 30, 12, 45)], id="dots and a dash"),
        pytest.param("9am-1pm", [(9, 0, 13, 0)], id="halves of the day"),
        pytest.param("1-5pm", [(13, 0, 17, 0)], id="one half for both"),
        pytest.param("11-1pm", [(11, 0, 13, 0)], id="over noon"),
        pytest.param("9-12, 12-13", [(9, 0, 12, 0), (12, 0, 13, 0)], id="touching"),
        pytest.param("", [], id="a free day"),
    ],
)
def test_reads_hours_as_people_write_them(
    text: str, expected: list[tuple[int, int, int, int]]
) -> None:
    assert read_stretches(text) == tuple(Stretch(time(a, b), time(c, d)) for a, b, c, d in expected)


@pytest.mark.parametrize("text", ["9", "9-8", "25-26", "9-12, 11-13", "13pm-14pm", "soon", "9-9"])
def test_refuses_what_is_no_hours(text: str) -> None:
    with pytest.raises(NotHours):
        read_stretches(text)


@given(st.lists(st.integers(0, 24 * 60 - 1), min_size=2, max_size=8, unique=True).map(sorted))
def test_hours_that_were_written_are_read_again(minutes: list[int]) -> None:
    at = [time(each // 60, each % 60) for each in minutes]
    stretches = tuple(Stretch(a, b) for a, b in zip(at[::2], at[1::2], strict=False))

    assert read_stretches(written(stretches)) == stretches


@given(
    st.dates(date(2026, 1, 1), date(2027, 12, 31)),
    st.integers(0, 60),
    st.sampled_from(
        ["America/Chicago", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca"]
    ),
)
def test_days_away_are_whole_days_where_the_caller_is(
    from_on: date, more: int, zone_name: str
) -> None:
    zone, last_on = ZoneInfo(zone_name), date.fromordinal(from_on.toordinal() + more)

    span = span_of(from_on, last_on, zone)

    assert days_of(span, zone) == (from_on, last_on)
    assert (
        span.until_at == span_of(date.fromordinal(last_on.toordinal() + 1), last_on, zone).from_at
    )


def test_a_day_on_which_the_clocks_change_is_a_whole_day() -> None:
    span = span_of(date(2026, 11, 1), date(2026, 11, 1), CHICAGO)

    assert (span.until_at - span.from_at).total_seconds() == 25 * 3600


def test_a_weeks_hours_are_shared_out_by_days() -> None:
    assert minutes_in(20 * 60, 7) == 20 * 60
    assert minutes_in(20 * 60, 1) == 171
