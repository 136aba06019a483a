"""The panels page, and changing one patient's caller."""

import re
import threading
from collections import Counter
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from outreach.accounts.rules import Role
from outreach.db import db
from outreach.orm import Sessions
from outreach.panels import assignment
from outreach.panels.models import CallerProfile, PanelMembership
from outreach.patients.models import Patient
from outreach.patients.rules import Sex
from outreach.programmes.models import Enrolment, EnrolmentBefore
from outreach.programmes.rules import EnrolmentStatus
from tests.builders import make_clinic, make_enrolment, make_patient, make_staff
from tests.conftest import HASH, sign_in
from tests.counting import statements
from tests.fakes import FakeClock
from tests.integration.panels.conftest import Place, apply_, current_caller, keep_line, propose


def test_a_proposal_is_shown_before_anything_changes_and_applied_at_one_press(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    sign_in(client, place.manager)
    assert "Propose callers" in client.get("/panels/").text

    page = propose(client)

    assert "Rosa Silva" in page
    assert "1 of 1 have a caller" in page
    assert "proven" in page
    assert current_caller(sessions, place.enrolment) is None
    assert apply_(client, page).status_code == 302
    assert current_caller(sessions, place.enrolment) == place.caller.id
    assert "Everybody has a caller" in client.get("/panels/").text
    with sessions() as session:
        assert session.scalars(select(PanelMembership.note)).all() == [""]  # encrypted as well


def test_whom_a_patient_would_rather_speak_with_is_kept_and_proposed_by(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        for gender, given_name in ((Sex.MALE, "Tom"), (Sex.FEMALE, "Ines")):
            caller = make_staff(session, place.clinic, name=given_name)
            session.get_one(CallerProfile, caller.id).gender = gender
        session.get_one(CallerProfile, place.caller.id).gender = Sex.MALE
        ref = session.get_one(Patient, place.patient.id).ref
    sign_in(client, place.manager)
    details = {"language": "en", "zone": "America/Chicago", "voicemail": "", "first_daypart": ""}
    record = {"date_of_birth": "1970-02-03", "sex": "female", "wished_caller": "female"}

    answer = client.post(f"/patients/{ref}/details", data=details | record)

    assert answer.status_code == 302
    assert "a woman" in client.get(f"/patients/{ref}").text
    by_hand = client.get(f"/patients/{ref}/caller").text
    assert by_hand.count("not whom they wished to speak with") == 2
    assert by_hand.index("Ines, 0 of 20") < by_hand.index("Ana Lima, 0 of 20, not whom")
    page = propose(client)
    assert "<strong>Ines</strong>" in page
    assert "Every wish of theirs is met." in page


def test_says_which_rule_left_somebody_out(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        make_enrolment(session, make_patient(session, place.clinic, language="vi"))
        session.get_one(CallerProfile, place.caller.id).panel_cap = 0
    sign_in(client, place.manager)

    page = propose(client)

    assert "Nobody here speaks this language." in page
    assert "Everybody here who speaks this language has a full panel." in page
    assert "0 of 2 have a caller" in page


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"trained_on": None}, "Nobody who speaks this language has finished training."),
        ({"weekly_minutes": 10}, "Everybody here who speaks this language has no hours left."),
    ],
)
def test_training_and_hours_are_kept(
    client: FlaskClient,
    sessions: Sessions,
    place: Place,
    changed: dict[str, int | None],
    words: str,
) -> None:
    with sessions.begin() as session:
        profile = session.get_one(CallerProfile, place.caller.id)
        for name, value in changed.items():
            setattr(profile, name, value)
    sign_in(client, place.manager)

    assert words in propose(client)


def test_a_panel_changed_meanwhile_is_said_and_nothing_is_overwritten(
    client: FlaskClient, sessions: Sessions, place: Place, clock: FakeClock
) -> None:
    with sessions.begin() as session:
        other = make_staff(session, place.clinic, name="Iris Cole")
        free = make_enrolment(session, make_patient(session, place.clinic))
    sign_in(client, place.manager)
    page = propose(client)
    with sessions.begin() as session:
        assignment.assign(session, {place.enrolment.id: other.id}, by_staff_id=None, now=clock())

    answer = apply_(client, page)

    assert answer.status_code == 409
    assert "Rosa Silva went to Iris Cole" in answer.text
    assert current_caller(sessions, place.enrolment) == other.id
    assert current_caller(sessions, free) is None
    assert "1 of 1 have a caller" in propose(client)


def test_somebody_who_withdrew_meanwhile_gets_no_caller(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    sign_in(client, place.manager)
    page = propose(client)
    with sessions.begin() as session:
        session.get_one(Enrolment, place.enrolment.id).status = EnrolmentStatus.WITHDRAWN

    assert apply_(client, page).status_code == 409
    assert current_caller(sessions, place.enrolment) is None


def test_applying_twice_does_nothing_the_second_time(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    sign_in(client, place.manager)
    page = propose(client)

    answers = [apply_(client, page).status_code for _time in range(2)]

    assert answers == [302, 302]
    with sessions() as session:
        assert session.scalar(select(func.count(PanelMembership.id))) == 1


def test_two_managers_who_apply_at_once_assign_once(
    app: Flask, sessions: Sessions, place: Place
) -> None:
    first = app.test_client()
    sign_in(first, place.manager)
    page = propose(first)
    statuses = []

    def apply() -> None:
        client = app.test_client()
        sign_in(client, place.manager)
        statuses.append(apply_(client, page).status_code)

    threads = [threading.Thread(target=apply) for _each in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert statuses == [302, 302]
    with sessions() as session:
        assert session.scalar(select(func.count(PanelMembership.id))) == 1


def _line(client: FlaskClient) -> str:
    found = re.search(r'href="(/panels/proposal/lines/\d+)', client.get("/panels/proposal").text)
    assert found
    return found.group(1)


def test_a_manager_changes_a_line_and_it_stays_when_proposing_again(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        busy = make_staff(session, place.clinic, name="Iris Cole")
        session.get_one(CallerProfile, busy.id).weekly_minutes = 100
    sign_in(client, place.manager)
    propose(client)

    changed = keep_line(client, _line(client), caller_id=busy.id, starts_on="2026-11-30")
    page = propose(client)

    assert changed.status_code == 302
    assert "your choice" in page
    assert "Iris Cole" in page
    assert apply_(client, page).status_code == 302
    assert current_caller(sessions, place.enrolment) == busy.id
    with sessions() as session:
        assert session.get_one(Enrolment, place.enrolment.id).starts_on == date(2026, 11, 30)
        before = session.scalars(select(EnrolmentBefore)).one()  # reports of an earlier day ask
        assert (before.enrolment_id, before.starts_on) == (
            place.enrolment.id,
            place.enrolment.starts_on,
        )


@pytest.mark.parametrize("day", ["", "2026-11-20", "2026-11-29", "2026-11-26", "2028-01-03"])
def test_a_first_day_that_cannot_be_is_refused_beside_its_field(
    client: FlaskClient, place: Place, day: str
) -> None:
    """Not given, past, a Sunday, Thanksgiving, too far ahead."""
    sign_in(client, place.manager)
    propose(client)

    answer = keep_line(client, _line(client), caller_id=place.caller.id, starts_on=day)

    assert answer.status_code == 422
    assert "on which the clinic works" in answer.text


def test_a_forged_caller_is_refused(client: FlaskClient, sessions: Sessions, place: Place) -> None:
    with sessions.begin() as session:
        stranger = make_staff(session, make_clinic(session))
    sign_in(client, place.manager)
    propose(client)

    answer = keep_line(client, _line(client), caller_id=stranger.id, starts_on="2026-11-24")

    assert answer.status_code == 422


def test_going_above_the_cap_by_hand_needs_its_tick(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        session.get_one(CallerProfile, place.caller.id).panel_cap = 0
    sign_in(client, place.manager)
    propose(client)
    keep_line(client, _line(client), caller_id=place.caller.id, starts_on="2026-11-24")
    page = client.get("/panels/proposal").text

    refused = apply_(client, page)
    wanted = apply_(client, page, above_cap="y")

    assert refused.status_code == 422
    assert "above its cap" in refused.text
    assert wanted.status_code == 302
    assert current_caller(sessions, place.enrolment) == place.caller.id


def test_a_batch_begins_spread_over_days_and_weeks_within_the_callers_hours(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        session.get_one(CallerProfile, place.caller.id).weekly_minutes = 400
        for _each in range(11):
            make_enrolment(session, make_patient(session, place.clinic, phone=None))
    sign_in(client, place.manager)

    apply_(client, propose(client))

    with sessions() as session:
        days = Counter(session.scalars(select(Enrolment.starts_on)))
        assert max(days.values()) <= 3
        assert len({day.isocalendar().week for day in days}) > 1
        assert all(day.weekday() < 6 and day != date(2026, 11, 26) for day in days)


def test_a_returning_patient_is_proposed_to_the_former_caller(
    client: FlaskClient, sessions: Sessions, place: Place, clock: FakeClock
) -> None:
    with sessions.begin() as session:
        for _each in range(3):
            make_staff(session, place.clinic)
        assignment.assign(
            session, {place.enrolment.id: place.caller.id}, by_staff_id=None, now=clock()
        )
        old = session.get_one(Enrolment, place.enrolment.id)
        old.status = EnrolmentStatus.COMPLETED
        again = make_enrolment(session, place.patient)
    sign_in(client, place.manager)

    apply_(client, propose(client))

    assert current_caller(sessions, again) == place.caller.id


def test_500_waiting_patients_are_proposed_by_the_page(
    app: Flask, client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        for _each in range(500):
            make_enrolment(session, make_patient(session, place.clinic, phone=None))
        for _each in range(30):
            make_staff(session, place.clinic)
    sign_in(client, place.manager)
    page = propose(client)

    assert "501 of 501 have a caller" in page
    assert "Page 1 of 11" in page
    with app.app_context(), statements(db.engine) as sent:
        assert apply_(client, page).status_code == 302
    assert len(sent) < 35  # as many for 5 as for 50,000
    with sessions() as session:
        assert session.scalar(select(func.count(PanelMembership.id))) == 501


def test_a_proposal_that_is_put_away_is_gone(client: FlaskClient, place: Place) -> None:
    sign_in(client, place.manager)
    propose(client)

    assert client.post("/panels/proposal/drop").status_code == 302
    assert client.get("/panels/proposal").status_code == 404


def test_panels_of_another_clinic_do_not_exist(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        elsewhere = make_clinic(session)
        make_enrolment(session, make_patient(session, elsewhere))
    sign_in(client, place.manager)

    for method, path in (
        ("GET", "/panels/"),
        ("POST", "/panels/propose"),
        ("GET", "/panels/proposal"),
        ("POST", "/panels/proposal/drop"),
        ("POST", "/panels/proposal/apply"),
    ):
        assert client.open(f"{path}?clinic={elsewhere.code}", method=method).status_code == 404


def test_callers_and_nurses_have_no_panels_page(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        nurse = make_staff(session, place.clinic, Role.NURSE, password_hash=HASH)

    for person in (place.caller, nurse):
        sign_in(client, person)
        assert client.get("/panels/").status_code == 404
        assert client.get(f"/patients/{place.patient.ref}/caller").status_code == 404
