"""Keeping the last row of each kind of a history beside it, so that lists need not read it all.

Of two rows that count the later one stands, in whichever order they arrive, and from whomever.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session


@dataclass(frozen=True)
class LastOfEach:
    """Where the last row stands of each ``of``, the key of ``kept``.

    ``row_id`` is the column of ``kept`` that names the row of ``history``, ``instant`` what
    makes one later than another, ``copied`` what stands beside it. Each has the same name in
    both tables but for ``row_id``. ``counts`` returns the condition that a row counts.
    """

    history: Any
    kept: Any
    of: tuple[str, ...]
    row_id: str
    instant: str
    counts: Callable[[], ColumnElement[bool]]
    copied: tuple[str, ...] = ()

    def find_again(self, connection: Connection, **of: Collection[Any]) -> None:
        """Look through the histories of ``of``, where a row counts no more. Does not commit.

        Whoever writes a newer one meanwhile waits for this transaction, or this one for theirs.
        """
        kept = [getattr(self.kept, name).in_(sorted(each)) for name, each in of.items()]
        theirs = [getattr(self.history, name).in_(sorted(each)) for name, each in of.items()]
        held = select(getattr(self.kept, self.of[0])).where(*kept).with_for_update()
        connection.execute(held)
        connection.execute(delete(self.kept).where(*kept))
        self.keep(connection, self.last(*theirs))

    def rebuild(self, session: Session) -> int:
        """Make all of it anew from the history; return how many rows. Does not commit."""
        session.execute(delete(self.kept))
        session.execute(insert(self.kept).from_select(self._columns, self.last()))
        return session.scalar(select(func.count()).select_from(self.kept)) or 0

    def differing(self) -> Select[int]:
        """Select the ids of rows that are the last but not kept so, or kept and not the last."""
        true, kept_id = self.last().subquery(), getattr(self.kept, self.row_id)
        same = [getattr(self.kept, name) == true.c[name] for name in (*self.of, *self._told)]
        lacking = select(true.c[self.row_id]).where(~exists().where(*same))
        extra = select(kept_id).where(kept_id.not_in(select(true.c[self.row_id])))
        row = self.history.id
        return select(row).where(or_(row.in_(lacking), row.in_(extra)))

    def last(self, *which: ColumnElement[bool]) -> Select[Any]:
        """Select the last row that counts of each, as ``kept`` has it."""
        row, instant = self.history.id, getattr(self.history, self.instant)
        place = func.row_number().over(
            partition_by=[getattr(self.history, name) for name in self.of],
            order_by=(instant.desc(), row.desc()),
        )
        columns = [
            row.label(name) if name == self.row_id else getattr(self.history, name)
            for name in self._columns
        ]
        counted = select(*columns, place.label("place")).where(self.counts(), *which).subquery()
        return select(*(counted.c[name] for name in self._columns)).where(counted.c.place == 1)

    def keep(self, connection: Connection, rows: Select[Any] | Mapping[str, Any]) -> None:
        """Let the later of two rows stand, in whichever order they arrive."""
        dialect = connection.dialect.name
        if isinstance(rows, Mapping):
            connection.execute(_keeping_one(self, dialect), rows)
        else:
            statement = _insert(dialect)(self.kept).from_select(self._columns, rows)
            connection.execute(self.keeping_later(statement))

    def keeping_later(self, statement: Any) -> Any:
        """Return an insert that changes the row that is there, where the new one is later."""
        new = statement.excluded
        instant, row_id = getattr(self.kept, self.instant), getattr(self.kept, self.row_id)
        is_later = or_(
            new[self.instant] > instant,
            and_(new[self.instant] == instant, new[self.row_id] > row_id),
        )
        return statement.on_conflict_do_update(
            index_elements=list(self.of),
            set_={name: new[name] for name in self._told},
            where=is_later,
        )

    @property
    def _told(self) -> tuple[str, ...]:
        """What is kept of the last row."""
        return (self.row_id, *self.copied, self.instant)

    @property
    def _columns(self) -> tuple[str, ...]:
        return (*self.of, "clinic_id", *self._told)


def _insert(dialect: str) -> Any:
    return sqlite.insert if dialect == "sqlite" else postgresql.insert


@cache
def _keeping_one(kind: LastOfEach, dialect: str) -> Any:
    """Return what keeps one row: building it takes longer than the database takes."""
    return kind.keeping_later(_insert(dialect)(kind.kept))
