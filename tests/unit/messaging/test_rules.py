"""What may be sent, and what becomes of it."""

import random
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.messaging.rules import (
    LIMITS,
    MAX_TRIES,
    Decision,
    MessageKind,
    MessageStatus,
    SendFacts,
    SkipReason,
    advanced,
    decide,
    staff_hours_end,
    wait_before_retry,
)
from outreach.telephony.gateway import DeliveryStatus

NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)
TOMORROW = NOW + timedelta(hours=23)
FIT = SendFacts(
    kind=MessageKind.REMINDER,
    allowed_at=NOW,
    tomorrow_at=TOMORROW,
    has_consent=True,
    is_number_working=True,
    is_enrolled=True,
    sent_today=0,
    sent_this_week=0,
    expires_at=NOW + timedelta(hours=1),
)
REPORTS = st.lists(st.sampled_from(DeliveryStatus), max_size=8)
# No carrier reports both ways for one text that did not arrive.
AGREEING = st.sampled_from([DeliveryStatus.FAILED, DeliveryStatus.UNDELIVERED]).flatmap(
    lambda never: st.lists(
        st.sampled_from([each for each in DeliveryStatus if each is not never]), max_size=8
    )
)


def after(reports: list[DeliveryStatus], start: MessageStatus) -> MessageStatus:
    status = start
    for report in reports:
        status = advanced(status, report)
    return status


@given(AGREEING, st.randoms(use_true_random=False), st.sampled_from(MessageStatus))
def test_reports_in_any_order_end_at_the_same_status(
    reports: list[DeliveryStatus], chance: random.Random, start: MessageStatus
) -> None:
    shuffled = list(reports)
    chance.shuffle(shuffled)

    assert after(shuffled, start) is after(reports, start)


@given(REPORTS, st.sampled_from(MessageStatus))
def test_repeated_reports_change_nothing(
    reports: list[DeliveryStatus], start: MessageStatus
) -> None:
    once = after(reports, start)

    assert after(reports, once) is once
    assert all(advanced(once, report) is once for report in reports)


@pytest.mark.parametrize(
    ("current", "reported", "status"),
    [
        (MessageStatus.CALLING, DeliveryStatus.ACCEPTED, MessageStatus.ACCEPTED),
        (MessageStatus.UNKNOWN, DeliveryStatus.DELIVERED, MessageStatus.DELIVERED),
        (MessageStatus.SENT, DeliveryStatus.ACCEPTED, MessageStatus.SENT),
        (MessageStatus.UNDELIVERED, DeliveryStatus.DELIVERED, MessageStatus.DELIVERED),
        (MessageStatus.DELIVERED, DeliveryStatus.UNDELIVERED, MessageStatus.DELIVERED),
        (MessageStatus.DELIVERED, DeliveryStatus.SENT, MessageStatus.DELIVERED),
        (MessageStatus.FAILED, DeliveryStatus.SENT, MessageStatus.FAILED),
        (MessageStatus.SKIPPED, DeliveryStatus.DELIVERED, MessageStatus.SKIPPED),
    ],
)
def test_a_status_only_moves_up(
    current: MessageStatus, reported: DeliveryStatus, status: MessageStatus
) -> None:
    assert advanced(current, reported) is status


@pytest.mark.parametrize(
    ("deviations", "reason"),
    [
        ({}, None),
        ({"has_consent": False}, SkipReason.NO_CONSENT),
        ({"is_number_working": False}, SkipReason.NUMBER_UNFIT),
        ({"is_enrolled": False}, SkipReason.NOT_ENROLLED),
        ({"expires_at": NOW}, SkipReason.TOO_LATE),
        ({"expires_at": NOW + timedelta(microseconds=1)}, None),
        ({"expires_at": None}, None),
        ({"sent_today": LIMITS.per_day}, SkipReason.DAY_LIMIT),
        ({"sent_today": LIMITS.per_day - 1, "sent_this_week": LIMITS.per_week - 1}, None),
        ({"sent_this_week": LIMITS.per_week}, SkipReason.WEEK_LIMIT),
        ({"sent_this_week": LIMITS.per_week + 1}, SkipReason.WEEK_LIMIT),
    ],
)
def test_a_text_that_must_not_go_out_says_why(
    deviations: dict[str, object], reason: SkipReason | None
) -> None:
    decision = decide(replace(FIT, **deviations), now=NOW)  # type: ignore[arg-type]

    assert decision == Decision(reason)


def test_a_missing_consent_weighs_more_than_anything_else() -> None:
    unfit = SendFacts(
        kind=MessageKind.REMINDER,
        has_consent=False,
        is_number_working=False,
        is_enrolled=False,
        sent_today=9,
        sent_this_week=9,
        expires_at=NOW,
    )

    assert decide(unfit, now=NOW) == Decision(SkipReason.NO_CONSENT)


@pytest.mark.parametrize(
    ("deviations", "until"),
    [
        pytest.param({"sent_today": LIMITS.per_day}, TOMORROW, id="the day's text went out"),
        pytest.param(
            {"sent_this_week": LIMITS.per_week, "week_frees_at": NOW + timedelta(days=2)},
            NOW + timedelta(days=2),
            id="the week's texts went out",
        ),
        pytest.param({"yields": True}, TOMORROW, id="one that matters more comes today"),
        pytest.param(
            {"allowed_at": NOW + timedelta(hours=2)}, NOW + timedelta(hours=2), id="at night"
        ),
    ],
)
def test_a_text_that_can_wait_is_put_off(deviations: dict[str, object], until: datetime) -> None:
    patient_one = replace(FIT, expires_at=None)

    decision = decide(replace(patient_one, **deviations), now=NOW)  # type: ignore[arg-type]

    assert decision == Decision(wait_until=until)


def test_an_alert_to_staff_knows_neither_hours_nor_limits() -> None:
    assert decide(SendFacts(kind=MessageKind.ALERT, expires_at=None), now=NOW).is_send
    assert decide(SendFacts(kind=MessageKind.ALERT, expires_at=NOW), now=NOW) == Decision(
        SkipReason.TOO_LATE
    )


FACTS = st.builds(
    SendFacts,
    kind=st.just(MessageKind.REMINDER),
    expires_at=st.none() | st.timedeltas(timedelta(-1), timedelta(3)).map(lambda by: NOW + by),
    has_consent=st.booleans(),
    is_number_working=st.booleans(),
    is_enrolled=st.booleans(),
    sent_today=st.integers(0, 2),
    sent_this_week=st.integers(0, 4),
    allowed_at=st.timedeltas(timedelta(0), timedelta(1)).map(lambda by: NOW + by),
    tomorrow_at=st.just(TOMORROW),
    week_frees_at=st.just(NOW + timedelta(days=2)),
    yields=st.booleans(),
)


@given(FACTS)
def test_what_goes_out_is_wanted_in_turn_and_at_a_decent_hour(facts: SendFacts) -> None:
    decision = decide(facts, now=NOW)

    may_go_out = (
        facts.has_consent
        and facts.is_number_working
        and facts.is_enrolled
        and facts.sent_today < LIMITS.per_day
        and facts.sent_this_week < LIMITS.per_week
        and facts.allowed_at == NOW
        and not facts.yields
        and (facts.expires_at is None or facts.expires_at > NOW)
    )
    assert decision.is_send == may_go_out


@given(FACTS)
def test_what_is_put_off_comes_later_and_still_in_time(facts: SendFacts) -> None:
    until = decide(facts, now=NOW).wait_until

    if until is not None:
        assert until > NOW
        assert facts.expires_at is None or until < facts.expires_at


@given(st.integers(1, 60), st.floats(0, 1, exclude_max=True))
def test_a_retry_waits_between_a_few_seconds_and_some_minutes(tries: int, jitter: float) -> None:
    wait = wait_before_retry(tries, jitter)

    assert timedelta(seconds=11) < wait < timedelta(minutes=19)


@given(st.integers(1, MAX_TRIES), st.floats(0, 1, exclude_max=True))
def test_a_retry_never_waits_shorter_than_the_one_before(tries: int, jitter: float) -> None:
    assert wait_before_retry(tries + 1, jitter) >= wait_before_retry(tries, jitter)


def test_waits_double_from_fifteen_seconds_to_fifteen_minutes() -> None:
    waits = [wait_before_retry(tries, 0.5).total_seconds() for tries in range(1, 9)]

    assert waits == [15, 30, 60, 120, 240, 480, 900, 900]


@given(
    st.timedeltas(min_value=timedelta(), max_value=timedelta(days=700)),
    st.sampled_from(["America/Chicago", "Asia/Kolkata", "Pacific/Auckland", "UTC"]),
)
def test_staff_are_told_what_can_wait_by_day_only(after: timedelta, name: str) -> None:
    zone, now = ZoneInfo(name), NOW + after
    local = now.astimezone(zone)

    ends = staff_hours_end(now, zone)

    assert (ends is not None) == (9 <= local.hour < 19)
    if ends is not None:
        assert now < ends <= now + timedelta(hours=10)
        assert ends.astimezone(zone).time() == time(19)
        assert staff_hours_end(ends, zone) is None
