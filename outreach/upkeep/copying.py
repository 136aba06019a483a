"""Carrying a whole database over to another, of the same kind or not, and proving it.

All in one transaction of the target: it ends as a whole copy or as it was. The index of the
full-text search is made anew there, by the scheduler: the two kinds keep it differently. So are
the directories of names, as the target's own triggers note everybody as new.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Insert,
    Table,
    Text,
    and_,
    bindparam,
    func,
    insert,
    literal,
    select,
    text,
    tuple_,
    type_coerce,
)
from sqlalchemy.orm import Session

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
    """Hold every value of ``table`` against the one that it was copied from.

    Sums would agree where a text was exchanged for another of its length, or two for each other.
    """
    count = 0
    for page in _pages(source, table):
        there = _same_rows(target, table, page)
        for row in page:
            _compare(table, row, there.get(_key_of(table, row)))
        count += len(page)
    if count != target.scalar(select(func.count()).select_from(table)):
        raise CannotCopy(f"The copy of {table.name} differs in rows. Nothing stays.")


def _same_rows(target: Connection, table: Table, page: Sequence[Any]) -> Mapping[Any, Any]:
    """Return the rows of ``target`` that have the keys of ``page``, by key.

    Not by a span of keys: the two kinds of database need not have texts in the same order.
    """
    keys = list(table.primary_key.columns)
    wanted = [_key_of(table, row) for row in page]
    which = tuple_(*keys).in_(wanted)
    if len(keys) == 1:  # not every database takes a row of one value
        which = keys[0].in_([key for (key,) in wanted])
    found = target.execute(select(*map(_as_kept, table.columns)).where(which)).mappings()
    return {_key_of(table, row): row for row in found}


def _key_of(table: Table, row: Any) -> tuple[Any, ...]:
    return tuple(row[key.name] for key in table.primary_key.columns)


def _compare(table: Table, here: Any, there: Any) -> None:
    if here == there:
        return
    wrong = ["rows"] if there is None else [name for name in here if here[name] != there[name]]
    raise CannotCopy(f"The copy of {table.name} differs in {', '.join(wrong)}. Nothing stays.")
