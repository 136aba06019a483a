"""Why there is no call, or no text, today: the first reason that holds."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.chart.rules import CallFacts, TextFacts, Today, TodayReason, call_today, text_today
from outreach.messaging.rules import Decision, SkipReason
from outreach.programmes.rules import EnrolmentStatus

CHICAGO = ZoneInfo("America/Chicago")
NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)  # Monday, 10 in the morning
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DUE_NOW = CallFacts(
    status=EnrolmentStatus.ACTIVE,
    has_caller=True,
    has_number=True,
    reached_at=None,
    is_open_day=True,
    due_on=date(2026, 11, 23),
    dial_from_at=NOW - HOUR,
    dial_until_at=NOW + HOUR,
)
QUIET = TextFacts(
    decision=Decision(), waiting_at=None, sent_at=None, has_call=True, reminder_at=NOW + DAY
)


@pytest.mark.parametrize(
    ("deviations", "today"),
    [
        ({}, Today(TodayReason.DUE_NOW, NOW + HOUR)),
        ({"status": None}, Today(TodayReason.NOT_ENROLLED)),
        ({"status": EnrolmentStatus.PAUSED}, Today(TodayReason.PAUSED)),
        ({"status": EnrolmentStatus.COMPLETED}, Today(TodayReason.ENDED)),
        ({"has_number": False, "has_caller": False}, Today(TodayReason.NO_NUMBER)),
        ({"has_caller": False}, Today(TodayReason.NO_CALLER)),
        ({"reached_at": NOW}, Today(TodayReason.REACHED, NOW)),
        ({"dial_from_at": None}, Today(TodayReason.NOT_PLANNED_YET)),
        ({"dial_from_at": NOW + HOUR}, Today(TodayReason.LATER_TODAY, NOW + HOUR)),
        ({"dial_from_at": NOW + DAY}, Today(TodayReason.DUE_LATER, NOW + DAY)),
        (
            {"dial_from_at": NOW + DAY, "is_open_day": False},
            Today(TodayReason.CLOSED_DAY, NOW + DAY),
        ),
        (
            {"dial_from_at": NOW + DAY, "is_open_day": False, "due_on": date(2026, 11, 24)},
            Today(TodayReason.DUE_LATER, NOW + DAY),
        ),
        ({"dial_until_at": NOW}, Today(TodayReason.TIME_PASSED, NOW)),
    ],
)
def test_the_first_reason_why_nobody_calls(deviations: dict[str, object], today: Today) -> None:
    facts = replace(DUE_NOW, **deviations)  # type: ignore[arg-type]

    assert call_today(facts, CHICAGO, now=NOW) == today


@pytest.mark.parametrize(
    ("deviations", "today"),
    [
        ({}, Today(TodayReason.WRITTEN_LATER, NOW + DAY)),
        ({"reminder_at": NOW - HOUR}, Today(TodayReason.ANY_MINUTE, NOW)),
        ({"reminder_at": None}, Today(TodayReason.REMINDED)),
        ({"has_call": False, "reminder_at": None}, Today(TodayReason.NO_CALL_AHEAD)),
        ({"sent_at": NOW - HOUR}, Today(TodayReason.SENT, NOW - HOUR)),
        (
            {"decision": Decision(SkipReason.NO_CONSENT)},
            Today(TodayReason.SKIPPED, skip=SkipReason.NO_CONSENT),
        ),
        (
            {"decision": Decision(wait_until=NOW + 2 * HOUR), "waiting_at": NOW - HOUR},
            Today(TodayReason.WAITS, NOW + 2 * HOUR),
        ),
        ({"waiting_at": NOW - HOUR}, Today(TodayReason.ANY_MINUTE, NOW)),
        ({"waiting_at": NOW - HOUR, "has_pace": True}, Today(TodayReason.IN_LINE, NOW)),
    ],
)
def test_the_first_reason_why_no_text_goes_out(deviations: dict[str, object], today: Today) -> None:
    assert text_today(replace(QUIET, **deviations), now=NOW) == today  # type: ignore[arg-type]


TIMES = st.none() | st.timedeltas(-2 * DAY, 2 * DAY).map(lambda by: NOW + by)


@given(
    st.builds(
        TextFacts,
        decision=st.sampled_from(
            (Decision(), Decision(SkipReason.WEEK_LIMIT), Decision(wait_until=NOW + HOUR))
        ),
        waiting_at=TIMES,
        sent_at=st.none(),
        has_call=st.booleans(),
        reminder_at=TIMES,
    )
)
def test_any_minute_is_said_only_of_what_the_sender_would_send(facts: TextFacts) -> None:
    if text_today(facts, now=NOW).reason is TodayReason.ANY_MINUTE:
        assert facts.decision.is_send
