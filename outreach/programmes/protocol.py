"""Programmes and their versions."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.errors import NotFound
from outreach.programmes.models import Programme, ProgrammeVersion
from outreach.programmes.rules import PUBLISHED_PROTOCOL

PUBLISHED = "published-protocol"


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
