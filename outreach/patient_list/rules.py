"""What may be asked of the list of patients: filters, order and columns. Pure.

Everything that is asked travels in the address, so that a list is a link. What people type
into the search box never does: names don't belong into addresses (security.md, 14.2.1).
"""

import enum
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from decimal import Decimal
from typing import Any

NOBODY = "none"
LONGEST_SILENCE_DAYS = 3650


class Standing(enum.StrEnum):
    """Where somebody's latest enrolment stands; OPEN is any that is not over."""

    OPEN = "open"
    ACTIVE = "active"
    PAUSED = "paused"
    UNREACHABLE = "unreachable"
    COMPLETED = "completed"
    WITHDRAWN = "withdrawn"
    DIED = "died"
    NEVER = "never"


class Stratum(enum.StrEnum):
    """Bands of the PHQ-9 total. Source: Kroenke 2001, domain.md C."""

    MINIMAL = "minimal"
    MILD = "mild"
    MODERATE = "moderate"
    MODERATELY_SEVERE = "moderately severe"
    SEVERE = "severe"
    UNMEASURED = "unmeasured"

    @property
    def bounds(self) -> tuple[int, int] | None:
        """The lowest and highest total of this band; None where there is no total."""
        return _BOUNDS.get(self)


_BOUNDS = {
    Stratum.MINIMAL: (0, 4),
    Stratum.MILD: (5, 9),
    Stratum.MODERATE: (10, 14),
    Stratum.MODERATELY_SEVERE: (15, 19),
    Stratum.SEVERE: (20, 27),
}


class Numbers(enum.StrEnum):
    """What is wrong with a patient's telephone numbers."""

    ONE_BROKEN = "one broken"
    NONE_WORKS = "none works"


class Sort(enum.StrEnum):
    """By what the list is sorted; ties by the patient's id."""

    NAME = "name"
    RECORD = "record"
    HBA1C = "hba1c"
    REACHED = "reached"
    NEXT_CALL = "next_call"
    ENROLLED = "enrolled"

    @property
    def is_falling(self) -> bool:
        """Whether the greatest comes first, as long as nobody turns it."""
        return self in {Sort.HBA1C, Sort.ENROLLED}


class Column(enum.StrEnum):
    """What may stand beside the name, in this order."""

    AGE = "age"
    CLINIC = "clinic"
    LANGUAGE = "language"
    CALLER = "caller"
    STANDING = "standing"
    PHASE = "phase"
    ENROLLED = "enrolled"
    NEXT_CALL = "next_call"
    REACHED = "reached"
    HBA1C = "hba1c"
    PHQ9 = "phq9"
    CONCERN = "concern"
    NUMBER = "number"
    TEXTS = "texts"


DEFAULT_COLUMNS = (
    Column.AGE,
    Column.CALLER,
    Column.STANDING,
    Column.NEXT_CALL,
    Column.REACHED,
    Column.HBA1C,
)


@dataclass(frozen=True)
class Filters:
    """Who is listed: whoever meets all that is set. None sets nothing.

    ``caller`` is the id of a member of staff or NOBODY. ``hba1c_over`` and ``hba1c_under`` are
    percent (NGSP), both exclusive, about the last value that counts. ``silent_days``: in the
    programme for as long, and reached by nobody since. ``due``: a window to measure is open and
    something in it is missing. ``enrolled_from`` and ``enrolled_until`` are first days of the
    latest enrolment, both included.
    """

    clinic: str | None = None
    caller: str | None = None
    standing: Standing | None = None
    phase: str | None = None
    language: str | None = None
    hba1c_over: Decimal | None = None
    hba1c_under: Decimal | None = None
    phq9: Stratum | None = None
    silent_days: int | None = None
    due: bool | None = None
    concern: bool | None = None
    number: Numbers | None = None
    stopped: bool | None = None
    enrolled_from: date | None = None
    enrolled_until: date | None = None

    @property
    def chosen(self) -> tuple[str, ...]:
        """The names of the filters that are set, in their order."""
        return tuple(each.name for each in fields(self) if getattr(self, each.name) is not None)

    def as_params(self) -> dict[str, str]:
        """Return what is set as parameters of an address."""
        return {name: _written(getattr(self, name)) for name in self.chosen}


@dataclass(frozen=True)
class Wanted:
    """A whole list: who is on it, in which order, with which columns."""

    filters: Filters = Filters()
    sort: Sort = Sort.NAME
    is_backwards: bool = False
    columns: tuple[Column, ...] = DEFAULT_COLUMNS

    def as_params(self) -> dict[str, str | list[str]]:
        """Return the parameters that lead back to this list; what is usual is left out."""
        params: dict[str, str | list[str]] = dict(self.filters.as_params())
        if self.sort is not Sort.NAME:
            params["sort"] = self.sort.value
        if self.is_backwards:
            params["backwards"] = "1"
        if self.columns != DEFAULT_COLUMNS:
            params["columns"] = [column.value for column in self.columns]
        return params


def wanted_of(params: Mapping[str, Any]) -> Wanted:
    """Return the list that :meth:`Wanted.as_params` was made of."""

    def read(name: str, make: Callable[[str], Any]) -> Any:
        return make(params[name]) if name in params else None

    filters = Filters(
        clinic=read("clinic", str),
        caller=read("caller", str),
        standing=read("standing", Standing),
        phase=read("phase", str),
        language=read("language", str),
        hba1c_over=read("hba1c_over", Decimal),
        hba1c_under=read("hba1c_under", Decimal),
        phq9=read("phq9", Stratum),
        silent_days=read("silent_days", int),
        due=read("due", bool),
        concern=read("concern", bool),
        number=read("number", Numbers),
        stopped=read("stopped", bool),
        enrolled_from=read("enrolled_from", date.fromisoformat),
        enrolled_until=read("enrolled_until", date.fromisoformat),
    )
    columns = columns_named(params.get("columns", ()))
    return Wanted(filters, Sort(params.get("sort", Sort.NAME)), "backwards" in params, columns)


def turned(wanted: Wanted, sort: Sort) -> Wanted:
    """Return the list sorted by ``sort``; the other way round where it is so already."""
    is_again = wanted.sort is sort and not wanted.is_backwards
    return replace(wanted, sort=sort, is_backwards=is_again)


def columns_named(names: Iterable[str]) -> tuple[Column, ...]:
    """Return the columns called so, each once, in the order of the list; the usual for none."""
    asked = set(names)
    return tuple(column for column in Column if column.value in asked) or DEFAULT_COLUMNS


def without(params: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return ``params`` of an address without ``name``."""
    return {key: value for key, value in params.items() if key != name}


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "1"
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
