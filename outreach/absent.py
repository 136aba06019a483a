"""Which tables hold nothing of a patient or a call, asked in one statement before they are read.

A call screen looks into fifteen tables, and of most patients most of them hold nothing: no goal,
no flag, no concern. To find that out singly takes half of the screen's statements, and a third
of what recording a call takes. Whoever reads such a table asks here first; who has not looked
ahead knows of nothing that it is absent.

What is found out holds until the transaction ends, or until it writes into that table itself
through the session. What is written past that, in bulk or by a trigger, is not noticed: ask for no
table that is written so in the same transaction.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, event, exists, select
from sqlalchemy.orm import InstrumentedAttribute, ORMExecuteState, Session, SessionTransaction

from outreach import orm

Column = InstrumentedAttribute[Any]  # of a model, such as Goal.patient_id: it should have an index

_PLACE = "known to be absent"  # in a session's own notes


@dataclass
class _Absent:
    """The values that no row has, by table and column, as found out within one transaction."""

    within: SessionTransaction | None
    by_table: dict[Any, set[Hashable]] = field(default_factory=dict)


def look_ahead(session: Session, named: Sequence[tuple[Column, Hashable]]) -> None:
    """Find out which of ``named``, a column and a value each, no row has. One statement.

    Others may add such a row a moment later, as they may after any look. Who must not miss one
    holds what they would have to hold, and looks then.
    """
    columns = tuple(column for column, _value in named)
    values = {f"value_{place}": value for place, (_column, value) in enumerate(named)}
    (there,) = orm.rows_of(session, _is_there(columns), values)
    known: _Absent | None = session.info.get(_PLACE)
    if known is None or known.within is not session.get_transaction():
        known = session.info[_PLACE] = _Absent(session.get_transaction())
    for (column, value), is_there in zip(named, there, strict=True):
        if not is_there:
            known.by_table.setdefault(column.class_, set()).add((column.key, value))


def is_known(session: Session, column: Column, value: Hashable) -> bool:
    """Say whether it was found out that no row has ``value`` in ``column``."""
    known: _Absent | None = session.info.get(_PLACE)
    if known is None or known.within is not session.get_transaction():
        return False
    return (column.key, value) in known.by_table.get(column.class_, ())


@cache
def _is_there(columns: Sequence[Column]) -> Select[*tuple[Any, ...]]:
    """Select, of each of ``columns``, whether any row has the value of its place in it."""
    return select(
        *(
            exists().where(column == bindparam(f"value_{place}"))
            for place, column in enumerate(columns)
        )
    )


def _forget_added(session: Session, row: object) -> None:
    known: _Absent | None = session.info.get(_PLACE)
    if known is not None:
        known.by_table.pop(type(row), None)


def _forget_written(state: ORMExecuteState) -> None:
    known: _Absent | None = state.session.info.get(_PLACE)
    if known is not None and state.bind_mapper is not None and not state.is_select:
        known.by_table.pop(state.bind_mapper.class_, None)


event.listen(Session, "transient_to_pending", _forget_added)
event.listen(Session, "do_orm_execute", _forget_written)
