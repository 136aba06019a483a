"""The demo's histories keep the programme's rules, whenever it is started."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest

from outreach.calls.rules import Outcome
from outreach.panels.rules import DEFAULT_PANEL_CAP
from outreach.patients.rules import is_allowed_at
from outreach.planning.rules import CallStatus
from outreach.programmes.rules import PUBLISHED_PROTOCOL
from scripts.demo.cast import make_cast
from scripts.demo.people import ANA, SITES, SPANISH, Fate, Part, Person
from scripts.demo.story import Dial
from scripts.demo.texts import of as texts_of
from scripts.demo.today import Lived, live_all

POLICY = PUBLISHED_PROTOCOL.attempts
INSTANTS = (
    pytest.param(datetime(2026, 11, 23, 16, tzinfo=UTC), id="Monday 10 am"),
    pytest.param(datetime(2026, 11, 25, 22, 40, tzinfo=UTC), id="Wednesday afternoon"),
    pytest.param(datetime(2026, 11, 23, 4, tzinfo=UTC), id="Sunday night"),
    pytest.param(datetime(2026, 11, 21, 17, tzinfo=UTC), id="Saturday"),
    pytest.param(datetime(2026, 3, 8, 17, tzinfo=UTC), id="clocks go forward"),
    pytest.param(datetime(2026, 11, 1, 18, tzinfo=UTC), id="clocks go back"),
    pytest.param(datetime(2027, 2, 2, 9, tzinfo=UTC), id="Tuesday before dawn"),
)


@pytest.fixture(scope="module", params=INSTANTS)
def now(request: pytest.FixtureRequest) -> datetime:
    instant: datetime = request.param
    return instant


@pytest.fixture(scope="module")
def lived(now: datetime) -> list[Lived]:
    return live_all(make_cast(Random(1), now=now), seed=1, now=now)  # noqa: S311


def dials_of(lived: list[Lived]) -> list[tuple[Person, Dial]]:
    return [
        (person, dial) for person, story in lived for call in story.calls for dial in call.dials
    ]


def test_there_are_as_many_of_each_kind_as_promised(lived: list[Lived]) -> None:
    fates = Counter(person.fate for person, _story in lived)
    sites = Counter(person.site for person, _story in lived)

    assert sites == dict.fromkeys(SITES, 80)
    assert fates[Fate.COMPLETED] == 56
    assert fates[Fate.ACTIVE] + fates[Fate.WAITING] == 95
    assert 6 <= fates[Fate.WAITING] <= 8


def test_everybody_who_is_called_now_has_one_open_call(lived: list[Lived]) -> None:
    for person, story in lived:
        still_open = [call for call in story.calls if call.status is CallStatus.PLANNED]
        assert len(still_open) == (1 if person.fate is Fate.ACTIVE else 0)


def test_nobody_is_dialled_outside_their_contact_hours_or_in_the_future(
    lived: list[Lived], now: datetime
) -> None:
    for person, dial in dials_of(lived):
        assert is_allowed_at(dial.at, person.zone, person.calendar.lawful())
        assert dial.over_at <= now


def test_a_planned_call_is_dialled_three_times_at_most_and_twice_a_day(
    lived: list[Lived],
) -> None:
    for person, story in lived:
        for call in story.calls:
            days = Counter(person.local_day(dial.at) for dial in call.dials)
            assert len(call.dials) <= POLICY.max_dials
            assert max(days.values(), default=0) <= POLICY.max_dials_per_day


def test_dials_of_one_call_are_hours_apart_and_calls_do_not_overlap(lived: list[Lived]) -> None:
    for _person, story in lived:
        for call in story.calls:
            for first, second in pairwise(call.dials):
                assert second.at - first.over_at >= timedelta(hours=POLICY.hours_between)
        for earlier, later in pairwise(story.calls):
            assert earlier.due.on < later.due.on
            assert earlier.closed_at is not None
            assert earlier.closed_at <= later.planned_at


def test_calls_end_within_the_programme(lived: list[Lived]) -> None:
    for person, story in lived:
        for call in story.calls:
            assert person.starts_on <= call.due.on <= call.due.complete_by_on
            assert call.due.complete_by_on < PUBLISHED_PROTOCOL.ends_on(person.starts_on)


def test_patients_and_callers_share_a_language_and_panels_have_room(lived: list[Lived]) -> None:
    panels = Counter(
        person.caller
        for person, _story in lived
        if person.fate in (Fate.ACTIVE, Fate.PAUSED, Fate.UNREACHABLE)
    )

    assert max(panels.values()) <= DEFAULT_PANEL_CAP
    assert panels[ANA] == 19
    for person, dial in dials_of(lived):
        assert person.language in dial.caller.languages
        assert dial.caller.site is person.site
    assert sum(person.language == SPANISH for person, _story in lived) > 40


def test_answers_and_lengths_are_those_of_a_real_programme(lived: list[Lived]) -> None:
    dials = [dial for _person, dial in dials_of(lived)]
    closed = Counter(call.status for _person, story in lived for call in story.calls)
    minutes = sorted(dial.minutes for dial in dials if dial.outcome is Outcome.COMPLETED)
    reached = sum(dial.outcome.is_reached for dial in dials) / len(dials)

    assert 0.45 <= reached <= 0.60
    completed, missed = closed[CallStatus.COMPLETED], closed[CallStatus.MISSED]
    assert 0.78 <= completed / (completed + missed) <= 0.86
    assert minutes[0] >= 6
    assert minutes[-1] <= 25
    assert 10 <= minutes[len(minutes) // 2] <= 12


def test_every_phase_and_every_choice_occurs(lived: list[Lived]) -> None:
    open_phases = {story.open_call.due.phase for _person, story in lived if story.open_call}
    chosen = {(phase, value) for _p, story in lived for phase, value, _c, _at in story.choices}

    assert open_phases == {phase.code for phase in PUBLISHED_PROTOCOL.phases}
    assert {value for phase, value in chosen if phase == "weeks_2_to_4"} == {1, 2, 3, 4, 5}
    assert {value for phase, value in chosen if phase == "weeks_5_to_26"} == {7, 14}


def test_reminders_keep_to_contact_hours_and_limits(lived: list[Lived], now: datetime) -> None:
    for person, story in lived:
        sent = [text.at for text in texts_of(Random(1), person, story, now=now)]  # noqa: S311
        assert all(is_allowed_at(at, person.zone, person.calendar.lawful()) for at in sent)
        assert all(at <= now for at in sent)
        assert len({person.local_day(at) for at in sent}) == len(sent)
        assert all(later - first >= timedelta(days=7) for first, later in zip(sent, sent[3:]))  # noqa: B905


def test_anas_day_shows_every_kind_of_call(lived: list[Lived], now: datetime) -> None:
    hers = [(person, story) for person, story in lived if person.part]
    parts = Counter(person.part for person, _story in hers)
    due = [
        story.open_call
        for person, story in lived
        if person.caller is ANA
        and story.open_call
        and story.open_call.due.on <= person.local_day(now)
    ]

    assert len(hers) in (12, 13)  # a holiday nearby may leave one part no room
    assert 9 <= len(due) <= 15
    assert parts[Part.AGREED] == 1
    assert parts[Part.BAD_NUMBER] <= 1
    for person, story in hers:
        call = story.open_call
        assert call is not None
        assert call.is_agreed is (person.part is Part.AGREED)
        if person.part is Part.BAD_NUMBER:
            assert call.dials[-1].outcome is Outcome.DISCONNECTED


def test_the_working_day_has_calls_done_tried_and_running_out() -> None:
    now = datetime(2026, 11, 24, 20, tzinfo=UTC)  # a Tuesday, 2 in the afternoon in Chicago
    lived = live_all(make_cast(Random(1), now=now), seed=1, now=now)  # noqa: S311

    parts = Counter(person.part for person, _story in lived if person.part)

    assert parts[Part.DONE] == 2
    assert parts[Part.WORRYING] == parts[Part.TRIED] == parts[Part.LAST_DAY] == 1
