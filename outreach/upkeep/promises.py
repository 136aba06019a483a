"""Every promise of the product held against the rows of a database; reads only.

The plan has its own (``planning.checking``), and so has the audit trail (``audit.chain``).
Here are those of texts, calls, the safety net, and of clinics that share a database.
Operators run them after a restore, a copy or trouble: ``flask check invariants``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Table,
    exists,
    select,
)
from sqlalchemy.orm import Session, aliased

from outreach import sealing
from outreach.accounts.models import Clinic
from outreach.audit import chain
from outreach.audit.chain import Head
from outreach.calls.models import CallNote
from outreach.encryption import CannotDecrypt
from outreach.messaging import checking as texts
from outreach.messaging.models import Message
from outreach.messaging.rules import MessageKind
from outreach.orm import Model
from outreach.patients.models import Anonymised
from outreach.planning import checking
from outreach.reports import comparing
from outreach.reports.models import TouchedDays, TouchedEnrolment
from outreach.searching import directory
from outreach.upkeep import rotating
from outreach.upkeep.broken_rows import BY_ROWS, WENT_OUT


@dataclass(frozen=True)
class Breach:
    """A promise that is broken, and the rows of one table that break it."""

    promise: str
    table: str
    ids: tuple[int, ...]


def breaches(
    session: Session, *, now: datetime, every_value: bool = False, kept: Head | None = None
) -> list[Breach]:
    """Return every promise that is broken at ``now``.

    ``every_value``: decrypt all that is encrypted, not only the newest of each column; so it is
    also where one was met that can't be.
    """
    found, is_readable = list[Breach](), True
    for hold in (_of_calls, _of_texts, _of_what_is_derived):
        try:
            for breach in hold(session, now):
                found.append(breach)
        except CannotDecrypt:  # which value that is, is told below
            is_readable = False
    most = None if every_value or not is_readable else rotating.SAMPLE
    found += [
        Breach("what is encrypted can be decrypted with the keys at hand", table, tuple(ids))
        for table, ids in rotating.unreadable(session.connection(), sealing.cipher(), most=most)
    ]
    proof = chain.prove(session, kept=kept)
    if proof.broken:
        promise = f"the audit trail is as it was written: {proof.broken}"
        found.append(Breach(promise, "audit_link", (proof.head.position,)))
    return [each for each in found if each.ids]


def _of_calls(session: Session, now: datetime) -> Iterator[Breach]:
    for each in checking.breaches(session, now=now):
        yield Breach(each.promise, "enrolment", each.enrolment_ids)
    for promise, (table, of) in BY_ROWS.items():
        yield Breach(promise, table.__tablename__, tuple(session.scalars(of(now)).all()))


def _of_texts(session: Session, now: datetime) -> Iterator[Breach]:
    yield Breach("a text goes out once", Message.__tablename__, _sent_twice(session))
    many = tuple(dict.fromkeys(texts.over_limits(session, now=now)))
    yield Breach("nobody gets more texts unasked than their clinic sends", "patient", many)
    late = tuple(texts.at_night(session, now=now))
    yield Breach("nobody is texted unasked at night", Message.__tablename__, late)


def _of_what_is_derived(session: Session, now: datetime) -> Iterator[Breach]:
    differing = tuple(_differing_from_rows(session, now=now))
    yield Breach("roll-ups of reports say what the rows say", "clinic", differing)
    noted = _noted_of_nobody(session)
    yield Breach("of who was anonymised no note is left", "call_note", noted)
    yield from _over_clinics(session.connection())
    misnamed = tuple(directory.differing(session))
    yield Breach("patients are sorted and found by their names", "patient", misnamed)


def _sent_twice(session: Session) -> tuple[int, ...]:
    """Return texts that went out though the same words had, for the same cause.

    Not those to whoever is on call: they are told again, round after round, in the same words,
    and a key of the concern, the round and the person keeps each from being written twice.
    """
    other = aliased(Message)
    suspects = session.execute(
        select(Message.id, Message.cause, Message.kind, Message.to_number, Message.body)
        .where(
            Message.status.in_(WENT_OUT),
            Message.kind != MessageKind.ALERT,
            exists().where(
                other.cause == Message.cause,
                other.kind == Message.kind,
                other.to_number == Message.to_number,
                other.id != Message.id,
                other.status.in_(WENT_OUT),
            ),
        )
        .order_by(Message.id)
    )
    alike: dict[tuple[object, ...], list[int]] = {}
    for row in suspects:
        alike.setdefault(tuple(row[1:]), []).append(row.id)
    return tuple(ids[-1] for ids in alike.values() if len(ids) > 1)


def _differing_from_rows(session: Session, *, now: datetime) -> Iterator[int]:
    """Yield clinics whose roll-ups differ from their rows; not where something waits.

    What waits is counted from rows until then, and whoever writes meanwhile may have said so
    after we looked.
    """
    for clinic in session.scalars(select(Clinic).order_by(Clinic.id)).all():
        is_waiting = any(
            session.scalars(select(model.id).where(model.clinic_id == clinic.id).limit(1)).all()
            for model in (TouchedDays, TouchedEnrolment)
        )
        if not is_waiting and any(comparing.differences(session, clinic, now=now)):
            yield clinic.id


def _noted_of_nobody(session: Session) -> tuple[int, ...]:
    """Return notes of anonymised patients that say something: words are encrypted, so read."""
    notes = session.execute(
        select(CallNote.id, CallNote.text)
        .join(Anonymised, Anonymised.patient_id == CallNote.patient_id)
        .order_by(CallNote.id)
        .execution_options(yield_per=1000)
    )
    return tuple(note_id for note_id, words in notes if words)


def _over_clinics(connection: Connection) -> Iterator[Breach]:
    """Yield rows of one clinic that refer to a row of another, by every foreign key."""
    for table in Model.metadata.sorted_tables:
        for column, of in _references(table):
            other = of.alias()
            ids = connection.scalars(
                select(_key(table))
                .join(other, column == other.c[_key(of).name])
                .where(table.c.clinic_id != other.c.clinic_id)
            ).all()
            promise = f"rows of one clinic refer to its own {of.name}"
            yield Breach(promise, f"{table.name}.{column.name}", tuple(ids))


def _references(table: Table) -> Sequence[tuple[ColumnElement[int], Table]]:
    if "clinic_id" not in table.c:
        return ()
    return [
        (key.parent, key.column.table)
        for key in sorted(table.foreign_keys, key=lambda each: each.parent.name)
        if "clinic_id" in key.column.table.c and key.column.primary_key
    ]


def _key(table: Table) -> Column[int]:
    return next(iter(table.primary_key.columns))
