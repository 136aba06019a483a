"""Linking events of the trail into a chain, and proving that the chain is whole.

Events are linked in the order of their ids, a little after they were written: two people who
act at once never wait for each other. What the chain ends with is worth keeping outside the
database (the job logs it): it proves later that nothing was cut off the end.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, func, insert, select, update
from sqlalchemy.orm import Session

from outreach.audit.models import AuditEvent, AuditLink, TrailCheck
from outreach.audit.rules import BEGINNING, Entry, digest
from outreach.orm import insert_new

# An event whose transaction took longer than so many others is found by the proof alone.
LOOKED_BACK = 10_000
PAGE = 5000
_ONLY = 1


@dataclass(frozen=True)
class Head:
    """The end of the chain: how many links there are, and the digest of the last."""

    position: int
    digest: str


@dataclass(frozen=True)
class Proof:
    """What became of a proof: the head reached, what is broken, and events not linked yet."""

    head: Head
    broken: str | None
    unlinked: int


def head(session: Session) -> Head:
    """Return the end of the chain."""
    row = session.execute(
        select(AuditLink.position, AuditLink.digest).order_by(AuditLink.position.desc()).limit(1)
    ).first()
    return Head(*row) if row else Head(0, BEGINNING)


def has_unlinked(session: Session) -> bool:
    """Say whether there are events to link; reads only."""
    return session.execute(_new_events(session).limit(1)).first() is not None


def extend(session: Session, *, limit: int) -> int:
    """Link up to ``limit`` events; return how many. Does not commit.

    Of two who do this at once one fails at the key: the chain never forks.
    """
    end = head(session)
    rows, before = [], end.digest
    found = session.execute(_new_events(session).limit(limit))
    for position, row in enumerate(found, end.position + 1):
        entry = Entry(*row)
        before = digest(before, entry)
        rows.append({"position": position, "event_id": entry.id, "digest": before})
    if rows:
        session.execute(insert(AuditLink), rows)
    return len(rows)


def prove(session: Session, *, kept: Head | None = None) -> Proof:
    """Go through the whole chain; ``kept``: a head from before, that must be in it."""
    expected, before, position = 1, BEGINNING, 0
    for row in _links(session):
        position = row.position
        if position != expected:
            return _broken(position, before, f"link {expected} is missing")
        if row.id is None:
            return _broken(position, before, f"the event of link {position} is missing")
        before = digest(before, Entry(*tuple(row)[2:]))
        if before != row.digest:
            return _broken(position, before, f"event {row.id} (link {position}) was changed")
        if kept and kept.position == position and kept.digest != before:
            return _broken(position, before, f"link {position} is not the one that was kept")
        expected += 1
    if kept and kept.position > position:
        return _broken(position, before, f"the chain ends before link {kept.position}")
    return Proof(Head(position, before), None, _unlinked(session))


def trouble_with_end(session: Session, kept: Head) -> str | None:
    """Say why a head from before can't be in the chain; None: it is. Looks at one link alone."""
    digest_there = session.scalar(
        select(AuditLink.digest).where(AuditLink.position == kept.position)
    )
    if digest_there is None:
        return f"the chain ends before link {kept.position}"
    if digest_there != kept.digest:
        return f"link {kept.position} is not the one that was kept"
    return None


def was_whole(session: Session) -> bool | None:
    """Say whether the chain held a head from before when that was last looked at; None: never."""
    return session.scalar(select(TrailCheck.is_whole).where(TrailCheck.id == _ONLY))


def note_whole(session: Session, *, is_whole: bool) -> None:
    """Note whether the chain holds a head from before, for monitors. Does not commit."""
    insert_new(session, TrailCheck, [{"id": _ONLY, "is_whole": is_whole}])
    session.execute(update(TrailCheck).values(is_whole=is_whole))


def _broken(position: int, before: str, words: str) -> Proof:
    return Proof(Head(position, before), words, 0)


def _links(session: Session) -> Iterator[Row[Any]]:
    """Yield every link in order, with its event where there is one."""
    entry = _events().selected_columns
    after = 0
    while True:
        page = session.execute(
            select(AuditLink.position, AuditLink.digest, *entry)
            .outerjoin(AuditEvent, AuditEvent.id == AuditLink.event_id)
            .where(AuditLink.position > after)
            .order_by(AuditLink.position)
            .limit(PAGE)
        ).all()
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].position


def _unlinked(session: Session) -> int:
    count = session.scalar(
        select(func.count())
        .select_from(AuditEvent)
        .outerjoin(AuditLink, AuditLink.event_id == AuditEvent.id)
        .where(AuditLink.position.is_(None))
    )
    return count or 0


def _new_events(session: Session) -> Select[*tuple[Any, ...]]:
    last_id = session.scalar(select(func.max(AuditLink.event_id))) or 0
    return (
        _events()
        .outerjoin(AuditLink, AuditLink.event_id == AuditEvent.id)
        .where(AuditLink.position.is_(None), AuditEvent.id > last_id - LOOKED_BACK)
        .order_by(AuditEvent.id)
    )


def _events() -> Select[*tuple[Any, ...]]:
    return select(
        AuditEvent.id,
        AuditEvent.at,
        AuditEvent.actor_id,
        AuditEvent.clinic_id,
        AuditEvent.patient_id,
        AuditEvent.action,
        AuditEvent.object_kind,
        AuditEvent.object_id,
    )
