"""How far a call has come, and who is on shift."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.phoning.rules import (
    LONGEST_CALL,
    Direction,
    Ending,
    Facts,
    Stage,
    WorkHours,
    advanced,
    begun_minutes,
    ending_of,
    happened_at,
    is_on_shift,
    is_over,
    stage_of,
    talk_seconds,
)
from outreach.phoning.templates import LANGUAGES, later, put_through, returned, voicemail
from outreach.telephony.gateway import AnsweredBy, LegStatus

NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)
MONDAY = datetime(2026, 11, 23, tzinfo=ZoneInfo("America/Chicago"))
SHIFTS = [WorkHours(0, time(9), time(12)), WorkHours(0, time(13), time(17))]
statuses = st.sampled_from(LegStatus)


@given(reports=st.lists(statuses), again=st.lists(statuses))
def test_a_telephone_only_moves_on_and_repeats_change_nothing(
    reports: list[LegStatus], again: list[LegStatus]
) -> None:
    status = LegStatus.NONE
    for each in reports:
        status = advanced(status, each)
    late = [each for each in again if each in reports]
    after = status
    for each in late:
        after = advanced(after, each)

    assert after is status
    assert status.is_final == any(each.is_final for each in reports)


@given(reports=st.lists(st.tuples(st.booleans(), statuses), max_size=12))
def test_a_call_never_goes_back(reports: list[tuple[bool, LegStatus]]) -> None:
    staff = patient = LegStatus.NONE
    is_talk, stages = False, []
    for is_staff, status in reports:
        staff = advanced(staff, status) if is_staff else staff
        patient = patient if is_staff else advanced(patient, status)
        is_talk = is_talk or (not is_staff and status is LegStatus.ANSWERED)
        stages.append(stage_of(Facts(Direction.OUT, staff, patient, is_talk=is_talk)))

    order = [list(Stage).index(each) for each in stages]
    assert order == sorted(order)


@given(staff=statuses, patient=statuses, direction=st.sampled_from(Direction))
def test_every_call_that_is_over_has_an_ending(
    staff: LegStatus, patient: LegStatus, direction: Direction
) -> None:
    facts = Facts(direction, staff, patient)

    assert is_over(facts) == (stage_of(facts) is Stage.ENDED)
    assert ending_of(facts) not in (Ending.TALKED, Ending.MACHINE)


def test_a_machine_is_no_talk() -> None:
    facts = Facts(
        Direction.OUT,
        LegStatus.COMPLETED,
        LegStatus.COMPLETED,
        is_talk=True,
        answered_by=AnsweredBy.MACHINE,
    )

    assert ending_of(facts) is Ending.MACHINE


@pytest.mark.parametrize(
    ("reported", "expected"),
    [
        (None, NOW),
        (NOW - timedelta(seconds=7), NOW - timedelta(seconds=7)),
        (NOW + timedelta(seconds=1), NOW),
        (NOW - LONGEST_CALL - timedelta(hours=1), NOW),
    ],
)
def test_the_carriers_clock_is_believed_within_reason(
    reported: datetime | None, expected: datetime
) -> None:
    assert happened_at(reported, NOW) == expected


@pytest.mark.parametrize(("seconds", "minutes"), [(0, 1), (1, 1), (60, 1), (61, 2), (610, 11)])
def test_begun_minutes_count(seconds: int, minutes: int) -> None:
    assert begun_minutes(seconds) == minutes


def test_who_has_not_talked_has_no_length() -> None:
    assert talk_seconds(None, NOW, NOW) is None
    assert talk_seconds(NOW - timedelta(seconds=90), None, NOW) == 90


@pytest.mark.parametrize("at", [time(9), time(11, 59), time(13), time(16, 59)])
def test_a_shift_begins_at_its_first_minute(at: time) -> None:
    assert is_on_shift(SHIFTS, MONDAY.replace(hour=at.hour, minute=at.minute))
    assert not is_on_shift([], MONDAY.replace(hour=at.hour))


@pytest.mark.parametrize("at", [time(8, 59), time(12), time(17)])
def test_a_shift_ends_before_its_last_minute(at: time) -> None:
    monday = MONDAY.replace(hour=at.hour, minute=at.minute)

    assert not is_on_shift(SHIFTS, monday)
    assert not is_on_shift(SHIFTS, MONDAY.replace(hour=10) + timedelta(days=1))


HEALTH_WORDS = ("diabet", "glu", "sugar", "azúcar", "açúcar", "clinic", "health", "salud", "saúde")


@pytest.mark.parametrize("language", [*LANGUAGES, "pt-BR", "vi"])
def test_whatever_is_said_aloud_has_no_word_of_health(language: str) -> None:
    said = voicemail(language, patient="Rosa", caller="Ana", phone="(512) 555-0100")
    spoken = [said.text, later(language).text, put_through().text, returned().text]

    assert "Rosa" in said.text
    assert "(512) 555-0100" in said.text
    assert said.language == later(language).language
    assert not [word for text in spoken for word in HEALTH_WORDS if word in text.lower()]
