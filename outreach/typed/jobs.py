"""Work the scheduler starts for what was typed and not sent."""

from outreach.clock import Clock
from outreach.orm import Sessions
from outreach.typed import keeping


def forget_typed(sessions: Sessions, clock: Clock) -> int:
    """Delete what nobody came back for; return how many forms."""
    return keeping.forget_old(sessions, now=clock())
