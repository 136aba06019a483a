"""What an administrator takes along of a patient opened with a reason ends with that hour."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from config import Config
from outreach.accounts.models import StaffMember
from outreach.accounts.rules import Role
from outreach.exports.jobs import write_exports
from outreach.exports.making import Place
from outreach.exports.models import Export
from outreach.orm import Sessions
from tests.builders import make_clinic, make_patient, make_staff
from tests.conftest import HASH, sign_in
from tests.fakes import FakeClock

REASON = "Patient complains about calls at night"


@pytest.fixture
def config(config: Config) -> Config:
    return replace(config, administrators_need_reason=True)


@dataclass
class House:
    """A patient, an administrator who is signed in, and the scheduler that writes files."""

    client: FlaskClient
    sessions: Sessions
    clock: FakeClock
    place: Place
    boss: StaffMember
    ref: str

    def open_patient(self) -> None:
        data = {"clinic": "HERE", "record_number": "MRN-77", "reason": REASON}
        assert self.client.post("/audit/emergency", data=data).status_code == 303

    def ask(self, content: str) -> None:
        """Ask for a file, and let it be written."""
        path = f"/exports/patients/{self.ref}" if content == "own data" else "/exports/"
        wish = {"content": content, "format": "csv", "query": "", "form_key": "key"}
        assert self.client.post(path, data=wish).status_code in {302, 303}
        write_exports(self.sessions, self.clock, self.place)

    def one(self) -> Export:
        with self.sessions() as session:
            return session.scalars(select(Export)).one()

    def expire(self, at: datetime) -> None:
        with self.sessions.begin() as session:
            session.execute(update(Export).values(expires_at=at))

    def take(self) -> int:
        """Return the status of the answer to who takes it after signing in anew."""
        sign_in(self.client, self.boss)
        with self.client.get(f"/exports/{self.one().ref}/file") as answer:
            return answer.status_code


@pytest.fixture
def house(client: FlaskClient, sessions: Sessions, clock: FakeClock, config: Config) -> House:
    with sessions.begin() as session:
        clinic = make_clinic(session, code="HERE")
        boss = make_staff(session, None, Role.ADMINISTRATOR, password_hash=HASH)
        ref = make_patient(session, clinic, record_number="MRN-77").ref
    sign_in(client, boss)
    place = Place(config.exports, timedelta(days=7), b"k" * 32, needs_reason=True)
    return House(client, sessions, clock, place, boss, ref)


@pytest.mark.parametrize("content", ["own data", "patients"])
def test_a_file_ends_with_the_hour_for_which_the_patient_was_opened(
    house: House, content: str
) -> None:
    house.open_patient()
    opened_at = house.clock()
    house.clock.advance(timedelta(minutes=5))
    house.ask(content)

    assert house.take() == 200
    assert house.one().expires_at == opened_at + timedelta(hours=1)
    house.clock.advance(timedelta(minutes=56))
    assert house.take() == 404


@pytest.mark.parametrize("content", ["own data", "patients"])
def test_a_file_that_was_to_stay_longer_is_not_given_once_the_hour_is_over(
    house: House, content: str
) -> None:
    """As those that were written before files ended with it."""
    house.open_patient()
    house.ask(content)
    house.expire(house.clock() + timedelta(days=7))

    assert house.take() == 200
    house.clock.advance(timedelta(days=6))
    assert house.take() == 404


def test_a_file_of_what_was_asked_while_nobody_was_open_stays(house: House) -> None:
    house.ask("patients")
    house.clock.advance(timedelta(minutes=5))
    house.open_patient()
    house.clock.advance(timedelta(days=6))

    assert house.take() == 200


def test_an_hour_that_was_begun_anew_counts(house: House) -> None:
    house.open_patient()
    house.clock.advance(timedelta(minutes=40))
    sign_in(house.client, house.boss)
    house.open_patient()
    house.ask("own data")
    house.clock.advance(timedelta(minutes=50))

    assert house.take() == 200
