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
from outreach.programmes.enrolment import LONGEST_REASON
from outreach.programmes.models import Enrolment
from outreach.programmes.rules import EnrolmentStatus, PauseReason, pause_words


@dataclass(frozen=True)
class Afterwards:
    """What becomes of calls and texts, beyond what the outcome itself asks for.

    ``from_on`` is the first day of a pause that is to come, None for one from now on.
    ``tells_missed``: they get a text that somebody tried to reach them.
    ``until``: the patient's day from which calls go on after a pause by themselves.
    ``words`` are the patient's own, as near as can be.
    """

    pause: PauseReason | None = None
    until: date | None = None
    from_on: date | None = None
    has_died: bool = False
    ends_texts: bool = False
    tells_missed: bool = False
    words: str = ""

    @property
    def ends_or_rests(self) -> bool:
        """Whether no call follows for now."""
        return self.has_died or (self.pause is not None and self.from_on is None)


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
    if afterwards.ends_texts:
        withdraw(ending, Channel.SMS)
    if afterwards.has_died:
        _change(ending, EnrolmentStatus.DIED, afterwards.words or "told on a call")
    elif afterwards.pause is not None:
        _rest(ending, afterwards, pause_words(afterwards.pause, afterwards.words))
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
    _change(ending, EnrolmentStatus.WITHDRAWN, reason)


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


def _rest(ending: Ending, afterwards: Afterwards, words: str) -> None:
    """Pause from now on, or on days to come."""
    enrolment = ending.session.get_one(Enrolment, ending.enrolment_id)
    reason, by, now = words[:LONGEST_REASON], ending.actor.staff_id, ending.now
    first, until = afterwards.from_on, afterwards.until
    if first is None or until is None:
        enrolments.pause(
            ending.session, enrolment, until=until, reason=reason, by_staff_id=by, now=now
        )
        return
    enrolments.announce_pause(
        ending.session, enrolment, (first, until), reason=reason, by_staff_id=by, now=now
    )


def _change(ending: Ending, status: EnrolmentStatus, reason: str) -> None:
    enrolments.change_status(
        ending.session.get_one(Enrolment, ending.enrolment_id),
        status,
        reason=reason[:LONGEST_REASON],
        by_staff_id=ending.actor.staff_id,
        now=ending.now,
    )
