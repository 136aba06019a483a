"""The migrated database is what the models say, upwards and downwards, on both engines."""

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect

from config import ROOT
from outreach import tables
from outreach.orm import Model
from tests.conftest import migrate


def _is_a_model_s(_object: object, name: str | None, *_rest: object) -> bool:
    """Leave out the two full-text indexes, which each engine has its own words for."""
    return not (name or "").startswith(("search_words", "ix_search_entry_words"))


def test_a_migrated_database_equals_the_models(engine: Engine) -> None:
    assert tables.ALL
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "include_object": _is_a_model_s}
        )
        differences = compare_metadata(context, Model.metadata)

    assert differences == []


def test_migrations_go_down_and_up_again(engine: Engine, database_url: str) -> None:
    alembic = AlembicConfig(toml_file=ROOT / "pyproject.toml")
    alembic.attributes["url"] = database_url

    command.downgrade(alembic, "base")
    left = set(inspect(engine).get_table_names()) - {"alembic_version"}
    migrate(database_url)

    assert left == set()
    assert set(inspect(engine).get_table_names()) >= set(Model.metadata.tables)


def test_the_embedded_database_loses_nothing_on_power_loss(engine: Engine) -> None:
    if engine.dialect.name == "postgresql":
        return  # fsync is PostgreSQL's own default, and not ours to set
    with engine.connect() as connection:
        read = connection.exec_driver_sql
        assert read("PRAGMA journal_mode").scalar() == "wal"
        assert read("PRAGMA synchronous").scalar() == 2  # FULL
        assert read("PRAGMA foreign_keys").scalar() == 1
