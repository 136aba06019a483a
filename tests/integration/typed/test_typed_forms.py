"""What is typed and not sent is kept for who typed it, and for nobody else."""

import json
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from outreach.accounts.models import StaffMember
from outreach.orm import Sessions
from outreach.typed import jobs, keeping
from outreach.typed.models import TypedForm
from outreach.typed.rules import MOST_FORMS
from tests.builders import make_clinic, make_staff
from tests.conftest import HASH, sign_in
from tests.fakes import FakeClock

PLACE = "/concerns/1"
WORDS = [["note", "Rang her daughter."]]


@pytest.fixture
def ana(sessions: Sessions) -> StaffMember:
    with sessions.begin() as session:
        return make_staff(session, make_clinic(session), password_hash=HASH)


def keep(client: FlaskClient, who: StaffMember, fields: object, place: str = PLACE) -> int:
    data = {"who": who.id, "place": place, "fields": json.dumps(fields)}
    return client.post("/typed/", data=data).status_code


def found(client: FlaskClient, place: str = PLACE) -> object:
    return client.get("/typed/", query_string={"place": place}).json["fields"]  # type: ignore[index]


def test_the_newest_words_are_given_back_until_they_are_thrown_away(
    client: FlaskClient, ana: StaffMember
) -> None:
    sign_in(client, ana)
    assert found(client) is None

    assert keep(client, ana, [["note", "Rang"]]) == 204
    assert keep(client, ana, WORDS) == 204
    assert found(client) == WORDS
    assert found(client, "/concerns/2") is None
    assert keep(client, ana, []) == 204

    assert found(client) is None


def test_nobody_keeps_more_than_a_desk_full(
    client: FlaskClient, sessions: Sessions, ana: StaffMember, clock: FakeClock
) -> None:
    sign_in(client, ana)
    for number in range(MOST_FORMS + 2):
        clock.advance(timedelta(seconds=1))
        assert keep(client, ana, WORDS, f"/concerns/{number}") == 204

    assert [found(client, f"/concerns/{number}") for number in range(3)] == [None, None, WORDS]
    with sessions() as session:
        assert len(session.scalars(select(TypedForm)).all()) == MOST_FORMS


def test_they_are_nobody_elses_and_unreadable_in_the_database(
    app: Flask, client: FlaskClient, sessions: Sessions, ana: StaffMember
) -> None:
    with sessions.begin() as session:
        ben = make_staff(session, make_clinic(session), password_hash=HASH)
    sign_in(client, ana)
    keep(client, ana, WORDS)
    other = app.test_client()
    sign_in(other, ben)

    assert found(other) is None
    assert keep(other, ana, [["note", "mine"]]) == 403  # a page that Ana left open
    assert app.test_client().get("/typed/?place=/").status_code == 302
    with sessions() as session:
        assert "daughter" not in session.execute(text("SELECT fields FROM typed_form")).scalar_one()


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ("no list", PLACE),
        ([["note"]], PLACE),
        ([["note", 1]], PLACE),
        ([["password", "x"]], PLACE),
        ([["note", "x" * 100_001]], PLACE),
        ([["note", "x"]] * 201, PLACE),
        (WORDS, "https://evil.example/"),
        (WORDS, "//evil.example/"),
        (WORDS, "/" + "x" * 300),
    ],
)
def test_what_is_no_form_of_ours_or_a_secret_is_not_kept(
    client: FlaskClient, sessions: Sessions, ana: StaffMember, fields: object, place: str
) -> None:
    sign_in(client, ana)

    assert keep(client, ana, fields, place) == 422

    with sessions() as session:
        assert session.scalars(select(TypedForm)).all() == []


def test_a_form_that_was_taken_is_forgotten_and_a_refused_one_is_not(
    client: FlaskClient, ana: StaffMember
) -> None:
    sign_in(client, ana)
    for path in ("/shortcuts", "/nowhere"):
        keep(client, ana, WORDS, path)
        client.post(path, data={"typed_form": path, "is_on": "y"})

    assert found(client, "/shortcuts") is None
    assert found(client, "/nowhere") == WORDS


def test_what_was_taken_stays_taken_where_it_can_not_be_forgotten(
    client: FlaskClient, ana: StaffMember, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error page would make them send it a second time."""
    sign_in(client, ana)
    keep(client, ana, WORDS, "/shortcuts")

    def is_full(*_given: object) -> None:
        raise OperationalError("", {}, Exception("database or disk is full"))

    monkeypatch.setattr(keeping, "drop", is_full)
    taken = client.post("/shortcuts", data={"typed_form": "/shortcuts", "is_on": "y"})

    assert taken.status_code == 302
    assert found(client, "/shortcuts") == WORDS


def test_who_is_signed_out_as_they_send_is_led_back_to_the_page(
    client: FlaskClient, ana: StaffMember, clock: FakeClock
) -> None:
    sign_in(client, ana)
    clock.advance(timedelta(minutes=16))

    ours = client.post("/shortcuts", headers={"Referer": "http://localhost/queue/?show=all"})
    other = client.post("/shortcuts", headers={"Referer": "http://evil.example/queue/"})

    assert ours.location == "/sign-in?next=/queue/?show%3Dall"
    assert other.location == "/sign-in"


def test_what_nobody_came_back_for_is_deleted(
    client: FlaskClient, sessions: Sessions, ana: StaffMember, clock: FakeClock
) -> None:
    sign_in(client, ana)
    keep(client, ana, WORDS)
    clock.advance(timedelta(days=2, hours=23))
    assert jobs.forget_typed(sessions, clock) == 0
    clock.advance(timedelta(hours=1))

    assert jobs.forget_typed(sessions, clock) == 1
    with sessions() as session:
        assert session.scalars(select(TypedForm)).all() == []
