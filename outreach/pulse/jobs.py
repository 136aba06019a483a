"""Work the scheduler starts for the monthly question."""

from datetime import UTC, datetime, time

from outreach.clock import Clock
from outreach.orm import Sessions
from outreach.pulse import asking, supporting
from outreach.pulse.rules import MONTHS_KEPT, month_of, months_before


def forget_answers(sessions: Sessions, clock: Clock) -> int:
    """Delete answers from longer ago than is shown, and requests as old; return how many."""
    first = months_before(month_of(clock().date()), MONTHS_KEPT)[-1]
    with sessions.begin() as session:
        requests = supporting.forget(session, before=datetime.combine(first, time(), tzinfo=UTC))
        return requests + asking.forget(session, before=first)
