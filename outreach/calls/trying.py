"""What a row of the queue says about trying: tries so far, a patient's numbers, tries a day."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.accounts.models import StaffMember
from outreach.calls.models import Attempt
from outreach.calls.rules import Outcome
from outreach.orm import among
from outreach.patients.models import PhoneNumber
from outreach.patients.rules import NumberHealth
from outreach.programmes.models import ProgrammeVersion

SHOWN_DIGITS = 2


@dataclass(frozen=True)
class PastAttempt:
    """One try of the call in the queue."""

    at: datetime
    outcome: Outcome
    caller_name: str


@dataclass(frozen=True)
class RowNumber:
    """One number of a patient, told by its last digits: whoever is put through sees no more."""

    last_digits: str
    health: NumberHealth


def numbers_of(session: Session, patient_ids: Sequence[int]) -> Mapping[int, Sequence[RowNumber]]:
    """Return the numbers of each patient in the order in which they are tried; one statement."""
    found: dict[int, list[RowNumber]] = defaultdict(list)
    if not patient_ids:
        return found
    rows = session.execute(
        select(PhoneNumber.patient_id, PhoneNumber.e164, PhoneNumber.health)
        .where(among(PhoneNumber.patient_id, patient_ids))
        .order_by(PhoneNumber.patient_id, PhoneNumber.position, PhoneNumber.id)
    )
    for patient_id, e164, health in rows:
        found[patient_id].append(RowNumber(e164[-SHOWN_DIGITS:], health))
    return found


def tries_a_day(session: Session) -> Mapping[int, int]:
    """Return how many tries a day each version of a programme allows."""
    versions = session.scalars(select(ProgrammeVersion).order_by(ProgrammeVersion.id))
    return {each.id: each.protocol.attempts.max_dials_per_day for each in versions}


def attempts_of(session: Session, planned_call_ids: Sequence[int]) -> dict[int, list[PastAttempt]]:
    """Return the tries of each call, in order; one statement."""
    rows = session.execute(
        select(Attempt.planned_call_id, Attempt.at, Attempt.outcome, StaffMember.name)
        .join(StaffMember, StaffMember.id == Attempt.caller_id)
        .where(Attempt.planned_call_id.in_(planned_call_ids), Attempt.superseded_at.is_(None))
        .order_by(Attempt.planned_call_id, Attempt.at, Attempt.id)
    ).all()
    return {
        call_id: [PastAttempt(row.at, row.outcome, row.name) for row in group]
        for call_id, group in groupby(rows, key=lambda row: row.planned_call_id)
    }
