"""Rows by the thousand, past the objects: inserted or changed in one statement."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import JSON, Connection, Dialect, inspect
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from outreach.among import array_text
from outreach.orm import Model


class BulkInsert:
    """Inserts rows of one table by the thousand that break no unique key.

    As :func:`insert_new`, but no row becomes an object: values are as the driver takes them,
    in the order of ``columns``, see :meth:`stored`. ``same`` are those that all rows share.
    """

    def __init__(
        self,
        dialect: Dialect,
        model: type[Model],
        columns: Sequence[str],
        same: Mapping[str, Any] | None = None,
    ) -> None:
        table, shared = inspect(model).local_table, same or {}
        self._processors = {
            name: table.c[name].type.dialect_impl(dialect).bind_processor(dialect)
            for name in (*columns, *shared)
        }
        self._copies = dialect.name == "postgresql"
        self._same = tuple(self.stored(name, value) for name, value in shared.items())
        mark = "%s" if self._copies else "?"
        marks = ", ".join([mark] * len(columns))
        same_marks = "".join([f", {mark}"] * len(shared))
        table_columns = f"{model.__tablename__} ({', '.join((*columns, *shared))})"
        self._copy = f"COPY {table_columns} FROM STDIN"
        self._insert = (
            f"INSERT INTO {table_columns} VALUES ({marks}{same_marks}) "  # noqa: S608
            "ON CONFLICT DO NOTHING"
        )
        # Columns are in its name: two lists of them never meet in one table.
        waiting = f"temp.new_{model.__tablename__}_{'_'.join(columns)}"
        self._make = f"CREATE TABLE IF NOT EXISTS {waiting} ({', '.join(columns)})"
        self._wait = f"INSERT INTO {waiting} VALUES ({marks})"  # noqa: S608
        self._take = (
            f"INSERT INTO {table_columns} SELECT *{same_marks} FROM {waiting} WHERE true "  # noqa: S608
            "ON CONFLICT DO NOTHING"
        )
        self._clear = f"DELETE FROM {waiting}"  # noqa: S608

    def stored(self, column: str, value: Any) -> Any:
        """Return a value of ``column`` as the driver takes it.

        PostgreSQL gets days and instants as text: the driver takes five times as long to write
        them, and rows by the thousand share one.
        """
        convert = self._processors[column]
        taken = convert(value) if convert else value
        return str(taken) if self._copies and isinstance(taken, date) else taken

    def write(self, session: Session, rows: Sequence[tuple[Any, ...]]) -> int:
        """Insert ``rows``; return how many went in."""
        if not rows:
            return 0
        if self._copies and self._copy_all(session, rows):
            return len(rows)
        if not self._copies:
            return self._take_all(session, rows)
        whole = [row + self._same for row in rows]
        return session.connection().exec_driver_sql(self._insert, whole).rowcount

    def _take_all(self, session: Session, rows: Sequence[tuple[Any, ...]]) -> int:
        """Insert ``rows`` by one statement, from a temporary table, on SQLite.

        A statement on a table with triggers keeps a journal of every page it touches, to undo
        itself alone: one for all rows keeps it once, one for each row again and again.
        """
        connection = session.connection()
        connection.exec_driver_sql(self._make)
        connection.exec_driver_sql(self._wait, list(rows))
        taken = connection.exec_driver_sql(self._take, self._same).rowcount
        connection.exec_driver_sql(self._clear)
        return taken

    def _copy_all(self, session: Session, rows: Sequence[tuple[Any, ...]]) -> bool:
        """Copy ``rows`` if all of them are new, which is less work than inserting them."""
        import psycopg  # noqa: PLC0415 - only PostgreSQL needs it

        try:
            with session.begin_nested() as savepoint:
                driver = savepoint.session.connection().connection.driver_connection
                assert isinstance(driver, psycopg.Connection)  # noqa: S101 - for the types
                with driver.cursor() as cursor, cursor.copy(self._copy) as copy:
                    for row in rows:
                        copy.write_row(row + self._same)
        except psycopg.errors.UniqueViolation:
            return False
        return True


def write_new(
    connection: Connection, model: type[Model], rows: Iterable[Mapping[str, Any]]
) -> None:
    """Insert ``rows``, of the same columns each, none of which is there already.

    Columns that are not named get the plain default of the model. For who writes by the
    thousand: SQLAlchemy's own way costs more than the database's work.
    """
    found = list(rows)
    if found:
        into = _into(model, tuple(found[0]), connection.dialect.name)
        into.write(connection, found)


@lru_cache(64)
def _into(model: type[Model], columns: tuple[str, ...], _dialect: str) -> "_NewRows":
    return _NewRows(model, columns)


class _NewRows:
    """One list of columns of a table, and the statement that writes it.

    On PostgreSQL all rows come as one JSON text: no COPY, which the second wall forbids.
    """

    def __init__(self, model: type[Model], columns: Sequence[str]) -> None:
        table = inspect(model).local_table
        others = [each for each in table.columns if each.default and each.name not in columns]
        worked_out = [each.name for each in others if not each.default.is_scalar]
        if worked_out:
            raise ValueError(f"Say what {model.__tablename__} has as {', '.join(worked_out)}.")
        self._given = columns
        self._plain = [each.default.arg for each in others]
        self._columns = [*(table.c[name] for name in columns), *others]
        self._names = ", ".join(f'"{each.name}"' for each in self._columns)
        self._into = f"INSERT INTO {model.__tablename__} ({self._names})"

    def write(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write ``rows``: by one statement where a network lies between."""
        if connection.dialect.name == "postgresql":
            self._write_as_json(connection, rows)
        else:
            marks = ", ".join("?" * len(self._columns))
            values = [tuple(row) for row in self._stored(connection.dialect, rows)]
            connection.exec_driver_sql(f"{self._into} VALUES ({marks})", values)

    def _write_as_json(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        dialect = connection.dialect
        types = ", ".join(f'"{each.name}" {each.type.compile(dialect)}' for each in self._columns)
        names = [each.name for each in self._columns]
        told = [dict(zip(names, row, strict=True)) for row in self._stored(dialect, rows)]
        connection.exec_driver_sql(
            f"{self._into} SELECT {self._names} "  # noqa: S608 - our own tables
            f"FROM json_to_recordset(%s::json) AS new ({types})",
            (json.dumps(told, default=str),),
        )

    def _stored(self, dialect: Dialect, rows: Sequence[Mapping[str, Any]]) -> Iterator[list[Any]]:
        """Yield the values of each row as the database takes them."""
        converts = [self._convert(dialect, each.type) for each in self._columns]
        for row in rows:
            values = [*(row[name] for name in self._given), *self._plain]
            yield [
                convert(value) if convert else value
                for convert, value in zip(converts, values, strict=True)
            ]

    def _convert(self, dialect: Dialect, kind: TypeEngine[Any]) -> Callable[[Any], Any] | None:
        if dialect.name == "postgresql" and isinstance(kind, JSON):
            return None  # it stands in the JSON of its row
        return kind.dialect_impl(dialect).bind_processor(dialect)


class BulkUpdate:
    """Changes many rows of one table, each with its own values, in one statement.

    On PostgreSQL the values come as arrays; elsewhere the statement runs for each row, which
    costs little where no network lies between. ``own`` are the columns of the values; ``sql``
    is what is set and where, with the values as ``own.<column>`` beside the table's own.
    """

    def __init__(
        self,
        dialect: Dialect,
        model: type[Model],
        *,
        own: Mapping[str, str],
        sets: str,
        where: str,
    ) -> None:
        columns = inspect(model).local_table.c
        types = {name: columns[column].type.dialect_impl(dialect) for name, column in own.items()}
        self._processors = [kind.bind_processor(dialect) for kind in types.values()]
        self._is_joined = dialect.name == "postgresql"
        table = model.__tablename__
        names = ", ".join(types)
        if self._is_joined:
            arrays = ", ".join(f"%s::{kind.compile(dialect)}[]" for kind in types.values())
            values = f"unnest({arrays})"
        else:
            values = f"(SELECT {', '.join(f'? AS {name}' for name in types)})"
        alias = f"own ({names})" if self._is_joined else "own"
        self._text = f"UPDATE {table} SET {sets} FROM {values} AS {alias} WHERE {where}"  # noqa: S608

    def run(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Change the rows that ``where`` finds for each of ``rows``."""
        if not rows:
            return
        columns = [
            _stored_column(convert, column)
            for convert, column in zip(self._processors, zip(*rows, strict=True), strict=True)
        ]
        if self._is_joined:
            arrays = tuple(array_text(column) for column in columns)
            connection.exec_driver_sql(self._text, arrays)
        else:
            connection.exec_driver_sql(self._text, list(zip(*columns, strict=True)))


def _stored_column(convert: Callable[[Any], Any] | None, column: Sequence[Any]) -> Sequence[Any]:
    """Return the values of one column as the driver takes them; most rows share an instant."""
    if convert is None:
        return column
    stored = {value: convert(value) for value in set(column)}
    return [stored[value] for value in column]
