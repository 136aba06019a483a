"""Tables, engines and sessions, without Flask."""

import enum
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    CompoundSelect,
    Dialect,
    Engine,
    Enum,
    MetaData,
    Row,
    Select,
    bindparam,
    create_engine,
    event,
    inspect,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import default, make_url
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Boolean, DateTime, Integer, NullType, Text, TypeDecorator, TypeEngine

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

_reading: ContextVar[bool] = ContextVar("reading", default=False)

# Seconds; the last one milliseconds. Ten seconds of silence are the end of a connection.
_LIMITS = {
    "connect_timeout": 5,
    "keepalives_idle": 4,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}

# As many connections stay as a web worker's 8 threads use: one that is opened anew has forgotten
# its plans, and cost a busy server more than the pages did. Two a thread, at most. The one that
# was used last is taken first: it knows the most plans.
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
    For statements that are built once and read on every page.
    """
    session.flush()
    return session.connection().execute(statement, wanted).all()


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
    dialect = session.get_bind().dialect.name
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    key = inspect(model).primary_key
    statement = insert(model).on_conflict_do_nothing().returning(*key)
    return len(session.execute(statement, list(rows)).all())


def recount(sessions: Sessions, model: type[Model]) -> None:
    """Let the database count a table again by which it chooses how to look things up.

    For those who just wrote by the thousand: by counts from before, PostgreSQL may compare
    every row of one table with every row of another. It counts by itself too, but only a
    minute or more later.
    """
    with sessions.begin() as session:
        session.connection().exec_driver_sql(f"ANALYZE {model.__tablename__}")


def array_text(values: Sequence[Any]) -> str:
    """Return ``values`` as the text of an array of PostgreSQL.

    The driver takes ten times as long to write a list of a thousand.
    """
    if all(type(each) is int for each in values):
        return f"{{{','.join(map(str, values))}}}"
    return f"{{{','.join([_element(each) for each in values])}}}"


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    text = str(value)
    if "\\" in text or '"' in text:
        text = text.replace("\\", r"\\").replace('"', r"\"")
    return f'"{text}"'


class _Many(TypeDecorator[Sequence[Any]]):
    """Many values as one parameter: an array, or JSON where there are no arrays."""

    impl = Text
    cache_ok = True
    of: TypeEngine[Any] = Integer()

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return text, which on PostgreSQL becomes an array where it is used."""
        kind: TypeEngine[Any] = NullType() if dialect.name == "postgresql" else Text()
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: Sequence[Any] | None, dialect: Dialect) -> Any:
        """Return the values as the text of an array, or as JSON."""
        values = list(value or ())
        return array_text(values) if dialect.name == "postgresql" else json.dumps(values)


class _Ids(_Many):
    """Many ids."""

    cache_ok = True


class _Words(_Many):
    """Many texts, as telephone numbers are."""

    cache_ok = True
    of = Text()


class _Among(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> Any:
        """Return itself: a condition already, which SQLite would else compare with 1."""
        del against
        return self


@compiles(_Among)
def _among_array(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, ids = (compiler.process(each, **options) for each in element.clauses)
    kind = list(element.clauses)[1].type
    assert isinstance(kind, _Many)  # noqa: S101 - among() made it
    return f"{column} = ANY({ids}::{compiler.dialect.type_compiler_instance.process(kind.of)}[])"


@compiles(_Among, "sqlite")
def _among_json(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, ids = (compiler.process(each, **options) for each in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({ids}))"  # noqa: S608 - from our own parts


def among(column: Any, ids: Sequence[int]) -> ColumnElement[bool]:
    """Return the condition that ``column`` is one of ``ids``.

    One parameter for any number of them, where ``in_`` has one for each.
    """
    return _Among(column, bindparam(None, ids, type_=_Ids()))


def among_words(column: Any, words: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition that ``column`` is one of ``words``, as :func:`among` of ids.

    Each word is stored first as the column stores it: it may be encrypted there.
    """
    kind = column.type
    if isinstance(kind, TypeDecorator):
        dialect = default.DefaultDialect()
        words = [kind.process_bind_param(word, dialect) for word in words]
    return _Among(column, bindparam(None, words, type_=_Words()))


def for_each(ids: Iterable[int], work: Callable[[int], int | bool]) -> int:
    """Do ``work`` for each id and return the sum of what it returns.

    One bad row is logged, by id, and never stops the rest.
    """
    done = 0
    for each in ids:
        try:
            done += work(each)
        except Exception:
            log.exception("%s failed for row %s", getattr(work, "__name__", "work"), each)
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
