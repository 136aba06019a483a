"""Save pressed without a connection: it counts from when it was pressed, once."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from outreach.accounts.models import StaffMember
from outreach.calls import leases
from outreach.calls.models import Attempt, CallNote
from outreach.measures.models import Reading
from outreach.orm import Sessions
from outreach.panels.models import PanelMembership
from tests.builders import actor_of
from tests.conftest import sign_in
from tests.fakes import MONDAY_10_CHICAGO, FakeClock
from tests.integration.calls.conftest import Day


def _only(sessions: Sessions) -> Attempt:
    with sessions() as session:
        return session.scalars(select(Attempt)).one()


def _give(sessions: Sessions, caller: StaffMember) -> None:
    """Give the patient to another caller."""
    with sessions.begin() as session:
        session.execute(update(PanelMembership).values(caller_id=caller.id))


def _both(app: Flask, day: Day) -> tuple[FlaskClient, FlaskClient, str]:
    """Return browsers of both callers, and the address of the call."""
    ana, ben = app.test_client(), app.test_client()
    sign_in(ana, day.ana)
    sign_in(ben, day.ben)
    return ana, ben, f"/calls/{day.rosa.ref}"


def test_a_no_answer_that_waited_counts_from_when_it_was_pressed(
    sessions: Sessions, client: FlaskClient, day: Day
) -> None:
    sign_in(client, day.ana)
    said = day.form(reached="no", outcome="no_answer")

    client.post(f"/calls/{day.rosa.ref}", data=said | {"waited": "300"})
    client.post(f"/calls/{day.rosa.ref}", data=said | {"waited": "340"})  # its answer got lost

    assert _only(sessions).at == MONDAY_10_CHICAGO - timedelta(seconds=300)


def test_waiting_is_no_talking(
    sessions: Sessions, client: FlaskClient, day: Day, clock: FakeClock
) -> None:
    sign_in(client, day.ana)
    client.post(f"/calls/{day.rosa.ref}/start")
    clock.advance(timedelta(minutes=12))

    client.post(f"/calls/{day.rosa.ref}", data=day.form(reached="yes", glucose="120", waited="420"))

    assert _only(sessions).minutes == 5
    with sessions() as session:
        taken_at = session.scalars(select(Reading.taken_at)).one()
    assert taken_at == MONDAY_10_CHICAGO + timedelta(minutes=5)


@pytest.mark.parametrize(
    ("waited", "at"),
    [
        pytest.param("4000000", timedelta(0), id="longer than the call"),
        pytest.param("-60", timedelta(minutes=3), id="in the future"),
        pytest.param("x", timedelta(minutes=3), id="no number"),
        pytest.param("99999999999", timedelta(minutes=3), id="more than any number of ours"),
    ],
)
def test_no_page_puts_a_call_before_it_began_or_after_now(
    sessions: Sessions, client: FlaskClient, day: Day, clock: FakeClock, waited: str, at: timedelta
) -> None:
    sign_in(client, day.ana)
    client.post(f"/calls/{day.rosa.ref}/start")
    clock.advance(timedelta(minutes=3))

    client.post(f"/calls/{day.rosa.ref}", data=day.form(outcome="busy", waited=waited))

    assert _only(sessions).at == MONDAY_10_CHICAGO + at


def test_undo_counts_from_when_the_server_was_told(
    sessions: Sessions, client: FlaskClient, day: Day, clock: FakeClock
) -> None:
    sign_in(client, day.ana)
    said = day.form(reached="no", outcome="no_answer", waited="7200")
    client.post(f"/calls/{day.rosa.ref}", data=said)
    address = f"/calls/{day.rosa.ref}/attempts/{_only(sessions).id}"

    clock.advance(timedelta(minutes=9))
    assert address in client.get("/queue/").text
    clock.advance(timedelta(minutes=1))
    assert address not in client.get("/queue/").text


def test_what_waited_over_midnight_is_among_what_was_done_today(
    sessions: Sessions, client: FlaskClient, day: Day, clock: FakeClock
) -> None:
    clock.now = MONDAY_10_CHICAGO - timedelta(hours=9)  # one in the night there
    sign_in(client, day.ana)

    said = day.form(reached="no", outcome="no_answer", waited="7200")
    client.post(f"/calls/{day.rosa.ref}", data=said)

    assert "1 dial" in client.get("/queue/").text


def test_what_waited_while_the_patient_was_handed_over_is_saved(
    client: FlaskClient, day: Day, sessions: Sessions, clock: FakeClock
) -> None:
    """The connection was away for longer than a lease lasts without a word."""
    sign_in(client, day.ana)
    client.post(f"/calls/{day.rosa.ref}/start")
    clock.advance(timedelta(minutes=45))
    _give(sessions, day.ben)
    sign_in(client, day.ana)  # the sitting is over as well
    form = day.form(reached="yes", minutes="9", note="Her boiler is mended.", waited="1200")
    assert client.get(f"/calls/{day.rosa.ref}").status_code == 404  # to look there is nothing

    assert client.post(f"/calls/{day.rosa.ref}", data=form).status_code == 302

    with sessions() as session:
        assert session.scalars(select(CallNote.text)).all() == ["Her boiler is mended."]


def test_whoever_takes_the_call_over_ends_that(
    client: FlaskClient, day: Day, sessions: Sessions, clock: FakeClock
) -> None:
    sign_in(client, day.ana)
    client.post(f"/calls/{day.rosa.ref}/start")
    clock.advance(timedelta(minutes=45))
    _give(sessions, day.ben)
    with sessions.begin() as session:
        leases.take(session, day.call, actor_of(day.ben, day.clinic), now=clock())
    sign_in(client, day.ana)
    form = day.form(reached="yes", minutes="9", note="Her boiler is mended.")

    answer = client.post(f"/calls/{day.rosa.ref}", data=form)

    assert answer.status_code == 409
    assert "Ben Ode took it over" in answer.text
    assert "Her boiler is mended." in answer.text
    with sessions() as session:
        assert session.scalars(select(Attempt)).all() == []


def test_what_is_typed_after_a_takeover_is_kept_and_read_by_who_has_the_call(
    app: Flask, day: Day, sessions: Sessions
) -> None:
    ana, ben, address = _both(app, day)
    ana.post(f"{address}/start")
    _give(sessions, day.ben)
    ben.post(f"{address}/start", data={"take_over": "1"})

    beat = ana.post(f"{address}/lease", data={"planned_call_id": str(day.call.id)})
    kept = ana.post(f"{address}/draft", data=day.typed("Her boiler leaks.", "0"))
    ana.post(address, data=day.form(reached="yes", note="Her boiler leaks again."))

    assert beat.get_json() == {"is_yours": False, "by": "Ben Ode"}
    typed = kept.get_json()
    assert (kept.status_code, typed["version"], typed["is_yours"]) == (200, 1, False)
    page = ben.get(address).text
    assert "Ana Morales wrote" in page
    assert "Her boiler leaks again." in page


def test_whoever_opens_a_call_anew_that_was_taken_over_reads_who_has_it(
    app: Flask, day: Day, sessions: Sessions
) -> None:
    """And their own words, of which the page that they had open is gone."""
    ana, ben, address = _both(app, day)
    ana.post(f"{address}/start")
    ana.post(f"{address}/draft", data=day.typed("Her boiler <leaks>.", "0"))
    _give(sessions, day.ben)
    ben.post(f"{address}/start", data={"take_over": "1"})

    answer = ana.get(address)

    assert answer.status_code == 404
    assert "Ben Ode took it over" in answer.text
    assert "Her boiler &lt;leaks&gt;." in answer.text
    assert "Rosa" not in answer.text


def test_an_earlier_try_of_somebody_else_is_no_takeover(
    client: FlaskClient, day: Day, sessions: Sessions, clock: FakeClock
) -> None:
    """The patient was given to another caller; that one only tried, hours before."""
    sign_in(client, day.ben)
    _give(sessions, day.ben)
    client.post(f"/calls/{day.rosa.ref}", data=day.form(reached="no", outcome="no_answer"))
    clock.advance(timedelta(hours=1))
    _give(sessions, day.ana)
    sign_in(client, day.ana)
    client.post(f"/calls/{day.rosa.ref}/start")
    clock.advance(timedelta(minutes=45))  # longer than a lease lasts without a word
    _give(sessions, day.ben)
    sign_in(client, day.ana)

    answer = client.get(f"/calls/{day.rosa.ref}")

    assert answer.status_code == 404
    assert "Ben Ode" not in answer.text


def test_whoever_never_had_the_call_learns_nothing_of_it(client: FlaskClient, day: Day) -> None:
    sign_in(client, day.ben)

    answer = client.post(f"/calls/{day.rosa.ref}", data=day.form(note="My own words."))

    assert answer.status_code == 404
    assert "My own words." in answer.text
    assert "Rosa" not in answer.text
    assert "Somebody else has this call" not in client.get(f"/calls/{day.rosa.ref}").text
    for page in ("lease", "draft"):
        data = day.typed("Mine.", "0")
        assert client.post(f"/calls/{day.rosa.ref}/{page}", data=data).status_code == 404
