"""A protocol that makes no sense is told so, field by field; codes are kept for ever."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.programmes.rules import (
    PUBLISHED_PROTOCOL,
    AttemptPolicy,
    FollowUpPolicy,
    MeasurePoint,
    Milestone,
    Phase,
    Protocol,
    Rhythm,
)
from outreach.programmes.rules.checking import Flaw, problems
from outreach.programmes.rules.codes import coded, unused
from tests.unit.programmes.protocols import protocols

WEEK_1, WEEKS_2_TO_4, LATER = PUBLISHED_PROTOCOL.phases
BASELINE, MONTH_3, MONTH_6 = PUBLISHED_PROTOCOL.measure_points
TOOL = PUBLISHED_PROTOCOL.milestones[0]


def test_the_published_programme_makes_sense() -> None:
    assert problems(PUBLISHED_PROTOCOL) == []
    assert (PUBLISHED_PROTOCOL.fewest_calls, PUBLISHED_PROTOCOL.most_calls) == (17, 40)


@given(protocols())
def test_what_makes_sense_has_no_flaw_and_survives_being_stored(protocol: Protocol) -> None:
    assert problems(protocol) == []
    assert Protocol.from_data(json.loads(json.dumps(protocol.as_data()))) == protocol


def test_what_an_older_release_stored_still_reads() -> None:
    old = {
        "phases": [
            {
                "code": "week_1",
                "first_week": 1,
                "last_week": 1,
                "rhythm": "calls per week",
                "choices": [3],
                "default": 3,
            }
        ],
        "attempts": vars(AttemptPolicy()).copy(),
        "reminder_lead_minutes": 1440,
    }

    assert Protocol.from_data(old) == Protocol(
        (Phase("week_1", 1, 1, Rhythm.CALLS_PER_WEEK, (3,), 3),)
    )


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        pytest.param({"phases": ()}, ("", None, "phases", Flaw.NO_PHASE), id="no phase"),
        pytest.param(
            {"phases": (WEEKS_2_TO_4, LATER)}, ("phases", 0, "weeks", Flaw.GAP), id="starts late"
        ),
        pytest.param(
            {"phases": (WEEK_1, LATER)}, ("phases", 1, "weeks", Flaw.GAP), id="a gap of weeks"
        ),
        pytest.param(
            {"phases": (WEEK_1, replace(WEEKS_2_TO_4, first_week=1), LATER)},
            ("phases", 1, "weeks", Flaw.GAP),
            id="an overlap",
        ),
        pytest.param(
            {"phases": (replace(WEEK_1, choices=(8,), default=8), WEEKS_2_TO_4, LATER)},
            ("phases", 0, "choices", Flaw.CHOICES_OUTSIDE),
            id="8 calls a week",
        ),
        pytest.param(
            {"phases": (WEEK_1, WEEKS_2_TO_4, replace(LATER, choices=(7, 29)))},
            ("phases", 2, "choices", Flaw.CHOICES_OUTSIDE),
            id="29 days between",
        ),
        pytest.param(
            {"phases": (WEEK_1, replace(WEEKS_2_TO_4, default=6), LATER)},
            ("phases", 1, "default", Flaw.DEFAULT_NOT_OFFERED),
            id="a default that is not offered",
        ),
        pytest.param(
            {"phases": (WEEK_1, WEEKS_2_TO_4, replace(LATER, code="week_1"))},
            ("phases", 2, "name", Flaw.SAME_CODE),
            id="a code used twice",
        ),
        pytest.param(
            {"phases": (WEEK_1, WEEKS_2_TO_4, replace(LATER, last_week=105))},
            ("phases", 2, "weeks", Flaw.TOO_LONG),
            id="too long",
        ),
        pytest.param(
            {"attempts": AttemptPolicy(max_dials=1, max_dials_per_day=1, min_dayparts=1)},
            ("attempts", None, "min_days", Flaw.MORE_THAN_DIALS),
            id="more days than dials",
        ),
        pytest.param(
            {"follow_up": FollowUpPolicy(missed_to_review=4)},
            ("follow_up", None, "missed_to_check", Flaw.CHECK_BEFORE_REVIEW),
            id="checked before reviewed",
        ),
        pytest.param(
            {"follow_up": FollowUpPolicy(unreachable_days=29)},
            ("follow_up", None, "unreachable_days", Flaw.UNREACHABLE_TOO_SOON),
            id="unreachable before the check",
        ),
        pytest.param(
            {"minutes_per_call": 0},
            ("", None, "minutes_per_call", Flaw.OUT_OF_BOUNDS),
            id="calls of no time",
        ),
        pytest.param(
            {"measure_points": (BASELINE, replace(MONTH_3, target_day=121), MONTH_6)},
            ("measure_points", 1, "target_day", Flaw.TARGET_OUTSIDE),
            id="a target outside its window",
        ),
        pytest.param(
            {"measure_points": (BASELINE, replace(MONTH_3, until_day=150), MONTH_6)},
            ("measure_points", 2, "from_day", Flaw.WINDOWS_OVERLAP),
            id="windows that overlap",
        ),
        pytest.param(
            {"measure_points": (replace(BASELINE, measures=()),)},
            ("measure_points", 0, "measures", Flaw.NOTHING_MEASURED),
            id="nothing measured",
        ),
        pytest.param(
            {"milestones": (replace(TOOL, until_day=-1),)},
            ("milestones", 0, "until_day", Flaw.ENDS_BEFORE_IT_BEGINS),
            id="a milestone that ends before it begins",
        ),
        pytest.param(
            {"milestones": (replace(TOOL, name=" "),)},
            ("milestones", 0, "name", Flaw.NO_NAME),
            id="a milestone without a name",
        ),
        pytest.param(
            {"milestones": (Milestone("late", "Late", 182, 190),)},
            ("milestones", 0, "from_day", Flaw.AFTER_THE_END),
            id="a milestone after the end",
        ),
    ],
)
def test_each_flaw_is_found_where_it_is(changed: dict[str, Any], expected: tuple[Any, ...]) -> None:
    found = problems(replace(PUBLISHED_PROTOCOL, **changed))

    assert expected in [(each.part, each.index, each.field, each.flaw) for each in found]


def test_windows_of_different_measures_may_overlap() -> None:
    weight = MeasurePoint("weight", "Weight", ("weight",), 95, 60, 200)
    points = (*PUBLISHED_PROTOCOL.measure_points, weight)

    assert problems(replace(PUBLISHED_PROTOCOL, measure_points=points)) == []


def test_a_code_stays_when_the_name_changes() -> None:
    renamed = replace(WEEKS_2_TO_4, name="As they like")
    draft = replace(PUBLISHED_PROTOCOL, phases=(WEEK_1, renamed, LATER))

    assert coded(draft, [PUBLISHED_PROTOCOL]) == draft


def test_a_phase_that_counts_something_else_gets_another_code() -> None:
    other = replace(WEEKS_2_TO_4, rhythm=Rhythm.DAYS_BETWEEN)
    draft = replace(PUBLISHED_PROTOCOL, phases=(WEEK_1, other, LATER))

    found = coded(draft, [PUBLISHED_PROTOCOL])

    assert found.phases[1].code not in {each.code for each in PUBLISHED_PROTOCOL.phases}
    assert found.phases[2].code == LATER.code


def test_a_code_that_was_given_up_is_never_used_again() -> None:
    first = replace(PUBLISHED_PROTOCOL, milestones=(Milestone("gift", "Gift", 0, 6),))
    second = replace(PUBLISHED_PROTOCOL, milestones=())
    draft = replace(PUBLISHED_PROTOCOL, milestones=(Milestone("", "Gift", 7, 13),))

    assert coded(draft, [first, second]).milestones[0].code == "gift_2"


@given(protocols(), protocols(), protocols())
def test_codes_are_single_and_only_the_newest_ones_are_kept(
    first: Protocol, second: Protocol, draft: Protocol
) -> None:
    found = coded(draft, [first, second])
    given_up = {each.code for each in first.phases} - {each.code for each in second.phases}

    codes = [each.code for each in found.phases]
    assert len(codes) == len(set(codes))
    assert not given_up & set(codes)
    assert [each.name for each in found.phases] == [each.name for each in draft.phases]
    assert coded(found, [first, second, found]) == found


@given(st.text(max_size=80), st.sets(st.sampled_from(["part", "part_2", "gift"])))
def test_a_code_can_be_made_from_any_name(name: str, taken: set[str]) -> None:
    code = unused(name, taken)

    assert code not in taken
    assert 0 < len(code) <= 40
