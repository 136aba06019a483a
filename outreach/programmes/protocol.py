"""Programmes and their versions."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from outreach.programmes.models import Programme, ProgrammeVersion
from outreach.programmes.rules import PUBLISHED_PROTOCOL

PUBLISHED = "published-protocol"


def newest_version(session: Session, *, now: datetime) -> ProgrammeVersion:
    """Return the newest version of the default programme, adding it on first use.

    Does not commit.
    """
    version = session.scalar(
        select(ProgrammeVersion)
        .join(Programme)
        .where(Programme.code == PUBLISHED)
        .order_by(ProgrammeVersion.number.desc())
        .limit(1)
    )
    if version is not None:
        return version
    programme = Programme(code=PUBLISHED, name="Published protocol, 26 weeks")
    session.add(programme)
    session.flush()
    version = ProgrammeVersion(
        programme_id=programme.id, number=1, data=PUBLISHED_PROTOCOL.as_data(), created_at=now
    )
    session.add(version)
    session.flush()
    return version
