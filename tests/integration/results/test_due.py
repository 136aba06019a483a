"""Whose measurement window is open, and what is missing in it."""

import re
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, select

from outreach.accounts.models import Membership
from outreach.accounts.rules import Role, Scope
from outreach.measures.rules import MeasureKind
from outreach.patients.models import Patient
from outreach.programmes.models import Enrolment, ProgrammeVersion
from outreach.programmes.rules import EnrolmentStatus
from outreach.questionnaires.models import Questionnaire
from outreach.questionnaires.rules import InstrumentCode
from outreach.results import due
from outreach.results.rules import PointState
from tests.builders import make_clinic, make_enrolment, make_patient, make_reading, make_staff
from tests.conftest import HASH, sign_in
from tests.counting import statements
from tests.fakes import MONDAY_10_CHICAGO as NOW
from tests.integration.results.conftest import Ward

MONTH_3 = date(2026, 11, 23) - timedelta(days=91)  # today is the target


def scope_of(ward: Ward) -> Scope:
    return Scope(ward.nurse.id, everything=False, clinic_ids=frozenset({ward.clinic.id}))


def enrolled(ward: Ward, starts_on: date = MONTH_3, **deviations: Any) -> Patient:
    with ward.sessions.begin() as session:
        patient = make_patient(session, ward.clinic)
        make_enrolment(session, patient, starts_on=starts_on, **deviations)
        return patient


def measured(ward: Ward, patient: Patient, kind: MeasureKind, **deviations: object) -> int:
    with ward.sessions.begin() as session:
        return make_reading(
            session, patient, kind, "9", taken_at=NOW - timedelta(days=2), **deviations
        ).id


def test_the_list_says_of_how_many_what_is_missing(ward: Ward) -> None:
    half, whole = enrolled(ward), enrolled(ward)
    measured(ward, half, MeasureKind.HBA1C)
    measured(ward, whole, MeasureKind.HBA1C)
    measured(ward, whole, MeasureKind.PHQ9_TOTAL)
    enrolled(ward, MONTH_3 + timedelta(days=32))  # day 59: between the windows
    enrolled(ward, status=EnrolmentStatus.WITHDRAWN)

    with ward.sessions() as session:
        found = due.everybody(session, scope_of(ward), now=NOW)

    # Rosa began today: her baseline is open as well.
    assert (found.complete, len(found.everybody)) == (1, 3)
    assert found.measured("hba1c") == (2, 3)
    assert found.measured("phq9_total") == (1, 3)
    assert [(each.patient.id, each.standing.missing) for each in found.missing] == [
        (ward.rosa.id, ("hba1c", "phq9_total")),
        (half.id, ("phq9_total",)),
    ]


def test_what_was_corrected_or_taken_back_does_not_count(ward: Ward) -> None:
    patient = enrolled(ward)
    wrong = measured(ward, patient, MeasureKind.HBA1C)
    measured(ward, patient, MeasureKind.HBA1C, supersedes_id=wrong, is_void=True)

    with ward.sessions() as session:
        found = due.everybody(session, scope_of(ward), now=NOW)

    assert found.measured("hba1c")[0] == 0


def test_an_estimated_questionnaire_was_answered_all_the_same(ward: Ward) -> None:
    with ward.sessions.begin() as session:
        session.add(
            Questionnaire(
                form_key="k", clinic_id=ward.clinic.id, patient_id=ward.rosa.id,
                code=InstrumentCode.PHQ_9, answers={}, score=9, is_prorated=True, gap=None,
                at=NOW, by_staff_id=ward.caller.id,
            )
        )  # fmt: skip

    with ward.sessions() as session:
        assert due.everybody(session, scope_of(ward), now=NOW).measured("phq9_total") == (1, 1)


def test_one_enrolment_says_how_each_point_stands(ward: Ward) -> None:
    measured(ward, ward.rosa, MeasureKind.HBA1C)

    with ward.sessions() as session:
        enrolment = session.scalars(
            select(Enrolment).where(Enrolment.patient_id == ward.rosa.id)
        ).one()
        protocol = session.get_one(ProgrammeVersion, enrolment.version_id).protocol
        zone = ZoneInfo(ward.rosa.zone)
        standings = due.of(
            session, ward.rosa.id, protocol, enrolment.starts_on, zone, date(2026, 11, 23)
        )

    assert [(each.point.code, each.state, each.missing) for each in standings] == [
        ("baseline", PointState.OPEN, ("phq9_total",)),
        ("month_3", PointState.AHEAD, ("hba1c", "phq9_total")),
        ("month_6", PointState.AHEAD, ("hba1c", "phq9_total")),
    ]


def test_many_patients_take_as_few_statements_as_one(ward: Ward, engine: Engine) -> None:
    def asked() -> int:
        with ward.sessions() as session, statements(engine) as seen:
            due.everybody(session, scope_of(ward), now=NOW)
        return len(seen)

    before = asked()
    for _each in range(5):
        measured(ward, enrolled(ward), MeasureKind.HBA1C)

    assert asked() == before <= 4


@pytest.mark.parametrize("who", ["nurse", "manager"])
def test_the_page_shows_own_patients_alone(ward: Ward, who: str) -> None:
    with ward.sessions.begin() as session:
        there = make_clinic(session)
        stranger = make_patient(session, there, given_name="Elsewhere")
        make_enrolment(session, stranger, starts_on=MONTH_3)
        nobody = make_staff(session, make_clinic(session), Role.NURSE, password_hash=HASH)
    sign_in(ward.client, getattr(ward, who))

    page = ward.client.get("/due/").text

    assert ward.rosa.family_name in page
    assert "0 of 1" in page
    assert "Elsewhere" not in page
    sign_in(ward.client, nobody)
    assert "No window is open" in ward.client.get("/due/").text


def test_callers_have_their_queue_instead(ward: Ward) -> None:
    sign_in(ward.client, ward.caller)

    assert ward.client.get("/due/").status_code == 404


def test_who_is_a_nurse_elsewhere_gets_no_link_that_leads_nowhere(ward: Ward) -> None:
    with ward.sessions.begin() as session:
        elsewhere = make_clinic(session)
        for role in (Role.NURSE, Role.CALLER):
            session.add(
                Membership(
                    staff_id=ward.manager.id, clinic_id=elsewhere.id, role=role,
                    from_on=NOW.date(),
                )
            )  # fmt: skip
        theirs = make_patient(session, elsewhere)
        make_enrolment(session, theirs, starts_on=MONTH_3)
    sign_in(ward.client, ward.manager)
    due, chart = ward.client.get("/due/").text, ward.client.get(f"/patients/{ward.rosa.ref}").text

    links = set(re.findall(r'href="(/(?!static)[^"#]*)', due + chart))
    assert {each for each in links if ward.client.get(each).status_code == 404} == set()
    assert f"/patients/{theirs.ref}/ask/phq9" in links
    assert f"/patients/{theirs.ref}/readings/new?back=due" in links
    assert f"/patients/{ward.rosa.ref}" in links
