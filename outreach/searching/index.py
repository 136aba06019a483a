"""Keeping the index: a note is indexed in the transaction that writes it.

Notes written through the session are followed by themselves, whoever writes them. Patients are
indexed only for the release before, as long as it may run: we look for them in the directory.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, event, exists, func, insert, inspect, literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapper, Session

from outreach import bulk
from outreach.among import among
from outreach.calls.models import CallNote
from outreach.patients.models import Patient
from outreach.searching import hashed
from outreach.searching.models import Kind, SearchBacklog, SearchEntry
from outreach.searching.rules import words_of, words_of_names

BATCH = 500
_SEARCHED = (
    Patient.clinic_id,
    Patient.given_name,
    Patient.family_name,
    Patient.preferred_name,
    Patient.record_number,
)


class Named(NamedTuple):
    """What is searched of a patient, for who has it at hand."""

    id: int
    clinic_id: int
    given_name: str
    family_name: str
    preferred_name: str | None
    record_number: str


def add_patients(session: Session, ids: Sequence[int]) -> None:
    """Index patients for the release before. Does not commit."""
    if not hashed.is_searched_by_older():
        return
    _keep(session.connection(), map(_patient_entry, _rows_of_patients(session, ids)))


def add_named(session: Session, patients: Iterable[Named]) -> None:
    """As :func:`add_patients`, for newcomers: what was just encrypted need not be decrypted."""
    if not hashed.is_searched_by_older():
        return
    bulk.write_new(session.connection(), SearchEntry, map(_patient_entry, patients))


def work_off_backlog(session: Session, *, most: int = BATCH) -> int:
    """Index some of what was there before the index; return how many. Does not commit."""
    waiting = session.scalars(select(SearchBacklog).order_by(SearchBacklog.id).limit(most)).all()
    notes = [each.source_id for each in waiting if each.kind == Kind.NOTE]
    patients = [each.source_id for each in waiting if each.kind == Kind.PATIENT]
    add_patients(session, patients)
    _keep(session.connection(), map(_note_entry, _rows_of_notes(session, notes)))
    session.execute(delete(SearchBacklog).where(among(SearchBacklog.id, [w.id for w in waiting])))
    return len(waiting)


def waiting(session: Session) -> bool:
    """Say whether anything from before the index is not in it yet."""
    return session.scalar(select(select(SearchBacklog.id).exists())) or False


def rebuild(session: Session) -> int:
    """Empty the index and let every note wait to be indexed anew; return how many rows."""
    session.execute(delete(SearchEntry))
    session.execute(delete(SearchBacklog))
    source = select(literal(Kind.NOTE.value), CallNote.id).order_by(CallNote.id)
    session.execute(insert(SearchBacklog).from_select(["kind", "source_id"], source))
    return session.scalar(select(func.count()).select_from(SearchBacklog)) or 0


def missing(session: Session) -> int:
    """Count the notes that are neither in the index nor wait for it."""
    entry, backlog = SearchEntry, SearchBacklog
    lacking = (
        select(func.count())
        .select_from(CallNote)
        .where(
            ~exists().where(entry.kind == Kind.NOTE, entry.source_id == CallNote.id),
            ~exists().where(backlog.kind == Kind.NOTE, backlog.source_id == CallNote.id),
        )
    )
    return session.scalar(lacking) or 0


def _rows_of_patients(session: Session, ids: Sequence[int]) -> Iterable[Any]:
    rows = select(Patient.id, *_SEARCHED).where(among(Patient.id, ids))
    return session.execute(rows.order_by(Patient.id))


def _rows_of_notes(session: Session, ids: Sequence[int]) -> Iterable[Any]:
    note = CallNote
    return session.execute(
        select(note.id, note.clinic_id, note.patient_id, note.text)
        .where(among(note.id, ids))
        .order_by(note.id)
    )


def _patient_entry(patient: Any) -> dict[str, Any]:
    names = (patient.given_name, patient.family_name, patient.preferred_name)
    return {
        "clinic_id": patient.clinic_id,
        "patient_id": patient.id,
        "kind": Kind.PATIENT,
        "source_id": patient.id,
        "words": hashed.of_names(words_of_names(*names, patient.record_number)),
    }


def _note_entry(note: Any) -> dict[str, Any]:
    return {
        "clinic_id": note.clinic_id,
        "patient_id": note.patient_id,
        "kind": Kind.NOTE,
        "source_id": note.id,
        "words": hashed.of_notes(words_of(note.text)),
    }


def _keep(connection: Connection, entries: Iterable[Mapping[str, Any]]) -> None:
    rows = list(entries)
    if not rows:
        return
    connection.execute(_keeping(connection.dialect.name), rows)


@cache
def _keeping(dialect: str) -> Any:
    insert_here = sqlite.insert if dialect == "sqlite" else postgresql.insert
    statement = insert_here(SearchEntry)
    return statement.on_conflict_do_update(
        index_elements=["kind", "source_id"], set_={"words": statement.excluded.words}
    )


def _follow_patient(_mapper: Mapper[Any], connection: Connection, patient: Patient) -> None:
    if not hashed.is_searched_by_older():
        return
    state = inspect(patient)
    if any(state.attrs[column.key].history.has_changes() for column in _SEARCHED):
        _keep(connection, [_patient_entry(patient)])


def _follow_note(_mapper: Mapper[Any], connection: Connection, note: CallNote) -> None:
    if inspect(note).attrs.text.history.has_changes():
        _keep(connection, [_note_entry(note)])


for _event in ("after_insert", "after_update"):
    event.listen(Patient, _event, _follow_patient)
    event.listen(CallNote, _event, _follow_note)
