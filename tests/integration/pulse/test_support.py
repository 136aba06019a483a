"""Asking for support: who sees it, told before one asks; and nobody else does."""

import re
from collections.abc import Callable
from datetime import date
from threading import Thread

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from outreach.accounts.models import Clinic, Membership, StaffMember
from outreach.accounts.rules import Role
from outreach.concerns import readiness
from outreach.concerns.readiness import Net
from outreach.orm import Sessions
from outreach.pulse import supporting
from outreach.pulse.models import SupportRequest
from tests.builders import LONG_AGO, make_clinic, make_staff
from tests.conftest import HASH, sign_in
from tests.fakes import FakeClock


class House:
    """A clinic with a caller, a manager, a nurse; another clinic's manager; an administrator."""

    def __init__(self, sessions: Sessions, clock: FakeClock) -> None:
        self.sessions, self.clock = sessions, clock
        with sessions.begin() as session:
            self.clinic: Clinic = make_clinic(session)
            self.other: Clinic = make_clinic(session)
            self.caller = make_staff(session, self.clinic, password_hash=HASH)
            self.manager = make_staff(session, self.clinic, Role.MANAGER, password_hash=HASH)
            self.nurse = make_staff(session, self.clinic, Role.NURSE, password_hash=HASH)
            self.stranger = make_staff(session, self.other, Role.MANAGER, password_hash=HASH)
            self.administrator = make_staff(session, None, Role.ADMINISTRATOR, password_hash=HASH)

    @property
    def everybody(self) -> list[StaffMember]:
        return [self.manager, self.nurse, self.stranger, self.administrator]

    def hold(self, person: StaffMember, clinic: Clinic, role: Role) -> None:
        with self.sessions.begin() as session:
            session.add(
                Membership(
                    staff_id=person.id, clinic_id=clinic.id, role=role, from_on=LONG_AGO.date()
                )
            )

    def leave(self, person: StaffMember, until_on: date = date(2026, 11, 1)) -> None:
        with self.sessions.begin() as session:
            for held in session.scalars(select(Membership).where(Membership.staff_id == person.id)):
                held.until_on = until_on

    def lead_with(self, person: StaffMember) -> None:
        with self.sessions.begin() as session:
            clinic = session.get_one(Clinic, self.clinic.id)
            readiness.keep_net(session, clinic, Net(lead_id=person.id), now=self.clock())

    def heard_by(self) -> list[StaffMember]:
        """Return who of everybody hears of a request."""
        with self.sessions() as session:
            return [
                each
                for each in self.everybody
                if supporting.heard_by(session, each.id, now=self.clock())
            ]


@pytest.fixture
def house(sessions: Sessions, clock: FakeClock) -> House:
    return House(sessions, clock)


def page_text(text: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())


def ask(client: FlaskClient, house: House) -> str:
    """Ask as the caller; return what their page says of it before."""
    sign_in(client, house.caller)
    before = client.get("/pulse/").text
    assert client.post("/pulse/support").status_code == 302
    return page_text(before)


def first_page(client: FlaskClient, person: StaffMember) -> str:
    sign_in(client, person)
    return client.get("/", follow_redirects=True).text


def no_manager(house: House) -> None:
    house.leave(house.manager)


def the_only_manager_is_who_asks(house: House) -> None:
    house.leave(house.manager)
    house.hold(house.caller, house.clinic, Role.MANAGER)


def the_manager_has_left_the_house(house: House) -> None:
    with house.sessions.begin() as session:
        session.get_one(StaffMember, house.manager.id).is_active = False


def the_manager_comes_only_later(house: House) -> None:
    with house.sessions.begin() as session:
        held = session.scalars(
            select(Membership).where(Membership.staff_id == house.manager.id)
        ).one()
        held.from_on = date(2026, 12, 1)


WITHOUT = [
    no_manager,
    the_only_manager_is_who_asks,
    the_manager_has_left_the_house,
    the_manager_comes_only_later,
]


def test_managers_see_it_on_their_first_page_until_they_spoke(
    client: FlaskClient, house: House, sessions: Sessions, clock: FakeClock
) -> None:
    house.lead_with(house.nurse)
    before = ask(client, house)
    client.post("/pulse/support")  # a double click
    assert f"{house.manager.name} manager, {house.clinic.name}" in before
    for other in (house.nurse, house.stranger, house.administrator):
        assert other.name not in before
        assert f"{house.caller.name} asks for support" not in first_page(client, other)
    with sessions() as session:
        (asked,) = session.scalars(select(SupportRequest.id))
    for other in (house.nurse, house.stranger, house.administrator):
        sign_in(client, other)
        assert client.post(f"/pulse/support/{asked}/spoken").status_code == 404
    assert f"{house.caller.name} asks for support" in first_page(client, house.manager)

    client.post(f"/pulse/support/{asked}/spoken")

    assert f"{house.caller.name} asks for support" not in first_page(client, house.manager)
    sign_in(client, house.caller)
    assert "somebody spoke with you" in client.get("/pulse/").text
    client.post("/pulse/support")
    assert house.heard_by() == [house.manager]


@pytest.mark.parametrize("without", WITHOUT)
def test_where_no_manager_is_the_lead_sees_it(
    client: FlaskClient, house: House, without: Callable[[House], None]
) -> None:
    house.lead_with(house.nurse)
    without(house)

    before = ask(client, house)

    assert f"{house.nurse.name} lead, {house.clinic.name}" in before
    assert house.heard_by() == [house.nurse]
    page = first_page(client, house.nurse)
    assert f"{house.caller.name} asks for support" in page
    action = re.search(r"/pulse/support/\d+/spoken", page)
    assert action is not None
    client.post(action[0])
    assert house.heard_by() == []
    assert "asks for support" not in first_page(client, house.nurse)


@pytest.mark.parametrize("without", WITHOUT)
def test_where_no_lead_is_either_administrators_see_it(
    client: FlaskClient, house: House, without: Callable[[House], None]
) -> None:
    house.lead_with(house.nurse)
    house.leave(house.nurse)  # still named as the lead, and works here no more
    without(house)

    before = ask(client, house)

    assert f"{house.administrator.name} administrator" in before
    assert house.heard_by() == [house.administrator]
    # Whichever clinic the page shows: the first by name is another one, or may be.
    sign_in(client, house.administrator)
    for clinic in (house.clinic, house.other):
        page = client.get(f"/reports/today?clinic={clinic.code}").text
        assert f"{house.caller.name} asks for support" in page


def test_where_nobody_is_the_page_says_so_before_and_keeps_what_is_sent(
    client: FlaskClient, house: House
) -> None:
    house.leave(house.manager)
    with house.sessions.begin() as session:
        session.get_one(StaffMember, house.administrator.id).is_active = False
    sign_in(client, house.caller)

    page = client.get("/pulse/").text
    told = client.post("/pulse/support", follow_redirects=True)  # from a page that lay open

    assert "Nobody is there yet who would see it" in page
    assert "Ask for support</button>" not in page
    assert "Nobody is there yet who would see it" in told.text
    house.hold(house.stranger, house.clinic, Role.MANAGER)
    assert house.heard_by() == [house.stranger]


def test_a_caller_at_two_clinics_is_heard_at_both(client: FlaskClient, house: House) -> None:
    house.leave(house.manager)
    house.lead_with(house.nurse)
    house.hold(house.caller, house.other, Role.CALLER)

    before = ask(client, house)

    assert f"{house.nurse.name} lead, {house.clinic.name}" in before
    assert f"{house.stranger.name} manager, {house.other.name}" in before
    assert house.heard_by() == [house.nurse, house.stranger]
    assert f"{house.other.name} ·" in first_page(client, house.stranger)
    house.leave(house.caller)
    assert house.heard_by() == []


def test_one_who_calls_and_leads_sees_it_above_their_queue(
    client: FlaskClient, house: House
) -> None:
    house.hold(house.manager, house.clinic, Role.CALLER)
    ask(client, house)

    assert f"{house.caller.name} asks for support" in first_page(client, house.manager)


def test_two_requests_at_once_are_one(app: Flask, house: House, sessions: Sessions) -> None:
    def press() -> None:
        client = app.test_client()
        sign_in(client, house.caller)
        for _press in range(3):
            client.post("/pulse/support")

    threads = [Thread(target=press) for _each in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with sessions() as session:
        assert session.scalars(select(SupportRequest.staff_id)).all() == [house.caller.id]


def test_two_who_ask_are_heard_each(house: House, sessions: Sessions, clock: FakeClock) -> None:
    with sessions.begin() as session:
        second = make_staff(session, session.get_one(Clinic, house.clinic.id))
        supporting.ask(session, second.id, now=clock())
        supporting.ask(session, house.caller.id, now=clock())

    with sessions() as session:
        heard = supporting.heard_by(session, house.manager.id, now=clock())

    assert [each.name for each in heard] == [second.name, house.caller.name]
