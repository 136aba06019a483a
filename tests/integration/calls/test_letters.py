"""The weekly word to managers as an e-mail: once, without a figure or a patient."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from config import SmtpServer
from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Role, Scope
from outreach.calls.jobs import mail_digests, write_courtesies
from outreach.messaging import setting
from outreach.messaging.jobs import send_due_messages, settle_lost_messages
from outreach.messaging.models import Message, OutboxHold
from outreach.messaging.rules import MessageKind, MessageStatus
from outreach.orm import Sessions
from outreach.telephony.mail import SmtpMailer
from tests.builders import make_clinic, make_patient, make_staff
from tests.conftest import HASH, sign_in
from tests.fakes import PUBLIC_URL, FakeClock, FakeGateway
from tests.smtp import LocalSmtp

EVERYTHING = Scope(0, everything=True, clinic_ids=frozenset())


@pytest.fixture
def server() -> Iterator[LocalSmtp]:
    with LocalSmtp() as found:
        yield found


@dataclass
class Office:
    sessions: Sessions
    clock: FakeClock
    server: LocalSmtp
    clinic: Clinic
    manager: StaffMember

    def mail(self) -> int:
        address = SmtpServer(
            host="127.0.0.1",
            port=self.server.port,
            sender="Outreach <outreach@clinic.example>",
            security="none",
        )
        return mail_digests(self.sessions, SmtpMailer(address), self.clock, PUBLIC_URL)

    def rows(self) -> list[tuple[MessageStatus, str]]:
        with self.sessions() as session:
            rows = session.execute(
                select(Message.status, Message.failure)
                .where(Message.kind == MessageKind.DIGEST_EMAIL)
                .order_by(Message.id)
            )
            return [(status, failure) for status, failure in rows]


@pytest.fixture
def office(sessions: Sessions, clock: FakeClock, server: LocalSmtp) -> Office:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        manager = make_staff(session, clinic, role=Role.MANAGER, password_hash=HASH)
        make_staff(session, clinic)
        make_patient(session, clinic)
        kinds = (MessageKind.DIGEST_EMAIL,)
        setting.choose(session, EVERYTHING, clinic.id, kinds, by_staff_id=manager.id, now=clock())
    return Office(sessions, clock, server, clinic, manager)


def test_managers_get_one_a_week_that_leads_to_the_report(office: Office) -> None:
    for _hour in range(24 * 8):
        office.mail()
        office.clock.advance(timedelta(hours=1))

    assert [to for to, _letter in office.server.letters] == [office.manager.email] * 2
    assert office.rows() == [(MessageStatus.ACCEPTED, "")] * 2
    letter = office.server.letters[0][1]
    words = f"{office.clinic.name}: the week in numbers is ready"
    assert letter["Subject"] == words
    said = letter.get_payload(decode=True)
    assert isinstance(said, bytes)
    assert said.decode().splitlines() == [
        f"{words}. Please sign in to Outreach to read it.",
        "",
        f"{PUBLIC_URL}/reports/adherence",
    ]
    assert letter["Message-ID"] != office.server.letters[1][1]["Message-ID"]


def test_nothing_is_asked_of_the_server_where_nobody_is_due(office: Office) -> None:
    office.mail()
    office.mail()

    assert office.server.connections == 1


def test_where_nobody_answers_it_is_tried_again(office: Office) -> None:
    port, office.server.port = office.server.port, 1
    assert office.mail() == 0
    assert office.rows() == []

    office.server.port = port
    assert office.mail() == 1


def test_a_letter_that_may_have_gone_out_is_not_sent_again(
    office: Office, gateway: FakeGateway
) -> None:
    office.server.hangs_up_after_data = True
    assert office.mail() == 0
    office.server.hangs_up_after_data = False

    for _tick in range(3):
        assert office.mail() == 0
        settle_lost_messages(office.sessions, gateway, office.clock)
        send_due_messages(office.sessions, gateway, office.clock)
        office.clock.advance(timedelta(hours=1))

    assert len(office.server.letters) == 1
    assert gateway.sent == []
    assert office.rows() == [(MessageStatus.LOST, "")]


def test_after_a_connection_broke_the_others_get_theirs(office: Office) -> None:
    with office.sessions.begin() as session:
        clinic = session.get_one(Clinic, office.clinic.id)
        other = make_staff(session, clinic, role=Role.MANAGER, password_hash=HASH)
    office.server.hangs_up_after_data = True
    office.mail()
    office.server.hangs_up_after_data = False

    assert office.mail() == 1

    assert {to for to, _letter in office.server.letters} == {office.manager.email, other.email}


def test_an_address_that_is_refused_shows_as_failed(office: Office, client: FlaskClient) -> None:
    office.server.refuse = "550"

    assert office.mail() == 0
    assert office.mail() == 0

    assert office.rows() == [(MessageStatus.FAILED, "550")]
    sign_in(client, office.manager)
    with office.sessions() as session:
        letter = session.scalars(select(Message)).one()
    page = client.get(f"/messages/{letter.id}")
    assert page.status_code == 200
    assert office.manager.email in page.text
    assert "Send once more" not in page.text
    assert client.get("/messages/").status_code == 200
    assert client.get("/messages/delivery").status_code == 200


def another_manager(office: Office) -> StaffMember:
    with office.sessions.begin() as session:
        clinic = session.get_one(Clinic, office.clinic.id)
        return make_staff(session, clinic, role=Role.MANAGER, password_hash=HASH)


@pytest.mark.parametrize("word", ["EHLO", "RSET", "MAIL", "RCPT", "DATA", "BODY"])
def test_a_server_that_closes_gets_the_letters_later(office: Office, word: str) -> None:
    other = another_manager(office)
    # Said to be closing twice: smtplib answers a refused EHLO with HELO, which is a yes.
    office.server.says = {word: ["421"], "HELO": ["421"] if word == "EHLO" else []}

    assert office.mail() == 0
    assert office.rows() == []
    assert office.mail() == 2
    assert office.mail() == 0

    assert [to for to, _letter in office.server.letters] == [office.manager.email, other.email]
    assert office.rows() == [(MessageStatus.ACCEPTED, "")] * 2


@pytest.mark.parametrize(
    ("word", "code"), [("RCPT", "450"), ("RCPT", "451"), ("RCPT", "452"), ("BODY", "451")]
)
def test_a_letter_that_is_put_off_goes_out_later_and_holds_up_no_other(
    office: Office, word: str, code: str
) -> None:
    other = another_manager(office)
    office.server.says = {word: [code]}

    assert office.mail() == 1
    assert [to for to, _letter in office.server.letters] == [other.email]
    assert office.mail() == 1
    assert office.mail() == 0

    assert [to for to, _letter in office.server.letters] == [other.email, office.manager.email]
    assert office.rows() == [(MessageStatus.ACCEPTED, "")] * 2


@pytest.mark.parametrize("code", ["451", "530", "553"])
def test_where_we_are_refused_no_letter_is_marked(office: Office, code: str) -> None:
    another_manager(office)
    office.server.says = {"MAIL": [code]}

    assert office.mail() == 0
    assert office.rows() == []
    assert office.mail() == 2


def test_a_server_that_hung_up_after_a_refusal_loses_no_letter(office: Office) -> None:
    other = another_manager(office)
    # The refusal of the first address, then 421 to the RSET by which smtplib begins anew.
    office.server.says = {"RCPT": ["550"], "RSET": ["250", "421"]}

    assert office.mail() == 0
    assert office.rows() == [(MessageStatus.FAILED, "550")]
    assert office.mail() == 1

    assert [to for to, _letter in office.server.letters] == [other.email]


def test_a_letter_that_is_refused_for_what_it_says_shows_as_failed(office: Office) -> None:
    office.server.says = {"BODY": ["554"]}

    assert office.mail() == 0
    assert office.mail() == 0

    assert office.rows() == [(MessageStatus.FAILED, "554")]


def test_an_answer_that_is_none_is_no_refusal(office: Office) -> None:
    office.server.says = {"BODY": ["wat"]}

    office.mail()
    assert office.mail() == 0

    assert office.rows() == [(MessageStatus.LOST, "")]


def test_it_is_no_text(office: Office, gateway: FakeGateway) -> None:
    write_courtesies(office.sessions, office.clock, PUBLIC_URL)
    send_due_messages(office.sessions, gateway, office.clock)

    assert gateway.sent == []


def test_none_goes_out_in_the_week_after_a_backup_was_put_back(office: Office) -> None:
    with office.sessions.begin() as session:
        now = office.clock()
        session.add(OutboxHold(since=now, began_at=now, ended_at=now, ended_as="reconciled"))

    assert office.mail() == 0
    office.clock.advance(timedelta(days=7, minutes=1))
    assert office.mail() == 1


def test_only_clinics_that_want_it_get_it(office: Office) -> None:
    with office.sessions.begin() as session:
        setting.choose(
            session,
            EVERYTHING,
            office.clinic.id,
            (),
            by_staff_id=office.manager.id,
            now=office.clock(),
        )

    assert office.mail() == 0
    assert office.server.connections == 0
