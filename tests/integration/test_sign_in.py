"""Signing in, and what ends a session."""

import re
from datetime import timedelta
from typing import Literal

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import QueuePool

from outreach import orm
from outreach.accounts import passwords
from outreach.accounts.models import Membership
from outreach.accounts.rules import Role
from outreach.db import db
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
    values = re.compile(r'value="[^"]*"')  # what was typed, and the form's token
    assert values.sub("", wrong.text) == values.sub("", unknown.text)


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


class CountingHasher(PasswordHasher):
    """A hasher that notes, at each check, how many database connections are in use."""

    def __init__(self, app: Flask) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self._app = app
        self.connections_in_use: list[int] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002
        with self._app.app_context():
            pool = db.engine.pool
        assert isinstance(pool, QueuePool)
        self.connections_in_use.append(pool.checkedout())
        return super().verify(hash, password)


@pytest.mark.parametrize("email", ["ana@example.org", "no@example.org"])
def test_every_try_is_hashed_once_and_holds_no_transaction_meanwhile(
    app: Flask, sessions: Sessions, client: FlaskClient, email: str
) -> None:
    with sessions.begin() as session:
        make_staff(session, make_clinic(session), email="ana@example.org", password_hash=HASH)
    hasher = app.extensions["password_hasher"] = CountingHasher(app)

    client.post("/sign-in", data={"email": email, "password": "x"})

    assert hasher.connections_in_use == [0]


def test_a_role_counts_from_its_first_day_on(
    sessions: Sessions, client: FlaskClient, clock: FakeClock
) -> None:
    tomorrow = clock.now + timedelta(days=1)
    with sessions.begin() as session:
        clinic = make_clinic(session)
        person = make_staff(session, clinic, password_hash=HASH)
        session.add(
            Membership(
                staff_id=person.id,
                clinic_id=clinic.id,
                role=Role.MANAGER,
                from_on=tomorrow.date(),
            )
        )
    sign_in(client, person)
    assert client.get("/import/").status_code == 404

    clock.now = tomorrow
    sign_in(client, person)

    assert client.get("/import/").status_code == 200


def test_whoever_was_here_a_moment_ago_can_sign_in_again(
    sessions: Sessions, client: FlaskClient, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To note that they are there took SQLite's turn, which signing in held already."""
    monkeypatch.setattr(orm, "SQLITE_PRAGMAS", ("busy_timeout=200", *orm.SQLITE_PRAGMAS[1:]))
    with sessions.begin() as session:
        person = make_staff(session, make_clinic(session), password_hash=HASH)
    sign_in(client, person)
    clock.advance(timedelta(minutes=2))

    sign_in(client, person)

    assert client.get("/queue/").status_code == 200


def test_signing_in_again_ends_the_session_before(sessions: Sessions, client: FlaskClient) -> None:
    with sessions.begin() as session:
        person = make_staff(session, None, Role.ADMINISTRATOR, password_hash=HASH)
    sign_in(client, person)
    before = client.get_cookie("outreach")
    assert before is not None

    sign_in(client, person)
    client.set_cookie("outreach", before.value)

    assert "/sign-in" in client.get("/").location


def test_refusals_are_logged_by_number_and_never_by_name(
    sessions: Sessions, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    with sessions.begin() as session:
        person = make_staff(session, make_clinic(session), password_hash=HASH)

    client.post("/sign-in", data={"email": person.email, "password": "not the one"})
    client.post("/sign-in", data={"email": "no@example.org", "password": "not the one"})
    sign_in(client, person)
    assert client.get("/staff/").status_code == 404

    assert f"sign-in refused: wrong password, account {person.id}" in caplog.messages
    assert "sign-in refused: wrong password, account nobody's" in caplog.messages
    assert f"not for them: staff.index, {person.id}" in caplog.messages
    assert "not the one" not in caplog.text


def test_where_one_works_is_no_password(sessions: Sessions) -> None:
    with sessions.begin() as session:
        person = make_staff(session, make_clinic(session, name="Quillback Harbour"))
        known = passwords.own_words(session, person)

    with pytest.raises(passwords.PasswordTooCommon):
        passwords.check("quillbackharbour1", known)
    passwords.check("quillbackharbour1")


def test_whoever_has_a_network_of_addresses_guesses_from_one_place(
    sessions: Sessions, client: FlaskClient
) -> None:
    """An IPv6 customer has 2^64 addresses: counted one by one, each had its own tries."""
    with sessions.begin() as session:
        person = make_staff(session, make_clinic(session), password_hash=HASH)
    answers = [
        client.post(
            "/sign-in",
            data={"email": person.email, "password": "x"},
            environ_overrides={"REMOTE_ADDR": f"2001:db8:1:2::{last:x}"},
        )
        for last in range(1, 7)
    ]

    assert "is not right" in answers[4].text
    assert "Too many tries" in answers[5].text
