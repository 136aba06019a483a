"""Keys for other systems: made by administrators, shown once, kept as a hash, ended at once."""

import html
import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from outreach.access_keys import keys
from outreach.access_keys.models import AccessKey
from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Role
from outreach.audit.models import AuditEvent
from outreach.encryption import Cipher, DataKey
from outreach.orm import Sessions
from outreach.sealing import cipher
from tests.builders import make_clinic, make_staff
from tests.conftest import HASH, sign_in
from tests.fakes import FakeClock

KEY = re.compile(r"outreach-[0-9a-f]{8}-[\w-]{43}")


class House:
    """Two clinics and an administrator of all, who has just signed in."""

    def __init__(self, app: Flask, sessions: Sessions, clock: FakeClock) -> None:
        self.sessions, self.clock = sessions, clock
        with sessions.begin() as session:
            self.here = make_clinic(session, code="HERE", name="Riverside")
            self.there = make_clinic(session, code="THERE")
            self.administrator = make_staff(
                session, None, Role.ADMINISTRATOR, name="Noor Haddad", password_hash=HASH
            )
        self.client = app.test_client()
        sign_in(self.client, self.administrator)

    def make(self, **deviations: str) -> str:
        data = {
            "name": "Epic interface", "clinic": "HERE", "last_day": "2027-11-23",
            "form_key": "form", "purpose": "Weekly blood sugar into the record",
        } | deviations  # fmt: skip
        return self.client.post("/access-keys/", data=data).text

    def key(self, **deviations: str) -> str:
        (key,) = KEY.findall(self.make(**deviations))
        return str(key)

    def rows(self) -> list[AccessKey]:
        with self.sessions() as session:
            return list(session.scalars(select(AccessKey).order_by(AccessKey.id)))

    def holder(self, key: str) -> keys.Holder | None:
        with self.sessions() as session:
            return keys.holder(session, key, cipher(), now=self.clock())


@pytest.fixture
def house(app: Flask, sessions: Sessions, clock: FakeClock) -> House:
    return House(app, sessions, clock)


def test_a_key_is_shown_once_and_kept_as_a_hash(house: House) -> None:
    key = house.key()

    (row,) = house.rows()
    kept = [str(value) for value in vars(row).values()]
    assert not any(key in value or key[18:] in value for value in kept)
    assert (row.name, row.clinic_id, row.prefix) == ("Epic interface", house.here.id, key[:17])
    page = house.client.get("/access-keys/").text
    assert key[:17] in page
    assert key not in page
    assert house.holder(key) == keys.Holder(row.id, house.here.id)
    assert house.holder(key[:-1] + ("A" if key[-1] != "A" else "B")) is None


def test_the_same_form_makes_one_key(house: House) -> None:
    house.key()

    assert KEY.findall(house.make()) == []
    assert len(house.rows()) == 1


def test_a_key_holds_to_the_end_of_its_last_day_at_the_clinic(house: House) -> None:
    key = house.key(last_day="2026-12-01")

    house.clock.now = house.rows()[0].expires_at - timedelta(seconds=1)
    assert house.clock.now.isoformat() == "2026-12-02T05:59:59+00:00"
    assert house.holder(key) is not None
    house.clock.advance(timedelta(seconds=1))
    assert house.holder(key) is None


@pytest.mark.parametrize("day", ["2026-11-22", "2028-11-23", "", "soon"])
def test_a_day_that_is_over_or_too_far_away_makes_none(house: House, day: str) -> None:
    assert "No key was made yet" in house.make(last_day=day)
    assert house.rows() == []


def test_two_years_are_the_most(house: House) -> None:
    assert house.key(last_day="2028-11-22")


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "  "},
        {"name": "x" * 81},
        {"form_key": ""},
        {"purpose": " "},
        {"purpose": "x" * 201},
    ],
)
def test_what_is_missing_makes_none(house: House, wrong: dict[str, str]) -> None:
    assert KEY.findall(house.make(**wrong)) == []
    assert house.rows() == []


def test_what_a_key_reads_patients_for_stands_beside_it(house: House) -> None:
    house.make(purpose="Calls <of> the week for the payer")

    page = house.client.get("/access-keys/").text
    assert "Calls &lt;of&gt; the week for the payer" in page


def test_a_key_that_is_ended_opens_nothing_and_all_is_in_the_trail(house: House) -> None:
    key = house.key()
    (row,) = house.rows()
    assert house.client.post(f"/access-keys/{row.id}/revoke").status_code == 303
    house.client.post(f"/access-keys/{row.id}/revoke")

    assert house.holder(key) is None
    with house.sessions() as session:
        noted = session.execute(
            select(AuditEvent.action, AuditEvent.actor_id, AuditEvent.clinic_id)
            .where(AuditEvent.object_kind == "access_key", AuditEvent.object_id == row.id)
            .order_by(AuditEvent.id)
        ).all()
    who = (house.administrator.id, house.here.id)
    assert [tuple(each) for each in noted] == [
        ("made an access key", *who),
        ("revoked an access key", *who),
    ]
    page = html.unescape(house.client.get("/access-keys/").text)
    assert "ended" in page
    assert f"/access-keys/{row.id}/revoke" not in page


def test_nobody_ends_a_key_that_is_not_there(house: House) -> None:
    assert house.client.post("/access-keys/77/revoke").status_code == 404


def test_making_one_asks_who_one_is_and_ending_one_does_not(house: House) -> None:
    house.key()
    house.clock.advance(timedelta(minutes=11))

    assert "Is it still you?" in house.make(form_key="other")
    assert len(house.rows()) == 1
    answer = house.client.post(f"/access-keys/{house.rows()[0].id}/revoke")
    assert answer.location == "/access-keys/"


@pytest.mark.parametrize("role", [each for each in Role if each is not Role.ADMINISTRATOR])
def test_to_others_the_page_does_not_exist(house: House, app: Flask, role: Role) -> None:
    with house.sessions.begin() as session:
        clinic = session.get_one(Clinic, house.here.id)
        person: StaffMember = make_staff(session, clinic, role, password_hash=HASH)
    client: FlaskClient = app.test_client()
    sign_in(client, person)

    assert client.get("/access-keys/").status_code == 404
    assert client.post("/access-keys/", data={}).status_code == 404


def test_a_key_that_was_used_outlives_the_data_key_that_hashed_it(house: House) -> None:
    key = house.key()
    (row,) = house.rows()
    before, fresh = DataKey("old", b"o" * 32), DataKey("new", b"n" * 32)
    both, later = Cipher([before, fresh]), Cipher([fresh])
    with house.sessions.begin() as session:
        session.get_one(AccessKey, row.id).secret_hash = Cipher([before]).blind_index(
            f"access key {key}"
        )
        session.flush()
        assert keys.holder(session, key, both, now=house.clock()) is not None
        assert keys.holder(session, key, later, now=house.clock()) is None

        keys.count(session, row.id, key, both, now=house.clock())

        assert keys.holder(session, key, later, now=house.clock()) is not None


def test_requests_are_counted_by_the_minute(house: House) -> None:
    key = house.key()
    (row,) = house.rows()
    counted = []
    with house.sessions.begin() as session:
        for seconds in (0, 30, 29, 1):
            house.clock.advance(timedelta(seconds=seconds))
            counted.append(keys.count(session, row.id, key, cipher(), now=house.clock()))

    assert counted == [1, 2, 3, 1]
    assert house.rows()[0].last_used_at == house.clock()


def test_the_form_offers_a_year(house: House) -> None:
    assert 'value="2027-11-23"' in house.client.get("/access-keys/").text
