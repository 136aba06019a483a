"""Many values as one parameter of a statement: an array, or JSON where there are no arrays."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Dialect, bindparam
from sqlalchemy.engine import default
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Boolean, Integer, NullType, Text, TypeDecorator, TypeEngine


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


def among(column: Any, ids: Sequence[int] | BindParameter[Any]) -> ColumnElement[bool]:
    """Return the condition that ``column`` is one of ``ids``, or of those told as a parameter.

    One parameter for any number of them, where ``in_`` has one for each.
    """
    if isinstance(ids, BindParameter):
        return _Among(column, bindparam(ids.key, type_=_Ids()))
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
