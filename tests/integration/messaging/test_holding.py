"""After a restore texts wait until the carrier's list has been read."""

from datetime import timedelta

from flask.testing import FlaskClient
from sqlalchemy import select

from outreach.accounts.models import StaffMember
from outreach.deps import deps
from outreach.messaging import holding
from outreach.messaging.jobs import forget_unrecorded, send_due_messages
from outreach.messaging.models import OutboxHold, UnrecordedText
from outreach.messaging.rules import MessageKind, MessageStatus
from outreach.orm import Sessions
from outreach.patients.models import Patient
from tests.fakes import FakeClock, FakeGateway
from tests.integration.messaging.conftest import NUMBER, make_message, make_reminder
from tests.integration.messaging.restored import reconcile, restore


def test_texts_wait_until_it_is_known_what_went_out(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    make_reminder(sessions, clock)
    clock.advance(timedelta(minutes=5))
    restore(sessions, clock)

    assert send_due_messages(sessions, gateway, clock) == 0
    assert gateway.sent == []
    assert reconcile(sessions, gateway, clock) == 0
    assert send_due_messages(sessions, gateway, clock) == 1


def test_what_nothing_is_matched_with_any_more_is_deleted(
    sessions: Sessions, clock: FakeClock
) -> None:
    with sessions.begin() as session:
        session.add_all(
            UnrecordedText(
                provider_id=f"SM{days}", to_number=NUMBER, body="We missed you today.",
                sent_at=clock() - timedelta(days=days),
            )
            for days in (1, 7, 8, 30)
        )  # fmt: skip

        hold = OutboxHold(since=clock(), began_at=clock(), ended_as="")
        session.add(hold)

    assert forget_unrecorded(sessions, clock) == 0  # rows of any age may be matched
    with sessions.begin() as session:
        session.merge(hold).ended_at = clock() - timedelta(days=9)
    assert forget_unrecorded(sessions, clock) == 2
    assert forget_unrecorded(sessions, clock) == 0
    with sessions() as session:
        left = session.scalars(select(UnrecordedText.provider_id)).all()
    assert sorted(left) == ["SM1", "SM7"]


def test_alerts_go_out_while_the_outbox_is_closed(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock
) -> None:
    patient_id = make_reminder(sessions, clock)
    with sessions.begin() as session:
        make_message(
            session,
            session.get_one(Patient, patient_id),
            kind=MessageKind.ALERT,
            patient_id=None,
            staff_id=session.scalars(select(StaffMember.id)).one(),
            status=MessageStatus.SCHEDULED,
            provider_id=None,
            send_after=clock(),
            tries=0,
        )
        holding.close(session, since=clock() - timedelta(hours=1), now=clock())

    assert send_due_messages(sessions, gateway, clock) == 1


def test_operators_see_that_texts_wait_and_open_the_outbox(
    client: FlaskClient, sessions: Sessions, clock: FakeClock, gateway: FakeGateway
) -> None:
    make_reminder(sessions, clock)
    send_due_messages(sessions, gateway, clock)
    clock.advance(timedelta(minutes=5))
    restore(sessions, clock)
    ready = client.get("/readyz")
    assert (ready.status_code, "texts wait" in ready.text) == (200, True)
    run = client.application.test_cli_runner()

    gateway.silent = True
    silent = run.invoke(args=["messages", "reconcile"])
    assert silent.exit_code == 1
    assert "stays closed" in silent.output
    gateway.silent = False
    found = run.invoke(args=["messages", "reconcile"])
    assert "1 texts since" in found.output
    assert client.get("/readyz").text.strip() == "ok"
    with client.application.app_context():
        assert deps().gateway is gateway
    assert "nothing to do" in run.invoke(args=["messages", "reconcile"]).output


def test_an_operator_may_state_that_nothing_was_sent(
    client: FlaskClient, sessions: Sessions, clock: FakeClock, gateway: FakeGateway
) -> None:
    make_reminder(sessions, clock)
    restore(sessions, clock)
    gateway.silent = True

    told = client.application.test_cli_runner().invoke(
        args=["messages", "reconcile", "--nothing-was-sent"]
    )

    assert "on your word" in told.output
    assert send_due_messages(sessions, gateway, clock) == 1
