"""Telling people of a concern, one after the other, until somebody takes it on.

Every alert is a row of the outbox, written in the transaction that raises the concern or by
a tick: a process that dies anywhere leaves rows that the next one goes on with, and the
unique key of a round makes a second text to the same person impossible.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.accounts.models import Clinic, StaffMember
from outreach.concerns import readiness, rota
from outreach.concerns.models import Alert, Concern
from outreach.concerns.rules import (
    MOST_ROUNDS,
    ROUND_EVERY,
    ConcernStatus,
    ranks_told,
    round_of,
)
from outreach.messaging import outbox, templates
from outreach.messaging.models import Message
from outreach.messaging.rules import MessageStatus, SkipReason
from outreach.orm import insert_new

CAUSE = "concern:"  # with the concern's id behind it
_DID_NOT_ARRIVE = (
    MessageStatus.FAILED,
    MessageStatus.UNDELIVERED,
    MessageStatus.LOST,
    MessageStatus.SKIPPED,
)


def unanswered_ids(session: Session) -> Sequence[int]:
    """Return the concerns that somebody must be told of and nobody has taken on."""
    return session.scalars(
        select(Concern.id)
        .where(Concern.status == ConcernStatus.OPEN, Concern.urgency.in_(ROUND_EVERY))
        .order_by(Concern.raised_at, Concern.id)
    ).all()


def alert(session: Session, concern: Concern, *, now: datetime) -> int:
    """Tell whoever is due to be told by now, where they weren't yet; return how many.

    One round at a time, the present one: after a night without a scheduler nobody gets six
    texts at once. Does not commit.
    """
    since_waiting = round_of(concern.urgency, raised_at=concern.waits_since, now=now)
    if since_waiting is None or concern.status is not ConcernStatus.OPEN:
        return 0
    people = _people(session, concern.clinic_id, since_waiting, now=now)
    # A concern that was opened again begins its rounds anew, under numbers of their own.
    number = concern.times_reopened * MOST_ROUNDS + since_waiting
    rows = [
        {"concern_id": concern.id, "round": number, "staff_id": person.id, "at": now}
        for person in people
    ]
    told = insert_new(session, Alert, rows)
    _write_texts(session, concern, number, people, now=now)
    return told


def alerts_of(session: Session, concern_id: int) -> Sequence[tuple[datetime, str]]:
    """Return when who was told of a concern, in order."""
    rows = session.execute(
        select(Alert.at, StaffMember.name)
        .join(StaffMember, StaffMember.id == Alert.staff_id)
        .where(Alert.concern_id == concern_id)
        .order_by(Alert.at, Alert.id)
    ).all()
    return [(row.at, row.name) for row in rows]


def reached(session: Session, concern_ids: Sequence[int]) -> dict[int, list[str]]:
    """Return who was told of each concern by a text that went out, or is about to.

    Who has no number, or whose text failed, is not among them: somebody must ring.
    """
    if not concern_ids:
        return {}
    of_cause = {cause_of(concern_id): concern_id for concern_id in concern_ids}
    rows = session.execute(
        select(Message.cause, StaffMember.name)
        .join(StaffMember, StaffMember.id == Message.staff_id)
        .where(Message.cause.in_(of_cause), Message.status.not_in(_DID_NOT_ARRIVE))
        .order_by(Message.id)
    )
    told: dict[int, list[str]] = {}
    for cause, name in rows:
        names = told.setdefault(of_cause[cause], [])
        names += [] if name in names else [name]
    return told


def cause_of(concern_id: int) -> str:
    """Return under what the texts about a concern stand in the outbox."""
    return f"{CAUSE}{concern_id}"


def stop(session: Session, concern: Concern, *, now: datetime) -> None:
    """Drop texts about a concern that somebody has taken on. Does not commit."""
    outbox.cancel(session, cause_of(concern.id), now=now, reason=SkipReason.TAKEN_ON)


def _people(
    session: Session, clinic_id: int, number: int, *, now: datetime
) -> Sequence[StaffMember]:
    """Return whom to tell in a round, by name where a text can reach none of them.

    A rank that is empty, or has no number, passes it on to everybody on call. Where none of
    them can be texted either, all nurses and managers of the clinic are told: better three
    people than none.
    """
    ready = readiness.watch(session, clinic_id, now=now).ready
    told = [ready[rank] for rank in ranks_told(number) if rank in ready]
    for more in (list(ready.values()), rota.people(session, clinic_id, now=now)):
        if not any(each.phone for each in told):
            told += [each for each in more if each not in told]
    return told


def _write_texts(
    session: Session,
    concern: Concern,
    number: int,
    people: Sequence[StaffMember],
    *,
    now: datetime,
) -> None:
    clinic = session.get_one(Clinic, concern.clinic_id)
    every = ROUND_EVERY[concern.urgency]
    texts = [
        outbox.new_alert(
            person,
            clinic.id,
            templates.alert(clinic.name, person.locale),
            dedupe_key=f"alert:{concern.id}:{number}:{person.id}",
            cause=cause_of(concern.id),
            window=(now, now + max(every, timedelta(hours=1))),
            now=now,
        )
        for person in people
        if person.phone
    ]
    outbox.write(session, texts)
