"""Work the scheduler starts for the full-text index."""

from outreach.orm import Sessions
from outreach.searching import index


def index_backlog(sessions: Sessions) -> int:
    """Index what was there before the index, a batch a transaction; return how many rows."""
    done = 0
    while True:
        with sessions.begin() as session:
            some = index.work_off_backlog(session)
        done += some
        if some == 0:
            return done
