"""Inviting somebody, handing out links, and changing what they may do."""

import html
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from outreach.accounts.models import AccessLink, StaffMember
from outreach.accounts.rules import Role
from outreach.audit.models import AuditEvent
from outreach.orm import Sessions
from tests.builders import PASSWORD, make_clinic, make_enrolment, make_patient, make_staff
from tests.conftest import HASH, sign_in
from tests.fakes import FakeClock
from tests.integration.accounts.conftest import Owner, is_in

OWN = "trombone ladder quilt"


class House:
    """A clinic with a manager, and another one with staff of its own."""

    def __init__(self, sessions: Sessions) -> None:
        with sessions.begin() as session:
            self.here = make_clinic(session, code="HERE", name="Here")
            self.there = make_clinic(session, code="THERE", name="There")
            self.manager = make_staff(session, self.here, Role.MANAGER, password_hash=HASH)
            self.caller = make_staff(session, self.here, password_hash=HASH)
            self.stranger = make_staff(session, self.there, password_hash=HASH)
            self.boss = make_staff(session, None, Role.ADMINISTRATOR, password_hash=HASH)


@pytest.fixture
def house(sessions: Sessions) -> House:
    return House(sessions)


@pytest.fixture
def browser(app: Flask) -> Callable[[StaffMember], FlaskClient]:
    def signed_in(person: StaffMember) -> FlaskClient:
        client = app.test_client()
        sign_in(client, person)
        return client

    return signed_in


def link_on(page: str) -> str:
    found = re.search(r'class="link-to-hand">http://localhost(/welcome/[\w-]+)<', page)
    assert found, html.unescape(page)
    return found[1]


def invite(client: FlaskClient, **deviations: str) -> str:
    data = {"name": "Bea Ortiz", "email": "Bea@example.org", "role": "nurse HERE"}
    return client.post("/staff/new", data=data | deviations).text


def test_somebody_is_invited_and_sets_a_password_of_their_own(
    app: Flask, house: House, browser: Callable[[StaffMember], FlaskClient], clock: FakeClock
) -> None:
    link = link_on(invite(browser(house.manager), languages="en, es"))
    bea = app.test_client()
    clock.advance(timedelta(hours=71))

    assert "bea@example.org" in bea.get(link).text
    assert "guessed first" in bea.post(link, data={"password": "OutreachOutreach2026!"}).text
    assert bea.post(link, data={"password": OWN}).status_code == 302

    assert is_in(bea)
    assert bea.get("/concerns/").status_code == 200
    assert app.test_client().get(link).status_code == 404
    assert app.test_client().post(link, data={"password": OWN}).status_code == 404


def told_of(sessions: Sessions, email: str) -> list[tuple[str, int | None, int | None]]:
    """Return what the trail says was done about somebody: what, at which clinic, by whom."""
    with sessions() as session:
        whole = session.execute(select(StaffMember.id, StaffMember.email)).all()
        staff_id = next(row.id for row in whole if row.email == email)
        rows = session.execute(
            select(AuditEvent.action, AuditEvent.clinic_id, AuditEvent.actor_id)
            .where(AuditEvent.object_kind == "staff_member", AuditEvent.object_id == staff_id)
            .order_by(AuditEvent.id)
        ).all()
    return [(row.action, row.clinic_id, row.actor_id) for row in rows]


def test_a_new_account_and_its_role_are_in_the_trail(
    sessions: Sessions, house: House, browser: Callable[[StaffMember], FlaskClient]
) -> None:
    """Who makes an account with power for themselves could walk around every other guard."""
    boss = browser(house.boss)
    invite(boss, role="manager HERE")
    invite(boss, role="administrator", email="second@example.org")

    at, by = house.here.id, house.boss.id
    assert told_of(sessions, "bea@example.org") == [
        ("added account", at, by),
        ("gave role manager", at, by),
        ("handed out a link", None, by),
    ]
    assert told_of(sessions, "second@example.org")[:2] == [
        ("added account", None, by),
        ("gave role administrator", None, by),
    ]
    shown = boss.post("/audit/", data={"staff": house.boss.name}).text
    assert "gave role administrator" in shown


def test_an_account_that_is_refused_leaves_nothing_in_the_trail(
    sessions: Sessions, house: House, browser: Callable[[StaffMember], FlaskClient]
) -> None:
    invite(browser(house.boss), email=house.caller.email)

    assert told_of(sessions, house.caller.email) == []


def test_a_link_ends_after_three_days_and_by_the_next_one(
    app: Flask, house: House, browser: Callable[[StaffMember], FlaskClient], clock: FakeClock
) -> None:
    manager = browser(house.manager)
    address = f"/staff/{house.caller.id}/link"
    first, second = (link_on(manager.post(address).text) for _ in range(2))
    somebody = app.test_client()

    assert somebody.get(first).status_code == 404
    assert somebody.get(second).status_code == 200
    clock.advance(timedelta(hours=72))
    assert somebody.get(second).status_code == 404


def test_the_database_keeps_no_link(
    sessions: Sessions, house: House, browser: Callable[[StaffMember], FlaskClient]
) -> None:
    link = link_on(browser(house.manager).post(f"/staff/{house.caller.id}/link").text)

    with sessions() as session:
        kept = session.scalars(select(AccessLink.token_hash)).one()
    assert kept not in link
    assert link.rsplit("/", 1)[1] not in kept


def test_a_reset_ends_sessions_but_not_the_second_factor(
    app: Flask, client: FlaskClient, owner: Owner, browser: Callable[[StaffMember], FlaskClient],
    house: House,
) -> None:  # fmt: skip
    client.post("/sign-in", data={"email": owner.person.email, "password": PASSWORD})
    client.post("/sign-in/code", data={"code": owner.code()})
    assert is_in(client)
    link = link_on(browser(house.boss).post(f"/staff/{owner.person.id}/link").text)

    elsewhere = app.test_client()
    answer = elsewhere.post(link, data={"password": OWN})

    assert answer.location == "/sign-in/code"
    assert not is_in(elsewhere)
    assert not is_in(client)
    elsewhere.post("/sign-in/code", data={"code": owner.codes[0]})
    assert is_in(elsewhere)


def test_a_manager_sees_and_changes_those_of_their_own_clinic_only(
    house: House, browser: Callable[[StaffMember], FlaskClient]
) -> None:
    manager = browser(house.manager)

    page = manager.get("/staff/").text
    assert house.caller.email in page
    assert house.stranger.email not in page
    assert house.boss.email not in page
    for path in ("link", "roles", "close", "sessions/end", "factors/end", "open"):
        assert manager.post(f"/staff/{house.stranger.id}/{path}").status_code == 404
        assert manager.post(f"/staff/{house.boss.id}/{path}").status_code == 404
    assert "Not a valid choice" in invite(manager, role="nurse THERE")
    assert "Not a valid choice" in invite(manager, role="administrator")


def test_a_manager_never_gets_a_link_of_somebody_with_more_power(
    sessions: Sessions, house: House, browser: Callable[[StaffMember], FlaskClient]
) -> None:
    boss = browser(house.boss)
    given = boss.post(f"/staff/{house.caller.id}/roles", data={"role": "nurse THERE"})
    assert given.status_code == 303
    manager = browser(house.manager)

    assert manager.get(f"/staff/{house.caller.id}").status_code == 200
    for path in ("link", "close", "sessions/end", "factors/end"):
        assert manager.post(f"/staff/{house.caller.id}/{path}").status_code == 403


def test_nobody_changes_their_own_roles(
    house: House, browser: Callable[[StaffMember], FlaskClient]
) -> None:
    boss = browser(house.boss)

    for path, data in (("roles", {"role": "nurse HERE"}), ("close", {}), ("link", {})):
        assert boss.post(f"/staff/{house.boss.id}/{path}", data=data).status_code == 403


@pytest.mark.parametrize(
    ("has", "gets"),
    [("assessor HERE", "nurse HERE"), ("nurse HERE", "assessor HERE"),
     ("assessor HERE", "auditor"), ("administrator", "assessor HERE")],
)  # fmt: skip
def test_who_measures_blinded_does_nothing_else_there(
    house: House, browser: Callable[[StaffMember], FlaskClient], has: str, gets: str
) -> None:
    boss = browser(house.boss)
    invite(boss, role=has)
    (bea,) = re.findall(r"/staff/(\d+)", boss.get("/staff/?search=bea").text)

    refused = boss.post(f"/staff/{bea}/roles", data={"role": gets}, follow_redirects=True)
    boss.post(f"/staff/{bea}/roles", data={"role": "caller THERE"})

    assert "measures without knowing" in refused.text
    held = re.findall(r"/roles/\d+/end", boss.get(f"/staff/{bea}").text)
    assert len(held) == 2  # elsewhere they may do what they like


def test_a_change_of_role_ends_the_sessions(
    house: House, browser: Callable[[StaffMember], FlaskClient]
) -> None:
    caller, manager = browser(house.caller), browser(house.manager)
    manager.post(f"/staff/{house.caller.id}/roles", data={"role": "nurse HERE"})
    assert not is_in(caller)

    page = manager.get(f"/staff/{house.caller.id}").text
    ends = re.findall(r"/staff/\d+/roles/\d+/end", page)
    again = browser(house.caller)
    assert again.get("/concerns/").status_code == 200
    assert manager.post(ends[1]).status_code == 303

    assert not is_in(again)
    assert browser(house.caller).get("/concerns/").status_code == 404


def test_a_closed_account_opens_nothing_until_it_is_opened_again(
    app: Flask, house: House, browser: Callable[[StaffMember], FlaskClient]
) -> None:
    caller, manager = browser(house.caller), browser(house.manager)
    manager.post(f"/staff/{house.caller.id}/close")
    right = {"email": house.caller.email, "password": PASSWORD}

    assert not is_in(caller)
    assert app.test_client().post("/sign-in", data=right).status_code == 422
    manager.post(f"/staff/{house.caller.id}/open")
    assert app.test_client().post("/sign-in", data=right).status_code == 422
    link = link_on(manager.post(f"/staff/{house.caller.id}/link").text)
    assert app.test_client().post(link, data={"password": OWN}).status_code == 302


def test_a_caller_with_patients_hands_them_over_first(
    sessions: Sessions, house: House, browser: Callable[[StaffMember], FlaskClient]
) -> None:
    with sessions.begin() as session:
        here = session.merge(house.here)
        make_enrolment(session, make_patient(session, here), caller=session.merge(house.caller))
    manager = browser(house.manager)

    page = manager.post(f"/staff/{house.caller.id}/close", follow_redirects=True).text

    assert "Hand over their patients first" in page
    assert "Close the account" in page


def test_one_address_is_one_person(
    house: House, browser: Callable[[StaffMember], FlaskClient]
) -> None:
    page = invite(browser(house.manager), email=f" {house.boss.email.upper()} ")

    assert "has this e-mail address already" in page


def test_lost_factors_are_ended_by_a_manager(
    app: Flask, house: House, owner: Owner, browser: Callable[[StaffMember], FlaskClient]
) -> None:
    browser(house.boss).post(f"/staff/{owner.person.id}/factors/end")

    somebody = app.test_client()
    sign_in(somebody, owner.person)

    assert is_in(somebody)
    assert "You have none" not in somebody.get("/my-sign-in/").text
