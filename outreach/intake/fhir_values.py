"""FHIR data types that may hold anything, read so that nothing can go wrong."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from outreach.intake.rules import Frame, Refused
from outreach.intake.rules.fields import past_day, shown
from outreach.measures.rules.outside import OWN_CODES

LOINC = "http://loinc.org"
EARLIEST_YEAR = 1900  # nobody alive was measured before
CLOCK_SLACK = timedelta(minutes=5)  # a meter's clock may be a little ahead of ours

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_LARGEST = Decimal(10) ** 6
_SMALLEST = Decimal("0.0005")


def objects(value: object) -> list[dict[str, Any]]:
    """Return the objects of a JSON array; nothing where it is something else."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def text(value: object) -> str:
    """Return a JSON string; empty where it is something else."""
    return value if isinstance(value, str) else ""


def id_of(reference: str) -> str:
    """Return the id in 'urn:uuid:x', 'Patient/x', 'https://…/Patient/x/_history/1' or 'x'.

    Empty where there is none, as in '#contained'.
    """
    if reference.startswith("urn:"):
        last = reference.rpartition(":")[2]
    else:
        last = reference.partition("/_history/")[0].rpartition("/")[2]
    return last if _ID.fullmatch(last) else ""


def loinc_codes(concept: object) -> list[str]:
    """Return the LOINC codes of a CodeableConcept."""
    return _codes(objects(concept.get("coding")) if isinstance(concept, dict) else [], LOINC)


def own_codes(concept: object) -> list[str]:
    """Return our own codes of a CodeableConcept, which stand in files that we made."""
    return _codes(objects(concept.get("coding")) if isinstance(concept, dict) else [], OWN_CODES)


def own_tags(resource: dict[str, Any]) -> list[str]:
    """Return our own codes among the tags of a resource."""
    meta = resource.get("meta")
    return _codes(objects(meta.get("tag")) if isinstance(meta, dict) else [], OWN_CODES)


def _codes(codings: list[dict[str, Any]], system: str) -> list[str]:
    return [text(each.get("code")) for each in codings if each.get("system") == system]


def amount(value: object) -> Decimal | None:
    """Return a JSON number to 3 decimals, or None for anything else.

    Simulated and computed values come with 15 digits, of which the body knows two.
    """
    if not isinstance(value, Decimal) or not value.is_finite():
        return None
    if not -_LARGEST < value < _LARGEST:
        return None
    if -_SMALLEST < value < _SMALLEST:
        return Decimal(0)
    rounded = value.quantize(Decimal("0.001")).normalize()
    return rounded if rounded.as_tuple().exponent <= 0 else rounded.quantize(Decimal(1))  # type: ignore[operator]


def effective(observation: dict[str, Any], frame: Frame) -> tuple[date | None, datetime | None]:
    """Return when something was measured: its local day, or its instant.

    What was measured over a period, as a mean of a sensor is, was known as it ended.

    Raises:
        Refused: it is missing, too vague, too long ago or in the future.
    """
    period = observation.get("effectivePeriod")
    ends = period if isinstance(period, dict) else {}
    found = (
        text(observation.get("effectiveDateTime"))
        or text(observation.get("effectiveInstant"))
        or text(ends.get("end"))
        or text(ends.get("start"))
    )
    if not found:
        raise Refused("does not say when it was measured")
    return moment(found, frame)


def begins_on(observation: dict[str, Any], frame: Frame) -> date | None:
    """Return the first local day of what was measured over a period; None: no day is named."""
    period = observation.get("effectivePeriod")
    start = text(period.get("start")) if isinstance(period, dict) else ""
    try:
        return moment(start, frame)[0] if start else None
    except Refused:
        return None


def moment(found: str, frame: Frame) -> tuple[date | None, datetime | None]:
    """Return the local day, or the instant, that a dateTime names.

    Raises:
        Refused: it is too vague, too long ago or in the future.
    """
    if not _DAY.fullmatch(found):
        return None, _instant(found, frame)
    on = past_day(found, today=frame.today())
    if on.year < EARLIEST_YEAR:
        raise Refused(f"{on} is too long ago")
    return on, None


def _instant(written: str, frame: Frame) -> datetime:
    if not _INSTANT.fullmatch(written):
        raise Refused(f"{shown(written)} is not a day, nor an instant with its offset")
    try:
        instant = datetime.fromisoformat(re.sub(r"(\.[0-9]{1,6})[0-9]*", r"\1", written))
        instant = instant.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Refused(f"{shown(written)} is not in the calendar") from error
    if instant > frame.now + CLOCK_SLACK:
        raise Refused(f"{shown(written)} lies in the future")
    if instant.year < EARLIEST_YEAR:
        raise Refused(f"{shown(written)} is too long ago")
    return instant
