"""FHIR R4 resources of what is known of a patient, as plain data for JSON. Pure.

Sources: hl7.org/fhir/R4 patient.html, observation.html, communication.html; codes and units of
measures are the registry's. A call is a Communication, not an Encounter: callers are nonmedical,
and whoever reads the file must not count their calls as visits.
"""

import enum
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from outreach.measures.rules import METER_SHOWS, REGISTRY, Bound, MeasureKind, ReadingSource
from outreach.measures.rules.outside import OWN_CODES, UNRELIABLE, name_outside
from outreach.patients.rules import NumberHealth, Sex

Resource = dict[str, Any]

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
CATEGORIES = "http://terminology.hl7.org/CodeSystem/observation-category"
IDENTIFIERS = "http://terminology.hl7.org/CodeSystem/v2-0203"
MEDIA = "http://terminology.hl7.org/CodeSystem/v3-ParticipationMode"
ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
OWN = OWN_CODES
PANEL = "85354-9"  # blood pressure
PRESSURES = (MeasureKind.SYSTOLIC, MeasureKind.DIASTOLIC)
_VITAL_SIGNS = frozenset(
    {*PRESSURES, MeasureKind.PULSE, MeasureKind.WEIGHT, MeasureKind.HEIGHT, MeasureKind.BMI}
)
_LABORATORY = frozenset(
    {MeasureKind.HBA1C, MeasureKind.GLUCOSE_LAB, MeasureKind.GLUCOSE_LAB_FASTING}
)
_METER = frozenset({MeasureKind.GLUCOSE, MeasureKind.GLUCOSE_FASTING, MeasureKind.GMI})
_BEYOND = {Bound.HIGH: ">", Bound.LOW: "<"}
_TOLD_BY_PATIENT = frozenset({ReadingSource.CALL, ReadingSource.SMS})


class Status(enum.StrEnum):
    """Where a reading stands, in the standard's words (observation-status)."""

    FINAL = "final"
    CORRECTED = "corrected"
    IN_ERROR = "entered-in-error"


@dataclass(frozen=True)
class Person:
    """A patient as others know them. ``numbers`` are E.164, the first is tried first."""

    ref: str
    record_number: str
    clinic: str
    given_name: str
    family_name: str
    preferred_name: str | None
    sex: Sex
    born_on: date
    language: str
    numbers: Sequence[tuple[str, NumberHealth]]


@dataclass(frozen=True)
class Measured:
    """The last word on a reading, in the canonical unit of its kind.

    ``id`` is that of the reading before any correction. ``begins_on`` is the first day of a
    value over several days. ``said_at`` is when we heard of the value, or took it back.
    ``left_at`` is when one that had been taken together with it was last corrected.
    """

    id: int
    ref: str
    zone: ZoneInfo
    kind: MeasureKind
    value: Decimal
    bound: Bound | None
    taken_at: datetime
    is_time_known: bool
    begins_on: date | None
    said_at: datetime
    attempt_id: int | None
    source: ReadingSource
    status: Status
    is_unreliable: bool
    left_at: datetime | None = None


@dataclass(frozen=True)
class Conversation:
    """A completed call. What was said stays in the product.

    ``changed_at`` is when we heard of it, it was put in the place of one that was recorded
    wrongly, or it was taken back itself.
    """

    id: int
    ref: str
    zone: ZoneInfo
    at: datetime
    caller: str
    minutes: int
    changed_at: datetime
    is_taken_back: bool = False


def patient(person: Person) -> Resource:
    """Return somebody as a Patient; numbers that are dead are marked old."""
    names = [{"use": "official", "family": person.family_name, "given": [person.given_name]}]
    if person.preferred_name:
        names.append({"use": "usual", "given": [person.preferred_name]})
    return {
        "resourceType": "Patient",
        "id": person.ref,
        "identifier": [
            {
                "use": "usual",
                "type": _concept((IDENTIFIERS, "MR", "Medical record number")),
                "value": person.record_number,
                "assigner": {"display": person.clinic},
            }
        ],
        "name": names,
        **_some(
            telecom=[
                _telecom(number, health, rank)
                for rank, (number, health) in enumerate(person.numbers, start=1)
            ]
        ),
        "gender": person.sex.value,
        "birthDate": person.born_on.isoformat(),
        "communication": [
            {
                "language": {"coding": [{"system": "urn:ietf:bcp:47", "code": person.language}]},
                "preferred": True,
            }
        ],
    }


def _telecom(number: str, health: NumberHealth, rank: int) -> Resource:
    if health is NumberHealth.WORKING:
        return {"system": "phone", "value": number, "rank": rank}
    return {"system": "phone", "value": number, "use": "old"}


def observations(readings: Iterable[Measured]) -> Iterator[Resource]:
    """Yield the Observations of one patient's readings, which are in the order of their time.

    An upper and a lower blood pressure that were taken together are one, where both count: each
    of them changes when any of them does, since that may part or join them.
    """
    together = groupby(readings, key=lambda each: (each.taken_at, each.attempt_id))
    for _key, group in together:
        some = list(group)
        counting = [each for each in some if each.status is not Status.IN_ERROR]
        pair = tuple(each for kind in PRESSURES for each in counting if each.kind is kind)
        is_panel = [each.kind for each in pair] == list(PRESSURES)
        pressures = [each for each in some if each.kind in PRESSURES]
        if is_panel:
            yield _panel(*pair, changed_at=_changed_at(pressures))
        for each in some:
            if not (is_panel and each in pair):
                yield _single(each, _changed_at(pressures if each in pressures else [each]))


def _changed_at(readings: Sequence[Measured]) -> datetime:
    """Return when something last changed of what tells of ``readings``."""
    return max(at for each in readings for at in (each.said_at, each.left_at) if at is not None)


def _single(reading: Measured, changed_at: datetime) -> Resource:
    told = _observation(_code(reading.kind), changed_at, reading)
    if reading.status is Status.IN_ERROR:  # the standard's vital signs say why a value is missing
        return told | {"dataAbsentReason": _concept((ABSENT, "error", "Error"))}
    return told | {"valueQuantity": _quantity(reading)}


def _panel(upper: Measured, lower: Measured, *, changed_at: datetime) -> Resource:
    code = _concept((LOINC, PANEL, "Blood pressure panel with all children optional"))
    return _observation(code, changed_at, upper, lower) | {
        "component": [
            {"code": _code(each.kind), "valueQuantity": _quantity(each)} for each in (upper, lower)
        ]
    }


def _observation(code: Resource, changed_at: datetime, *parts: Measured) -> Resource:
    """Return all but the values of readings that were taken together."""
    reading = parts[0]
    status = next((each.status for each in parts if each.status is not Status.FINAL), Status.FINAL)
    is_told = all(each.source in _TOLD_BY_PATIENT for each in parts)
    is_doubtful = status is not Status.IN_ERROR and any(each.is_unreliable for each in parts)
    subject = {"reference": f"Patient/{reading.ref}"}
    category = _category(reading.kind)
    return {
        "resourceType": "Observation",
        "id": name_outside(reading.ref, reading.id),
        "meta": _meta(changed_at)
        | ({"tag": [{"system": OWN, "code": UNRELIABLE}]} if is_doubtful else {}),
        "status": status.value,
        **_some(category=[_concept((CATEGORIES, category, ""))] if category else []),
        "code": code,
        "subject": subject,
        **_when(reading),
        "issued": max(each.said_at for each in parts).isoformat(),
        **_some(
            performer=[subject] if is_told else [],
            note=[{"text": "Something about the body makes this value doubtful."}]
            if is_doubtful
            else [],
        ),
    }


def _when(reading: Measured) -> Resource:
    there = reading.taken_at.astimezone(reading.zone)
    if reading.begins_on is not None:
        period = {"start": reading.begins_on.isoformat(), "end": there.date().isoformat()}
        return {"effectivePeriod": period}
    moment = there.isoformat() if reading.is_time_known else there.date().isoformat()
    return {"effectiveDateTime": moment}


def _quantity(reading: Measured) -> Resource:
    unit = REGISTRY[reading.kind].unit
    value = METER_SHOWS[reading.bound] if reading.bound else reading.value
    beyond = {"comparator": _BEYOND[reading.bound]} if reading.bound else {}
    number = int(value) if value == value.to_integral_value() else float(value)
    return {"value": number, **beyond, "unit": unit, "system": UCUM, "code": unit}


def _code(kind: MeasureKind) -> Resource:
    loinc = REGISTRY[kind].loinc
    own = (OWN, kind.value, "")
    return _concept((LOINC, loinc, ""), own) if loinc else _concept(own)


def _category(kind: MeasureKind) -> str | None:
    """Return the category of an Observation; None: a meter at home, for which there is none."""
    if kind in _VITAL_SIGNS:
        return "vital-signs"
    if kind in _LABORATORY:
        return "laboratory"
    return None if kind in _METER else "survey"


def _meta(changed_at: datetime) -> Resource:
    """Return when a resource changed, to the microsecond: none is lost to who asks for later."""
    return {"lastUpdated": changed_at.isoformat(timespec="microseconds")}


def communication(call: Conversation) -> Resource:
    """Return a completed call as a Communication by telephone; one taken back tells no more."""
    person = {"reference": f"Patient/{call.ref}"}
    told = {
        "resourceType": "Communication",
        "id": f"call-{call.id}",
        "meta": _meta(call.changed_at),
        "status": Status.IN_ERROR.value if call.is_taken_back else "completed",
        "medium": [_concept((MEDIA, "PHONE", "telephone"))],
        "subject": person,
        "sent": call.at.astimezone(call.zone).isoformat(),
        "recipient": [person],
    }
    if call.is_taken_back:
        return told
    return told | {
        "sender": {"display": call.caller},
        "payload": [{"contentString": f"Conversation of {call.minutes} minutes"}],
    }


def _concept(*codings: tuple[str, str, str]) -> Resource:
    return {
        "coding": [
            {"system": system, "code": code} | ({"display": display} if display else {})
            for system, code, display in codings
        ]
    }


def _some(**lists: list[Resource]) -> Resource:
    """Return those of ``lists`` that hold anything: FHIR knows no empty array."""
    return {name: value for name, value in lists.items() if value}
