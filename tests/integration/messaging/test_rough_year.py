"""Texts of every kind to 200 patients over a long time, with every process killed at random.

The carrier is rough. Nobody gets the same text twice, none is lost, and none that nobody asked
for goes out at night, on a Sunday, while they wait for an answer, after STOP, or beyond one a
day and three a week. A whole year, telling how far it is:
``OUTREACH_YEAR=1 pytest -o log_cli=true --log-cli-level=INFO -k "sqlite and wrong_hour"``.
"""

import logging
import os
import random
import threading
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, select

from outreach.messaging import outbox
from outreach.messaging.jobs import send_due_messages
from outreach.messaging.models import Message
from outreach.messaging.rules import MessageKind, MessageStatus, SkipReason
from tests.integration.messaging.rough import PATIENTS, Life, check_limits, number_of

DAYS = 365 if os.environ.get("OUTREACH_YEAR") else 14
TOLD_EVERY = 7  # days
Text = tuple[str, str]
log = logging.getLogger(__name__)
WENT_OUT = (
    MessageStatus.ACCEPTED,
    MessageStatus.SENT,
    MessageStatus.DELIVERED,
    MessageStatus.UNDELIVERED,
)
OPEN = (MessageStatus.SCHEDULED, MessageStatus.CALLING, MessageStatus.UNKNOWN)
# Of these a second one harms less than none: they are looked for only for some minutes.
KINDS = (
    MessageKind.REMINDER,
    MessageKind.CALLBACK_CONFIRMED,
    MessageKind.MISSED_YOU,
    MessageKind.THANK_YOU,
    MessageKind.MEASUREMENT_DUE,
    MessageKind.ALERT,
    MessageKind.DIGEST,
    MessageKind.DANGER_REPLY,
    MessageKind.STOP_REPLY,
    MessageKind.START_REPLY,
    MessageKind.HELP_REPLY,
    MessageKind.NOT_UNDERSTOOD_REPLY,
    MessageKind.CONFIRMED_REPLY,
)
URGENT = (MessageKind.ALERT, MessageKind.DANGER_REPLY)


def _in_haste(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")  # a power cut is not what is tried here


@pytest.fixture
def life(engine: Engine) -> Life:
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _in_haste)
    return Life(engine, random.Random(5))  # noqa: S311 - repeatable chance


def test_nobody_is_texted_twice_or_at_a_wrong_hour_and_nothing_is_lost(life: Life) -> None:
    for ahead in range(DAYS):
        life.day(ahead)
        if ahead % TOLD_EVERY == 0:
            taken, kills = len(life.carrier.taken), life.killer.kills
            log.info("day %s of %s: %s texts taken, %s kills", ahead + 1, DAYS, taken, kills)
    life.settle()

    with life.sessions() as session:
        rows = session.scalars(select(Message).order_by(Message.id)).all()
    assert life.killer.kills > DAYS, "chance was asleep"
    assert not [each.id for each in rows if each.status in OPEN], "a text without an end"
    assert {each.kind for each in rows} >= set(KINDS)
    check_limits(life, {each.id for each in rows if each.patient_id and each.inbound_id is None})
    _check_each(life, rows)
    for message in rows:
        assert (message.skip_reason is not None) == (message.status is MessageStatus.SKIPPED)
    reasons = {each.skip_reason for each in rows}
    assert {SkipReason.DAY_LIMIT, SkipReason.WEEK_LIMIT, SkipReason.NO_CONSENT} <= reasons
    assert life.resent


def _check_each(life: Life, rows: Sequence[Message]) -> None:
    """Whatever was to go out did, once; the carrier can't tell texts with the same words apart."""
    taken = Counter((sms.to, sms.body) for _at, sms in life.carrier.taken)
    to_go, may_have_gone, urgent = Counter[Text](), Counter[Text](), set[Text]()
    for each in rows:
        text = (each.to_number, each.body)
        to_go[text] += each.status in WENT_OUT
        may_have_gone[text] += each.status is MessageStatus.LOST
        if each.kind in URGENT:
            urgent.add(text)
    assert set(taken) <= set(to_go)
    for text, wanted in to_go.items():
        assert taken[text] >= wanted, "lost"
        if text not in urgent:
            assert taken[text] <= wanted + may_have_gone[text], "twice"


def test_several_workers_at_once_take_each_text_once(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    life = Life(engine, random.Random(6))  # noqa: S311 - repeatable chance
    life.carrier.trouble = life.carrier.kills = 0.0
    life.clock.now = life.midnight + timedelta(hours=18)
    with life.sessions.begin() as session:
        outbox.write(session, [_row(life, n) for n in range(PATIENTS)])

    threads = [threading.Thread(target=_send_all, args=[life]) for _each in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert sorted(sms.to for _at, sms in life.carrier.taken) == sorted(
        number_of(n) for n in range(PATIENTS)
    )
    assert "one by one" not in caplog.text, "answers are stored by the hundred"


def _send_all(life: Life) -> None:
    while send_due_messages(life.sessions, life.carrier, life.clock, connections=2):
        pass


def _row(life: Life, number: int) -> dict[str, Any]:
    return outbox.new_message(
        life.people[number],
        MessageKind.REMINDER,
        "Hello",
        dedupe_key=f"one:{number}",
        cause="one",
        to_number=number_of(number),
        window=(life.clock(), None),
        now=life.clock(),
    )
