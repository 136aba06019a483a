"""Tables, engines and sessions, without Flask."""

import enum
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    CompoundSelect,
    Connection,
    Dialect,
    Engine,
    Enum,
    MetaData,
    Row,
    Select,
    create_engine,
    event,
    inspect,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker
from sqlalchemy.types import DateTime, TypeDecorator

from outreach import read_only, turns

Sessions = sessionmaker[Session]

log = logging.getLogger(__name__)

# A commit is on the disk before it is answered. 16 MB of cache a connection, taken as needed:
# with SQLite's own 2 MB, pages that a planner or a report touches are read again and again;
# 32 MB took no less CPU of a planner, and 16 MB more of its memory.
SQLITE_PRAGMAS = (
    "busy_timeout=30000",
    "foreign_keys=ON",
    "synchronous=FULL",
    "cache_size=-16000",
)

STATEMENTS = 500  # more than are built once

_PLACE = "connection"  # in a session's own notes
_reading: ContextVar[bool] = ContextVar("reading", default=False)
_failed: ContextVar[list[int] | None] = ContextVar("failed", default=None)

# Seconds; the last one milliseconds. Ten seconds of silence are the end of a connection.
_LIMITS = {
    "connect_timeout": 5,
    "keepalives_idle": 4,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}

# As many connections stay as 8 threads of a web worker use, where somebody wants so many: one that
# is opened anew has forgotten its plans, and cost a busy server more than the pages did. Two a
# thread, at most. The one that was used last is taken first: it knows the most plans.
_POOL = {"pool_size": 12, "max_overflow": 4, "pool_use_lifo": True}

NAMES = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class UTCDateTime(TypeDecorator[datetime]):
    """An aware instant, stored as UTC on every database; naive values are refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return ``value`` in UTC, without its zone where the database keeps none."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("An instant must be aware.")
        utc = value if value.tzinfo is UTC else value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[Any], datetime | None] | None:
        """Return what reads an instant; of SQLite's text in one go, as reports read thousands."""
        if dialect.name != "sqlite":
            return super().result_processor(dialect, coltype)
        return _instant_of_text

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the instant aware, in UTC."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _instant_of_text(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(f"{text}+00:00")


class Model(DeclarativeBase):
    """Base of every table. Columns have no time defaults: ``now`` is an argument."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {  # noqa: RUF012
        datetime: UTCDateTime(),
        enum.Enum: Enum(
            enum.Enum,
            native_enum=False,
            create_constraint=False,
            length=40,
            values_callable=lambda members: [member.value for member in members],
        ),
        dict[str, Any]: JSON(),
        list[str]: JSON(),
    }


@contextmanager
def reading() -> Iterator[None]:
    """Begin transactions in this context as readers, to which PostgreSQL refuses every change.

    Everywhere else SQLite transactions begin IMMEDIATE: one that reads first and writes
    later fails at once when somebody else wrote in between, whatever the busy timeout.
    """
    token = _reading.set(True)
    try:
        yield
    finally:
        _reading.reset(token)


def is_reading() -> bool:
    """Say whether transactions that begin here are readers'."""
    return _reading.get()


def rows_of(
    session: Session,
    statement: Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]],
    wanted: Mapping[str, Any],
) -> Sequence[Row[*tuple[Any, ...]]]:
    """Return the rows of a statement that selects columns, not objects, for ``wanted``.

    As ``session.execute``, past what that does for objects: half of the CPU of a short read.
    Only for statements that are built once and read on every page: each is remembered.
    """
    session.flush()
    known = {"compiled_cache": _in_sql(statement)}
    return _connection(session).execute(statement, wanted, execution_options=known).all()


def _connection(session: Session) -> Connection:
    """Return the connection of a transaction that goes on, asked for once.

    To ask ``session`` takes as long as a short statement does; it tells whoever asks after a
    failure that nothing goes on.
    """
    transaction, kept = session.get_transaction(), session.info.get(_PLACE)
    goes_on = transaction is not None and transaction.is_active
    if kept and kept[0] is transaction and goes_on and not session.in_nested_transaction():
        known: Connection = kept[1]
        return known
    connection = session.connection()
    session.info[_PLACE] = session.get_transaction(), connection
    return connection


class _InSQL(dict[Any, Any]):
    """What one statement is in SQL, by the database and the names of what it is told.

    SQLAlchemy's own memory is of all statements, and finds one by all of its parts: of a queue's
    there are a thousand, which are gone through anew each time it is asked.
    """

    def get(self, key: Any, default: Any = None) -> Any:
        """Return the SQL for a ``key`` of SQLAlchemy's: database, parts, names, and how."""
        return super().get((key[0], *key[2:]), default)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        super().__setitem__((key[0], *key[2:]), compiled)


@lru_cache(maxsize=STATEMENTS)
def _in_sql(_statement: object) -> _InSQL:
    return _InSQL()


def one_picture(session: Session) -> None:
    """Let all that ``session`` reads be the database as it is now; call it before it reads.

    A transaction of SQLite sees one state anyway; on PostgreSQL each statement would see its own.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


@contextmanager
def writing() -> Iterator[None]:
    """Begin transactions in this context as writers, though all around it only reads.

    For what a page that is only looked at has to note.
    """
    token = _reading.set(False)
    try:
        yield
    finally:
        _reading.reset(token)


def prepare(engine: Engine) -> Engine:
    """Give an SQLite ``engine`` the settings that lose nothing; let readers of either only read."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_pragmas)
        turns.prepare(engine, _reading.get)
    else:
        read_only.prepare(engine, _reading.get)
    return engine


def make_engine(url: str) -> Engine:
    """Return an engine for ``url`` for use outside Flask, making the folder of a new file."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    return prepare(create_engine(url, **engine_options(url)))


def engine_options(url: str) -> dict[str, Any]:
    """Return how every engine of the product is made for ``url``.

    A machine that is cut off hears nothing, not even that it is: without these limits a
    statement would wait for a quarter of an hour. What ``url`` says itself is left as it is.
    """
    options: dict[str, Any] = {"hide_parameters": True}  # no health text in errors and logs
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        limits = {each: limit for each, limit in _LIMITS.items() if each not in parsed.query}
        options |= {"pool_pre_ping": True, "connect_args": limits} | _POOL
    else:
        options |= {"connect_args": {"factory": turns.Writer}}
    return options


def use_wal(engine: Engine) -> None:
    """Switch a new SQLite file to write-ahead logging.

    Done once while migrating: two processes that switch at the same time block each other.
    """
    if engine.dialect.name == "sqlite":
        connection = engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA journal_mode=WAL")
        finally:
            connection.close()


def insert_new(session: Session, model: type[Model], rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert ``rows`` that break no unique key; pass over the others; return how many went in.

    This, not a look beforehand, is what makes a second one impossible.
    """
    if not rows:
        return 0
    statement = _inserting_new(model, session.get_bind().dialect.name)
    return len(session.execute(statement, list(rows)).all())


@cache
def _inserting_new(model: type[Model], dialect: str) -> Any:
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    return insert(model).on_conflict_do_nothing().returning(*inspect(model).primary_key)


def recount(sessions: Sessions, model: type[Model]) -> None:
    """Let the database count a table again by which it chooses how to look things up.

    For those who just wrote by the thousand: by counts from before, PostgreSQL may compare
    every row of one table with every row of another. It counts by itself too, but only a
    minute or more later.
    """
    with sessions.begin() as session:
        session.connection().exec_driver_sql(f"ANALYZE {model.__tablename__}")


@contextmanager
def failing_rows() -> Iterator[list[int]]:
    """Give a list into which every row comes, by id, that fails meanwhile and is passed over.

    Whoever gathers them around this one is told as well.
    """
    around, failed = _failed.get(), list[int]()
    token = _failed.set(failed)
    try:
        yield failed
    finally:
        _failed.reset(token)
        if around is not None:
            around += failed


def row_failed(row_id: int) -> None:
    """Tell whoever gathers them of a row that failed and is passed over."""
    failed = _failed.get()
    if failed is not None:
        failed.append(row_id)


def for_each(ids: Iterable[int], work: Callable[[int], int | bool]) -> int:
    """Do ``work`` for each id and return the sum of what it returns.

    One bad row is logged, by id, and never stops the rest; see :func:`failing_rows`.
    """
    done = 0
    for each in ids:
        try:
            done += work(each)
        except Exception:
            log.exception("%s failed for row %s", getattr(work, "__name__", "work"), each)
            row_failed(each)
    return done


def for_batches(
    sessions: Sessions, ids: Sequence[int], size: int, work: Callable[[Session, Sequence[int]], int]
) -> int:
    """Do ``work`` for ``size`` ids at a time, a transaction each; return the sum.

    A batch that fails is done again one by one, so that one bad row never stops the rest.
    """

    def one(each: int) -> int:
        with sessions.begin() as session:
            return work(session, [each])

    done = 0
    for first in range(0, len(ids), size):
        batch = ids[first : first + size]
        try:
            with sessions.begin() as session:
                done += work(session, batch)
        except Exception:
            log.exception("a batch failed; doing its rows one by one")
            done += for_each(batch, one)
    return done


def make_sessions(engine: Engine) -> Sessions:
    """Return the session factory for jobs, scripts and tests."""
    return sessionmaker(engine, expire_on_commit=False)


def _set_pragmas(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we send BEGIN ourselves
    for pragma in SQLITE_PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
