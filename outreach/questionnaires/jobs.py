"""Work the scheduler starts for questionnaires."""

from outreach.clock import Clock
from outreach.orm import Sessions, for_each, reading
from outreach.questionnaires import ending

BATCH = 200  # a tick stays short: what is left over belongs to the next one


def end_left_questionnaires(sessions: Sessions, clock: Clock) -> int:
    """Score what was begun and left, as it stood; return how many. A transaction each."""
    now = clock()
    with reading(), sessions() as session:
        ids = ending.left_ids(session, now=now, limit=BATCH)

    def end(row_id: int) -> bool:
        with sessions.begin() as session:
            return ending.end_left(session, row_id, now=now)

    return for_each(ids, end)
