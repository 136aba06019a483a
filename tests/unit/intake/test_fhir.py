"""FHIR resources as values."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.intake import fhir
from outreach.intake.files import json_object
from outreach.intake.rules import Absent, Incoming, PassedOver
from outreach.measures.rules import REGISTRY, MeasureKind
from outreach.measures.rules.outside import OWN_CODES
from outreach.patients.rules import Sex
from tests.unit.intake.builders import (
    FRAME,
    a_person,
    a_pressure,
    an_observation,
    as_ndjson,
    notes_in,
    patients_in,
    problems_in,
    read_bundle,
    readings_in,
)


def test_a_patient_comes_in_by_their_medical_record_number() -> None:
    (patient,) = patients_in(read_bundle(a_person()))

    assert patient.record_number == "MR-p1"
    assert (patient.given_name, patient.family_name) == ("Ervin Lee", "Cummings")
    assert patient.date_of_birth == date(1942, 11, 9)
    assert patient.sex is Sex.MALE
    assert patient.phones == ("+15125550147",)
    assert (patient.language, patient.zone) == ("en", FRAME.zone)
    assert patient.external_ids == ("p1",)
    assert patient.enrolled_on is None


def test_without_a_record_number_the_resources_id_counts() -> None:
    (patient,) = patients_in(read_bundle(a_person(identifier=[])))

    assert patient.record_number == "p1"


def test_the_usual_name_is_what_a_patient_goes_by() -> None:
    names = [
        {"use": "maiden", "family": "Old", "given": ["X"]},
        {"use": "usual", "given": ["Erv"]},
        {"use": "official", "family": "Cummings", "given": ["Ervin"]},
    ]

    (patient,) = patients_in(read_bundle(a_person(name=names)))

    assert (patient.given_name, patient.family_name, patient.preferred_name) == (
        "Ervin",
        "Cummings",
        "Erv",
    )


@pytest.mark.parametrize(
    "death", [{"deceasedBoolean": True}, {"deceasedDateTime": "2020-01-01T00:00:00Z"}]
)
def test_somebody_who_has_died_is_passed_over_with_a_note(death: dict[str, Any]) -> None:
    found = read_bundle(a_person(**death))

    assert not patients_in(found)
    assert not problems_in(found)
    assert "has died" in notes_in(found)[0].reason
    assert Absent(("p1",), is_deceased=True) in found


def test_somebody_alive_may_say_so() -> None:
    assert len(patients_in(read_bundle(a_person(deceasedBoolean=False)))) == 1


def test_somebody_without_a_phone_is_a_problem_of_that_entry() -> None:
    found = read_bundle(a_person(), a_person("p2", telecom=[{"system": "email", "value": "x"}]))

    (problem,) = problems_in(found)
    assert (problem.line, problem.field) == (2, "telecom")
    assert Absent(("p2",), is_deceased=False) in found


def test_the_mobile_number_is_tried_first_and_an_unreadable_one_is_noted() -> None:
    telecom = [
        {"system": "phone", "use": "home", "value": "512-555-0147"},
        {"system": "phone", "use": "work", "value": "ask Ann"},
        {"system": "phone", "use": "mobile", "value": "512-555-0148"},
        {"system": "phone", "use": "old", "value": "512-555-0149"},
    ]

    found = read_bundle(a_person(telecom=telecom))

    assert patients_in(found)[0].phones == ("+15125550148", "+15125550147")
    assert "ask Ann" in notes_in(found)[0].reason


def test_a_number_out_of_use_in_a_health_record_comes_in_with_a_note() -> None:
    found = read_bundle(a_person(telecom=[{"system": "phone", "value": "555-531-8692"}]))

    assert patients_in(found)[0].phones == ("+15555318692",)
    assert "not a number in use" in notes_in(found)[0].reason


@pytest.mark.parametrize(
    ("code", "language"), [("en-US", "en"), ("es", "es"), ("pt", "pt-BR"), ("zh", "zh")]
)
def test_the_language_is_that_of_the_record(code: str, language: str) -> None:
    spoken = [{"language": {"coding": [{"code": code}]}}]

    assert patients_in(read_bundle(a_person(communication=spoken)))[0].language == language


def test_the_preferred_language_wins_and_none_means_english_with_a_note() -> None:
    spoken = [
        {"language": {"coding": [{"code": "en"}]}},
        {"language": {"coding": [{"code": "es"}]}, "preferred": True},
    ]

    found = read_bundle(a_person(communication=spoken), a_person("p2", communication=[]))

    assert [patient.language for patient in patients_in(found)] == ["es", "en"]
    assert notes_in(found)[0].field == "communication"


@pytest.mark.parametrize(
    ("code", "value", "unit", "kind", "canonical"),
    [
        ("4548-4", 6.352684229274522, "%", MeasureKind.HBA1C, "6.353"),
        ("17856-6", 9.4, "%", MeasureKind.HBA1C, "9.4"),
        ("17855-8", 9.4, "%", MeasureKind.HBA1C, "9.4"),
        ("59261-8", 79, "mmol/mol", MeasureKind.HBA1C, "9.379"),
        ("41653-7", 120, "mg/dL", MeasureKind.GLUCOSE, "120"),
        ("14743-9", 7, "mmol/L", MeasureKind.GLUCOSE, "126.112"),
        ("2345-7", 120, "mg/dL", MeasureKind.GLUCOSE_LAB, "120"),
        ("2339-0", 70.7634926324724, "mg/dL", MeasureKind.GLUCOSE_LAB, "70.763"),
        ("41604-0", 99, "mg/dL", MeasureKind.GLUCOSE_FASTING, "99"),
        ("1558-6", 99, "mg/dL", MeasureKind.GLUCOSE_LAB_FASTING, "99"),
        ("29463-7", 90.99673168872235, "kg", MeasureKind.WEIGHT, "90.997"),
        ("29463-7", 200, "[lb_av]", MeasureKind.WEIGHT, "90.718"),
        ("44261-6", 13, "{score}", MeasureKind.PHQ9_TOTAL, "13"),
        ("70274-6", 8, "", MeasureKind.GAD7_TOTAL, "8"),
        ("55758-7", 3, "{score}", MeasureKind.PHQ2_TOTAL, "3"),
        ("91147-9", 4.3, "{score}", MeasureKind.PEG_MEAN, "4.3"),
    ],
)
def test_each_code_that_is_ours_becomes_a_reading(
    code: str, value: float, unit: str, kind: MeasureKind, canonical: str
) -> None:
    ((loose),) = readings_in(read_bundle(an_observation(code, value, unit)))

    assert (loose.of, loose.reading.kind) == ("p1", kind)
    assert loose.reading.value == Decimal(canonical)
    assert loose.reading.key == f"fhir:o-{code}"
    assert loose.reading.at == datetime(2026, 10, 4, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize("code", ["85354-9", "55284-4"])
def test_a_blood_pressure_is_two_readings_in_whole_numbers(code: str) -> None:
    found = readings_in(read_bundle(a_pressure(128.3456789, 81.6543, code)))

    assert {(each.reading.kind, each.reading.value) for each in found} == {
        (MeasureKind.SYSTOLIC, Decimal(128)),
        (MeasureKind.DIASTOLIC, Decimal(82)),
    }
    assert {each.reading.key for each in found} == {
        f"fhir:o-{code}:systolic",
        f"fhir:o-{code}:diastolic",
    }


def test_a_crossed_or_unitless_blood_pressure_is_a_problem() -> None:
    crossed, unitless = a_pressure(80, 120), a_pressure(120, 80, unit="")

    reasons = [problem.reason for problem in problems_in(read_bundle(crossed, unitless))]

    assert "must be the higher one" in reasons[0]
    assert "has no unit" in reasons[1]


@pytest.mark.parametrize(
    "reference",
    ["Patient/p1", "urn:uuid:p1", "https://ehr.example/fhir/Patient/p1/_history/3"],
)
def test_a_reading_finds_its_patient_by_any_reference(reference: str) -> None:
    assert readings_in(read_bundle(an_observation(of=reference)))[0].of == "p1"


@pytest.mark.parametrize(
    "deviation",
    [
        pytest.param({"status": "entered-in-error"}, id="in error"),
        pytest.param({"status": "preliminary"}, id="not final"),
        pytest.param({"valueQuantity": None}, id="no value"),
        pytest.param({"valueQuantity": {"value": "9.4", "code": "%"}}, id="a text"),
        pytest.param({"valueQuantity": {"value": 9, "code": "%", "comparator": "<"}}, id="a bound"),
        pytest.param({"code": {"coding": [{"system": "urn:x", "code": "4548-4"}]}}, id="no LOINC"),
    ],
)
def test_what_is_no_value_of_ours_is_passed_over_quietly(deviation: dict[str, Any]) -> None:
    assert read_bundle(an_observation(**deviation)) == [PassedOver()]


def by_own_code(kind: MeasureKind, value: float) -> dict[str, Any]:
    code = {"coding": [{"system": OWN_CODES, "code": kind.value}]}
    return an_observation(value=value, unit=REGISTRY[kind].unit, code=code)


def test_our_own_code_is_enough_and_names_the_problem() -> None:
    ((taken),) = readings_in(read_bundle(by_own_code(MeasureKind.PAIN, 6)))
    (problem,) = problems_in(read_bundle(by_own_code(MeasureKind.PAIN, 11)))

    assert (taken.reading.kind, taken.reading.value) == (MeasureKind.PAIN, Decimal(6))
    assert problem.field == "Observation pain"
    elsewhere = {"coding": [{"system": "urn:x", "code": "pain"}]}
    assert read_bundle(an_observation(code=elsewhere)) == [PassedOver()]


@pytest.mark.parametrize(
    ("start", "begins_on"),
    [
        ("2026-09-21", date(2026, 9, 21)),
        ("2026-10-05", None),  # after it ends
        ("2026-09", None),
        ("2026-09-21T10:00:00Z", None),  # whose day is not said
    ],
)
def test_a_value_over_days_begins_on_the_day_that_is_named(
    start: str, begins_on: date | None
) -> None:
    period = {"start": start, "end": "2026-10-04"}
    whole: dict[str, Any] = {"effectiveDateTime": None, "effectivePeriod": period}
    (gmi,) = readings_in(read_bundle(an_observation("97506-0", 7.1, **whole)))
    (hba1c,) = readings_in(read_bundle(an_observation(**whole)))

    assert gmi.reading.begins_on == begins_on
    assert hba1c.reading.begins_on is None


@pytest.mark.parametrize(
    ("system", "is_unreliable"), [(OWN_CODES, True), ("urn:x", False), (None, False)]
)
def test_a_value_is_doubtful_where_our_own_tag_says_so(
    system: str | None, *, is_unreliable: bool
) -> None:
    tagged = an_observation(meta={"tag": [{"system": system, "code": "unreliable"}]})
    (found,) = readings_in(read_bundle(tagged))

    assert found.reading.is_unreliable is is_unreliable


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("2026-10", "not a day"),
        ("2026-12-01", "future"),
        ("2026-12-01T00:00:00Z", "future"),
        ("2026-10-04T10:00:00", "not a day"),
        ("2026-13-04T10:00:00Z", "calendar"),
        ("0001-01-01T00:00:00+14:00", "calendar"),
        ("0001-01-01", "too long ago"),
        ("1899-12-31T00:00:00Z", "too long ago"),
        ("", "does not say when"),
    ],
)
def test_a_reading_needs_its_time(written: str, reason: str) -> None:
    found = read_bundle(an_observation(effectiveDateTime=written))

    assert reason in problems_in(found)[0].reason


def test_a_day_without_a_time_is_noon_where_the_patient_is() -> None:
    (loose,) = readings_in(read_bundle(an_observation(effectiveDateTime="2026-10-04")))

    assert (loose.reading.on, loose.reading.at) == (date(2026, 10, 4), None)


def test_observations_without_an_id_have_a_key_by_what_they_say() -> None:
    first, again = (readings_in(read_bundle(an_observation(id=None)))[0] for _time in range(2))

    assert first.reading.key == again.reading.key == "fhir:2026-10-04T15:30:00+00:00:9.4:hba1c"


def test_other_resources_are_passed_over_and_broken_lines_reported() -> None:
    lines = [as_ndjson({"resourceType": "Allergy"}), "\n", "{half\n", "[]\n", as_ndjson(a_person())]

    found = list(fhir.from_lines(lines, FRAME))

    assert [problem.line for problem in problems_in(found)] == [3, 4]
    assert [patient.line for patient in patients_in(found)] == [5]
    assert PassedOver() in found


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["coding", "code", "system", "value", "use", "given", "language", "start", "tag"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=600)
@given(st.data())
def test_whatever_stands_in_a_resource_it_never_breaks_the_import(data: st.DataObject) -> None:
    own = by_own_code(MeasureKind.PAIN, 6)
    resource = data.draw(st.sampled_from([a_person(), an_observation(), a_pressure(120, 80), own]))
    names = [*resource, "meta", "effectivePeriod", "valueInteger", "deceasedBoolean"]
    changed = {name: data.draw(JSON) for name in data.draw(st.sets(st.sampled_from(names)))}
    if data.draw(st.booleans()):
        changed.pop("resourceType", None)

    parsed = json_object(json.dumps(resource | changed))

    assert parsed is not None
    for problem in problems_in(fhir.from_bundle({"entry": [{"resource": parsed}]}, FRAME)):
        assert problem.reason.encode().decode().isprintable()


@pytest.mark.parametrize("number", ["1e999999999", "-1e999999999", "1e-999999999", "9" * 5000])
def test_monstrous_numbers_are_passed_over_or_refused(number: str) -> None:
    text = json.dumps(an_observation()).replace("9.4", number)
    resource = json_object(text)

    assert resource is not None
    assert readings_in(read_bundle_of(resource)) == []


def test_a_number_of_which_no_decimal_can_be_made_is_no_json() -> None:
    assert json_object('{"value": 1e99999999999999999999999}') is None


def read_bundle_of(resource: dict[str, Any]) -> list[Incoming]:
    return list(fhir.from_bundle({"entry": [{"resource": resource}]}, FRAME))


@pytest.mark.parametrize(
    ("addresses", "state"),
    [
        ([{"use": "old", "state": "NY"}, {"use": "home", "state": "Texas"}], "TX"),
        ([{"state": "RI"}], "RI"),
        ([{"city": "Austin"}], None),
    ],
)
def test_the_state_of_their_home_is_taken(
    addresses: list[dict[str, str]], state: str | None
) -> None:
    (patient,) = patients_in(read_bundle(a_person(address=addresses)))

    assert patient.state == state


def test_a_state_that_nobody_knows_is_noted_and_passed_over() -> None:
    found = read_bundle(a_person(address=[{"use": "home", "state": "Nowhere"}]))

    (patient,) = patients_in(found)
    assert patient.state is None
    assert "address.state" in [note.field for note in notes_in(found)]
