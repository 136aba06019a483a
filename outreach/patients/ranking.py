"""Places of patients in the order of names and of record numbers, which are encrypted.

The database sorts by ``name_rank`` and ``record_rank``: whole numbers with gaps between them,
that say who comes before whom and nothing else. A patient who is written through the session is
placed at once; who inserts by the thousand calls :func:`place_new`. Rank 0 is not placed yet
and comes first. One transaction at a time places on PostgreSQL, until it ends: it must see
whom the others placed. SQLite has one writer anyway.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, event, func, inspect, select
from sqlalchemy.orm import InstrumentedAttribute, Mapper, Session
from sqlalchemy.orm.attributes import set_committed_value

from outreach.bulk import BulkUpdate
from outreach.patients.models import Patient
from outreach.patients.rules import name_key, record_key

GAP = 2**40  # room for forty between the same two, each behind the last; for 8 million patients
MOST_BY_ONE = 20  # more new ones than that are placed by reading all the others
_LOCK = 7_102_331_502  # of all placing; one for both orders, so that no two wait for each other

_AT_ONCE = 10_000  # patients whose ranks are written by one statement

Key = tuple[str, ...]
Ranks = dict[int, int]  # by patient


@dataclass(frozen=True, eq=False)
class _Order:
    """What is sorted by, and where the rank of it stands."""

    rank: InstrumentedAttribute[int]
    columns: Sequence[InstrumentedAttribute[str]]
    key: Callable[..., Key]

    def key_of(self, row: Any) -> Key:
        """Return what a patient, or a row with the columns, is sorted by."""
        return self.key(*(getattr(row, column.key) for column in self.columns))


_ORDERS = (
    _Order(Patient.name_rank, (Patient.family_name, Patient.given_name), name_key),
    _Order(Patient.record_rank, (Patient.record_number,), record_key),
)


def place_new(session: Session, *, most: int | None = None) -> int:
    """Place who was inserted past the session; return how many ranks. Does not commit.

    Args:
        most: how many of each order are placed, None for all.
    """
    session.flush()
    connection = session.connection()
    _let_nobody_else_place(connection)
    new = {order: _unplaced(connection, order, most) for order in _ORDERS}
    many = {order: rows for order, rows in new.items() if len(rows) > MOST_BY_ONE}
    _write(connection, {order: _placed_many(connection, order, many[order]) for order in many})
    for order in new.keys() - many.keys():
        for row in new[order]:
            _place(connection, order, row.id, order.key_of(row))
    return sum(map(len, new.values()))


def place_anew(session: Session) -> int:
    """Give everybody their places anew; return how many patients. Does not commit."""
    session.flush()
    connection = session.connection()
    _let_nobody_else_place(connection)
    _write(connection, {order: _renumbered(connection, order) for order in _ORDERS})
    return session.scalar(select(func.count()).select_from(Patient)) or 0


def out_of_order(session: Session) -> list[int]:
    """Return the patients whose place is not behind whom they come after, by id."""
    found: set[int] = set()
    for order in _ORDERS:
        rows = session.execute(
            select(Patient.id, *order.columns)
            .where(order.rank > 0)
            .order_by(order.rank, Patient.id)
        ).all()
        keys = [order.key_of(row) for row in rows]
        found |= {
            row.id
            for row, before, key in zip(rows[1:], keys, keys[1:], strict=False)
            if key < before
        }
    return sorted(found)


def _let_nobody_else_place(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def _unplaced(connection: Connection, order: _Order, most: int | None) -> Sequence[Any]:
    return connection.execute(
        select(Patient.id, *order.columns).where(order.rank == 0).order_by(Patient.id).limit(most)
    ).all()


def _place(connection: Connection, order: _Order, patient_id: int, key: Key) -> int:
    """Give one patient a rank between the neighbours; return it."""
    before, after = _neighbours(connection, order, patient_id, key)
    rank = before + GAP if after is None else (before + after) // 2
    if rank == before:
        ranks = _renumbered(connection, order)
        _write(connection, {order: ranks})
        return ranks[patient_id]
    _write(connection, {order: {patient_id: rank}})
    return rank


def _neighbours(
    connection: Connection, order: _Order, patient_id: int, key: Key
) -> tuple[int, int | None]:
    """Return the ranks on either side of ``key``: 0 and None where nobody stands there.

    Halves the ranks that are left, each time by the one patient behind their middle.
    """
    top = connection.scalar(select(func.max(order.rank)).where(Patient.id != patient_id)) or 0
    low, high, after = 0, top + 1, None  # who comes behind stands at high or later
    while True:
        middle = (low + high + 1) // 2
        row = _first(connection, order, patient_id, middle, high)
        if row is None:
            row = _last(connection, order, patient_id, low, middle)
            if row is None:
                return low, after
            middle = row[0]
        if order.key_of(row) <= key:
            low = row[0]
        else:
            high, after = middle, row[0]


def _first(
    connection: Connection, order: _Order, but: int, from_rank: int, until_rank: int
) -> Any | None:
    within = {"but": but, "from_rank": from_rank, "until_rank": until_rank}
    return connection.execute(_one_between(order, is_last=False), within).first()


def _last(
    connection: Connection, order: _Order, but: int, after_rank: int, until_rank: int
) -> Any | None:
    within = {"but": but, "from_rank": after_rank + 1, "until_rank": until_rank}
    return connection.execute(_one_between(order, is_last=True), within).first()


@cache
def _one_between(order: _Order, *, is_last: bool) -> Select[*tuple[Any, ...]]:
    """Select the first or last patient between two ranks; built once: a placing asks often."""
    query = select(order.rank, *order.columns).where(
        order.rank >= bindparam("from_rank"),
        order.rank < bindparam("until_rank"),
        Patient.id != bindparam("but"),
    )
    by_rank = (order.rank.desc(), Patient.id.desc()) if is_last else (order.rank, Patient.id)
    return query.order_by(*by_rank).limit(1)


def _placed_many(connection: Connection, order: _Order, new: Sequence[Any]) -> Ranks:
    """Return ranks of ``new`` in the gaps between the others, of all where a gap is too small."""
    there = connection.execute(
        select(order.rank, *order.columns).where(order.rank > 0).order_by(order.rank, Patient.id)
    ).all()
    keys, ranks = [order.key_of(row) for row in there], [row[0] for row in there]
    coming: dict[int, list[int]] = {}
    for key, patient_id in sorted((order.key_of(row), row.id) for row in new):
        coming.setdefault(bisect_right(keys, key), []).append(patient_id)
    placed: Ranks = {}
    for at, ids in coming.items():
        before = ranks[at - 1] if at else 0
        after = ranks[at] if at < len(ranks) else before + GAP * (len(ids) + 1)
        step = (after - before) // (len(ids) + 1)
        if step == 0:
            return _renumbered(connection, order)
        placed |= {each: before + step * number for number, each in enumerate(ids, 1)}
    return placed


def _renumbered(connection: Connection, order: _Order) -> Ranks:
    """Return ranks for everybody anew, with gaps again."""
    everybody = connection.execute(select(Patient.id, order.rank, *order.columns)).all()
    in_order = sorted(everybody, key=lambda row: (order.key_of(row), row.id))
    return {row.id: GAP * place for place, row in enumerate(in_order, 1)}


def _write(connection: Connection, placed: Mapping[_Order, Ranks]) -> None:
    """Write ranks, both of a patient in one change of their row."""
    for orders, rows in _by_orders(placed).items():
        names = [order.rank.key for order in orders]
        change = BulkUpdate(
            connection.dialect,
            Patient,
            own={"patient_id": "id"} | {f"new_{name}": name for name in names},
            sets=", ".join(f"{name} = own.new_{name}" for name in names),
            where="patient.id = own.patient_id",
        )
        for first in range(0, len(rows), _AT_ONCE):
            change.run(connection, rows[first : first + _AT_ONCE])


def _by_orders(placed: Mapping[_Order, Ranks]) -> dict[tuple[_Order, ...], list[tuple[int, ...]]]:
    """Return patients and their new ranks, by the orders in which they have new ones."""
    found: dict[tuple[_Order, ...], list[tuple[int, ...]]] = {}
    # By id, as everybody locks who locks several patients.
    for patient_id in sorted({each for ranks in placed.values() for each in ranks}):
        orders = tuple(order for order, ranks in placed.items() if patient_id in ranks)
        ranks = (placed[order][patient_id] for order in orders)
        found.setdefault(orders, []).append((patient_id, *ranks))
    return found


def _leave_place(_mapper: Mapper[Any], connection: Connection, patient: Patient) -> None:
    """Take a renamed patient out of the order before anybody is placed in it anew.

    The turn to place is taken before the row is locked: whoever has it may want the row.
    """
    changed = list(_changed(patient))
    if changed:
        _let_nobody_else_place(connection)
    for order in changed:
        setattr(patient, order.rank.key, 0)


def _take_turn(_mapper: Mapper[Any], connection: Connection, _patient: Patient) -> None:
    _let_nobody_else_place(connection)


def _follow(_mapper: Mapper[Any], connection: Connection, patient: Patient) -> None:
    for order in _changed(patient):
        rank = _place(connection, order, patient.id, order.key_of(patient))
        set_committed_value(patient, order.rank.key, rank)


def _changed(patient: Patient) -> Iterator[_Order]:
    state = inspect(patient)
    for order in _ORDERS:
        if any(state.attrs[column.key].history.has_changes() for column in order.columns):
            yield order


event.listen(Patient, "before_insert", _take_turn)
event.listen(Patient, "before_update", _leave_place)
for _event in ("after_insert", "after_update"):
    event.listen(Patient, _event, _follow)
