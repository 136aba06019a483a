"""What the patient wishes during a call: one press each, and back to the call."""

from datetime import date

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from outreach.orm import Sessions
from outreach.patients.models import Patient
from outreach.patients.rules import Daypart
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from outreach.programmes.models import CadenceChoice
from tests.conftest import sign_in
from tests.integration.calls.conftest import Day

BACK = {"back": "call"}


def _call(sessions: Sessions) -> PlannedCall:
    with sessions() as session:
        return session.scalars(
            select(PlannedCall).where(PlannedCall.status == CallStatus.PLANNED)
        ).one()


def test_a_rhythm_is_chosen_by_one_press_and_the_call_says_what_the_plan_is_now(
    sessions: Sessions,
    client: FlaskClient,
    day: Day,
) -> None:
    sign_in(client, day.ana)
    client.post(f"/calls/{day.rosa.ref}/start")

    answer = client.post(f"/patients/{day.rosa.ref}/rhythm", data=BACK | {"value": "5"})

    assert answer.location == f"/calls/{day.rosa.ref}#plan"
    with sessions() as session:
        assert session.scalars(select(CadenceChoice.value)).all() == [5]
    assert "After this call, the next one:" in client.get(f"/calls/{day.rosa.ref}").text


def test_wishes_are_pressed_on_and_off_and_keep_their_order(
    sessions: Sessions,
    client: FlaskClient,
    day: Day,
) -> None:
    sign_in(client, day.ana)
    path = f"/patients/{day.rosa.ref}/wishes"

    for pressed in (
        {"add_weekday": "1"}, {"add_weekday": "3"}, {"drop_weekday": "1"},
        {"add_daypart": "evening"}, {"add_daypart": "morning"}, {"add_daypart": "evening"},
    ):  # fmt: skip
        assert client.post(path, data=BACK | pressed).status_code == 302

    with sessions() as session:
        wishes = session.get_one(Patient, day.rosa.id).wishes
    assert wishes.weekdays == {3}
    assert wishes.dayparts == (Daypart.MORNING, Daypart.EVENING)


@pytest.mark.parametrize("pressed", [{"add_weekday": "9"}, {"drop_daypart": "night"}])
def test_a_wish_that_does_not_exist_changes_nothing(
    sessions: Sessions,
    client: FlaskClient,
    day: Day,
    pressed: dict[str, str],
) -> None:
    sign_in(client, day.ana)

    assert client.post(f"/patients/{day.rosa.ref}/wishes", data=pressed).status_code >= 400

    with sessions() as session:
        assert session.get_one(Patient, day.rosa.id).weekdays == 0


def test_a_wish_said_in_a_conversation_leaves_that_conversation_where_it_is(
    sessions: Sessions,
    client: FlaskClient,
    day: Day,
) -> None:
    with sessions.begin() as session:
        call = session.get_one(PlannedCall, day.call.id)
        call.complete_by_on = call.due_on
    sign_in(client, day.ana)
    client.post(f"/calls/{day.rosa.ref}/start")

    client.post(f"/patients/{day.rosa.ref}/wishes", data=BACK | {"add_weekday": "3"})
    assert _call(sessions).id == day.call.id

    client.post(f"/calls/{day.rosa.ref}", data=day.form(reached="yes", minutes="5"))
    with sessions() as session:
        assert session.get_one(PlannedCall, day.call.id).status is CallStatus.COMPLETED
    assert _call(sessions).due_on == date(2026, 11, 25)  # the second of week 1


def test_leaving_such_a_call_fits_it_to_what_was_wished(
    sessions: Sessions,
    client: FlaskClient,
    day: Day,
) -> None:
    sign_in(client, day.ana)
    client.post(f"/calls/{day.rosa.ref}/start")
    client.post(f"/patients/{day.rosa.ref}/wishes", data=BACK | {"add_daypart": "evening"})
    assert _call(sessions).dial_from_at.hour == 15

    client.post(f"/calls/{day.rosa.ref}/stop")

    assert _call(sessions).dial_from_at.hour == 23


def test_a_change_that_takes_the_call_away_leads_to_the_queue(
    client: FlaskClient,
    day: Day,
) -> None:
    sign_in(client, day.ana)

    answer = client.post(
        f"/patients/{day.rosa.ref}/status",
        data=BACK | {"seen": "active", "status": "paused", "pause_reason": "travel"},
    )

    assert answer.location == "/queue/"


def test_a_page_opened_from_the_call_leads_back_to_it(
    client: FlaskClient,
    day: Day,
) -> None:
    sign_in(client, day.ana)

    page = client.get(f"/patients/{day.rosa.ref}/details?back=call").text

    assert "Back to the call" in page
    assert '<input type="hidden" name="back" value="call">' in page
