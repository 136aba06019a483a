"""What is due to be measured at this point of the programme."""

from datetime import date

from flask.testing import FlaskClient

from outreach.orm import Sessions
from tests.conftest import sign_in
from tests.integration.calls.conftest import Day

TODAY = date(2026, 11, 23)


def test_the_call_says_what_is_missing_and_leads_to_the_questionnaire(
    sessions: Sessions, client: FlaskClient, day: Day
) -> None:
    sign_in(client, day.ana)

    page = client.get(f"/calls/{day.rosa.ref}").text

    assert "To measure now" in page
    assert f'href="/calls/{day.rosa.ref}?ask=phq9#asked"' in page


def test_who_it_is_how_to_say_it_and_until_when_to_call(client: FlaskClient, day: Day) -> None:
    sign_in(client, day.ana)
    details = {
        "said_as": "ROH-sah", "approach": "Slowly, hard of hearing.", "about": "Sings.",
        "language": "en", "zone": "America/Chicago", "back": "call",
    }  # fmt: skip

    answer = client.post(f"/patients/{day.rosa.ref}/details", data=details)

    assert answer.location == f"/calls/{day.rosa.ref}#plan"
    page = client.get(answer.location).text
    assert "ROH-sah" in page
    assert "Slowly, hard of hearing." in page
    assert "until 8:00" in page


def test_openers_are_hidden_until_they_are_wanted_again(client: FlaskClient, day: Day) -> None:
    sign_in(client, day.ana)
    client.post(f"/patients/{day.rosa.ref}/goals/", data={"area": "own", "text": "Dance in spring"})
    path, shown = f"/calls/{day.rosa.ref}", '<details class="openers" open>'
    assert shown in client.get(path).text

    client.post(f"{path}/openers", data={"hide": "1"})
    assert shown not in client.get(path).text

    client.post(f"{path}/openers", data={"hide": "0"})
    assert shown in client.get(path).text
