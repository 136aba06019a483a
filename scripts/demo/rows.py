"""Rows on their way into a database: ids handed out here, inserted table by table."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table, func, insert, select
from sqlalchemy.orm import Session

from outreach.orm import Model

Row = dict[str, Any]


class Rows:
    """Collects rows for empty or little used tables and writes them in bulk.

    Ids are counted here, so that rows can name each other before anything is written; what
    the database would hand out next is moved on afterwards.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.rows: dict[type[Model], list[Row]] = defaultdict(list)
        self._last: dict[type[Model], int] = {}

    def add(self, model: type[Model], **values: Any) -> int:
        """Keep one row of ``model`` and return its id."""
        row_id = self._next_id(model) if "id" in _table(model).c else 0
        self.rows[model].append({**values, "id": row_id} if row_id else values)
        return row_id

    def number_by(self, times: Mapping[type[Model], str]) -> None:
        """Give the rows of each model ids in the order of one of its columns.

        As in life: what came first has the lower id, also between patients.
        """
        for model, column in times.items():
            rows = self.rows[model]
            ids = sorted(row["id"] for row in rows)
            rows.sort(key=lambda row: (row[column], row["id"]))
            new_id = {row["id"]: fresh for row, fresh in zip(rows, ids, strict=True)}
            for row in rows:
                row["id"] = new_id[row["id"]]
            self._point_to(_table(model), new_id)

    def write(self) -> None:
        """Insert what was kept, tables that others point to first. Does not commit."""
        order = {table: at for at, table in enumerate(Model.metadata.sorted_tables)}
        for model in sorted(self.rows, key=lambda each: order[_table(each)]):
            rows = self.rows[model]
            keys = {key for row in rows for key in row}
            empty = dict.fromkeys(sorted(keys))
            self.session.execute(insert(_table(model)), [{**empty, **row} for row in rows])
        if self.session.get_bind().dialect.name == "postgresql":
            for model in self._last:
                self._move_sequence_on(_table(model))
        self.rows.clear()

    def _next_id(self, model: type[Model]) -> int:
        if model not in self._last:
            newest = self.session.scalar(select(func.max(_table(model).c.id)))
            self._last[model] = newest or 0
        self._last[model] += 1
        return self._last[model]

    def _point_to(self, target: Table, new_id: Mapping[int, int]) -> None:
        for model, rows in self.rows.items():
            for column in _table(model).c:
                if any(key.column.table is target for key in column.foreign_keys):
                    for row in rows:
                        if column.name in row:
                            old = row[column.name]
                            row[column.name] = new_id.get(old, old)

    def _move_sequence_on(self, table: Table) -> None:
        newest = self.session.scalar(select(func.max(table.c.id)))
        sequence = func.pg_get_serial_sequence(table.name, "id")
        self.session.execute(select(func.setval(sequence, newest)))


def _table(model: type[Model]) -> Table:
    table = model.__table__
    if not isinstance(table, Table):
        raise TypeError(f"{model.__name__} is not kept in one table")
    return table
