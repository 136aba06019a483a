"""FHIR Encounters and Appointments: visits that took place.

Planned ones, cancelled ones and those nobody came to are passed over. An Appointment does not
say how people met; it counts as a visit in person. Sources: hl7.org/fhir/R4 encounter.html,
appointment.html; codes of v3-ActCode's ActEncounterCode.
"""

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from outreach.intake.fhir_values import id_of, moment, objects, text
from outreach.intake.rules import (
    Frame,
    Incoming,
    IncomingVisit,
    LooseVisit,
    PassedOver,
    Problem,
    Refused,
)
from outreach.visits.rules import VisitKind

KINDS = {
    "AMB": VisitKind.IN_PERSON,
    "FLD": VisitKind.IN_PERSON,
    "VR": VisitKind.TELEHEALTH,
    "HH": VisitKind.HOME,
    "EMER": VisitKind.EMERGENCY,
    "IMP": VisitKind.INPATIENT,
    "ACUTE": VisitKind.INPATIENT,
    "NONAC": VisitKind.INPATIENT,
    "OBSENC": VisitKind.INPATIENT,
    "SS": VisitKind.INPATIENT,
}


def encounter(resource: dict[str, Any], place: int, frame: Frame) -> Iterator[Incoming]:
    """Yield the visit of an Encounter, its problem, or that it is not ours."""
    kind = KINDS.get(_class_of(resource))
    if kind is None or text(resource.get("status")) != "finished":
        yield PassedOver()
        return
    period, subject = resource.get("period"), resource.get("subject")
    began = text(period.get("start")) if isinstance(period, dict) else ""
    patient = text(subject.get("reference")) if isinstance(subject, dict) else ""
    yield _visit("Encounter", resource, (kind, began, patient), place, frame)


def appointment(resource: dict[str, Any], place: int, frame: Frame) -> Iterator[Incoming]:
    """Yield the visit of an Appointment that was kept, its problem, or that it is not ours."""
    if text(resource.get("status")) != "fulfilled":
        yield PassedOver()
        return
    actors = [each.get("actor") for each in objects(resource.get("participant"))]
    references = [text(each.get("reference")) for each in actors if isinstance(each, dict)]
    people = [each for each in references if "Patient/" in each or each.startswith("urn:")]
    began, patient = text(resource.get("start")), people[0] if people else ""
    what = (VisitKind.IN_PERSON, began, patient)
    yield _visit("Appointment", resource, what, place, frame)


def _class_of(resource: dict[str, Any]) -> str:
    found = resource.get("class")
    return text(found.get("code")) if isinstance(found, dict) else ""


def _visit(
    name: str,
    resource: dict[str, Any],
    what: tuple[VisitKind, str, str],
    place: int,
    frame: Frame,
) -> Incoming:
    kind, began, patient = what
    if not began:
        return Problem(place, name, "does not say when it took place")
    try:
        on, at = moment(began, frame)
    except Refused as refusal:
        return Problem(place, name, str(refusal))
    day = on or (at.astimezone(ZoneInfo(frame.zone)).date() if at else frame.today())
    own = id_of(text(resource.get("id"))) or f"{day}:{kind.value}"
    visit = IncomingVisit(kind, day, at, f"fhir:{name.lower()}:{own}")
    return LooseVisit(id_of(patient), visit)
