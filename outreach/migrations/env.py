"""How Alembic reaches the database: by the product's own settings and engine."""

from dataclasses import replace
from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, text

from config import Config
from outreach import orm, sealing, tables
from outreach.orm import Model
from outreach.upkeep import compacting, fitting
from outreach.upkeep.compacting import CannotCompact
from outreach.upkeep.fitting import KeysDontFit

_loaded = tables

LOCK_SECONDS = 5


def _render(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Write our own column types as plain ones: old migrations never import today's code."""
    if kind == "type" and isinstance(item, orm.UTCDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def _let_tables_be_rebuilt(connection: Connection) -> None:
    """SQLite changes a table by filling a new one: foreign keys rest until that is done."""
    if connection.dialect.name == "sqlite":
        connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")


def _wait_for_no_lock(connection: Connection) -> None:
    """Fail after some seconds rather than wait for a lock: whoever comes later waits behind us.

    What failed is undone, and can be run again at a quieter moment.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SET lock_timeout = '{LOCK_SECONDS}s'"))
        connection.commit()


def _use_keys(url: str) -> None:
    """Encrypt with the keys of the installation, and make the first one of a new one."""
    config = replace(Config.from_environment(), database_url=url)
    if fitting.make_first(config):
        config = replace(Config.from_environment(), database_url=url)
    try:
        fitting.tell(config)
    except KeysDontFit as error:
        raise CommandError(str(error)) from error


def _run() -> None:
    url = context.config.attributes.get("url") or Config.from_environment().database_url
    if not sealing.is_ready():
        _use_keys(url)
    context.config.attributes["cipher"] = sealing.cipher()  # migrations import nothing of ours
    engine = orm.make_engine(url)
    try:
        orm.use_wal(engine)
        with engine.connect() as connection:
            _let_tables_be_rebuilt(connection)
            _wait_for_no_lock(connection)
            context.configure(
                connection=connection,
                target_metadata=Model.metadata,
                render_item=_render,
                render_as_batch=True,
                compare_type=True,
                transaction_per_migration=True,
            )
            with context.begin_transaction():
                context.run_migrations()
        if context.config.attributes.pop("is_to_be_compacted", False):
            _compact(engine)
    finally:
        engine.dispose()


def _compact(engine: Engine) -> None:
    """Write the database anew, so that nothing is left of values from before a migration."""
    try:
        compacting.compact(engine)
    except CannotCompact as error:
        raise CommandError(str(error)) from error


_run()
