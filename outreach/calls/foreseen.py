"""What each way of ending a call would bring, worked out before anybody chooses one."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from outreach.calls import outcomes
from outreach.calls.rules import Outcome
from outreach.patients.rules import Slot
from outreach.planning import next_call, retrying, versions
from outreach.planning.courses import Standing
from outreach.planning.models import PlannedCall
from outreach.planning.rules import Contact, PastDial, next_contact


@dataclass(frozen=True)
class Foreseen:
    """What comes next, as the plan stands now.

    ``after`` this call is completed, the next one; ``again``: the next try for this one, and
    ``tomorrow`` where no more tries are made today; ``instead``: the next one where this one
    is given up. None where there is none.
    """

    after: Contact | None
    again: Slot | None
    tomorrow: Slot | None
    instead: Contact | None


def of(
    session: Session,
    call: PlannedCall,
    standing: Standing,
    tries: Iterable[tuple[datetime, Outcome, str]],
    *,
    now: datetime,
) -> Foreseen:
    """Return what would follow if ``call`` were dialled at ``now``. Changes nothing.

    ``tries`` are when and with what result it was dialled, by whom, the first one first.

    It asks the same functions that :mod:`outreach.calls.outcomes` asks when a call is
    recorded, so that a button never says one thing and does another.
    """
    planned = versions.as_planned(session, call, standing)
    before = outcomes.counting((at, outcome) for at, outcome, _by in tries)
    dials = [*before, PastDial(now)]

    def next_try(*, is_over_for_today: bool) -> Slot | None:
        return retrying.next_try(planned, call, dials, is_over_for_today=is_over_for_today, now=now)

    return Foreseen(
        after=next_contact(standing.course, now=now, is_done_today=True),
        again=next_try(is_over_for_today=False),
        tomorrow=next_try(is_over_for_today=True),
        instead=next_call.contact_of(standing, now=now, not_today=True),
    )
