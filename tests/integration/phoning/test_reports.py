"""Reports of calls: twice, late, out of order, forged, of another, odd."""

import random
from datetime import timedelta
from itertools import permutations, product

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from outreach.orm import Sessions
from outreach.phoning.models import PhoneEvent
from outreach.phoning.rules import Ending, Stage, stage_of
from outreach.telephony.gateway import LegStatus
from tests.fakes import FakeClock, call_sid
from tests.integration.calls.conftest import Day
from tests.integration.phoning.conftest import PATIENT_LEG, Carrier, only_call, press

REPORTS = [
    ("staff", "ringing"),
    ("staff", "in-progress"),
    ("patient", "ringing"),
    ("patient", "in-progress"),
    ("patient", "completed"),
    ("staff", "completed"),
]
ADDRESSES = ("staff", "patient", "answered", "key", "over", "answered-by")
ORDERS = random.Random(7).sample(list(permutations(REPORTS)), 5)  # noqa: S311 - of 720


@pytest.mark.parametrize("order", ORDERS)
def test_reports_in_any_order_and_twice_end_the_same(
    ana: FlaskClient,
    day: Day,
    carrier: Carrier,
    clock: FakeClock,
    sessions: Sessions,
    order: list[tuple[str, str]],
) -> None:
    press(ana, day)
    call_id = only_call(sessions).id
    stages = []
    clock.advance(timedelta(seconds=700))
    for leg, status in (*order, *order):
        told = {"CallSid": PATIENT_LEG if leg == "patient" else call_sid(call_id)}
        told |= {"CallDuration": "610"} if status == "completed" else {}
        assert carrier.tells(f"{call_id}/{leg}", CallStatus=status, **told) == 204
        stages.append(list(Stage).index(stage_of(only_call(sessions).facts)))

    call = only_call(sessions)
    assert stages == sorted(stages), "never backwards"
    assert (call.staff_leg, call.patient_leg) == (LegStatus.COMPLETED, LegStatus.COMPLETED)
    assert (call.ending, call.seconds) == (Ending.TALKED, 610)
    assert call.ended_at is not None
    with sessions() as session:
        assert session.scalar(select(func.count(PhoneEvent.id))) == len(REPORTS)


def test_an_answer_that_was_never_told_is_counted_back_from_the_end(
    ana: FlaskClient, day: Day, carrier: Carrier, clock: FakeClock, sessions: Sessions
) -> None:
    press(ana, day)
    call_id = only_call(sessions).id
    clock.advance(timedelta(minutes=20))

    done = {"CallSid": PATIENT_LEG, "CallStatus": "completed", "CallDuration": "600"}
    carrier.tells(f"{call_id}/patient", **done)

    assert only_call(sessions).answered_at == clock() - timedelta(minutes=10)


def test_what_is_forged_is_refused_and_changes_nothing(
    ana: FlaskClient, day: Day, carrier: Carrier, sessions: Sessions
) -> None:
    press(ana, day)
    before = only_call(sessions)
    told = {"CallSid": call_sid(before.id), "CallStatus": "completed", "Digits": "1"}

    for address, signature in product(ADDRESSES, ("forged", "")):
        path = f"{before.id}/{address}"
        assert carrier.tells(path, signature=signature, **told) == 403
        assert carrier.tells(f"999999/{address}", signature=signature, **told) == 403
    assert carrier.tells("incoming", signature="forged", From="+1", To="+1", CallSid="CA1") == 403

    assert only_call(sessions).facts == before.facts


def test_a_call_that_we_do_not_know_is_taken_calmly(carrier: Carrier) -> None:
    told = {"CallSid": PATIENT_LEG, "CallStatus": "completed", "Digits": "1"}

    for unknown in (999_999, 2**63, 10**30, -1, "x"):
        assert carrier.tells(f"{unknown}/staff", **told) == 204
        assert carrier.tells(f"{unknown}/answered-by", **told) == 204
        for question in ("answered", "key", "over"):
            assert "<Hangup" in carrier.asks(f"{unknown}/{question}", **told)


ODD: list[dict[str, str]] = [
    {},
    {"CallStatus": "a new one"},
    {"CallSid": "", "CallStatus": "completed"},
    {"CallSid": PATIENT_LEG, "CallStatus": "completed", "CallDuration": "9" * 40},
    {"CallSid": PATIENT_LEG, "CallStatus": "ringing", "Timestamp": "not a time"},
    {"CallSid": "x" * 900, "DialCallSid": "y" * 900, "DialCallStatus": "completed"},
    {"CallSid": "🙂", "AnsweredBy": "🙂", "Digits": "🙂", "From": "🙂" * 90, "To": "🙂"},
]


def test_nothing_odd_is_our_trouble(
    ana: FlaskClient, day: Day, carrier: Carrier, sessions: Sessions
) -> None:
    press(ana, day)
    call_id = only_call(sessions).id

    for address, told in product(ADDRESSES, ODD):
        assert carrier.tells(f"{call_id}/{address}", **told) in (200, 204)
    for told in ODD:
        assert carrier.tells("incoming", **told) == 200


def test_a_second_call_that_the_carrier_made_of_one_press_reaches_no_patient(
    ana: FlaskClient, day: Day, carrier: Carrier, sessions: Sessions
) -> None:
    press(ana, day)
    call_id = only_call(sessions).id
    carrier.is_picked_up(call_id)
    other = "CA" + "9" * 32

    assert "<Gather" not in carrier.asks(f"{call_id}/answered", CallSid=other)
    assert "<Dial" not in carrier.asks(f"{call_id}/key", CallSid=other, Digits="1")
    carrier.tells(f"{call_id}/staff", CallSid=other, CallStatus="completed")

    assert only_call(sessions).ended_at is None, "the end of the other call is not ours"
