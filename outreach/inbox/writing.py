"""Answers in one's own words, and what is being typed, kept on the server."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session, joinedload

from outreach.errors import RuleBroken, Stale
from outreach.inbox import waiting
from outreach.inbox.models import AnswerDraft, InboxItem
from outreach.inbox.rules import LONGEST_BODY
from outreach.messaging import conversation, outbox
from outreach.messaging.models import InboundText
from outreach.messaging.rules import MessageKind
from outreach.orm import insert_new
from outreach.patients import hours
from outreach.patients.models import Patient
from outreach.patients.rules import next_allowed_at


class SaidStop(RuleBroken):
    """They want no texts: they are rung instead."""


class NothingWritten(RuleBroken):
    """An answer has no words."""


class TooLong(RuleBroken):
    """An answer is longer than carriers take as one text."""


class NothingToAnswer(RuleBroken):
    """This patient has sent no text."""


class DraftedElsewhere(Stale):
    """Another tab saved this draft meanwhile; nothing was overwritten."""


@dataclass(frozen=True)
class Reach:
    """Whether and when an answer would go out. ``number`` None: no text came in yet."""

    number: str | None
    has_said_stop: bool
    goes_at: datetime
    now: datetime

    @property
    def is_now(self) -> bool:
        """Whether it goes out at once."""
        return self.goes_at <= self.now

    @property
    def is_possible(self) -> bool:
        """Whether an answer can go out at all."""
        return self.number is not None and not self.has_said_stop


@dataclass(frozen=True)
class Answer:
    """What one of the staff wrote. ``read_up_to``: the newest text that their page showed."""

    words: str
    form_key: str
    read_up_to: int


def reach_of(session: Session, patient: Patient, *, now: datetime) -> Reach:
    """Return whether and when an answer to a patient would go out."""
    newest = _newest(session, patient.id)
    allowed_at = next_allowed_at(
        now, ZoneInfo(patient.zone), hours.hours_of(session, patient, today=now.date())
    )
    if newest is None:
        return Reach(None, has_said_stop=False, goes_at=allowed_at, now=now)
    number = newest.from_number
    stopped = conversation.has_said_stop(session, patient.clinic_id, number)
    return Reach(number, stopped, allowed_at, now)


def send(
    session: Session, patient: Patient, answer: Answer, staff_id: int, *, now: datetime
) -> Reach:
    """Put an answer into the outbox, once, and note that what it answers is seen to. No commit.

    It goes to the number that wrote last, within the patient's contact hours. The limits are
    for texts that we send unasked: an answer does not count, and is not counted against.

    Raises:
        NothingToAnswer, SaidStop, NothingWritten, TooLong: nothing was written down.
    """
    words, newest = answer.words.strip(), _newest(session, patient.id)
    if newest is None:
        raise NothingToAnswer("This patient has sent no text to answer.")
    reach = reach_of(session, patient, now=now)
    if reach.has_said_stop:
        raise SaidStop("They said stop to texts. Ring them instead.")
    if not words:
        raise NothingWritten("Write an answer first.")
    if len(words) > LONGEST_BODY:
        raise TooLong("This is longer than one text can be.")
    row = conversation.new_reply(
        newest,
        MessageKind.ANSWER,
        words,
        language=patient.language,
        dedupe_key=f"answer:{patient.id}:{answer.form_key}",
        window=(reach.goes_at, None),
        now=now,
        patient_id=patient.id,
        by_staff_id=staff_id,
    )
    outbox.write(session, [row])
    waiting.see_to_all(session, patient.id, answer.read_up_to, staff_id, now=now)
    session.execute(
        delete(AnswerDraft).where(
            AnswerDraft.patient_id == patient.id, AnswerDraft.staff_id == staff_id
        )
    )
    return reach


def draft_of(session: Session, patient_id: int, staff_id: int) -> AnswerDraft | None:
    """Return what one of the staff was typing to a patient, if anything."""
    return session.scalar(
        select(AnswerDraft).where(
            AnswerDraft.patient_id == patient_id, AnswerDraft.staff_id == staff_id
        )
    )


def save_draft(
    session: Session,
    patient: Patient,
    words: str,
    staff_id: int,
    *,
    version: int,
    form_key: str,
    now: datetime,
) -> int:
    """Keep what is typed and return its version. Does not commit.

    Raises:
        DraftedElsewhere: another tab saved meanwhile.
        TooLong: nothing was kept.
    """
    if len(words) > 2 * LONGEST_BODY:
        raise TooLong("This is longer than one text can be.")
    row = {
        "clinic_id": patient.clinic_id,
        "patient_id": patient.id,
        "staff_id": staff_id,
        "form_key": form_key,
        "version": 1,
        "text": words,
        "saved_at": now,
    }
    if insert_new(session, AnswerDraft, [row]):
        return 1
    own = (AnswerDraft.patient_id == patient.id, AnswerDraft.staff_id == staff_id)
    there = session.execute(
        select(AnswerDraft.version, AnswerDraft.text).where(*own).with_for_update()
    ).one_or_none()
    if there is not None and there.text == words:
        version = there.version  # the same words again are no conflict
    kept = session.scalar(
        update(AnswerDraft)
        .where(*own, AnswerDraft.version == version)
        .values(text=words, version=AnswerDraft.version + 1, saved_at=now)
        .returning(AnswerDraft.version)
        .execution_options(synchronize_session=False)
    )
    if kept is None:
        raise DraftedElsewhere("You are writing to this patient in another tab as well.")
    return kept


def new_key() -> str:
    """Return a key for a page: what is sent from it twice is one answer."""
    return secrets.token_urlsafe(18)


def _newest(session: Session, patient_id: int) -> InboundText | None:
    item = session.scalar(
        select(InboxItem)
        .options(joinedload(InboxItem.inbound))
        .where(InboxItem.patient_id == patient_id)
        .order_by(InboxItem.id.desc())
        .limit(1)
    )
    return item.inbound if item else None
