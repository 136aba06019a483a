"""Files as small as a test needs; each keyword is a deviation worth reading."""

import csv
import io
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from outreach.intake import csv_rows, fhir
from outreach.intake.files import json_object
from outreach.intake.rules import Frame, Incoming, IncomingPatient, LooseReading, Note, Problem

NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)
FRAME = Frame(NOW, "US", "America/Chicago")


def a_row(**deviations: str) -> dict[str, str]:
    return {
        "mrn": "LS1",
        "given_name": "Rosa",
        "family_name": "Nguyen",
        "preferred_name": "",
        "date_of_birth": "1970-02-03",
        "sex": "F",
        "phone": "5125550147",
        "language": "en",
        "time_zone": "America/Chicago",
        "preferred_days": "",
        "preferred_dayparts": "",
        "sms_consent": "",
        "voicemail_ok": "",
        "hba1c_percent": "",
        "hba1c_date": "",
        "phq9_total": "",
        "enrolled_on": "2026-11-16",
    } | deviations


def a_table(*rows: dict[str, str], header: Iterable[str] | None = None) -> str:
    """Return rows as CSV text with a header, by default in the order of the cells."""
    names = list(header or rows[0])
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def read_table(text: str, frame: Frame = FRAME) -> list[Incoming]:
    return list(csv_rows.incoming(text.splitlines(keepends=True), frame))


def read_row(**deviations: str) -> IncomingPatient:
    """Return the patient of one row, which must have no problem."""
    found = read_table(a_table(a_row(**deviations)))
    assert problems_in(found) == []
    (patient,) = patients_in(found)
    return patient


def problems_of(**deviations: str) -> list[tuple[str, str]]:
    """Return (field, reason) of each problem of one row, which must not come in."""
    found = read_table(a_table(a_row(**deviations)))
    assert patients_in(found) == []
    assert {problem.line for problem in problems_in(found)} <= {2}
    return [(problem.field, problem.reason) for problem in problems_in(found)]


def patients_in(found: Iterable[Incoming]) -> list[IncomingPatient]:
    return [each for each in found if isinstance(each, IncomingPatient)]


def readings_in(found: Iterable[Incoming]) -> list[LooseReading]:
    return [each for each in found if isinstance(each, LooseReading)]


def problems_in(found: Iterable[Incoming]) -> list[Problem]:
    return [each for each in found if isinstance(each, Problem)]


def notes_in(found: Iterable[Incoming]) -> list[Note]:
    return [each for each in found if isinstance(each, Note)]


def a_person(name: str = "p1", /, **deviations: Any) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": name,
        "identifier": [
            {"system": "urn:other", "value": "not this one"},
            {"type": {"coding": [{"code": "MR"}]}, "value": f"MR-{name}"},
        ],
        "name": [{"use": "official", "family": "Cummings", "given": ["Ervin", "Lee"]}],
        "telecom": [{"system": "phone", "value": "512-555-0147", "use": "home"}],
        "gender": "male",
        "birthDate": "1942-11-09",
        "communication": [{"language": {"coding": [{"code": "en-US"}]}}],
    } | deviations


def a_code(code: str) -> dict[str, Any]:
    return {"coding": [{"system": "http://loinc.org", "code": code}]}


def an_observation(
    code: str = "4548-4",
    /,
    value: float | str = 9.4,
    unit: str = "%",
    *,
    of: str = "Patient/p1",
    **deviations: Any,
) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": f"o-{code}",
        "status": "final",
        "code": a_code(code),
        "subject": {"reference": of},
        "effectiveDateTime": "2026-10-04T10:30:00-05:00",
        "valueQuantity": {"value": value, "unit": unit, "code": unit},
    } | deviations


def a_pressure(upper: float, lower: float, code: str = "85354-9", unit: str = "mm[Hg]") -> Any:
    observation = an_observation(code)
    del observation["valueQuantity"]
    return observation | {
        "component": [
            {"code": a_code("8462-4"), "valueQuantity": {"value": lower, "code": unit}},
            {"code": a_code("8480-6"), "valueQuantity": {"value": upper, "code": unit}},
        ]
    }


def a_bundle(*resources: dict[str, Any]) -> str:
    entries = [{"fullUrl": f"urn:uuid:{each.get('id')}", "resource": each} for each in resources]
    return json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}, indent=1)


def as_ndjson(*resources: dict[str, Any]) -> str:
    return "".join(json.dumps(each) + "\n" for each in resources)


def read_bundle(*resources: dict[str, Any]) -> list[Incoming]:
    bundle = json_object(a_bundle(*resources))
    assert bundle is not None
    return list(fhir.from_bundle(bundle, FRAME))
