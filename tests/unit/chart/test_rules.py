"""What a patient's page decides by itself."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.chart.rules import (
    ConsentFact,
    Texts,
    may_enrol,
    next_statuses,
    programme_week,
    texts_to,
)
from outreach.patients.rules import ConsentSource
from outreach.programmes.rules import PUBLISHED_PROTOCOL, EnrolmentStatus

MONDAY = date(2026, 11, 23)
NOON = datetime(2026, 11, 23, 18, tzinfo=UTC)


@pytest.mark.parametrize(
    ("days", "week"),
    [
        pytest.param(-1, None, id="not begun"),
        pytest.param(0, 1, id="first day"),
        pytest.param(6, 1, id="last day of week 1"),
        pytest.param(7, 2, id="first day of week 2"),
        pytest.param(181, 26, id="last day of the programme"),
    ],
)
def test_counts_weeks_from_the_day_of_the_start(days: int, week: int | None) -> None:
    assert programme_week(MONDAY + timedelta(days=days), MONDAY) == week


@pytest.mark.parametrize(
    ("days", "code"),
    [
        pytest.param(-3, "weeks_2_to_4", id="before the start"),
        pytest.param(0, "weeks_2_to_4", id="week 1 offers nothing, so the next phase"),
        pytest.param(27, "weeks_2_to_4", id="last day of week 4"),
        pytest.param(28, "weeks_5_to_26", id="week 5"),
        pytest.param(181, "weeks_5_to_26", id="last day"),
        pytest.param(182, None, id="over"),
    ],
)
def test_offers_the_choice_of_this_phase_or_the_next(days: int, code: str | None) -> None:
    phase = PUBLISHED_PROTOCOL.phase_to_choose(MONDAY + timedelta(days=days), MONDAY)

    assert (phase.code if phase else None) == code


def _event(*, is_given: bool, source: ConsentSource, number: str = "+1") -> ConsentFact:
    return ConsentFact(number, is_given, source, NOON)


@pytest.mark.parametrize(
    ("ledger", "expected"),
    [
        pytest.param([], Texts.NO, id="nothing on record"),
        pytest.param([_event(is_given=True, source=ConsentSource.CALL)], Texts.YES, id="yes"),
        pytest.param([_event(is_given=False, source=ConsentSource.CALL)], Texts.NO, id="no"),
        pytest.param(
            [_event(is_given=False, source=ConsentSource.CARRIER)], Texts.STOPPED, id="STOP"
        ),
        pytest.param(
            [
                _event(is_given=True, source=ConsentSource.CALL),
                _event(is_given=False, source=ConsentSource.CARRIER),
            ],
            Texts.YES,
            id="agreed again after a STOP",
        ),
        pytest.param(
            [_event(is_given=True, source=ConsentSource.CALL, number="+2")],
            Texts.NO,
            id="consent to another number does not count",
        ),
    ],
)
def test_the_newest_word_about_a_number_counts(ledger: list[ConsentFact], expected: Texts) -> None:
    assert texts_to("+1", ledger)[0] is expected


@given(st.sampled_from(EnrolmentStatus))
def test_only_a_pause_leads_to_itself_and_nothing_to_the_end_by_hand(
    status: EnrolmentStatus,
) -> None:
    assert (status in next_statuses(status)) is (status is EnrolmentStatus.PAUSED)
    assert EnrolmentStatus.COMPLETED not in next_statuses(status)


@pytest.mark.parametrize(
    ("latest", "expected"),
    [
        (None, True),
        (EnrolmentStatus.COMPLETED, True),
        (EnrolmentStatus.WITHDRAWN, True),
        (EnrolmentStatus.ACTIVE, False),
        (EnrolmentStatus.PAUSED, False),
        (EnrolmentStatus.UNREACHABLE, False),
        (EnrolmentStatus.DIED, False),
    ],
)
def test_who_is_in_the_programme_or_died_is_not_enrolled(
    latest: EnrolmentStatus | None, *, expected: bool
) -> None:
    assert may_enrol(latest) is expected
