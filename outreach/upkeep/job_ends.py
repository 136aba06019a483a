"""How it went with each job of the scheduler, kept where the web reads it for monitors."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from outreach.orm import insert_new
from outreach.upkeep.models import JobEnd


def know(session: Session, jobs: Mapping[str, int], *, now: datetime) -> None:
    """Keep what is known of ``jobs``, each with the seconds after which it comes, and of no other.

    One that never ran is known from now on, so that it is told of where it never does. Does not
    commit.
    """
    session.execute(delete(JobEnd).where(JobEnd.name.not_in(jobs)))
    insert_new(session, JobEnd, [_row(name, seconds, 0, now=now) for name, seconds in jobs.items()])


def note(session: Session, name: str, seconds: int, *, is_well: bool, now: datetime) -> None:
    """Note that a job ended, well or not. Does not commit."""
    connection = session.connection()
    row = _row(name, seconds, 0 if is_well else 1, now=now)
    connection.execute(_noting(connection.dialect.name, is_well=is_well), row)


def every(session: Session) -> Sequence[JobEnd]:
    """Return what is known of each job, by name."""
    return session.scalars(select(JobEnd).order_by(JobEnd.name)).all()


def _row(name: str, seconds: int, failures: int, *, now: datetime) -> dict[str, Any]:
    return {"name": name, "every_seconds": seconds, "well_at": now, "failures": failures}


@cache
def _noting(dialect: str, *, is_well: bool) -> Any:
    statement = (sqlite.insert if dialect == "sqlite" else postgresql.insert)(JobEnd)
    new = statement.excluded
    changes = {"every_seconds": new.every_seconds, "failures": JobEnd.failures + new.failures}
    if is_well:
        changes["well_at"] = new.well_at
    return statement.on_conflict_do_update(index_elements=["name"], set_=changes)
