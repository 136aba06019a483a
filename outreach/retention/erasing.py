"""Taking away what names a patient: dates, counts and measured values stay as they are."""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from secrets import token_hex
from typing import Any

from sqlalchemy import Column, Select, Table, bindparam, delete, func, select, update
from sqlalchemy.orm import Session

from outreach import orm
from outreach.among import among
from outreach.audit import trail
from outreach.calls.models import CallNote
from outreach.messaging.models import Message
from outreach.orm import Model
from outreach.patients import registry
from outreach.patients.models import UNRANKED, Anonymised, Patient, PatientBefore
from outreach.patients.rules import Cause
from outreach.programmes.models import Enrolment, EnrolmentBefore
from outreach.reports.breakdown import AGE_BANDS
from outreach.reports.rules import glycaemic
from outreach.retention import due
from outreach.retention.models import DeletionRequest
from outreach.retention.rules import Decision, birth, erasing
from outreach.searching.models import Kind, SearchBacklog

# The birthdays with which a patient moves to another group of a report or a research file.
EDGES = tuple(
    sorted(
        {low for low, _high in AGE_BANDS if low}
        | {glycaemic.YOUNGEST, glycaemic.OLDEST + 1}
        | set(range(10, 130, 10))
    )
)
# Reports of the year in which somebody left ask for their age on its last day.
ASKED_AFTER = timedelta(days=366)


def anonymise(session: Session, patient_id: int, *, now: datetime) -> bool:
    """Take away what names a patient who is due; say whether it was done. Does not commit.

    Whether they are due is asked again here, behind a lock that a hold, and every row that is
    added of them, waits for.
    """
    _lock_wholly(session, patient_id)
    if not due.is_due(session, patient_id, now=now):
        return False
    patient = session.get_one(Patient, patient_id)
    patient_clinic = patient.clinic_id
    number = patient.record_number
    is_asked = due.is_asked(session, patient_id)
    row = {
        "patient_id": patient_id,
        "clinic_id": patient_clinic,
        "cause": Cause.REQUEST if is_asked else Cause.SCHEDULE,
        "at": now,
        "record_hash": registry.anonymised_as(number),
    }
    if not orm.insert_new(session, Anonymised, [row]):
        return False
    coarser = _coarser_births(session, patient, now=now)
    _erase_shared(session, patient_id)
    _replace_numbers(session, patient_id)
    _replace_bodies(session, patient_id)
    _delete_rows(session, patient_id)
    _replace_texts(session, patient_id)
    for before in session.scalars(select(PatientBefore).filter_by(patient_id=patient_id)).all():
        before.date_of_birth = coarser(before.date_of_birth)
    session.flush()  # below it all is expired
    _set(
        session,
        "patient",
        patient_id,
        {
            "record_number": f"removed-{token_hex(8)}",
            "date_of_birth": coarser(patient.date_of_birth),
            "weekdays": 0,
            # Where a place of theirs is left, it says between which names theirs was.
            "name_rank": UNRANKED,
            "record_rank": UNRANKED,
        },
    )
    session.execute(
        update(DeletionRequest)
        .where(
            DeletionRequest.patient_id == patient_id,
            DeletionRequest.decision == Decision.GRANTED,
            DeletionRequest.done_at.is_(None),
        )
        .values(done_at=now)
    )
    trail.record(
        session,
        "anonymised",
        actor_id=None,
        now=now,
        clinic_id=patient_clinic,
        patient_id=patient_id,
        about=("patient", patient_id),
    )
    session.expire_all()
    return True


def _lock_wholly(session: Session, patient_id: int) -> None:
    """Let nobody hold this patient, nor add a row of theirs, until the transaction ends.

    A row that refers to a patient takes a share of the key: the lock that a hold takes leaves
    that free, this one does not.
    """
    session.execute(select(Patient.id).where(Patient.id == patient_id).with_for_update())


def _coarser_births(session: Session, patient: Patient, *, now: datetime) -> Callable[[date], date]:
    """Return what makes a date of birth tell less, on the days that reports ask about."""
    of_patient = Enrolment.patient_id == patient.id
    first, last = session.execute(
        select(func.min(Enrolment.starts_on), func.max(Enrolment.status_at)).where(of_patient)
    ).one()
    before = session.scalar(
        select(func.min(EnrolmentBefore.starts_on)).where(EnrolmentBefore.patient_id == patient.id)
    )
    days = [first, before, patient.created_at.date()]
    begins = min(day for day in days if day is not None)
    ends = (last or patient.created_at).date() + ASKED_AFTER
    return lambda born_on: birth.coarser(born_on, begins, min(ends, now.date()), EDGES)


def _delete_rows(session: Session, patient_id: int) -> None:
    notes = session.scalars(select(CallNote.id).where(CallNote.patient_id == patient_id)).all()
    for kind, ids in ((Kind.NOTE, notes), (Kind.PATIENT, [patient_id])):
        session.execute(
            delete(SearchBacklog).where(
                SearchBacklog.kind == kind.value, among(SearchBacklog.source_id, ids)
            )
        )
    for name in erasing.DELETED:
        table = Model.metadata.tables[name]
        session.execute(delete(table).where(_of(table, patient_id)))


def _replace_texts(session: Session, patient_id: int) -> None:
    for name, values in erasing.REPLACED.items():
        _set(session, name, patient_id, values)


def _set(session: Session, name: str, patient_id: int, values: Any) -> None:
    table = Model.metadata.tables[name]
    session.execute(update(table).where(_of(table, patient_id)).values(values))


def _replace_bodies(session: Session, patient_id: int) -> None:
    """Put a text of its own in the place of each: a check still tells one from another."""
    table = Model.metadata.tables["message"]
    ids = session.scalars(select(Message.id).where(Message.patient_id == patient_id)).all()
    _write(session, table.c.body, {each: f"[removed {each}]" for each in ids})


def _replace_numbers(session: Session, patient_id: int) -> None:
    found: dict[str, list[tuple[int, str]]] = {}
    for name, column in erasing.NUMBERS.items():
        table = Model.metadata.tables[name]
        rows = session.execute(
            select(table.c.id, table.c[column])
            .where(table.c.patient_id == patient_id)
            .order_by(table.c.id)
        )
        found[name] = [(row_id, number) for row_id, number in rows]
    instead = erasing.pseudonyms([number for rows in found.values() for _id, number in rows])
    for name, column in erasing.NUMBERS.items():
        of_table = Model.metadata.tables[name].c[column]
        _write(session, of_table, {row_id: instead[number] for row_id, number in found[name]})


def _write(session: Session, column: Column[Any], values: dict[int, str]) -> None:
    """Give ``column`` of each row, by id, its own value."""
    if not values:
        return
    table = column.table
    statement = (
        update(table).where(table.c.id == bindparam("row")).values({column: bindparam("instead")})
    )
    session.connection().execute(
        statement, [{"row": row, "instead": value} for row, value in values.items()]
    )


def _erase_shared(session: Session, patient_id: int) -> None:
    """Take texts and calls that belong to a number, unless somebody else has it still."""
    links = {
        "inbound_text": (("inbox_item", "inbound_id"),),
        "phone_call": (("returned_call", "phone_call_id"),),
    }
    for name, through in links.items():
        table = Model.metadata.tables[name]
        for linked_name, column in through:
            linked = Model.metadata.tables[linked_name]
            ids = session.scalars(_only_of(linked, linked.c[column], patient_id)).all()
            values = erasing.SHARED[name]
            session.execute(update(table).where(among(table.c.id, ids)).values(values))
            if name == "inbound_text":
                _erase_answers(session, ids)


def _erase_answers(session: Session, inbound_ids: Iterable[int]) -> None:
    """Take the answers to texts that are nobody's: they say the number once more."""
    table = Model.metadata.tables["message"]
    ids = session.scalars(
        select(table.c.id).where(
            among(table.c.inbound_id, list(inbound_ids)),
            table.c.patient_id.is_(None),
            table.c.staff_id.is_(None),
        )
    ).all()
    _write(session, table.c.body, {each: f"[removed {each}]" for each in ids})
    session.execute(
        update(table).where(among(table.c.id, ids)).values(to_number="removed", provider_id=None)
    )


def _only_of(linked: Table, column: Column[Any], patient_id: int) -> Select[int]:
    """Select what leads to this patient and to nobody else who still has a name."""
    other = linked.alias()
    gone = Model.metadata.tables["anonymised"]
    of_others = (
        select(other.c.id)
        .where(
            other.c[column.name] == column,
            other.c.patient_id.is_not(None),
            other.c.patient_id != patient_id,
            ~select(gone.c.patient_id).where(gone.c.patient_id == other.c.patient_id).exists(),
        )
        .exists()
    )
    return select(column).where(linked.c.patient_id == patient_id, ~of_others)


def _of(table: Table, patient_id: int) -> Any:
    """Return the condition that a row belongs to a patient, by itself or through another table."""
    if table.name == "patient":
        return table.c.id == patient_id
    if "patient_id" in table.c:
        return table.c.patient_id == patient_id
    column, leads_to = erasing.THROUGH[table.name]
    parent = Model.metadata.tables[leads_to]
    return table.c[column].in_(select(parent.c.id).where(_of(parent, patient_id)))
