"""Signing in in two steps, and setting the second one up."""

from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from config import Config
from outreach.accounts.rules import Role
from outreach.audit.models import AuditEvent
from outreach.factors.models import Authenticator, RecoveryCode
from outreach.factors.rules import code_of, step_at
from outreach.orm import Sessions
from tests.builders import PASSWORD, make_clinic, make_staff
from tests.conftest import HASH, sign_in
from tests.fakes import FakeClock
from tests.integration.accounts.conftest import Owner, is_in, secret_on


@pytest.fixture
def config(config: Config) -> Config:
    return replace(config, requires_second_factor=True)


def first_step(client: FlaskClient, owner: Owner) -> None:
    answer = client.post("/sign-in", data={"email": owner.person.email, "password": PASSWORD})
    assert answer.location == "/sign-in/code"


def second_step(client: FlaskClient, code: str) -> int:
    return client.post("/sign-in/code", data={"code": code}).status_code


def test_the_password_alone_opens_nothing(client: FlaskClient, owner: Owner) -> None:
    first_step(client, owner)

    assert not is_in(client)
    assert "/sign-in" in client.get("/patients/").location


def test_a_code_lets_in_once(app: Flask, client: FlaskClient, owner: Owner) -> None:
    first_step(client, owner)
    assert second_step(client, owner.code()) == 302
    assert is_in(client)

    elsewhere = app.test_client()
    first_step(elsewhere, owner)

    assert second_step(elsewhere, owner.code()) == 422
    assert not is_in(elsewhere)


def test_a_code_of_one_step_before_is_good_if_it_was_not_used(
    client: FlaskClient, owner: Owner, clock: FakeClock
) -> None:
    clock.advance(timedelta(minutes=2))
    first_step(client, owner)

    assert second_step(client, owner.code(-2)) == 422
    assert second_step(client, owner.code(-1)) == 302


def test_a_recovery_code_lets_in_once_and_the_count_goes_down(
    app: Flask, client: FlaskClient, owner: Owner
) -> None:
    first_step(client, owner)
    assert second_step(client, owner.codes[0].upper().replace("-", " ")) == 302
    assert "9 of 10 are left" in client.get("/my-sign-in/").text

    elsewhere = app.test_client()
    first_step(elsewhere, owner)

    assert second_step(elsewhere, owner.codes[0]) == 422
    assert second_step(elsewhere, owner.codes[1]) == 302


def test_ten_minutes_after_the_password_one_begins_again(
    client: FlaskClient, owner: Owner, clock: FakeClock
) -> None:
    first_step(client, owner)
    clock.advance(timedelta(minutes=11))

    answer = client.post("/sign-in/code", data={"code": owner.code()})

    assert answer.status_code == 302
    assert "/sign-in" in answer.location
    assert not is_in(client)


def test_codes_are_not_guessed_quickly(client: FlaskClient, owner: Owner) -> None:
    first_step(client, owner)
    for guess in range(5):
        second_step(client, f"{guess:06d}")

    answer = client.post("/sign-in/code", data={"code": owner.code()})

    assert "Too many tries" in answer.text
    assert not is_in(client)


def test_secrets_and_codes_are_not_in_the_database_as_they_are(
    sessions: Sessions, owner: Owner
) -> None:
    with sessions() as session:
        kept = session.scalars(select(Authenticator.secret)).one()
        hashes = session.scalars(select(RecoveryCode.code_hash)).all()

    assert owner.secret.hex() not in kept
    assert kept.startswith("v1.")
    assert not {code.replace("-", "") for code in owner.codes} & set(hashes)


@pytest.mark.parametrize("role", [Role.NURSE, Role.MANAGER])
def test_who_must_have_a_factor_can_do_nothing_before_setting_it_up(
    sessions: Sessions, client: FlaskClient, role: Role, clock: FakeClock
) -> None:
    with sessions.begin() as session:
        person = make_staff(session, make_clinic(session), role, password_hash=HASH)
    sign_in(client, person)
    for path in ("/", "/patients/", "/concerns/"):
        assert client.get(path).location == "/my-sign-in/"
    assert client.get("/patients/", headers={"HX-Request": "true"}).status_code == 403

    client.post("/my-sign-in/authenticator")
    secret = secret_on(client.get("/my-sign-in/authenticator").text)
    wrong = client.post("/my-sign-in/authenticator/confirm", data={"code": "000000"})
    assert "not the code" in wrong.text
    shown = code_of(secret, step_at(clock()))
    codes = client.post("/my-sign-in/authenticator/confirm", data={"code": shown})

    assert codes.text.count("<li>") >= 10
    assert client.get("/patients/").status_code == 200
    refused = client.post("/my-sign-in/authenticator/end", follow_redirects=True)
    assert "needs a second factor" in refused.text


def test_a_caller_may_have_one_and_need_not(sessions: Sessions, client: FlaskClient) -> None:
    with sessions.begin() as session:
        person = make_staff(session, make_clinic(session), password_hash=HASH)

    sign_in(client, person)

    assert client.get("/queue/").status_code == 200
    assert "Set up an app" in client.get("/my-sign-in/").text


def test_a_phone_whose_clock_is_off_is_told_so(
    sessions: Sessions, client: FlaskClient, clock: FakeClock
) -> None:
    with sessions.begin() as session:
        person = make_staff(session, make_clinic(session), password_hash=HASH)
    sign_in(client, person)
    client.post("/my-sign-in/authenticator")
    secret = secret_on(client.get("/my-sign-in/authenticator").text)

    late = code_of(secret, step_at(clock()) - 8)
    answer = client.post("/my-sign-in/authenticator/confirm", data={"code": late})

    assert "4 min behind" in answer.text


def test_the_picture_is_an_image_that_nobody_keeps(sessions: Sessions, client: FlaskClient) -> None:
    with sessions.begin() as session:
        person = make_staff(session, make_clinic(session), password_hash=HASH)
    sign_in(client, person)
    assert client.get("/my-sign-in/authenticator.svg").status_code == 404
    client.post("/my-sign-in/authenticator")

    picture = client.get("/my-sign-in/authenticator.svg")

    assert picture.content_type == "image/svg+xml"
    assert picture.headers["Cache-Control"] == "no-store"
    assert b"<svg" in picture.data


def test_moving_to_another_phone_ends_the_one_before(
    app: Flask, sessions: Sessions, client: FlaskClient, owner: Owner, clock: FakeClock
) -> None:
    first_step(client, owner)
    second_step(client, owner.code())
    client.post("/my-sign-in/authenticator")
    fresh = secret_on(client.get("/my-sign-in/authenticator").text)
    assert fresh != owner.secret
    shown = code_of(fresh, step_at(clock()))
    assert client.post("/my-sign-in/authenticator/confirm", data={"code": shown}).status_code == 303
    clock.advance(timedelta(minutes=1))

    elsewhere = app.test_client()
    first_step(elsewhere, owner)

    assert second_step(elsewhere, owner.code()) == 422
    assert second_step(elsewhere, code_of(fresh, step_at(clock()))) == 302
    with sessions() as session:
        actions = session.scalars(select(AuditEvent.action)).all()
        assert "set up authenticator" in actions


def test_after_both_steps_one_is_back_where_one_was(client: FlaskClient, owner: Owner) -> None:
    data = {"email": owner.person.email, "password": PASSWORD}
    asked = client.post("/sign-in?next=/patients/?page=2", data=data)

    answer = client.post(asked.location, data={"code": owner.code()})

    assert answer.location == "/patients/?page=2"


def test_a_stranger_without_the_password_does_not_slow_down_the_second_step(
    app: Flask, client: FlaskClient, owner: Owner
) -> None:
    """Tries at the second step are kept apart from whatever is typed as an e-mail address."""
    stranger = app.test_client()
    for _try in range(6):
        typed = {"email": f"proof of {owner.person.id}", "password": "no"}
        assert stranger.post("/sign-in", data=typed).status_code == 422

    first_step(client, owner)

    assert second_step(client, owner.code()) == 302
