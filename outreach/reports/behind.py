"""Who stands behind a figure: the patients of a list, a page at a time."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from outreach.accounts.scoping import visible_clinics
from outreach.among import among
from outreach.patients.models import Patient
from outreach.reports.asked import Here
from outreach.searching.directory import Directory
from outreach.searching.names import By

PAGE = 100
MOST_PAGES = 10_000  # No clinic has a million patients.


@dataclass(frozen=True)
class Person:
    """A patient as lists name them."""

    id: int
    ref: str
    name: str
    record_number: str


@dataclass(frozen=True)
class Page:
    """Some of ``total`` people, by name. ``number`` counts from 1."""

    total: int
    number: int
    people: Sequence[Person]

    @property
    def first(self) -> int:
        """The place of the first one shown, 0 where there is none."""
        return (self.number - 1) * PAGE + 1 if self.people else 0

    @property
    def last(self) -> int:
        """The place of the last one shown."""
        return (self.number - 1) * PAGE + len(self.people)

    @property
    def has_more(self) -> bool:
        """Whether another page follows."""
        return self.last < self.total


def page_of(
    session: Session,
    here: Here,
    patient_ids: Sequence[int],
    number: int,
    *,
    is_ordered: bool = False,
) -> Page:
    """Return page ``number`` of these patients of a clinic, the nearest there can be.

    They come by family name, or with ``is_ordered`` in the order of ``patient_ids``.
    """
    number = min(max(1, number), MOST_PAGES)
    wanted = list(dict.fromkeys(patient_ids))
    if not is_ordered:
        wanted = Directory(session, [here.clinic_id]).sorted(wanted, By.NAME)
    skipped = (number - 1) * PAGE
    shown = wanted[skipped : skipped + PAGE]
    people = [_person(*row) for row in session.execute(_chosen(here, shown))]
    place = {patient_id: index for index, patient_id in enumerate(shown)}
    people.sort(key=lambda person: place[person.id])
    return Page(len(wanted), number, people)


def named(session: Session, here: Here, patient_ids: Iterable[int]) -> Mapping[int, Person]:
    """Return these patients of a clinic as lists name them, by id."""
    rows = session.execute(_chosen(here, set(patient_ids)).order_by(Patient.id))
    return {person.id: person for person in (_person(*row) for row in rows)}


def _chosen(here: Here, patient_ids: Collection[int]) -> Select[*tuple[Any, ...]]:
    columns = (Patient.given_name, Patient.family_name, Patient.record_number)
    return select(Patient.id, Patient.ref, *columns).where(
        Patient.clinic_id == here.clinic_id,
        visible_clinics(here.scope, Patient.clinic_id),
        among(Patient.id, sorted(patient_ids)),
    )


def _person(patient_id: int, ref: str, given: str, family: str, record: str) -> Person:
    return Person(patient_id, ref, f"{given} {family}", record)
