"""Databases for benches: migrated, emptied between runs, and reached past SQLAlchemy."""

import sqlite3
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config as AlembicConfig
from sqlalchemy import inspect
from sqlalchemy.engine import make_url

from config import ROOT
from outreach import orm, sealing
from outreach.encryption import KEY_BYTES
from outreach.orm import Model, Sessions
from outreach.patients.models import UNRANKED, Patient, PhoneNumber, tail_of
from outreach.sealing import SealedType

Rows = dict[str, list[dict[str, Any]]]
KEYS = (("bench", bytes(KEY_BYTES)),)  # of rows that are made up


class NotEmpty(RuntimeError):
    """A bench never empties a database that holds somebody's patients."""


def use_keys() -> None:
    """Encrypt as the product does, with a key that every process of a bench knows."""
    if not sealing.is_ready():
        sealing.use(KEYS)


def prepare(url: str | None, folder: Path) -> str:
    """Return the address of a migrated, empty database: the one named, else a new file."""
    address = for_sqlalchemy(url) if url else f"sqlite:///{folder / 'bench.sqlite3'}"
    use_keys()
    engine = orm.make_engine(address)
    try:
        if inspect(engine).has_table("patient") and _has_patients(address):
            raise NotEmpty("This database has patients. Name an empty one.")
    finally:
        engine.dispose()
    migrate(address)
    return address


@contextmanager
def filled(
    url: str | None, fill: Callable[[str, Sessions], object]
) -> Iterator[tuple[str, Sessions]]:
    """Yield the address of a database of :func:`prepare` that ``fill`` filled; empty it again."""
    with tempfile.TemporaryDirectory(prefix="outreach-bench-") as folder:
        address = prepare(url, Path(folder))
        engine = orm.make_engine(address)
        sessions = orm.make_sessions(engine)
        try:
            fill(address, sessions)
            yield address, sessions
        finally:
            engine.dispose()
            empty(address)


def migrate(address: str) -> None:
    """Bring a database that a bench made up to this release."""
    use_keys()
    alembic = AlembicConfig(toml_file=ROOT / "pyproject.toml")
    alembic.attributes["url"] = address
    command.upgrade(alembic, "head")


def empty(address: str) -> None:
    """Delete every row that a bench made.

    The audit trail refuses to be emptied, as it should anywhere else.
    """
    tables = [table.name for table in Model.metadata.sorted_tables]
    with closing(connect(address)) as connection:
        if is_sqlite(address):
            connection.execute("PRAGMA foreign_keys=OFF")
            guards = connection.execute(
                "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'audit%'"
            ).fetchall()
            for name, _sql in guards:
                connection.execute(f"DROP TRIGGER {name}")
            for name in tables:
                connection.execute(f"DELETE FROM {name}")  # noqa: S608 - our own tables
            for _name, sql in guards:
                connection.execute(sql)
            connection.commit()
            connection.execute("VACUUM")
        else:
            guarded = [name for name in tables if name.startswith("audit")]
            for name in guarded:
                connection.execute(f"ALTER TABLE {name} DISABLE TRIGGER USER")
            connection.execute(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE")
            for name in guarded:
                connection.execute(f"ALTER TABLE {name} ENABLE TRIGGER USER")
            connection.commit()


@contextmanager
def unwatched(connection: Any, tables: Collection[str]) -> Iterator[None]:
    """Commit what is written in this context to ``tables`` without triggers and foreign keys.

    Their indexes are made afterwards: ten million rows take minutes instead of an hour.
    """
    is_sqlite = isinstance(connection, sqlite3.Connection)
    names = ", ".join(f"'{name}'" for name in tables)
    if is_sqlite:
        made = connection.execute(
            f"SELECT name, sql, type FROM sqlite_master WHERE tbl_name IN ({names})"  # noqa: S608
            " AND type IN ('index', 'trigger') AND sql IS NOT NULL"
        ).fetchall()
        connection.execute("PRAGMA foreign_keys=OFF")
    else:
        made = connection.execute(
            "SELECT indexname, indexdef, 'index' FROM pg_indexes"  # noqa: S608
            f" WHERE tablename IN ({names}) AND indexdef NOT LIKE 'CREATE UNIQUE%'"
        ).fetchall()
        connection.execute("SET session_replication_role = replica; SET TIME ZONE 'UTC'")
        connection.execute("SET maintenance_work_mem = '1GB'; SET work_mem = '256MB'")
    for name, _sql, kind in made:
        connection.execute(f"DROP {kind} {name}")
    yield
    for _name, sql, _kind in made:
        connection.execute(sql)
    connection.commit()


def settle(address: str) -> None:
    """Do what the database does by itself within minutes: count, and sweep dead rows."""
    with closing(connect(address)) as connection:
        if is_sqlite(address):
            connection.execute("ANALYZE")
        else:
            connection.autocommit = True
            connection.execute("VACUUM ANALYZE")


def connect(address: str) -> Any:
    """Return a bare driver's connection, as durable as ours."""
    if not is_sqlite(address):
        return psycopg.connect(plain(address))
    connection = sqlite3.connect(str(make_url(address).database))
    for pragma in orm.SQLITE_PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    return connection


def plain(address: str) -> str:
    """Return a PostgreSQL's address as its own programs and driver read it."""
    return address.replace("postgresql+psycopg://", "postgresql://")


def is_sqlite(address: str) -> bool:
    """Say which of the two kinds of database this is."""
    return make_url(address).get_backend_name() == "sqlite"


def write(connection: Any, rows: Rows, *, is_sqlite: bool) -> None:
    """Write rows by the bare driver; all rows of a table have the same columns."""
    for table, bare in rows.items():
        found = [_sealed(table, row) for row in bare]
        columns = list(found[0])
        into = f"{table} ({', '.join(columns)})"
        if is_sqlite:
            marks = ", ".join(f":{column}" for column in columns)
            connection.executemany(f"INSERT INTO {into} VALUES ({marks})", found)  # noqa: S608
            continue
        with connection.cursor() as cursor, cursor.copy(f"COPY {into} FROM STDIN") as copy:
            for row in found:
                copy.write_row(list(row.values()))


def _sealed(table: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row as the product keeps it: with ranks and tails, and encrypted."""
    kinds = Model.metadata.tables[table].columns
    if table == PhoneNumber.__tablename__:
        row = {**row, "tail": tail_of(row["e164"])}
    if table == Patient.__tablename__:
        row = {"name_rank": UNRANKED, "record_rank": UNRANKED, **row}
    row = {**_empty(table), **row}
    return {
        name: kind.sealed(value)
        if isinstance(kind := kinds[name].type, SealedType) and value is not None
        else value
        for name, value in row.items()
    }


@cache
def _empty(table: str) -> dict[str, Any]:
    """Return the encrypted columns that are empty unless a row says otherwise."""
    return {
        column.name: ""
        for column in Model.metadata.tables[table].columns
        if isinstance(column.type, SealedType) and getattr(column.default, "arg", None) == ""
    }


def stored(instant: datetime) -> str:
    """Return an instant as SQLite keeps it, in UTC; PostgreSQL reads it too."""
    return f"{instant:%Y-%m-%d %H:%M:%S.%f}"


def _has_patients(address: str) -> bool:
    with closing(connect(address)) as connection:
        return connection.execute("SELECT 1 FROM patient LIMIT 1").fetchone() is not None


def for_sqlalchemy(url: str) -> str:
    """Return an address with the driver that the product uses."""
    for plain in ("postgres://", "postgresql://"):
        if url.startswith(plain):
            return "postgresql+psycopg://" + url.removeprefix(plain)
    return url
