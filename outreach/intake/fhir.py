"""FHIR R4: from the resources of a Bundle or of NDJSON to values.

Whatever is not as the standard says is passed over or reported; nothing here may raise.
Sources: hl7.org/fhir/R4 patient.html, datatypes.html.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from outreach.intake import fhir_visits
from outreach.intake.fhir_observations import read as read_observation
from outreach.intake.fhir_values import id_of, objects, text
from outreach.intake.files import json_object
from outreach.intake.rules import (
    Absent,
    Frame,
    Incoming,
    IncomingPatient,
    Note,
    PassedOver,
    Problem,
    Refused,
    fields,
)
from outreach.patients.rules import Sex

T = TypeVar("T")


def from_bundle(bundle: dict[str, Any], frame: Frame) -> Iterator[Incoming]:
    """Yield what each entry of a Bundle holds; its place counts from 1."""
    for place, entry in enumerate(objects(bundle.get("entry")), start=1):
        resource = entry.get("resource")
        if isinstance(resource, dict):
            yield from _resource(resource, place, frame, full_url=text(entry.get("fullUrl")))
        else:
            yield PassedOver()


def from_lines(lines: Iterable[str], frame: Frame) -> Iterator[Incoming]:
    """Yield what each line of NDJSON holds; its place counts from 1."""
    for place, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        resource = json_object(line)
        if resource is None:
            yield Problem(place, "", "this line is not one whole JSON object")
        else:
            yield from _resource(resource, place, frame, full_url="")


def _resource(
    resource: dict[str, Any], place: int, frame: Frame, *, full_url: str
) -> Iterator[Incoming]:
    kind = resource.get("resourceType")
    if kind == "Patient":
        own = (id_of(text(resource.get("id"))), id_of(full_url))
        ids = tuple(dict.fromkeys(each for each in own if each))
        yield from _Patient(resource, place, frame, ids).values()
    elif kind == "Observation":
        yield from read_observation(resource, place, frame)
    elif kind == "Encounter":
        yield from fhir_visits.encounter(resource, place, frame)
    elif kind == "Appointment":
        yield from fhir_visits.appointment(resource, place, frame)
    else:
        yield PassedOver()


class _Patient:
    """One Patient while it is checked: every part is looked at, so that all is said at once."""

    def __init__(
        self, resource: dict[str, Any], place: int, frame: Frame, ids: tuple[str, ...]
    ) -> None:
        self.resource, self.place, self.frame, self.ids = resource, place, frame, ids
        self.problems: list[Problem] = []
        self.notes: list[Note] = []

    def values(self) -> Iterator[Incoming]:
        """Yield the patient and the notes, or the problems and that nobody came in."""
        if self.resource.get("deceasedBoolean") is True or self.resource.get("deceasedDateTime"):
            yield Note(self.place, "deceased", "has died; passed over")
            yield Absent(self.ids, is_deceased=True)
            return
        patient = self._patient()
        if self.problems:
            yield from self.problems
            yield Absent(self.ids, is_deceased=False)
        else:
            yield from self.notes
            yield patient

    def _take(self, name: str, check: Callable[[str], T], value: str, otherwise: T) -> T:
        try:
            return check(value)
        except Refused as refusal:
            self.problems.append(Problem(self.place, name, str(refusal)))
            return otherwise

    def _patient(self) -> IncomingPatient:
        official, usual = self._name("official"), self._name("usual", "nickname")
        today = self.frame.today()
        return IncomingPatient(
            record_number=self._take(
                "identifier", lambda c: fields.words(c, most=60), self._record_number(), ""
            ),
            given_name=self._take(
                "name.given", lambda c: fields.words(c, most=120), _given(official), ""
            ),
            family_name=self._take(
                "name.family",
                lambda c: fields.words(c, most=120),
                text(official.get("family")),
                "",
            ),
            preferred_name=self._preferred(official, usual),
            date_of_birth=self._take(
                "birthDate",
                lambda c: fields.date_of_birth(c, today=today),
                text(self.resource.get("birthDate")),
                today,
            ),
            sex=_sex(text(self.resource.get("gender"))),
            phones=self._phones(),
            language=self._language(),
            zone=self.frame.zone,
            state=self._state(),
            external_ids=self.ids,
            line=self.place,
        )

    def _state(self) -> str | None:
        """Return the state of their home; one that nobody knows is passed over with a note."""
        homes = [each for each in objects(self.resource.get("address")) if text(each.get("state"))]
        for address in sorted(homes, key=lambda each: each.get("use") != "home"):
            try:
                return fields.state(text(address.get("state")), region=self.frame.region)
            except Refused as refusal:
                self.notes.append(Note(self.place, "address.state", str(refusal)))
        return None

    def _name(self, *uses: str) -> dict[str, Any]:
        """Return the name of the first of ``uses`` there is; 'official' may be unmarked."""
        names = objects(self.resource.get("name"))
        for use in uses:
            for name in names:
                if name.get("use") == use:
                    return name
        return names[0] if names and "official" in uses else {}

    def _preferred(self, official: dict[str, Any], usual: dict[str, Any]) -> str | None:
        name = _given(usual)
        if not name or name == _given(official):
            return None
        return self._take("name.given", lambda c: fields.optional_words(c, most=120), name, None)

    def _record_number(self) -> str:
        """Return the identifier that is a medical record number (MR), else the resource id."""
        for identifier in objects(self.resource.get("identifier")):
            kind = identifier.get("type")
            codings = objects(kind.get("coding")) if isinstance(kind, dict) else []
            if any(coding.get("code") == "MR" for coding in codings):
                return text(identifier.get("value"))
        return text(self.resource.get("id"))

    def _phones(self) -> tuple[str, ...]:
        """Return every number that can be read, mobile ones first; one is needed.

        A health record's numbers may be out of use: those come in with a note, since
        nobody here can correct the record.
        """
        telecoms = [each for each in objects(self.resource.get("telecom")) if _is_phone(each)]
        if not telecoms:
            reason = "there is no phone number; add one to the record, then export again"
            self.problems.append(Problem(self.place, "telecom", reason))
            return ()
        found: list[str] = []
        refusals: list[str] = []
        for telecom in sorted(telecoms, key=lambda each: each.get("use") != "mobile"):
            try:
                found.append(self._phone(text(telecom.get("value"))))
            except Refused as refusal:
                refusals.append(str(refusal))
        if found:
            self.notes.extend(Note(self.place, "telecom", reason) for reason in refusals)
        else:
            self.problems.extend(Problem(self.place, "telecom", reason) for reason in refusals)
        return tuple(dict.fromkeys(found))

    def _phone(self, written: str) -> str:
        number, is_in_use = fields.possible_phone(written, region=self.frame.region)
        if not is_in_use:
            reason = f"{fields.shown(number)} is not a number in use; it was taken, check it"
            self.notes.append(Note(self.place, "telecom", reason))
        return number

    def _language(self) -> str:
        spoken = objects(self.resource.get("communication"))
        for each in sorted(spoken, key=lambda each: each.get("preferred") is not True):
            language = each.get("language")
            for coding in objects(language.get("coding") if isinstance(language, dict) else None):
                if code := text(coding.get("code")):
                    return self._take("communication", fields.language, code, "")
        self.notes.append(
            Note(self.place, "communication", "names no language; English is assumed")
        )
        return "en"


def _given(name: dict[str, Any]) -> str:
    parts = name.get("given")
    return " ".join(text(part) for part in parts).strip() if isinstance(parts, list) else ""


def _is_phone(telecom: dict[str, Any]) -> bool:
    return telecom.get("system") in ("phone", "sms") and telecom.get("use") != "old"


def _sex(gender: str) -> Sex:
    return Sex(gender) if gender in list(Sex) else Sex.UNKNOWN
