"""What stands around the calls, in groups: they add up, their lists agree, and few are hidden."""

import html
import random
import re
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, Region, RegionClinic
from outreach.accounts.rules import Role, Scope
from outreach.concerns.models import Concern
from outreach.concerns.rules import ConcernKind, ConcernStatus, Urgency
from outreach.measures.rules import MeasureKind
from outreach.orm import Sessions
from outreach.patients.rules import Sex
from outreach.reports import service, service_groups
from outreach.reports.asked import Asked, Here
from outreach.reports.breakdown import Dimension, NoSuchGroup
from outreach.reports.rules.period import Period
from outreach.reports.rules.suppression import FEWEST_SHOWN
from outreach.reports.service import ServiceMeasure
from tests.builders import make_clinic, make_enrolment, make_patient, make_reading, make_staff
from tests.conftest import HASH, sign_in
from tests.fakes import MONDAY_10_CHICAGO as NOW
from tests.integration.reports.histories import ZONES, noon

EVERYTHING = Scope(0, everything=True, clinic_ids=frozenset())
PERIOD = Period(date(2026, 6, 1), date(2026, 11, 22))
DAYS = "from_on=2026-06-01&until_on=2026-11-22"
OF_PEOPLE = [each for each in Dimension if each.is_about_patients]


def make_people(session: Session, clinic: Clinic, chance: random.Random, count: int) -> None:
    """Patients of several languages, sexes and ages, some measured, some with a concern."""
    for _ in range(count):
        patient = make_patient(
            session,
            clinic,
            phone=None,
            zone=chance.choice(ZONES),
            language=chance.choice(["en", "en", "es", "pt"]),
            sex=chance.choice([Sex.FEMALE, Sex.FEMALE, Sex.MALE]),
            date_of_birth=date(chance.randint(1940, 1990), 2, 3),
        )
        starts_on = date(2026, 3, 2) + timedelta(days=chance.randint(0, 120))
        make_enrolment(session, patient, starts_on=starts_on)
        for kind, value in ((MeasureKind.HBA1C, "8.1"), (MeasureKind.PHQ9_TOTAL, "11")):
            for day in (0, 91, 182):
                at = noon(starts_on + timedelta(days=day))
                if chance.random() < 0.5 and at < NOW:
                    make_reading(session, patient, kind, value, taken_at=at, recorded_at=at)
        if chance.random() < 0.3:
            raised_at = noon(date(2026, 10, chance.randint(1, 28)))
            session.add(
                Concern(
                    clinic_id=clinic.id,
                    patient_id=patient.id,
                    kind=ConcernKind.SAFETY,
                    urgency=Urgency.NOW,
                    status=ConcernStatus.OPEN,
                    raised_at=raised_at,
                )
            )
    session.flush()


def ask(clinic: Clinic) -> Asked:
    return Here.of(EVERYTHING, clinic, now=NOW).about(PERIOD)


@pytest.mark.parametrize("dimension", OF_PEOPLE)
@pytest.mark.parametrize("seed", range(2))
def test_groups_add_up_and_lists_are_theirs(
    session: Session, seed: int, dimension: Dimension
) -> None:
    clinic = make_clinic(session)
    make_people(session, clinic, random.Random(seed), 60)  # noqa: S311
    found = service.service(session, ask(clinic))
    assert any(figure.denominator for figure in found.figures.values())

    lines = service_groups.lines_of(session, [clinic], found, ask(clinic), dimension)

    for measure, figure in found.figures.items():
        parts = [line.figures[measure] for line in lines]
        assert sum(each.numerator for each in parts) == figure.numerator
        assert sum(each.denominator for each in parts) == figure.denominator
        untold = [len(line.figures[measure].rows) for line in lines if not line.tells(measure)]
        assert not any(untold) or sum(untold) >= FEWEST_SHOWN or all(untold)
        for line in lines:
            told = len(line.figures[measure].rows)
            assert not line.tells(measure) or told == 0 or told >= FEWEST_SHOWN
            group = (dimension, line.key)
            if line.tells(measure):
                rows = service_groups.behind(session, found, ask(clinic), measure, group)
                assert rows == line.figures[measure].rows
            else:
                with pytest.raises(NoSuchGroup):
                    service_groups.behind(session, found, ask(clinic), measure, group)


def test_a_region_is_the_sum_of_its_clinics(session: Session) -> None:
    chance = random.Random(3)  # noqa: S311
    clinics = [make_clinic(session, zone=zone) for zone in ZONES[:3]]
    north = Region(name="North")
    session.add(north)
    session.flush()
    for clinic in clinics[1:]:
        session.add(RegionClinic(clinic_id=clinic.id, region_id=north.id))
    for clinic in clinics:
        make_people(session, clinic, chance, 8)
    asked = ask(clinics[0])
    found = service.service(session, asked)

    by_clinic = service_groups.lines_of(session, clinics, found, asked, Dimension.CLINIC)
    by_region = service_groups.lines_of(session, clinics, found, asked, Dimension.REGION)

    assert [line.name for line in by_region] == ["North", ""]
    for measure in ServiceMeasure:
        own = [line.figures[measure] for line in by_clinic]
        assert by_clinic[0].figures[measure].rows == found.figures[measure].rows
        told = [line.figures[measure] for line in by_region]
        assert [each.numerator for each in told] == [
            own[1].numerator + own[2].numerator,
            own[0].numerator,
        ]
        assert [each.denominator for each in told] == [
            own[1].denominator + own[2].denominator,
            own[0].denominator,
        ]


def test_the_page_has_groups_whose_numbers_lead_to_their_lists(
    sessions: Sessions, client: FlaskClient
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        make_people(session, clinic, random.Random(5), 70)  # noqa: S311
        manager = make_staff(session, clinic, Role.MANAGER, password_hash=HASH)
    sign_in(client, manager)

    page = client.get(f"/reports/around?{DAYS}&by=sex").text

    links = re.findall(r'<a href="([^"]+group=female[^"]*)">(\d+) of (\d+)</a>', page)
    assert links
    for href, part, whole in links:
        listed = client.get(html.unescape(href))
        assert listed.status_code == 200
        total = listed.text[listed.text.index("measures__total") :].split("</tr>")[0]
        assert re.findall(r'class="num"[^>]*>(\d+)<', total) == [part, whole]
    for path in ("?by=caller", "/patients?measure=closed&by=sex&group=other"):
        assert client.get(f"/reports/around{path}").status_code == 404
