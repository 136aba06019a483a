"""Work the scheduler starts for patients."""

from outreach.orm import Sessions
from outreach.patients import ranking

PAGE = 5_000  # all who were placed are read for each page


def place_in_order(sessions: Sessions) -> int:
    """Place who has no place in the order of names yet, as after an upgrade.

    A page a transaction, so that nobody waits for all of it; return how many ranks.
    """
    done = 0
    while True:
        with sessions.begin() as session:
            placed = ranking.place_new(session, most=PAGE)
        done += placed
        if not placed:
            return done
