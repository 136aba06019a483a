"""Work the scheduler starts for what is kept how long."""

from outreach import orm
from outreach.clock import Clock
from outreach.orm import Sessions
from outreach.retention import due, erasing

PAGE = 200


def anonymise_due(sessions: Sessions, clock: Clock) -> int:
    """Anonymise everybody who is due, a transaction each; return how many."""
    done, after = 0, 0

    def one(patient_id: int) -> bool:
        with sessions.begin() as session:
            return erasing.anonymise(session, patient_id, now=clock())

    while True:
        with orm.reading(), sessions() as session:
            ids = due.page(session, after=after, most=PAGE, now=clock())
        if not ids:
            return done
        done += orm.for_each(ids, one)
        after = ids[-1]
