"""A table of patients: from its lines to values."""

import csv
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import TypeVar

from outreach.intake.files import BadFile
from outreach.intake.rules import (
    Frame,
    Incoming,
    IncomingPatient,
    IncomingReading,
    IncomingVisit,
    Note,
    Problem,
    Refused,
    fields,
    readings,
)
from outreach.measures.rules import MeasureKind
from outreach.visits.rules import VisitKind

T = TypeVar("T")

MOST_LINES_OF_A_ROW = 20

REQUIRED = (
    "mrn",
    "given_name",
    "family_name",
    "date_of_birth",
    "phone",
    "time_zone",
    "language",
)
OPTIONAL = (
    "preferred_name",
    "sex",
    "preferred_days",
    "preferred_dayparts",
    "sms_consent",
    "voicemail_ok",
    "welfare_check_ok",
    "wished_caller",
    "state",
    "enrolled_on",
    "last_visit_on",
)


@dataclass(frozen=True)
class ReadingColumn:
    """A column of values: the column of their days, what they are of, and their unit."""

    name: str
    day: str
    kind: MeasureKind
    unit: str


READINGS = (
    ReadingColumn("hba1c_percent", "hba1c_date", MeasureKind.HBA1C, "%"),
    ReadingColumn("glucose_mg_dl", "glucose_date", MeasureKind.GLUCOSE, "mg/dL"),
    ReadingColumn("phq9_total", "phq9_date", MeasureKind.PHQ9_TOTAL, "{score}"),
)
UNDERSTOOD = (*OPTIONAL, *(name for each in READINGS for name in (each.name, each.day)))
KNOWN = frozenset((*REQUIRED, *UNDERSTOOD))


def incoming(lines: Iterable[str], frame: Frame) -> Iterator[Incoming]:
    """Yield what each row holds: a patient, perhaps with notes, or its problems.

    Raises:
        BadFile: there is no usable header.
    """
    number, header, rows = table(lines, REQUIRED)
    yield from notes_on(number, header, KNOWN)
    if "phq9_total" in header and "phq9_date" not in header:
        yield Note(number, "phq9_total", "has no phq9_date column; its day is that of enrolled_on")
    for line, row in rows:
        yield from [row] if isinstance(row, Problem) else _Row(row, line, frame).values()


def table(
    lines: Iterable[str], required: Sequence[str]
) -> tuple[int, list[str], Iterator[tuple[int, dict[str, str] | Problem]]]:
    """Return the line of the header, the names in it, and the cells of each row by name.

    Raises:
        BadFile: there is no usable header.
    """
    numbered = enumerate(lines, start=1)
    number, header_line = next(((n, line) for n, line in numbered if line.strip()), (1, ""))
    delimiter = max(",;\t", key=header_line.count)
    header = _header(header_line, delimiter, required)

    def rows() -> Iterator[tuple[int, dict[str, str] | Problem]]:
        for line, row in _rows(numbered, delimiter, len(header)):
            if row is None:
                why = "a quotation mark is missing or out of place in this row"
                yield line, Problem(line, "", why)
            elif any(cell.strip() for cell in row):
                yield line, _by_name(line, row, header)

    return number, header, rows()


def _rows(
    numbered: Iterator[tuple[int, str]], delimiter: str, width: int
) -> Iterator[tuple[int, list[str] | None]]:
    """Yield (line, cells), or None for cells that can't be told apart.

    A cell may run over several lines, but a missing quotation mark must not swallow the
    rows after it: lines are joined only where that gives a row of the right width.
    """
    waiting: deque[tuple[int, str]] = deque()
    while True:
        if not waiting:
            waiting.extend(islice(numbered, 1))
        if not waiting:
            return
        line, text = waiting.popleft()
        row = _cells(text, delimiter)
        if row is None:
            waiting.extend(islice(numbered, MOST_LINES_OF_A_ROW - len(waiting)))
            row = _joined(text, waiting, delimiter, width)
        yield line, row


def _joined(
    text: str, waiting: deque[tuple[int, str]], delimiter: str, width: int
) -> list[str] | None:
    """Return the row that ``text`` and the lines after it make, taking those, or None."""
    for count, (_line, more) in enumerate(waiting, start=1):
        text += more
        row = _cells(text, delimiter)
        if row is not None and len(row) == width:
            for _taken in range(count):
                waiting.popleft()
            return row
    return None


def _cells(text: str, delimiter: str) -> list[str] | None:
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return None


def _header(line: str, delimiter: str, required: Sequence[str]) -> list[str]:
    header = [cell.strip().lower() for cell in _cells(line, delimiter) or []]
    missing = [name for name in required if name not in header]
    if missing:
        raise BadFile(
            f"The first line must name the columns; missing: {', '.join(missing)}. "
            "Nothing was read."
        )
    doubled = [name for name, count in Counter(header).items() if name and count > 1]
    if doubled:
        raise BadFile(f"The first line names a column twice: {fields.shown(doubled[0])}.")
    return header


def notes_on(line: int, header: list[str], known: Collection[str]) -> Iterator[Note]:
    """Yield a note on each column that nobody knows."""
    for name in header:
        if name and name not in known:
            short = fields.shown(name).strip("'")
            yield Note(line, short, "this column is not known and was ignored")


def _by_name(line: int, row: list[str], header: list[str]) -> dict[str, str] | Problem:
    if len(row) != len(header):
        counts = f"this row has {len(row)} cells, the header {len(header)}"
        return Problem(line, "", f"{counts}; put cells that hold a comma in quotation marks")
    return dict(zip(header, row, strict=True))


def csv_visit(on: date, kind: VisitKind, own_id: str) -> IncomingVisit:
    """Return a visit of a table; without an id of its own there is one of a kind a day."""
    return IncomingVisit(kind, on, None, f"csv:{own_id}" if own_id else f"csv:{on}:{kind.value}")


@dataclass
class _Row:
    """One row while it is checked: every cell is looked at, so that all is said at once."""

    cells: dict[str, str]
    line: int
    frame: Frame
    problems: list[Problem] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def values(self) -> Iterator[Incoming]:
        """Yield the patient and the notes, or the problems."""
        patient = self._patient()
        if self.problems:
            yield from self.problems
        else:
            yield from self.notes
            yield patient

    def _take(self, name: str, check: Callable[[str], T], otherwise: T) -> T:
        try:
            return check(self.cells.get(name, ""))
        except Refused as refusal:
            self.problems.append(Problem(self.line, name, str(refusal)))
            return otherwise

    def _patient(self) -> IncomingPatient:
        zone = self._take("time_zone", fields.zone, self.frame.zone)
        today = self.frame.today(zone)
        born = self._take("date_of_birth", lambda c: fields.date_of_birth(c, today=today), date.min)
        phone = self._take("phone", lambda c: fields.phone(c, region=self.frame.region), "")
        return IncomingPatient(
            record_number=self._take("mrn", lambda c: fields.words(c, most=60), ""),
            given_name=self._take("given_name", lambda c: fields.words(c, most=120), ""),
            family_name=self._take("family_name", lambda c: fields.words(c, most=120), ""),
            preferred_name=self._take(
                "preferred_name", lambda c: fields.optional_words(c, most=120), None
            ),
            date_of_birth=born,
            sex=self._take("sex", fields.sex, fields.sex("")),
            phones=(phone,),
            language=self._take("language", fields.language, ""),
            zone=zone,
            weekdays=self._take("preferred_days", fields.weekdays, frozenset()),
            dayparts=self._take("preferred_dayparts", fields.dayparts, ()),
            is_text_agreed=self._take("sms_consent", fields.yes_or_no, None),
            is_voicemail_allowed=self._take("voicemail_ok", fields.yes_or_no, None),
            is_welfare_check_agreed=self._take("welfare_check_ok", fields.yes_or_no, None),
            state=self._take("state", lambda c: fields.state(c, region=self.frame.region), None),
            wished_caller=self._take("wished_caller", fields.wished_caller, None),
            enrolled_on=self._take(
                "enrolled_on", lambda c: fields.enrolled_on(c, today=today), None
            ),
            readings=tuple(self._readings(born, today)),
            visits=tuple(self._visits(today)),
            line=self.line,
        )

    def _readings(self, born: date, today: date) -> Iterator[IncomingReading]:
        for column in READINGS:
            if not self.cells.get(column.name, "").strip():
                continue
            found = self._take(
                column.name,
                lambda c, col=column: readings.value(col.kind, readings.number(c), col.unit),  # type: ignore[misc]
                None,
            )
            on = self._day_of(column, born, today)
            if found is None or on is None:
                continue
            if found.is_unusual:
                self.notes.append(Note(self.line, column.name, readings.unusual(found)))
            yield readings.csv_reading(found, on)

    def _visits(self, today: date) -> Iterator[IncomingVisit]:
        if self.cells.get("last_visit_on", "").strip():
            on = self._take("last_visit_on", lambda c: fields.past_day(c, today=today), None)
            if on is not None:
                yield csv_visit(on, VisitKind.IN_PERSON, "")

    def _day_of(self, column: ReadingColumn, born: date, today: date) -> date | None:
        if column.day not in self.cells and column.kind is MeasureKind.PHQ9_TOTAL:
            return self._day_joined(column, today)
        if not self.cells.get(column.day, "").strip():
            reason = f"is empty, but {column.name} needs its day, such as 2026-10-04"
            self.problems.append(Problem(self.line, column.day, reason))
            return None
        on = self._take(column.day, lambda c: fields.past_day(c, today=today), None)
        if on is not None and on < born:
            reason = f"{on} lies before the date of birth"
            self.problems.append(Problem(self.line, column.day, reason))
        return on

    def _day_joined(self, column: ReadingColumn, today: date) -> date | None:
        """Return the day of a PHQ-9 without one: it is asked when a patient joins."""
        with suppress(Refused):
            on = fields.enrolled_on(self.cells.get("enrolled_on", ""), today=today)
            if on is None or on > today:
                reason = f"is needed: add this column, with the day of {column.name}"
                self.problems.append(Problem(self.line, column.day, reason))
            return on
        return None
