"""Calls that rest or end, and texts that stop, because of what was said on a call.

It is recorded with the call itself: a conversation in which somebody asks for a pause has
taken place, and must not be planned away by that very pause.
"""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from outreach.accounts.rules import Actor
from outreach.patients import consent, registry
from outreach.patients.models import Patient
from outreach.patients.rules import Channel, ConsentSource
from outreach.planning import next_call
from outreach.programmes import enrolment as enrolments
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus, PauseReason, pause_words

LONGEST_REASON = 200  # characters; what a status keeps of somebody's words


@dataclass(frozen=True)
class Afterwards:
    """What becomes of calls and texts, beyond what the outcome itself asks for.

    ``until``: the patient's day from which calls go on after a pause by themselves.
    ``words`` are the patient's own, as near as can be.
    """

    pause: PauseReason | None = None
    until: date | None = None
    has_died: bool = False
    ends_texts: bool = False
    words: str = ""

    @property
    def ends_or_rests(self) -> bool:
        """Whether no call follows."""
        return self.has_died or self.pause is not None


AS_BEFORE = Afterwards()


@dataclass(frozen=True)
class Ending:
    """Whom it is about, who heard it, and when."""

    session: Session
    patient: Patient
    enrolment_id: int
    actor: Actor
    now: datetime


def begin(ending: Ending, afterwards: Afterwards) -> None:
    """Change status and consents, before the next call is thought of. Does not commit."""
    enrolment = ending.session.get_one(Enrolment, ending.enrolment_id)
    if afterwards.ends_texts:
        withdraw(ending, Channel.SMS)
    if afterwards.has_died:
        _change(ending, enrolment, EnrolmentStatus.DIED, afterwards.words or "told on a call")
    elif afterwards.pause is not None:
        enrolments.pause(
            ending.session,
            enrolment,
            until=afterwards.until,
            reason=pause_words(afterwards.pause, afterwards.words)[:LONGEST_REASON],
            by_staff_id=ending.actor.staff_id,
            now=ending.now,
        )
    ending.session.flush()


def settle(ending: Ending, afterwards: Afterwards) -> None:
    """Drop what is still planned where calls rest or end, with its texts. Does not commit."""
    if afterwards.ends_or_rests:
        next_call.replan(ending.session, ending.enrolment_id, now=ending.now)


def stop(ending: Ending, words: str) -> None:
    """Stop calls and texts together: 'no more' said on a call means both. Does not commit."""
    for channel in Channel:
        withdraw(ending, channel)
    reason = f"asked for no more calls: {words}" if words else "asked for no more calls"
    enrolment = ending.session.get_one(Enrolment, ending.enrolment_id)
    _change(ending, enrolment, EnrolmentStatus.WITHDRAWN, reason)


def withdraw(ending: Ending, channel: Channel) -> None:
    """Note for each number that the patient wants no more of ``channel``. Does not commit."""
    for number in registry.numbers_of(ending.session, ending.patient.id):
        consent.note(
            ending.session,
            ending.patient,
            channel,
            number.e164,
            is_given=False,
            source=ConsentSource.CALL,
            by_staff_id=ending.actor.staff_id,
            now=ending.now,
        )


def _change(ending: Ending, enrolment: Enrolment, status: EnrolmentStatus, reason: str) -> None:
    enrolments.change_status(
        enrolment,
        status,
        reason=reason[:LONGEST_REASON],
        by_staff_id=ending.actor.staff_id,
        now=ending.now,
    )
