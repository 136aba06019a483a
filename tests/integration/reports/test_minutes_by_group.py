"""The median until concerns are taken on, in groups: recounted, and untold where few are behind."""

import random
from collections import defaultdict
from datetime import date, timedelta
from statistics import median

import pytest
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, Region, RegionClinic
from outreach.concerns.models import Concern, ConcernStep
from outreach.concerns.rules import ConcernKind, ConcernStatus, StepKind, Urgency
from outreach.patients.models import Patient
from outreach.reports import service_groups
from outreach.reports.asked import Asked, Here
from outreach.reports.breakdown import Dimension
from outreach.reports.rules.period import Period, monday_of
from outreach.reports.service_groups import ServiceLine
from tests.builders import make_clinic, make_enrolment, make_patient
from tests.fakes import MONDAY_10_CHICAGO as NOW
from tests.integration.reports.histories import noon
from tests.integration.reports.test_service_groups import EVERYTHING

PERIOD = Period(date(2026, 9, 28), date(2026, 11, 22))


def worry(session: Session, patient: Patient, on: date, minutes: float | None) -> None:
    """Somebody raised a concern about a patient, which was taken on after so long, or waits."""
    concern = Concern(
        clinic_id=patient.clinic_id, patient_id=patient.id, kind=ConcernKind.SAFETY,
        urgency=Urgency.NOW, status=ConcernStatus.OPEN, raised_at=noon(on),
    )  # fmt: skip
    session.add(concern)
    session.flush()
    if minutes is not None:
        at = noon(on) + timedelta(minutes=minutes)
        session.add(ConcernStep(concern_id=concern.id, kind=StepKind.ACKNOWLEDGED, note="", at=at))


def make_worries(
    session: Session, clinic: Clinic, languages: dict[str, int], chance: random.Random
) -> dict[str, list[tuple[date, float | None]]]:
    """Raise a concern or two of each of so many patients a language; return day and minutes."""
    found: defaultdict[str, list[tuple[date, float | None]]] = defaultdict(list)
    for language, people in languages.items():
        for _ in range(people):
            patient = make_patient(session, clinic, phone=None, language=language)
            make_enrolment(session, patient, starts_on=date(2026, 9, 28))
            for _again in range(chance.randint(1, 2)):
                on = date(2026, 10, 1) + timedelta(days=chance.randint(0, 40))
                minutes = chance.choice([None, chance.randint(1, 90), chance.randint(1, 90)])
                worry(session, patient, on, minutes)
                found[language].append((on, minutes))
    session.flush()
    return found


def ask(clinic: Clinic) -> Asked:
    return Here.of(EVERYTHING, clinic, now=NOW).about(PERIOD)


def lines(session: Session, clinics: list[Clinic], dimension: Dimension) -> dict[str, ServiceLine]:
    asked = ask(clinics[0])
    found = service_groups.to_group(session, asked, dimension)
    of = service_groups.lines_of(session, clinics, found, asked, dimension)
    return {line.key: line for line in of}


@pytest.mark.parametrize("seed", range(3))
def test_each_group_has_the_median_of_its_own_concerns(session: Session, seed: int) -> None:
    clinic = make_clinic(session)
    made = make_worries(session, clinic, {"en": 30, "es": 25}, random.Random(seed))  # noqa: S311

    by_language = lines(session, [clinic], Dimension.LANGUAGE)
    by_week = lines(session, [clinic], Dimension.WEEK)

    for language, worries in made.items():
        waits = [minutes for _on, minutes in worries if minutes is not None]
        assert by_language[language].minutes == median(waits)
        assert by_language[language].tells_minutes
    weeks: defaultdict[str, list[float]] = defaultdict(list)
    for on, minutes in (each for some in made.values() for each in some):
        if minutes is not None:
            weeks[monday_of(on).isoformat()].append(minutes)
    told = {key: line.minutes for key, line in by_week.items() if line.minutes is not None}
    assert told == {key: median(waits) for key, waits in weeks.items()}


def test_it_is_untold_where_few_patients_concerns_were_taken_on(session: Session) -> None:
    clinic = make_clinic(session)
    for language, minutes in (("en", 10), ("es", 20), ("es", None), ("pt", 30)):
        for _ in range(12 if (language, minutes) != ("es", 20) else 10):
            patient = make_patient(session, clinic, phone=None, language=language)
            worry(session, patient, date(2026, 10, 5), minutes)
    session.flush()

    found = lines(session, [clinic], Dimension.LANGUAGE)

    assert not found["es"].tells_minutes, "22 patients, but the median is of 10 of them"
    assert [key for key, line in found.items() if line.tells_minutes] != []
    assert sum(not line.tells_minutes for line in found.values()) == 2, "subtraction would tell"


def test_a_region_has_the_median_of_all_its_clinics(session: Session) -> None:
    clinics = [make_clinic(session) for _ in range(3)]
    north = Region(name="North")
    session.add(north)
    session.flush()
    for clinic, minutes in zip(clinics, ([1.0], [2.0, 90.0], [50.0]), strict=True):
        for each in minutes:
            worry(session, make_patient(session, clinic), date(2026, 10, 5), each)
    session.add_all(RegionClinic(clinic_id=each.id, region_id=north.id) for each in clinics[1:])
    session.flush()

    by_region = lines(session, clinics, Dimension.REGION)
    by_clinic = lines(session, clinics, Dimension.CLINIC)

    assert {key: line.minutes for key, line in by_region.items()} == {str(north.id): 50.0, "": 1.0}
    assert [by_clinic[each.code].minutes for each in clinics] == [1.0, 46.0, 50.0]
