"""Work the scheduler starts for files."""

from outreach.clock import Clock
from outreach.exports import making
from outreach.exports.making import Place
from outreach.orm import Sessions


def write_exports(sessions: Sessions, clock: Clock, place: Place) -> int:
    """Write every file that waits; return how many were taken up."""
    done = 0
    while making.write_next(sessions, clock, place):
        done += 1
    return done


def expire_exports(sessions: Sessions, clock: Clock, place: Place) -> int:
    """Delete files whose days are over, and what a killed worker left; return how many."""
    return making.expire(sessions, place, now=clock())
