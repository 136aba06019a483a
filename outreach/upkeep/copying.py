"""Carrying a whole database over to another, of the same kind or not, and proving it.

All in one transaction of the target: it ends as a whole copy or as it was. The index of the
full-text search is made anew there, by the scheduler: the two kinds keep it differently. So are
the directories of names, as the target's own triggers note everybody as new.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Insert,
    Integer,
    Numeric,
    Select,
    String,
    Table,
    Text,
    and_,
    bindparam,
    cast,
    func,
    insert,
    literal,
    select,
    text,
    type_coerce,
)
from sqlalchemy.orm import Session
from sqlalchemy.types import Boolean, Date, DateTime, Time, TypeDecorator

from outreach import versions
from outreach.orm import Model, writing
from outreach.reports.models import (
    DayCount,
    DialCount,
    RolledClinic,
    TouchedDays,
    TouchedEnrolment,
    WeekCount,
)
from outreach.sealed_sql import AlreadyEncrypted
from outreach.sealing import SealedType
from outreach.searching import index
from outreach.searching.models import (
    DirectoryChange,
    DirectoryPage,
    SearchBacklog,
    SearchEntry,
)

PAGE = 2000
# The target's own triggers note what is copied as touched, and the scheduler rolls it up there.
_MADE_ANEW = {
    each.__tablename__
    for each in (
        SearchEntry,
        SearchBacklog,
        DirectoryPage,
        DirectoryChange,
        DayCount,
        DialCount,
        WeekCount,
        RolledClinic,
        TouchedDays,
        TouchedEnrolment,
    )
}


class CannotCopy(RuntimeError):
    """The target is not empty, not migrated, or not what the source is."""


def copy(source: Connection, target: Connection, *, tell: Callable[[str], object]) -> int:
    """Copy every row and commit; return how many there are.

    Args:
        source: read from; begun by the caller as a reader.
        target: of the same migration, without any rows of people.
        tell: is given a line for each table.

    Raises:
        CannotCopy: the two don't fit, or the copy is not what the source was.
    """
    tables = [each for each in Model.metadata.sorted_tables if each.name not in _MADE_ANEW]
    with source.begin(), writing(), target.begin():
        _check_versions(source, target)
        _check_empty(target)
        for table in reversed(tables):  # what migrations put there comes from the source
            if _has_rows(target, table):
                target.execute(table.delete())
        copied = 0
        for table in tables:
            count = _copy_table(source, target, table)
            copied += count
            if count:
                tell(f"{table.name}: {count:,} rows")
        if target.dialect.name == "postgresql":
            _set_sequences(target, tables)
        for table in tables:
            _prove(source, target, table)
        with Session(bind=target) as session:
            index.rebuild(session)
    return copied


def _check_versions(source: Connection, target: Connection) -> None:
    here, there = versions.of(source), versions.of(target)
    if here != there or not here:
        raise CannotCopy(
            "Migrate both databases to the same version first: "
            f"{here or 'none'} here, {there or 'none'} there."
        )


def _check_empty(target: Connection) -> None:
    for name in ("patient", "staff_member", "clinic"):
        table = Model.metadata.tables[name]
        if _has_rows(target, table):
            raise CannotCopy(f"There are rows in {name} there already. Name an empty database.")


def _has_rows(connection: Connection, table: Table) -> bool:
    return connection.execute(select(literal(1)).select_from(table).limit(1)).first() is not None


def _copy_table(source: Connection, target: Connection, table: Table) -> int:
    """Copy a table in the order of its key, so that what a row refers to is there before it."""
    count = 0
    for page in _pages(source, table):
        target.execute(_insert(table), [dict(row) for row in page])
        count += len(page)
    return count


def _insert(table: Table) -> Insert:
    """Insert values of encrypted columns as they are read: encrypted."""
    raw = {
        column.name: bindparam(column.name, type_=AlreadyEncrypted())
        for column in table.columns
        if isinstance(column.type, SealedType)
    }
    return insert(table).values(raw)


def _as_kept(column: Column[Any]) -> ColumnElement[Any]:
    """Return a column whose value is read as it lies in the database, encrypted or not."""
    if isinstance(column.type, SealedType):
        return type_coerce(column, Text()).label(column.name)
    return column


def _pages(source: Connection, table: Table) -> Iterator[Sequence[Any]]:
    keys = list(table.primary_key.columns)
    after: tuple[Any, ...] | None = None
    while True:
        query = select(*map(_as_kept, table.columns)).order_by(*keys).limit(PAGE)
        if after is not None:
            query = query.where(_follows(keys, after))
        page = source.execute(query).mappings().all()
        if page:
            yield page
        if len(page) < PAGE:
            return
        after = tuple(page[-1][key.name] for key in keys)


def _follows(keys: Sequence[Column[Any]], after: tuple[Any, ...]) -> Any:
    """Return the condition that a row comes after ``after`` in the order of ``keys``."""
    key, value = keys[0], after[0]
    if len(keys) == 1:
        return key > value
    return (key > value) | and_(key == value, _follows(keys[1:], after[1:]))


def _set_sequences(target: Connection, tables: Sequence[Table]) -> None:
    """Let new rows begin after the copied ones."""
    for table in tables:
        key = next(iter(table.primary_key.columns))
        name = target.scalar(
            text("SELECT pg_get_serial_sequence(:table, :column)"),
            {"table": table.name, "column": key.name},
        )
        if name is not None:
            last = target.scalar(select(func.max(key)))
            target.execute(
                text("SELECT setval(CAST(:name AS regclass), :value, :used)"),
                {"name": name, "value": last or 1, "used": last is not None},
            )


def _prove(source: Connection, target: Connection, table: Table) -> None:
    here, there = (_sums(each, table) for each in (source, target))
    if here != there:
        wrong = [name for name, value in here.items() if there[name] != value]
        raise CannotCopy(f"The copy of {table.name} differs in {', '.join(wrong)}. Nothing stays.")


def _sums(connection: Connection, table: Table) -> dict[str, Any]:
    """Return how many rows there are, and for each column a sum over all of them."""
    names = ["rows", *(column.name for column in table.columns)]
    row = connection.execute(_summed(table)).one()
    return dict(zip(names, row, strict=True))


def _summed(table: Table) -> Select[Any]:
    return select(func.count(), *map(_sum_of, table.columns)).select_from(table)


def _sum_of(column: Column[Any]) -> Any:
    """Return something that tells two columns apart on either kind of database.

    Numbers are added, exactly, texts measured, days and instants bounded, the rest counted.
    """
    kind = column.type
    if isinstance(kind, TypeDecorator):
        kind = kind.impl_instance
    if isinstance(kind, (Date, DateTime, Time)):
        return func.max(column)
    if isinstance(kind, Boolean):
        return func.sum(cast(column, Integer))
    if isinstance(kind, Integer):
        return func.sum(column)
    if isinstance(kind, Numeric):
        return func.sum(_in_least_units(column, kind))
    if isinstance(kind, String):
        return func.sum(func.length(_as_kept(column)))
    return func.count(column)


def _in_least_units(column: Column[Any], kind: Numeric[Any]) -> ColumnElement[int]:
    """Return a decimal as a whole number of the least that its column keeps: thousandths, say.

    SQLite keeps decimals as floats, whose sum over a million rows is not that of PostgreSQL.
    """
    return cast(func.round(column * 10 ** (kind.scale or 0)), BigInteger)
