"""How Alembic reaches the database: by the product's own settings and engine."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection

from config import Config
from outreach import orm, tables
from outreach.orm import Model

_loaded = tables


def _render(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Write our own column types as plain ones: old migrations never import today's code."""
    if kind == "type" and isinstance(item, orm.UTCDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def _let_tables_be_rebuilt(connection: Connection) -> None:
    """SQLite changes a table by filling a new one: foreign keys rest until that is done."""
    if connection.dialect.name == "sqlite":
        connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")


def _run() -> None:
    url = context.config.attributes.get("url") or Config.from_environment().database_url
    engine = orm.make_engine(url)
    orm.use_wal(engine)
    with engine.connect() as connection:
        _let_tables_be_rebuilt(connection)
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
    engine.dispose()


_run()
