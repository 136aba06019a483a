"""A clinic with patients whom another system reads by its key, and one next door."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from flask import Flask
from openapi_core import Config, OpenAPI
from openapi_core.contrib.werkzeug import WerkzeugOpenAPIRequest, WerkzeugOpenAPIResponse
from sqlalchemy import event
from werkzeug.test import EnvironBuilder, TestResponse
from werkzeug.wrappers import Request

from outreach.access_keys import keys
from outreach.access_keys.keys import NewKey
from outreach.accounts.models import Clinic
from outreach.accounts.rules import Role
from outreach.db import db
from outreach.fhir.rules.description import MEDIA, description
from outreach.measures.rules import MeasureKind
from outreach.orm import Sessions
from outreach.patients.models import Anonymised, Patient
from outreach.patients.rules import Cause
from outreach.sealing import cipher
from tests.builders import actor_of, make_clinic, make_patient, make_reading, make_staff
from tests.fakes import MONDAY_10_CHICAGO, FakeClock

BASE = "http://localhost/fhir"
DESCRIPTION = description(BASE)
for _name, _schema in DESCRIPTION["components"]["schemas"].items():
    if _name != "CapabilityStatement":  # readers read past what is new; here it is to be described
        _schema["additionalProperties"] = False
API = OpenAPI.from_dict(
    DESCRIPTION,
    config=Config(extra_media_type_deserializers={MEDIA: lambda body, **_said: json.loads(body)}),
)


class House:
    """Two clinics; at the first three patients, a key of its Epic interface, and readings."""

    def __init__(self, app: Flask, sessions: Sessions, clock: FakeClock) -> None:
        self.app, self.sessions, self.clock = app, sessions, clock
        with sessions.begin() as session:
            self.here = make_clinic(session, code="HERE", name="Riverside")
            self.there = make_clinic(session, code="THERE")
            self.manager = make_staff(session, self.here, Role.MANAGER)
            self.caller = make_staff(session, self.here, name="Ana Lima")
            people = [
                make_patient(session, self.here, record_number=f"MRN-{number}")
                for number in (1, 2, 3)
            ]
            self.patients = people
            self.other = make_patient(session, self.there, record_number="MRN-1")
            at = MONDAY_10_CHICAGO - timedelta(days=3)
            for kind, value in (
                (MeasureKind.SYSTOLIC, "131"),
                (MeasureKind.DIASTOLIC, "84"),
                (MeasureKind.WEIGHT, "81.3"),
            ):
                make_reading(session, people[0], kind, value, taken_at=at)
            make_reading(session, people[0], taken_at=at + timedelta(days=1))
            make_reading(
                session, people[0], MeasureKind.PHQ9_TOTAL, "8",
                taken_at=at + timedelta(days=2), is_time_known=False,
            )  # fmt: skip
            make_reading(session, self.other, taken_at=at)
        self.key = self.make_key(self.here)
        self.answers: list[TestResponse] = []

    @property
    def ref(self) -> str:
        return self.patients[0].ref

    def make_key(self, clinic: Clinic, name: str = "Epic interface") -> str:
        with self.sessions.begin() as session:
            person = make_staff(session, None, Role.ADMINISTRATOR)
            why, until = "Readings into the record", date(2027, 11, 23)
            new = NewKey(clinic, name, why, until, f"form {name} {clinic.code}")
            actor = actor_of(person, None, Role.ADMINISTRATOR)
            return keys.make(session, actor, new, cipher(), now=self.clock())

    def ask(self, path: str, key: str | None = None, **options: Any) -> Any:
        """Ask by the house's key, or another; an answer is held against the description."""
        headers = {"Authorization": f"Bearer {self.key if key is None else key}"}
        headers |= options.pop("headers", {})
        answer = self.app.test_client().get(f"/fhir{path}", headers=headers, **options)
        check(f"/fhir{path}", answer)
        return answer

    def found(self, path: str) -> list[dict[str, Any]]:
        """Return the resources of all pages of a search."""
        resources: list[dict[str, Any]] = []
        address: str | None = path
        while address is not None:
            answer = self.ask(address)
            assert answer.status_code == 200, answer.text
            told = answer.json or {}
            resources += [each["resource"] for each in told.get("entry", [])]
            following = [each["url"] for each in told["link"] if each["relation"] == "next"]
            address = following[0].removeprefix(BASE) if following else None
        return resources

    @contextmanager
    def statements(self) -> Iterator[list[str]]:
        """Collect what the app asks its database."""
        with self.app.app_context():
            engine = db.engine
        asked: list[str] = []

        def listen(*arguments: Any) -> None:
            asked.append(arguments[2])

        event.listen(engine, "before_cursor_execute", listen)
        yield asked
        event.remove(engine, "before_cursor_execute", listen)

    def anonymise(self, patient: Patient) -> None:
        with self.sessions.begin() as session:
            session.add(
                Anonymised(
                    patient_id=patient.id, clinic_id=patient.clinic_id,
                    cause=next(iter(Cause)), at=self.clock(),
                )
            )  # fmt: skip


def check(path: str, answer: TestResponse) -> None:
    """Hold an answer against our description of the API, and its resource against FHIR's models."""
    told = answer.json
    assert told is not None, answer.text
    if path.endswith("openapi.json"):
        return
    assert answer.mimetype == "application/fhir+json"
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"
    model = get_fhir_model_class(told["resourceType"])
    model.model_validate(told)
    known = DESCRIPTION["paths"]
    kind = path.removeprefix("/fhir").partition("?")[0].split("/")[1]
    if f"/{kind}" in known and answer.status_code != 405:
        request = Request(EnvironBuilder(path, "http://localhost").get_environ())
        errors = API.iter_response_errors(
            WerkzeugOpenAPIRequest(request), WerkzeugOpenAPIResponse(answer)
        )
        assert [repr(each.__cause__) for each in errors] == []


@pytest.fixture
def house(app: Flask, sessions: Sessions, clock: FakeClock) -> House:
    return House(app, sessions, clock)
