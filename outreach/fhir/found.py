"""What other systems find: resources of one clinic, a page at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, islice
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic
from outreach.accounts.rules import Scope
from outreach.accounts.scoping import visible
from outreach.calls.models import Attempt
from outreach.errors import NotFound
from outreach.fhir import told
from outreach.fhir.rules import NotUnderstood, asked, resources
from outreach.fhir.rules.asked import AFTER, UPDATED, Cursor, Search
from outreach.fhir.rules.dates import DateAsked, Prefix, moment_of, span_of
from outreach.fhir.rules.resources import Measured, Resource
from outreach.measures.models import Reading
from outreach.measures.readings import firsts
from outreach.measures.rules.outside import reading_named
from outreach.patients.models import Anonymised, Patient
from outreach.web.bounded import LARGEST

# A reading of which only the day is known stands at noon: its day reaches half a day around.
_AROUND = timedelta(days=2)


class NoSuchResource(NotFound):
    """There is none, it is another clinic's, or whose it was has been anonymised."""


@dataclass(frozen=True)
class Found:
    """One page. ``after`` is where the next begins, None behind the last page.

    ``patient_ids``: whose data is on the page, or would be if there were any. ``is_list``: it is
    a list of patients.
    """

    page: list[Resource]
    after: str | None = None
    patient_ids: tuple[int, ...] = ()
    is_list: bool = False


def patients(session: Session, clinic_id: int, search: Search) -> Found:
    """Return a page of patients, in the order in which they came to us.

    Raises:
        NotUnderstood
    """
    conditions = [_is_there(clinic_id)]
    ref, identifier = search.one("_id"), search.one("identifier")
    if ref is not None:
        conditions.append(Patient.ref == ref)
    if identifier is not None:
        number = asked.record_number(identifier)
        if number is None:
            return Found([])
        conditions.append(Patient.record_number == number)
    if search.after is not None:
        conditions.append(Patient.id > _ended_at(session, clinic_id, search.after))
    rows = session.scalars(
        select(Patient).where(*conditions).order_by(Patient.id).limit(search.count + 1)
    ).all()
    page = rows[: search.count]
    after = page[-1].ref if len(rows) > search.count else None
    is_list = ref is None and identifier is None
    ids = tuple(each.id for each in page)
    return Found(_as_patients(session, clinic_id, page), after, ids, is_list=is_list)


def patient(session: Session, clinic_id: int, ref: str) -> Found:
    """Return one patient.

    Raises:
        NoSuchResource
    """
    found = _one(session, clinic_id, ref)
    return Found(_as_patients(session, clinic_id, [found]), None, (found.id,))


def observations(session: Session, clinic_id: int, search: Search) -> Found:
    """Return a page of what was measured of one patient, oldest first.

    Raises:
        NotUnderstood
    """
    wanted, dates = asked.codes(search.one("code")), asked.dates(search, "date")
    changed = asked.dates(search, UPDATED)
    cursor = Cursor.of(search.after)
    person = _one_or_none(session, clinic_id, asked.reference(search.one("patient")))
    if person is None:
        return Found([])
    zone = ZoneInfo(person.zone)
    conditions: list[ColumnElement[bool]] = [Reading.kind.in_(sorted(asked.kinds_of(wanted)))]
    conditions += [condition for each in dates for condition in _near(each, zone)]
    if cursor:
        conditions.append(Reading.taken_at >= cursor.at)
    readings = (
        each
        for each in told.measured(session, [person.id], *conditions)
        if all(date.is_met(span_of(each), zone) for date in dates)
    )
    numbered = (
        (place, resource)
        for place, resource in _numbered(readings)
        if asked.is_of_codes(resource, wanted)
        and all(each.is_met(moment_of(_changed_at(resource)), zone) for each in changed)
        and (cursor is None or (place.at, place.number) > (cursor.at, cursor.number))
    )
    return _page(numbered, search.count, person.id)


def observation(session: Session, clinic_id: int, name: str) -> Found:
    """Return one Observation by its id, with the value that counts today.

    Raises:
        NoSuchResource
    """
    ref = name.removeprefix("reading-").rpartition("-")[0]
    person = _one(session, clinic_id, ref)
    first_id = reading_named(ref, name)
    chain = [
        reading_id for reading_id, first in firsts(session, [person.id]).items()
        if first == first_id
    ]  # fmt: skip
    at = select(Reading.taken_at).where(
        Reading.patient_id == person.id,
        Reading.id.in_([*chain, *([first_id] if _is_row_id(first_id) else [])]),
    )
    readings = told.measured(session, [person.id], Reading.taken_at.in_(at))
    for resource in resources.observations(readings):
        if resource["id"] == name:
            return Found([resource], None, (person.id,))
    raise NoSuchResource("There is no such Observation.")


def communications(session: Session, clinic_id: int, search: Search) -> Found:
    """Return a page of the completed calls with one patient, oldest first.

    Raises:
        NotUnderstood
    """
    cursor, changed = Cursor.of(search.after), asked.dates(search, UPDATED)
    person = _one_or_none(session, clinic_id, asked.reference(search.one("patient")))
    if person is None:
        return Found([])
    conditions = [_is_changed(each, ZoneInfo(person.zone)) for each in changed]
    if cursor:
        is_same = (Attempt.at == cursor.at) & (Attempt.id > min(cursor.number, LARGEST))
        conditions.append(or_(Attempt.at > cursor.at, is_same))
    calls = told.communications(
        session, [person.id], *conditions, most=search.count + 1, has_taken_back=True
    )
    numbered = ((Cursor(call.at, call.id), resource) for call, resource in calls)
    return _page(numbered, search.count, person.id)


def communication(session: Session, clinic_id: int, name: str) -> Found:
    """Return one completed call by its id.

    Raises:
        NoSuchResource
    """
    digits = name.removeprefix("call-")
    row = session.execute(
        select(Patient.id, Attempt.id)
        .join(Attempt, Attempt.patient_id == Patient.id)
        .where(Attempt.id == min(int(digits), LARGEST), _is_there(clinic_id))
    ).one_or_none()
    if row is not None:
        is_it = Attempt.id == row[1]
        for _call, resource in told.communications(session, [row[0]], is_it, has_taken_back=True):
            if resource["id"] == name:
                return Found([resource], None, (row[0],))
    raise NoSuchResource("There is no such Communication.")


def _page(numbered: Iterator[tuple[Cursor, Resource]], count: int, patient_id: int) -> Found:
    some = list(islice(numbered, count + 1))
    after = some[count - 1][0].written() if len(some) > count else None
    return Found([resource for _place, resource in some[:count]], after, (patient_id,))


def _numbered(readings: Iterator[Measured]) -> Iterator[tuple[Cursor, Resource]]:
    """Yield each Observation with its place: its instant, and which of that instant it is."""
    for at, group in groupby(readings, key=lambda each: each.taken_at):
        for number, resource in enumerate(resources.observations(group), start=1):
            yield Cursor(at, number), resource


def _near(date: DateAsked, zone: ZoneInfo) -> Iterator[ColumnElement[bool]]:
    """Yield what is true in the database of all that meets a date, and of little more."""
    span = date.span(zone)
    if date.prefix not in {Prefix.LE, Prefix.LT}:
        yield Reading.taken_at > span.begins - _AROUND
    if date.prefix not in {Prefix.GE, Prefix.GT}:
        is_before = Reading.taken_at < span.ends + _AROUND
        yield or_(is_before, Reading.begins_on.is_not(None))


def _changed_at(resource: Resource) -> datetime:
    return datetime.fromisoformat(resource["meta"]["lastUpdated"])


def _is_changed(date: DateAsked, zone: ZoneInfo) -> ColumnElement[bool]:
    """Return the condition that a call, whose change is a moment, changed so to the date."""
    span, at = date.span(zone), told.CALL_CHANGED_AT
    match date.prefix:
        case Prefix.EQ:
            return (at >= span.begins) & (at < span.ends)
        case Prefix.GT:
            return at >= span.ends
        case Prefix.LT:
            return at < span.begins
        case Prefix.GE:
            return at >= span.begins
        case Prefix.LE:
            return at < span.ends


def _is_there(clinic_id: int) -> ColumnElement[bool]:
    """Return the condition that a patient is of the clinic and was not anonymised."""
    scope = Scope(staff_id=0, everything=False, clinic_ids=frozenset({clinic_id}))
    is_gone = exists().where(Anonymised.patient_id == Patient.id)
    return visible(scope, Patient.clinic_id, Patient.id) & ~is_gone


def _one_or_none(session: Session, clinic_id: int, ref: str) -> Patient | None:
    return session.scalar(select(Patient).where(Patient.ref == ref, _is_there(clinic_id)))


def _one(session: Session, clinic_id: int, ref: str) -> Patient:
    found = _one_or_none(session, clinic_id, ref)
    if found is None:
        raise NoSuchResource("There is no such Patient.")
    return found


def _ended_at(session: Session, clinic_id: int, ref: str) -> int:
    """Return the id of the patient with whom a page ended; anonymised since, they still are it."""
    found = session.scalar(
        select(Patient.id).where(Patient.ref == ref, Patient.clinic_id == clinic_id)
    )
    if found is None:
        raise NotUnderstood(f"{AFTER} is no place where a page ended.")
    return found


def _as_patients(session: Session, clinic_id: int, some: Sequence[Patient]) -> list[Resource]:
    clinic = session.execute(select(Clinic.id, Clinic.name).where(Clinic.id == clinic_id)).one()
    return list(told.patients(session, some, {clinic.id: clinic.name}))


def _is_row_id(number: int | None) -> bool:
    return number is not None and number <= LARGEST
