"""Whether the database is of the version that this release needs."""

from functools import cache

from sqlalchemy import Connection, column, insert, inspect, select, table
from sqlalchemy.orm import Session

from config import ROOT

# Where Alembic keeps what it did. It is not asked itself: it takes longer to load than a page
# takes to make, and would read every migration to find the last one.
TABLE = "alembic_version"
_DONE = table(TABLE, column("version_num"))
_AND = ", "
_MIGRATIONS = ROOT / "outreach" / "migrations" / "versions"


def trouble(connection: Connection) -> str | None:
    """Return why this release can't run on the database, None where it can.

    It can on that of the next release: migrations only add, and take away what the release
    before had stopped to use. So machines are brought up to date one by one, and back.
    """
    found, needed = of(connection), last()
    if found >= needed:
        return None
    return f"The database is at {found or 'no version'}; this release needs {needed}."


def ahead(connection: Connection) -> str | None:
    """Return the version of a database that a newer release has migrated, None elsewhere."""
    found = of(connection)
    return found if found > last() else None


def of(connection: Connection) -> str:
    """Return the version of a database, empty where it has none."""
    if not inspect(connection).has_table(_DONE.name):
        return ""
    return _AND.join(sorted(connection.scalars(select(_DONE.c.version_num))))


def put_back(session: Session, version: str) -> None:
    """Say which version a database is of that was put back without saying it. Does not commit."""
    if version and not of(session.connection()):
        done = [{"version_num": each} for each in version.split(_AND)]
        session.execute(insert(_DONE), done)


@cache
def last() -> str:
    """Return the last migration: they are a line, in the order of the names of their files."""
    return max(file.stem for file in _MIGRATIONS.glob("[0-9]*.py"))
