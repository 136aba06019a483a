"""A carrier in trouble, or a process that dies: one call at most, and none that never ends."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from outreach.errors import OutreachError, ProviderUnavailable
from outreach.orm import Sessions
from outreach.phoning.jobs import settle_lost_calls
from outreach.phoning.rules import LEASE, LONGEST_CALL, LOOK_AFTER, SETTLE_AFTER, Ending
from outreach.telephony.gateway import (
    CallPicture,
    InvalidRecipient,
    LegNews,
    LegStatus,
    OutcomeUnknown,
    Refused,
    TooFast,
)
from tests.fakes import FakeClock, FakeGateway, call_sid
from tests.integration.calls.conftest import Day
from tests.integration.phoning.conftest import PATIENT_LEG, Carrier, only_call, press


class KilledError(BaseException):
    """The process ends right after the carrier took the call."""


def settle(sessions: Sessions, gateway: FakeGateway, clock: FakeClock, by: timedelta) -> int:
    clock.advance(by)
    return settle_lost_calls(sessions, gateway, clock)


@pytest.mark.parametrize(
    "trouble",
    [TooFast("20429"), ProviderUnavailable("none"), InvalidRecipient("21211"), Refused("21210")],
)
def test_what_was_certainly_not_placed_is_over_at_once_and_may_be_pressed_again(
    ana: FlaskClient,
    day: Day,
    gateway: FakeGateway,
    clock: FakeClock,
    sessions: Sessions,
    trouble: OutreachError,
) -> None:
    gateway.troubles = [trouble]

    press(ana, day)

    assert only_call(sessions).ending is Ending.NOT_PLACED
    assert "did not go out" in ana.get(f"/calls/{day.rosa.ref}").text
    assert settle(sessions, gateway, clock, timedelta(minutes=10)) == 0
    assert gateway.placed == [], "nobody waits for it any more"
    press(ana, day, "two")
    assert len(gateway.placed) == 1


@pytest.mark.parametrize("trouble", [OutcomeUnknown("timeout"), KilledError()])
def test_a_call_that_was_taken_without_our_knowing_is_found_and_followed(
    ana: FlaskClient,
    day: Day,
    gateway: FakeGateway,
    clock: FakeClock,
    sessions: Sessions,
    trouble: BaseException,
) -> None:
    gateway.troubles = [trouble]
    if isinstance(trouble, KilledError):
        with pytest.raises(KilledError):
            press(ana, day)
    else:
        press(ana, day)

    press(ana, day)  # again, with the same form
    press(ana, day, "two", status=422)
    settle(sessions, gateway, clock, LEASE + LOOK_AFTER)

    call = only_call(sessions)
    assert call.staff_sid == call_sid(call.id)
    assert call.ended_at is None
    assert len(gateway.placed) == 1


def test_a_call_that_was_never_taken_is_given_up_and_its_telephone_let_in_no_more(
    ana: FlaskClient,
    day: Day,
    gateway: FakeGateway,
    carrier: Carrier,
    clock: FakeClock,
    sessions: Sessions,
) -> None:
    gateway.troubles, gateway.takes_unknown = [OutcomeUnknown("timeout")], False
    press(ana, day)
    assert settle(sessions, gateway, clock, LOOK_AFTER) == 0, "too soon to conclude"

    assert settle(sessions, gateway, clock, SETTLE_AFTER) == 1

    call = only_call(sessions)
    assert call.ending is Ending.NOT_PLACED
    assert "<Gather" not in carrier.asks(f"{call.id}/answered", CallSid=call_sid(call.id))
    press(ana, day, "two")


def test_a_report_that_comes_before_the_carriers_answer_is_ours(
    ana: FlaskClient, day: Day, gateway: FakeGateway, carrier: Carrier, sessions: Sessions
) -> None:
    gateway.troubles = [OutcomeUnknown("timeout")]
    press(ana, day)
    call_id = only_call(sessions).id

    carrier.is_picked_up(call_id)

    assert only_call(sessions).staff_sid == call_sid(call_id)


def talked(ended_at: object, call_id: int) -> CallPicture:
    return CallPicture(
        LegNews(call_sid(call_id), LegStatus.COMPLETED),
        LegNews(PATIENT_LEG, LegStatus.COMPLETED, seconds=610, at=ended_at),  # type: ignore[arg-type]
    )


def test_an_end_that_is_never_told_is_asked_for(
    ana: FlaskClient,
    day: Day,
    gateway: FakeGateway,
    carrier: Carrier,
    clock: FakeClock,
    sessions: Sessions,
) -> None:
    press(ana, day)
    call_id = only_call(sessions).id
    carrier.is_picked_up(call_id)
    carrier.tells(f"{call_id}/patient", CallSid=PATIENT_LEG, CallStatus="in-progress")
    assert settle(sessions, gateway, clock, timedelta(seconds=20)) == 0
    ended_at = clock() + timedelta(seconds=620)
    gateway.pictures[call_sid(call_id)] = talked(ended_at, call_id)

    assert settle(sessions, gateway, clock, timedelta(minutes=12)) == 1

    call = only_call(sessions)
    assert (call.ending, call.seconds, call.ended_at) == (Ending.TALKED, 610, ended_at)


def test_a_telephone_that_only_rang_ends_as_the_carrier_says(
    ana: FlaskClient, day: Day, gateway: FakeGateway, clock: FakeClock, sessions: Sessions
) -> None:
    press(ana, day)
    sid = call_sid(only_call(sessions).id)
    assert settle(sessions, gateway, clock, LOOK_AFTER) == 0, "it still rings"
    gateway.pictures[sid] = CallPicture(LegNews(sid, LegStatus.NO_ANSWER), None)

    assert settle(sessions, gateway, clock, LOOK_AFTER) == 1

    assert only_call(sessions).ending is Ending.NOBODY_THERE


def test_a_call_that_the_carrier_knows_no_more_is_lost(
    ana: FlaskClient, day: Day, gateway: FakeGateway, clock: FakeClock, sessions: Sessions
) -> None:
    press(ana, day)
    gateway.placed.clear()

    assert settle(sessions, gateway, clock, SETTLE_AFTER) == 1

    assert only_call(sessions).ending is Ending.LOST


def test_even_a_carrier_that_never_answers_again_leaves_no_call_for_ever(
    ana: FlaskClient, day: Day, gateway: FakeGateway, clock: FakeClock, sessions: Sessions
) -> None:
    press(ana, day)
    gateway.silent = True

    assert settle(sessions, gateway, clock, LONGEST_CALL) == 0
    assert settle(sessions, gateway, clock, SETTLE_AFTER + timedelta(seconds=1)) == 1

    assert only_call(sessions).ending is Ending.LOST


def test_who_hangs_up_while_the_carrier_is_silent_is_hung_up_later(
    ana: FlaskClient,
    day: Day,
    gateway: FakeGateway,
    carrier: Carrier,
    clock: FakeClock,
    sessions: Sessions,
) -> None:
    gateway.troubles = [OutcomeUnknown("timeout")]
    press(ana, day)
    call_id = only_call(sessions).id
    ana.post(f"/phone/calls/{call_id}/hang-up")
    assert gateway.hung_up == []
    assert "<Gather" not in carrier.asks(f"{call_id}/answered", CallSid=call_sid(call_id))

    settle(sessions, gateway, clock, LOOK_AFTER)

    assert gateway.hung_up == [call_sid(call_id)]


def test_who_can_not_be_hung_up_is_told_so(
    ana: FlaskClient, day: Day, gateway: FakeGateway, clock: FakeClock, sessions: Sessions
) -> None:
    press(ana, day)
    gateway.silent = True

    answer = ana.post(f"/phone/calls/{only_call(sessions).id}/hang-up", follow_redirects=True)

    assert "Hang up on your own phone" in answer.text
    gateway.silent = False
    settle(sessions, gateway, clock, LOOK_AFTER)
    assert len(gateway.hung_up) == 1


def test_settling_twice_at_once_is_the_same_as_once(
    ana: FlaskClient, day: Day, gateway: FakeGateway, clock: FakeClock, sessions: Sessions
) -> None:
    press(ana, day)
    call_id = only_call(sessions).id
    gateway.pictures[call_sid(call_id)] = talked(clock() + timedelta(seconds=30), call_id)
    settle(sessions, gateway, clock, LOOK_AFTER)
    once = only_call(sessions).facts

    settle(sessions, gateway, clock, LOOK_AFTER)

    assert only_call(sessions).facts == once
