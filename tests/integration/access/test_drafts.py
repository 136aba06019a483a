"""What somebody is typing is theirs: nobody else reads it, of the same role beside them either."""

import pytest
from flask import Flask

from config import Config
from outreach.accounts.rules import Role
from outreach.orm import Sessions
from tests.integration.access.house import People, TwoClinics
from tests.integration.access.walk import signed_in

WORDS = "I am sorry about your sister"


@pytest.fixture
def clinics(sessions: Sessions, config: Config) -> TwoClinics:
    return TwoClinics(sessions, config.instance_path / "uploads")


@pytest.fixture
def people(sessions: Sessions, clinics: TwoClinics) -> People:
    return clinics.people(sessions)


def test_a_half_written_answer_is_shown_to_who_writes_it(
    app: Flask, clinics: TwoClinics, people: People
) -> None:
    own, other = (signed_in(app, each[Role.MANAGER]) for each in (people.here, people.colleagues))
    page = f"/texts/{clinics.arguments['ref']}"
    draft = {"words": WORDS, "form_key": "one", "version": "0"}
    assert own.post(f"{page}/draft", data=draft).status_code == 200

    assert WORDS in own.get(page).text
    assert other.get(page).status_code == 200
    assert WORDS not in other.get(page).text


@pytest.mark.parametrize("role", Role)
def test_a_form_that_was_not_sent_is_given_back_to_who_typed_in_it(
    role: Role, app: Flask, people: People
) -> None:
    own, other = (signed_in(app, each[role]) for each in (people.here, people.colleagues))
    place = {"place": "/concerns/1"}
    typed = place | {"who": str(people.here[role].id), "fields": f'[["note", "{WORDS}"]]'}
    assert own.post("/typed/", data=typed).status_code == 204

    assert WORDS in own.get("/typed/", query_string=place).text
    assert WORDS not in other.get("/typed/", query_string=place).text
    assert other.post("/typed/", data=typed).status_code == 403
