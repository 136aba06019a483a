"""Work the scheduler starts for the safety net."""

from outreach.clock import Clock
from outreach.concerns import alerting
from outreach.concerns.models import Concern
from outreach.orm import Sessions, for_each, reading


def alert_unanswered(sessions: Sessions, clock: Clock) -> int:
    """Tell the next person of each concern that nobody has taken on; return how many were told.

    A transaction each: one bad row never keeps the others from being told.
    """
    with reading(), sessions() as session:
        ids = alerting.unanswered_ids(session)

    def tell(concern_id: int) -> int:
        with sessions.begin() as session:
            concern = session.get_one(Concern, concern_id, with_for_update=True)
            return alerting.alert(session, concern, now=clock())

    return for_each(ids, tell)
