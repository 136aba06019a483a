"""Work the scheduler starts for the audit trail."""

import logging

from outreach.audit import chain
from outreach.orm import Sessions, reading

log = logging.getLogger(__name__)

PAGE = 1000


def link_events(sessions: Sessions) -> int:
    """Link new events of the trail into its chain, and log where it ends; return how many."""
    linked = 0
    while True:
        with reading(), sessions() as session:
            is_open = chain.has_unlinked(session)
        if not is_open:
            break
        with sessions.begin() as session:
            linked += chain.extend(session, limit=PAGE)
    if linked:
        with reading(), sessions() as session:
            end = chain.head(session)
        # Outside the database, so that whoever cuts the end off the chain is found out.
        log.info("audit chain: link %s, digest %s", end.position, end.digest)
    return linked
