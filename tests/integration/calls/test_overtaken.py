"""Waiting texts that a correction, an undo, a talk or another choice makes untrue."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from itertools import product

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.accounts.rules import Role, Scope
from outreach.calls import correcting, courtesies, outcomes
from outreach.calls.correcting import NOT_AMENDED, Amended
from outreach.calls.courtesies import MISSED
from outreach.calls.ending import Afterwards
from outreach.calls.models import Attempt
from outreach.calls.outcomes import CallReport
from outreach.calls.rules import UNDO_FOR, Outcome
from outreach.calls.tried import NOBODY_THERE
from outreach.chart import care
from outreach.messaging import outbox, setting
from outreach.messaging.models import Message
from outreach.messaging.rules import BY_CHOICE, MessageKind, MessageStatus, SkipReason
from outreach.orm import Sessions
from outreach.patients import consent
from outreach.patients.rules import TOPICS, Channel, ConsentSource
from outreach.planning import next_call, reminders
from outreach.planning.retrying import Agreed
from tests.builders import actor_of, make_staff
from tests.conftest import HASH, sign_in
from tests.fakes import MONDAY_10_CHICAGO
from tests.integration.calls.conftest import Day

NOW, NUMBER = MONDAY_10_CHICAGO, "+15125550147"
MAY_BE_AMENDED = [each for each in Outcome if each not in NOT_AMENDED]
EVERYTHING = Scope(everything=True, clinic_ids=frozenset(), staff_id=0)


class Waiting:
    """Ana calls Rosa, who wants every text; the texts wait in the outbox."""

    def __init__(self, session: Session, day: Day) -> None:
        self.session, self.day = session, day
        self.ana, self.rosa = actor_of(day.ana, day.clinic), session.merge(day.rosa)
        consent.agree(
            session, self.rosa, NUMBER, frozenset(TOPICS[Channel.SMS]),
            source=ConsentSource.FORM, by_staff_id=None, now=NOW - timedelta(days=1),
        )  # fmt: skip
        setting.choose(
            session, EVERYTHING, day.clinic.id, BY_CHOICE, by_staff_id=day.ana.id, now=NOW
        )
        session.flush()

    @contextmanager
    def tried_out(self) -> Iterator[None]:
        """Undo whatever is done within: a table of outcomes needs one database."""
        trial = self.session.begin_nested()
        yield
        trial.rollback()
        self.session.expire_all()

    def record(
        self, outcome: Outcome, *, at: datetime = NOW, key: str = "one", tells: bool = False
    ) -> Attempt:
        call = next_call.open_call(self.session, self.day.call.enrolment_id)
        assert call is not None
        agreed = Agreed(date(2026, 11, 26), time(15)) if outcome is Outcome.CALL_BACK else None
        after = Afterwards(tells_missed=tells)
        report = CallReport(key, outcome, minutes=4, agreed=agreed, afterwards=after)
        return outcomes.record(self.session, self.rosa, call.id, report, actor=self.ana, now=at)

    def write(self, *, at: datetime = NOW + UNDO_FOR) -> None:
        for every in (courtesies.missed_you, courtesies.callbacks, courtesies.thank_yous):
            outbox.write(self.session, every(self.session, now=at))

    def amend(self, attempt: Attempt, outcome: Outcome, key: str = "amended") -> Attempt:
        amended = Amended(outcome, 5, "", "pressed the wrong one", key)
        at = NOW + 2 * UNDO_FOR
        correcting.amend(self.session, attempt, amended, actor=self.ana, now=at)
        return self.session.scalars(select(Attempt).where(Attempt.form_key == key)).one()

    def left(self, kind: MessageKind) -> list[MessageStatus | SkipReason]:
        self.session.flush()
        self.session.expire_all()
        query = select(Message).where(Message.kind == kind).order_by(Message.id)
        return [each.skip_reason or each.status for each in self.session.scalars(query)]


@pytest.fixture
def waiting(session: Session, day: Day) -> Waiting:
    return Waiting(session, day)


def test_the_text_that_goes_out_by_itself_stays_only_while_nobody_was_there(
    waiting: Waiting,
) -> None:
    for before, after in product(MISSED, MAY_BE_AMENDED):
        with waiting.tried_out():
            waiting.record(Outcome.VOICEMAIL_LEFT, at=NOW - timedelta(hours=3), key="first")
            attempt = waiting.record(before)
            waiting.write()
            assert waiting.left(MessageKind.MISSED_YOU) == [MessageStatus.SCHEDULED]

            waiting.amend(attempt, after)

            expected = SkipReason.TAKEN_BACK if after not in MISSED else MessageStatus.SCHEDULED
            assert waiting.left(MessageKind.MISSED_YOU) == [expected], (before, after)


def test_the_text_that_the_caller_chose_does_too(waiting: Waiting) -> None:
    """However often the record is corrected: the second correction is of another row."""
    for before, between, after in product(NOBODY_THERE, NOBODY_THERE, MAY_BE_AMENDED):
        with waiting.tried_out():
            attempt = waiting.record(before, tells=True)
            instead = waiting.amend(attempt, between)
            assert waiting.left(MessageKind.MISSED_YOU) == [MessageStatus.SCHEDULED]

            waiting.amend(instead, after, key="amended again")

            is_true = after in NOBODY_THERE
            expected = MessageStatus.SCHEDULED if is_true else SkipReason.TAKEN_BACK
            assert waiting.left(MessageKind.MISSED_YOU) == [expected], (before, between, after)


def test_an_agreed_time_is_confirmed_only_while_one_was_agreed(waiting: Waiting) -> None:
    for after in MAY_BE_AMENDED:
        with waiting.tried_out():
            attempt = waiting.record(Outcome.CALL_BACK)
            waiting.write()
            assert waiting.left(MessageKind.CALLBACK_CONFIRMED) == [MessageStatus.SCHEDULED]

            waiting.amend(attempt, after)

            (left,) = waiting.left(MessageKind.CALLBACK_CONFIRMED)
            assert (left is MessageStatus.SCHEDULED) == (after is Outcome.CALL_BACK), after


def test_who_is_reached_meanwhile_does_not_hear_that_we_tried(waiting: Waiting) -> None:
    for second, tells in product(Outcome, [True, False]):
        with waiting.tried_out():
            waiting.record(Outcome.VOICEMAIL_LEFT, at=NOW - timedelta(hours=3), key="first")
            waiting.record(Outcome.NO_ANSWER, tells=tells)
            waiting.write()
            assert waiting.left(MessageKind.MISSED_YOU) == [MessageStatus.SCHEDULED]

            waiting.record(second, at=NOW + 2 * UNDO_FOR, key="two")

            (left,) = waiting.left(MessageKind.MISSED_YOU)
            if second.is_reached:
                assert left in {SkipReason.REACHED, SkipReason.CALL_CHANGED}, (second, tells)
            elif tells:
                assert left is MessageStatus.SCHEDULED, second


def test_one_of_two_tries_is_enough(waiting: Waiting) -> None:
    waiting.record(Outcome.NO_ANSWER)
    again = waiting.record(Outcome.BUSY, at=NOW + timedelta(minutes=1), key="two")
    waiting.write(at=NOW + 2 * UNDO_FOR)

    waiting.amend(again, Outcome.VOICEMAIL_LEFT)

    assert waiting.left(MessageKind.MISSED_YOU) == [MessageStatus.SCHEDULED]


def test_a_correction_leaves_the_reminder_of_the_next_time(waiting: Waiting) -> None:
    attempt = waiting.record(Outcome.CALL_BACK)
    call = next_call.open_call(waiting.session, attempt.enrolment_id)
    assert call is not None
    at = call.dial_from_at - timedelta(days=1)
    outbox.write(waiting.session, reminders.due(waiting.session, now=at).messages)

    waiting.amend(attempt, Outcome.NO_ANSWER)

    assert waiting.left(MessageKind.REMINDER) == [MessageStatus.SCHEDULED]


def test_only_the_rhythm_that_was_chosen_last_is_thanked_for(waiting: Waiting) -> None:
    for minutes, value in enumerate((2, 4, 2)):
        at = NOW + timedelta(minutes=20 * minutes)
        course = care.open_course_of(waiting.session, waiting.rosa, now=at)
        care.choose_rhythm(waiting.session, course, value, by_staff_id=waiting.day.ana.id, now=at)
        waiting.write(at=at + UNDO_FOR)

    assert waiting.left(MessageKind.THANK_YOU) == [
        SkipReason.TAKEN_BACK,
        SkipReason.TAKEN_BACK,
        MessageStatus.SCHEDULED,
    ]


def test_managers_see_why_it_did_not_go_out(
    client: FlaskClient, sessions: Sessions, day: Day
) -> None:
    with sessions.begin() as session:
        manager = make_staff(session, day.clinic, Role.MANAGER, password_hash=HASH)
        waiting = Waiting(session, day)
        waiting.record(Outcome.VOICEMAIL_LEFT, at=NOW - timedelta(hours=3), key="first")
        attempt = waiting.record(Outcome.NO_ANSWER)
        waiting.write()
    sign_in(client, manager)
    answers = {"form_key": "m", "outcome": Outcome.DECLINED_TODAY.value, "minutes": "1"}
    client.post(
        f"/calls/{day.rosa.ref}/attempts/{attempt.id}", data=answers | {"reason": "Wrong button"}
    )

    assert "had been taken back or corrected" in client.get("/messages/delivery").text
