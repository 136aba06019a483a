"""Work the scheduler starts for the full-text index and the directories of names."""

from outreach import orm
from outreach.orm import Sessions
from outreach.searching import directory, index


def index_backlog(sessions: Sessions) -> int:
    """Index what was there before the index, a batch a transaction; return how many rows."""
    done = 0
    while True:
        with sessions.begin() as session:
            some = index.work_off_backlog(session)
        done += some
        if some == 0:
            return done


def fold_directories(sessions: Sessions) -> int:
    """Write pages anew where much was changed, or must not be there; return how many clinics."""
    with orm.reading(), sessions() as session:
        clinic_ids = directory.to_fold(session)

    def one(clinic_id: int) -> bool:
        with sessions.begin() as session:
            directory.fold(session, clinic_id)
        return True

    return orm.for_each(clinic_ids, one)
