"""What waits for a person, and one conversation."""

from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from outreach.accounts.rules import Role
from outreach.inbox.models import AnswerDraft
from outreach.messaging.models import Message
from outreach.messaging.rules import MessageKind, MessageStatus
from outreach.orm import Sessions
from tests.builders import make_enrolment, make_patient, make_staff
from tests.conftest import HASH, sign_in
from tests.integration.inbox.conftest import House


@pytest.fixture
def ana(house: House, client: FlaskClient) -> FlaskClient:
    sign_in(client, house.ana)
    return client


def with_rosa(house: House) -> str:
    return f"/texts/with/{house.rosa.ref}"


def answers(sessions: Sessions) -> list[Message]:
    with sessions() as session:
        return list(session.scalars(select(Message).where(Message.kind == MessageKind.ANSWER)))


def test_what_waits_is_listed_for_the_caller_with_a_count(house: House, ana: FlaskClient) -> None:
    house.text("My dog is ill, what now?")
    page = ana.get("/texts/").text

    assert "My dog is ill, what now?" in page
    assert "All (1)" in page
    assert 'class="side__count">1' in page


def test_danger_stands_first(house: House, ana: FlaskClient) -> None:
    house.text("I passed out")
    house.later(minutes=5)
    house.text("What is this about?")
    page = ana.get("/texts/").text

    assert page.index("I passed out") < page.index("What is this about?")


def test_other_callers_patients_and_unknown_numbers_are_not_listed(
    house: House, ana: FlaskClient
) -> None:
    with house.sessions.begin() as session:
        other = make_patient(session, house.clinic, phone="+15125550148")
        make_enrolment(session, other, caller=make_staff(session, house.clinic))
    house.text("Not for Ana at all", number="+15125550148")
    house.text("From nobody we know", number="+15125550999")
    page = ana.get("/texts/").text

    assert "Not for Ana" not in page
    assert "From nobody" not in page


def test_managers_see_unknown_numbers_and_what_is_older_than_a_day(
    house: House, client: FlaskClient
) -> None:
    with house.sessions.begin() as session:
        manager = make_staff(session, house.clinic, Role.MANAGER, password_hash=HASH)
    house.text("From nobody we know", number="+15125550999")
    house.later(hours=25)
    house.text("Quite new")
    sign_in(client, manager)

    assert "From nobody we know" in client.get("/texts/").text
    page = client.get("/texts/?show=old").text
    assert "From nobody we know" in page
    assert "Quite new" not in page
    assert "Older than a day (1)" in page


def test_done_takes_it_off_the_list(house: House, ana: FlaskClient) -> None:
    house.text("What is this about?")
    item = house.items()[0]

    assert ana.post(f"/texts/items/{item.id}/done").status_code == 302

    (seen,) = house.items()
    assert (seen.done_by_id, seen.done_at) == (house.ana.id, house.clock())
    assert house.texts()[0].answered_at == house.clock()
    assert "Nothing waits" in ana.get("/texts/").text


def test_a_stop_that_we_did_not_see_is_written_down(house: House, ana: FlaskClient) -> None:
    house.text("Enough of this, goodbye")
    ana.post(f"/texts/items/{house.items()[0].id}/stop")

    assert house.consents() == [True, False]
    assert house.waiting() == 0


def test_an_answer_goes_out_once_and_ends_the_waiting(house: House, ana: FlaskClient) -> None:
    house.text("What is this about?")
    house.tick()
    for _ in range(2):
        answer = ana.post(with_rosa(house), data={"text": "It is your call.", "form_key": "k"})
        assert answer.status_code == 302

    assert house.tick() == ["It is your call."]
    assert house.waiting() == 0
    page = ana.get(with_rosa(house)).text
    assert page.index("What is this about?") < page.index("It is your call.")
    assert "Ana Morales" in page


def test_answers_have_no_daily_limit(house: House, ana: FlaskClient) -> None:
    house.text("What is this about?")
    for number in range(5):
        ana.post(with_rosa(house), data={"text": f"Answer {number}", "form_key": str(number)})

    assert sum(each.startswith("Answer") for each in house.tick()) == 5


def test_an_answer_waits_for_the_morning_and_says_so(house: House, ana: FlaskClient) -> None:
    house.text("What is this about?")
    house.tick()
    house.clock.now = datetime(2026, 11, 24, 4, 30, tzinfo=UTC)  # 10:30 in the evening there
    sign_in(ana, house.ana)

    assert "it goes out Tue" in ana.get(with_rosa(house)).text
    ana.post(with_rosa(house), data={"text": "Good morning!", "form_key": "k"})

    assert house.tick() == []
    house.clock.now = datetime(2026, 11, 24, 15, tzinfo=UTC)
    assert house.tick() == ["Good morning!"]


def test_who_said_stop_gets_no_answer(house: House, ana: FlaskClient) -> None:
    house.text("What is this about?")
    house.text("STOP")

    assert "They want no texts on this number" in ana.get(with_rosa(house)).text
    refused = ana.post(with_rosa(house), data={"text": "But why?", "form_key": "k"})
    assert refused.status_code == 422
    assert "But why?" not in [each.body for each in answers(house.sessions)]


def test_a_stop_after_the_answer_was_written_holds_it_back(house: House, ana: FlaskClient) -> None:
    house.text("What is this about?")
    ana.post(with_rosa(house), data={"text": "It is your call.", "form_key": "k"})
    house.text("STOP")

    house.tick()

    assert [each.status for each in answers(house.sessions)] == [MessageStatus.SKIPPED]


@pytest.mark.parametrize("text", ["", "   ", "x" * 641])
def test_what_cannot_be_sent_is_said_and_kept_on_the_page(
    house: House, ana: FlaskClient, text: str
) -> None:
    house.text("What is this about?")
    page = ana.post(with_rosa(house), data={"text": text, "form_key": "k"})

    assert page.status_code == 422
    assert text.strip() in page.text
    assert not answers(house.sessions)


def test_nobody_wrote_nothing_to_answer(house: House, ana: FlaskClient) -> None:
    assert "you can answer here" in ana.get(with_rosa(house)).text
    assert ana.post(with_rosa(house), data={"text": "Hi", "form_key": "k"}).status_code == 422


def test_what_is_typed_is_kept_until_it_is_sent(house: House, ana: FlaskClient) -> None:
    house.text("What is this about?")
    for text in ("It is", "It is your"):
        assert ana.post(f"{with_rosa(house)}/draft", data={"text": text}).status_code == 204

    assert "It is your</textarea>" in ana.get(with_rosa(house)).text
    ana.post(with_rosa(house), data={"text": "It is your call.", "form_key": "k"})
    with house.sessions() as session:
        assert not session.scalars(select(AnswerDraft)).all()


def test_the_lines_alone_for_a_page_that_refreshes_itself(house: House, ana: FlaskClient) -> None:
    house.text("<b>What is this about?</b>")
    lines = ana.get(with_rosa(house), headers={"HX-Request": "true"}).text

    assert "<html" not in lines
    assert "&lt;b&gt;What is this about?" in lines


def test_agreeing_to_send_readings_is_kept_and_taken_back(house: House, ana: FlaskClient) -> None:
    ana.post(f"{with_rosa(house)}/readings", data={"agreed": "yes"})
    house.text("sugar 132")
    ana.post(f"{with_rosa(house)}/readings", data={"agreed": "no"})
    house.text("sugar 140")

    assert house.understood() == ["reading", "reading_asked"]


def test_the_call_screen_and_the_patient_page_show_what_waits(
    house: House, ana: FlaskClient
) -> None:
    house.text("C")
    house.text("What is this about?")
    house.clock.advance(timedelta(days=1))
    sign_in(ana, house.ana)

    for path in (f"/calls/{house.rosa.ref}", f"/patients/{house.rosa.ref}"):
        page = ana.get(path, follow_redirects=True).text
        assert "What is this about?" in page
        assert "Read and answer" in page
    assert "confirmed by text" in page
    assert "confirmed the call" in page
