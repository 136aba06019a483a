"""One's own sessions, password, and proving once more who one is."""

from datetime import timedelta

from flask import Flask
from flask.testing import FlaskClient

from outreach.accounts.models import StaffMember
from outreach.accounts.rules import Role
from outreach.orm import Sessions
from tests.builders import PASSWORD, make_clinic, make_staff
from tests.conftest import HASH, sign_in
from tests.fakes import FakeClock
from tests.integration.accounts.conftest import Owner, is_in

NEW = "trombone ladder quilt"


def manager(sessions: Sessions) -> StaffMember:
    with sessions.begin() as session:
        return make_staff(session, make_clinic(session), Role.MANAGER, password_hash=HASH)


def session_cookie(client: FlaskClient) -> str:
    cookie = client.get_cookie("outreach")
    assert cookie is not None
    return cookie.value


def test_another_browser_is_signed_out_from_here(
    app: Flask, sessions: Sessions, client: FlaskClient
) -> None:
    person, elsewhere = manager(sessions), app.test_client()
    sign_in(client, person)
    sign_in(elsewhere, person)

    page = client.post("/my-sign-in/sessions/end-others", follow_redirects=True)

    assert "everywhere else" in page.text
    assert is_in(client)
    assert not is_in(elsewhere)


def test_one_session_is_ended_and_only_ones_own(
    app: Flask, sessions: Sessions, client: FlaskClient
) -> None:
    person, elsewhere, stranger = manager(sessions), app.test_client(), app.test_client()
    sign_in(client, person)
    sign_in(elsewhere, person)
    sign_in(stranger, manager(sessions))

    assert stranger.post("/my-sign-in/sessions/2/end").status_code == 404
    assert is_in(elsewhere)
    assert client.post("/my-sign-in/sessions/2/end").status_code == 303
    assert not is_in(elsewhere)


def test_another_password_ends_all_other_sessions(
    app: Flask, sessions: Sessions, client: FlaskClient
) -> None:
    person, elsewhere = manager(sessions), app.test_client()
    sign_in(client, person)
    sign_in(elsewhere, person)

    weak = client.post("/my-sign-in/password", data={"password": "OutreachOutreach2026!"})
    assert "guessed first" in weak.text
    client.post("/my-sign-in/password", data={"password": NEW})

    assert is_in(client)
    assert not is_in(elsewhere)
    answer = elsewhere.post("/sign-in", data={"email": person.email, "password": NEW})
    assert answer.status_code == 302


def test_after_ten_minutes_what_was_posted_is_kept_until_one_has_confirmed(
    sessions: Sessions, client: FlaskClient, clock: FakeClock
) -> None:
    sign_in(client, manager(sessions))
    clock.advance(timedelta(minutes=11))
    question = {
        "content": "audit trail",
        "format": "csv",
        "form_key": "key",
        "query": 'from_on=2026-02-01&until_on=2027-02-28&staff=a"<b',
    }

    asked = client.post("/exports/", data=question)
    assert asked.status_code == 403
    assert "Is it still you?" in asked.text
    assert "from_on=2026-02-01" in asked.text
    assert "a&#34;&lt;b" in asked.text
    wrong = {**question, "kept": "1", "next": "/exports/", "proof": "not it"}
    again = client.post("/confirm", data=wrong)
    assert again.status_code == 422
    assert "from_on=2026-02-01" in again.text
    before = session_cookie(client)
    right = client.post("/confirm", data={**wrong, "proof": PASSWORD})

    assert (right.status_code, right.location) == (307, "/exports/")
    assert session_cookie(client) != before
    assert client.post("/exports/", data=question).status_code == 302


def test_before_a_file_one_confirms_and_is_back_where_it_is_offered(
    sessions: Sessions, client: FlaskClient, clock: FakeClock
) -> None:
    sign_in(client, manager(sessions))
    clock.advance(timedelta(minutes=11))
    offered = "/reports/adherence?days=28"

    asked = client.get(
        "/import/runs/1/problems.csv", headers={"Referer": f"http://localhost{offered}"}
    )
    elsewhere = client.get(
        "/import/runs/1/problems.csv", headers={"Referer": "http://evil.example/x"}
    )
    data = {"next": offered, "proof": PASSWORD, "file": "1"}
    back = client.post("/confirm", data=data)

    assert asked.status_code == 303
    assert asked.location == "/confirm?next=/reports/adherence?days%3D28&file=1"
    assert "evil" not in elsewhere.location
    assert (back.status_code, back.location) == (303, offered)
    assert "You can download the file now" in client.get(offered).text


def test_confirming_makes_the_token_before_worthless(
    sessions: Sessions, client: FlaskClient, clock: FakeClock
) -> None:
    sign_in(client, manager(sessions))
    before = session_cookie(client)
    clock.advance(timedelta(minutes=11))
    client.post("/confirm", data={"next": "/", "proof": PASSWORD})

    assert is_in(client)
    client.set_cookie("outreach", before)
    assert not is_in(client)


def test_a_new_password_is_never_kept_on_the_page_that_asks(
    sessions: Sessions, client: FlaskClient, clock: FakeClock
) -> None:
    sign_in(client, manager(sessions))
    clock.advance(timedelta(minutes=11))

    asked = client.post("/my-sign-in/password", data={"password": NEW})

    assert asked.status_code == 403
    assert NEW not in asked.text


def test_confirming_leads_nowhere_else(sessions: Sessions, client: FlaskClient) -> None:
    sign_in(client, manager(sessions))

    answer = client.post("/confirm", data={"next": "https://evil.example/", "proof": PASSWORD})

    assert answer.location == "/"


def test_a_code_confirms_too_and_counts_once(
    client: FlaskClient, owner: Owner, clock: FakeClock
) -> None:
    client.post("/sign-in", data={"email": owner.person.email, "password": PASSWORD})
    client.post("/sign-in/code", data={"code": owner.code()})
    clock.advance(timedelta(minutes=11))
    data = {"next": "/", "proof": owner.code()}

    assert client.post("/confirm", data=data).status_code == 303
    clock.advance(timedelta(minutes=10, seconds=1))
    stale = {"next": "/", "proof": owner.code(-20)}
    assert client.post("/confirm", data=stale).status_code == 422


def test_strangers_who_guess_do_not_slow_down_the_owner_on_a_known_device(
    app: Flask, sessions: Sessions, client: FlaskClient
) -> None:
    person, stranger = manager(sessions), app.test_client()
    sign_in(client, person)
    client.post("/sign-out")
    guess, right = ({"email": person.email, "password": each} for each in ("no", PASSWORD))
    for _try in range(105):  # from one office as the owner, and from everywhere
        stranger.post("/sign-in", data=guess, environ_base={"REMOTE_ADDR": f"10.0.0.{_try}"})
    for _try in range(6):
        stranger.post("/sign-in", data=guess)

    assert "Too many tries" in stranger.post("/sign-in", data=right).text
    assert client.post("/sign-in", data=right).status_code == 302


def test_the_wait_grows_and_ends(sessions: Sessions, client: FlaskClient, clock: FakeClock) -> None:
    person = manager(sessions)
    wrong, right = ({"email": person.email, "password": each} for each in ("no", PASSWORD))
    for _try in range(5):
        client.post("/sign-in", data=wrong)
    assert "Wait 5 seconds" in client.post("/sign-in", data=right).text
    clock.advance(timedelta(seconds=5))
    client.post("/sign-in", data=wrong)
    assert "Wait 10 seconds" in client.post("/sign-in", data=right).text
    clock.advance(timedelta(seconds=10))

    assert client.post("/sign-in", data=right).status_code == 302
    assert client.post("/sign-in", data=wrong).status_code == 422
    assert client.post("/sign-in", data=right).status_code == 302
