"""Changing details, rhythm and status: saved, planned anew, kept on error."""

from datetime import date, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from outreach.accounts.models import Clinic, StaffMember
from outreach.accounts.rules import Role
from outreach.audit.models import AuditEvent
from outreach.messaging import outbox
from outreach.messaging.models import Message
from outreach.messaging.rules import MessageStatus
from outreach.orm import Sessions
from outreach.patients import consent
from outreach.patients.models import Patient, PatientBefore
from outreach.patients.rules import Channel, ConsentSource, Sex
from outreach.planning import reminders
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from outreach.programmes import choices
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus
from tests.builders import (
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_staff,
)
from tests.conftest import HASH, sign_in
from tests.fakes import FakeClock

TODAY = date(2026, 11, 23)


class Place(NamedTuple):
    clinic: Clinic
    caller: StaffMember
    patient: Patient
    enrolment: Enrolment


@pytest.fixture
def place(sessions: Sessions) -> Place:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        caller = make_staff(session, clinic, password_hash=HASH)
        patient = make_patient(session, clinic, preferred_name="Lupe", weekdays=1)
        enrolment = make_enrolment(
            session, patient, caller=caller, starts_on=TODAY - timedelta(days=9)
        )
        return Place(clinic, caller, patient, enrolment)


def _details(**deviations: Any) -> dict[str, Any]:
    return {
        "preferred_name": "Lupita",
        "pronouns": "she/her",
        "language": "es",
        "zone": "America/Denver",
        "weekdays": ["1", "3"],
        "first_daypart": "evening",
        "second_daypart": "morning",
        "voicemail": "no",
        "about": "Sings.",
    } | deviations


def _open_call(sessions: Sessions, enrolment: Enrolment) -> PlannedCall | None:
    with sessions() as session:
        return session.scalar(
            select(PlannedCall).where(
                PlannedCall.enrolment_id == enrolment.id,
                PlannedCall.status == CallStatus.PLANNED,
            )
        )


def test_details_are_saved_and_the_open_call_fits_the_new_wishes(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        make_planned_call(session, place.enrolment, TODAY)
    sign_in(client, place.caller)

    answer = client.post(f"/patients/{place.patient.ref}/details", data=_details())

    assert answer.status_code == 302
    with sessions() as session:
        patient = session.get_one(Patient, place.patient.id)
        assert (patient.preferred_name, patient.language) == ("Lupita", "es")
        assert patient.wishes.weekdays == {1, 3}
        assert patient.dayparts == ["evening", "morning"]
        assert patient.is_voicemail_allowed is False
        before = session.scalars(select(PatientBefore)).one()  # reports of an earlier day ask
        assert (before.language, before.zone) == (place.patient.language, place.patient.zone)
        action = select(AuditEvent.action).where(AuditEvent.patient_id == patient.id)
        assert "changed details" in session.scalars(action).all()
    call = _open_call(sessions, place.enrolment)
    assert call is not None
    assert call.due_on == TODAY, "what is due is not planned away"
    assert (call.dial_from_at - timedelta(hours=7)).weekday() == 1


def test_the_law_of_the_state_they_live_in_holds_for_the_open_call_at_once(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        make_planned_call(session, place.enrolment, TODAY)
    sign_in(client, place.caller)
    anywhen = _details(zone="America/New_York", weekdays=[], first_daypart="", second_daypart="")

    for state, last_hour in (("", 20), ("RI", 18)):  # Rhode Island: 9 to 18 on weekdays
        client.post(f"/patients/{place.patient.ref}/details", data=anywhen | {"state": state})

        call = _open_call(sessions, place.enrolment)
        assert call is not None
        assert call.dial_until_at.astimezone(ZoneInfo("America/New_York")).hour == last_hour
    assert "Rhode Island" in client.get(f"/patients/{place.patient.ref}").text


def test_a_refused_form_keeps_what_was_typed(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    sign_in(client, place.caller)

    answer = client.post(
        f"/patients/{place.patient.ref}/details",
        data=_details(second_daypart="evening", about="A long story <b>"),
    )

    assert answer.status_code == 422
    assert "Choose another time of day than the best one." in answer.text
    assert 'value="Lupita"' in answer.text
    assert "A long story &lt;b&gt;" in answer.text
    with sessions() as session:
        assert session.get_one(Patient, place.patient.id).preferred_name == "Lupe"


def test_a_manager_corrects_sex_and_date_of_birth(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        manager = make_staff(session, place.clinic, role=Role.MANAGER, password_hash=HASH)
    sign_in(client, manager)
    page = f"/patients/{place.patient.ref}/details"
    record = {"sex": "male", "date_of_birth": "1964-03-02"}

    assert f'value="{place.patient.date_of_birth}"' in client.get(page).text
    assert client.post(page, data=_details(**record)).status_code == 302
    assert client.post(page, data=_details(**record)).status_code == 302, "nothing new in it"

    with sessions() as session:
        patient = session.get_one(Patient, place.patient.id)
        assert (patient.sex, patient.date_of_birth) == (Sex.MALE, date(1964, 3, 2))
        before = session.scalars(select(PatientBefore)).one()
        had = (place.patient.sex, place.patient.date_of_birth)
        assert (before.sex, before.date_of_birth) == had
        noted = select(AuditEvent.action).where(AuditEvent.patient_id == patient.id)
        actions = session.scalars(noted).all()
        assert actions.count("corrected sex or date of birth") == 1
        assert actions.count("changed details") == 2


@pytest.mark.parametrize("born_on", ["2026-11-24", "1890-01-01", "", "soon"])
def test_a_date_of_birth_that_can_not_be_is_refused(
    client: FlaskClient, sessions: Sessions, place: Place, born_on: str
) -> None:
    with sessions.begin() as session:
        manager = make_staff(session, place.clinic, role=Role.MANAGER, password_hash=HASH)
    sign_in(client, manager)

    answer = client.post(
        f"/patients/{place.patient.ref}/details",
        data=_details(sex="male", date_of_birth=born_on),
    )

    assert answer.status_code == 422
    assert 'id="date_of_birth-error"' in answer.text
    with sessions() as session:
        assert session.get_one(Patient, place.patient.id).sex == place.patient.sex


def test_a_caller_changes_details_and_not_the_record(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    sign_in(client, place.caller)
    page = f"/patients/{place.patient.ref}/details"

    assert "date_of_birth" not in client.get(page).text
    client.post(page, data=_details(sex="male", date_of_birth="1964-03-02"))

    with sessions() as session:
        patient = session.get_one(Patient, place.patient.id)
        assert patient.preferred_name == "Lupita"
        assert (patient.sex, patient.date_of_birth) == (
            place.patient.sex,
            place.patient.date_of_birth,
        )


@pytest.mark.parametrize(
    "deviation", [{"zone": "Mars/Olympus"}, {"language": "xx"}, {"weekdays": ["9"]}]
)
def test_what_is_not_offered_is_refused(
    client: FlaskClient, place: Place, deviation: dict[str, Any]
) -> None:
    sign_in(client, place.caller)

    answer = client.post(f"/patients/{place.patient.ref}/details", data=_details(**deviation))

    assert answer.status_code == 422


def test_the_page_begins_with_what_is_known(client: FlaskClient, place: Place) -> None:
    sign_in(client, place.caller)

    page = client.get(f"/patients/{place.patient.ref}/details").text

    assert 'value="Lupe"' in page
    assert '<option selected value="America/Chicago">' in page


def test_the_patients_choice_of_rhythm_is_appended(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    sign_in(client, place.caller)
    url = f"/patients/{place.patient.ref}/rhythm"

    page = client.get(url).text
    forged = client.post(url, data={"value": "9"})
    answer = client.post(url, data={"value": "4"})

    assert "4 calls a week" in page
    assert "weeks 2 to 4" in page
    assert forged.status_code == 422
    assert answer.status_code == 302
    with sessions() as session:
        chosen = choices.current_of(session, [place.enrolment.id])
    assert chosen == {place.enrolment.id: {"weeks_2_to_4": 4}}


def test_pausing_cancels_the_open_call_and_resuming_plans_one(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        make_planned_call(session, place.enrolment, TODAY + timedelta(days=1))
    sign_in(client, place.caller)
    url = f"/patients/{place.patient.ref}/status"

    client.post(url, data={"seen": "active", "status": "paused", "reason": "in hospital"})
    paused = _open_call(sessions, place.enrolment)
    client.post(url, data={"seen": "paused", "status": "active", "reason": "home again"})

    assert paused is None
    assert _open_call(sessions, place.enrolment) is not None
    with sessions() as session:
        enrolment = session.get_one(Enrolment, place.enrolment.id)
        assert enrolment.status is EnrolmentStatus.ACTIVE
        assert enrolment.status_reason == "home again"


def test_a_status_that_moved_meanwhile_is_not_overwritten(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        session.get_one(Enrolment, place.enrolment.id).status = EnrolmentStatus.PAUSED
    sign_in(client, place.caller)

    answer = client.post(
        f"/patients/{place.patient.ref}/status",
        data={"seen": "active", "status": "withdrawn", "reason": "moved away"},
    )

    assert answer.status_code == 409
    with sessions() as session:
        status = session.get_one(Enrolment, place.enrolment.id).status
    assert status is EnrolmentStatus.PAUSED


def test_a_status_needs_a_reason_and_a_step_that_exists(client: FlaskClient, place: Place) -> None:
    sign_in(client, place.caller)
    url = f"/patients/{place.patient.ref}/status"

    nameless = client.post(url, data={"seen": "active", "status": "died", "reason": ""})
    impossible = client.post(url, data={"seen": "active", "status": "completed", "reason": "x"})

    assert nameless.status_code == impossible.status_code == 422
    assert "Write the reason." in nameless.text


def test_a_manager_enrols_from_the_patients_today_and_only_once(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        manager = make_staff(session, place.clinic, Role.MANAGER, password_hash=HASH)
        patient = make_patient(session, place.clinic, zone="Asia/Tokyo")
    sign_in(client, manager)
    url = f"/patients/{patient.ref}"

    before = client.get(url).text
    first, second = client.post(f"{url}/enrolment"), client.post(f"{url}/enrolment")

    assert "Enrol from today" in before
    assert (first.status_code, second.status_code) == (302, 422)
    with sessions() as session:
        enrolment = session.scalars(
            select(Enrolment).where(Enrolment.patient_id == patient.id)
        ).one()
    assert enrolment.starts_on == date(2026, 11, 24)


def test_callers_do_not_enrol(client: FlaskClient, place: Place) -> None:
    sign_in(client, place.caller)

    assert client.post(f"/patients/{place.patient.ref}/enrolment").status_code == 404


def test_who_is_in_no_programme_has_no_rhythm_and_no_status(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        manager = make_staff(session, place.clinic, Role.MANAGER, password_hash=HASH)
        patient = make_patient(session, place.clinic)
    sign_in(client, manager)

    for page in ("rhythm", "status", "caller"):
        assert client.get(f"/patients/{patient.ref}/{page}").status_code == 404


def test_a_finished_programme_leaves_nothing_to_choose(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        session.get_one(Enrolment, place.enrolment.id).status = EnrolmentStatus.COMPLETED
        manager = make_staff(session, place.clinic, Role.MANAGER, password_hash=HASH)
    sign_in(client, manager)

    assert "nothing left to choose" in client.get(f"/patients/{place.patient.ref}/rhythm").text
    assert "The programme is over" in client.get(f"/patients/{place.patient.ref}/status").text
    assert "Enrol again" in client.get(f"/patients/{place.patient.ref}").text


def test_a_text_that_names_a_time_where_they_lived_is_written_anew(
    client: FlaskClient, sessions: Sessions, place: Place, clock: FakeClock
) -> None:
    """A time that they asked for stays; on their new clock it is another hour."""
    at = clock() + timedelta(hours=5)
    with sessions.begin() as session:
        consent.note(
            session,
            session.get_one(Patient, place.patient.id),
            Channel.SMS,
            "+15125550147",
            is_given=True,
            source=ConsentSource.FORM,
            by_staff_id=None,
            now=clock(),
        )
        call = make_planned_call(session, place.enrolment, TODAY, is_agreed=True)
        call.dial_from_at, call.dial_until_at = at, at + timedelta(minutes=30)
        session.flush()
        outbox.write(session, reminders.due(session, now=clock()).messages)
    sign_in(client, place.caller)

    client.post(f"/patients/{place.patient.ref}/details", data=_details(zone="America/New_York"))

    with sessions.begin() as session:
        outbox.write(session, reminders.due(session, now=clock()).messages)
        texts = session.execute(select(Message.status, Message.body).order_by(Message.id)).all()
    assert [each.status for each in texts] == [MessageStatus.SKIPPED, MessageStatus.SCHEDULED]
    assert texts[0].body != texts[1].body
