"""Whether the database is of the version that this release needs."""

from functools import cache

from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from config import ROOT


def trouble(connection: Connection) -> str | None:
    """Return why this release can't run on the database, None where it can."""
    found, needed = of(connection), ", ".join(_needed())
    if found == needed:
        return None
    return f"The database is at {found or 'no version'}; this release needs {needed}."


def of(connection: Connection) -> str:
    """Return the version of a database, empty where it has none."""
    return ", ".join(sorted(MigrationContext.configure(connection).get_current_heads()))


@cache
def _needed() -> tuple[str, ...]:
    config = AlembicConfig(toml_file=ROOT / "pyproject.toml")
    return tuple(ScriptDirectory.from_config(config).get_heads())
