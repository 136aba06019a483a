"""Work the scheduler starts for the audit trail."""

import logging
from pathlib import Path

from outreach.audit import chain, keeping
from outreach.orm import Sessions, reading

log = logging.getLogger(__name__)

PAGE = 1000


def link_events(sessions: Sessions, kept_in: Path | None = None) -> int:
    """Link new events of the trail into its chain, and log where it ends; return how many.

    ``kept_in`` is the file that keeps the end. Where the chain does not hold that one any more,
    it stays, each time is an error in the log, and monitors are told. Where there is none, the log
    says so once.
    """
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
    if kept_in is not None:
        _keep_end(sessions, kept_in)
    return linked


def _keep_end(sessions: Sessions, path: Path) -> None:
    kept = keeping.read(path)
    with reading(), sessions() as session:
        trouble = chain.trouble_with_end(session, kept) if kept else None
        end = chain.head(session)
        was_whole = chain.was_whole(session)
    if kept is None and end.position:
        # Whoever can delete the file as well is found out by whoever keeps the log.
        log.warning("no end of the audit trail was kept here: %s begins anew", path)
    if trouble:
        log.error("the audit trail is not as it was: %s, which %s has", trouble, path)
    elif end.position and end != kept:
        keeping.keep(path, end)
    is_whole = trouble is None
    if kept and is_whole is not was_whole:
        with sessions.begin() as session:
            chain.note_whole(session, is_whole=is_whole)
