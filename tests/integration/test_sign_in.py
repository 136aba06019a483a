"""Signing in, and what ends a session."""

from datetime import timedelta

from flask.testing import FlaskClient

from outreach.accounts.rules import Role
from outreach.orm import Sessions
from tests.builders import PASSWORD, make_clinic, make_staff
from tests.conftest import HASH, sign_in
from tests.fakes import FakeClock


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(
    sessions: Sessions, client: FlaskClient
) -> None:
    with sessions.begin() as session:
        person = make_staff(session, make_clinic(session), password_hash=HASH)

    wrong = client.post("/sign-in", data={"email": person.email, "password": "x"})
    unknown = client.post("/sign-in", data={"email": "no@example.org", "password": "x"})

    assert wrong.status_code == unknown.status_code == 422
    assert "is not right" in wrong.text
    assert wrong.text.replace(person.email, "") == unknown.text.replace("no@example.org", "")


def test_a_session_ends_after_a_quarter_of_an_hour_alone(
    sessions: Sessions, client: FlaskClient, clock: FakeClock
) -> None:
    with sessions.begin() as session:
        person = make_staff(session, None, Role.ADMINISTRATOR, password_hash=HASH)
    sign_in(client, person)

    clock.advance(timedelta(minutes=14))
    assert "/sign-in" not in client.get("/").location
    clock.advance(timedelta(minutes=16))

    assert "/sign-in" in client.get("/").location


def test_signing_out_ends_the_session_on_the_server(
    sessions: Sessions, client: FlaskClient
) -> None:
    with sessions.begin() as session:
        person = make_staff(session, None, Role.ADMINISTRATOR, password_hash=HASH)
    sign_in(client, person)
    cookie = client.get_cookie("outreach")
    assert cookie is not None

    client.post("/sign-out")
    client.set_cookie("outreach", cookie.value)

    assert "/sign-in" in client.get("/").location


def test_guessing_is_slowed_down_for_one_address_only(
    sessions: Sessions, client: FlaskClient
) -> None:
    with sessions.begin() as session:
        person = make_staff(session, None, Role.ADMINISTRATOR, password_hash=HASH)
    data = {"email": person.email, "password": PASSWORD}
    for _try in range(10):
        client.post("/sign-in", data={"email": person.email, "password": "guess"})

    refused = client.post("/sign-in", data=data)
    elsewhere = client.post("/sign-in", data=data, environ_base={"REMOTE_ADDR": "10.9.8.7"})

    assert "Too many tries" in refused.text
    assert elsewhere.status_code == 302


def test_after_signing_in_one_is_back_where_one_was_but_never_elsewhere(
    sessions: Sessions, client: FlaskClient
) -> None:
    with sessions.begin() as session:
        person = make_staff(session, None, Role.ADMINISTRATOR, password_hash=HASH)
    data = {"email": person.email, "password": PASSWORD}

    inside = client.post("/sign-in?next=/patients/?page=2", data=data)
    outside = client.post("/sign-in?next=//evil.example/", data=data)

    assert inside.location == "/patients/?page=2"
    assert outside.location == "/"
