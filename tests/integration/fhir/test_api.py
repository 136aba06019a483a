"""The API that other systems read: what it tells, to whom, and what it refuses."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from outreach.access_keys.models import AccessKey
from outreach.access_keys.rules import MOST_A_MINUTE
from outreach.accounts.rules import Role
from outreach.audit.models import AuditEvent
from outreach.calls.rules import Outcome
from outreach.measures.rules import MeasureKind
from tests.builders import (
    make_attempt,
    make_enrolment,
    make_patient,
    make_planned_call,
    make_reading,
    make_staff,
)
from tests.conftest import HASH, sign_in
from tests.integration.fhir.conftest import House


def issue(answer: Any) -> str:
    return str(answer.json["issue"][0]["code"])


def noted(house: House) -> list[tuple[str, str, int | None]]:
    with house.sessions() as session:
        rows = session.execute(
            select(AuditEvent.action, AuditEvent.object_kind, AuditEvent.patient_id)
            .where(AuditEvent.object_kind.startswith("fhir."))
            .order_by(AuditEvent.id)
        ).all()
    return [(row[0], row[1], row[2]) for row in rows]


def test_what_it_can_do_is_told_to_all(house: House) -> None:
    told = house.ask("/metadata", key="").json

    assert told["fhirVersion"] == "4.0.1"
    kinds = [each["type"] for each in told["rest"][0]["resource"]]
    assert kinds == ["Patient", "Observation", "Communication"]


def test_every_other_route_needs_a_key(app: Flask, house: House) -> None:
    without = {
        endpoint
        for endpoint, view in app.view_functions.items()
        if endpoint.startswith("fhir.") and not getattr(view, "needs_key", False)
    }
    assert without == {"fhir.capabilities", "fhir.description", "fhir.nothing"}
    for path in ("/Patient", f"/Patient/{house.ref}", f"/Observation?patient={house.ref}"):
        answer = house.ask(path, key="")
        assert (answer.status_code, issue(answer)) == (401, "login")
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="outreach"'
    assert noted(house) == []


def test_a_session_opens_nothing(app: Flask, house: House) -> None:
    with house.sessions.begin() as session:
        person = make_staff(session, None, Role.ADMINISTRATOR, password_hash=HASH)
    client = app.test_client()
    sign_in(client, person)

    assert client.get(f"/fhir/Patient/{house.ref}").status_code == 401


@pytest.mark.parametrize(
    "sent",
    ["Bearer", "Bearer outreach-00000000-" + "x" * 43, "Basic eDp5", "Bearer ü", "Bearer a b"],
)
def test_what_is_no_key_opens_nothing(house: House, sent: str) -> None:
    assert house.ask("/Patient", headers={"Authorization": sent}).status_code == 401


def test_patients_of_the_keys_clinic_are_listed_a_page_at_a_time(house: House) -> None:
    first = house.ask("/Patient?_count=2").json
    assert [each["relation"] for each in first["link"]] == ["self", "next"]

    found = house.found("/Patient?_count=2")
    assert [each["id"] for each in found] == [each.ref for each in house.patients]
    assert found[0]["identifier"][0]["assigner"] == {"display": "Riverside"}


@pytest.mark.parametrize("query", ["identifier=MRN-2", "identifier=%7CMRN-2", "_id={ref}"])
def test_a_patient_is_found_by_record_number_or_id(house: House, query: str) -> None:
    ref = house.patients[1].ref
    found = house.found(f"/Patient?{query.format(ref=ref)}")

    assert [each["id"] for each in found] == [ref]
    assert noted(house) == [("looked at", "fhir.Patient", house.patients[1].id)]


def test_who_is_not_there_is_not_found_and_not_noted(house: House) -> None:
    for query in ("identifier=MRN-9", "identifier=urn:x%7CMRN-1", f"_id={house.other.ref}"):
        assert house.found(f"/Patient?{query}") == []
    assert house.found(f"/Observation?patient={house.other.ref}") == []
    assert noted(house) == []


def test_one_patient_is_read(house: House) -> None:
    answer = house.ask(f"/Patient/{house.ref}")

    assert answer.json["id"] == house.ref
    assert noted(house) == [("looked at", "fhir.Patient", house.patients[0].id)]


def test_records_of_another_clinic_do_not_exist(house: House) -> None:
    there = house.make_key(house.there)
    (own,) = house.ask(f"/Observation?patient={house.other.ref}", there).json["entry"]
    observation = own["resource"]["id"]
    assert house.ask(f"/Observation/{observation}", there).status_code == 200

    for path in (f"/Patient/{house.other.ref}", f"/Observation/{observation}"):
        answer = house.ask(path)
        assert (answer.status_code, issue(answer)) == (404, "not-found")


@pytest.mark.parametrize(
    "path",
    [
        "/Patient/nobody", "/Patient/a%20b", "/Observation/x", "/Observation/reading-x-1",
        "/Observation/reading-{ref}-99999999999", "/Observation/reading-{ref}-9999999999",
        "/Observation/reading-{ref}-1000", "/Communication/call-1", "/Communication/1",
        "/Communication/call-9999999999", "/Encounter", "/Encounter/1", "/Patient/{ref}/_history",
        "/Patient/{ref}/", "/", "",
    ],
)  # fmt: skip
def test_what_is_not_there_is_404_in_the_standards_words(house: House, path: str) -> None:
    answer = house.app.test_client().get(
        f"/fhir{path.format(ref=house.ref)}", headers={"Authorization": f"Bearer {house.key}"},
        follow_redirects=True,
    )  # fmt: skip

    assert (answer.status_code, issue(answer)) == (404, "not-found")


def test_anonymised_people_are_nobody(house: House) -> None:
    gone = house.patients[0]
    observation = house.found(f"/Observation?patient={gone.ref}")[0]["id"]
    house.anonymise(gone)

    assert [each["id"] for each in house.found("/Patient")] == [
        each.ref for each in house.patients[1:]
    ]
    assert house.found(f"/Patient?_id={gone.ref}") == []
    assert house.found(f"/Observation?patient={gone.ref}") == []
    assert house.ask(f"/Patient/{gone.ref}").status_code == 404
    assert house.ask(f"/Observation/{observation}").status_code == 404
    after = house.found(f"/Patient?_after={gone.ref}")
    assert [each["id"] for each in after] == [each.ref for each in house.patients[1:]]


def codes(resources: list[dict[str, Any]]) -> list[str]:
    return [each["code"]["coding"][0]["code"] for each in resources]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 50])
def test_observations_are_the_same_in_pages_of_any_size(house: House, count: int) -> None:
    found = house.found(f"/Observation?patient=Patient/{house.ref}&_count={count}")

    assert codes(found) == ["85354-9", "29463-7", "4548-4", "44261-6"]
    assert [each["code"]["coding"][0]["code"] for each in found[0]["component"]] == [
        "8480-6",
        "8462-4",
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("code=4548-4", ["4548-4"]),
        ("code=http://loinc.org%7C4548-4,44261-6", ["4548-4", "44261-6"]),
        ("code=85354-9", ["85354-9"]),
        ("code=8480-6", []),  # it stands in the panel
        ("code=urn:other%7C4548-4", []),
        ("code=nothing", []),
        ("date=ge2026-11-21", ["4548-4", "44261-6"]),
        ("date=2026-11-20", ["85354-9", "29463-7"]),
        ("date=gt2026-11-20&date=lt2026-11-22", ["4548-4"]),
        ("date=le2026-11-20T10:00:00-06:00", ["85354-9", "29463-7"]),
        ("date=lt2026-11-20T16:00:00Z", []),
        ("date=2026-11", ["85354-9", "29463-7", "4548-4", "44261-6"]),
        ("date=2026-11-22", ["44261-6"]),
        ("date=ge2026-11-22T23:00:00Z", ["44261-6"]),  # only the day is known
        ("date=lt2026-11-22", ["85354-9", "29463-7", "4548-4"]),
        ("date=2025", []),
    ],
)
def test_observations_are_found_by_code_and_date(
    house: House, query: str, expected: list[str]
) -> None:
    for count in (1, 50):
        found = house.found(f"/Observation?patient={house.ref}&{query}&_count={count}")
        assert codes(found) == expected


def test_each_observation_is_read_by_its_id(house: House) -> None:
    for each in house.found(f"/Observation?patient={house.ref}"):
        assert house.ask(f"/Observation/{each['id']}").json == each


def test_a_corrected_reading_keeps_its_id_and_has_the_value_that_counts(house: House) -> None:
    with house.sessions.begin() as session:
        first = make_reading(session, house.patients[1], value="8.1")
        make_reading(
            session, house.patients[1], value="9.1", supersedes_id=first.id,
            taken_at=first.taken_at - timedelta(days=1),
        )  # fmt: skip
    (found,) = house.found(f"/Observation?patient={house.patients[1].ref}")

    assert found["id"].endswith(f"-{first.id}")
    assert (found["status"], found["valueQuantity"]["value"]) == ("corrected", 9.1)
    assert house.ask(f"/Observation/{found['id']}").json == found


def test_completed_calls_are_told_without_a_word_of_them(house: House) -> None:
    with house.sessions.begin() as session:
        planned = make_planned_call(session, make_enrolment(session, house.patients[0]))
        calls = [
            make_attempt(session, planned, house.caller, outcome, note="secret", at=house.clock())
            for outcome in (Outcome.NO_ANSWER, Outcome.COMPLETED, Outcome.COMPLETED)
        ]
    ids = [f"call-{each.id}" for each in calls[1:]]

    for count in (1, 50):
        found = house.found(f"/Communication?patient={house.ref}&_count={count}")
        assert [each["id"] for each in found] == ids
    assert "secret" not in str(found)
    assert house.ask(f"/Communication/{ids[0]}").json == found[0]
    assert house.ask(f"/Communication/call-{calls[0].id}").status_code == 404
    assert house.ask(f"/Communication/{ids[0]}", house.make_key(house.there)).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/Patient?name=Rosa", "/Patient?identifier:exact=MRN-1", "/Patient?_count=0",
        "/Patient?_count=101", "/Patient?_count=ten", "/Patient?_count=1&_count=2",
        "/Patient?_id=a&_id=b", "/Patient?_id=", "/Patient?_id=" + "a" * 201,
        "/Patient?_after=nobody", "/Patient?_format=xml", "/Patient?_sort=name",
        "/Observation", "/Observation?code=4548-4", "/Observation?patient={ref}&date=ne2026",
        "/Observation?patient={ref}&date=2026-02-30", "/Observation?patient={ref}&date=9999",
        "/Observation?patient={ref}&date=ge2026-01-01T10:00:00%2B99:00",
        "/Observation?patient={ref}&code=,", "/Observation?patient={ref}&_after=x",
        "/Observation?patient={ref}&code=" + ",".join(["1"] * 51),
        "/Communication?patient={ref}&date=2026", "/Patient/{ref}?_elements=name",
        "/metadata?mode=full", "/Patient?identifier=%00", "/Observation?patient={ref}&_after=1.x",
    ],
)  # fmt: skip
def test_what_is_not_understood_is_refused_and_said(house: House, path: str) -> None:
    answer = house.ask(path.format(ref=house.ref))

    assert (answer.status_code, issue(answer)) == (400, "invalid")
    assert noted(house) == []


def test_a_page_far_in_the_past_or_future_is_empty_or_first(house: House) -> None:
    for cursor in ("9999999999999999.9999999999", "-9999999999999999.0"):
        found = house.ask(f"/Observation?patient={house.ref}&_after={cursor}")
        calls = house.ask(f"/Communication?patient={house.ref}&_after={cursor}")
        assert (found.status_code, calls.status_code) == (200, 200)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_can_be_changed(app: Flask, house: House, method: str) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    for path in ("/fhir/Patient", f"/fhir/Patient/{house.ref}", "/fhir/metadata"):
        answer = app.test_client().open(path, method=method)
        assert (answer.status_code, issue(answer)) == (405, "not-supported")
        assert answer.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/fhir+json; fhirVersion=4.0", 200),
        ("text/html,application/xhtml+xml,*/*;q=0.8", 200),
        ("application/fhir+xml", 406),
        ("text/html", 406),
    ],
)
def test_only_json_is_spoken(house: House, accept: str, status: int) -> None:
    assert house.ask("/Patient", headers={"Accept": accept}).status_code == status


def test_a_key_asks_so_often_a_minute_and_another_is_not_kept_waiting(house: House) -> None:
    other = house.make_key(house.here, "Reporting")
    house.ask("/Patient")
    with house.sessions.begin() as session:
        row = session.scalars(select(AccessKey).where(AccessKey.name == "Epic interface")).one()
        row.minute_count = MOST_A_MINUTE - 1
    house.clock.advance(timedelta(seconds=20))

    assert house.ask("/Patient").status_code == 200
    answer = house.ask("/Patient")
    assert (answer.status_code, issue(answer)) == (429, "throttled")
    assert answer.headers["Retry-After"] == "40"
    assert house.ask("/Patient", other).status_code == 200
    house.clock.advance(timedelta(seconds=40))
    assert house.ask("/Patient").status_code == 200


def test_an_address_that_sends_wrong_keys_waits_and_a_right_one_does_not(house: House) -> None:
    for _time in range(7):
        assert house.app.test_client().get("/fhir/Patient").status_code == 401  # guesses nothing
    answers = [house.ask("/Patient", key="wrong") for _time in range(6)]

    assert [each.status_code for each in answers] == [401] * 5 + [429]
    assert int(answers[-1].headers["Retry-After"]) == 5
    assert house.ask("/Patient").status_code == 200
    answer = house.app.test_client().post(
        "/sign-in", data={"email": "nobody@example.org", "password": "x"}
    )
    assert answer.status_code == 422  # a refusal as any other, no wait


def test_what_can_t_be_noted_is_not_told(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object, **_named: object) -> None:
        raise RuntimeError("no room")

    monkeypatch.setattr("outreach.oversight.looks.note_by_key", fail)
    house.app.testing = False
    answer = house.app.test_client().get(
        f"/fhir/Patient/{house.ref}", headers={"Authorization": f"Bearer {house.key}"}
    )

    assert (answer.status_code, issue(answer)) == (500, "exception")
    assert "Rosa" not in answer.text


def test_as_many_statements_for_many_as_for_few(house: House) -> None:
    paths = ("/Patient?_count=100", f"/Observation?patient={house.ref}", f"/Patient/{house.ref}")
    before = []
    for path in paths:
        with house.statements() as asked:
            house.ask(path)
        before.append(len(asked))
    with house.sessions.begin() as session:
        patient = house.patients[0]
        for number in range(40):
            make_patient(session, house.here)
            make_reading(
                session, patient, MeasureKind.GLUCOSE, "140",
                taken_at=house.clock() - timedelta(hours=number),
            )  # fmt: skip
    for path, count in zip(paths, before, strict=True):
        with house.statements() as asked:
            house.ask(path)
        assert len(asked) == count, asked
    assert max(before) <= 20
