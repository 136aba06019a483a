"""The hand-over summary, which goes before the first dial of whoever takes over."""

from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Role
from outreach.calls.rules import Outcome
from outreach.measures.rules import MeasureKind
from outreach.orm import Sessions
from outreach.panels import assignment, duty
from outreach.panels.assignment import Handover
from outreach.panels.models import Cover, PanelMembership
from outreach.panels.rules import ChangeReason
from outreach.patients import registry
from outreach.patients.models import Patient
from outreach.planning import next_call
from outreach.planning.rules import CallStatus
from outreach.programmes.models import Enrolment
from tests.builders import (
    make_absence,
    make_attempt,
    make_clinic,
    make_cover,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_promise,
    make_reading,
    make_staff,
)
from tests.conftest import HASH, sign_in
from tests.fakes import MONDAY_10_CHICAGO as NOW
from tests.fakes import FakeClock

SATURDAY = datetime(2026, 11, 28, 6, tzinfo=UTC)


class Place(NamedTuple):
    clinic: Clinic
    manager: StaffMember
    own: StaffMember
    stand_in: StaffMember
    patient: Patient
    enrolment: Enrolment


@pytest.fixture
def place(sessions: Sessions) -> Place:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        manager = make_staff(session, clinic, Role.MANAGER, password_hash=HASH)
        own = make_staff(session, clinic, name="Ana Lima", password_hash=HASH)
        stand_in = make_staff(session, clinic, name="Ben Ode", password_hash=HASH)
        patient = make_patient(
            session,
            clinic,
            given_name="Guadalupe",
            family_name="Avila",
            preferred_name="Lupe",
            pronouns="she/her",
            about="Sings in the choir.",
        )
        enrolment = make_enrolment(session, patient, caller=own, starts_on=date(2026, 11, 2))
        call = make_planned_call(session, enrolment, status=CallStatus.COMPLETED)
        for days, text in enumerate(("The oldest note.", "A third.", "A second.", "The newest.")):
            at = NOW - timedelta(days=10 - days)
            make_attempt(session, call, own, note=text, at=at)
        make_planned_call(session, enrolment)
        make_promise(session, patient, own, text="Ask about the concert", due_on=date(2026, 11, 25))
        make_promise(session, patient, own, text="Kept already", kept_at=NOW)
        make_reading(session, patient, MeasureKind.GLUCOSE, "52")
        make_reading(session, patient, MeasureKind.HBA1C, "8.4")
        return Place(clinic, manager, own, stand_in, patient, enrolment)


def cover(sessions: Sessions, place: Place) -> int:
    with sessions.begin() as session:
        absence = make_absence(session, place.own, place.clinic.id)
        return make_cover(
            session, absence, place.enrolment, place.stand_in, note="She likes mornings."
        ).id


def hand_over(sessions: Sessions, place: Place) -> None:
    with sessions.begin() as session:
        current = assignment.current_membership(session, place.enrolment.id)
        assert current is not None
        assignment.change_caller(
            session,
            place.enrolment.id,
            Handover(
                current.id, place.stand_in.id, ChangeReason.PATIENT_ASKED, "She likes mornings."
            ),
            by_staff_id=place.manager.id,
            now=NOW - timedelta(hours=1),
        )


def is_unread(sessions: Sessions, place: Place) -> bool:
    with sessions() as session:
        found = duty.unread_handover(session, place.enrolment.id, place.stand_in.id, now=NOW)
        return found is not None


@pytest.mark.parametrize("kind", ["cover", "handover"])
def test_tells_all_that_matters_before_the_first_call(
    client: FlaskClient, sessions: Sessions, place: Place, kind: str
) -> None:
    cover(sessions, place) if kind == "cover" else hand_over(sessions, place)
    sign_in(client, place.stand_in)

    page = client.get(f"/patients/{place.patient.ref}/handover").text

    for words in (
        "Before you call Lupe",
        "(she/her)",
        "on record as Guadalupe Avila",
        "English",
        "Mon 10:00",
        "Sings in the choir.",
        "Ask about the concert",
        "by Wed, Nov 25",
        "52 mg/dL",
        "2 calls a week",
        "week 4 of 26",
        "She likes mornings.",
        place.own.email,
        "The newest.",
        "A second.",
        "A third.",
        "I have read this",
    ):
        assert words in page, words
    for words in ("The oldest note.", "Kept already", "8.4"):
        assert words not in page, words
    told = "covers for Ana Lima until" if kind == "cover" else "the caller for good"
    assert told in page


def test_looking_changes_nothing_and_reading_is_kept(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    cover_id = cover(sessions, place)
    sign_in(client, place.stand_in)
    url = f"/patients/{place.patient.ref}/handover"

    client.get(url)
    assert is_unread(sessions, place)
    answer = client.post(url, data={"seen": f"cover-{cover_id}"})

    assert answer.location == f"/calls/{place.patient.ref}"
    with sessions() as session:
        assert session.get_one(Cover, cover_id).opened_at == NOW
    assert not is_unread(sessions, place)
    assert "I have read this" not in client.get(url).text
    assert client.post(url, data={"seen": f"cover-{cover_id}"}).status_code == 302


def test_before_it_is_read_there_is_no_number_and_nothing_is_recorded_or_lost(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    cover_id = cover(sessions, place)
    with sessions.begin() as session:
        call = next_call.open_call(session, place.enrolment.id)
        assert call is not None
        number = registry.numbers_of(session, place.patient.id)[0].e164
    sign_in(client, place.stand_in)
    url = f"/calls/{place.patient.ref}"
    report = {
        "planned_call_id": str(call.id), "form_key": "one", "reached": "no",
        "outcome": "no_answer", "note": "Rang by hand.", "glucose_unit": "mg/dL",
        "hba1c_unit": "%", "weight_unit": "kg",
    }  # fmt: skip

    before = client.get(url).text
    refused = client.post(url, data=report)
    client.post(f"{url.replace('calls', 'patients')}/handover", data={"seen": f"cover-{cover_id}"})
    after = client.get(url).text
    taken = client.post(url, data=report)

    assert number not in before
    assert refused.status_code == 422
    assert "Read the hand-over" in refused.text
    assert "Rang by hand." in refused.text
    assert number in after
    assert taken.status_code == 302


def test_a_new_caller_reads_it_too(client: FlaskClient, sessions: Sessions, place: Place) -> None:
    hand_over(sessions, place)
    sign_in(client, place.stand_in)
    with sessions() as session:
        current = assignment.current_membership(session, place.enrolment.id)
        assert current is not None

    page = client.get(f"/patients/{place.patient.ref}").text
    client.post(
        f"/patients/{place.patient.ref}/handover", data={"seen": f"panel_membership-{current.id}"}
    )

    assert "Read the hand-over first" in page
    assert not is_unread(sessions, place)
    assert "Read the hand-over first" not in client.get(f"/patients/{place.patient.ref}").text


def test_what_was_read_before_somebody_changed_it_does_not_count(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    cover(sessions, place)
    sign_in(client, place.stand_in)

    answer = client.post(
        f"/patients/{place.patient.ref}/handover", data={"seen": "panel_membership-1"}
    )

    assert answer.status_code == 409
    assert is_unread(sessions, place)


def test_a_manager_may_read_it_but_not_for_somebody_else(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    cover_id = cover(sessions, place)
    sign_in(client, place.manager)
    url = f"/patients/{place.patient.ref}/handover"

    page = client.get(url).text
    client.post(url, data={"seen": f"cover-{cover_id}"})

    assert "She likes mornings." in page
    assert "I have read this" not in page
    assert is_unread(sessions, place)


def test_whoever_comes_back_is_told_what_happened_meanwhile(
    client: FlaskClient, sessions: Sessions, place: Place, clock: FakeClock
) -> None:
    cover(sessions, place)
    with sessions.begin() as session:
        calls = [
            make_planned_call(session, place.enrolment, day, status=CallStatus.COMPLETED)
            for day in (date(2026, 11, 24), date(2026, 11, 25))
        ]
        make_attempt(session, calls[0], place.stand_in, Outcome.NO_ANSWER)
        for call in calls:
            at = call.dial_from_at + timedelta(hours=1)
            make_attempt(session, call, place.stand_in, is_primary_caller=False, at=at)
    clock.now = datetime(2026, 11, 26, 16, tzinfo=UTC)
    sign_in(client, place.own)
    assert "While you were away" not in client.get(f"/patients/{place.patient.ref}").text

    clock.now = SATURDAY + timedelta(hours=10)
    sign_in(client, place.own)
    pages = [client.get(f"/patients/{place.patient.ref}{path}").text for path in ("", "/handover")]

    for page in pages:
        assert "While you were away" in page
        assert "2 calls by Ben Ode" in page
    assert "and 1 try without a talk" in pages[1]
    with sessions.begin() as session:
        later = make_planned_call(
            session, place.enrolment, date(2026, 11, 28), status=CallStatus.COMPLETED
        )
        make_attempt(session, later, place.own, at=clock())
    assert "While you were away" not in client.get(f"/patients/{place.patient.ref}").text


@pytest.mark.parametrize(
    ("at", "status"),
    [
        (datetime(2026, 11, 23, 5, 59, tzinfo=UTC), 404),
        (datetime(2026, 11, 23, 6, tzinfo=UTC), 200),
        (SATURDAY - timedelta(minutes=1), 200),
        (SATURDAY, 404),
    ],
)
def test_a_stand_in_sees_the_patient_only_while_they_cover(
    client: FlaskClient,
    sessions: Sessions,
    place: Place,
    clock: FakeClock,
    at: datetime,
    status: int,
) -> None:
    cover(sessions, place)
    clock.now = at
    sign_in(client, place.stand_in)

    for path in ("", "/handover", "/details", "/rhythm"):
        assert client.get(f"/patients/{place.patient.ref}{path}").status_code == status, path
    assert ("Avila" in client.get("/patients/").text) is (status == 200)


def test_nobody_else_of_the_clinic_sees_it(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    cover(sessions, place)
    with sessions.begin() as session:
        third = make_staff(session, place.clinic, password_hash=HASH)
    sign_in(client, third)

    assert client.get(f"/patients/{place.patient.ref}/handover").status_code == 404


def test_an_ended_cover_shows_nothing_any_more(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    cover_id = cover(sessions, place)
    with sessions.begin() as session:
        session.get_one(Cover, cover_id).ended_at = NOW
    sign_in(client, place.stand_in)

    assert client.get(f"/patients/{place.patient.ref}").status_code == 404


def test_the_page_and_the_register_say_who_covers(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    cover(sessions, place)
    sign_in(client, place.manager)

    page, register = (
        client.get(f"/patients/{place.patient.ref}").text,
        client.get("/patients/").text,
    )

    assert "Ben Ode covers until Fri, Nov 27" in page
    assert "Ben Ode stands in" in page
    assert "Ben Ode covers until Fri, Nov 27" in register


def test_a_patient_without_a_caller_has_nothing_to_hand_over(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        for membership in session.scalars(select(PanelMembership)):
            membership.until_at = NOW
    sign_in(client, place.manager)

    assert client.get(f"/patients/{place.patient.ref}/handover").status_code == 404
