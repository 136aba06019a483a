"""A caller says which telephone of theirs rings first."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from outreach.accounts.models import StaffMember
from outreach.audit.models import AuditEvent
from outreach.orm import Sessions
from tests.builders import PASSWORD
from tests.fakes import FakeClock, FakeGateway
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


def test_who_finds_a_screen_open_lets_no_patient_ring_another_telephone(
    ana: FlaskClient, day: Day, sessions: Sessions, clock: FakeClock
) -> None:
    before = kept(sessions, day)
    clock.advance(timedelta(minutes=11))
    changed = {"phone": "(512) 555-0188"}

    assert ana.get("/phone/me").status_code == 200
    asked = ana.post("/phone/me", data=changed)
    assert (asked.status_code, "Is it still you?" in asked.text) == (403, True)
    assert kept(sessions, day) == before
    proved = ana.post(
        "/confirm", data=changed | {"kept": "1", "next": "/phone/me", "proof": PASSWORD}
    )
    assert (proved.status_code, proved.location) == (307, "/phone/me")
    assert ana.post("/phone/me", data=changed).status_code == 302

    assert kept(sessions, day) == "+15125550188"
    with sessions() as session:
        noted = select(AuditEvent.actor_id).where(AuditEvent.action == "changed own telephone")
        assert session.scalars(noted).all() == [day.ana.id]
