"""FHIR Observations: glucose, HbA1c, GMI, pressure, pulse, weight, height, scores.

Source of the codes: domain.md C; 55284-4 and 2339-0 are what Synthea writes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from outreach.intake.fhir_values import (
    amount,
    begins_on,
    effective,
    id_of,
    loinc_codes,
    objects,
    own_codes,
    own_tags,
    text,
)
from outreach.intake.rules import (
    Frame,
    Incoming,
    IncomingReading,
    LooseReading,
    Note,
    PassedOver,
    Problem,
    Refused,
    readings,
)
from outreach.measures.rules import REGISTRY, MeasureKind, ReadingSource
from outreach.measures.rules.outside import UNRELIABLE

KINDS = {
    "4548-4": MeasureKind.HBA1C,
    "17856-6": MeasureKind.HBA1C,
    "17855-8": MeasureKind.HBA1C,
    "59261-8": MeasureKind.HBA1C,
    "41653-7": MeasureKind.GLUCOSE,
    "14743-9": MeasureKind.GLUCOSE,
    "2345-7": MeasureKind.GLUCOSE_LAB,
    "2339-0": MeasureKind.GLUCOSE_LAB,
    "41604-0": MeasureKind.GLUCOSE_FASTING,
    "1558-6": MeasureKind.GLUCOSE_LAB_FASTING,
    "97506-0": MeasureKind.GMI,
    "8867-4": MeasureKind.PULSE,
    "8302-2": MeasureKind.HEIGHT,
    "39156-5": MeasureKind.BMI,
    "29463-7": MeasureKind.WEIGHT,
    "44261-6": MeasureKind.PHQ9_TOTAL,
    "55758-7": MeasureKind.PHQ2_TOTAL,
    "70274-6": MeasureKind.GAD7_TOTAL,
    "91147-9": MeasureKind.PEG_MEAN,
    "8480-6": MeasureKind.SYSTOLIC,
    "8462-4": MeasureKind.DIASTOLIC,
}
BLOOD_PRESSURE = frozenset(("85354-9", "55284-4"))
PRESSURES = frozenset((MeasureKind.SYSTOLIC, MeasureKind.DIASTOLIC))
OURS = BLOOD_PRESSURE.union(KINDS)
SCORE = "{score}"
CORRECTED = frozenset(("amended", "corrected"))
TRUSTED = CORRECTED.union(("final",))

# How units are also written, and UCUM.
UNITS = {
    "mg/dl": "mg/dL",
    "mmol/l": "mmol/L",
    "mmhg": "mm[Hg]",
    "mm hg": "mm[Hg]",
    "mm[hg]": "mm[Hg]",
    "lb": "[lb_av]",
    "lbs": "[lb_av]",
    "lb_av": "[lb_av]",
    "[in_us]": "[in_i]",
    "in": "[in_i]",
    "beats/minute": "/min",
    "{beats}/min": "/min",
    "bpm": "/min",
    "percent": "%",
    "{percent}": "%",
}


@dataclass(frozen=True)
class _Of:
    """What all parts of one Observation share."""

    patient: str
    key: str
    on: date | None
    at: datetime | None
    begins_on: date | None
    is_unreliable: bool
    is_corrected: bool


def read(observation: dict[str, Any], place: int, frame: Frame) -> Iterator[Incoming]:
    """Yield the readings of one Observation, with notes, or its problem, or that it is not ours."""
    parts = list(_parts(observation))
    if not parts or text(observation.get("status")) not in TRUSTED:
        yield PassedOver()
        return
    try:
        yield from _readings(observation, parts, place, frame)
    except Refused as refusal:
        codes = [code for code in loinc_codes(observation.get("code")) if code in OURS]
        code = codes[0] if codes else parts[0][0].value
        yield Problem(place, f"Observation {code}", str(refusal))


def _parts(observation: dict[str, Any]) -> Iterator[tuple[MeasureKind, dict[str, Any]]]:
    """Yield each kind that is ours, with the object that holds its value."""
    codes = loinc_codes(observation.get("code"))
    if BLOOD_PRESSURE.intersection(codes):
        for component in objects(observation.get("component")):
            kind = _kind(component.get("code"))
            if kind in PRESSURES and _amount(component) is not None:
                yield kind, component
    else:
        kind = _kind(observation.get("code"))
        if kind is not None and _amount(observation) is not None:
            yield kind, observation


def _kind(concept: object) -> MeasureKind | None:
    """Return the measure of a code: by LOINC as anybody writes it, else by our own."""
    of_loinc = [KINDS[code] for code in loinc_codes(concept) if code in KINDS]
    of_own = [MeasureKind(code) for code in own_codes(concept) if code in list(MeasureKind)]
    return next(iter(of_loinc + of_own), None)


def _readings(
    observation: dict[str, Any],
    parts: list[tuple[MeasureKind, dict[str, Any]]],
    place: int,
    frame: Frame,
) -> Iterator[Incoming]:
    on, at = effective(observation, frame)
    subject = observation.get("subject")
    patient = id_of(text(subject.get("reference")) if isinstance(subject, dict) else "")
    shared = _Of(
        patient,
        id_of(text(observation.get("id"))),
        on,
        at,
        begins_on(observation, frame),
        UNRELIABLE in own_tags(observation),
        text(observation.get("status")) in CORRECTED,
    )
    values = [_value(kind, holder) for kind, holder in parts]
    _refuse_crossed_pressure(values)
    for found in values:
        if found.is_unusual:
            yield Note(place, f"Observation {found.kind.value}", readings.unusual(found))
        yield LooseReading(shared.patient, _reading(found, shared))


def _value(kind: MeasureKind, holder: dict[str, Any]) -> readings.Value:
    number = _amount(holder)
    if number is None:
        raise Refused("holds no number")
    unit = _unit(kind, holder)
    if REGISTRY[kind].is_whole and unit != SCORE:  # computed ones, which no cuff shows
        number = number.quantize(Decimal(1), ROUND_HALF_UP)
    return readings.value(kind, number, unit, place="the unit given")


def _amount(holder: dict[str, Any]) -> Decimal | None:
    quantity = holder.get("valueQuantity")
    if isinstance(quantity, dict):
        is_exact = quantity.get("comparator") is None  # '<70' is not a value
        return amount(quantity.get("value")) if is_exact else None
    return amount(holder.get("valueInteger"))


def _unit(kind: MeasureKind, holder: dict[str, Any]) -> str:
    if REGISTRY[kind].unit == SCORE:
        return SCORE  # there is only one
    quantity = holder.get("valueQuantity")
    if not isinstance(quantity, dict):
        return ""
    written = text(quantity.get("code")) or text(quantity.get("unit"))
    return UNITS.get(written.strip().lower(), written.strip())


def _refuse_crossed_pressure(values: list[readings.Value]) -> None:
    by_kind = {found.kind: found.canonical for found in values}
    upper, lower = by_kind.get(MeasureKind.SYSTOLIC), by_kind.get(MeasureKind.DIASTOLIC)
    if upper is not None and lower is not None and upper <= lower:
        raise Refused(f"{upper:f} over {lower:f}: the upper pressure must be the higher one")


def _begins_on(kind: MeasureKind, shared: _Of) -> date | None:
    """Return the first day of a value over several days, which is not after the last."""
    begins, ends = shared.begins_on, shared.on
    is_right = begins is not None and ends is not None and begins <= ends
    return begins if is_right and REGISTRY[kind].has_period else None


def _reading(found: readings.Value, shared: _Of) -> IncomingReading:
    when = shared.at.isoformat() if shared.at else shared.on
    own = shared.key or f"{when}:{readings.plain(found.canonical)}"
    is_part = found.kind in PRESSURES or not shared.key
    return IncomingReading(
        found.kind,
        found.canonical,
        found.entered,
        found.unit,
        on=shared.on,
        at=shared.at,
        source=ReadingSource.FHIR,
        key=readings.fhir_key(own, found.kind, is_part=is_part),
        begins_on=_begins_on(found.kind, shared),
        is_unreliable=shared.is_unreliable,
        is_corrected=shared.is_corrected,
    )
