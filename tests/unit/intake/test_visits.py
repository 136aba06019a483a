"""Visits of files: what took place comes in, with the same key each time."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from outreach.intake import csv_visits
from outreach.intake.rules import Incoming, LooseVisit, PassedOver, Problem, VisitOf
from outreach.visits.rules import VisitKind
from tests.unit.intake.builders import FRAME, read_bundle, read_row


def an_encounter(code: str = "AMB", **deviations: Any) -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "id": "e1",
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": code},
        "subject": {"reference": "Patient/p1"},
        "period": {"start": "2026-10-05T01:30:00Z", "end": "2026-10-05T02:00:00Z"},
    } | deviations


def an_appointment(**deviations: Any) -> dict[str, Any]:
    return {
        "resourceType": "Appointment",
        "id": "a1",
        "status": "fulfilled",
        "start": "2026-10-05T15:30:00Z",
        "participant": [
            {"actor": {"reference": "Practitioner/x"}},
            {"actor": {"reference": "Patient/p1"}},
        ],
    } | deviations


def test_an_encounter_is_on_the_clinics_day() -> None:
    (found,) = read_bundle(an_encounter())

    assert isinstance(found, LooseVisit)
    assert (found.of, found.visit.kind) == ("p1", VisitKind.IN_PERSON)
    assert found.visit.on == date(2026, 10, 4)  # half past eight in the evening in Chicago
    assert found.visit.at == datetime(2026, 10, 5, 1, 30, tzinfo=UTC)
    assert found.visit.key == "fhir:encounter:e1"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("VR", VisitKind.TELEHEALTH), ("HH", VisitKind.HOME), ("EMER", VisitKind.EMERGENCY),
        ("IMP", VisitKind.INPATIENT), ("OBSENC", VisitKind.INPATIENT),
    ],
)  # fmt: skip
def test_the_class_says_how_people_met(code: str, kind: VisitKind) -> None:
    (found,) = read_bundle(an_encounter(code))
    assert isinstance(found, LooseVisit)
    assert found.visit.kind is kind


@pytest.mark.parametrize(
    "resource",
    [
        an_encounter(status="planned"), an_encounter(status="cancelled"), an_encounter("PRENC"),
        an_encounter(**{"class": "AMB"}), an_appointment(status="noshow"),
        an_appointment(status="booked"),
    ],
)  # fmt: skip
def test_what_did_not_take_place_is_passed_over(resource: dict[str, Any]) -> None:
    assert read_bundle(resource) == [PassedOver()]


def test_an_appointment_that_was_kept_is_a_visit() -> None:
    (found,) = read_bundle(an_appointment())
    assert isinstance(found, LooseVisit)
    assert (found.of, found.visit.key) == ("p1", "fhir:appointment:a1")


@pytest.mark.parametrize(
    "resource",
    [
        an_encounter(period={}), an_encounter(period="x"), an_appointment(start="2026"),
        an_encounter(period={"start": "2027-01-01"}), an_appointment(start="1850-01-01"),
    ],
)  # fmt: skip
def test_a_visit_without_a_day_that_can_be_is_a_problem(resource: dict[str, Any]) -> None:
    (found,) = read_bundle(resource)
    assert isinstance(found, Problem)
    assert found.field == resource["resourceType"]


def read(text: str) -> list[Incoming]:
    return list(csv_visits.incoming(text.splitlines(keepends=True), FRAME))


def test_a_table_of_visits() -> None:
    found = read(
        "mrn,visit_date,visit_kind,visit_id\nLS1,2026-10-04,Telehealth,\nLS2,2026-10-05,,v7\n"
    )
    assert all(isinstance(each, VisitOf) for each in found)
    assert [
        (each.record_number, each.visit.on.day, each.visit.kind, each.visit.key)
        for each in found
        if isinstance(each, VisitOf)
    ] == [
        ("LS1", 4, VisitKind.TELEHEALTH, "csv:2026-10-04:telehealth"),
        ("LS2", 5, VisitKind.IN_PERSON, "csv:v7"),
    ]


def test_every_bad_cell_of_a_row_is_named() -> None:
    (*found,) = read("mrn,visit_date,visit_kind\n,2027-10-04,by post\n")
    assert [(each.line, each.field) for each in found if isinstance(each, Problem)] == [
        (2, "mrn"),
        (2, "visit_date"),
        (2, "visit_kind"),
    ]
    assert len(found) == 3


def test_a_table_of_patients_may_name_the_last_visit() -> None:
    (visit,) = read_row(last_visit_on="2026-05-06").visits
    assert (visit.on, visit.kind) == (date(2026, 5, 6), VisitKind.IN_PERSON)
