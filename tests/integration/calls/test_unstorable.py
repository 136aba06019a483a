"""A NUL, which no database takes: an ordinary page in words, and nothing that was typed is lost."""

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from outreach.calls.models import CallNote
from outreach.orm import Sessions
from tests.conftest import sign_in
from tests.integration.calls.conftest import Day

WORDS = "holds a character that can't be seen or stored"


def test_a_form_with_a_nul_comes_back_whole_and_goes_through_without_it(
    client: FlaskClient, sessions: Sessions, day: Day
) -> None:
    sign_in(client, day.ana)
    form = day.form(reached="yes", minutes="5", note="Her \x00boiler is mended.")

    refused = client.post(f"/calls/{day.rosa.ref}", data=form)

    assert refused.status_code == 400
    assert WORDS in refused.text
    kept = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', refused.text))
    assert kept["note"] == "Her boiler is mended."
    assert client.post(f"/calls/{day.rosa.ref}", data=kept).status_code == 302
    with sessions() as session:
        assert session.scalars(select(CallNote.text)).all() == ["Her boiler is mended."]


@pytest.mark.parametrize("path", ["/queue/?a=%00", "/queue/?a=1&a=%00", "/queue/?%00=1", "/q%00"])
def test_an_address_with_a_nul_is_told_in_words(client: FlaskClient, day: Day, path: str) -> None:
    sign_in(client, day.ana)

    refused = client.get(path)

    assert refused.status_code == 400
    assert WORDS in refused.text
    assert "Go to my first page" in refused.text


def test_a_password_with_a_nul_is_not_put_back_on_a_page(client: FlaskClient, day: Day) -> None:
    data = {"email": day.ana.email, "password": "secret\x00words"}

    refused = client.post("/sign-in", data=data)

    assert refused.status_code == 400
    assert "Go back" in refused.text
    assert "secret" not in refused.text
