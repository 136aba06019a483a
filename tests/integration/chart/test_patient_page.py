"""One patient on one page, for those who may see them."""

from datetime import date, timedelta
from typing import NamedTuple

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, Membership, StaffMember
from outreach.accounts.rules import Role
from outreach.audit.models import AuditEvent
from outreach.calls.rules import Outcome
from outreach.chart import timeline
from outreach.chart.timeline import EntryKind
from outreach.concerns.models import Concern, ConcernStep
from outreach.concerns.rules import ConcernKind, ConcernStatus, StepKind, Urgency
from outreach.db import db
from outreach.measures.rules import MeasureKind
from outreach.messaging.models import Message
from outreach.messaging.rules import MessageKind, MessageStatus
from outreach.orm import Sessions
from outreach.oversight.looks import LOOKED
from outreach.panels.models import PanelMembership
from outreach.patients import consent
from outreach.patients.models import Patient
from outreach.patients.rules import Channel, ConsentSource
from outreach.planning.rules import CallStatus
from outreach.programmes.models import Enrolment
from tests.builders import (
    make_attempt,
    make_clinic,
    make_enrolment,
    make_membership,
    make_patient,
    make_planned_call,
    make_promise,
    make_reading,
    make_staff,
)
from tests.conftest import HASH, sign_in
from tests.counting import statements
from tests.fakes import MONDAY_10_CHICAGO

NOW = MONDAY_10_CHICAGO
ROUTES = ("", "/details", "/rhythm", "/status", "/numbers", "/texts", "/caller")


class Place(NamedTuple):
    clinic: Clinic
    caller: StaffMember
    patient: Patient
    enrolment: Enrolment


@pytest.fixture
def place(sessions: Sessions) -> Place:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        caller = make_staff(session, clinic, password_hash=HASH, name="Ana Lima")
        patient = make_patient(
            session,
            clinic,
            given_name="Guadalupe",
            preferred_name="Lupe",
            family_name="Avila",
            pronouns="she/her",
            zone="America/Denver",
            sms_consent=True,
            about="Sings in the choir.",
        )
        enrolment = make_enrolment(session, patient, caller=caller, starts_on=date(2026, 11, 2))
        return Place(clinic, caller, patient, enrolment)


def _happenings(session: Session, place: Place) -> None:
    """One of each kind of thing, on five days."""
    clinic_id, patient_id = place.clinic.id, place.patient.id
    call = make_planned_call(session, place.enrolment, status=CallStatus.COMPLETED)
    make_attempt(session, call, place.caller, note="Her tomatoes won.", at=NOW - timedelta(days=1))
    make_reading(session, place.patient, value="8.4", taken_at=NOW - timedelta(days=2))
    concern = Concern(
        clinic_id=clinic_id,
        patient_id=patient_id,
        kind=ConcernKind.GLUCOSE_LOW,
        urgency=Urgency.NOW,
        status=ConcernStatus.OPEN,
        raised_at=NOW - timedelta(days=3),
    )
    session.add(concern)
    session.flush()
    session.add(
        ConcernStep(
            concern_id=concern.id,
            kind=StepKind.RAISED,
            note="Felt shaky.",
            by_staff_id=place.caller.id,
            at=concern.raised_at,
        )
    )
    session.add(
        Message(
            clinic_id=clinic_id,
            patient_id=patient_id,
            kind=MessageKind.REMINDER,
            dedupe_key="one",
            cause="planned_call:1",
            to_number="+15125550147",
            language="en",
            body="Your caller rings tomorrow.",
            status=MessageStatus.DELIVERED,
            failure="",
            send_after=NOW - timedelta(days=5),
            accepted_at=NOW - timedelta(days=4),
            tries=1,
            created_at=NOW - timedelta(days=6),
        )
    )


def test_shows_who_they_are_and_what_comes_next(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        _happenings(session, place)
        make_planned_call(session, place.enrolment, date(2026, 11, 24))
        make_promise(session, place.patient, place.caller, text="Ask about the choir concert")
        make_promise(session, place.patient, place.caller, text="Old", kept_at=NOW)
    sign_in(client, place.caller)

    page = client.get(f"/patients/{place.patient.ref}").text

    for words in (
        "Lupe Avila",
        "(she/her)",
        "56 years",
        "Mon 9:00",
        "(Denver)",
        "Tue, Nov 24, 8:00",
        "Ask about the choir concert",
        "Sings in the choir.",
        "tel:+15125550147",
        "texts: yes",
        "4 of 26",
        "Ana Lima",
        "We talked",
        "Her tomatoes won.",
        "8.4 % (68 mmol/mol)",
        "Felt shaky.",
        "Your caller rings tomorrow.",
        "delivered",
    ):
        assert words in page, words
    assert ">Old<" not in page


def test_a_stop_is_shown_beside_its_number(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        consent.note(
            session,
            place.patient,
            Channel.SMS,
            "+15125550147",
            is_given=False,
            source=ConsentSource.CARRIER,
            by_staff_id=None,
            now=NOW,
        )
    sign_in(client, place.caller)

    page = client.get(f"/patients/{place.patient.ref}").text

    assert "STOP" in page
    assert "texts: yes" not in page


def test_the_timeline_is_newest_first_whatever_the_kind(sessions: Sessions, place: Place) -> None:
    with sessions.begin() as session:
        _happenings(session, place)

    with sessions() as session:
        found = timeline.of_patient(session, place.patient.id)

    assert [entry.kind for entry in found.entries] == [
        EntryKind.CALL,
        EntryKind.READING,
        EntryKind.CONCERN,
        EntryKind.MESSAGE,
        EntryKind.PANEL,
    ]
    assert not found.has_earlier


def test_earlier_things_are_shown_on_request(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        call = make_planned_call(session, place.enrolment, status=CallStatus.COMPLETED)
        for hours in range(40):
            at = NOW - timedelta(hours=hours)
            make_attempt(session, call, place.caller, Outcome.BUSY, at=at)
    sign_in(client, place.caller)
    url = f"/patients/{place.patient.ref}"

    first, more = client.get(url).text, client.get(f"{url}?show=60").text

    assert first.count('id="call-') == 30
    assert "show=60" in first
    assert more.count('id="call-') == 40
    assert "Show earlier" not in more


def test_a_corrected_reading_is_not_charted_and_struck_through(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        wrong = make_reading(session, place.patient, value="18.8", taken_at=NOW)
        make_reading(session, place.patient, value="8.8", taken_at=NOW, supersedes_id=wrong.id)
    sign_in(client, place.caller)

    page = client.get(f"/patients/{place.patient.ref}").text

    assert page.count("18.8") == page.count("<s>18.8 % (182 mmol/mol)</s>") == 2
    assert page.count("<circle") == page.count('class="chart__dot"') == 1


def test_glucose_is_charted_in_the_clinics_unit(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        clinic = session.get_one(Clinic, place.clinic.id)
        clinic.glucose_unit = "mmol/L"
        make_reading(session, place.patient, MeasureKind.GLUCOSE, "126", taken_at=NOW)
    sign_in(client, place.caller)

    page = client.get(f"/patients/{place.patient.ref}").text

    assert "126 mg/dL (7.0 mmol/L)" in page
    assert "high, from 10" in page


def test_asks_the_database_as_often_for_a_long_history_as_for_none(
    app: Flask, client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    sign_in(client, place.caller)
    url = f"/patients/{place.patient.ref}"

    def seen() -> int:
        with app.app_context(), statements(db.engine) as sent:
            assert client.get(url).status_code == 200
        return len(sent)

    seen()  # the first look is noted
    few = seen()
    with sessions.begin() as session:
        _happenings(session, place)
        for _each in range(20):
            call = make_planned_call(session, place.enrolment, status=CallStatus.COMPLETED)
            make_attempt(session, call, place.caller)
            make_reading(session, place.patient)
            make_promise(session, place.patient, place.caller)

    assert seen() == few


def test_looking_is_written_down(client: FlaskClient, sessions: Sessions, place: Place) -> None:
    sign_in(client, place.caller)

    client.get(f"/patients/{place.patient.ref}")

    with sessions() as session:
        seen = session.execute(
            select(AuditEvent.actor_id, AuditEvent.patient_id, AuditEvent.action).where(
                AuditEvent.patient_id == place.patient.id
            )
        ).all()
    assert [tuple(row) for row in seen] == [(place.caller.id, place.patient.id, LOOKED)]


@pytest.mark.parametrize("route", ROUTES)
def test_another_clinics_patient_does_not_exist(
    client: FlaskClient, sessions: Sessions, place: Place, route: str
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        people = [
            make_staff(session, clinic, role, password_hash=HASH)
            for role in (Role.CALLER, Role.NURSE, Role.MANAGER)
        ]
    for person in people:
        sign_in(client, person)
        assert client.get(f"/patients/{place.patient.ref}{route}").status_code == 404
        if route:
            assert client.post(f"/patients/{place.patient.ref}{route}").status_code == 404
        assert client.post(f"/patients/{place.patient.ref}/enrolment").status_code == 404

    with sessions() as session:
        assert (
            session.scalar(select(func.count(AuditEvent.id)).where(AuditEvent.action == LOOKED))
            == 0
        )


@pytest.mark.parametrize("route", ROUTES)
def test_a_colleagues_patient_does_not_exist_for_a_caller(
    client: FlaskClient, sessions: Sessions, place: Place, route: str
) -> None:
    with sessions.begin() as session:
        colleague = make_staff(session, place.clinic, password_hash=HASH)
    sign_in(client, colleague)

    assert client.get(f"/patients/{place.patient.ref}{route}").status_code == 404


def test_a_patient_handed_over_leaves_the_old_callers_sight(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        new = make_staff(session, place.clinic, password_hash=HASH)
        current = session.scalars(select(PanelMembership)).one()
        current.until_at = NOW
        session.flush()
        make_membership(session, place.enrolment, new, from_at=NOW, note="Loves her choir.")

    sign_in(client, place.caller)
    assert client.get(f"/patients/{place.patient.ref}").status_code == 404
    sign_in(client, new)
    assert "Loves her choir." in client.get(f"/patients/{place.patient.ref}").text


def test_a_nurse_who_calls_elsewhere_still_only_reads_here(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        nurse = make_staff(session, place.clinic, Role.NURSE, password_hash=HASH)
        session.add(
            Membership(
                staff_id=nurse.id,
                clinic_id=make_clinic(session).id,
                role=Role.CALLER,
                from_on=date(2026, 1, 5),
            )
        )
    sign_in(client, nurse)

    assert "Edit details" not in client.get(f"/patients/{place.patient.ref}").text
    assert client.get(f"/patients/{place.patient.ref}/details").status_code == 404


@pytest.mark.parametrize(("days", "is_main"), [(-1, True), (0, True), (1, False), (14, False)])
def test_a_call_before_its_day_is_opened_on_purpose_only(
    sessions: Sessions, client: FlaskClient, place: Place, days: int, *, is_main: bool
) -> None:
    with sessions.begin() as session:
        make_planned_call(session, place.enrolment, NOW.date() + timedelta(days=days))
    sign_in(client, place.caller)

    page = client.get(f"/patients/{place.patient.ref}").text

    assert ("Open the call" in page) is is_main
    assert ("Call early?" in page) is not is_main
    assert f"/calls/{place.patient.ref}" in page


def test_the_ledger_of_consents_is_on_the_page(
    client: FlaskClient, place: Place, sessions: Sessions
) -> None:
    with sessions.begin() as session:
        patient = session.merge(place.patient)
        consent.note(
            session, patient, Channel.SMS, "+15125550147", is_given=False,
            source=ConsentSource.SMS, by_staff_id=None, now=NOW,
        )  # fmt: skip
    sign_in(client, place.caller)

    page = client.get(f"/patients/{place.patient.ref}").text

    ledger = page.partition("What they said to calls and texts")[2].partition("</details>")[0]
    assert ledger.count("<li>") == 2
    assert ledger.index("<strong>no") < ledger.index("<strong>yes"), "the newest first"
    assert consent.WORDING in ledger
