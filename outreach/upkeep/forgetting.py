"""Taking away by what a stolen copy of before 0070 told names, once no older process needs it.

That is the order of names, the words of names in the index, and how long each name is. All of a
patient goes in one write of their row, which is known to be done by its rank: UNRANKED.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    Connection,
    Text,
    bindparam,
    delete,
    inspect,
    select,
    type_coerce,
    update,
)
from sqlalchemy.orm import Session

from outreach.among import among
from outreach.encryption import CannotDecrypt
from outreach.orm import Model, Sessions
from outreach.patients.models import UNRANKED, Patient
from outreach.sealed_sql import AlreadyEncrypted
from outreach.searching.models import Kind, SearchEntry

PAGE = 500

_PADDED = (Patient.given_name, Patient.family_name, Patient.preferred_name, Patient.said_as)
_OLD_WORDS = select(SearchEntry.id).where(SearchEntry.kind == Kind.PATIENT)
_OLD_RANKS = select(Patient.id).where(Patient.name_rank > UNRANKED)


def is_due(connection: Connection) -> bool:
    """Say whether anything is left, as after an upgrade; the database may be of before it."""
    there = inspect(connection)
    if not (there.has_table(SearchEntry.__tablename__) and there.has_table(Patient.__tablename__)):
        return False
    if "name_rank" not in {each["name"] for each in there.get_columns(Patient.__tablename__)}:
        return False
    return any(connection.scalar(each.limit(1)) is not None for each in (_OLD_WORDS, _OLD_RANKS))


def forget(sessions: Sessions) -> int:
    """Take it away, a page a transaction; return of how many rows."""
    return _of(sessions, _forget_words) + _of(sessions, _forget_ranks)


def _of(sessions: Sessions, forget_some: Callable[[Session], int]) -> int:
    done = 0
    while True:
        with sessions.begin() as session:
            some = forget_some(session)
        done += some
        if not some:
            return done


def _forget_words(session: Session) -> int:
    ids = session.scalars(_OLD_WORDS.order_by(SearchEntry.source_id).limit(PAGE)).all()
    session.execute(delete(SearchEntry).where(among(SearchEntry.id, ids)))
    return len(ids)


def _forget_ranks(session: Session) -> int:
    """Write names anew, filled up, with ranks that say nothing; behind a lock of each row."""
    raw = [type_coerce(each, Text()).label(each.key) for each in _PADDED]
    rows = session.execute(
        select(Patient.id, *raw)
        .where(Patient.name_rank > UNRANKED)
        .order_by(Patient.id)
        .limit(PAGE)
        .with_for_update(skip_locked=True)
    ).all()
    table = Model.metadata.tables[Patient.__tablename__]
    filled = {each.key: bindparam(f"new_{each.key}", type_=AlreadyEncrypted()) for each in _PADDED}
    write = update(table).where(table.c.id == bindparam("patient"))
    values = [
        {"patient": row.id}
        | {f"new_{each.key}": _filled(each, getattr(row, each.key)) for each in _PADDED}
        for row in rows
    ]
    if values:
        ranks = {"name_rank": UNRANKED, "record_rank": UNRANKED}
        session.connection().execute(write.values(**ranks, **filled), values)
    return len(rows)


def _filled(column: Any, value: str | None) -> str | None:
    if value is None:
        return None
    kind = column.type
    try:
        return str(kind.sealed(kind.opened(value)))
    except CannotDecrypt:  # 'check invariants' says whose
        return value
