"""Work the scheduler starts for the list."""

from outreach.clock import Clock
from outreach.orm import Sessions
from outreach.patient_list import searches


def forget_searches(sessions: Sessions, clock: Clock) -> int:
    """Delete what people typed to search for more than a day ago; return how many."""
    return searches.forget_old(sessions, now=clock())
