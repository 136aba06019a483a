"""What stands around the calls, in groups: they add up, their lists agree, and few are hidden."""

import html
import random
import re
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, Region, RegionClinic, StaffMember
from outreach.accounts.rules import Role, Scope
from outreach.concerns.models import Concern
from outreach.concerns.rules import ConcernKind, ConcernStatus, Urgency
from outreach.measures.rules import MeasureKind
from outreach.messaging.models import Message
from outreach.messaging.rules import MessageKind, MessageStatus
from outreach.orm import Sessions
from outreach.patients.models import Patient
from outreach.patients.rules import Sex
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus
from outreach.reports import service, service_groups
from outreach.reports.asked import Asked, Here
from outreach.reports.breakdown import Dimension, NoSuchGroup
from outreach.reports.rules.period import Period
from outreach.reports.rules.suppression import FEWEST_SHOWN
from outreach.reports.service import ServiceMeasure
from tests.builders import (
    make_clinic,
    make_enrolment,
    make_membership,
    make_patient,
    make_reading,
    make_staff,
)
from tests.conftest import HASH, sign_in
from tests.fakes import MONDAY_10_CHICAGO as NOW
from tests.integration.reports.histories import ZONES, noon
from tests.integration.reports.service_recount import RECOUNTED, ServiceRecount

EVERYTHING = Scope(0, everything=True, clinic_ids=frozenset())
PERIOD = Period(date(2026, 6, 1), date(2026, 11, 22))
DAYS = "from_on=2026-06-01&until_on=2026-11-22"
OF_ONE_CLINIC = [each for each in Dimension if not each.is_over_clinics]
SPREAD = (Dimension.CALLER, Dimension.PHASE, Dimension.WEEK)


def make_people(session: Session, clinic: Clinic, chance: random.Random, count: int) -> None:
    """Patients of several languages, sexes and ages, some measured, some with a concern.

    Callers change, some patients left and enrolled again, and each got some texts.
    """
    callers = [make_staff(session, clinic) for _ in range(3)]
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
        enrolment = make_enrolment(session, patient, starts_on=starts_on)
        hand_over(session, chance, enrolment, callers)
        if chance.random() < 0.2:
            enrolment.status = EnrolmentStatus.WITHDRAWN
            enrolment.status_at = noon(starts_on + timedelta(days=95))
            again = make_enrolment(session, patient, starts_on=starts_on + timedelta(days=100))
            hand_over(session, chance, again, callers)
        for _text in range(chance.randint(0, 3)):
            text(session, chance, patient)
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


def hand_over(
    session: Session, chance: random.Random, enrolment: Enrolment, callers: list[StaffMember]
) -> None:
    at = enrolment.enrolled_at + timedelta(days=chance.randint(-1, 3))
    for caller in chance.sample(callers, chance.randint(0, 3)):
        until = at + timedelta(days=chance.randint(5, 60), hours=chance.randint(0, 20))
        make_membership(session, enrolment, caller, from_at=at, until_at=until)
        at = until + timedelta(days=chance.choice([0, 0, 10]))


def text(session: Session, chance: random.Random, patient: Patient) -> None:
    status = chance.choice(
        [MessageStatus.DELIVERED, MessageStatus.SENT, MessageStatus.FAILED, MessageStatus.SKIPPED]
    )
    at = noon(date(2026, 5, 25)) + timedelta(hours=chance.randint(0, 24 * 190))
    session.add(
        Message(
            clinic_id=patient.clinic_id, patient_id=patient.id, kind=MessageKind.REMINDER,
            dedupe_key=f"text-{chance.random()}", cause="", to_number="+15125550147",
            language="en", body="", status=status,
            failure="21610" if status is MessageStatus.FAILED else "",
            send_after=at, tries=1, created_at=at,
        )
    )  # fmt: skip


def ask(clinic: Clinic) -> Asked:
    return Here.of(EVERYTHING, clinic, now=NOW).about(PERIOD)


@pytest.mark.parametrize("dimension", OF_ONE_CLINIC)
@pytest.mark.parametrize("seed", range(2))
def test_groups_add_up_and_lists_are_theirs(
    session: Session, seed: int, dimension: Dimension
) -> None:
    clinic = make_clinic(session)
    make_people(session, clinic, random.Random(seed), 60)  # noqa: S311
    found = service_groups.to_group(session, ask(clinic), dimension)
    usual = service.service(session, ask(clinic))
    assert sum(figure.denominator > 0 for figure in found.figures.values()) > 10
    for measure, figure in usual.figures.items():
        assert found.figures[measure].rows == figure.rows

    lines = service_groups.lines_of(session, [clinic], found, ask(clinic), dimension)

    for measure, figure in found.figures.items():
        parts = [line.figures[measure] for line in lines]
        assert sum(each.numerator for each in parts) == figure.numerator
        assert sum(each.denominator for each in parts) == figure.denominator
        if not dimension.is_about_patients:
            assert all(line.tells(measure) for line in lines)
            continue
        untold = [len(line.figures[measure].rows) for line in lines if not line.tells(measure)]
        assert not any(untold) or sum(untold) >= FEWEST_SHOWN or all(untold)
        for line in lines:
            told = len(line.figures[measure].rows)
            assert not line.tells(measure) or told == 0 or told >= FEWEST_SHOWN
            group = (dimension, line.key)
            if line.tells(measure):
                shown = service_groups.shown(session, found, ask(clinic), measure, group)
                assert shown == line
            else:
                with pytest.raises(NoSuchGroup):
                    service_groups.shown(session, found, ask(clinic), measure, group)


@pytest.mark.parametrize("dimension", SPREAD)
@pytest.mark.parametrize("seed", range(3))
def test_callers_phases_and_weeks_equal_a_recount(
    session: Session, seed: int, dimension: Dimension
) -> None:
    clinic = make_clinic(session, zone=ZONES[seed])
    make_people(session, clinic, random.Random(seed), 25)  # noqa: S311
    found = service_groups.to_group(session, ask(clinic), dimension)

    lines = service_groups.lines_of(session, [clinic], found, ask(clinic), dimension)

    told = {
        (measure, line.key): (figure.numerator, figure.denominator)
        for line in lines
        for measure, figure in line.figures.items()
        if figure.denominator and measure in RECOUNTED
    }
    assert told == ServiceRecount(session, clinic, PERIOD).by(dimension)
    assert len({key for _measure, key in told}) > 2


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
    for path in ("?by=luck", "/patients?measure=closed&by=sex&group=other"):
        assert client.get(f"/reports/around{path}").status_code == 404
