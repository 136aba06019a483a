"""What became of texts: in numbers, one by one, and sent once more where that is safe."""

import re
from datetime import timedelta
from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.accounts.models import StaffMember
from outreach.accounts.rules import Role
from outreach.messaging import outbox, receipts
from outreach.messaging.jobs import send_due_messages, settle_lost_messages
from outreach.messaging.models import InboundText, Message
from outreach.messaging.rules import LIMITS, MessageKind, MessageStatus, SkipReason
from outreach.orm import Sessions
from outreach.patients.models import Patient, PhoneNumber
from outreach.telephony.gateway import DeliveryReport, DeliveryStatus, OutcomeUnknown, Refused
from outreach.wordings.models import Wording
from outreach.wordings.rules import TextName
from tests.builders import make_clinic, make_patient, make_staff
from tests.conftest import HASH, sign_in
from tests.fakes import FakeClock, FakeGateway
from tests.integration.messaging.conftest import NUMBER, make_message, make_reminder

SETTLE_AFTER = timedelta(minutes=LIMITS.settle_minutes)


def manager_of_all(sessions: Sessions) -> StaffMember:
    with sessions.begin() as session:
        return make_staff(session, None, Role.ADMINISTRATOR, password_hash=HASH)


def test_every_number_on_the_page_stands_beside_what_it_is_of(
    sessions: Sessions, client: FlaskClient
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        patient = make_patient(session, clinic)
        for status in (MessageStatus.DELIVERED,) * 3 + (MessageStatus.UNDELIVERED,):
            make_message(session, patient, status=status, failure="30003")
        make_message(session, patient, status=MessageStatus.FAILED, failure="21606")
        make_message(
            session, patient, status=MessageStatus.SKIPPED, skip_reason=SkipReason.WEEK_LIMIT
        )
        other = make_patient(session, make_clinic(session))
        make_message(session, other, status=MessageStatus.DELIVERED)
        manager = make_staff(session, clinic, Role.MANAGER, password_hash=HASH)
    sign_in(client, manager)

    page = " ".join(client.get("/messages/delivery").text.split())

    assert "4 of 6" in page, "handed over, of all due"
    assert "3 of 4" in page, "delivered, of those handed over"
    assert "the phone was off or out of reach" in page
    assert "our own sender is not set up" in page
    assert "enough texts that week already" in page


def test_the_texts_that_are_lost_are_those_that_are_counted(
    sessions: Sessions, clock: FakeClock, client: FlaskClient
) -> None:
    lost = {"status": MessageStatus.LOST, "calling_at": clock()}
    with sessions.begin() as session:
        clinic = make_clinic(session)
        aya = make_patient(session, clinic, given_name="Aya")
        zoe = make_patient(session, clinic, given_name="Zoe")
        manager = make_staff(session, clinic, Role.MANAGER, name="Mo Lind", password_hash=HASH)
        make_message(session, aya, **lost)
        make_message(session, zoe, **lost, send_after=clock() - timedelta(days=10))
        email = {"kind": MessageKind.DIGEST_EMAIL, "patient_id": None, "staff_id": manager.id}
        make_message(session, aya, **lost, **email)
    sign_in(client, manager)

    def listed(query: str) -> tuple[str, list[bool]]:
        page = client.get(f"/messages/delivery?{query}").text
        section = page.partition('id="lost"')[2].partition("</section>")[0]
        count = section.partition('class="count">')[2].partition("<")[0]
        return count, [name in section for name in ("Aya", "Zoe", "Mo Lind")]

    assert listed("days=7") == ("1", [True, False, False])
    assert listed("days=14") == ("2", [True, True, False])
    assert listed("days=14&kind=digest_email") == ("1", [False, False, True])


def test_emails_to_staff_are_listed_apart_from_texts(
    sessions: Sessions, clock: FakeClock, client: FlaskClient
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        aya = make_patient(session, clinic, given_name="Aya")
        manager = make_staff(session, clinic, Role.MANAGER, name="Mo Lind", password_hash=HASH)
        make_message(session, aya, status=MessageStatus.FAILED, failure="30003")
        email = {"kind": MessageKind.DIGEST_EMAIL, "patient_id": None, "staff_id": manager.id}
        make_message(session, aya, status=MessageStatus.FAILED, failure="550", **email)
        make_message(session, aya, status=MessageStatus.ACCEPTED, body="taken", **email)
    sign_in(client, manager)

    def listed(query: str) -> list[bool]:
        page = client.get(f"/messages/?{query}").text.partition("<tbody>")[2]
        return [each in page for each in ("Aya", "550", "handed to the mail server")]

    assert listed("") == listed("show=trouble") == listed("show=failed") == [True, False, False]
    assert listed("show=emails") == listed("kind=digest_email") == [False, True, True]
    today = " ".join(re.sub(r"<[^>]+>", " ", client.get("/reports/today").text).split())
    assert "1 text in the last 7 days" in today
    assert "1 e-mail to staff in the last 7 days" in today


def test_a_texts_whole_life_is_told(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock, client: FlaskClient
) -> None:
    make_reminder(sessions, clock)
    gateway.troubles = [OutcomeUnknown("timeout")]
    send_due_messages(sessions, gateway, clock)
    clock.advance(SETTLE_AFTER)
    settle_lost_messages(sessions, gateway, clock)
    with sessions.begin() as session:
        message_id = session.scalars(select(Message.id)).one()
        report = DeliveryReport(f"SM{message_id:032d}", DeliveryStatus.UNDELIVERED, 30007)
        receipts.apply(session, message_id, report, now=clock())
    sign_in(client, manager_of_all(sessions))

    page = unescape(client.get(f"/messages/{message_id}").text)

    for said in ("no answer; nobody knew", "found in the carrier's list", "spam filter"):
        assert said in page
    assert "Send once more" not in page


def test_a_refused_text_is_sent_once_more_and_only_once(
    sessions: Sessions, gateway: FakeGateway, clock: FakeClock, client: FlaskClient
) -> None:
    make_reminder(sessions, clock)
    gateway.troubles = [Refused("21606")]
    send_due_messages(sessions, gateway, clock)
    with sessions() as session:
        old_id = session.scalars(select(Message.id)).one()
    person = manager_of_all(sessions)
    sign_in(client, person)

    assert "Send once more" in client.get(f"/messages/{old_id}").text
    first = client.post(f"/messages/{old_id}/resend", follow_redirects=True).text
    second = client.post(f"/messages/{old_id}/resend", follow_redirects=True).text
    send_due_messages(sessions, gateway, clock)

    assert f"asked for by {person.name}" in first
    assert "can't be sent again" in unescape(second)
    assert len(gateway.sent) == 1


def make_refused_answer(
    sessions: Sessions, clock: FakeClock, *, is_a_patients: bool
) -> tuple[int, Patient]:
    """An answer to a text of a patient, or of a number that is nobody's; the carrier refused it."""
    with sessions.begin() as session:
        clinic = make_clinic(session)
        patient = make_patient(session, clinic, sms_consent=True)
        inbound = InboundText(
            clinic_id=clinic.id,
            provider_id="SMin",
            from_number=NUMBER,
            to_number="+15125550100",
            body="When?",
            attachments=0,
            received_at=clock(),
            open_until=clock(),
            answered_at=clock(),
        )
        session.add(inbound)
        session.flush()
        kind = MessageKind.ANSWER if is_a_patients else MessageKind.NOT_UNDERSTOOD_REPLY
        answer = make_message(
            session,
            patient,
            patient_id=patient.id if is_a_patients else None,
            inbound_id=inbound.id,
            by_staff_id=make_staff(session, clinic).id if is_a_patients else None,
            kind=kind,
            cause=f"inbound:{inbound.id}",
            status=MessageStatus.FAILED,
            failure="21606",
            provider_id=None,
        )
    return answer.id, patient


@pytest.mark.parametrize("is_a_patients", [True, False])
def test_an_answer_that_was_refused_is_sent_once_more_as_an_answer(
    sessions: Sessions,
    gateway: FakeGateway,
    clock: FakeClock,
    client: FlaskClient,
    *,
    is_a_patients: bool,
) -> None:
    old_id, patient = make_refused_answer(sessions, clock, is_a_patients=is_a_patients)
    sign_in(client, manager_of_all(sessions))

    page = client.post(f"/messages/{old_id}/resend", follow_redirects=True)
    chart = client.get(f"/patients/{patient.ref}")
    send_due_messages(sessions, gateway, clock)

    assert (page.status_code, chart.status_code) == (200, 200)
    assert len(gateway.sent) == 1
    with sessions() as session:
        old, new = session.scalars(select(Message).order_by(Message.id)).all()
    assert new.status is MessageStatus.ACCEPTED
    assert (new.inbound_id, new.by_staff_id) == (old.inbound_id, old.by_staff_id)


def test_an_answer_to_a_number_that_is_nobodys_is_on_the_pages(
    sessions: Sessions, clock: FakeClock, client: FlaskClient
) -> None:
    message_id, _patient = make_refused_answer(sessions, clock, is_a_patients=False)
    sign_in(client, manager_of_all(sessions))

    for path in ("/messages/", f"/messages/{message_id}"):
        answer = client.get(path)

        assert answer.status_code == 200
        assert "(512) 555-0147" in answer.text


def test_a_text_sent_once_more_names_the_version_of_its_words(
    sessions: Sessions, clock: FakeClock
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        manager = make_staff(session, clinic, Role.MANAGER)
        words = Wording(
            clinic_id=clinic.id,
            name=TextName.REMINDER,
            language="en",
            number=1,
            body="Ana will call you.",
            by_staff_id=manager.id,
            created_at=clock(),
        )
        session.add(words)
        session.flush()
        old = make_message(
            session,
            make_patient(session, clinic),
            status=MessageStatus.FAILED,
            provider_id=None,
            wording_id=words.id,
        )

        new_id = outbox.resend(session, old, now=clock())

        assert session.get_one(Message, new_id).wording_id == words.id


@pytest.mark.parametrize(
    "deviations",
    [
        pytest.param({"status": MessageStatus.DELIVERED}, id="it arrived"),
        pytest.param({"status": MessageStatus.UNKNOWN}, id="nobody knows"),
        pytest.param({"status": MessageStatus.FAILED}, id="the carrier had taken it"),
        pytest.param(
            {
                "status": MessageStatus.FAILED,
                "provider_id": None,
                "expires_at": FakeClock()(),
            },
            id="its time is over",
        ),
    ],
)
def test_what_may_have_gone_out_or_is_of_no_use_is_not_sent_again(
    sessions: Sessions, client: FlaskClient, deviations: dict[str, object]
) -> None:
    with sessions.begin() as session:
        old = make_message(session, make_patient(session, make_clinic(session)), **deviations)
    sign_in(client, manager_of_all(sessions))

    client.post(f"/messages/{old.id}/resend")

    with sessions() as session:
        assert session.scalars(select(Message.id)).all() == [old.id]


def test_a_number_that_three_texts_in_a_row_did_not_find_gets_no_more(
    sessions: Sessions, clock: FakeClock
) -> None:
    gone = DeliveryReport("SM", DeliveryStatus.UNDELIVERED, 30005, is_unreachable=True)
    here = DeliveryReport("SM", DeliveryStatus.DELIVERED)
    can_text = []
    with sessions.begin() as session:
        patient = make_patient(session, make_clinic(session))
        for report in (gone, gone, here, gone, gone, gone):
            message = make_message(session, patient, status=MessageStatus.SENT)
            receipts.apply(session, message.id, report, now=clock())
            receipts.apply(session, message.id, report, now=clock() + timedelta(minutes=1))
            can_text.append(session.scalars(select(PhoneNumber.can_text)).one())
            session.expire_all()

    assert can_text == [True] * 5 + [False]


def test_a_failed_text_of_a_call_that_was_moved_since_is_not_sent_again(
    session: Session, clock: FakeClock
) -> None:
    failed = {"status": MessageStatus.FAILED, "provider_id": None, "cause": "planned_call:7"}
    patient = make_patient(session, make_clinic(session))
    old = make_message(session, patient, expires_at=clock() + timedelta(hours=5), **failed)
    clock.advance(timedelta(minutes=1))

    outbox.cancel(session, "planned_call:7", now=clock())
    session.refresh(old)

    assert outbox.resend(session, old, now=clock()) is None
    assert old.status is MessageStatus.FAILED


def test_a_session_that_holds_a_text_learns_that_it_was_dropped(
    session: Session, clock: FakeClock
) -> None:
    """SQLAlchemy would look for it by the statement's values, which are told later."""
    waits = {"status": MessageStatus.SCHEDULED, "cause": "planned_call:7"}
    patient = make_patient(session, make_clinic(session))
    reminder = make_message(session, patient, **waits)
    thanks = make_message(session, patient, kind=MessageKind.THANK_YOU, **waits)

    outbox.cancel(session, "planned_call:7", now=clock(), kind=MessageKind.THANK_YOU)
    one = (reminder.status, thanks.status)
    outbox.cancel(session, "planned_call:7", now=clock())

    assert one == (MessageStatus.SCHEDULED, MessageStatus.SKIPPED)
    assert reminder.status is MessageStatus.SKIPPED
