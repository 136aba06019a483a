"""What goes out as FHIR is R4 as the standard's own models read it (stack.md, fhir.resources).

They read R4B, whose Patient, Observation and Communication are those of R4. They hold fields and
types, not lists of codes: those are tested in test_resources.py.
"""

from dataclasses import replace
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from outreach.fhir.rules import resources as fhir
from outreach.fhir.rules.resources import Status
from outreach.measures.rules import REGISTRY, Bound, MeasureKind
from tests.unit.fhir.test_resources import A_CONVERSATION, ROSA, measured


def again(resource: dict[str, Any]) -> Any:
    """Return a resource as the standard's model writes it; raise where it refuses to read it."""
    model = get_fhir_model_class(resource["resourceType"])
    return model.model_validate(resource).model_dump(mode="json")


def test_a_model_refuses_what_the_standard_does_not_have() -> None:
    with pytest.raises(ValueError, match="nickname"):
        again({**fhir.patient(ROSA), "nickname": "Rosie"})


def test_a_patient() -> None:
    for person in (ROSA, replace(ROSA, numbers=[], preferred_name=None)):
        resource = fhir.patient(person)
        assert again(resource) == resource


@pytest.mark.parametrize("kind", MeasureKind)
@pytest.mark.parametrize("is_time_known", [True, False])
def test_a_measure(kind: MeasureKind, *, is_time_known: bool) -> None:
    given = measured(kind=kind, value=REGISTRY[kind].hard.low, is_time_known=is_time_known)
    for resource in fhir.observations([given]):
        assert again(resource)["code"] == resource["code"]


def test_a_value_that_a_meter_calls_high() -> None:
    given = measured(kind=MeasureKind.GLUCOSE, bound=Bound.HIGH)
    (resource,) = fhir.observations([given])
    assert again(resource)["valueQuantity"]["comparator"] == ">"


def test_what_was_taken_back() -> None:
    (resource,) = fhir.observations([measured(status=Status.IN_ERROR)])
    assert again(resource)["status"] == "entered-in-error"


def test_a_conversation() -> None:
    assert again(fhir.communication(A_CONVERSATION))["status"] == "completed"
