"""Before the phone rings: whether this patient may be called now."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from outreach.accounts.rules import Actor
from outreach.calls.models import Attempt
from outreach.calls.rules import Outcome, is_early
from outreach.errors import RuleBroken
from outreach.panels import duty
from outreach.patients import consent, hours, registry
from outreach.patients.models import Patient, PhoneNumber
from outreach.patients.rules import (
    Channel,
    ContactHours,
    NumberHealth,
    hours_on,
    next_allowed_at,
)
from outreach.phoning import bridging
from outreach.phoning.bridging import Press
from outreach.planning import next_call
from outreach.planning.models import PlannedCall
from outreach.telephony.gateway import OutboundCall


class NotNow(RuleBroken):
    """It is outside contact hours where the patient is, and nobody agreed on this time."""


class NotOnDuty(RuleBroken):
    """Somebody else makes this patient's calls now."""


class NoNumber(RuleBroken):
    """There is no number left to dial: wrong, disconnected, or stop was said."""


class NoWorkPhone(RuleBroken):
    """The caller has not said which telephone of theirs to ring."""


@dataclass(frozen=True)
class Moment:
    """What there is to know about calling now.

    ``allowed_at`` equals ``now`` while calling is lawful, else it is the next opening.
    ``until_at`` is when that ends; None while it is not lawful.
    """

    now: datetime
    allowed_at: datetime
    is_early: bool
    until_at: datetime | None = None

    @property
    def is_allowed(self) -> bool:
        """Whether the patient may be called now."""
        return self.allowed_at <= self.now


def moment_of(
    session: Session,
    patient: Patient,
    call: PlannedCall,
    *,
    now: datetime,
    lawful: ContactHours | None = None,
) -> Moment:
    """Return whether ``patient`` (with their clinic) may be called at ``now``.

    Args:
        lawful: the hours in which they may be, where somebody has read them already.
    """
    lawful = lawful or hours.hours_of(session, patient, today=now.date())
    zone = ZoneInfo(patient.zone)
    is_agreed_now = next_call.is_agreed_now(call, zone, lawful, now=now)
    allowed_at = now if is_agreed_now else next_allowed_at(now, zone, lawful)
    early = is_early(is_agreed=call.is_agreed, dial_from_at=call.dial_from_at, now=now)
    usual = hours_on(now.astimezone(zone).date(), zone, lawful)
    ends = [slot.until_at for slot in (usual,) if slot and slot.from_at <= now < slot.until_at]
    ends += [call.dial_until_at] if is_agreed_now else []
    return Moment(now, allowed_at, is_early=early, until_at=max(ends, default=None))


def refuse_wrong_hour(moment: Moment) -> None:
    """Raise NotNow outside contact hours."""
    if not moment.is_allowed:
        raise NotNow("It is outside calling hours where this patient is.")


def begin(
    session: Session, patient: Patient, call: PlannedCall, actor: Actor, key: str, *, now: datetime
) -> OutboundCall | None:
    """Begin to put ``actor`` through to ``patient``; None where this press did so already.

    Duty, number and consent are checked here, in the transaction that begins the call; hours,
    lease and hand-over by the view before. Does not commit.

    Raises:
        NotOnDuty, NoNumber, NoWorkPhone, OnThePhone: nothing is begun.
    """
    if not duty.was_on_duty(session, call.enrolment_id, actor.staff_id, at=now):
        raise NotOnDuty("Somebody else makes this patient's calls now.")
    number = number_to_dial(session, patient)
    own = bridging.work_number(session, actor.staff_id)
    if own is None:
        raise NoWorkPhone("Say under 'My phone' which telephone of yours to ring.")
    press = Press(
        key=key[:80],
        caller_id=actor.staff_id,
        staff_number=own,
        clinic_id=call.clinic_id,
        patient_id=patient.id,
        planned_call_id=call.id,
        number=number.e164,
        shown=patient.clinic.phone_number,
        may_leave_voicemail=_may_leave_voicemail(session, patient, call),
    )
    return bridging.begin(session, press, now=now)


def number_to_dial(session: Session, patient: Patient) -> PhoneNumber:
    """Return the first number that works and has not said stop to calls, or raise NoNumber."""
    for number in registry.numbers_of(session, patient.id):
        works = number.health is NumberHealth.WORKING
        if works and not consent.is_withdrawn(session, patient.id, Channel.CALL, number.e164):
            return number
    raise NoNumber("There is no number that may be dialled.")


def _may_leave_voicemail(session: Session, patient: Patient, call: PlannedCall) -> bool:
    """Say whether the patient allows a neutral voicemail, and none was left for this call."""
    was_left = session.scalar(
        select(
            exists().where(
                Attempt.planned_call_id == call.id,
                Attempt.outcome == Outcome.VOICEMAIL_LEFT,
                Attempt.superseded_at.is_(None),
            )
        )
    )
    return patient.is_voicemail_allowed is True and not was_left
