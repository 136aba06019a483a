"""The patients of a list as FHIR R4, for other systems: NDJSON, one file a kind of resource."""

import json
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.accounts.rules import Actor
from outreach.exports.contents import listed
from outreach.exports.models import Export
from outreach.exports.rules import Trouble
from outreach.fhir import told
from outreach.fhir.rules.resources import OWN, Resource, Status
from outreach.patients.models import Patient

Tell = Callable[[int, int | None], None]
Part = TypeVar("Part")
AT_ONCE = 500  # patients, or lines
_ABOUT = """\
{made}
{filters}
FHIR R4 (4.0.1) as NDJSON: one resource a line, UTF-8.
Patient.ndjson        {patients} patients of the list, by record number.
                      {anonymised} of the list were anonymised and are left out.
Observation.ndjson    {observations} readings and scores of questionnaires: {statuses}.
                      A corrected one keeps its id and has the value that counts today: put it
                      in the place of the one you have. What was entered in error or taken back
                      keeps its id too, without a value. Units are UCUM. Codes are LOINC;
                      {own}
                      is the system of our own codes.
Communication.ndjson  {communications} completed calls by nonmedical callers. No visit, no words.

Brought into this product again: Patient and Observation come in, once. Not taken: HI and LO
(values with a comparator), telephone numbers marked old, Communication. Refused, with the reason:
a patient without a working number, a blood sugar so low that it may be in mmol/L. What was brought
in before stays as it is. Where a newer file corrects it the import says so, and a person corrects
it; what a newer file takes back (entered-in-error) is passed over.
The clinic that a file came from knows its own readings again and changes nothing.
"""


def write_zip(
    session: Session, actor: Actor, asked: Export, path: Path, *, tell: Tell
) -> tuple[Trouble | None, int]:
    """Write the list that was asked for to ``path``; return what is in the way, and its rows."""
    found = listed(session, actor, asked)
    if found is None:
        return Trouble.SEARCH_IS_OVER, 0
    ids: list[int] = []
    done = 0
    counts: Counter[str] = Counter()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, resources in (
            ("Patient", _patients(session, found.patients(), ids, counts)),
            ("Observation", _of_each(session, ids, told.observations)),
            ("Communication", _of_each(session, ids, _communications)),
        ):
            parts = _parts(resources)
            first = next(parts, None)
            if first is None:  # no file rather than an empty one, which nobody can read
                continue
            with file.open(f"{name}.ndjson", "w", force_zip64=True) as out:
                for some in chain([first], parts):
                    out.write("".join(map(_line, some)).encode())
                    counts.update(_counted(some))
                    done += len(some)
                    tell(done, None)
        file.writestr("read-me-first.txt", _about(found.about, counts))
    return None, done


def _line(resource: Resource) -> str:
    return json.dumps(resource, ensure_ascii=False, separators=(",", ":")) + "\n"


def _counted(resources: Sequence[Resource]) -> Iterator[str]:
    """Yield of what kind each is, and an Observation's status too."""
    for resource in resources:
        yield resource["resourceType"]
        if resource["resourceType"] == "Observation":
            yield resource["status"]


def _about(about: Sequence[tuple[str, str]], counts: Counter[str]) -> str:
    (_made, made), *filters = about
    return _ABOUT.format(
        made=made,
        filters="\n".join(f"{what}: {words}" for what, words in filters),
        own=OWN,
        patients=counts["Patient"],
        anonymised=counts["anonymised"],
        observations=counts["Observation"],
        statuses=", ".join(f"{counts[status]} {status}" for status in Status),
        communications=counts["Communication"],
    )


def _patients(
    session: Session, lists: Iterable[Sequence[Patient]], ids: list[int], counts: Counter[str]
) -> Iterator[Resource]:
    """Yield the Patients of a list, and note their ids: what else is told is theirs.

    Who was anonymised is only counted.
    """
    clinics = {row.id: row.name for row in session.execute(select(Clinic.id, Clinic.name))}
    for everybody in lists:
        gone = told.anonymised(session, [patient.id for patient in everybody])
        some = [patient for patient in everybody if patient.id not in gone]
        counts["anonymised"] += len(gone)
        ids.extend(patient.id for patient in some)
        yield from told.patients(session, some, clinics)


def _of_each(
    session: Session,
    ids: list[int],
    ask: Callable[[Session, Sequence[int]], Iterator[Resource]],
) -> Iterator[Resource]:
    for some in _parts(ids):
        yield from ask(session, some)


def _communications(session: Session, ids: Sequence[int]) -> Iterator[Resource]:
    return (resource for _call, resource in told.communications(session, ids))


def _parts(everything: Iterable[Part]) -> Iterator[list[Part]]:
    rest = iter(everything)
    while some := list(islice(rest, AT_ONCE)):
        yield some
