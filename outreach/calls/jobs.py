"""Work the scheduler starts for calls."""

from outreach.calls import courtesies, leases, outcomes
from outreach.clock import Clock
from outreach.messaging import outbox
from outreach.orm import Sessions, for_each, reading
from outreach.planning import catch_up, interruption
from outreach.planning.jobs import beat
from outreach.planning.models import PlannedCall

BATCH = 500


def catch_up_overdue_calls(sessions: Sessions, clock: Clock) -> int:
    """Move on calls whose time to dial has passed, or close them as missed; return how many.

    A transaction each: one bad row never holds up the rest. A call that somebody has open
    is left to them.
    """
    now = clock()
    away_id = beat(sessions, now=now)
    with reading(), sessions() as session:
        overdue = catch_up.overdue_ids(session, now=now, limit=BATCH)
        in_hands = leases.held_ids(session, overdue, now=now)
    ids = [call_id for call_id in overdue if call_id not in in_hands]

    def move_on(call_id: int) -> bool:
        with sessions.begin() as session:
            dials = outcomes.dials_of(session, call_id)
            is_moved_on = catch_up.move_on(session, call_id, dials, now=now) is not None
            if is_moved_on and away_id is not None:
                call = session.get_one(PlannedCall, call_id)
                interruption.count_caught_up(session, away_id, call)
            return is_moved_on

    return for_each(ids, move_on)


def write_courtesies(sessions: Sessions, clock: Clock) -> int:
    """Write the texts around calls that clinics want; return how many are new.

    Each kind in a transaction of its own: one that fails never stops the others.
    """
    now = clock()

    def write(index: int) -> int:
        with reading(), sessions() as session:
            texts = courtesies.EVERY[index](session, now=now)
        if not texts:
            return 0
        with sessions.begin() as session:
            return outbox.write(session, texts)

    return for_each(range(len(courtesies.EVERY)), write)
