"""A caller with a telephone and a shift, and one patient to call now."""

from datetime import time
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.accounts.models import StaffMember
from outreach.orm import Sessions
from outreach.panels.models import Shift
from outreach.phoning.models import PhoneCall
from tests.conftest import sign_in
from tests.fakes import call_sid
from tests.integration.calls.conftest import Day

ANAS_PHONE = "+15125550190"
ROSAS_PHONE = "+15125550147"
CLINICS_NUMBER = "+15125550100"
STAFF_LEG, PATIENT_LEG = "CA" + "a" * 32, "CA" + "b" * 32


@pytest.fixture
def day(sessions: Sessions) -> Day:
    """Monday, 10 in the morning: Ana works from 9 to 5 and has a telephone; Ben has none."""
    day = Day(sessions)
    with sessions.begin() as session:
        add_phone(session, day.ana, ANAS_PHONE)
    return day


def add_phone(session: Session, person: StaffMember, e164: str) -> None:
    session.get_one(StaffMember, person.id).work_phone = e164
    session.add_all(
        Shift(staff_id=person.id, weekday=weekday, begins=time(9), ends=time(17))
        for weekday in range(5)
    )


@pytest.fixture
def ana(client: FlaskClient, day: Day) -> FlaskClient:
    sign_in(client, day.ana)
    return client


class Carrier:
    """Posts what the carrier would, signed unless said otherwise."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def tells(self, address: str, *, signature: str = "valid", **told: str) -> int:
        return self.post(address, signature=signature, **told).status_code

    def asks(self, address: str, **told: str) -> str:
        answer = self.post(address, **told)
        assert answer.status_code == 200, answer.text
        assert answer.content_type == "text/xml; charset=utf-8"
        return answer.text

    def post(self, address: str, *, signature: str = "valid", **told: str) -> Any:
        headers = {"X-Twilio-Signature": signature}
        return self.client.post(f"/webhooks/voice/{address}", data=told, headers=headers)

    def is_picked_up(self, call_id: int) -> None:
        """Ana picks up and presses 1; the patient's telephone is rung."""
        sid = call_sid(call_id)
        assert "<Gather" in self.asks(f"{call_id}/answered", CallSid=sid)
        assert ROSAS_PHONE in self.asks(f"{call_id}/key", CallSid=sid, Digits="1")


@pytest.fixture
def carrier(app: Any) -> Carrier:
    return Carrier(app.test_client())


def press(client: FlaskClient, day: Day, key: str = "one", status: int = 302) -> None:
    answer = client.post(f"/calls/{day.rosa.ref}/dial", data={"press_key": key})
    assert answer.status_code == status, answer.text


def only_call(sessions: Sessions) -> PhoneCall:
    with sessions() as session:
        return session.scalars(select(PhoneCall)).one()
