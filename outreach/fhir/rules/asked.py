"""What other systems may ask, and what a request asks: the one table behind the routes, the
CapabilityStatement and the OpenAPI description. Pure.

Source: hl7.org/fhir/R4/search.html. Strict, as its ``Prefer: handling=strict``: what is not
understood is refused, since a condition that is passed over gives somebody else's answer.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from outreach.fhir.rules import NotUnderstood
from outreach.fhir.rules.dates import DateAsked
from outreach.fhir.rules.resources import LOINC, OWN, PANEL, PRESSURES, Resource
from outreach.measures.rules import REGISTRY, MeasureKind

USUAL_COUNT = 50
MOST_COUNT = 100
MOST_CODES = 50
_LONGEST = 200  # characters of a value
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CURSOR = re.compile(r"(-?[0-9]{1,16})\.([0-9]{1,10})")
FORMATS = ("json", "application/json", "application/fhir+json")


@dataclass(frozen=True)
class Parameter:
    """One parameter of a search. ``kind`` is the standard's word for its type."""

    name: str
    kind: str
    words: str
    is_required: bool = False
    is_repeated: bool = False


@dataclass(frozen=True)
class Kind:
    """A kind of resource that can be read. ``ids`` is how one is named, as a pattern.

    ``refused`` are parameters that others have and this one can't, each with the reason.
    """

    name: str
    words: str
    ids: str
    parameters: Sequence[Parameter]
    refused: Mapping[str, str] = field(default_factory=dict)


_PATIENT = Parameter(
    "patient", "reference", "The patient: the id, or Patient/ and the id.", is_required=True
)
UPDATED = "_lastUpdated"
_UPDATED = Parameter(
    UPDATED,
    "date",
    "When it last changed here, a correction or its being taken back counting as a change, after"
    " eq, ge, gt, le or lt. Without a zone: on the patient's clock. Twice: both hold.",
    is_repeated=True,
)
KINDS: Mapping[str, Kind] = {
    each.name: each
    for each in (
        Kind(
            "Patient",
            "Patients of the key's clinic. Who was anonymised is none.",
            "[0-9A-Za-z_-]{1,16}",
            (
                Parameter("_id", "token", "The patient's id."),
                Parameter(
                    "identifier",
                    "token",
                    "The clinic's record number. It has no system: write |number or number.",
                ),
            ),
            {UPDATED: "When a patient's record last changed is not kept."},
        ),
        Kind(
            "Observation",
            "Readings and scores of questionnaires, corrected ones with the value that counts.",
            "reading-[0-9A-Za-z_-]{1,16}-[0-9]{1,10}",
            (
                _PATIENT,
                Parameter(
                    "code",
                    "token",
                    "Codes of what was measured, with commas between: code or system|code. An"
                    f" upper and a lower blood pressure taken together are one, {PANEL}.",
                ),
                Parameter(
                    "date",
                    "date",
                    "When it was measured, after eq, ge, gt, le or lt. Without a zone: on the"
                    " patient's clock. Twice: both hold.",
                    is_repeated=True,
                ),
                _UPDATED,
            ),
        ),
        Kind(
            "Communication",
            "Completed calls by nonmedical callers, without a word of what was said; those taken"
            " back are entered in error.",
            "call-[0-9]{1,10}",
            (_PATIENT, _UPDATED),
        ),
    )
}
# Of every search, besides its own.
COUNT, AFTER, FORMAT = "_count", "_after", "_format"


@dataclass(frozen=True)
class Cursor:
    """Where a page ended: an instant, and what tells apart what is of that instant."""

    at: datetime
    number: int

    def written(self) -> str:
        """Return the cursor as an address carries it."""
        return f"{(self.at - _EPOCH) // timedelta(microseconds=1)}.{self.number}"

    @classmethod
    def of(cls, text: str | None) -> "Cursor | None":
        """Return the cursor that ``text`` is, None where there is none.

        Raises:
            NotUnderstood
        """
        if text is None:
            return None
        found = _CURSOR.fullmatch(text)
        if found is None:
            raise NotUnderstood(f"{AFTER} is no place where a page ended.")
        return cls(_EPOCH + timedelta(microseconds=int(found[1])), int(found[2]))


@dataclass(frozen=True)
class Search:
    """One search, understood. ``values`` has what was sent, without how it is paged."""

    values: Mapping[str, Sequence[str]]
    count: int = USUAL_COUNT
    after: str | None = None

    def one(self, name: str) -> str | None:
        """Return the value of a parameter that comes once, None where it did not come."""
        values = self.values.get(name)
        return values[0] if values else None

    def page(self, after: str | None) -> list[tuple[str, str]]:
        """Return the parameters of the page that begins behind ``after``, None for the first."""
        own = [(name, value) for name, values in self.values.items() for value in values]
        own.append((COUNT, str(self.count)))
        return own if after is None else [*own, (AFTER, after)]


def search(kind: Kind, sent: Mapping[str, Sequence[str]]) -> Search:
    """Return what the parameters ``sent`` ask of a kind of resource.

    Raises:
        NotUnderstood
    """
    own = {each.name: each for each in kind.parameters}
    for name, values in sent.items():
        if name not in own and name not in {COUNT, AFTER, FORMAT}:
            known = ", ".join([*own, COUNT])
            why = f" {kind.refused[name]}" if name in kind.refused else ""
            raise NotUnderstood(f"{_short(name)} is no parameter here.{why} There are: {known}.")
        if len(values) > 1 and not (name in own and own[name].is_repeated):
            raise NotUnderstood(f"{name} can be given once only.")
        if not all(0 < len(value) <= _LONGEST for value in values):
            raise NotUnderstood(f"{name} is empty or too long.")
    for each in kind.parameters:
        if each.is_required and each.name not in sent:
            raise NotUnderstood(f"{each.name} is needed.")
    format_of(sent.get(FORMAT, ()))
    return Search(
        {name: tuple(sent[name]) for name in own if name in sent},
        _count(sent.get(COUNT, ())),
        next(iter(sent.get(AFTER, ())), None),
    )


def format_of(values: Sequence[str]) -> None:
    """Refuse every form of an answer but JSON.

    Raises:
        NotUnderstood
    """
    for value in values:
        if value not in FORMATS:
            raise NotUnderstood(f"{FORMAT} can only be json.")


def nothing_else(sent: Mapping[str, Sequence[str]]) -> None:
    """Refuse parameters where one resource is read by its id.

    Raises:
        NotUnderstood
    """
    for name in sent:
        if name != FORMAT:
            raise NotUnderstood(f"{_short(name)} is no parameter here.")
    format_of(sent.get(FORMAT, ()))


def _count(values: Sequence[str]) -> int:
    if not values:
        return USUAL_COUNT
    is_number = re.fullmatch(r"[0-9]{1,3}", values[0]) is not None
    if not is_number or not 1 <= int(values[0]) <= MOST_COUNT:
        raise NotUnderstood(f"{COUNT} is a number from 1 to {MOST_COUNT}.")
    return int(values[0])


def _short(name: str) -> str:
    return name if len(name) <= 40 else f"{name[:40]}…"  # noqa: PLR2004


def reference(value: str | None) -> str:
    """Return the id in a reference to a patient: Patient/ and the id, or the id alone."""
    return (value or "").removeprefix("Patient/")


def record_number(value: str) -> str | None:
    """Return the record number in an identifier; None: it has a system, and ours have none."""
    system, bar, number = value.rpartition("|")
    return None if bar and system else number


def dates(wanted: Search, name: str) -> list[DateAsked]:
    """Return the dates that a search asks for as the parameter ``name``.

    Raises:
        NotUnderstood
    """
    return [DateAsked.of(value, name) for value in wanted.values.get(name, ())]


Code = tuple[str | None, str]


def codes(value: str | None) -> list[Code] | None:
    """Return the codes that were asked for, each with its system or None for any; None: all.

    Raises:
        NotUnderstood
    """
    if value is None:
        return None
    found = []
    for each in value.split(","):
        system, bar, code = each.rpartition("|")
        if not code:
            raise NotUnderstood("code: write code or system|code, with commas between.")
        found.append((system if bar else None, code))
    if len(found) > MOST_CODES:
        raise NotUnderstood(f"code: at most {MOST_CODES} at once.")
    return found


def kinds_of(wanted: Sequence[Code] | None) -> frozenset[MeasureKind]:
    """Return the measures that must be read for Observations of the codes ``wanted``.

    Both blood pressures go together: whether one stands alone depends on the other.
    """
    found = {kind for kind in MeasureKind if _is_wanted(_codings(kind), wanted)}
    if found.intersection(PRESSURES) or _is_wanted([(LOINC, PANEL)], wanted):
        found.update(PRESSURES)
    return frozenset(found)


def is_of_codes(observation: Resource, wanted: Sequence[Code] | None) -> bool:
    """Say whether an Observation is of one of the codes ``wanted``."""
    codings = [(each["system"], each["code"]) for each in observation["code"]["coding"]]
    return _is_wanted(codings, wanted)


def _codings(kind: MeasureKind) -> list[tuple[str, str]]:
    loinc = REGISTRY[kind].loinc
    return [(OWN, kind.value), *([(LOINC, loinc)] if loinc else [])]


def _is_wanted(codings: Sequence[tuple[str, str]], wanted: Sequence[Code] | None) -> bool:
    if wanted is None:
        return True
    return any(
        code == mine and system in {None, its} for system, code in wanted for its, mine in codings
    )
