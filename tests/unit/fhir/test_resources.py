"""What is told of a patient as FHIR: resources as the standard has them, and ours to read again."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.fhir.rules import resources as fhir
from outreach.fhir.rules.resources import LOINC, OWN, UCUM, Conversation, Measured, Person, Status
from outreach.intake import fhir as reading_in
from outreach.measures.rules import REGISTRY, Bound, Doubt, MeasureKind, ReadingSource, doubt_about
from outreach.patients.rules import NumberHealth, Sex
from tests.unit.intake.builders import FRAME, NOW, notes_in, patients_in, problems_in, readings_in

ZONE = ZoneInfo("America/Chicago")
A_READING = Measured(
    id=7,
    ref="ab12",
    zone=ZONE,
    kind=MeasureKind.HBA1C,
    value=Decimal("9.400"),
    bound=None,
    taken_at=datetime(2026, 10, 4, 15, 30, tzinfo=UTC),
    is_time_known=True,
    begins_on=None,
    said_at=NOW,
    attempt_id=None,
    source=ReadingSource.STAFF,
    status=Status.FINAL,
    is_unreliable=False,
)
ROSA = Person(
    ref="ab12",
    record_number="MRN-1",
    clinic="Here",
    given_name="Rosa",
    family_name="Nguyen",
    preferred_name="Rosie",
    sex=Sex.FEMALE,
    born_on=date(1970, 2, 3),
    language="es",
    numbers=[("+15125550147", NumberHealth.WORKING), ("+15125550148", NumberHealth.WRONG)],
)

A_CONVERSATION = Conversation(5, "ab12", ZONE, NOW - timedelta(days=1), "Ana Lima", 12, NOW)


def measured(**deviations: Any) -> Measured:
    return replace(A_READING, **deviations)


def read(*resources: dict[str, Any]) -> list[Any]:
    return list(reading_in.from_lines([json.dumps(each) for each in resources], FRAME))


def test_a_patient_is_the_same_after_a_way_out_and_in() -> None:
    found = read(fhir.patient(ROSA))

    (back,) = patients_in(found)
    assert [*problems_in(found), *notes_in(found)] == []
    assert (back.record_number, back.given_name, back.family_name) == ("MRN-1", "Rosa", "Nguyen")
    assert (back.preferred_name, back.sex, back.language) == ("Rosie", Sex.FEMALE, "es")
    assert (back.date_of_birth, back.phones) == (date(1970, 2, 3), ("+15125550147",))
    assert back.external_ids == ("ab12",)


def test_somebody_without_numbers_has_no_empty_list() -> None:
    resource = fhir.patient(replace(ROSA, numbers=[], preferred_name=None))

    assert "telecom" not in resource
    assert resource["name"] == [{"use": "official", "family": "Nguyen", "given": ["Rosa"]}]


def a_value(kind: MeasureKind) -> st.SearchStrategy[Decimal]:
    hard = REGISTRY[kind].hard
    places = 0 if REGISTRY[kind].is_whole else 3
    values = st.decimals(hard.low, hard.high, places=places, allow_nan=False)
    # A file's value of which one would ask is refused: 10 mg/dL may be 10 mmol/L.
    return values.filter(
        lambda value: doubt_about(kind, value, REGISTRY[kind].unit) in {None, Doubt.UNUSUAL}
    )


SECONDS = int(timedelta(days=36 * 365).total_seconds())


@given(
    data=st.data(),
    kind=st.sampled_from(MeasureKind),
    is_time_known=st.booleans(),
    is_unreliable=st.booleans(),
    ago=st.integers(0, SECONDS),
)
def test_a_reading_is_the_same_after_a_way_out_and_in(
    *,
    data: st.DataObject,
    kind: MeasureKind,
    is_time_known: bool,
    is_unreliable: bool,
    ago: int,
) -> None:
    at = NOW - timedelta(seconds=ago)
    value = data.draw(a_value(kind))
    given_ = measured(
        kind=kind, value=value, taken_at=at,
        is_time_known=is_time_known, is_unreliable=is_unreliable,
    )  # fmt: skip

    found = read(*fhir.observations([given_]))

    assert problems_in(found) == []
    ((back),) = readings_in(found)
    assert (back.of, back.reading.kind, back.reading.value) == ("ab12", kind, value)
    assert back.reading.is_unreliable is is_unreliable
    day = None if is_time_known else at.astimezone(ZONE).date()
    assert (back.reading.at, back.reading.on) == (at if is_time_known else None, day)


@pytest.mark.parametrize("kind", list(MeasureKind))
def test_every_measure_has_a_code_and_a_unit(kind: MeasureKind) -> None:
    (resource,) = fhir.observations([measured(kind=kind, value=REGISTRY[kind].hard.low)])

    codes = {each["system"]: each["code"] for each in resource["code"]["coding"]}
    assert codes[OWN] == kind.value
    assert codes.get(LOINC) == REGISTRY[kind].loinc
    quantity = resource["valueQuantity"]
    assert (quantity["system"], quantity["code"]) == (UCUM, REGISTRY[kind].unit)
    assert quantity["value"] == REGISTRY[kind].hard.low


def test_a_blood_pressure_is_one_observation_of_two_parts() -> None:
    together = {"attempt_id": 3}
    found = list(
        fhir.observations(
            [
                measured(id=1, kind=MeasureKind.SYSTOLIC, value=Decimal(131), **together),
                measured(id=2, kind=MeasureKind.DIASTOLIC, value=Decimal(84), **together),
                measured(id=3, kind=MeasureKind.PULSE, value=Decimal(70), **together),
                measured(id=4, kind=MeasureKind.SYSTOLIC, value=Decimal(150)),
            ]
        )
    )

    panel, pulse, lone = found
    assert panel["code"]["coding"][0]["code"] == "85354-9"
    assert [part["valueQuantity"]["value"] for part in panel["component"]] == [131, 84]
    assert "valueQuantity" not in panel
    assert [each["id"] for each in (panel, pulse, lone)] == [
        "reading-ab12-1", "reading-ab12-3", "reading-ab12-4",
    ]  # fmt: skip
    back = [(each.reading.kind, int(each.reading.value)) for each in readings_in(read(*found))]
    assert back == [
        (MeasureKind.SYSTOLIC, 131), (MeasureKind.DIASTOLIC, 84),
        (MeasureKind.PULSE, 70), (MeasureKind.SYSTOLIC, 150),
    ]  # fmt: skip


@pytest.mark.parametrize(("bound", "sign"), [(Bound.HIGH, ">"), (Bound.LOW, "<")])
def test_what_a_meter_could_not_show_is_no_value(bound: Bound, sign: str) -> None:
    high = measured(kind=MeasureKind.GLUCOSE, value=Decimal(600), bound=bound)
    (resource,) = fhir.observations([high])

    assert resource["valueQuantity"]["comparator"] == sign
    assert readings_in(read(resource)) == []  # nobody takes '>600' for 600


def test_a_value_over_days_is_known_as_they_end() -> None:
    begins_on = date(2026, 9, 21)
    (resource,) = fhir.observations(
        [measured(kind=MeasureKind.GMI, begins_on=begins_on, is_time_known=False)]
    )

    assert resource["effectivePeriod"] == {"start": "2026-09-21", "end": "2026-10-04"}
    ((back),) = readings_in(read(resource))
    assert (back.reading.begins_on, back.reading.on) == (begins_on, date(2026, 10, 4))


def test_it_is_said_who_told_what_was_corrected_and_what_is_doubtful() -> None:
    told = measured(source=ReadingSource.CALL, status=Status.CORRECTED, is_unreliable=True)
    (resource,) = fhir.observations([told])
    (plain,) = fhir.observations([measured()])

    assert resource["status"] == "corrected"
    assert resource["performer"] == [{"reference": "Patient/ab12"}]
    assert "doubtful" in resource["note"][0]["text"]
    assert plain["status"] == "final"
    assert {"performer", "note"}.isdisjoint(plain)


@pytest.mark.parametrize("kind", [MeasureKind.GLUCOSE, MeasureKind.SYSTOLIC])
def test_what_was_taken_back_is_told_by_its_name_and_without_its_value(kind: MeasureKind) -> None:
    (plain,) = fhir.observations([measured(kind=kind, value=Decimal(142))])
    (error,) = fhir.observations(
        [measured(kind=kind, value=Decimal(142), status=Status.IN_ERROR, is_unreliable=True)]
    )

    assert error["status"] == "entered-in-error"
    same = ("id", "code", "subject", "effectiveDateTime")
    assert [error[name] for name in same] == [plain[name] for name in same]
    assert error["dataAbsentReason"]["coding"][0]["code"] == "error"
    assert "142" not in json.dumps({**error, "id": ""})
    assert "note" not in error  # there is no value to be doubtful
    assert readings_in(read(error)) == []


def test_a_pressure_of_which_one_part_was_taken_back_is_no_pair() -> None:
    upper = measured(id=1, kind=MeasureKind.SYSTOLIC, value=Decimal(131))
    lower = measured(id=2, kind=MeasureKind.DIASTOLIC, value=Decimal(84))

    found = list(fhir.observations([replace(upper, status=Status.IN_ERROR), lower]))

    assert [(each["id"], each["status"]) for each in found] == [
        ("reading-ab12-1", "entered-in-error"),
        ("reading-ab12-2", "final"),
    ]
    assert found[1]["valueQuantity"]["value"] == 84


def a_pressure(upper: dict[str, Any], lower: dict[str, Any]) -> dict[str, Any]:
    """Return a pair as told, whose parts deviate from a plain one in what is given."""
    (panel,) = fhir.observations(
        [
            measured(id=1, kind=MeasureKind.SYSTOLIC, value=Decimal(131), **upper),
            measured(id=2, kind=MeasureKind.DIASTOLIC, value=Decimal(84), **lower),
        ]
    )
    return panel


@pytest.mark.parametrize("is_upper", [True, False])
def test_a_pair_tells_what_is_so_of_either_part(*, is_upper: bool) -> None:
    def panel(**of_one: Any) -> dict[str, Any]:
        return a_pressure(of_one if is_upper else {}, {} if is_upper else of_one)

    later = NOW + timedelta(hours=2)
    assert panel(said_at=later)["issued"] == later.isoformat()
    assert panel(status=Status.CORRECTED)["status"] == "corrected"
    assert "doubtful" in panel(is_unreliable=True)["note"][0]["text"]
    assert "performer" not in panel(source=ReadingSource.CALL), "only one was told by the patient"


def test_a_pair_that_a_patient_told_is_told_so() -> None:
    told = {"source": ReadingSource.SMS}
    assert a_pressure(told, told)["performer"] == [{"reference": "Patient/ab12"}]
    assert a_pressure({}, {})["status"] == "final"


def test_a_call_is_a_communication_and_no_visit() -> None:
    resource = fhir.communication(A_CONVERSATION)

    assert resource["sent"] == "2026-11-22T10:00:00-06:00"
    assert resource["medium"][0]["coding"][0]["code"] == "PHONE"
    (passed_over,) = read(resource)
    assert type(passed_over).__name__ == "PassedOver"
