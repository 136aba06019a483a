"""A caller says which telephone of theirs rings first."""

import pytest
from flask.testing import FlaskClient

from outreach.accounts.models import StaffMember
from outreach.orm import Sessions
from tests.fakes import FakeGateway
from tests.integration.calls.conftest import Day


def kept(sessions: Sessions, day: Day) -> str | None:
    with sessions() as session:
        return session.get_one(StaffMember, day.ana.id).work_phone


@pytest.mark.parametrize(
    ("written", "stored"),
    [("(512) 555-0188", "+15125550188"), ("+52 55 1234 5678", "+525512345678"), ("", None)],
)
def test_a_number_is_kept_as_people_write_it(
    ana: FlaskClient, day: Day, sessions: Sessions, written: str, stored: str | None
) -> None:
    assert ana.post("/phone/me", data={"phone": written}).status_code == 302

    assert kept(sessions, day) == stored


@pytest.mark.parametrize(
    "written",
    [
        pytest.param("12", id="no number"),
        pytest.param("call me", id="words"),
        pytest.param("911", id="an emergency number"),
        pytest.param("(900) 555-0188", id="one that costs extra"),
        pytest.param("(512) 555-0100", id="the clinic's own"),
    ],
)
def test_what_can_not_be_rung_is_refused(
    ana: FlaskClient, day: Day, sessions: Sessions, written: str
) -> None:
    before = kept(sessions, day)

    answer = ana.post("/phone/me", data={"phone": written})

    assert answer.status_code == 422
    assert "Nothing was saved yet" in answer.text
    assert kept(sessions, day) == before


def test_without_twilio_the_page_says_so(ana: FlaskClient, gateway: FakeGateway) -> None:
    assert "Twilio is not set up" not in ana.get("/phone/me").text
    gateway.can_call = False

    assert "Twilio is not set up" in ana.get("/phone/me").text
