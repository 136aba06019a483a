"""Every promise of the product held against the rows of a database; reads only.

The plan has its own (``planning.checking``), and so has the audit trail (``audit.chain``).
Here are those of texts, calls, the safety net, and of clinics that share a database.
Operators run them after a restore, a copy or trouble: ``flask check invariants``.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Select,
    String,
    Table,
    cast,
    exists,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Session, aliased

from outreach import sealing
from outreach.accounts.models import Clinic
from outreach.audit import chain
from outreach.audit.chain import Head
from outreach.calls import last_talk
from outreach.calls.models import Attempt, CallNote
from outreach.calls.rules import REACHED
from outreach.concerns import alerting
from outreach.concerns.models import Concern
from outreach.concerns.rules import ConcernStatus, Urgency
from outreach.encryption import CannotDecrypt
from outreach.measures import newest
from outreach.measures.models import Reading
from outreach.messaging import checking as texts
from outreach.messaging.models import Message, SendTry
from outreach.messaging.rules import REPLIES, MessageKind, MessageStatus, TryResult
from outreach.orm import Model
from outreach.patients.models import Anonymised, ConsentEvent, PhoneNumber
from outreach.patients.rules import Channel
from outreach.phoning.models import PhoneCall
from outreach.planning import checking
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import OPEN_STATUSES
from outreach.reports import comparing
from outreach.reports.models import TouchedDays, TouchedEnrolment
from outreach.searching import directory
from outreach.upkeep import rotating

# The sweepers run every minute: what is still there after an hour is stuck.
STUCK_AFTER = timedelta(hours=1)
# A call that nothing was heard of is settled within minutes, whatever the carrier does.
CALL_STUCK_AFTER = timedelta(hours=12)
# Limits of a day and a week may hold a text back, and a weekend; longer than that it is lost.
TEXT_WAITS_AT_MOST = timedelta(days=8)
WENT_OUT = (MessageStatus.ACCEPTED, MessageStatus.SENT, MessageStatus.DELIVERED)
# Sent whatever was said before: answers to a text, and what a person wrote.
_ANSWERS = (*REPLIES, MessageKind.ANSWER)

Rows = Callable[[datetime], Select[int]]


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
    for promise, (table, of) in _BY_ROWS.items():
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


def _held_too_long(now: datetime) -> Select[int]:
    return select(Message.id).where(
        Message.status == MessageStatus.CALLING, Message.lease_until <= now - STUCK_AFTER
    )


def _never_looked_up(now: datetime) -> Select[int]:
    was_asked_after = exists().where(
        SendTry.message_id == Message.id, SendTry.at > Message.calling_at
    )
    return select(Message.id).where(
        Message.status == MessageStatus.UNKNOWN,
        Message.calling_at <= now - STUCK_AFTER,
        ~was_asked_after,
    )


def _taken_twice(_now: datetime) -> Select[int]:
    """Select texts that the carrier took at two askings, or has from two in its list."""
    return (
        select(SendTry.message_id)
        .where(SendTry.result.in_((TryResult.TAKEN, TryResult.FOUND)))
        .group_by(SendTry.message_id)
        .having(func.min(SendTry.at) < func.max(SendTry.at))
        .order_by(SendTry.message_id)
    )


def _past_its_end(now: datetime) -> Select[int]:
    return select(Message.id).where(
        Message.status == MessageStatus.SCHEDULED,
        or_(
            Message.expires_at <= now - STUCK_AFTER,
            Message.send_after <= now - TEXT_WAITS_AT_MOST,
        ),
    )


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


def _sent_without_consent(_now: datetime) -> Select[int]:
    """Select texts that went out while no topic was agreed to for their number."""
    given, later = aliased(ConsentEvent), aliased(ConsentEvent)
    was_taken_back = (
        exists()
        .where(
            later.patient_id == given.patient_id,
            later.channel == given.channel,
            later.number == given.number,
            later.topic == given.topic,
            later.id > given.id,
            later.at < Message.calling_at,
        )
        .correlate(given, Message)
    )
    was_agreed = (
        exists()
        .where(
            given.patient_id == Message.patient_id,
            given.channel == Channel.SMS,
            given.number == Message.to_number,
            given.is_given.is_(True),
            given.at <= Message.calling_at,
            ~was_taken_back,
        )
        .correlate(Message)
    )
    return select(Message.id).where(
        Message.status.in_(WENT_OUT),
        Message.patient_id.is_not(None),
        Message.kind.not_in(_ANSWERS),
        ~was_agreed,
    )


def _counted_without_attempt(_now: datetime) -> Select[int]:
    counted = (
        select(func.count())
        .where(Attempt.planned_call_id == PlannedCall.id, Attempt.superseded_at.is_(None))
        .correlate(PlannedCall)
        .scalar_subquery()
    )
    return select(PlannedCall.id).where(PlannedCall.dials > counted)


def _completed_without_words(_now: datetime) -> Select[int]:
    spoke = exists().where(
        Attempt.planned_call_id == PlannedCall.id,
        Attempt.superseded_at.is_(None),
        Attempt.outcome.in_(REACHED),
    )
    return select(PlannedCall.id).where(PlannedCall.status == CallStatus.COMPLETED, ~spoke)


def _on_the_line_for_ever(now: datetime) -> Select[int]:
    return select(PhoneCall.id).where(
        PhoneCall.ended_at.is_(None), PhoneCall.heard_at <= now - CALL_STUCK_AFTER
    )


def _told_nobody(now: datetime) -> Select[int]:
    """Select urgent concerns that nobody took on and about which no alert was written."""
    waits_since = func.coalesce(Concern.reopened_at, Concern.raised_at)
    was_told = exists().where(
        Message.cause == alerting.CAUSE + cast(Concern.id, String),
        Message.created_at >= waits_since,
    )
    return select(Concern.id).where(
        Concern.status == ConcernStatus.OPEN,
        Concern.urgency == Urgency.NOW,
        waits_since <= now - STUCK_AFTER,
        ~was_told,
    )


def _called_nobody(_now: datetime) -> Select[int]:
    """Select numbers of patients who were anonymised."""
    return select(PhoneNumber.id).join(Anonymised, Anonymised.patient_id == PhoneNumber.patient_id)


def _enrolled_nobody(_now: datetime) -> Select[int]:
    """Select open enrolments of patients who were anonymised."""
    return (
        select(Enrolment.id)
        .join(Anonymised, Anonymised.patient_id == Enrolment.patient_id)
        .where(Enrolment.status.in_(OPEN_STATUSES))
    )


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


_BY_ROWS: dict[str, tuple[type[Model], Rows]] = {
    "no worker holds a text for longer than its lease": (Message, _held_too_long),
    "a lost answer is looked up at the carrier": (Message, _never_looked_up),
    "the carrier takes a text once": (Message, _taken_twice),
    "no text waits past its end": (Message, _past_its_end),
    "nobody is texted without consent or after saying stop": (Message, _sent_without_consent),
    "a text never stands behind what the carrier reported of it": (
        Message,
        lambda _now: texts.gone_back(),
    ),
    "every dial that counts was recorded": (PlannedCall, _counted_without_attempt),
    "a completed call was a conversation": (PlannedCall, _completed_without_words),
    "no call stays on the line for ever": (PhoneCall, _on_the_line_for_ever),
    "somebody is told of every urgent concern": (Concern, _told_nobody),
    "of who was anonymised no number is left": (PhoneNumber, _called_nobody),
    "who was anonymised is in no programme": (Enrolment, _enrolled_nobody),
    "the last reading of each kind is kept as the readings say": (
        Reading,
        lambda _now: newest.differing(),
    ),
    "the last talk is kept as the attempts say": (Attempt, lambda _now: last_talk.differing()),
}
