"""What people typed into the search box, kept for a day so that no address holds it."""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from outreach.orm import Sessions
from outreach.patient_list.models import KeptSearch
from outreach.patient_list.selecting import Search
from outreach.searching.rules import LONGEST_TEXT, parse

KEPT_FOR = timedelta(days=1)


def keep(
    session: Session, staff_id: int, typed: str, *, is_either: bool, has_notes: bool, now: datetime
) -> KeptSearch:
    """Keep what ``staff_id`` typed, under a token for the address. Does not commit."""
    kept = KeptSearch(
        token=secrets.token_urlsafe(9),
        staff_id=staff_id,
        text=typed[:LONGEST_TEXT],
        is_either=is_either,
        has_notes=has_notes,
        at=now,
    )
    session.add(kept)
    session.flush()
    return kept


def find(session: Session, staff_id: int, token: str | None, *, now: datetime) -> KeptSearch | None:
    """Return what ``staff_id`` typed under ``token``; None where it is another's or too old."""
    if not token:
        return None
    return session.scalar(
        select(KeptSearch).where(
            KeptSearch.token == token[:16],
            KeptSearch.staff_id == staff_id,
            KeptSearch.at > now - KEPT_FOR,
        )
    )


def understood(kept: KeptSearch | None) -> Search:
    """Return what is looked for."""
    if kept is None:
        return Search()
    return Search(parse(kept.text, is_either=kept.is_either), kept.has_notes)


def forget_old(sessions: Sessions, *, now: datetime) -> int:
    """Delete what was typed more than a day ago; return how many."""
    with sessions.begin() as session:
        gone = delete(KeptSearch).where(KeptSearch.at <= now - KEPT_FOR).returning(KeptSearch.id)
        return len(session.scalars(gone).all())
