"""Who does by the hundred what people do one by one is told to wait, and nobody else is."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import BytecodeCache
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from config import BadSetting, Config
from outreach.accounts.models import AccessLink, Clinic, EmergencyAccess, StaffMember
from outreach.accounts.rules import Role
from outreach.app import create_app
from outreach.audit.models import AuditEvent
from outreach.brakes import counting
from outreach.brakes.models import BrakeCount
from outreach.brakes.rules import Braked, Limit
from outreach.db import db
from outreach.deps import Deps
from outreach.errors import TooOften
from outreach.exports.models import Export
from outreach.factors.models import PasskeyChallenge
from outreach.orm import Sessions
from outreach.oversight import looks
from tests.builders import make_clinic, make_patient, make_staff
from tests.conftest import FAST_HASHER, HASH, sign_in
from tests.fakes import MONDAY_10_CHICAGO, FakeClock, FakeGateway
from tests.integration.messaging.conftest import make_message
from tests.telephones import make_inbox_item

LIMIT = 3
WRITTEN = " ".join(f"{each}={LIMIT}" for each in Braked)


@dataclass
class Slow:
    """An app in which everything may be done three times, a manager and an administrator."""

    app: Flask
    sessions: Sessions
    person: StaffMember
    manager: FlaskClient
    administrator: FlaskClient
    colleague_id: int
    refs: list[str]

    def browser_of(self, role: Role) -> FlaskClient:
        """Return the browser of somebody else of the clinic, who has signed in."""
        with self.sessions.begin() as session:
            clinic = session.scalars(select(Clinic)).one()
            person = make_staff(session, clinic, role, password_hash=HASH)
        browser = self.app.test_client()
        sign_in(browser, person)
        return browser


@pytest.fixture
def slow(
    config: Config,
    clock: FakeClock,
    gateway: FakeGateway,
    sessions: Sessions,
    compiled_templates: BytecodeCache,
) -> Iterator[Slow]:
    braked = replace(config, rate_limits=WRITTEN, administrators_need_reason=True)
    app = create_app(Deps(braked, clock, gateway))
    app.testing = True
    app.jinja_env.bytecode_cache = compiled_templates
    app.config["WTF_CSRF_ENABLED"] = False
    app.extensions["password_hasher"] = FAST_HASHER
    with sessions.begin() as session:
        clinic = make_clinic(session, code="CEDAR")
        manager = make_staff(session, clinic, Role.MANAGER, password_hash=HASH)
        administrator = make_staff(session, None, Role.ADMINISTRATOR, password_hash=HASH)
        colleague = make_staff(session, clinic)
        patients = [make_patient(session, clinic, record_number=f"R{n}") for n in range(LIMIT + 1)]
        make_inbox_item(session, patients[0])
        make_message(session, patients[0])
        session.flush()
        refs, colleague_id = [each.ref for each in patients], colleague.id
    browsers = []
    for person in (manager, administrator):
        browser = app.test_client()
        sign_in(browser, person)
        browsers.append(browser)
    yield Slow(app, sessions, manager, browsers[0], browsers[1], colleague_id, refs)
    with app.app_context():
        db.engine.dispose()


def _assert_braked(answer: TestResponse) -> None:
    assert answer.status_code == 429, answer.text
    assert int(answer.headers["Retry-After"]) > 0
    assert "Too many tries. Wait" in answer.text
    assert "no-store" in answer.headers["Cache-Control"]


def test_patients_are_searched_so_often_a_minute(slow: Slow, clock: FakeClock) -> None:
    def search() -> TestResponse:
        return slow.manager.post("/patients/search", data={"text": "Rosa"})

    assert [search().status_code for _each in range(LIMIT)] == [302] * LIMIT
    refused = search()
    _assert_braked(refused)
    assert 'name="text" value="Rosa"' in refused.text

    clock.advance(timedelta(minutes=1))
    assert search().status_code == 302


@pytest.mark.parametrize(
    ("role", "path", "field", "typed"),
    [
        pytest.param(Role.ASSESSOR, "/assess/", "record_number", "R{n}", id="record numbers"),
        pytest.param(Role.CALLER, "/phone/find", "number", "555010{n}", id="telephone numbers"),
    ],
)
def test_numbers_are_guessed_no_oftener_and_each_guess_is_noted(
    slow: Slow, clock: FakeClock, role: Role, path: str, field: str, typed: str
) -> None:
    """Who goes through all numbers one by one learns who is a patient."""
    browser = slow.browser_of(role)
    guesses = [typed.format(n=number) for number in range(LIMIT + 1)]
    answers = [browser.post(path, data={field: guess}) for guess in guesses]

    assert 429 not in [each.status_code for each in answers[:LIMIT]]
    _assert_braked(answers[LIMIT])
    assert f'name="{field}" value="{guesses[LIMIT]}"' in answers[LIMIT].text
    with slow.sessions() as session:
        noted = session.scalars(
            select(AuditEvent.object_kind).where(AuditEvent.action == "searched patients")
        ).all()
    assert noted == ["patients found"] * LIMIT

    clock.advance(timedelta(minutes=1))
    assert browser.post(path, data={field: guesses[LIMIT]}).status_code != 429


def test_the_trail_is_searched_as_often(slow: Slow) -> None:
    answers = [slow.manager.post("/audit/", data={"page": "1"}) for _each in range(LIMIT + 1)]

    assert 429 not in [each.status_code for each in answers[:LIMIT]]
    _assert_braked(answers[LIMIT])


def test_who_copies_patients_page_by_page_is_stopped(slow: Slow, clock: FakeClock) -> None:
    pages = [f"/patients/{ref}" for ref in slow.refs]
    answers = [slow.manager.get(page) for page in pages]

    assert [each.status_code for each in answers[:LIMIT]] == [200] * LIMIT
    _assert_braked(answers[LIMIT])
    assert slow.refs[LIMIT] not in answers[LIMIT].text
    assert slow.manager.get(pages[0]).status_code == 200  # that look was noted already

    clock.advance(timedelta(minutes=50))
    sign_in(slow.manager, slow.person)
    clock.advance(timedelta(minutes=10))
    assert slow.manager.get(pages[LIMIT]).status_code == 200


def test_who_copies_lists_page_by_page_is_stopped_and_each_page_is_noted(slow: Slow) -> None:
    answers = [slow.manager.get("/patients/") for _each in range(LIMIT + 1)]

    assert [each.status_code for each in answers[:LIMIT]] == [200] * LIMIT
    _assert_braked(answers[LIMIT])
    assert slow.refs[0] not in answers[LIMIT].text
    with slow.sessions() as session:
        listed = session.scalars(
            select(AuditEvent.actor_id).where(AuditEvent.action == "listed patients")
        ).all()
    assert listed == [slow.person.id] * LIMIT


def test_every_list_that_is_noted_is_a_page(slow: Slow) -> None:
    assert slow.app.view_functions.keys() >= looks.LISTS


def test_reasons_are_given_for_so_many_patients_an_hour(slow: Slow) -> None:
    for number in range(LIMIT + 1):
        answer = slow.administrator.post(
            "/audit/emergency",
            data={
                "clinic": "CEDAR",
                "record_number": f"R{number}",
                "reason": f"They fell, and somebody has to ring {number}.",
            },
        )

    _assert_braked(answer)
    with slow.sessions() as session:
        assert session.scalar(select(func.count(EmergencyAccess.id))) == LIMIT


def test_so_many_links_are_handed_out_an_hour(slow: Slow) -> None:
    answers = [slow.manager.post(f"/staff/{slow.colleague_id}/link") for _each in range(LIMIT + 1)]

    assert [each.status_code for each in answers[:LIMIT]] == [200] * LIMIT
    _assert_braked(answers[LIMIT])
    with slow.sessions() as session:
        assert session.scalar(select(func.count(AccessLink.id))) == LIMIT


def test_so_many_texts_are_written_an_hour_and_the_words_are_kept(slow: Slow) -> None:
    for number in range(LIMIT + 1):
        answer = slow.manager.post(
            f"/texts/{slow.refs[0]}",
            data={"words": f"Hello {number}", "form_key": f"k{number}", "read_up_to": "0"},
        )

    _assert_braked(answer)
    assert f'value="Hello {LIMIT}"' in answer.text


def test_so_many_files_are_asked_for_an_hour(slow: Slow, clock: FakeClock) -> None:
    for number in range(LIMIT + 1):
        answer = slow.manager.post(
            f"/exports/patients/{slow.refs[0]}", data={"form_key": f"k{number}"}
        )
        with slow.sessions.begin() as session:  # as if each were written already
            for each in session.scalars(select(Export)):
                session.delete(each)

    _assert_braked(answer)


def test_strangers_are_counted_by_address_and_by_nothing_else(slow: Slow) -> None:
    stranger = slow.app.test_client()
    for number in range(LIMIT):
        assert stranger.get(f"/welcome/guess{number}").status_code == 404
    _assert_braked(stranger.get("/welcome/guess"))
    unsigned = stranger.post("/webhooks/texts/incoming", data={"MessageSid": "SM1"})
    _assert_braked(unsigned)
    _assert_braked(stranger.post("/sign-in/passkey/question"))
    with slow.sessions() as session:
        assert session.scalar(select(func.count(PasskeyChallenge.id))) == 0

    elsewhere = stranger.get("/welcome/guess", environ_base={"REMOTE_ADDR": "198.51.100.7"})
    assert elsewhere.status_code == 404


def test_strangers_in_the_same_house_keep_nobody_from_their_passkey(slow: Slow) -> None:
    """A clinic has one address: a browser that somebody signed in with is counted by itself."""
    stranger = slow.app.test_client()
    for number in range(LIMIT + 1):
        stranger.get(f"/welcome/guess{number}")
    _assert_braked(stranger.post("/sign-in/passkey/question"))
    slow.manager.post("/sign-out")

    asked = [slow.manager.post("/sign-in/passkey/question") for _each in range(LIMIT + 1)]

    assert [each.status_code for each in asked[:LIMIT]] == [200] * LIMIT
    _assert_braked(asked[LIMIT])


def test_what_is_signed_is_never_braked(slow: Slow, gateway: FakeGateway) -> None:
    carrier = slow.app.test_client()
    for _each in range(LIMIT + 1):
        carrier.post("/webhooks/texts/incoming", data={"MessageSid": "SM1"})

    answer = carrier.post(
        "/webhooks/sms-status/1",
        data={"MessageSid": "SM" + "0" * 32, "MessageStatus": "sent"},
        headers={"X-Twilio-Signature": "valid"},
    )

    assert answer.status_code in {204, 403}
    assert answer.status_code == 204, answer.text


def test_no_two_slip_through_together(sessions: Sessions) -> None:
    both, refused = Barrier(2), []

    def one() -> None:
        both.wait()
        for _each in range(10):
            try:
                with sessions.begin() as session:
                    limit = Limit(15, timedelta(hours=1))
                    counting.count(session, Braked.LOOKS, "account 1", limit, now=MONDAY_10_CHICAGO)
            except TooOften:
                refused.append(1)

    threads = [Thread(target=one) for _each in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert len(refused) == 5
    with sessions() as session:
        assert session.scalars(select(BrakeCount.count)).all() == [15]


def test_a_setting_that_can_not_be_read_stops_the_start(
    config: Config, clock: FakeClock, gateway: FakeGateway
) -> None:
    with pytest.raises(BadSetting, match="RATE_LIMITS: 'visits=3'"):
        create_app(Deps(replace(config, rate_limits="visits=3"), clock, gateway))
