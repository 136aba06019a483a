"""Work the scheduler starts for reports."""

from datetime import datetime

from sqlalchemy import select

from outreach.accounts.models import Clinic
from outreach.clock import Clock
from outreach.orm import Sessions, for_each, reading
from outreach.reports import rollups

MOST_AT_ONCE = 200  # Transactions a clinic and tick, so that no clinic keeps the others waiting.


def roll_up(sessions: Sessions, clock: Clock) -> int:
    """Bring the roll-ups of every clinic up to date; return how many days and enrolments.

    Reports are right without it, and quicker after it.
    """
    now = clock()
    with reading(), sessions() as session:
        every = session.scalars(select(Clinic).order_by(Clinic.id)).all()
        waiting = rollups.waiting(session, every, now=now)
    return for_each(waiting, lambda clinic_id: roll_clinic(sessions, clinic_id, now=now))


def roll_clinic(
    sessions: Sessions, clinic_id: int, *, now: datetime, most: int = MOST_AT_ONCE
) -> int:
    """Bring one clinic's up to date, in ``most`` transactions; return how many of both.

    0: nothing is left to do.
    """
    done = 0
    for _ in range(most):
        with sessions.begin() as session:
            now_done = rollups.roll(session, clinic_id, now=now)
        if not now_done:
            break
        done += now_done
    return done
