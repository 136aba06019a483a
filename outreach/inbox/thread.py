"""One conversation by text: what a patient wrote and what we did, in order; and answering it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from outreach.accounts.rules import Actor
from outreach.errors import RuleBroken
from outreach.inbox import drafts, waiting
from outreach.inbox.models import InboxItem
from outreach.inbox.rules import Understood
from outreach.messaging import conversation, outbox
from outreach.messaging.models import InboundText, Message
from outreach.messaging.rules import MessageKind, MessageStatus, SkipReason
from outreach.patients import hours
from outreach.patients.models import Patient
from outreach.patients.rules import next_allowed_at

MOST = 200
NEWEST = 12  # reminders of last month are in nobody's way
ANSWER_HOLDS = timedelta(days=3)  # an answer that could not go out by then is no answer


class NobodyWrote(RuleBroken):
    """There is nothing to answer."""


class SaidStop(RuleBroken):
    """They want no texts on this number."""


class NothingWritten(RuleBroken):
    """An answer has words."""


@dataclass(frozen=True)
class Line:
    """One text, either way. ``by`` is who wrote it, None for what goes out by itself."""

    id: str
    at: datetime
    is_theirs: bool
    body: str
    attachments: int = 0
    understood: Understood | None = None
    is_waiting: bool = False
    by: str | None = None
    kind: MessageKind | None = None
    status: MessageStatus | None = None
    skip_reason: SkipReason | None = None


@dataclass(frozen=True)
class Conversation:
    """The newest texts, in order, and why the patient can't be answered, if so."""

    lines: Sequence[Line]
    is_cut: bool
    last_inbound: InboundText | None
    has_said_stop: bool
    goes_at: datetime

    @property
    def may_answer(self) -> bool:
        """Whether an answer would go out."""
        return self.last_inbound is not None and not self.has_said_stop


def of_patient(
    session: Session, patient: Patient, *, now: datetime, newest: int = NEWEST
) -> Conversation:
    """Return what was written with a patient, in a few statements."""
    theirs = _theirs(session, patient.id)
    last = theirs[0].inbound if theirs else None
    lines = [_their_line(each) for each in theirs] + _our_lines(session, patient.id)
    lines.sort(key=lambda each: (each.at, not each.is_theirs, each.id))
    stopped = last is not None and conversation.has_said_stop(
        session, patient.clinic_id, last.from_number
    )
    return Conversation(
        lines[-newest:],
        len(lines) > newest,
        last,
        stopped,
        goes_at(session, patient, now=now),
    )


def goes_at(session: Session, patient: Patient, *, now: datetime) -> datetime:
    """Return when an answer that is written now goes out: not in the patient's quiet hours."""
    lawful = hours.hours_of(session, patient, today=now.date())
    return next_allowed_at(now, ZoneInfo(patient.zone), lawful)


def answer(
    session: Session, patient: Patient, actor: Actor, text: str, *, form_key: str, now: datetime
) -> datetime:
    """Answer in one's own words; return when it goes out. Does not commit.

    Whatever waited of this patient is seen to. A page that is sent twice answers once.

    Raises:
        NobodyWrote, SaidStop, NothingWritten, drafts.TooLong: nothing was kept.
    """
    talk = of_patient(session, patient, now=now)
    if talk.last_inbound is None:
        raise NobodyWrote("They have not written to us.")
    if talk.has_said_stop:
        raise SaidStop("They want no texts on this number. Ring them.")
    if not text.strip():
        raise NothingWritten("Write an answer first.")
    if len(text.strip()) > drafts.LONGEST:
        raise drafts.TooLong("This is more than a text can hold.")
    row = conversation.new_reply(
        talk.last_inbound,
        MessageKind.ANSWER,
        text.strip(),
        language=patient.language,
        dedupe_key=f"answer:{patient.id}:{form_key[:60]}",
        window=(talk.goes_at, talk.goes_at + ANSWER_HOLDS),
        patient_id=patient.id,
        by_staff_id=actor.staff_id,
        now=now,
    )
    if outbox.write(session, [row]):
        waiting.see_to_all(session, patient.id, actor.staff_id, now=now)
        drafts.drop(session, patient.id, actor.staff_id)
    return talk.goes_at


def _theirs(session: Session, patient_id: int) -> Sequence[InboxItem]:
    """Return what came from a patient's number, newest first."""
    return session.scalars(
        select(InboxItem)
        .options(joinedload(InboxItem.inbound))
        .where(InboxItem.patient_id == patient_id)
        .order_by(InboxItem.at.desc(), InboxItem.id.desc())
        .limit(MOST)
    ).all()


def _their_line(item: InboxItem) -> Line:
    return Line(
        id=f"in-{item.id}",
        at=item.at,
        is_theirs=True,
        body=item.inbound.body,
        attachments=item.inbound.attachments,
        understood=item.understood,
        is_waiting=item.done_at is None,
    )


def _our_lines(session: Session, patient_id: int) -> list[Line]:
    """Return what went, or goes, to a patient; also what answered a number that others share."""
    shared = select(InboxItem.inbound_id).where(InboxItem.patient_id == patient_id)
    rows = session.scalars(
        select(Message)
        .options(joinedload(Message.by))
        .where(
            or_(
                Message.patient_id == patient_id,
                (Message.patient_id.is_(None))
                & Message.staff_id.is_(None)
                & Message.inbound_id.in_(shared),
            )
        )
        .order_by(Message.id.desc())
        .limit(MOST)
    ).all()
    return [
        Line(
            id=f"out-{each.id}",
            at=each.accepted_at or max(each.send_after, each.created_at),
            is_theirs=False,
            body=each.body,
            by=each.by.name if each.by else None,
            kind=each.kind,
            status=each.status,
            skip_reason=each.skip_reason,
        )
        for each in rows
    ]
