"""Every page shows the same with the second wall and without: what it hides, nobody asks for."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from config import Config
from outreach import orm
from outreach.accounts.models import Clinic, Membership, StaffMember
from outreach.accounts.rules import Role
from outreach.app import create_app
from outreach.deps import Deps
from outreach.panels.models import PanelMembership
from outreach.telephony.gateway import TelephonyGateway
from tests.builders import (
    make_absence,
    make_cover,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.conftest import FAST_HASHER, HASH, raise_wall, sign_in
from tests.fakes import MONDAY_10_CHICAGO, FakeClock
from tests.integration.access.house import TwoClinics
from tests.postgres import Server

ROLE = "outreach_web"
# Made anew for each page: keys of forms, and what a reader's own look at a page adds.
_FLEETING = re.compile(
    r'[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f-]{27}|"I[\w.-]{60,}"|name="form_key"[^>]* value="[^"]*"'
    r'|data-form-key="[^"]*"'
)
_SEALED = re.compile(r"\b[sv]1\.\w+\.[\w-]{8,}")
# Not pages of one's own records.
_LEFT_OUT = {"static", "upkeep.metrics", "upkeep.readyz", "oversight.trail_page", "oversight.file"}


@pytest.fixture
def url(postgres: Server) -> Iterator[str]:
    with postgres.database("template_outreach") as url:
        raise_wall(url, ROLE)
        yield url


@pytest.fixture
def house(url: str, tmp_path: Path) -> "House":
    return House(url, tmp_path)


class House:
    """Two clinics with a caller who works at both, is away from one, and a shared number."""

    def __init__(self, url: str, folder: Path) -> None:
        engine = orm.make_engine(url)
        sessions = orm.make_sessions(engine)
        clinics = TwoClinics(sessions, folder / "uploads")
        self.arguments = clinics.arguments
        with sessions.begin() as session:
            here, there = session.scalars(select(Clinic).order_by(Clinic.id)).all()
            own = session.scalars(
                select(StaffMember).join(
                    PanelMembership, PanelMembership.caller_id == StaffMember.id
                )
            ).one()
            own.password_hash = HASH
            session.add(
                Membership(
                    staff_id=own.id, clinic_id=there.id, role=Role.CALLER,
                    from_on=MONDAY_10_CHICAGO.date(),
                )
            )  # fmt: skip
            other = make_staff(session, there)
            session.add(
                Membership(
                    staff_id=other.id, clinic_id=here.id, role=Role.CALLER,
                    from_on=MONDAY_10_CHICAGO.date(),
                )
            )  # fmt: skip
            for number, caller in ((1, own), (2, other), (3, other)):
                patient = make_patient(session, there, given_name=f"Elsewhere{number}")
                enrolment = make_enrolment(session, patient, caller=caller)
                make_planned_call(session, enrolment)
            uncovered = make_patient(session, here, given_name="Uncovered")
            make_planned_call(session, make_enrolment(session, uncovered, caller=other))
            absence = make_absence(
                session, other, there.id, until_at=MONDAY_10_CHICAGO + timedelta(days=9)
            )
            make_cover(session, absence, enrolment, own)
            self.people: dict[str, StaffMember] = {
                "caller": own,
                "nurse": make_staff(session, here, Role.NURSE, password_hash=HASH),
                "manager": make_staff(session, here, Role.MANAGER, password_hash=HASH),
                "administrator": make_staff(session, None, Role.ADMINISTRATOR, password_hash=HASH),
            }
        engine.dispose()


@pytest.fixture
def apps(
    url: str, tmp_path: Path, clock: FakeClock, gateway: TelephonyGateway
) -> tuple[Flask, Flask]:
    bare = Config(database_url=url, instance_path=tmp_path, secret_key="test " * 8)
    walled = replace(bare, web_database_role=ROLE)
    return _app(bare, clock, gateway), _app(walled, clock, gateway)


def _app(config: Config, clock: FakeClock, gateway: TelephonyGateway) -> Flask:
    app = create_app(Deps(config, clock, gateway))
    app.testing = True
    app.config["WTF_CSRF_ENABLED"] = False
    app.extensions["password_hasher"] = FAST_HASHER
    return app


@pytest.mark.parametrize("who", ["caller", "nurse", "manager", "administrator"])
def test_a_page_is_the_same_with_the_wall_and_without(
    who: str, house: House, apps: tuple[Flask, Flask]
) -> None:
    person = house.people[who]
    bare, walled = _signed_in(apps, person)
    shown, different = 0, []
    for path in _pages(apps[0], house.arguments):
        without, within = bare.get(path), walled.get(path)
        shown += without.status_code == 200
        if (without.status_code, _lasting(without.text)) != (
            within.status_code,
            _lasting(within.text),
        ):
            different.append(path)
        assert not _SEALED.search(without.text), path

    assert shown > 10
    assert different == []


@pytest.mark.parametrize("who", ["caller", "nurse", "manager", "administrator"])
def test_a_page_comes_though_nothing_of_staff_and_clinics_can_be_read(
    who: str, house: House, apps: tuple[Flask, Flask], url: str
) -> None:
    client, _walled = _signed_in(apps, house.people[who])
    pages = _pages(apps[0], house.arguments)
    readable = {path: client.get(path).status_code for path in pages}

    engine = orm.make_engine(url)
    with engine.begin() as connection:
        for statement in _RUIN:
            connection.exec_driver_sql(statement)
    engine.dispose()

    assert {path: client.get(path).status_code for path in pages} == readable
    assert sum(status == HTTPStatus.OK for status in readable.values()) > 10
    home = client.get("/account/security").text
    assert "s1.gone" not in home


# Keys that are lost, and a value that somebody changed by hand.
_RUIN = (
    "UPDATE staff_member SET name = 's1.gone.AAAA', email = 's1.gone.' || id, phone = 's1.gone.A'",
    "UPDATE clinic SET phone_number = 's1.gone.AAAA', sms_sender = 's1.gone.AAAA'",
    "UPDATE phone_call SET shown_number = 's1.gone.AAAA', staff_number = 's1.gone.AAAA'",
    "UPDATE inbound_text SET to_number = 's1.gone.AAAA'",
)


def _signed_in(apps: tuple[Flask, Flask], person: StaffMember) -> Iterator[FlaskClient]:
    """Yield a client of each app, both in one session."""
    first = apps[0].test_client()
    sign_in(first, person)
    cookie = first.get_cookie("outreach")
    assert cookie is not None
    yield first
    second = apps[1].test_client()
    second.set_cookie("outreach", cookie.value)
    yield second


def _pages(app: Flask, arguments: dict[str, object]) -> list[str]:
    adapter = app.url_map.bind("localhost")
    return [
        adapter.build(rule.endpoint, {name: arguments[name] for name in rule.arguments})
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or set())
        and rule.endpoint not in _LEFT_OUT
        and getattr(app.view_functions[rule.endpoint], "allowed_roles", None) is not None
    ]


def _lasting(text: str) -> str:
    return _FLEETING.sub("…", text)
