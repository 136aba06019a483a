"""After a restore nothing goes out twice, and what went out counts."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, select

from outreach.accounts.models import StaffMember
from outreach.messaging import holding, outbox
from outreach.messaging.jobs import send_due_messages
from outreach.messaging.models import SendTry
from outreach.messaging.rules import MessageKind, MessageStatus
from outreach.orm import Sessions
from outreach.patients.models import Patient
from outreach.wordings.models import Wording
from outreach.wordings.rules import TextName
from tests.fakes import FakeClock, FakeGateway
from tests.integration.messaging.conftest import NUMBER, make_reminder, only_message
from tests.integration.messaging.restored import (
    WORDS,
    agree_to_measurements,
    forget,
    keep_unrecorded,
    make_nobody_texted,
    make_text_in,
    reconcile,
    restore,
    wait_to_go,
)

TUESDAY_9_CHICAGO = datetime(2026, 11, 24, 15, tzinfo=UTC)


def test_what_went_out_since_the_backup_does_not_go_out_again(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    make_reminder(sessions, clock)
    assert send_due_messages(sessions, gateway, clock) == 1
    sent_at = clock()
    clock.advance(timedelta(minutes=5))
    restore(sessions, clock)

    assert reconcile(sessions, gateway, clock) == 1
    assert send_due_messages(sessions, gateway, clock) == 0

    assert len(gateway.sent) == 1
    with sessions() as session:
        message = only_message(session)
        assert message.status is MessageStatus.ACCEPTED
        assert message.provider_id == f"SM{message.id:032d}"
        assert message.calling_at == sent_at


def test_a_text_that_is_written_again_later_is_known_too(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    """Its row came after the backup: there is none until the planner writes it once more."""
    patient_id = make_reminder(sessions, clock)
    send_due_messages(sessions, gateway, clock)
    with sessions.begin() as session:
        lost = only_message(session)
        patient, body = session.get_one(Patient, patient_id), lost.body
        session.execute(delete(SendTry))
        session.delete(lost)
    with sessions.begin() as session:
        holding.close(session, since=clock() - timedelta(hours=1), now=clock())
    assert reconcile(sessions, gateway, clock) == 1
    clock.advance(timedelta(minutes=30))
    with sessions.begin() as session:
        outbox.write(
            session,
            [
                outbox.new_message(
                    patient,
                    MessageKind.REMINDER,
                    body,
                    dedupe_key="again",
                    cause="again",
                    to_number=NUMBER,
                    window=(clock(), None),
                    now=clock(),
                )
            ],
        )

    assert send_due_messages(sessions, gateway, clock) == 0
    assert len(gateway.sent) == 1
    with sessions() as session:
        assert only_message(session).status is MessageStatus.ACCEPTED


def test_what_no_row_tells_of_counts_as_the_text_of_the_day(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    make_nobody_texted(sessions, clock)
    wait_to_go(sessions, clock)
    keep_unrecorded(sessions, clock, TextName.MISSED_YOU, "es")

    assert send_due_messages(sessions, gateway, clock) == 0
    with sessions() as session:
        message = only_message(session)
        assert message.status is MessageStatus.SCHEDULED
        assert message.send_after == TUESDAY_9_CHICAGO


@pytest.mark.parametrize(("text", "language"), [(TextName.HELP_REPLY, "en"), (WORDS, None)])
def test_answers_that_no_row_tells_of_count_for_nothing(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock, text: str, language: str | None
) -> None:
    make_reminder(sessions, clock)
    keep_unrecorded(sessions, clock, text, language)

    assert send_due_messages(sessions, gateway, clock) == 1


def test_a_text_in_words_that_the_clinic_gave_up_counts(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    make_reminder(sessions, clock)
    with sessions.begin() as session:
        manager = session.scalars(select(StaffMember)).one()
        clinic_id = session.scalars(select(Patient.clinic_id)).one()
        for number, body in enumerate(["{clinic}: we rang. Till soon.", "{clinic}: hello."], 1):
            session.add(
                Wording(
                    clinic_id=clinic_id,
                    name=TextName.MISSED_YOU,
                    language="en",
                    number=number,
                    body=body,
                    by_staff_id=manager.id,
                    created_at=clock(),
                )
            )
    keep_unrecorded(sessions, clock, "Cedar Creek Clinic: we rang. Till soon.")

    assert send_due_messages(sessions, gateway, clock) == 0


def test_an_answer_that_went_out_does_not_go_out_again(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    make_nobody_texted(sessions, clock)
    text_in = make_text_in(sessions, clock() - timedelta(minutes=5))
    wait_to_go(sessions, clock, kind=MessageKind.ANSWER, body=WORDS, inbound_id=text_in)
    assert send_due_messages(sessions, gateway, clock) == 1
    clock.advance(timedelta(minutes=5))
    restore(sessions, clock)

    assert reconcile(sessions, gateway, clock) == 1
    assert send_due_messages(sessions, gateway, clock) == 0

    assert len(gateway.sent) == 1
    with sessions() as session:
        assert only_message(session).status is MessageStatus.ACCEPTED


@pytest.mark.parametrize("is_typed_again", [True, False])
def test_the_same_words_to_what_they_wrote_later_are_another_answer(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock, *, is_typed_again: bool
) -> None:
    make_nobody_texted(sessions, clock)
    first_in = make_text_in(sessions, clock() - timedelta(minutes=5))
    words = {"kind": MessageKind.ANSWER, "body": WORDS}
    lost = wait_to_go(sessions, clock, inbound_id=first_in, **words)
    assert send_due_messages(sessions, gateway, clock) == 1
    clock.advance(timedelta(minutes=5))
    forget(sessions, lost)
    with sessions.begin() as session:
        holding.close(session, since=clock() - timedelta(hours=1), now=clock())
    assert reconcile(sessions, gateway, clock) == 1
    clock.advance(timedelta(minutes=5))
    later_in = make_text_in(sessions, clock(), "SMlater")
    wait_to_go(sessions, clock, inbound_id=first_in if is_typed_again else later_in, **words)

    assert send_due_messages(sessions, gateway, clock) == (0 if is_typed_again else 1)
    assert len(gateway.sent) == (1 if is_typed_again else 2)


def test_the_weekly_word_to_managers_does_not_go_out_again(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    make_nobody_texted(sessions, clock)
    with sessions() as session:
        manager = session.scalars(select(StaffMember.id)).one()
    wait_to_go(sessions, clock, kind=MessageKind.DIGEST, patient_id=None, staff_id=manager)
    assert send_due_messages(sessions, gateway, clock) == 1
    clock.advance(timedelta(minutes=5))
    restore(sessions, clock)

    assert reconcile(sessions, gateway, clock) == 1
    assert send_due_messages(sessions, gateway, clock) == 0
    assert len(gateway.sent) == 1


@pytest.mark.parametrize("kind", [MessageKind.MEASUREMENT_DUE, MessageKind.ANSWER])
def test_an_outbox_closed_for_days_sends_nothing_again(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock, kind: MessageKind
) -> None:
    make_nobody_texted(sessions, clock)
    text_in = make_text_in(sessions, clock() - timedelta(minutes=5))
    is_answer = kind is MessageKind.ANSWER
    wait_to_go(sessions, clock, kind=kind, body=WORDS, inbound_id=text_in if is_answer else None)
    agree_to_measurements(sessions, clock)
    assert send_due_messages(sessions, gateway, clock) == 1
    clock.advance(timedelta(minutes=5))
    restore(sessions, clock)
    clock.advance(timedelta(days=4))

    assert reconcile(sessions, gateway, clock) == 1
    assert send_due_messages(sessions, gateway, clock) == 0
    assert len(gateway.sent) == 1
    with sessions() as session:
        assert only_message(session).status is MessageStatus.ACCEPTED


def test_a_text_put_off_for_days_before_it_went_out_is_known(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    """The row in the backup says Monday; enough texts that week, so it went out a week later."""
    make_nobody_texted(sessions, clock)
    wait_to_go(sessions, clock, kind=MessageKind.MEASUREMENT_DUE)
    agree_to_measurements(sessions, clock)
    clock.advance(timedelta(days=8))
    assert send_due_messages(sessions, gateway, clock) == 1
    clock.advance(timedelta(days=2))
    with sessions.begin() as session:
        message = only_message(session)
        message.status, message.calling_at, message.tries = MessageStatus.SCHEDULED, None, 0
        message.provider_id, message.accepted_at = None, None
        holding.close(session, since=clock() - timedelta(days=11), now=clock())

    assert reconcile(sessions, gateway, clock) == 1
    assert send_due_messages(sessions, gateway, clock) == 0
    assert len(gateway.sent) == 1


@pytest.mark.parametrize(("days", "goes_out"), [(4, 0), (30, 1)])
def test_a_word_that_it_is_time_to_measure_is_written_anew(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock, days: int, goes_out: int
) -> None:
    """A few days on it is the same one; weeks on it is about the next measurement."""
    make_nobody_texted(sessions, clock)
    agree_to_measurements(sessions, clock)
    lost = wait_to_go(sessions, clock, kind=MessageKind.MEASUREMENT_DUE)
    assert send_due_messages(sessions, gateway, clock) == 1
    forget(sessions, lost)
    clock.advance(timedelta(days=days))
    with sessions.begin() as session:
        holding.close(session, since=clock() - timedelta(days=days, hours=1), now=clock())
    assert reconcile(sessions, gateway, clock) == 1
    clock.advance(timedelta(minutes=5))
    wait_to_go(sessions, clock, kind=MessageKind.MEASUREMENT_DUE)

    assert send_due_messages(sessions, gateway, clock) == goes_out
