"""Programmes and their versions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, Select, select
from sqlalchemy.orm import Session

from outreach import orm
from outreach.built_once import built_once
from outreach.errors import NotFound
from outreach.programmes.models import Programme, ProgrammeVersion
from outreach.programmes.rules import PUBLISHED_PROTOCOL, Protocol

PUBLISHED = "published-protocol"

# A version is written once and never changed: a process reads each of a database once.
_read: WeakKeyDictionary[Engine | Connection, dict[int, Protocol]] = WeakKeyDictionary()


class NoSuchProgramme(NotFound):
    """There is no programme with this code."""


def names(session: Session) -> Sequence[tuple[str, str]]:
    """Return (code, name) of every programme, the default one first, then by name."""
    rows = session.execute(
        select(Programme.code, Programme.name).order_by(
            Programme.code != PUBLISHED, Programme.name, Programme.id
        )
    )
    return [(code, name) for code, name in rows]


def newest_version(session: Session, *, now: datetime, code: str = PUBLISHED) -> ProgrammeVersion:
    """Return the newest version of a programme, adding the default one on first use.

    Does not commit.

    Raises:
        NoSuchProgramme: ``code`` is no programme's.
    """
    version = session.scalar(
        select(ProgrammeVersion)
        .join(Programme)
        .where(Programme.code == code)
        .order_by(ProgrammeVersion.number.desc())
        .limit(1)
    )
    if version is not None:
        return version
    if code != PUBLISHED:
        raise NoSuchProgramme("There is no such programme.")
    programme = Programme(code=PUBLISHED, name="Published protocol, 26 weeks")
    session.add(programme)
    session.flush()
    version = ProgrammeVersion(
        programme_id=programme.id, number=1, data=PUBLISHED_PROTOCOL.as_data(), created_at=now
    )
    session.add(version)
    session.flush()
    return version


def protocol_of(session: Session, version_id: int) -> Protocol:
    """Return the protocol of a version; one that readers have seen is not read again.

    What a writer sees may be rolled back, and its number become another's.
    """
    known = _read.setdefault(session.get_bind(), {})
    if version_id in known:
        return known[version_id]
    (row,) = orm.rows_of(session, *_data_of(version_id))
    protocol = Protocol.from_data(row.data)
    if orm.is_reading():
        known[version_id] = protocol
    return protocol


@built_once
def _data_of(version_id: Any) -> Select[dict[str, Any]]:
    return select(ProgrammeVersion.data).where(ProgrammeVersion.id == version_id)
