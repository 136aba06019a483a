"""A table of visits of patients whom the clinic has: from its lines to values."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from outreach.intake.csv_rows import csv_visit, notes_on, table
from outreach.intake.rules import Frame, Incoming, Problem, Refused, VisitOf, fields
from outreach.visits.rules import VisitKind

T = TypeVar("T")

REQUIRED = ("mrn", "visit_date")
OPTIONAL = ("visit_kind", "visit_id")


def incoming(lines: Iterable[str], frame: Frame) -> Iterator[Incoming]:
    """Yield what each row holds: a visit, or its problems.

    Raises:
        BadFile: there is no usable header.
    """
    number, header, rows = table(lines, REQUIRED)
    yield from notes_on(number, header, (*REQUIRED, *OPTIONAL))
    for line, row in rows:
        yield from [row] if isinstance(row, Problem) else _row(row, line, frame)


def _row(cells: dict[str, str], line: int, frame: Frame) -> Iterator[Incoming]:
    problems: list[Problem] = []

    def take(name: str, check: Callable[[str], T], otherwise: T) -> T:
        try:
            return check(cells.get(name, ""))
        except Refused as refusal:
            problems.append(Problem(line, name, str(refusal)))
            return otherwise

    today = frame.today()
    number = take("mrn", lambda cell: fields.words(cell, most=60), "")
    on = take("visit_date", lambda cell: fields.past_day(cell, today=today), today)
    kind = take("visit_kind", kind_of, VisitKind.IN_PERSON)
    own_id = take("visit_id", lambda cell: fields.optional_words(cell, most=120), None)
    if problems:
        yield from problems
    else:
        yield VisitOf(number, csv_visit(on, kind, own_id or ""), line)


def kind_of(cell: str) -> VisitKind:
    """Return how patient and clinic met; empty means in person.

    Raises:
        Refused: no such kind.
    """
    written = cell.strip().lower().replace("_", " ").replace("-", " ")
    try:
        return VisitKind(written) if written else VisitKind.IN_PERSON
    except ValueError as error:
        kinds = ", ".join(each.value for each in VisitKind)
        raise Refused(f"{fields.shown(cell)} is no kind of visit; write one of: {kinds}") from error
