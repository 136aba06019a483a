"""Outcomes and the cohort board by clinic and by region: sums of what each clinic's report says."""

import html
import random
import re
from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, Membership, Region, RegionClinic
from outreach.accounts.rules import Role, Scope
from outreach.measures.rules import MeasureKind
from outreach.orm import Sessions
from outreach.programmes.rules import EnrolmentStatus
from outreach.reports import cohort, outcomes, strata
from outreach.reports.asked import Here
from outreach.reports.breakdown import Dimension, NoSuchGroup
from outreach.reports.rules.board import Exclusion, Standing
from outreach.reports.rules.outcomes import Group, Outcome, OutcomeMeasure, Point, outcome_of
from tests.builders import make_clinic, make_enrolment, make_patient, make_reading, make_staff
from tests.conftest import HASH, sign_in
from tests.fakes import MONDAY_10_CHICAGO as NOW
from tests.integration.reports.histories import ZONES, noon

EVERYTHING = Scope(0, everything=True, clinic_ids=frozenset())
DAY = date(2026, 11, 20)
WHAT = (OutcomeMeasure.HBA1C, Point.MONTH_6)


def make_followed(session: Session, clinic: Clinic, chance: random.Random) -> None:
    """Somebody who began some months ago, with an HbA1c now and then."""
    starts_on = date(2025, 11, 3) + timedelta(days=chance.randint(0, 300))
    patient = make_patient(session, clinic, phone=None, zone=chance.choice(ZONES))
    status = chance.choice([EnrolmentStatus.ACTIVE, EnrolmentStatus.WITHDRAWN])
    make_enrolment(session, patient, starts_on=starts_on, status=status)
    for day in (0, 91, 182):
        if chance.random() < 0.8 and starts_on + timedelta(days=day) < DAY:
            at = noon(starts_on + timedelta(days=day))
            value = f"{chance.uniform(6, 11):.1f}"
            make_reading(session, patient, MeasureKind.HBA1C, value, taken_at=at, recorded_at=at)


def make_house(session: Session, chance: random.Random) -> list[Clinic]:
    """Four clinics, in two regions and in none; regions come by name, not in order of making."""
    clinics = [make_clinic(session, zone=chance.choice(ZONES)) for _ in range(4)]
    regions = [Region(name="South"), Region(name="North")]
    session.add_all(regions)
    session.flush()
    for clinic, region in zip(clinics, (regions[0], regions[1], regions[1]), strict=False):
        session.add(RegionClinic(clinic_id=clinic.id, region_id=region.id))
    for clinic in clinics:
        for _ in range(chance.randint(0, 6)):
            make_followed(session, clinic, chance)
    session.flush()
    return clinics


def own_outcome(session: Session, clinic: Clinic, unit: str) -> Outcome:
    here = Here.of(EVERYTHING, clinic, now=NOW)
    found = outcomes.cohort(session, here, DAY, glucose_unit=unit)
    return outcome_of(found.patients, *WHAT, today=found.today)


def by(session: Session, clinics: Sequence[Clinic], dimension: Dimension) -> strata.Strata:
    here = Here.of(EVERYTHING, clinics[0], now=NOW)
    found = outcomes.cohort(session, here, DAY)
    return strata.of(session, here, DAY, found, WHAT, dimension, clinics)


@pytest.mark.parametrize("seed", range(4))
def test_outcomes_of_a_region_are_everybody_of_its_clinics(session: Session, seed: int) -> None:
    clinics = make_house(session, random.Random(seed))  # noqa: S311
    own = [own_outcome(session, each, clinics[0].glucose_unit) for each in clinics]

    by_clinic = by(session, clinics, Dimension.CLINIC)
    by_region = by(session, clinics, Dimension.REGION)

    assert list(by_clinic.outcomes) == [each.code for each in clinics]
    assert list(by_region.names.values()) == ["North", "South", ""]
    south, north, nowhere = ([own[0]], own[1:3], [own[3]])
    for group in Group:
        assert [each.count(group) for each in by_clinic.outcomes.values()] == [
            each.count(group) for each in own
        ]
        assert [each.count(group) for each in by_region.outcomes.values()] == [
            sum(each.count(group) for each in some) for some in (north, south, nowhere)
        ]
    changes = sorted(by_region.outcomes[next(iter(by_region.names))].changes)
    assert changes == sorted(change for each in north for change in each.changes)
    assert not by_clinic.hidden, "a clinic's own report tells as much"


@pytest.mark.parametrize("seed", range(4))
def test_the_board_of_a_region_is_the_sum_of_its_clinics(session: Session, seed: int) -> None:
    clinics = make_house(session, random.Random(seed))  # noqa: S311
    here = Here.of(EVERYTHING, clinics[0], now=NOW)
    own = [
        cohort.board(session, Here.of(EVERYTHING, each, now=NOW), DAY).months for each in clinics
    ]

    by_clinic = cohort.by_place(session, here, DAY, clinics, Dimension.CLINIC)
    by_region = cohort.by_place(session, here, DAY, clinics, Dimension.REGION)

    assert [list(months) for _place, months in by_clinic.boards] == [list(each) for each in own]
    told = {
        (place.name, month.month): month for place, months in by_region.boards for month in months
    }
    for name, some in (("South", own[:1]), ("North", own[1:3]), ("", own[3:])):
        for month in {each.month for months in some for each in months}:
            rows = [each for months in some for each in months if each.month == month]
            found = told.pop((name, month))
            for standing in Standing:
                ids = sorted(who for each in rows for who in each.patients[standing])
                assert sorted(found.patients[standing]) == ids
            for why in Exclusion:
                ids = sorted(who for each in rows for who in each.excluded[why])
                assert sorted(found.excluded[why]) == ids
    assert not told


def test_callers_phases_and_weeks_have_no_outcomes(session: Session) -> None:
    clinics = make_house(session, random.Random(1))  # noqa: S311
    for dimension in (Dimension.CALLER, Dimension.PHASE, Dimension.WEEK):
        with pytest.raises(NoSuchGroup):
            by(session, clinics, dimension)


@pytest.fixture
def house(sessions: Sessions, client: FlaskClient) -> list[Clinic]:
    """Somebody manages the first three of four clinics with patients."""
    chance = random.Random(7)  # noqa: S311
    with sessions.begin() as session:
        clinics = make_house(session, chance)
        for clinic in clinics:
            for _ in range(3):
                make_followed(session, clinic, chance)
        manager = make_staff(session, clinics[0], Role.MANAGER, password_hash=HASH)
        for clinic in clinics[1:3]:
            session.add(
                Membership(
                    staff_id=manager.id,
                    clinic_id=clinic.id,
                    role=Role.MANAGER,
                    from_on=date(2020, 1, 1),
                )
            )
    sign_in(client, manager)
    return clinics


@pytest.mark.parametrize("page", ["outcomes", "cohort", "adherence"])
def test_a_page_by_clinic_leads_to_lists_as_long_as_its_numbers(
    client: FlaskClient, house: list[Clinic], page: str
) -> None:
    shown = client.get(f"/reports/{page}?as_of={DAY}&by=clinic").text
    tables = re.findall(r"<table.*?</table>", shown, re.DOTALL)
    table = next(each for each in tables if f"clinic={house[1].code}" in each)

    assert f">{house[3].name}<" not in shown, "not theirs to manage"
    for clinic in house[:3]:
        row = next(each for each in table.split("<tr") if f">{clinic.name}<" in each)
        links = re.findall(r'<a href="([^"]+)">(\d+) of (\d+)</a>', row)
        for href, part, _whole in links:
            listed = client.get(html.unescape(href))
            assert listed.status_code == 200
            assert f"clinic={clinic.code}" in href
            if page != "adherence":  # whose lists have everybody in the denominator
                assert listed.text.count('<th scope="row"') == int(part)
        assert any(int(part) for _href, part, _whole in links) or page != "cohort"


@pytest.mark.parametrize("page", ["outcomes", "cohort"])
def test_a_page_by_region_names_those_of_the_reader(
    client: FlaskClient, house: list[Clinic], page: str
) -> None:
    shown = client.get(f"/reports/{page}?as_of={DAY}&by=region").text

    assert shown.index(">North</th>") < shown.index(">South</th>")
    assert "In no region" not in shown, "that clinic is not theirs"
    assert client.get(f"/reports/{page}?by=caller").status_code == 404


def test_a_reader_of_one_clinic_is_offered_no_places(
    sessions: Sessions, client: FlaskClient
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        make_followed(session, clinic, random.Random(1))  # noqa: S311
        manager = make_staff(session, clinic, Role.MANAGER, password_hash=HASH)
    sign_in(client, manager)

    assert "by=region" not in client.get("/reports/outcomes").text
    assert "by=region" not in client.get("/reports/cohort").text
