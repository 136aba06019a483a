"""Statements that would be silently wrong about encrypted columns are refused.

Asked when a statement is compiled, which is once for all its parameters, so that the order in
which somebody writes it, a function or a sub-select makes no difference. What is written is
asked of each statement.
"""

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from sqlalchemy import BinaryExpression, Engine, Function, Insert, Over, Select, Update, event
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import UnaryExpression
from sqlalchemy.types import NullType, Text

CAN_BE_ASKED = {operators.is_, operators.is_not}  # of every column: is there a value at all
_MAY_BE_CALLED = {"count", "coalesce"}


class Encrypted:
    """What makes a column type one of ours; all are in :mod:`outreach.sealing`.

    ``place`` is bound into each value. ``may_be``: the operators that the database answers.
    """

    place: str
    may_be: ClassVar[set[Any]]


class AlreadyEncrypted(Text):
    """A parameter's type whose value is as it lies in the database: whoever carries it on."""


@compiles(BinaryExpression)
def _compare(element: BinaryExpression[Any], compiler: Any, **options: Any) -> str:
    left, right = _kind(element.left), _kind(element.right)
    kind = left or right
    if kind is not None and element.operator not in CAN_BE_ASKED:
        other = element.right if left else element.left
        if element.operator not in kind.may_be or not _is_of(other, kind):
            _refuse(kind, "compare it with that")
    return compiler.visit_binary(element, **options)


@compiles(Function)
def _call(element: Function[Any], compiler: Any, **options: Any) -> str:
    if element.name.lower() not in _MAY_BE_CALLED:
        refuse_in(element.clauses, f"take the {element.name} of it")
    return compiler.visit_function(element, **options)


@compiles(Over)
def _rank(element: Over[Any], compiler: Any, **options: Any) -> str:
    _refuse_order(element.order_by if element.order_by is not None else ())
    _refuse_groups(element.partition_by if element.partition_by is not None else ())
    return compiler.visit_over(element, **options)


@compiles(Select)
def _select(element: Select[Any], compiler: Any, **options: Any) -> str:
    _refuse_order(element._order_by_clauses)  # noqa: SLF001 - said nowhere else
    _refuse_groups(element._group_by_clauses)  # noqa: SLF001
    if element._distinct:  # noqa: SLF001
        _refuse_groups(element._distinct_on or element.selected_columns)  # noqa: SLF001
    return compiler.visit_select(element, **options)


@event.listens_for(Engine, "before_execute")
def _refuse_copies(_connection: Any, statement: Any, *_others: Any) -> None:
    """Refuse a statement that would write past the encryption of a column.

    What the database copies by itself stays as it is: a plain text, or a value that was
    encrypted for another place and can't be read at this one.
    """
    if isinstance(statement, Insert | Update):
        columns = statement.table.c
        for name, given in _written(statement):
            kind = columns[name].type if name in columns else None
            if isinstance(kind, Encrypted) and not _is_of(given, kind):
                _refuse(kind, "copy that into it")


def _written(statement: Insert | Update) -> Iterator[tuple[str, Any]]:
    """Yield the columns that get their value from an expression, and the expression."""
    for column, given in _values_of(statement):
        if hasattr(given, "type"):
            yield getattr(column, "key", column), given
    if isinstance(statement, Insert) and statement.select is not None:
        names = statement._select_names or ()  # noqa: SLF001 - said nowhere else
        yield from zip(names, statement.select.selected_columns, strict=True)


def _values_of(statement: Insert | Update) -> Iterator[tuple[Any, Any]]:
    yield from (statement._values or {}).items()  # noqa: SLF001 - said nowhere else
    yield from getattr(statement, "_ordered_values", None) or ()
    conflict = getattr(statement, "_post_values_clause", None)
    yield from dict(getattr(conflict, "update_values_to_set", ())).items()


def refuse_in(elements: Iterable[Any], what: str) -> None:
    """Raise TypeError where one of ``elements`` is encrypted: a function must not get it.

    For functions of our own; who wants the value as it is kept says so by ``type_coerce``.
    """
    for kind in _kinds(elements):
        _refuse(kind, what)


def _refuse_order(by: Iterable[Any]) -> None:
    for kind in _kinds(by):
        _refuse(kind, "sort by it")


def _refuse_groups(by: Iterable[Any]) -> None:
    for kind in _kinds(by):
        if operators.eq not in kind.may_be:
            _refuse(kind, "tell which are alike")


def _kinds(elements: Iterable[Any]) -> Iterator[Encrypted]:
    for element in elements:
        kind = _kind(element)
        if kind is not None:
            yield kind


def _kind(element: Any) -> Encrypted | None:
    """Return the kind of an encrypted expression, None where it is not encrypted."""
    while isinstance(element, UnaryExpression):  # sorted upwards, downwards, NULL last
        element = element.element
    kind = getattr(element, "type", None)
    return kind if isinstance(kind, Encrypted) else None


def _is_of(element: Any, kind: Encrypted) -> bool:
    """Say whether a value, an expression or a sub-select is encrypted as ``kind`` is."""
    columns = getattr(element, "selected_columns", None)
    if columns is not None and not hasattr(element, "type"):
        element = next(iter(columns))
    given = getattr(element, "type", None)
    if isinstance(given, Encrypted):
        return given.place == kind.place
    # NullType: nothing at all, or a parameter that takes our type.
    return isinstance(given, NullType | AlreadyEncrypted)


def _refuse(kind: Encrypted, what: str) -> None:
    raise TypeError(f"{kind.place} is encrypted: the database can't {what}.")
