"""The page on which a clinic keeps its low-sugar card."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from outreach.audit.models import AuditEvent
from outreach.concerns import low_sugar
from outreach.concerns.low_sugar import BUILT_IN
from outreach.concerns.models import LowSugarCard
from tests.conftest import sign_in
from tests.integration.concerns.conftest import Line

PAGE = "/concerns/on-call/low-sugar"
FIT = {
    "seen": "0",
    "say": "Eat 4 glucose tablets now.\n\n  I will   wait. ",
    "approved_by": "Dr. Ada Klein",
    "approved_on": "2026-11-02",
    "keep": "Read this from now on",
}


@pytest.fixture
def manager(line: Line, client: FlaskClient) -> FlaskClient:
    sign_in(client, line.manager)
    return client


def cards(line: Line) -> list[tuple[str, int, str, str]]:
    with line.sessions() as session:
        rows = session.scalars(select(LowSugarCard).order_by(LowSugarCard.id))
        return [(row.language, row.number, row.say, row.approved_by) for row in rows]


def test_until_one_is_approved_the_page_says_what_is_read(manager: FlaskClient) -> None:
    page = manager.get(f"{PAGE}?language=es").text

    assert "No card of your own in Spanish yet" in page
    assert page.count(BUILT_IN["es"][0]) == 3  # in the field, in the preview, among the versions


def test_versions_are_appended_and_the_earlier_ones_stay_readable(
    manager: FlaskClient, line: Line
) -> None:
    assert manager.post(PAGE, data=FIT).status_code == 302
    second = FIT | {"seen": "1", "say": "Drink a small glass of juice now."}
    assert manager.post(PAGE, data=second).status_code == 302

    assert cards(line) == [
        ("en", 1, "Eat 4 glucose tablets now.\nI will wait.", "Dr. Ada Klein"),
        ("en", 2, "Drink a small glass of juice now.", "Dr. Ada Klein"),
    ]
    page = manager.get(PAGE).text
    assert "Version 1, approved by Dr. Ada Klein on" in page
    assert "saved by Mark Ellison" in page
    assert "Eat 4 glucose tablets now." in page
    with line.sessions() as session:
        actions = list(session.scalars(select(AuditEvent.action)))
    assert actions.count("changed the low-sugar card") == 2


def test_each_language_has_versions_of_its_own(manager: FlaskClient, line: Line) -> None:
    spanish = FIT | {"say": "Coma 4 tabletas de glucosa ahora."}

    assert manager.post(f"{PAGE}?language=es", data=spanish).status_code == 302

    assert [(row[0], row[1]) for row in cards(line)] == [("es", 1)]
    assert "No card of your own in English yet" in manager.get(PAGE).text


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"say": "Take 2 units less."}, "Take out “2 units”"),
        ({"say": " \n "}, "Write what to read aloud."),
        ({"say": "Wait.\n" * 9}, "Use at most 8 lines"),
        ({"approved_by": " "}, "Write who approved it."),
        ({"approved_on": ""}, "Choose the day of the approval."),
        ({"approved_on": "2026-11-24"}, "That day is still to come."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(
    manager: FlaskClient, line: Line, wrong: dict[str, str], words: str
) -> None:
    typed = FIT | {"say": "Please eat something sweet."} | wrong
    answer = manager.post(PAGE, data=typed)

    assert answer.status_code == 422
    assert words in answer.text
    assert cards(line) == []
    for kept in (typed["say"].strip(), typed["approved_by"].strip()):
        assert kept in answer.text


def test_looking_at_it_keeps_nothing_and_asks_for_no_approval(
    manager: FlaskClient, line: Line
) -> None:
    typed = {"seen": "0", "say": "Please eat something sweet.", "look": "Look at it"}

    answer = manager.post(PAGE, data=typed)

    assert answer.status_code == 200
    assert "<p>Please eat something sweet.</p>" in answer.text
    assert cards(line) == []
    assert "Take out" in manager.post(PAGE, data=typed | {"say": "Skip your insulin."}).text


def test_two_who_change_it_at_once_are_told_and_keep_their_words(
    manager: FlaskClient, line: Line
) -> None:
    manager.post(PAGE, data=FIT)

    answer = manager.post(PAGE, data=FIT | {"say": "Please eat something sweet."})

    assert answer.status_code == 422
    assert "Somebody else changed this card meanwhile." in answer.text
    assert "Please eat something sweet." in answer.text
    assert 'name="seen" type="hidden" value="1"' in answer.text
    assert len(cards(line)) == 1


def test_the_unique_key_decides_between_two_of_one_number(line: Line) -> None:
    new = low_sugar.NewCard("Wait.", "Dr. Ada Klein", line.patient.date_of_birth, 0)
    with line.sessions.begin() as session:
        by = line.manager.id
        now = line.patient.created_at
        low_sugar.write(session, line.clinic.id, "en", new, by_staff_id=by, now=now)
        with pytest.raises(low_sugar.WrittenMeanwhile):
            low_sugar.write(session, line.clinic.id, "en", new, by_staff_id=by, now=now)


@pytest.mark.parametrize("who", ["caller", "nurse"])
def test_others_do_not_change_it(line: Line, client: FlaskClient, who: str) -> None:
    sign_in(client, getattr(line, who))

    assert client.post(PAGE, data=FIT).status_code == 404
    assert cards(line) == []
