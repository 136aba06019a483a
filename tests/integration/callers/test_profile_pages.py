"""Who callers are and when they work: for managers to keep, for themselves to read."""

from datetime import date, time
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from outreach.accounts.models import Language
from outreach.accounts.rules import Role
from outreach.db import db
from outreach.orm import Sessions
from outreach.panels.models import CallerProfile, Shift
from outreach.patients.rules import Sex
from tests.builders import (
    make_absence,
    make_clinic,
    make_cover,
    make_enrolment,
    make_patient,
    make_staff,
)
from tests.conftest import HASH, sign_in
from tests.counting import statements
from tests.integration.callers.conftest import Place

ANSWERS: dict[str, Any] = {
    "languages": ["en", "vi"],
    "gender": "female",
    "panel_cap": "12",
    "weekly_hours": "7.5",
    "trained_on": "2026-12-01",
    "shift_0": "9-12, 13:00-17:00",
    "shift_4": "1-5pm",
}


def test_keeps_what_a_manager_writes(client: FlaskClient, sessions: Sessions, place: Place) -> None:
    sign_in(client, place.manager)

    answer = client.post(f"/callers/{place.ben.id}/edit", data=ANSWERS)
    page = client.get(f"/callers/{place.ben.id}").text

    assert answer.status_code == 302
    with sessions() as session:
        kept = session.get_one(CallerProfile, place.ben.id)
        assert (kept.panel_cap, kept.weekly_minutes, kept.gender) == (12, 450, Sex.FEMALE)
        assert kept.trained_on == date(2026, 12, 1)
        spoken = select(Language.language).where(Language.staff_id == place.ben.id)
        assert set(session.scalars(spoken)) == {"en", "vi"}
        shifts = session.scalars(
            select(Shift).where(Shift.staff_id == place.ben.id).order_by(Shift.weekday)
        ).all()
        assert [(each.weekday, each.begins, each.ends) for each in shifts] == [
            (0, time(9), time(12)),
            (0, time(13), time(17)),
            (4, time(13), time(17)),
        ]
    for words in ("7.5 a week", "Vietnamese", "complete on Dec 1, 2026", "11 hours a week"):
        assert words in page
    assert 'value="9:00-12:00, 13:00-17:00"' in client.get(f"/callers/{place.ben.id}/edit").text


def test_patients_of_a_language_that_is_taken_away_are_told(
    client: FlaskClient, place: Place
) -> None:
    sign_in(client, place.manager)

    taken = client.post(f"/callers/{place.ana.id}/edit", data=ANSWERS, follow_redirects=True)
    given = client.post(
        f"/callers/{place.ana.id}/edit", data=ANSWERS | {"languages": ["en", "es"]},
        follow_redirects=True,
    )  # fmt: skip

    assert "1 patient on their panel speaks another language" in taken.text
    assert "another language" not in given.text


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"shift_0": "9-12, 11-13"}, "These hours overlap"),
        ({"shift_2": "late"}, "Write from when to when"),
        ({"shift_2": "17-9"}, "Write the earlier time first"),
        ({"languages": []}, "Choose at least one language."),
        ({"languages": ["xx"]}, "xx"),
        ({"panel_cap": "-1"}, "from 0 to 200"),
        ({"weekly_hours": "61"}, "from 0 to 60"),
        ({"weekly_hours": "NaN"}, "from 0 to 60"),
    ],
)
def test_refuses_what_makes_no_sense_and_keeps_what_was_typed(
    client: FlaskClient, sessions: Sessions, place: Place, changed: dict[str, Any], words: str
) -> None:
    sign_in(client, place.manager)

    answer = client.post(f"/callers/{place.ben.id}/edit", data=ANSWERS | changed)

    assert answer.status_code == 422
    assert words in answer.text
    with sessions() as session:
        assert session.get_one(CallerProfile, place.ben.id).panel_cap == 20


def test_lists_the_callers_of_a_clinic_with_who_is_away(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        make_absence(session, place.ana, place.clinic.id)
        session.get_one(CallerProfile, place.ben.id).trained_on = None
    sign_in(client, place.manager)

    page = client.get("/callers/").text

    assert page.count("/callers/") > 3
    for words in ("Ana Lima", "Ben Ode", "Carla Diaz", "away now", "not complete"):
        assert words in page


def test_a_caller_reads_their_own_page_and_nobody_elses(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        absence = make_absence(session, place.ana, place.clinic.id, reason="Surgery")
        make_cover(session, absence, place.rosas, place.carla)
    sign_in(client, place.ana)

    own = client.get("/callers/me").text

    for words in ("Rosa Avila", "Sam Brook", "Carla Diaz", "not covered"):
        assert words in own
    for words in ("Enter an absence", "Back today", "This caller leaves", "/edit"):
        assert words not in own
    assert client.get(f"/callers/{place.ana.id}").status_code == 200
    assert client.get(f"/callers/{place.ben.id}").status_code == 404
    for path in ("/edit", "/absences", "/leave"):
        assert client.get(f"/callers/{place.ana.id}{path}").status_code == 404
    assert client.post(f"/callers/absences/{absence.id}/end").status_code == 404
    assert client.get("/callers/").status_code == 404


def test_a_stand_in_reads_whom_they_cover_and_when(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        absence = make_absence(session, place.ana, place.clinic.id)
        make_cover(session, absence, place.rosas, place.carla)
    sign_in(client, place.carla)

    page = client.get("/callers/me").text

    assert "Stands in for others" in page
    assert "Rosa Avila" in page
    assert "for Ana Lima" in page


def test_a_manager_sees_of_a_caller_only_what_is_of_their_clinic(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        elsewhere = make_clinic(session)
        patient = make_patient(session, elsewhere, family_name="Elsewhere")
        make_enrolment(session, patient, caller=place.ana)
        make_absence(session, place.ana, elsewhere.id, reason="Their own business")
    sign_in(client, place.manager)

    page = client.get(f"/callers/{place.ana.id}").text

    assert "Avila" in page
    assert "Elsewhere" not in page
    assert "Their own business" not in page


def test_nurses_have_no_business_here(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        nurse = make_staff(session, place.clinic, Role.NURSE, password_hash=HASH)
    sign_in(client, nurse)

    assert client.get("/callers/").status_code == 404
    assert client.get(f"/callers/{place.ana.id}").status_code == 404


def test_asks_the_database_as_often_for_many_patients_as_for_few(
    app: Flask, client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    sign_in(client, place.manager)
    paths = [f"/callers/{place.ana.id}", f"/callers/{place.ana.id}/leave", "/callers/"]
    with app.app_context():
        engine = db.engine

    def count(path: str) -> int:
        with statements(engine) as seen:
            assert client.get(path).status_code == 200
        return len(seen)

    few = [count(path) for path in paths]
    with sessions.begin() as session:
        for _each in range(8):
            make_enrolment(session, make_patient(session, place.clinic), caller=place.ana)
        make_staff(session, place.clinic)

    assert [count(path) for path in paths] == few
