"""Patients taken away as FHIR are the same patients where they are brought in."""

import io
import json
import zipfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, event, select

from outreach.calls.rules import Outcome
from outreach.exports.models import Export
from outreach.exports.rules import Progress, Trouble
from outreach.fhir.rules.resources import OWN
from outreach.measures.models import Reading
from outreach.measures.rules import MeasureKind, ReadingSource
from outreach.orm import Sessions
from outreach.patient_list import listing
from outreach.patient_list.models import KeptSearch
from outreach.patients.models import Anonymised, Patient, PhoneNumber
from outreach.patients.rules import Cause, NumberHealth
from outreach.planning.models import PlannedCall
from outreach.visits.models import Visit
from tests.builders import make_attempt, make_clinic, make_patient, make_reading, make_staff
from tests.integration.exports.conftest import House
from tests.integration.intake.conftest import bring_in, put, rows


def taken(house: House, query: str = "") -> zipfile.ZipFile:
    assert house.ask("patients as FHIR", "zip", query) == 302
    return zipfile.ZipFile(io.BytesIO(house.taken()))


def resources(file: zipfile.ZipFile, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read(f"{name}.ndjson").decode().splitlines()]


def told_of(sessions: Sessions, clinic_id: int) -> dict[str, Any]:
    """Return all of a clinic's patients that a file of FHIR tells, and brings in again."""
    with sessions() as session:
        people = session.scalars(select(Patient).where(Patient.clinic_id == clinic_id)).all()
        return {
            person.record_number: (
                person.given_name,
                person.family_name,
                person.preferred_name,
                person.date_of_birth,
                person.sex,
                person.language,
                sorted(
                    session.scalars(
                        select(PhoneNumber.e164).where(
                            PhoneNumber.patient_id == person.id,
                            PhoneNumber.health == NumberHealth.WORKING,
                        )
                    )
                ),
                sorted(
                    (
                        reading.kind,
                        reading.value,
                        reading.taken_at,
                        reading.is_time_known,
                        str(reading.begins_on),
                        reading.is_unreliable,
                    )
                    for reading in session.scalars(
                        select(Reading).where(Reading.patient_id == person.id)
                    )
                ),
            )
            for person in people
        }


def measure(house: House) -> None:
    """Give the first of the house's patients some readings, and all of them names for an import."""
    with house.sessions.begin() as session:
        person = session.scalars(select(Patient).order_by(Patient.id)).first()
        assert person is not None
        for each in session.scalars(select(Patient)):
            # The house's look like a formula, and one is 126: no import takes them.
            each.family_name, each.date_of_birth = "Kline", date(1970, 2, 3)
        at = house.clock() - timedelta(days=3)
        for kind, value in (
            (MeasureKind.SYSTOLIC, "131"), (MeasureKind.DIASTOLIC, "84"),
            (MeasureKind.GLUCOSE, "142"), (MeasureKind.WEIGHT, "81.300"),
            (MeasureKind.GAD7_TOTAL, "8"), (MeasureKind.PAIN, "6"), (MeasureKind.EQ_VAS, "70"),
            (MeasureKind.DDS17_MEAN, "2.4"), (MeasureKind.PROMIS_MENTAL, "48.3"),
        ):  # fmt: skip
            make_reading(session, person, kind, value, taken_at=at)
        day = {"taken_at": at.replace(hour=18, minute=0), "is_time_known": False}
        make_reading(session, person, MeasureKind.PEG_MEAN, "4.3", **day)
        make_reading(session, person, MeasureKind.GMI, "7.1", begins_on=date(2026, 11, 6), **day)
        make_reading(session, person, value="11.2", taken_at=at, is_unreliable=True)


def test_what_goes_out_comes_in_the_same(house: House, tmp_path: Path) -> None:
    measure(house)
    with house.sessions.begin() as session:
        other = make_clinic(session, code="OTHER")
    file = taken(house)
    folder = tmp_path / "in"
    folder.mkdir()

    names = [name for name in file.namelist() if name.endswith(".ndjson")]
    report = bring_in(
        house.sessions, other, put(folder, *(file.read(name) for name in names)), house.clock()
    )

    assert (report.problems[:1], report.new, report.refused) == ([], 13, 0)
    there = told_of(house.sessions, other.id)
    assert there == told_of(house.sessions, house.clinic.id)
    assert len(there) == 13
    with house.sessions() as session:
        assert session.scalars(select(Visit)).all() == []  # a call is no visit
    again = bring_in(
        house.sessions, other, put(folder, *(file.read(name) for name in names)), house.clock()
    )
    assert (again.new, again.readings) == (0, 0)


def test_what_comes_back_to_its_own_clinic_changes_nothing(house: House, tmp_path: Path) -> None:
    measure(house)
    with house.sessions.begin() as session:
        person = session.scalars(select(Patient).order_by(Patient.id)).first()
        assert person is not None
        first = make_reading(session, person, value="9.9", taken_at=house.clock())
    earlier = [taken(house).read(f"{name}.ndjson") for name in ("Patient", "Observation")]
    with house.sessions.begin() as session:
        person = session.get_one(Patient, person.id)
        make_reading(
            session, person, value="8.8", taken_at=house.clock(), supersedes_id=first.id,
            reason="typing error",
        )  # fmt: skip
        session.execute(delete(Export))
    later = [taken(house).read(f"{name}.ndjson") for name in ("Patient", "Observation")]
    before = rows(house.sessions, Reading, Patient)

    for folder, contents in ((tmp_path / "earlier", earlier), (tmp_path / "later", later)):
        folder.mkdir()
        report = bring_in(house.sessions, house.clinic, put(folder, *contents), house.clock())
        assert (report.problems, report.new, report.known, report.readings) == ([], 0, 13, 0)
    assert rows(house.sessions, Reading, Patient) == before


def test_it_holds_whom_the_list_holds_and_says_what_is_in_it(house: House) -> None:
    with house.sessions.begin() as session:
        elsewhere = make_patient(session, make_clinic(session))
        make_reading(session, elsewhere)
        one = make_patient(session, house.clinic, given_name="Solo", language="es")
        first = make_reading(session, one, value="9.9")
        make_reading(session, one, value="8.8", supersedes_id=first.id, reason="typing error")
        void = make_reading(session, one, MeasureKind.PULSE, "70")
        make_reading(session, one, MeasureKind.PULSE, "70", supersedes_id=void.id, is_void=True)
    file = taken(house, "language=es")

    (patient,) = resources(file, "Patient")
    assert patient["name"][0]["given"] == ["Solo"]
    assert len(resources(file, "Observation")) == 2
    assert "Communication.ndjson" not in file.namelist()  # never called
    about = file.read("read-me-first.txt").decode()
    assert "language: es" in about
    assert OWN in about
    assert "0 final, 1 corrected, 1 entered-in-error" in about
    export = house.one()
    assert (export.progress, export.rows_total) == (Progress.READY, 3)


def test_a_reading_keeps_its_name_through_corrections_and_is_told_when_taken_back(
    house: House,
) -> None:
    with house.sessions.begin() as session:
        one = make_patient(session, house.clinic, language="es")
        plain = make_reading(session, one, MeasureKind.WEIGHT, "81")
        first = make_reading(session, one, value="9.9")
        second = make_reading(session, one, value="9.8", supersedes_id=first.id, reason="typing")
        make_reading(session, one, value="8.8", supersedes_id=second.id, reason="again")
        void = make_reading(session, one, MeasureKind.PULSE, "70")
        make_reading(session, one, MeasureKind.PULSE, "70", supersedes_id=void.id, is_void=True)
        gone = make_reading(
            session, one, MeasureKind.GLUCOSE, "142",
            source=ReadingSource.CALL, withdrawn_at=house.clock(),
        )  # fmt: skip
        ids = [f"reading-{one.ref}-{each.id}" for each in (plain, first, void, gone)]

    told = {each["id"]: each for each in resources(taken(house, "language=es"), "Observation")}

    assert sorted(told) == sorted(ids)
    values = [told[each].get("valueQuantity", {}).get("value") for each in ids]
    assert values == [81, 8.8, None, None]
    statuses = [told[each]["status"] for each in ids]
    assert statuses == ["final", "corrected", "entered-in-error", "entered-in-error"]
    assert told[ids[-1]]["issued"] == house.clock().isoformat()


def test_who_was_anonymised_is_nobody_to_other_systems(house: House) -> None:
    with house.sessions.begin() as session:
        gone = make_patient(session, house.clinic, language="es")
        make_reading(session, gone, value="9.9")
        session.add(
            Anonymised(
                patient_id=gone.id, clinic_id=gone.clinic_id,
                cause=Cause.REQUEST, at=house.clock(),
            )
        )  # fmt: skip
        stays = make_patient(session, house.clinic, language="es")
    file = taken(house, "language=es")

    (patient,) = resources(file, "Patient")
    assert patient["id"] == stays.ref
    assert "Observation.ndjson" not in file.namelist()
    about = file.read("read-me-first.txt").decode()
    assert "1 patients of the list" in about
    assert "1 of the list were anonymised and are left out" in about


def test_what_nobody_reads_is_not_asked(
    house: House, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing.everybody, "__kwdefaults__", {"size": 5})
    house.ask("patients as FHIR", "zip")
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *each: asked.append(each[2]))
    house.write()

    assert house.one().rows_total == 13 * 4  # a patient, two readings, a call
    assert [each for each in asked if "count(" in each.lower()] == []
    names = [each for each in asked if each.startswith("SELECT clinic.id, clinic.name \n")]
    assert len(names) == 1


def test_completed_calls_are_told_without_a_word_of_them(house: House) -> None:
    with house.sessions.begin() as session:
        call = session.scalars(select(PlannedCall).order_by(PlannedCall.id)).first()
        assert call is not None
        caller = make_staff(session, session.merge(house.clinic), name="Bo")
        make_attempt(session, call, caller, Outcome.COMPLETED, superseded_at=house.clock())
        make_attempt(session, call, caller, Outcome.CALL_BACK, note="secret words")
    file = taken(house)

    told = resources(file, "Communication")
    assert len(told) == 13  # one each; neither those not reached nor what was taken back
    assert {each["sender"]["display"] for each in told} == {"Ana Lima"}
    assert told[0]["payload"] == [{"contentString": "Conversation of 12 minutes"}]
    assert {each["subject"]["reference"] for each in told} == {
        f"Patient/{each['id']}" for each in resources(file, "Patient")
    }
    assert b"secret" not in b"".join(map(file.read, file.namelist()))


def test_a_search_that_is_over_has_no_file(house: House) -> None:
    words = {"text": "P03", "how": "all", "where": "names"}
    found = house.client.post("/patients/search", data=words).location.partition("?")[2]
    house.ask("patients as FHIR", "zip", found)
    with house.sessions.begin() as session:
        session.execute(delete(KeptSearch))
    house.write()

    export = house.one()
    assert (export.progress, export.trouble) == (Progress.FAILED, Trouble.SEARCH_IS_OVER.value)
