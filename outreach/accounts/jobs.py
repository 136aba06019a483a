"""Work the scheduler starts for accounts."""

from outreach.accounts import clearing
from outreach.clock import Clock
from outreach.orm import Sessions


def clear_sign_ins(sessions: Sessions, clock: Clock) -> int:
    """Delete refused tries, links and sessions whose time is over; return how many."""
    return clearing.clear(sessions, now=clock())
