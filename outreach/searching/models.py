"""The full-text index: one row for what is searched together, kept by both databases."""

import enum
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import TypeDecorator, TypeEngine

from outreach.orm import Model
from outreach.searching.rules import as_tsvector


class Kind(enum.StrEnum):
    """What a row of the index is made of."""

    PATIENT = "patient"
    NOTE = "note"


class Words(TypeDecorator[Sequence[str]]):
    """Tokens of words (see ``hashed``) in their order: a tsvector, or a text with spaces."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return a tsvector on PostgreSQL."""
        kind: TypeEngine[Any] = Text()
        if dialect.name == "postgresql":
            kind = postgresql.TSVECTOR()
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: Sequence[str] | None, dialect: Dialect) -> str | None:
        """Return the words as the database keeps them."""
        words = value or ()
        return as_tsvector(words) if dialect.name == "postgresql" else " ".join(words)


class SearchEntry(Model):
    """The hashed words of one patient's names and record number, or of one note.

    On PostgreSQL a GIN index stands on ``words``; on SQLite triggers carry each change into
    the FTS5 table ``search_words`` (migration 0020, decision 0013).
    """

    __tablename__ = "search_entry"
    __table_args__ = (UniqueConstraint("kind", "source_id"), Index(None, "patient_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    kind: Mapped[Kind]
    source_id: Mapped[int]
    words: Mapped[Sequence[str]] = mapped_column(Words())


class SearchBacklog(Model):
    """A row that was there before the index, and waits to be put into it."""

    __tablename__ = "search_backlog"
    __table_args__ = (UniqueConstraint("kind", "source_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    source_id: Mapped[int]
