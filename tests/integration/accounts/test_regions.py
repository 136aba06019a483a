"""A region's managers and auditors have its clinics, whichever those are, and no other."""

from dataclasses import dataclass
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from outreach.accounts.models import Clinic, Membership, Region, RegionRole, SignIn, StaffMember
from outreach.accounts.rules import Role, Scope
from outreach.audit.models import AuditEvent
from outreach.orm import Sessions
from outreach.reports import breakdown
from outreach.reports.asked import Here
from outreach.reports.breakdown import Dimension
from outreach.reports.rules.period import Period
from tests.builders import (
    make_attempt,
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.conftest import HASH, sign_in
from tests.fakes import MONDAY_10_CHICAGO


@dataclass
class House:
    """Three clinics with a patient each; an administrator, and somebody who manages one."""

    app: Flask
    sessions: Sessions
    administrator: FlaskClient
    person: StaffMember
    clinics: dict[str, Clinic]
    refs: dict[str, str]

    def browser(self) -> FlaskClient:
        client = self.app.test_client()
        sign_in(client, self.person)
        return client

    def make_region(self, name: str, *codes: str) -> int:
        made = self.administrator.post("/regions/", data={"name": name})
        assert made.status_code == 303, made.text
        region_id = int(made.location.rsplit("/", 1)[1])
        self.choose(region_id, *codes)
        return region_id

    def choose(self, region_id: int, *codes: str) -> None:
        ids = [str(self.clinics[code].id) for code in codes]
        chosen = self.administrator.post(f"/regions/{region_id}/clinics", data={"clinics": ids})
        assert chosen.status_code == 303, chosen.text

    def give(self, region_id: int, role: str = "manager", email: str | None = None) -> int:
        """Return the status of the answer."""
        data = {"email": email or self.person.email, "role": role}
        return self.administrator.post(f"/regions/{region_id}/roles", data=data).status_code

    def seen(self) -> set[str]:
        """Return at which clinics the person opens the patient, signed in anew."""
        browser = self.browser()
        return {
            code
            for code, ref in self.refs.items()
            if browser.get(f"/patients/{ref}").status_code == 200
        }

    def end(self, region_id: int) -> None:
        with self.sessions() as session:
            held = session.scalars(
                select(RegionRole.id).where(
                    RegionRole.region_id == region_id, RegionRole.until_on.is_(None)
                )
            ).one()
        ended = self.administrator.post(f"/regions/{region_id}/roles/{held}/end")
        assert ended.status_code == 303


@pytest.fixture
def house(app: Flask, sessions: Sessions) -> House:
    with sessions.begin() as session:
        clinics = {code: make_clinic(session, code=code) for code in ("ALDER", "BIRCH", "CEDAR")}
        refs = {}
        for code, clinic in clinics.items():
            patient = make_patient(session, clinic)
            caller = make_staff(session, clinic)
            enrolment = make_enrolment(session, patient, caller=caller)
            make_attempt(session, make_planned_call(session, enrolment), caller)
            refs[code] = patient.ref
        person = make_staff(session, clinics["ALDER"], Role.MANAGER, password_hash=HASH)
        administrator = make_staff(session, None, Role.ADMINISTRATOR, password_hash=HASH)
    browser = app.test_client()
    sign_in(browser, administrator)
    return House(app, sessions, browser, person, clinics, refs)


def test_a_role_for_a_region_is_one_at_each_of_its_clinics(house: House) -> None:
    region_id = house.make_region("North", "ALDER", "BIRCH")
    assert house.seen() == {"ALDER"}

    assert house.give(region_id) == 303

    assert house.seen() == {"ALDER", "BIRCH"}
    page = house.administrator.get(f"/regions/{region_id}").text
    assert house.person.name in page


def test_clinics_that_come_and_go_bring_and_take_access_and_end_sessions(house: House) -> None:
    region_id = house.make_region("North", "BIRCH")
    house.give(region_id)
    browser = house.browser()

    house.choose(region_id, "CEDAR")

    assert browser.get(f"/patients/{house.refs['BIRCH']}").status_code == 302
    assert house.seen() == {"ALDER", "CEDAR"}
    with house.sessions() as session:
        actions = set(session.scalars(select(AuditEvent.action)))
        is_open = select(SignIn).where(
            SignIn.staff_id == house.person.id, SignIn.ended_at.is_(None)
        )
        assert len(session.scalars(is_open).all()) == 1  # the one of ``seen``
    assert {
        "made a region",
        "put a clinic into a region",
        "took a clinic out",
        "gave role manager for",
        "gave role manager by region",
        "took role manager by region",
    } <= actions


def test_with_the_role_for_a_region_ends_what_it_brought_and_no_more(house: House) -> None:
    region_id = house.make_region("North", "ALDER", "BIRCH", "CEDAR")
    house.give(region_id)
    assert house.seen() == {"ALDER", "BIRCH", "CEDAR"}

    house.end(region_id)

    assert house.seen() == {"ALDER"}


def test_who_loses_the_role_at_a_clinic_keeps_what_the_region_gives(house: House) -> None:
    region_id = house.make_region("North", "ALDER", "BIRCH")
    house.give(region_id)
    with house.sessions() as session:
        own = session.scalars(
            select(Membership.id).where(Membership.staff_id == house.person.id)
        ).first()

    house.administrator.post(f"/staff/{house.person.id}/roles/{own}/end")
    assert house.seen() == {"ALDER", "BIRCH"}

    house.end(region_id)
    with house.sessions() as session:
        rows = session.scalars(
            select(Membership).where(
                Membership.staff_id == house.person.id, Membership.until_on.is_(None)
            )
        ).all()
    assert rows == []


def test_what_a_region_gives_is_not_ended_at_one_clinic(house: House) -> None:
    region_id = house.make_region("North", "BIRCH")
    house.give(region_id)
    with house.sessions() as session:
        given = session.scalars(
            select(Membership.id).where(
                Membership.staff_id == house.person.id,
                Membership.clinic_id == house.clinics["BIRCH"].id,
            )
        ).one()

    answer = house.administrator.post(f"/staff/{house.person.id}/roles/{given}/end")

    assert answer.status_code == 422
    assert house.seen() == {"ALDER", "BIRCH"}
    assert "for the region North" in house.administrator.get(f"/staff/{house.person.id}").text


def test_a_clinic_is_of_one_region_and_takes_the_access_along(house: House) -> None:
    north = house.make_region("North", "BIRCH")
    south = house.make_region("South", "CEDAR")
    house.give(north)
    house.give(south)

    house.choose(south, "BIRCH", "CEDAR")
    assert house.seen() == {"ALDER", "BIRCH", "CEDAR"}

    house.end(north)
    assert house.seen() == {"ALDER", "BIRCH", "CEDAR"}
    house.end(south)
    assert house.seen() == {"ALDER"}


def test_an_auditor_of_a_region_reads_its_trail_and_no_patient(house: House) -> None:
    with house.sessions.begin() as session:
        auditor = make_staff(session, house.clinics["ALDER"], Role.AUDITOR, password_hash=HASH)
    region_id = house.make_region("North", "BIRCH")
    house.person = auditor
    assert house.give(region_id, "auditor") == 303

    browser = house.browser()
    days = {"from_on": "2026-11-01", "until_on": "2026-12-31"}
    trail = browser.post("/audit/", data=days)

    assert trail.status_code == 200
    assert "put a clinic into a region" in trail.text
    assert house.seen() == set()


def test_reports_add_up_the_clinics_of_a_region(house: House) -> None:
    house.make_region("North", "ALDER", "BIRCH")
    page = house.administrator.get("/reports/adherence?clinic=ALDER&by=region").text

    assert "North" in page
    assert "In no region" in page  # CEDAR
    with house.sessions() as session:
        clinics = list(session.scalars(select(Clinic).order_by(Clinic.code)))
        scope = Scope(0, everything=True, clinic_ids=frozenset())
        here = Here.of(scope, clinics[0], now=MONDAY_10_CHICAGO)
        asked = here.about(Period(date(2026, 11, 1), date(2026, 11, 23)))
        north, nowhere = breakdown.by_place(session, clinics, asked, Dimension.REGION)
        lines = breakdown.by_place(session, clinics, asked, Dimension.CLINIC)
        by_code = {each.key: each.tally for each in lines}
    assert north.tally.dials == by_code["ALDER"].dials + by_code["BIRCH"].dials == 2
    assert nowhere.tally == by_code["CEDAR"]
    own = house.browser().get("/reports/adherence?clinic=ALDER&by=region")
    assert own.status_code == 200
    assert "In no region" not in own.text


@pytest.mark.parametrize("role", ["caller", "nurse", "administrator", "assessor", "nonsense"])
def test_no_other_role_is_given_for_a_region(house: House, role: str) -> None:
    region_id = house.make_region("North", "BIRCH")

    assert house.give(region_id, role) == 422
    assert house.seen() == {"ALDER"}


def test_who_measures_blinded_answers_for_no_region(house: House) -> None:
    region = house.make_region("North", "BIRCH")
    with house.sessions.begin() as session:
        assessor = make_staff(session, house.clinics["CEDAR"], Role.ASSESSOR, password_hash=HASH)

    assert house.give(region, email=assessor.email) == 422
    house.give(region)
    given = house.administrator.post(
        f"/staff/{house.person.id}/roles", data={"role": "assessor CEDAR"}, follow_redirects=True
    )
    assert "measures without knowing" in given.text


def test_nobody_but_administrators_sees_or_changes_regions(house: House) -> None:
    region_id = house.make_region("North", "BIRCH")
    manager = house.browser()

    assert manager.get("/regions/").status_code == 404
    assert manager.get(f"/regions/{region_id}").status_code == 404
    for path in ("clinics", "roles", "roles/1/end"):
        assert manager.post(f"/regions/{region_id}/{path}").status_code == 404
    assert house.seen() == {"ALDER"}


def test_a_name_is_one_regions_and_an_address_somebodys(house: House) -> None:
    region_id = house.make_region("North", "BIRCH")

    again = house.administrator.post("/regions/", data={"name": " North "})
    assert again.status_code == 422
    assert house.give(region_id, email="nobody@example.org") == 422
    assert house.give(region_id) == 303
    assert house.give(region_id) == 422
    with house.sessions() as session:
        assert session.scalars(select(Region.name)).all() == ["North"]
