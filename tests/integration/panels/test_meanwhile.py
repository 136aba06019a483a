"""What happens between a proposal and the press that applies it."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete
from sqlalchemy.orm import Session

from outreach.accounts.models import Language
from outreach.accounts.rules import Role
from outreach.orm import Sessions
from outreach.panels.models import CallerProfile
from outreach.patients.models import Patient
from outreach.patients.rules import Sex
from outreach.programmes.models import Enrolment
from tests.builders import (
    make_absence,
    make_clinic,
    make_enrolment,
    make_patient,
    make_staff,
)
from tests.conftest import HASH, sign_in
from tests.fakes import FakeClock
from tests.integration.panels.conftest import (
    Place,
    apply_,
    current_caller,
    keep_line,
    line_seen,
    propose,
)
from tests.integration.panels.test_pages import _line

TOMORROW = datetime(2026, 11, 24, 6, tzinfo=UTC)


def _patient_speaks_spanish(session: Session, place: Place) -> None:
    session.get_one(Patient, place.patient.id).language = "es"


def _caller_speaks_nothing(session: Session, place: Place) -> None:
    session.execute(delete(Language).where(Language.staff_id == place.caller.id))


def _caller_is_not_trained(session: Session, place: Place) -> None:
    session.get_one(CallerProfile, place.caller.id).trained_on = None


def _caller_is_away(session: Session, place: Place) -> None:
    make_absence(session, place.caller, place.clinic.id)


def _caller_leaves_tomorrow(session: Session, place: Place) -> None:
    until_at = TOMORROW + timedelta(weeks=4)
    make_absence(session, place.caller, place.clinic.id, from_at=TOMORROW, until_at=until_at)


@pytest.mark.parametrize(
    "happens",
    [
        _patient_speaks_spanish,
        _caller_speaks_nothing,
        _caller_is_not_trained,
        _caller_is_away,
        _caller_leaves_tomorrow,
    ],
)
def test_nobody_goes_to_a_caller_who_fits_no_more(
    client: FlaskClient,
    sessions: Sessions,
    place: Place,
    happens: Callable[[Session, Place], None],
) -> None:
    sign_in(client, place.manager)
    page = propose(client)
    with sessions.begin() as session:
        happens(session, place)

    answer = apply_(client, page)

    assert answer.status_code == 409
    assert "changed language" in answer.text
    assert current_caller(sessions, place.enrolment) is None


def test_a_proposal_whose_first_days_are_over_is_worked_out_again(
    client: FlaskClient, sessions: Sessions, place: Place, clock: FakeClock
) -> None:
    sign_in(client, place.manager)
    page = propose(client)
    clock.advance(timedelta(days=4))
    sign_in(client, place.manager)

    answer = apply_(client, page)

    assert answer.status_code == 409
    assert "first days are over" in answer.text
    assert current_caller(sessions, place.enrolment) is None
    assert apply_(client, propose(client)).status_code == 302
    with sessions() as session:
        assert session.get_one(Enrolment, place.enrolment.id).starts_on == date(2026, 11, 27)


def test_nobody_applies_what_they_have_not_seen(
    client: FlaskClient, app: Flask, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        iris = make_staff(session, place.clinic, name="Iris Cole")
        session.get_one(CallerProfile, iris.id).weekly_minutes = 100
        other = make_staff(session, place.clinic, Role.MANAGER, password_hash=HASH)
    sign_in(client, place.manager)
    page = propose(client)
    colleague = app.test_client()
    sign_in(colleague, other)
    keep_line(colleague, _line(colleague), caller_id=iris.id, starts_on="2026-11-30")

    answer = apply_(client, page)

    assert answer.status_code == 409
    assert "somebody changed this proposal" in answer.text
    assert "Iris Cole" in answer.text
    assert current_caller(sessions, place.enrolment) is None
    assert apply_(client, answer.text).status_code == 302
    assert current_caller(sessions, place.enrolment) == iris.id


def test_of_two_who_change_a_line_the_second_is_told(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        iris = make_staff(session, place.clinic, name="Iris Cole")
    sign_in(client, place.manager)
    propose(client)
    line = _line(client)
    seen = line_seen(client, line)
    keep_line(client, line, caller_id=iris.id, starts_on="2026-11-30")

    second = keep_line(client, line, caller_id=0, starts_on="", seen=seen)

    assert second.status_code == 422
    assert "Somebody else changed this line" in second.text
    assert apply_(client, client.get("/panels/proposal").text).status_code == 302
    assert current_caller(sessions, place.enrolment) == iris.id


@pytest.mark.parametrize("from_at", [datetime(2026, 11, 23, 6, tzinfo=UTC), TOMORROW])
def test_whoever_is_away_within_a_week_gets_nobody_new(
    client: FlaskClient, sessions: Sessions, place: Place, from_at: datetime
) -> None:
    with sessions.begin() as session:
        until_at = TOMORROW + timedelta(weeks=4)
        make_absence(session, place.caller, place.clinic.id, from_at=from_at, until_at=until_at)
    sign_in(client, place.manager)

    page = propose(client)

    assert "0 of 1 have a caller" in page
    assert "Everybody who speaks this language is away within 7 days." in page


def test_one_patient_is_not_handed_to_somebody_away_or_untrained(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        away = make_staff(session, place.clinic, name="Iris Cole")
        make_absence(session, away, place.clinic.id)
        untrained = make_staff(session, place.clinic, name="Noor Haddad")
        session.get_one(CallerProfile, untrained.id).trained_on = None
    sign_in(client, place.manager)

    page = client.get(f"/patients/{place.patient.ref}/caller").text
    forced = client.post(
        f"/patients/{place.patient.ref}/caller", data={"caller_id": str(untrained.id)}
    )

    assert "Ana Lima" in page
    assert "Iris Cole" not in page
    assert "Noor Haddad" not in page
    assert forced.status_code == 422
    assert current_caller(sessions, place.enrolment) is None


def test_what_is_said_of_a_proposal_follows_the_changes_made_to_it(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        iris = make_staff(session, place.clinic, name="Iris Cole")
        session.get_one(CallerProfile, iris.id).weekly_minutes = 600
        session.get_one(CallerProfile, iris.id).gender = Sex.MALE
        session.get_one(CallerProfile, place.caller.id).gender = Sex.FEMALE
        session.get_one(Patient, place.patient.id).wished_caller = Sex.FEMALE
    sign_in(client, place.manager)
    before = propose(client)

    keep_line(client, _line(client), caller_id=iris.id, starts_on="2026-11-30")
    after = client.get("/panels/proposal").text

    assert "Every wish of theirs is met." in before
    assert "lowest 0%, middle 2%, highest 5%" in before
    assert "Wishes not met:" in after
    assert "lowest 0%, middle 5%, highest 10%" in after
    assert "Changed by hand since: once." in after


def test_a_clinic_without_callers_is_told_nothing_about_their_hours(
    client: FlaskClient, sessions: Sessions
) -> None:
    with sessions.begin() as session:
        clinic = make_clinic(session)
        manager = make_staff(session, clinic, Role.MANAGER, password_hash=HASH)
        make_enrolment(session, make_patient(session, clinic))
    sign_in(client, manager)

    page = propose(client)

    assert "0 of 1 have a caller" in page
    assert "Nobody here speaks this language." in page
    assert "wish" not in page.partition('id="proof"')[2].partition("</ul>")[0].replace(
        "meets more wishes", ""
    )
    assert "Hours filled" not in page
