"""What is typed is never lost: two tabs, two people, closed calls, ended sessions."""

from datetime import timedelta

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from outreach.accounts.models import StaffMember
from outreach.calls.jobs import catch_up_overdue_calls
from outreach.calls.models import Attempt, Draft, DraftAside
from outreach.orm import Sessions
from outreach.planning.models import PlannedCall
from tests.builders import (
    make_staff,
)
from tests.conftest import HASH, sign_in
from tests.fakes import FakeClock
from tests.integration.calls.conftest import Day


def test_a_call_recorded_in_another_tab_is_told_and_keeps_its_draft(
    sessions: Sessions, client: FlaskClient, day: Day
) -> None:
    sign_in(client, day.ana)
    client.post(f"/calls/{day.rosa.ref}", data=day.form(reached="no", outcome="wrong_number"))
    client.post(f"/calls/{day.rosa.ref}", data=day.form(form_key="2", reached="yes", minutes="5"))

    late = client.post(
        f"/calls/{day.rosa.ref}", data=day.form(form_key="3", reached="yes", minutes="5")
    )

    assert late.status_code == 409
    assert "Nothing of yours is lost" in late.text


def test_a_call_closed_while_writing_gives_the_words_back(
    sessions: Sessions, client: FlaskClient, day: Day
) -> None:
    sign_in(client, day.ana)
    path = f"/calls/{day.rosa.ref}"
    client.post(path, data=day.form(reached="yes", outcome="reached_opted_out", minutes="1"))

    late = client.post(
        path, data=day.form(form_key="2", reached="yes", minutes="5", note="Long <story>.")
    )

    assert late.status_code == 409
    assert "Long &lt;story&gt;." in late.text
    assert "To the queue" in late.text


def test_a_call_that_somebody_is_in_is_not_taken_from_them_at_closing_time(
    sessions: Sessions, client: FlaskClient, day: Day, clock: FakeClock
) -> None:
    with sessions.begin() as session:
        call = session.get_one(PlannedCall, day.call.id)
        call.complete_by_on = call.due_on
        call.dial_until_at = clock() + timedelta(minutes=10)
    sign_in(client, day.ana)
    client.post(f"/calls/{day.rosa.ref}/start")
    clock.advance(timedelta(hours=8))  # 6 p.m.
    client.post(f"/calls/{day.rosa.ref}/draft", data=day.typed("still talking", "0"))
    sign_in(client, day.ana)
    client.post(f"/calls/{day.rosa.ref}/draft", data=day.typed("still talking", "0"))
    clock.advance(timedelta(minutes=10))

    catch_up_overdue_calls(sessions, clock)

    saved = client.post(f"/calls/{day.rosa.ref}", data=day.form(reached="yes", minutes="20"))
    assert saved.status_code == 302


def test_what_is_typed_is_kept_on_the_server_and_comes_back(
    sessions: Sessions, client: FlaskClient, day: Day, clock: FakeClock
) -> None:
    sign_in(client, day.ana)
    path = f"/calls/{day.rosa.ref}"

    kept = client.post(f"{path}/draft", data=day.typed("Her sister", "0"))
    client.post("/sign-out")
    clock.advance(timedelta(minutes=50))
    sign_in(client, day.ana)

    assert kept.json == {"version": 1, "kept_at": "10:00 AM", "is_yours": False}
    assert "Her sister" in client.get(path).text
    assert "unfinished note" in client.get("/queue/").text


def test_a_second_tab_never_overwrites_the_first_unseen(
    sessions: Sessions, client: FlaskClient, day: Day
) -> None:
    sign_in(client, day.ana)
    path = f"/calls/{day.rosa.ref}/draft"
    client.post(path, data=day.typed("first tab", "0", "a"))

    second = client.post(path, data=day.typed("second tab", "0", "b"))

    assert second.status_code == 409
    with sessions() as session:
        assert session.scalars(select(Draft.answers)).one() == {"note": ["first tab"]}


def test_what_a_second_tab_typed_is_kept_aside_until_somebody_chooses(
    sessions: Sessions, client: FlaskClient, day: Day
) -> None:
    sign_in(client, day.ana)
    path = f"/calls/{day.rosa.ref}/draft"
    client.post(path, data=day.typed("first tab", "0", tab="a"))

    for words in ("second", "second tab"):
        late = client.post(path, data=day.typed(words, "0", tab="b"))
    assert late.json is not None
    assert late.json["other"] == {"version": 1, "answers": {"note": ["first tab"]}}
    with sessions() as session:
        assert session.scalars(select(DraftAside.answers)).all() == [{"note": ["second tab"]}]

    refused = client.post(f"/calls/{day.rosa.ref}", data=day.form(reached="yes", minutes="5"))
    assert refused.status_code == 422
    assert "second tab" in refused.text

    chosen = day.typed("both", "1", tab="b") | {"settles": "b"}
    settled = client.post(path, data=chosen).get_json()
    assert settled["version"] == 2
    with sessions() as session:
        assert session.scalar(select(func.count(DraftAside.id))) == 0


def test_a_tab_whose_answer_got_lost_goes_on_saving(client: FlaskClient, day: Day) -> None:
    sign_in(client, day.ana)
    path = f"/calls/{day.rosa.ref}/draft"
    client.post(path, data=day.typed("one", "0"))

    again = client.post(path, data=day.typed("one and two", "0"))

    assert again.get_json()["version"] == 2


def test_nothing_typed_before_is_no_other_text(client: FlaskClient, day: Day) -> None:
    """A tab that believes it saved, and did not: there is nothing to choose between."""
    sign_in(client, day.ana)
    path = f"/calls/{day.rosa.ref}"

    first = client.post(f"{path}/draft", data=day.typed("the first to arrive", "1"))
    saved = client.post(path, data=day.form(reached="yes", minutes="5"))

    assert (first.status_code, saved.status_code) == (200, 302)


def test_text_about_a_closed_call_never_becomes_the_draft_of_the_next(
    sessions: Sessions, client: FlaskClient, day: Day
) -> None:
    sign_in(client, day.ana)
    client.post(f"/calls/{day.rosa.ref}", data=day.form(reached="yes", minutes="5"))

    late = client.post(f"/calls/{day.rosa.ref}/draft", data=day.typed("old words", "0"))

    assert (late.status_code, late.json) == (409, {"reason": "closed"})
    with sessions() as session:
        assert session.scalar(select(func.count(Draft.id))) == 0


def test_a_page_that_was_changed_and_sent_again_is_not_taken_for_a_resend(
    sessions: Sessions, client: FlaskClient, day: Day
) -> None:
    sign_in(client, day.ana)
    path = f"/calls/{day.rosa.ref}"
    client.post(path, data=day.form(reached="no", outcome="no_answer"))

    changed = client.post(
        path,
        data=day.form(reached="yes", outcome="reached_safety", minutes="3", note="No way out."),
    )

    assert changed.status_code == 409
    assert "No way out." in changed.text
    with sessions() as session:
        assert session.scalar(select(func.count(Attempt.id))) == 1


def test_only_one_person_is_on_the_line_until_half_an_hour_of_silence(
    sessions: Sessions, app: Flask, day: Day, clock: FakeClock
) -> None:
    with sessions.begin() as session:
        manager_too = make_staff(session, day.clinic, name="Cleo", password_hash=HASH)
        enrolment = session.get_one(PlannedCall, day.call.id).enrolment_id
        assert enrolment
    first, second = app.test_client(), app.test_client()
    sign_in(first, day.ana)
    first.post(f"/calls/{day.rosa.ref}/start")
    _hand_to(sessions, day, manager_too)
    sign_in(second, manager_too)

    assert "Ana Morales is on the line" in second.get(f"/calls/{day.rosa.ref}").text
    second.post(f"/calls/{day.rosa.ref}/start")
    assert "Ana Morales is on the line" in second.get(f"/calls/{day.rosa.ref}").text

    clock.advance(timedelta(minutes=31))
    sign_in(second, manager_too)
    assert "is on the line" not in second.get(f"/calls/{day.rosa.ref}").text


def _hand_to(sessions: Sessions, day: Day, person: StaffMember) -> None:
    """Make ``person`` the dedicated caller, as a manager would."""
    with sessions.begin() as session:
        call = session.get_one(PlannedCall, day.call.id)
        table = PlannedCall.metadata.tables["panel_membership"]
        session.execute(
            table.update()
            .where(table.c.enrolment_id == call.enrolment_id)
            .values(caller_id=person.id)
        )
