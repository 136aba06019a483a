"""Rows by the thousand, past the objects: inserted or changed in one statement."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Dialect, inspect
from sqlalchemy.orm import Session

from outreach.orm import Model


class BulkInsert:
    """Inserts rows of one table by the thousand that break no unique key.

    As :func:`insert_new`, but no row becomes an object: values are as the driver takes them,
    in the order of ``columns``, see :meth:`stored`.
    """

    def __init__(self, dialect: Dialect, model: type[Model], columns: Sequence[str]) -> None:
        table = inspect(model).local_table
        self._processors = {
            name: table.c[name].type.dialect_impl(dialect).bind_processor(dialect)
            for name in columns
        }
        self._copies = dialect.name == "postgresql"
        marks = ", ".join(["%s" if self._copies else "?"] * len(columns))
        table_columns = f"{model.__tablename__} ({', '.join(columns)})"
        self._copy = f"COPY {table_columns} FROM STDIN"
        self._insert = f"INSERT INTO {table_columns} VALUES ({marks}) ON CONFLICT DO NOTHING"  # noqa: S608
        # Columns are in its name: two lists of them never meet in one table.
        waiting = f"temp.new_{model.__tablename__}_{'_'.join(columns)}"
        self._make = f"CREATE TABLE IF NOT EXISTS {waiting} ({', '.join(columns)})"
        self._wait = f"INSERT INTO {waiting} VALUES ({marks})"  # noqa: S608
        self._take = (
            f"INSERT INTO {table_columns} SELECT * FROM {waiting} WHERE true "  # noqa: S608
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
        return session.connection().exec_driver_sql(self._insert, list(rows)).rowcount

    def _take_all(self, session: Session, rows: Sequence[tuple[Any, ...]]) -> int:
        """Insert ``rows`` by one statement, from a temporary table, on SQLite.

        A statement on a table with triggers keeps a journal of every page it touches, to undo
        itself alone: one for all rows keeps it once, one for each row again and again.
        """
        connection = session.connection()
        connection.exec_driver_sql(self._make)
        connection.exec_driver_sql(self._wait, list(rows))
        taken = connection.exec_driver_sql(self._take).rowcount
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
                        copy.write_row(row)
        except psycopg.errors.UniqueViolation:
            return False
        return True


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

    def run(self, session: Session, rows: Sequence[tuple[Any, ...]]) -> None:
        """Change the rows that ``where`` finds for each of ``rows``."""
        if not rows:
            return
        stored = [
            tuple(
                convert(value) if convert else value
                for convert, value in zip(self._processors, row, strict=True)
            )
            for row in rows
        ]
        connection = session.connection()
        if self._is_joined:
            connection.exec_driver_sql(self._text, tuple(map(list, zip(*stored, strict=True))))
        else:
            connection.exec_driver_sql(self._text, stored)
