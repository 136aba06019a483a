"""What was asked for as a condition in SQL: notes by the GIN index or by FTS5, never by LIKE.

Who is found by name is known from the directory; SQL gets their ids.
"""

from typing import Any

from sqlalchemy import ColumnElement, Dialect, and_, bindparam, exists, or_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Boolean, Text, TypeDecorator

from outreach.among import among
from outreach.calls.models import CallNote
from outreach.searching import hashed
from outreach.searching.directory import Directory
from outreach.searching.models import Kind, SearchEntry
from outreach.searching.rules import Asked, Term, as_fts5, as_tsquery


def matching(
    asked: Asked,
    patient_id: InstrumentedAttribute[int],
    directory: Directory,
    *,
    has_notes: bool,
) -> list[ColumnElement[bool]]:
    """Return the conditions that a patient is found: by ``has_notes`` also by their notes.

    Names are looked up in ``directory``, notes in the index. The rule is :func:`rules.is_met`.
    A note that a correction replaced is not searched.
    """
    if asked.is_empty:
        return []
    if not has_notes:
        return _by_name(asked, patient_id, directory)
    conditions = [~_any_of(term, patient_id, directory) for term in asked.unwanted]
    wanted = [_any_of(term, patient_id, directory) for term in asked.wanted]
    if wanted:
        conditions.append(or_(*wanted) if asked.is_either else and_(*wanted))
    return conditions


def _by_name(
    asked: Asked, patient_id: InstrumentedAttribute[int], directory: Directory
) -> list[ColumnElement[bool]]:
    """Return one condition, as who is found is known before SQL is asked."""
    unwanted = set().union(*map(directory.having, asked.unwanted))
    if not asked.wanted:
        return [~among(patient_id, sorted(unwanted))]
    wanted = list(map(directory.having, asked.wanted))
    found = set.union(*wanted) if asked.is_either else set.intersection(*wanted)
    return [among(patient_id, sorted(found - unwanted))]


def _any_of(
    term: Term, patient_id: InstrumentedAttribute[int], directory: Directory
) -> ColumnElement[bool]:
    is_standing = exists().where(
        CallNote.id == SearchEntry.source_id,
        CallNote.superseded_at.is_(None),
    )
    noted = select(SearchEntry.patient_id).where(
        _has(term), SearchEntry.kind == Kind.NOTE, is_standing
    )
    return or_(among(patient_id, sorted(directory.having(term))), patient_id.in_(noted))


class _TermText(TypeDecorator[Term]):
    """A term as the database at hand reads it."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Term | None, dialect: Dialect) -> str | None:
        """Return the query of the engine, which is made of keyed hashes alone."""
        if value is None:
            return None
        as_query = as_tsquery if dialect.name == "postgresql" else as_fts5
        return as_query(hashed.in_notes(value))


class _Has(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> Any:
        """Return itself: a condition already, which SQLite would else compare with 1."""
        del against
        return self


@compiles(_Has)
def _by_gin(element: _Has, compiler: SQLCompiler, **options: Any) -> str:
    _entry_id, words, term = (compiler.process(each, **options) for each in element.clauses)
    return f"{words} @@ CAST({term} AS tsquery)"


@compiles(_Has, "sqlite")
def _by_fts5(element: _Has, compiler: SQLCompiler, **options: Any) -> str:
    entry_id, _words, term = (compiler.process(each, **options) for each in element.clauses)
    found = f"SELECT rowid FROM search_words WHERE search_words MATCH {term}"  # noqa: S608 - ours
    return f"{entry_id} IN ({found})"


def _has(term: Term) -> ColumnElement[bool]:
    return _Has(SearchEntry.id, SearchEntry.words, bindparam(None, term, type_=_TermText()))
