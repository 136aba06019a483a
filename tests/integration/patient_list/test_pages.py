"""The page: whose patients, by which address, searched without a name in it."""

from datetime import timedelta

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from outreach.accounts.rules import Role
from outreach.audit.models import AuditEvent
from outreach.db import db
from outreach.orm import Sessions
from outreach.patient_list import searches
from outreach.patient_list.models import KeptSearch, SavedList
from outreach.planning.rules import CallStatus
from outreach.programmes.rules import EnrolmentStatus
from tests.builders import (
    make_attempt,
    make_clinic,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_reading,
    make_staff,
)
from tests.conftest import HASH, sign_in
from tests.counting import statements
from tests.fakes import FakeClock
from tests.integration.patient_list.conftest import NOW, Place


def look(client: FlaskClient, text: str, **more: str) -> str:
    data = {"text": text, "how": "all", "where": "names", **more}
    return client.post("/patients/search", data=data, follow_redirects=True).text


def test_managers_see_their_clinic_and_callers_their_own_panel(
    client: FlaskClient, place: Place
) -> None:
    sign_in(client, place.manager)
    managed = client.get("/patients/").text
    sign_in(client, place.caller)
    own = client.get("/patients/").text

    assert "Mia Mine" in managed
    assert "Theo Theirs" in managed
    assert "Faraway" not in managed
    assert "2 patients" in managed
    assert "Mia Mine" in own
    assert "Theirs" not in own


def test_three_choices_list_who_needs_it_and_keep_their_values(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        patient = make_patient(session, place.clinic, given_name="Hal", family_name="High")
        begins = NOW.date() - timedelta(days=60)
        make_enrolment(session, patient, caller=place.caller, starts_on=begins)
        make_reading(session, patient, value="10.2")
    sign_in(client, place.manager)

    page = client.get("/patients/?hba1c_over=9&silent_days=30").text

    assert "Hal High" in page
    assert "Theo Theirs" not in page
    assert "1 of 3 patients" in page
    assert 'value="9"' in page
    assert 'value="30"' in page
    assert "HbA1c over 9 %" in page
    assert 'href="/patients/?silent_days=30"' in page


def test_an_empty_list_says_what_to_take_away(client: FlaskClient, place: Place) -> None:
    sign_in(client, place.manager)

    page = client.get("/patients/?hba1c_over=9&standing=died").text

    assert "Nobody meets all of this" in page
    assert 'href="/patients/?hba1c_over=9"' in page


def test_what_cannot_be_read_lists_nobody_and_says_so(client: FlaskClient, place: Place) -> None:
    sign_in(client, place.manager)

    for wrong in ("hba1c_over=high", "hba1c_over=NaN", "silent_days=0", "enrolled_from=soon",
                  "silent_days=99999999999"):  # fmt: skip
        page = client.get(f"/patients/?{wrong}").text

        assert "Nothing is listed until this is mended" in page, wrong
        assert "Mia Mine" not in page


def test_words_that_mean_nothing_set_nothing(client: FlaskClient, place: Place) -> None:
    sign_in(client, place.manager)

    for odd in ("standing=x", "caller=x", "caller=99999999999", "sort=id;DROP", "columns=x",
                "phq9=x", "number=x", "after=nobody", "before=nobody", "found=nothing", "page=2",
                "show=waiting", "clinic=NOWHERE", "phase=x"):  # fmt: skip
        page = client.get(f"/patients/?{odd}")

        assert page.status_code == 200, odd
        assert "Mia Mine" in page.text, odd


def test_columns_and_order_travel_in_the_address(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        patient = make_patient(session, place.clinic, given_name="Hal", family_name="Zigh")
        make_enrolment(session, patient, caller=place.caller)
        make_reading(session, patient, value="10.2")
    sign_in(client, place.manager)

    page = client.get("/patients/?columns=phase&columns=hba1c&columns=texts&sort=hba1c").text

    assert page.index("Hal Zigh") < page.index("Mia Mine")
    assert 'data-label="Phase"' in page
    assert 'data-label="Texts"' in page
    assert 'data-label="Age"' not in page
    assert 'aria-sort="descending"' in page
    assert "backwards=1" in page


def test_a_search_never_leaves_the_scope_and_stays_in_its_box(
    client: FlaskClient, place: Place
) -> None:
    sign_in(client, place.caller)

    found = look(client, "MI")
    outside = look(client, "Theo")

    assert "Mia Mine" in found
    assert 'value="MI"' in found
    assert "Nobody found" in outside
    assert "Theirs" not in outside


def test_no_address_carries_what_was_searched_for(client: FlaskClient, place: Place) -> None:
    sign_in(client, place.manager)

    answer = client.post(
        "/patients/search", data={"text": "Mia", "how": "all", "where": "names",
                                  "query": "standing=open&sort=hba1c&after=x"},
    )  # fmt: skip

    assert answer.status_code == 302
    assert "Mia" not in answer.location
    assert "standing=open" in answer.location
    assert "sort=hba1c" in answer.location
    page = client.get(answer.location).text
    assert "Mia Mine" in page
    assert "Theo" not in page
    assert "Mia" not in "".join(part.split('"')[0] for part in page.split('href="/patients/?')[1:])
    assert "Theo Theirs" in client.get("/patients/?text=Mia").text


def test_a_search_is_noted_with_its_hits_and_without_its_words(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    sign_in(client, place.manager)

    look(client, "mine theirs", how="either")
    look(client, "depressed", where="notes")

    with sessions() as session:
        events = session.scalars(
            select(AuditEvent).where(AuditEvent.action.startswith("searched"))
        ).all()
    noted = [(each.action, each.object_kind, each.object_id) for each in events]
    assert noted == [
        ("searched patients", "patients found", 2),
        ("searched patients and notes", "patients found", 0),
    ]


def test_notes_of_ones_own_panel_are_found_and_of_no_other(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        for caller, name in ((place.caller, "Own"), (make_staff(session, place.clinic), "Other")):
            patient = make_patient(session, place.clinic, given_name=name, family_name="Zed")
            enrolment = make_enrolment(session, patient, caller=caller)
            planned = make_planned_call(session, enrolment, status=CallStatus.COMPLETED)
            make_attempt(session, planned, caller, note="Felt dizzy after the walk")
    sign_in(client, place.caller)

    page = look(client, '"dizzy after"', where="notes")

    assert "Own Zed" in page
    assert "Other Zed" not in page
    assert "Nobody found" in look(client, "dizzy")


def test_a_search_of_somebody_else_or_of_yesterday_is_typed_again(
    client: FlaskClient, sessions: Sessions, place: Place, clock: FakeClock
) -> None:
    with sessions.begin() as session:
        theirs = searches.keep(
            session, place.caller.id, "Mia", is_either=False, has_notes=False, now=NOW
        ).token
    sign_in(client, place.manager)

    page = client.get(f"/patients/?found={theirs}").text

    assert "Type it again" in page
    assert "Theo Theirs" in page
    assert searches.forget_old(sessions, now=NOW + timedelta(hours=23)) == 0
    assert searches.forget_old(sessions, now=NOW + timedelta(hours=24)) == 1
    with sessions() as session:
        assert session.scalars(select(KeptSearch)).all() == []


def test_an_empty_search_is_none(client: FlaskClient, place: Place, sessions: Sessions) -> None:
    sign_in(client, place.manager)

    assert "Theo Theirs" in look(client, "  ")
    assert "Theo Theirs" in look(client, "😀 --")
    assert client.post("/patients/search", data={}).status_code == 302
    assert client.post("/patients/search", data={"text": "x" * 10_000}).status_code == 302


def test_a_list_is_kept_shared_and_deleted(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    sign_in(client, place.manager)
    kept = {"name": "High and silent", "query": "hba1c_over=9&silent_days=30&sort=reached"}

    client.post("/patients/lists", data={**kept, "shared": place.clinic.code})
    client.post("/patients/lists", data={"name": "Own one", "query": "standing=open", "shared": ""})
    own = client.get("/patients/").text
    sign_in(client, place.caller)
    theirs = client.get("/patients/").text
    with sessions() as session:
        lists = session.scalars(select(SavedList).order_by(SavedList.id)).all()
    refused = client.post(f"/patients/lists/{lists[0].id}/delete")

    address = 'href="/patients/?hba1c_over=9&amp;silent_days=30&amp;sort=reached"'
    assert address in own
    assert "Own one</a>" in own
    assert address in theirs
    assert "Own one</a>" not in theirs
    assert refused.status_code == 404

    sign_in(client, place.manager)
    client.post("/patients/lists", data={**kept, "query": "silent_days=9", "shared": ""})
    assert 'href="/patients/?silent_days=9"' in client.get("/patients/").text
    client.post(f"/patients/lists/{lists[0].id}/delete")
    assert "High and silent</a>" not in client.get("/patients/").text


def test_a_list_without_a_name_or_for_another_clinic_is_not_kept(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    sign_in(client, place.manager)

    nameless = client.post("/patients/lists", data={"name": " ", "query": "sort=hba1c"})
    client.post("/patients/lists", data={"name": "A", "shared": place.elsewhere.code, "query": ""})

    assert nameless.status_code == 422
    assert "Give the list a name" in nameless.text
    with sessions() as session:
        assert [each.clinic_id for each in session.scalars(select(SavedList))] == [None]


def test_50_a_page_in_as_many_statements_as_for_two(
    app: Flask, client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    sign_in(client, place.manager)

    def seen(url: str) -> tuple[int, str]:
        with app.app_context(), statements(db.engine) as sent:
            text = client.get(url).text
        return len(sent), text

    few, _page = seen("/patients/")
    with sessions.begin() as session:
        for _each in range(60):
            patient = make_patient(session, place.clinic, family_name="Zed")
            enrolment = make_enrolment(session, patient, caller=place.caller)
            make_planned_call(session, enrolment)
            make_reading(session, patient)
    many, first = seen("/patients/")
    further = first.split('rel="next" href="')[1].split('"')[0]
    _count, second = seen(further)
    earlier = second.split('rel="prev" href="')[1].split('"')[0]
    _count, again = seen(earlier)

    assert many == few
    assert first.count("patients__who") == 50
    assert second.count("patients__who") == 12
    assert 'rel="next"' not in second
    assert again.count("patients__who") == 50
    assert 'rel="prev"' not in again
    assert "OFFSET" not in further


def test_an_administrator_sees_which_clinic(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        admin = make_staff(session, None, Role.ADMINISTRATOR, password_hash=HASH)
    sign_in(client, admin)

    page = client.get("/patients/").text
    one = client.get(f"/patients/?clinic={place.elsewhere.code}").text

    assert "Fay Faraway" in page
    assert place.elsewhere.name in page
    assert "Fay Faraway" in one
    assert "Mia Mine" not in one


def test_a_line_says_where_a_patient_stands(
    client: FlaskClient, sessions: Sessions, place: Place
) -> None:
    with sessions.begin() as session:
        patient = make_patient(session, place.clinic, given_name="Ada", family_name="Aaron")
        make_enrolment(session, patient, status=EnrolmentStatus.WITHDRAWN)
        begins = NOW.date() - timedelta(days=8)
        enrolment = make_enrolment(session, patient, caller=place.caller, starts_on=begins)
        past = make_planned_call(session, enrolment, status=CallStatus.COMPLETED)
        make_attempt(session, past, place.caller, at=NOW - timedelta(days=2))
        make_reading(session, patient, value="8.1", taken_at=NOW - timedelta(days=9))
    sign_in(client, place.manager)

    page = client.get("/patients/?sort=reached&backwards=1").text
    row = page[page.index("Ada Aaron") :].split("</tr>")[0]

    assert "week 2" in row
    assert "Ana Lima" in row
    assert "2 days ago" in row
    assert "8.1 %" in row
    assert page.index("Ada Aaron") < page.index("Mia Mine")


def test_clinics_of_nobody_are_no_way_in(client: FlaskClient, sessions: Sessions) -> None:
    with sessions.begin() as session:
        person = make_staff(session, make_clinic(session), Role.NURSE, password_hash=HASH)
    sign_in(client, person)

    assert "No patients here yet" in client.get("/patients/").text
