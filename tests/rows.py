"""Rows as the builders make them, for those who add many at once: not added, and not flushed."""

import itertools
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from outreach.accounts.models import StaffMember
from outreach.calls.models import Attempt
from outreach.calls.rules import Outcome
from outreach.planning.models import PlannedCall
from outreach.planning.rules import CallStatus
from outreach.programmes.models import Enrolment

LONG_AGO = datetime(2026, 1, 5, 15, tzinfo=UTC)
_counter = itertools.count(1)


def planned_call(
    enrolment: Enrolment, sequence: int, due_on: date, **deviations: Any
) -> PlannedCall:
    """Return what :func:`make_planned_call` makes, for those who add many at once."""
    return PlannedCall(
        **{
            "clinic_id": enrolment.clinic_id,
            "patient_id": enrolment.patient_id,
            "enrolment_id": enrolment.id,
            "sequence": sequence,
            "phase": "week_1",
            "due_on": due_on,
            "complete_by_on": due_on + timedelta(days=1),
            "dial_from_at": datetime.combine(due_on, time(15), tzinfo=UTC),
            "dial_until_at": datetime.combine(due_on, time(18), tzinfo=UTC),
            "is_agreed": False,
            "dials": 0,
            "status": CallStatus.PLANNED,
            "planned_at": LONG_AGO,
        }
        | deviations
    )


def dial(planned: PlannedCall, caller: StaffMember, outcome: Outcome, **deviations: Any) -> Attempt:
    """Return what :func:`make_attempt` makes, for those who add many at once."""
    return Attempt(
        **{
            "form_key": f"dial-{next(_counter)}",
            "clinic_id": planned.clinic_id,
            "patient_id": planned.patient_id,
            "enrolment_id": planned.enrolment_id,
            "planned_call_id": planned.id,
            "caller_id": caller.id,
            "is_primary_caller": True,
            "at": planned.dial_from_at,
            "minutes": 12 if outcome.is_reached else 0,
            "outcome": outcome,
        }
        | deviations
    )
