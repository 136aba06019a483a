"""Functions of SQL that the two databases spell differently."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Date,
    Dialect,
    Text,
    bindparam,
    column,
    literal,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

from outreach.orm import UTCDateTime
from outreach.sealed_sql import refuse_in


def is_one_of(column: Any, values: Iterable[Any]) -> ColumnElement[bool]:
    """Return the condition that ``column`` is one of a few values that never change.

    As ``column.in_``, which writes its list into the statement anew each time that it is sent.
    """
    listed: ColumnElement[bool] = column.in_([literal(each, column.type) for each in values])
    return listed


class as_json(FunctionElement[str]):  # noqa: N801 - reads like an SQL function
    """Several values as the text of a JSON array, in SQL; none that is encrypted."""

    type = Text()
    inherit_cache = True


@compiles(as_json)
def _json_on_postgresql(element: as_json, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST(json_build_array({_row(element, compiler, **options)}) AS TEXT)"


@compiles(as_json, "sqlite")
def _json_on_sqlite(element: as_json, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_array({_row(element, compiler, **options)})"


def _row(element: FunctionElement[str], compiler: SQLCompiler, **options: Any) -> str:
    refuse_in(element.clauses, "put it into JSON")
    return compiler.process(element.clauses, **options)


class all_as_json(FunctionElement[str]):  # noqa: N801 - reads like an SQL function
    """The rows of a subquery as the text of a JSON array of arrays, in no order; an aggregate.

    What is encrypted goes in as it is kept, by ``type_coerce``, and whoever reads it opens it.
    """

    type = Text()
    inherit_cache = True


@compiles(all_as_json)
def _all_on_postgresql(element: all_as_json, compiler: SQLCompiler, **options: Any) -> str:
    row = _row(element, compiler, **options)
    return f"CAST(json_agg(json_build_array({row})) AS TEXT)"


@compiles(all_as_json, "sqlite")
def _all_on_sqlite(element: all_as_json, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_group_array(json_array({_row(element, compiler, **options)}))"


def instant_from_json(text: str) -> datetime:
    """Return an instant that a database put into JSON: naive UTC, or with its offset."""
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


class latest(FunctionElement[datetime]):  # noqa: N801 - reads like an SQL function
    """The latest of several instants, none of them NULL, in SQL."""

    type = UTCDateTime()
    inherit_cache = True


@compiles(latest)
def _latest_on_postgresql(element: latest, compiler: SQLCompiler, **options: Any) -> str:
    return f"greatest({compiler.process(element.clauses, **options)})"


@compiles(latest, "sqlite")
def _latest_on_sqlite(element: latest, compiler: SQLCompiler, **options: Any) -> str:
    return f"max({compiler.process(element.clauses, **options)})"


class epoch_microseconds(FunctionElement[int]):  # noqa: N801 - reads like an SQL function
    """The microseconds since 1970 of an instant, in SQL.

    For those who read instants by the hundred thousand and make no objects of them.
    """

    type = BigInteger()
    inherit_cache = True


@compiles(epoch_microseconds)
def _epoch_on_postgresql(element: epoch_microseconds, compiler: SQLCompiler, **options: Any) -> str:
    instant = compiler.process(element.clauses, **options)
    return f"CAST(extract(epoch FROM {instant}) * 1000000 AS BIGINT)"


@compiles(epoch_microseconds, "sqlite")
def _epoch_on_sqlite(element: epoch_microseconds, compiler: SQLCompiler, **options: Any) -> str:
    instant = compiler.process(element.clauses, **options)
    # By its parts: strftime rounds a fraction up.
    seconds = f"CAST(strftime('%s', substr({instant}, 1, 19)) AS INTEGER)"
    return f"({seconds} * 1000000 + CAST(substr({instant}, 21, 6) AS INTEGER))"


class thousandths(FunctionElement[int]):  # noqa: N801 - reads like an SQL function
    """A number that is kept to three decimals, in thousandths, in SQL."""

    type = BigInteger()
    inherit_cache = True


@compiles(thousandths)
def _thousandths(element: thousandths, compiler: SQLCompiler, **options: Any) -> str:
    number = compiler.process(element.clauses, **options)
    return f"CAST(round({number} * 1000) AS BIGINT)"


class packed(FunctionElement[str]):  # noqa: N801 - reads like an SQL function
    """Rows of whole numbers, none of them NULL, as one text in no order; an aggregate.

    Of a hundred thousand rows it is read in a quarter of the time that rows take
    (``reports/rules/columns.py``).
    """

    type = Text()
    inherit_cache = True


@compiles(packed)
def _packed_on_postgresql(element: packed, compiler: SQLCompiler, **options: Any) -> str:
    numbers = compiler.process(element.clauses, **options)
    return f"string_agg(concat_ws(' ', {numbers}), ' ')"


@compiles(packed, "sqlite")
def _packed_on_sqlite(element: packed, compiler: SQLCompiler, **options: Any) -> str:
    parts = [compiler.process(each, **options) for each in element.clauses]
    joined = " || ' ' || ".join(parts)
    return f"group_concat({joined}, ' ')"


Days = Sequence[tuple[date, datetime, datetime]]


class _Days(TypeDecorator[Days]):
    """Days with the instants at which they begin and end, as one parameter: JSON."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Days | None, dialect: Dialect) -> str:
        """Return the days as the database writes them itself."""
        del dialect
        rows = [
            (day.isoformat(), _written(first), _written(last)) for day, first, last in value or ()
        ]
        return json.dumps(rows)


def _written(at: datetime) -> str:
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


# A clinic's days come to the database in UTC, as SQLite stores instants.
_EACH_ON_POSTGRESQL = """(SELECT CAST(value ->> 0 AS DATE) AS day,
 CAST(value ->> 1 AS TIMESTAMP) AT TIME ZONE 'UTC' AS begins_at,
 CAST(value ->> 2 AS TIMESTAMP) AT TIME ZONE 'UTC' AS ends_at
 FROM json_array_elements(CAST({days} AS JSON))) AS each_of"""
_EACH_ON_SQLITE = """(SELECT json_extract(value, '$[0]') AS day,
 json_extract(value, '$[1]') AS begins_at,
 json_extract(value, '$[2]') AS ends_at
 FROM json_each({days})) AS each_of"""


class _each_of(FunctionElement[Any]):  # noqa: N801 - reads like an SQL function
    inherit_cache = True


@compiles(_each_of)
def _each_on_postgresql(element: _each_of, compiler: SQLCompiler, **options: Any) -> str:
    return _EACH_ON_POSTGRESQL.format(days=compiler.process(element.clauses, **options))


@compiles(_each_of, "sqlite")
def _each_on_sqlite(element: _each_of, compiler: SQLCompiler, **options: Any) -> str:
    return _EACH_ON_SQLITE.format(days=compiler.process(element.clauses, **options))


def table_of_days(days: Days) -> CTE:
    """Return a table of days with when they begin and end: ``day``, ``begins_at``, ``ends_at``.

    One parameter for any number of days, where VALUES is compiled anew each time. PostgreSQL reads
    it once: unfolded into the query, it would read the instants anew for each row beside them.
    """
    columns = column("day", Date), column("begins_at", UTCDateTime), column("ends_at", UTCDateTime)
    listed = select(*columns).select_from(_each_of(bindparam(None, days, type_=_Days())))
    return listed.cte("days").prefix_with("MATERIALIZED", dialect="postgresql")
