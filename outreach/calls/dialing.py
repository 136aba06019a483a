"""Before the phone rings: whether this patient may be called now."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from outreach.calls.rules import is_early
from outreach.errors import RuleBroken
from outreach.patients import hours
from outreach.patients.models import Patient
from outreach.patients.rules import hours_on, next_allowed_at
from outreach.planning.models import PlannedCall


class NotNow(RuleBroken):
    """It is outside contact hours where the patient is, and nobody agreed on this time."""


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


def moment_of(session: Session, patient: Patient, call: PlannedCall, *, now: datetime) -> Moment:
    """Return whether ``patient`` (with their clinic) may be called at ``now``."""
    is_agreed_now = call.is_agreed and call.dial_from_at <= now < call.dial_until_at
    lawful = hours.hours_of(session, patient, today=now.date())
    zone = ZoneInfo(patient.zone)
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
