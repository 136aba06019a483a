"""Which tables hold nothing of a patient or a call, asked in one statement before they are read.

A call screen looks into fifteen tables, and of most patients most of them hold nothing: no goal,
no flag, no concern. To find that out singly takes half of the screen's statements. Whoever reads
such a table asks here first; who has not looked ahead knows of nothing that it is absent.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, exists, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from outreach import asked_once, orm

Column = InstrumentedAttribute[Any]  # of a model, such as Goal.patient_id: it should have an index


def look_ahead(session: Session, named: Sequence[tuple[Column, int]]) -> None:
    """Find out which of ``named``, a column and a value each, no row has.

    It holds as long as ``session`` only reads. Of one that may write nothing is found out: what
    is absent now it may be about to write.
    """
    if not orm.is_reading():
        return
    columns = tuple(column for column, _value in named)
    values = {f"value_{place}": value for place, (_column, value) in enumerate(named)}
    (there,) = orm.rows_of(session, _is_there(columns), values)
    for (column, value), is_there in zip(named, there, strict=True):
        asked_once.keep(session, (is_known, column, value), not is_there)


def is_known(session: Session, column: Column, value: int) -> bool:
    """Say whether it was found out that no row has ``value`` in ``column``."""
    return asked_once.known(session, (is_known, column, value)) is True


@cache
def _is_there(columns: Sequence[Column]) -> Select[*tuple[Any, ...]]:
    """Select, of each of ``columns``, whether any row has the value of its place in it."""
    return select(
        *(
            exists().where(column == bindparam(f"value_{place}"))
            for place, column in enumerate(columns)
        )
    )
