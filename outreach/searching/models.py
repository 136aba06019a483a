"""The full-text index of notes, and the directories of names; kept by both databases alike."""

import enum
from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import TypeDecorator, TypeEngine

from outreach.orm import Model
from outreach.sealing import SealedJSON
from outreach.searching.rules import as_tsvector

PAGE_BYTES = 16 * 1024  # pages are filled up to a multiple of it: how long names are is not seen


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
    """The hashed words of one note.

    Those of patients' names are of the release before, and taken away; see ``DirectoryPage``.

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


class DirectoryPage(Model):
    """Some of the names of a clinic's patients, in their order, encrypted: see ``names``.

    All pages of a clinic are written anew at once, under a new random ``version``.
    """

    __tablename__ = "directory_page"
    __table_args__ = (UniqueConstraint("clinic_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    number: Mapped[int]
    version: Mapped[int] = mapped_column(BigInteger)
    names: Mapped[dict[str, Any]] = mapped_column(SealedJSON("directory_page.names", PAGE_BYTES))


class DirectoryChange(Model):
    """A patient whose names the pages of their clinic don't say as they are.

    Triggers on ``patient`` write it in the transaction that adds or renames somebody, whoever
    does that and however (migration 0070). It holds no name: who opens the directory reads it
    of the patient. ``token`` is another random number with each change.
    """

    __tablename__ = "directory_change"
    __table_args__ = (Index(None, "clinic_id"),)

    patient_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    token: Mapped[int] = mapped_column(BigInteger)
