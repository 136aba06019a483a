"""What every test would work out anew: compiled statements and the addresses of the routes.

An app and an engine live for one test, and with them what they compiled: half of what the
tests cost. It is the same each time, so here it is kept for the process. Statements then
outlive their first use by far, as in a web process that runs for days.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Dialect, Engine, event
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule
from werkzeug.routing.rules import RulePart

MOST_STATEMENTS = 3000


def remember() -> None:
    """Keep statements and addresses from one test to the next."""
    _remember_statements()
    _remember_addresses()
    _remember_parts_of_addresses()


def _remember_statements() -> None:
    # A statement is kept by the dialect it was compiled for, and each engine has its own.
    for dialect in (SQLiteDialect_pysqlite, PGDialect_psycopg):
        dialect.__eq__ = _is_same_kind  # type: ignore[method-assign,assignment]
        dialect.__hash__ = _hash_of_kind  # type: ignore[method-assign,assignment]
    statements: LRUCache[Any, Any] = LRUCache(MOST_STATEMENTS)

    @event.listens_for(Engine, "engine_connect")
    def share(connection: Connection) -> None:
        connection.execution_options(compiled_cache=statements)


def _is_same_kind(self: Dialect, other: object) -> bool:
    return type(self) is type(other)


def _hash_of_kind(self: Dialect) -> int:
    return hash(type(self))


def _remember_addresses() -> None:
    compile_anew = Rule._compile_builder
    built: dict[object, Callable[..., tuple[str, str]]] = {}

    def compile_once(self: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:  # noqa: FBT001, FBT002 - as the original
        key = (self.rule, tuple(self._trace), repr(self.defaults), append_unknown)
        if key not in built:
            built[key] = compile_anew(self, append_unknown)
        return built[key]

    Rule._compile_builder = compile_once  # type: ignore[method-assign]


def _remember_parts_of_addresses() -> None:
    parse_anew = Rule._parse_rule
    parsed: dict[object, tuple[list[RulePart], list[tuple[bool, str]], dict[str, Any]]] = {}

    def parse_once(self: Rule, rule: str) -> list[RulePart]:
        key = (rule, tuple(self.map.converters.items()))
        if key not in parsed:
            known, others = len(self._trace), set(self._converters)
            parts = list(parse_anew(self, rule))
            new = {name: each for name, each in self._converters.items() if name not in others}
            parsed[key] = (parts, self._trace[known:], new)
            return parts
        parts, trace, converters = parsed[key]
        self._trace += trace
        self._converters |= converters
        self.arguments.update(converters)
        return parts

    Rule._parse_rule = parse_once  # type: ignore[method-assign]
