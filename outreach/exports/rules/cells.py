"""Tables as files know them: columns with a meaning, cells with a type. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

Value = str | int | float | Decimal | bool | date | datetime | None


@dataclass(frozen=True)
class Column:
    """A column by the name it has in files, and what stands in it."""

    name: str
    meaning: str


@dataclass(frozen=True)
class Table:
    """A table for a file: what it is, its columns, its rows, read as they are written.

    ``total`` is how many rows there will be, None where nobody knows beforehand. ``about``
    are (what, words): filters, days, when it was made.
    """

    title: str
    columns: Sequence[Column]
    rows: Iterable[Sequence[Value]]
    total: int | None
    about: Sequence[tuple[str, str]] = field(default=())


Watch = Callable[[int], None]


def as_text(value: Value) -> str | int | float | None:
    """Return a cell as CSV has it: days and instants in ISO 8601, yes and no as words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime | date):
        return value.isoformat(sep=" ") if isinstance(value, datetime) else value.isoformat()
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return value
