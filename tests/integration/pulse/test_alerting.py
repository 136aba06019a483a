"""Who hears that a caller asks for support is told: once, by day, and without a name."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from config import Config, SmtpServer
from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Role, Scope
from outreach.messaging import setting
from outreach.messaging.jobs import send_due_messages
from outreach.messaging.models import Message, OutboxHold
from outreach.messaging.rules import BY_CHOICE, MessageKind, MessageStatus, SkipReason
from outreach.orm import Sessions
from outreach.pulse import supporting
from outreach.pulse.jobs import mail_support, write_support_texts
from outreach.pulse.models import SupportRequest
from outreach.scheduler.schedule import periodic_jobs
from outreach.telephony.console_gateway import ConsoleGateway
from outreach.telephony.mail import SmtpMailer, mailer_of
from tests.builders import make_clinic, make_staff
from tests.conftest import HASH, sign_in
from tests.fakes import PUBLIC_URL, FakeClock, FakeGateway
from tests.integration.pulse.test_support import House
from tests.smtp import LocalSmtp

EVERYTHING = Scope(0, everything=True, clinic_ids=frozenset())
WORDS = "A colleague asked to talk. Open Outreach."
NUMBER = "+12025550101"


class Office(House):
    """The same house with a carrier and a mail server; its manager has a number."""

    def __init__(
        self, sessions: Sessions, clock: FakeClock, gateway: FakeGateway, server: LocalSmtp
    ) -> None:
        super().__init__(sessions, clock)
        self.gateway, self.server = gateway, server
        with sessions.begin() as session:
            session.get_one(StaffMember, self.manager.id).phone = NUMBER

    def ask(self) -> None:
        with self.sessions.begin() as session:
            supporting.ask(session, self.caller.id, now=self.clock())

    def speak(self, by: StaffMember) -> None:
        with self.sessions.begin() as session:
            asked = session.scalars(select(SupportRequest.id)).one()
            supporting.note_spoken(session, asked, by_staff_id=by.id, now=self.clock())

    def mailer(self) -> SmtpMailer:
        sender = "Outreach <outreach@clinic.example>"
        return SmtpMailer(
            SmtpServer(host="127.0.0.1", port=self.server.port, sender=sender, security="none")
        )

    def mail(self) -> int:
        return mail_support(self.sessions, self.mailer(), self.clock, PUBLIC_URL)

    def tick(self) -> None:
        write_support_texts(self.sessions, self.clock)
        send_due_messages(self.sessions, self.gateway, self.clock)
        self.mail()

    def wait(self, hours: int) -> None:
        for _hour in range(hours):
            self.clock.advance(timedelta(hours=1))
            self.tick()

    def told(self) -> tuple[list[str], list[str]]:
        """Return to which numbers and which addresses something went out."""
        texts = [sms.to for sms in self.gateway.sent]
        return texts, [to for to, _letter in self.server.letters]

    def choose(self, clinic: Clinic, *kinds: MessageKind) -> None:
        with self.sessions.begin() as session:
            setting.choose(
                session,
                EVERYTHING,
                clinic.id,
                kinds,
                by_staff_id=self.manager.id,
                now=self.clock(),
            )

    def fates(self) -> list[tuple[MessageStatus, SkipReason | None]]:
        with self.sessions() as session:
            rows = session.execute(
                select(Message.status, Message.skip_reason)
                .where(Message.kind == MessageKind.SUPPORT)
                .order_by(Message.id)
            )
            return [(status, reason) for status, reason in rows]


@pytest.fixture
def server() -> Iterator[LocalSmtp]:
    with LocalSmtp() as found:
        yield found


@pytest.fixture
def office(sessions: Sessions, clock: FakeClock, gateway: FakeGateway, server: LocalSmtp) -> Office:
    return Office(sessions, clock, gateway, server)


def test_who_hears_it_gets_one_text_and_one_letter_and_nobody_else_does(office: Office) -> None:
    office.ask()
    office.tick()
    office.wait(24 * 3)

    assert office.told() == ([NUMBER], [office.manager.email])
    assert office.gateway.sent[0].body == WORDS
    letter = office.server.letters[0][1]
    assert letter["Subject"] == "A colleague asked to talk"
    said = letter.get_payload(decode=True)
    assert isinstance(said, bytes)
    assert said.decode().split() == [*WORDS.split(), f"{PUBLIC_URL}/"]


@pytest.mark.parametrize(
    ("locale", "words"),
    [("es", "Alguien de su equipo quiere"), ("pt-BR", "Alguém da sua equipe quer")],
)
def test_in_the_language_of_who_hears_it(office: Office, locale: str, words: str) -> None:
    with office.sessions.begin() as session:
        session.get_one(StaffMember, office.manager.id).locale = locale
    office.ask()
    office.tick()

    assert office.gateway.sent[0].body.startswith(words)


def test_nobody_is_woken(office: Office) -> None:
    """Asked at ten in the evening; the manager is told at nine, on their own clock."""
    with office.sessions.begin() as session:
        session.get_one(StaffMember, office.manager.id).zone = "America/New_York"
    office.clock.now = datetime(2026, 11, 25, 3, tzinfo=UTC)
    office.ask()
    office.tick()
    office.wait(10)
    assert office.told() == ([], [])

    office.wait(1)

    assert office.clock.now == datetime(2026, 11, 25, 14, tzinfo=UTC)
    assert office.told() == ([NUMBER], [office.manager.email])


def test_a_text_whose_hours_ended_goes_out_the_next_day(office: Office) -> None:
    office.clock.now = datetime(2026, 11, 25, 0, 59, tzinfo=UTC)  # a minute before seven
    office.ask()
    write_support_texts(office.sessions, office.clock)
    office.wait(24)

    assert office.fates() == [
        (MessageStatus.SKIPPED, SkipReason.TOO_LATE),
        (MessageStatus.ACCEPTED, None),
    ]
    assert office.told() == ([NUMBER], [office.manager.email])
    at = office.gateway.taken[0][0]
    assert at == datetime(2026, 11, 25, 15, 59, tzinfo=UTC)


def test_what_was_spoken_of_is_told_to_nobody_any_more(office: Office) -> None:
    office.ask()
    write_support_texts(office.sessions, office.clock)
    office.speak(office.manager)
    office.wait(24)

    assert office.fates() == [(MessageStatus.SKIPPED, SkipReason.TAKEN_ON)]
    assert office.told() == ([], [])


@pytest.mark.parametrize(
    ("kinds", "texts", "letters"),
    [
        ((), 0, 0),
        ((MessageKind.SUPPORT,), 1, 0),
        ((MessageKind.SUPPORT_EMAIL,), 0, 1),
        ((MessageKind.SUPPORT, MessageKind.SUPPORT_EMAIL), 1, 1),
    ],
)
def test_by_the_ways_that_the_clinic_left_on(
    office: Office, kinds: tuple[MessageKind, ...], texts: int, letters: int
) -> None:
    office.choose(office.clinic, *kinds)
    office.ask()
    office.tick()

    assert tuple(map(len, office.told())) == (texts, letters)


def test_both_ways_are_on_until_somebody_says_no(client: FlaskClient, office: Office) -> None:
    sign_in(client, office.manager)
    page = client.get("/messages/settings").text
    for kind in (MessageKind.SUPPORT, MessageKind.SUPPORT_EMAIL):
        assert f'id="kind-{kind.value}" checked' in page

    client.post(f"/messages/clinics/{office.clinic.id}/kinds", data={"kinds": ["support"]})

    page = client.get("/messages/settings").text
    assert 'id="kind-support" checked' in page
    assert 'id="kind-support_email" checked' not in page
    with office.sessions() as session:
        for kind in BY_CHOICE:
            wanted = session.scalars(
                select(Clinic.id).where(setting.is_on(Clinic.id, kind)).order_by(Clinic.id)
            ).all()
            default = [office.other.id] if kind.value.startswith("support") else []
            assert wanted == ([office.clinic.id] if kind is MessageKind.SUPPORT else []) + default


def test_a_manager_of_both_clinics_is_told_once(office: Office) -> None:
    office.hold(office.caller, office.other, Role.CALLER)
    office.hold(office.manager, office.other, Role.MANAGER)
    office.choose(office.clinic)  # by the ways of the other, which refused nothing
    office.ask()
    office.tick()
    office.wait(24)

    texts, letters = office.told()
    assert texts == [NUMBER]
    assert sorted(letters) == sorted([office.manager.email, office.stranger.email])


def test_where_no_manager_is_the_administrator_is_told(office: Office) -> None:
    office.leave(office.manager)
    office.ask()
    office.tick()

    assert office.told() == ([], [office.administrator.email])


def test_a_new_request_is_told_anew(office: Office) -> None:
    office.ask()
    office.tick()
    office.speak(office.manager)
    office.ask()
    office.wait(24)

    assert office.told() == ([NUMBER] * 2, [office.manager.email] * 2)


def test_two_who_ask_at_once_are_two_words_by_two_schedulers(office: Office) -> None:
    with office.sessions.begin() as session:
        second = make_staff(session, session.get_one(Clinic, office.clinic.id))
        supporting.ask(session, second.id, now=office.clock())
    office.ask()

    def work() -> None:
        for _tick in range(3):
            write_support_texts(office.sessions, office.clock)
            office.mail()

    threads = [Thread(target=work) for _each in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    send_due_messages(office.sessions, office.gateway, office.clock)

    assert office.told() == ([NUMBER] * 2, [office.manager.email] * 2)


def test_a_letter_that_may_have_gone_out_is_not_sent_again(office: Office) -> None:
    office.ask()
    office.server.hangs_up_after_data = True
    office.tick()
    office.server.hangs_up_after_data = False
    office.wait(24)

    assert len(office.server.letters) == 1


def test_after_a_backup_was_put_back_only_who_asked_since_is_told(office: Office) -> None:
    office.ask()
    office.clock.advance(timedelta(minutes=1))
    with office.sessions.begin() as session:
        now = office.clock()
        session.add(OutboxHold(since=now, began_at=now, ended_at=now, ended_as="reconciled"))
    assert office.mail() == 0
    office.speak(office.manager)
    office.clock.advance(timedelta(minutes=1))
    office.ask()

    assert office.mail() == 1


@pytest.mark.parametrize(
    ("numbers", "fate"),
    [((), MessageStatus.ACCEPTED), (("+12025550199",), MessageStatus.FAILED)],
)
def test_a_trial_tells_nobody_outside_the_house(
    office: Office,
    config: Config,
    tmp_path: Path,
    numbers: tuple[str, ...],
    fate: MessageStatus,
) -> None:
    server = office.mailer().server
    trial = replace(config, is_trial=True, smtp=server)
    assert mailer_of(replace(config, is_trial=False, smtp=server)) is not None
    stored = tmp_path / "texts.jsonl"
    jobs = periodic_jobs(
        office.sessions,
        ConsoleGateway(stored, office.clock, only_to=frozenset(numbers)),
        office.clock,
        tmp_path,
        mailer=mailer_of(trial),
    )
    office.ask()
    for job in jobs:
        if "support" in job.name or job.name == "send due messages":
            job.run()

    assert [job.name for job in jobs if "support" in job.name] == ["write support texts"]
    assert office.told() == ([], [])
    assert [status for status, _reason in office.fates()] == [fate]
    assert stored.exists() is (fate is MessageStatus.ACCEPTED)


def test_a_clinic_without_callers_who_ask_costs_nothing(office: Office) -> None:
    with office.sessions.begin() as session:
        make_staff(session, make_clinic(session), Role.MANAGER, password_hash=HASH, phone=NUMBER)
    office.tick()

    assert office.told() == ([], [])
    assert office.server.connections == 0
