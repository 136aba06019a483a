"""In what order to call: a score with its reasons."""

import random
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.calls.rules import (
    QueueFacts,
    QueueGroup,
    Rest,
    Why,
    group_of,
    may_wait,
    order_key,
    rest_of,
    score_of,
    whys_of,
)

NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)
HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)
READY = QueueFacts(
    now=NOW,
    day_ends_at=NOW + 14 * HOUR,
    dial_from_at=NOW - HOUR,
    dial_until_at=NOW + 2 * HOUR,
    lawful_until_at=NOW + 8 * HOUR,
    is_agreed=False,
    is_last_day=False,
    is_first_call=False,
    missed_in_a_row=0,
    dials=0,
    has_number=True,
)
HOURS = st.integers(-20, 20).map(lambda ahead: NOW + ahead * HOUR)
BEFORE = st.none() | st.integers(-2000, -1).map(lambda ahead: NOW + ahead * HOUR)
FACTS = st.builds(
    QueueFacts,
    now=st.just(NOW),
    day_ends_at=st.just(NOW + 14 * HOUR),
    dial_from_at=HOURS,
    dial_until_at=HOURS,
    lawful_until_at=st.none() | HOURS,
    is_agreed=st.booleans(),
    is_last_day=st.booleans(),
    is_first_call=st.booleans(),
    missed_in_a_row=st.integers(0, 2),
    dials=st.integers(0, 3),
    has_number=st.booleans(),
    is_promise_due=st.booleans(),
    spoken_at=BEFORE,
    answered_at=BEFORE,
    is_barred=st.booleans(),
    opens_at=st.none() | st.integers(1, 30).map(lambda ahead: NOW + ahead * HOUR),
)
# One deviation for each reason, in the order in which they press.
DEVIATIONS: dict[Why, dict[str, object]] = {
    Why.SAFETY: {"answered_at": NOW - HOUR},
    Why.AGREED: {"is_agreed": True},
    Why.AGREED_PASSED: {"is_agreed": True, "dial_until_at": NOW},
    Why.LAST_DAY: {"is_last_day": True},
    Why.CLOSES_SOON: {"dial_until_at": NOW + HOUR},
    Why.PROMISE_DUE: {"is_promise_due": True},
    Why.MISSED_TWICE: {"missed_in_a_row": 2},
    Why.MISSED_LAST: {"missed_in_a_row": 1},
    Why.FIRST_CALL: {"is_first_call": True},
    Why.TRIED_BEFORE: {"dials": 1},
    Why.DUE: {},
}
PRESSING = {why: replace(READY, **more) for why, more in DEVIATIONS.items()}  # type: ignore[arg-type]


def _place(facts: QueueFacts) -> tuple[int, datetime, int, datetime]:
    return order_key(facts, group_of(facts), score_of(facts))


@pytest.mark.parametrize(
    ("deviations", "group"),
    [
        pytest.param({}, QueueGroup.NOW, id="in its slot"),
        pytest.param({"dial_from_at": NOW}, QueueGroup.NOW, id="the first instant of its slot"),
        pytest.param({"dial_from_at": NOW + TICK}, QueueGroup.LATER, id="before its slot"),
        pytest.param({"dial_from_at": NOW + 14 * HOUR}, QueueGroup.COMING, id="after my day"),
        pytest.param({"dial_until_at": NOW - HOUR}, QueueGroup.NOW, id="slot over, still lawful"),
        pytest.param({"lawful_until_at": None}, QueueGroup.COMING, id="not lawful"),
        pytest.param(
            {"lawful_until_at": None, "is_agreed": True}, QueueGroup.NOW, id="asked for, off hours"
        ),
        pytest.param(
            {"lawful_until_at": None, "is_agreed": True, "dial_until_at": NOW},
            QueueGroup.COMING,
            id="asked for, off hours, and over",
        ),
        pytest.param(
            {"lawful_until_at": None, "is_agreed": True, "is_barred": True},
            QueueGroup.COMING,
            id="asked for, and barred for the day",
        ),
        pytest.param(
            {
                "lawful_until_at": None,
                "is_agreed": True,
                "is_barred": True,
                "opens_at": NOW + HOUR,
            },
            QueueGroup.LATER,
            id="asked for, and barred until later today",
        ),
        pytest.param({"has_number": False}, QueueGroup.NUMBER_TO_FIX, id="no number"),
        pytest.param(
            {"dial_from_at": NOW + 14 * HOUR, "is_promise_due": True},
            QueueGroup.PROMISED,
            id="after my day, but something is promised for today",
        ),
        pytest.param({"is_promise_due": True}, QueueGroup.NOW, id="promised, and due now"),
    ],
)
def test_a_call_stands_in_one_part_of_the_queue(
    deviations: dict[str, object], group: QueueGroup
) -> None:
    assert group_of(replace(READY, **deviations)) is group  # type: ignore[arg-type]


@given(FACTS)
def test_what_the_law_bars_is_never_to_be_called_now(facts: QueueFacts) -> None:
    barred = replace(facts, is_barred=True, lawful_until_at=None)

    assert group_of(barred) is not QueueGroup.NOW


def test_each_reason_has_its_own_fact_and_leads_those_below_it() -> None:
    assert whys_of(READY) == (Why.DUE,)
    assert {why: whys_of(facts)[0] for why, facts in PRESSING.items()} == {why: why for why in Why}


def test_a_reason_counts_more_than_all_less_pressing_ones_together() -> None:
    pressing = list(Why)

    assert all(
        why.points > sum(less.points for less in pressing[place + 1 :])
        for place, why in enumerate(pressing[:-1])
    )


@given(FACTS)
def test_there_is_always_a_reason_and_due_only_stands_alone(facts: QueueFacts) -> None:
    whys = whys_of(facts)

    assert whys
    assert list(whys) == sorted(whys, key=list(Why).index)
    assert Why.DUE not in whys or whys == (Why.DUE,)


def test_a_nurses_answer_comes_first_then_a_promised_time_then_what_closes() -> None:
    shuffled = [PRESSING[why] for why in reversed(PRESSING)]

    ordered = sorted(shuffled, key=_place)

    assert [whys_of(facts)[0] for facts in ordered] == list(Why)


def test_a_nurses_answer_presses_until_somebody_has_spoken_with_the_patient() -> None:
    answered = PRESSING[Why.SAFETY]
    spoken_before = replace(answered, spoken_at=NOW - 2 * HOUR)
    spoken_since = replace(answered, spoken_at=NOW - HOUR / 2)

    assert score_of(spoken_before).leading is Why.SAFETY
    assert score_of(spoken_since).leading is Why.DUE


def test_among_equals_whoever_was_spoken_with_longest_ago_comes_first() -> None:
    never = READY
    lately = replace(READY, spoken_at=NOW - 24 * HOUR)
    long_ago = replace(READY, spoken_at=NOW - 240 * HOUR)

    assert sorted([lately, long_ago, never], key=_place) == [never, long_ago, lately]


def test_among_those_never_spoken_with_what_closes_first_comes_first() -> None:
    closing = replace(READY, lawful_until_at=NOW + HOUR + TICK)

    assert sorted([READY, closing], key=_place) == [closing, READY]


def test_all_may_wait_but_a_nurses_answer_and_a_time_that_was_asked_for() -> None:
    assert {why for why, facts in PRESSING.items() if not may_wait(facts)} == {
        Why.SAFETY,
        Why.AGREED,
    }


def test_a_time_that_has_not_begun_does_not_close_soon() -> None:
    later = replace(READY, dial_from_at=NOW + TICK, dial_until_at=NOW + HOUR / 2)

    assert Why.CLOSES_SOON not in whys_of(later)


def test_what_comes_later_is_ordered_by_its_time_whatever_presses() -> None:
    soon = replace(READY, dial_from_at=NOW + HOUR)
    promised = replace(READY, dial_from_at=NOW + 2 * HOUR, is_agreed=True, is_last_day=True)

    assert sorted([promised, soon], key=_place) == [soon, promised]


@given(st.lists(FACTS, max_size=12), st.randoms(use_true_random=False))
def test_the_order_is_total_and_does_not_depend_on_how_calls_were_found(
    calls: list[QueueFacts], chance: random.Random
) -> None:
    keyed = [(*_place(facts), place) for place, facts in enumerate(calls)]
    shuffled = list(keyed)
    chance.shuffle(shuffled)

    assert sorted(shuffled) == sorted(keyed)


@given(FACTS, FACTS)
def test_a_promised_time_in_its_window_stands_above_all_but_safety(
    facts: QueueFacts, other: QueueFacts
) -> None:
    promised = replace(facts, is_agreed=True, dial_from_at=NOW, dial_until_at=NOW + HOUR / 2)
    if group_of(promised) is group_of(other) is QueueGroup.NOW:
        is_promised = Why.AGREED in whys_of(other)
        if not is_promised and Why.SAFETY not in whys_of(other):
            assert _place(promised) < _place(other)


@given(FACTS, st.sampled_from([why for why in Why if why is not Why.DUE]))
def test_another_reason_never_lowers_a_call(facts: QueueFacts, why: Why) -> None:
    before = whys_of(facts)
    more = replace(facts, **DEVIATIONS[why])  # type: ignore[arg-type]
    if set(before) <= set(whys_of(more)) | {Why.DUE}:
        assert score_of(more).points >= score_of(facts).points
        if group_of(facts) is group_of(more) is QueueGroup.NOW and len(whys_of(more)) > len(before):
            assert _place(more) < _place(facts)


@given(FACTS, st.sampled_from(["Australia/Lord_Howe", "Pacific/Chatham", "Asia/Kathmandu"]))
def test_instants_told_in_another_zone_change_nothing(facts: QueueFacts, zone: str) -> None:
    elsewhere = {
        each.name: value.astimezone(ZoneInfo(zone))
        for each in fields(facts)
        if isinstance(value := getattr(facts, each.name), datetime)
    }
    told = replace(facts, **elsewhere)  # type: ignore[arg-type]

    assert _place(told) == _place(facts)
    assert (group_of(told), score_of(told)) == (group_of(facts), score_of(facts))


@given(FACTS, st.booleans(), st.booleans())
def test_only_what_somebody_put_off_rests_among_the_calls_of_now(
    facts: QueueFacts,
    is_put_off: bool,  # noqa: FBT001 - drawn by hypothesis
    was_tried: bool,  # noqa: FBT001
) -> None:
    rest = rest_of(facts, is_put_off=is_put_off, was_tried_today=was_tried)

    if rest is Rest.SAID:
        assert is_put_off
        assert may_wait(facts)
    elif rest is not None:
        assert group_of(facts) in (QueueGroup.COMING, QueueGroup.PROMISED)
        assert (rest is Rest.HOURS) == (facts.dial_from_at <= facts.now)


@given(FACTS, st.booleans())
def test_a_nurses_answer_is_never_put_off(
    facts: QueueFacts,
    was_tried: bool,  # noqa: FBT001 - drawn by hypothesis
) -> None:
    answered = replace(facts, answered_at=NOW, spoken_at=None)

    rest = rest_of(answered, is_put_off=True, was_tried_today=was_tried)

    assert rest is not Rest.SAID
