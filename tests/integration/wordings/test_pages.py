"""Managers choose what texts say; what they must not say is refused, and nothing is lost."""

from typing import NamedTuple

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Role
from outreach.inbox import answers
from outreach.messaging.models import InboundText, Message
from outreach.messaging.rules import MessageKind
from outreach.orm import Sessions
from outreach.planning.jobs import plan_missing_calls, write_reminders
from outreach.wordings import keeping
from outreach.wordings.models import Wording
from outreach.wordings.rules import TextName
from tests.builders import make_clinic, make_enrolment, make_patient, make_staff
from tests.conftest import HASH, sign_in
from tests.fakes import FakeClock

NEW = "{clinic} {phone}: hello, {caller} rings on {day} from {begins}. Reply STOP to end texts."
URL = "/wordings/reminder/en"


class Place(NamedTuple):
    clinic: Clinic
    manager: StaffMember
    caller: StaffMember


@pytest.fixture
def place(sessions: Sessions) -> Place:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        manager = make_staff(session, clinic, Role.MANAGER, password_hash=HASH)
        return Place(clinic, manager, make_staff(session, clinic, password_hash=HASH))


@pytest.fixture
def signed_in(client: FlaskClient, place: Place) -> FlaskClient:
    sign_in(client, place.manager)
    return client


def versions(sessions: Sessions) -> list[tuple[int, str]]:
    with sessions() as session:
        found = session.scalars(select(Wording).order_by(Wording.number)).all()
        return [(each.number, each.body) for each in found]


def test_new_words_are_a_version_and_go_into_the_next_reminder(
    signed_in: FlaskClient, sessions: Sessions, place: Place, clock: FakeClock
) -> None:
    with sessions.begin() as session:
        patient = make_patient(session, place.clinic, sms_consent=True)
        make_enrolment(session, patient, caller=place.caller)

    answer = signed_in.post(URL, data={"body": NEW, "seen": "0"})
    plan_missing_calls(sessions, clock)
    write_reminders(sessions, clock)

    assert answer.status_code == 302
    assert versions(sessions) == [(1, NEW)]
    with sessions() as session:
        messages = session.scalars(select(Message)).all()
        wording_id = session.scalars(select(Wording.id)).one()
    for message in messages:
        assert message.wording_id == wording_id
        assert ": hello, " in message.body


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "Enter the words"),
        (NEW.replace("hello", "your glucose"), "says something about health"),
        (NEW.replace("STOP", "CANCEL"), "changes what the carrier lets through"),
        (NEW.replace("{day}", "{date}"), "There is no {date}"),
        (NEW.replace("{begins}", "noon"), "{begins} has to be in it"),
        (NEW + " bit.ly/x", "not an address of this clinic"),
        (NEW + " x" * 300, "Too long"),
    ],
)
def test_what_no_text_may_say_is_refused_and_kept_in_the_form(
    signed_in: FlaskClient, sessions: Sessions, words: str, said: str
) -> None:
    answer = signed_in.post(URL, data={"body": words, "seen": "0"})

    assert answer.status_code == 422
    assert said in answer.text
    assert words[:60].split(" {", maxsplit=1)[0] in answer.text
    assert versions(sessions) == []


def test_two_who_write_at_once_lose_nothing(signed_in: FlaskClient, sessions: Sessions) -> None:
    other = NEW.replace("hello", "good day")
    signed_in.post(URL, data={"body": NEW, "seen": "0"})

    late = signed_in.post(URL, data={"body": other, "seen": "0"})
    again = signed_in.post(URL, data={"body": other, "seen": "1"})

    assert late.status_code == 422
    assert "Somebody else changed these words meanwhile" in late.text
    assert "good day" in late.text
    assert 'name="seen" type="hidden" value="1"' in late.text
    assert again.status_code == 302
    assert [number for number, _body in versions(sessions)] == [1, 2]


def test_older_words_come_back_as_a_new_version(signed_in: FlaskClient, sessions: Sessions) -> None:
    signed_in.post(URL, data={"body": NEW, "seen": "0"})
    built_in = keeping.built_in(TextName.REMINDER, "en")

    page = signed_in.get(URL).text
    signed_in.post(URL, data={"body": built_in, "seen": "1"})

    assert "Use these again" in page
    assert versions(sessions) == [(1, NEW), (2, built_in)]


def test_the_same_words_again_are_no_new_version(
    signed_in: FlaskClient, sessions: Sessions
) -> None:
    signed_in.post(URL, data={"body": NEW, "seen": "0"})

    assert signed_in.post(URL, data={"body": NEW, "seen": "1"}).status_code == 302
    assert len(versions(sessions)) == 1


def test_words_being_typed_are_shown_as_they_arrive(signed_in: FlaskClient, place: Place) -> None:
    page = signed_in.post(URL + "/look", data={"body": "{clinic}: olá, sábado. yes"}).text

    assert f"{place.clinic.name}: olá, sábado. yes" in page
    assert "counted double because of á" in page
    assert "{day} has to be in it." in page


def test_a_clinic_changes_its_own_words_only(
    signed_in: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        elsewhere = make_clinic(session)

    answer = signed_in.post(f"{URL}?clinic={elsewhere.code}", data={"body": NEW, "seen": "0"})

    with sessions() as session:
        book = keeping.book_of(session)
        kept = book.of(elsewhere.id, TextName.REMINDER, "en")
    assert answer.status_code in (302, 404)
    assert kept.number == 0


@pytest.mark.parametrize("address", ["/wordings/nothing/en", "/wordings/reminder/fr"])
def test_there_is_no_such_text(signed_in: FlaskClient, address: str) -> None:
    assert signed_in.get(address).status_code == 404


def test_callers_see_nothing_of_it(client: FlaskClient, place: Place) -> None:
    sign_in(client, place.caller)

    assert client.get("/wordings/").status_code in (403, 404)
    assert client.get(URL).status_code in (403, 404)


def test_every_text_is_shown_in_three_languages(signed_in: FlaskClient) -> None:
    page = signed_in.get("/wordings/").text

    assert page.count("As built in.") == 3 * len(TextName)
    assert "{clinic}" not in page


def test_a_clinics_own_words_answer_and_are_named_in_the_text(
    signed_in: FlaskClient, sessions: Sessions, place: Place, clock: FakeClock
) -> None:
    own = "{clinic}: we are glad you wrote. A person reads it. In an emergency call {emergency}."
    signed_in.post("/wordings/not_understood_reply/en", data={"body": own, "seen": "0"})
    with sessions.begin() as session:
        session.add(
            InboundText(
                clinic_id=place.clinic.id,
                provider_id="SM1",
                from_number="+15125550147",
                to_number=place.clinic.phone_number,
                body="my neighbour moved",
                attachments=0,
                received_at=clock(),
                open_until=clock(),
            )
        )
        session.flush()
        answers.reply(
            session,
            session.scalars(select(InboundText)).one(),
            MessageKind.NOT_UNDERSTOOD_REPLY,
            language="en",
            now=clock(),
        )

    with sessions() as session:
        message = session.scalars(select(Message)).one()
        assert "glad you wrote" in message.body
        assert message.body.endswith("call 911.")
        assert message.wording_id == session.scalars(select(Wording.id)).one()


def test_the_answer_to_danger_keeps_its_numbers(signed_in: FlaskClient, sessions: Sessions) -> None:
    page = signed_in.post(
        "/wordings/danger_reply/en", data={"body": "{clinic}: ring us tomorrow.", "seen": "0"}
    )

    assert page.status_code == 422
    assert "{lifeline} has to be in it" in page.text
    assert versions(sessions) == []


def test_examples_name_the_clinic_and_its_number(
    signed_in: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        clinic = session.get_one(Clinic, place.clinic.id)
        clinic.name, clinic.phone_number = "Harbor View Clinic", "+15125550177"

    every = signed_in.get("/wordings/").text
    typed = signed_in.post(URL + "/look", data={"body": NEW}).text

    assert "Riverside" not in every
    assert "Harbor View Clinic, (512) 555-0177: " in every
    assert "Harbor View Clinic (512) 555-0177: hello" in typed


def test_words_that_came_with_the_product_before_are_known_still(session: Session) -> None:
    """After a restore, the carrier's list may hold texts that were made from them."""
    known = keeping.ever_unasked(session)

    assert any(
        "{caller} ligou hoje e vai tentar de novo. Pode também ligar" in each for each in known
    )
    assert len(known) == len(set(known))
